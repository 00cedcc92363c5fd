"""Gateways: hosts that answer like OpenAI, in parts."""

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
    entity_keys,
    has_entity,
    poll,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import KEY, NOW


def count_attempts(simulator: RunningSimulator, endpoint: str) -> int:
    """Return how often an endpoint was asked, whatever came of it."""
    return len([one for one in simulator.requests if one.path.endswith(endpoint)])


@pytest.mark.freeze_time(NOW)
async def test_new_api(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
    hass_client: ClientSessionGenerator,
) -> None:
    """The token's limit minus its spending is the credit; there is nothing of days and models."""
    simulator.kind = "new-api"
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "hard_limit_usd") == "75.25"
    assert state(hass, "total_used") == "42.115"
    assert state(hass, "total_available") == "33.135"
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
    # A lifetime's total is no day's and no month's cost.
    assert entity_keys(hass, entry) == {
        "total_used",
        "total_available",
        "low_balance",
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

    # What is not served makes no word, and is looked for once a day.
    credit, me = count_attempts(simulator, "credit_grants"), count_attempts(simulator, "me")
    for _ in range(4):
        await poll(hass, freezer, 3600)
    assert count_attempts(simulator, "credit_grants") == credit
    await poll(hass, freezer, 86_400)
    assert credit < count_attempts(simulator, "credit_grants") <= credit + 2
    assert count_attempts(simulator, "me") == me == 0
    assert not issue_registry.issues
    assert "Error fetching" not in caplog.text

    # A gateway that learns more is believed from then on.
    simulator.kind = "openai"
    simulator.account.usage_override = None
    await poll(hass, freezer, 86_400)
    assert float(state(hass, "total_granted")) > 0
    assert float(state(hass, "cost_this_month")) > 0


async def test_one_api_unlimited(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A token without a limit has spent something, but has no number left."""
    simulator.kind = "one-api"
    await setup_entry(hass, entry)
    assert state(hass, "total_used") == "42.115"
    assert not has_entity(hass, "total_available")
    assert not has_entity(hass, "low_balance", "binary_sensor")
    assert state(hass, "hard_limit_usd") == STATE_UNKNOWN


async def test_error_under_200(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An error that comes as a success is an error, and passes."""
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


@pytest.mark.parametrize("missing", ["usage", "subscription"])
async def test_one_endpoint_alone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    missing: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A host with the subscription alone, or the usage alone, is welcome."""
    simulator.kind = "new-api"
    simulator.fault(missing, "not_found")
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert not any("credit" in one for one in hass.states.async_entity_ids())
    assert "Error fetching" not in caplog.text


@pytest.mark.parametrize(
    "usage",
    [
        {"object": "list", "daily_costs": [], "total_usage": 3300.0},
        {"object": "list", "total_usage": None},
        {"object": "list", "total_usage": "much"},
    ],
)
async def test_no_lifetime(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    usage: dict[str, Any],
) -> None:
    """Where the total is not sure to be a lifetime's, no credit is made of it."""
    simulator.kind = "new-api"
    simulator.account.usage_override = usage
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert not has_entity(hass, "total_available")
    assert state(hass, "hard_limit_usd") == "75.25"
