"""Session keys, admin keys, and accounts that have both."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
)

from .common import (
    RunningSimulator,
    has_entity,
    poll,
    requested_endpoints,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_ADMIN_KEY, OTHER_KEY

# ---- Setting up --------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False])
async def test_admin_key_alone(
    hass: HomeAssistant, simulator: RunningSimulator, told: bool
) -> None:
    """An admin key makes an account of costs, without a word of what it cannot open.

    Its identity is the organization that the costs are of, or a digest where there are none.
    """
    if not told:
        simulator.account.ledger = {}
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=f" {ADMIN_KEY}\n"
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == ("Example Home" if told else "OpenAI")
    known = {CONF_ORGANIZATION: ORGANIZATION} if told else {}
    assert result["data"] == {CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY, **known}
    entry = result["result"]
    assert (entry.unique_id == ORGANIZATION) is told
    assert entry.state is ConfigEntryState.LOADED
    assert ADMIN_KEY not in (entry.unique_id or "")
    assert requested_endpoints(simulator) == {"costs", "spend_limit"}
    keys = {
        one.unique_id.removeprefix(f"{entry.unique_id}_")
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    assert {"cost_today", "cost_this_month", "spend_limit", "budget_used"} <= keys
    assert not keys & {"total_available", "low_balance", "plan", "delinquent", "days_left"}


async def test_both_keys(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """With both keys costs come from the official endpoint, all else from the dashboard."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == full_entry.data
    assert requested_endpoints(simulator) == {
        "credit_grants",
        "subscription",
        "me",
        "costs",
        "spend_limit",
    }


