"""Gateways, which serve only some of the endpoints."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.diagnostics import DOMAIN as DIAGNOSTICS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from .common import (
    RunningSimulator,
    count_requests,
    entity_keys,
    has_entity,
    poll,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import KEY, NOW, OTHER_KEY


def count_attempts(simulator: RunningSimulator, endpoint: str) -> int:
    """Return how often an endpoint was requested, whether the host serves it or not."""
    return sum(request.path.endswith(f"/{endpoint}") for request in simulator.requests)


@pytest.mark.freeze_time(NOW)
async def test_credit_is_derived_from_limit_and_lifetime_usage(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
    hass_client: ClientSessionGenerator,
) -> None:
    """The credit is the token's limit minus its usage; there are no costs per day or model."""
    simulator.kind = "new-api"
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "hard_limit_usd") == "75.25"
    assert state(hass, "total_used") == "42.115"
    assert state(hass, "total_available") == "33.135"
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
    # The usage of a token's lifetime says nothing about a day or a month.
    assert entity_keys(hass, entry) == {
        "total_used",
        "total_available",
        "low_balance",
        "problem",
        "has_payment_method",
        "soft_limit_usd",
        "hard_limit_usd",
        "system_hard_limit_usd",
        "access_until",
    }

    simulator.account.usage_override = {"object": "list", "total_usage": 7500.0}
    await poll(hass, freezer)
    assert state(hass, "total_available") == "0.25"
    assert state(hass, "low_balance", "binary_sensor") == "on"

    assert await async_setup_component(hass, DIAGNOSTICS, {})
    found: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    grants = found["endpoints"]["credit_grants"]["data"]
    assert grants["derived"] is True
    assert grants["total_available"] == 0.25

    # A missing endpoint is tried once a day, and nothing is logged.
    credit = count_attempts(simulator, "credit_grants")
    for _ in range(4):
        await poll(hass, freezer, 3600)
    assert count_attempts(simulator, "credit_grants") == credit
    await poll(hass, freezer, 86_400)
    # Both paths, the bare one and that under /v1
    assert count_attempts(simulator, "credit_grants") == credit + 2
    assert not issue_registry.issues
    assert "Error fetching" not in caplog.text

    # A gateway that begins to serve the other endpoints is used like OpenAI from then on.
    simulator.kind = "openai"
    simulator.account.usage_override = None
    await poll(hass, freezer, 86_400)
    assert float(state(hass, "total_granted")) > 0
    assert float(state(hass, "cost_this_month")) > 0