@pytest.mark.parametrize(
    ("keys", "errors"),
    [
        ({}, {"base": "no_key"}),
        ({"session_key": "  ", "admin_key": ""}, {"base": "no_key"}),
        ({"session_key": OTHER_KEY}, {"session_key": "invalid_auth"}),
        ({"admin_key": OTHER_ADMIN_KEY}, {"admin_key": "invalid_auth"}),
        ({"admin_key": KEY}, {"admin_key": "wrong_admin_key"}),
        ({"admin_key": "sk-proj-123"}, {"admin_key": "wrong_admin_key"}),
        ({"admin_key": "sk-admin key"}, {"admin_key": "invalid_key"}),
        ({"session_key": ADMIN_KEY}, {"session_key": "wrong_key_type"}),
        (
            {"session_key": "a b", "admin_key": "ä"},
            {"session_key": "invalid_key", "admin_key": "invalid_key"},
        ),
        (
            {"session_key": OTHER_KEY, "admin_key": OTHER_ADMIN_KEY},
            {"session_key": "invalid_auth", "admin_key": "invalid_auth"},
        ),
        ({"session_key": KEY, "admin_key": OTHER_ADMIN_KEY}, {"admin_key": "invalid_auth"}),
        (
            {"session_key": ADMIN_KEY, "admin_key": KEY},
            {"session_key": "wrong_key_type", "admin_key": "wrong_admin_key"},
        ),
    ],
)
async def test_errors_on_their_own_field(
    hass: HomeAssistant, simulator: RunningSimulator, keys: dict[str, str], errors: dict[str, str]
) -> None:
    """Each key is told what is wrong with it, both at once, and the form can be sent again."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, **keys)
    assert result["errors"] == errors
    result = await submit_form(
        hass, flow_id, host=simulator.url, session_key=KEY, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


# ---- A key that dies ---------------------------------------------------------------------------


async def test_session_key_dies(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Costs go on with the admin key; the rest is unavailable until there is a new key."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.key = OTHER_KEY
    await poll(hass, freezer)
    assert float(state(hass, "cost_this_month")) > 0
    assert float(state(hass, "spend_limit")) == 150
    assert state(hass, "total_available") == STATE_UNAVAILABLE
    assert state(hass, "plan") == STATE_UNAVAILABLE
    flows = hass.config_entries.flow.async_progress()
    assert [flow["step_id"] for flow in flows] == ["reauth_confirm"]
    assert full_entry.state is ConfigEntryState.LOADED

    result = await submit_form(hass, flows[0]["flow_id"])
    assert result["errors"] == {"session_key": "invalid_auth"}
    result = await submit_form(hass, flows[0]["flow_id"], session_key=OTHER_KEY)
    assert result["reason"] == "reauth_successful"
    assert full_entry.data[CONF_ADMIN_KEY] == ADMIN_KEY
    assert float(state(hass, "total_available")) > 0


async def test_session_key_dies_before_start(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """The same at a start: the account is there with what works, and asks for the other key."""
    simulator.key = OTHER_KEY
    await setup_entry(hass, full_entry)
    assert full_entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "cost_this_month")) > 0
    flows = hass.config_entries.flow.async_progress()
    assert [flow["step_id"] for flow in flows] == ["reauth_confirm"]


async def test_admin_key_dies(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The question is for the admin key; removing it brings the costs back by the other one."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.admin_key = OTHER_ADMIN_KEY
    await poll(hass, freezer)
    assert state(hass, "cost_this_month") == STATE_UNAVAILABLE
    assert float(state(hass, "total_available")) > 0
    flows = hass.config_entries.flow.async_progress()
    assert [flow["step_id"] for flow in flows] == ["reauth_admin_key"]

    result = await submit_form(hass, flows[0]["flow_id"], admin_key=KEY)
    assert result["errors"] == {"admin_key": "wrong_admin_key"}
    result = await submit_form(hass, flows[0]["flow_id"], remove_admin_key=True)
    assert result["reason"] == "reauth_successful"
    assert CONF_ADMIN_KEY not in full_entry.data
    assert float(state(hass, "cost_this_month")) > 0
    assert not has_entity(hass, "spend_limit")
    assert has_entity(hass, "budget_used")


async def test_admin_key_instead(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Who is tired of session keys that die gives an admin key instead."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    cost = state(hass, "cost_last_7_days")
    simulator.key = OTHER_KEY
    await poll(hass, freezer)
    (flow,) = hass.config_entries.flow.async_progress()
    result = await submit_form(hass, flow["flow_id"], remove_session_key=True, admin_key=ADMIN_KEY)
    assert result["reason"] == "reauth_successful"
    assert state(hass, "cost_last_7_days") == cost
    assert not has_entity(hass, "total_available")
    await poll(hass, freezer)
    assert not hass.config_entries.flow.async_progress()


async def test_same_account_by_the_other_key(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An account that is there by its session key is not added again by its admin key."""
    await setup_entry(hass, entry)
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_both_keys_die(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """With both gone at a start, both are asked for, and one new one is not enough."""
    simulator.key = OTHER_KEY
    simulator.admin_key = OTHER_ADMIN_KEY
    await setup_entry(hass, full_entry)
    assert full_entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    result = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert result["step_id"] == "reauth_confirm"
    assert result["errors"] == {"session_key": "invalid_auth", "admin_key": "invalid_auth"}
    result = await submit_form(hass, flow["flow_id"], session_key=OTHER_KEY)
    assert result["errors"] == {"admin_key": "invalid_auth"}
    result = await submit_form(
        hass, flow["flow_id"], session_key=OTHER_KEY, admin_key=OTHER_ADMIN_KEY
    )
    assert result["reason"] == "reauth_successful"
    assert full_entry.state is ConfigEntryState.LOADED


async def test_reauth_ends_by_itself(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key that works again takes the question back."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.fault("costs", "expired_key", times=1)
    await poll(hass, freezer)
    assert hass.config_entries.flow.async_progress()
    await poll(hass, freezer, 700)
    assert not hass.config_entries.flow.async_progress()


# ---- Keys that come and go ---------------------------------------------------------------------


async def test_reconfigure_adds_and_removes(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Either key can be added and removed, but not the last; entities follow."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    cost = state(hass, "cost_this_month")

    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, remove_session_key=True)
    assert result["errors"] == {"base": "no_key"}
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["reason"] == "reconfigure_successful"
    assert dict(entry.data) == {
        CONF_HOST: simulator.url,
        CONF_SESSION_KEY: KEY,
        CONF_ADMIN_KEY: ADMIN_KEY,
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert state(hass, "cost_this_month") == cost
    assert has_entity(hass, "spend_limit")

    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, remove_session_key=True)
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == ORGANIZATION
    for key in ("total_available", "next_grant_expiry", "days_left", "plan", "hard_limit_usd"):
        assert not has_entity(hass, key), key
    for key in ("low_balance", "delinquent"):
        assert not has_entity(hass, key, "binary_sensor"), key
    assert state(hass, "cost_this_month") == cost
    for _ in range(3):
        await poll(hass, freezer, 86_400)
    assert not issue_registry.issues

    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(
        hass, result["flow_id"], host=simulator.url, session_key=KEY, remove_admin_key=True
    )
    assert result["reason"] == "reconfigure_successful"
    assert float(state(hass, "total_available")) > 0
    assert not has_entity(hass, "spend_limit")
    assert not has_entity(hass, "budget_used")


async def test_stored_key_stays_with_its_host(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """A key that was given for one host is not sent to another one unasked."""
    await setup_entry(hass, full_entry)
    simulator.requests.clear()
    result = await full_entry.start_reconfigure_flow(hass)
    url = simulator.url.replace("127.0.0.1", "localhost")
    result = await submit_form(hass, result["flow_id"], host=url, admin_key=ADMIN_KEY)
    assert result["errors"] == {"session_key": "key_for_new_host"}
    assert not simulator.requests
    result = await submit_form(
        hass, result["flow_id"], host=url, admin_key=ADMIN_KEY, remove_session_key=True
    )
    assert result["reason"] == "reconfigure_successful"


async def test_admin_key_of_another_organization(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An admin key that opens another organization would mix two accounts."""
    await setup_entry(hass, entry)
    result = await entry.start_reconfigure_flow(hass)
    simulator.fault("costs", "expired_key", times=1)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["errors"] == {"admin_key": "invalid_auth"}
    # The simulated admin key is the first organization's.
    first, *_ = simulator.account.organizations
    simulator.account.organizations = [type(first)("org-other", "Other"), first]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["errors"] == {"admin_key": "other_organization"}
    simulator.account.organizations = [first]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["reason"] == "reconfigure_successful"