async def test_unlimited_token_has_no_credit(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A token without a limit has usage, but no available credit."""
    simulator.kind = "one-api"
    await setup_entry(hass, entry)
    assert state(hass, "total_used") == "42.115"
    assert not has_entity(hass, "total_available")
    assert not has_entity(hass, "low_balance", "binary_sensor")
    assert state(hass, "hard_limit_usd") == STATE_UNKNOWN


async def test_error_with_status_200_is_an_error(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An error object with status 200 makes the sensors unavailable until it is over."""
    freezer.move_to(NOW)
    simulator.kind = "new-api"
    await setup_entry(hass, entry)
    error = {"error": {"message": "Failed to retrieve quota", "type": "upstream_error"}}
    simulator.account.usage_override = error
    await poll(hass, freezer)
    assert state(hass, "total_available") == STATE_UNAVAILABLE
    assert state(hass, "hard_limit_usd") == "75.25"
    simulator.account.usage_override = None
    await poll(hass, freezer)
    assert state(hass, "total_available") == "33.135"


@pytest.mark.parametrize("kind", ["one-api", "new-api"])
@pytest.mark.parametrize("page_host", [None, "https://pages.example.com"])
@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_gateway_is_added_by_any_of_its_addresses(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    kind: str,
    page_host: str | None,
    path: str,
) -> None:
    """A web page or a redirect in place of an endpoint does not keep a gateway out."""
    simulator.kind = kind
    simulator.page_host = page_host
    result = await submit_form(
        hass, await start_user_flow(hass), host=f"{simulator.url}{path}", session_key=KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.openai_hard_limit")
    assert "pages.example.com" not in {request.path for request in simulator.requests}


@pytest.mark.parametrize("kind", ["one-api", "new-api"])
async def test_refused_token_is_reported(
    hass: HomeAssistant, simulator: RunningSimulator, kind: str
) -> None:
    """A gateway refuses a token with an error without a code; the form says what to do."""
    simulator.kind = kind
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=OTHER_KEY)
    assert result["errors"] == {"session_key": "invalid_auth"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("fault", ["not_json", "redirect"])
async def test_web_server_without_the_api_is_no_account(
    hass: HomeAssistant, simulator: RunningSimulator, fault: str
) -> None:
    """A host with nothing but web pages is an invalid response, whichever key is tried."""
    simulator.fault("*", fault)
    for key in ("session_key", "admin_key"):
        result = await submit_form(
            hass, await start_user_flow(hass), host=simulator.url, **{key: KEY}
        )
        assert result["errors"] == {"base": "invalid_response"}


@pytest.mark.parametrize("kind", ["one-api", "new-api"])
@pytest.mark.parametrize("page_host", [None, "https://pages.example.com"])
async def test_poll_requests_each_endpoint_once(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    kind: str,
    page_host: str | None,
) -> None:
    """The derived credit takes the responses that costs and subscription are polled for."""
    freezer.move_to(NOW)
    simulator.kind = kind
    simulator.page_host = page_host
    await setup_entry(hass, entry)
    assert count_requests(simulator, "usage") == 1
    assert count_requests(simulator, "subscription") == 1
    for spent in (4500.0, 5000.0, 5500.0):
        simulator.account.usage_override = {"object": "list", "total_usage": spent}
        simulator.requests.clear()
        await poll(hass, freezer)
        assert [request.endpoint for request in simulator.requests if request.authorized]
        assert sorted(request.endpoint for request in simulator.requests) == [
            *("subscription", "usage")
        ]
        assert float(state(hass, "total_used")) == spent / 100


async def test_web_page_of_a_known_endpoint_is_temporary(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A web page where the API has answered before makes the sensors unavailable, no more."""
    freezer.move_to(NOW)
    simulator.kind = "new-api"
    await setup_entry(hass, entry)
    for fault in ("not_json", "redirect"):
        simulator.fault("*", fault)
        for _ in range(3):
            await poll(hass, freezer)
            assert state(hass, "total_available") == STATE_UNAVAILABLE
            assert state(hass, "hard_limit_usd") == STATE_UNAVAILABLE
        simulator.clear_faults()
        await poll(hass, freezer)
        assert state(hass, "total_available") == "33.135"
        assert state(hass, "hard_limit_usd") == "75.25"
    assert not issue_registry.issues


@pytest.mark.parametrize(
    ("missing", "keys"),
    [
        (
            "usage",
            {
                "has_payment_method",
                "soft_limit_usd",
                "hard_limit_usd",
                "system_hard_limit_usd",
                "access_until",
            },
        ),
        ("subscription", set()),
    ],
    ids=["no usage", "no subscription"],
)
async def test_gateway_with_one_endpoint_is_accepted(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    missing: str,
    keys: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A host that serves the subscription or the usage alone can be added."""
    simulator.kind = "new-api"
    simulator.fault(missing, "not_found")
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert entity_keys(hass, entry) == keys | {"problem"}
    assert "Error fetching" not in caplog.text


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(
            {"object": "list", "daily_costs": [], "total_usage": 3300.0}, id="empty daily costs"
        ),
        pytest.param({"object": "list", "total_usage": None}, id="null"),
        pytest.param({"object": "list", "total_usage": "much"}, id="text"),
    ],
)
async def test_credit_is_not_derived_from_an_uncertain_total(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    usage: dict[str, Any],
) -> None:
    """A total that may not cover the token's lifetime is not used to derive a credit."""
    simulator.kind = "new-api"
    simulator.account.usage_override = usage
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert not has_entity(hass, "total_available")
    assert state(hass, "hard_limit_usd") == "75.25"
