"""Session keys, admin keys, and accounts that have both."""

from __future__ import annotations

from unittest.mock import ANY

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_DEFAULT_PROJECT,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
)
from simulator import LineItem, Organization

from .common import (
    RunningSimulator,
    entity_keys,
    has_entity,
    poll,
    requested_endpoints,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_ADMIN_KEY, OTHER_KEY
from .usage import USAGE

USAGE_PATHS = {f"usage/{one}" for one in USAGE}

# ---- Setting up --------------------------------------------------------------------------------


# The oldest of the simulated projects
PROJECT = "proj_default"

# What is requested with an admin key, polled or once a day
ADMIN_ENDPOINTS = {
    "costs",
    "spend_limit",
    "projects",
    "api_keys",
    "admin_api_keys",
    *USAGE_PATHS,
}

COST_KEYS = {
    "problem",
    "cost_today",
    "cost_yesterday",
    "cost_last_7_days",
    "cost_this_month",
    "cost_last_month",
    "forecast_this_month",
    "spend_limit",
    "spend_limit_reached",
    "budget_used",
    "budget_left",
    "input_tokens_today",
    "input_tokens_this_month",
    "cached_input_tokens_today",
    "cached_input_tokens_this_month",
    "output_tokens_today",
    "output_tokens_this_month",
    "requests_today",
    "requests_this_month",
    "tokens_last_24_hours",
    "requests_last_24_hours",
}


async def test_admin_key_alone_adds_costs(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """An admin key adds an account with costs alone, identified by their organization."""
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 100)]}
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=f" {ADMIN_KEY}\n"
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Example Home"
    assert result["data"] == {
        CONF_HOST: simulator.url,
        CONF_ADMIN_KEY: ADMIN_KEY,
        CONF_DEFAULT_PROJECT: PROJECT,
        CONF_ORGANIZATION: ORGANIZATION,
    }
    entry = result["result"]
    assert entry.unique_id == ORGANIZATION
    assert entry.state is ConfigEntryState.LOADED
    await hass.async_block_till_done(wait_background_tasks=True)
    assert requested_endpoints(simulator) == ADMIN_ENDPOINTS
    assert entity_keys(hass, entry) == COST_KEYS | {
        "model_cost_gpt_5_5",
        "project_cost_proj_default",
        "model_tokens_gpt_5_5_2026_03_01",
    }


async def test_admin_key_without_costs_is_identified_by_a_digest(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Without costs and projects it is unknown; the unique id does not reveal the key."""
    simulator.account.ledger = {}
    simulator.fault("projects", "no_permission")
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "OpenAI"
    assert result["data"] == {CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY}
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.unique_id
    assert len(entry.unique_id) == 32
    assert ADMIN_KEY not in entry.unique_id
    assert entity_keys(hass, entry) == COST_KEYS


async def test_both_keys_share_the_endpoints(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """With both keys costs come from the documented endpoint, the rest from the dashboard."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == full_entry.data | {
        CONF_SESSION_KEY_ADDED: ANY,
        CONF_DEFAULT_PROJECT: PROJECT,
    }
    assert requested_endpoints(simulator) == ADMIN_ENDPOINTS | {
        "credit_grants",
        "subscription",
        "me",
    }


@pytest.mark.parametrize(
    ("keys", "errors"),
    [
        pytest.param({}, {"base": "no_key"}, id="no key"),
        pytest.param(
            {"session_key": "  ", "admin_key": ""}, {"base": "no_key"}, id="two blank keys"
        ),
        pytest.param(
            {"session_key": OTHER_KEY}, {"session_key": "invalid_auth"}, id="expired session key"
        ),
        pytest.param(
            {"admin_key": OTHER_ADMIN_KEY}, {"admin_key": "invalid_auth"}, id="expired admin key"
        ),
        pytest.param(
            {"admin_key": KEY}, {"admin_key": "wrong_admin_key"}, id="session key as admin key"
        ),
        pytest.param(
            {"admin_key": "sk-proj-123"},
            {"admin_key": "wrong_admin_key"},
            id="project key as admin key",
        ),
        pytest.param(
            {"admin_key": "sk-admin key"}, {"admin_key": "invalid_key"}, id="malformed admin key"
        ),
        pytest.param(
            {"session_key": ADMIN_KEY},
            {"session_key": "wrong_key_type"},
            id="admin key as session key",
        ),
        pytest.param(
            {"session_key": "a b", "admin_key": "ä"},
            {"session_key": "invalid_key", "admin_key": "invalid_key"},
            id="both malformed",
        ),
        pytest.param(
            {"session_key": OTHER_KEY, "admin_key": OTHER_ADMIN_KEY},
            {"session_key": "invalid_auth", "admin_key": "invalid_auth"},
            id="both expired",
        ),
        pytest.param(
            {"session_key": KEY, "admin_key": OTHER_ADMIN_KEY},
            {"admin_key": "invalid_auth"},
            id="one of two expired",
        ),
        pytest.param(
            {"session_key": ADMIN_KEY, "admin_key": KEY},
            {"session_key": "wrong_key_type", "admin_key": "wrong_admin_key"},
            id="keys mixed up",
        ),
    ],
)
async def test_errors_stand_at_their_own_field(
    hass: HomeAssistant, simulator: RunningSimulator, keys: dict[str, str], errors: dict[str, str]
) -> None:
    """Each key's error is shown at its field, both at once; the form can be submitted again."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, **keys)
    assert result["errors"] == errors
    result = await submit_form(
        hass, flow_id, host=simulator.url, session_key=KEY, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


# ---- A key that stops working ------------------------------------------------------------------


async def test_expired_session_key_leaves_the_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Costs continue with the admin key; the rest is unavailable until there is a new key."""
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


async def test_setup_with_an_expired_session_key(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """During setup, too, what works is set up, and a new key is requested for the rest."""
    simulator.key = OTHER_KEY
    await setup_entry(hass, full_entry)
    assert full_entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "cost_this_month")) > 0
    flows = hass.config_entries.flow.async_progress()
    assert [flow["step_id"] for flow in flows] == ["reauth_confirm"]


async def test_expired_admin_key_can_be_removed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The admin key is asked for; once it is removed, the session key reads the costs."""
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
    result = await full_entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, remove_admin_key=True)
    assert result["reason"] == "reconfigure_successful"
    assert not hass.config_entries.flow.async_progress()
    assert CONF_ADMIN_KEY not in full_entry.data
    assert float(state(hass, "cost_this_month")) > 0
    assert not has_entity(hass, "spend_limit")
    assert has_entity(hass, "budget_used")


async def test_admin_key_can_replace_an_expired_session_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An admin key in place of the session key ends the request for a new one."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    cost = state(hass, "cost_last_7_days")
    simulator.key = OTHER_KEY
    await poll(hass, freezer)
    assert len(hass.config_entries.flow.async_progress()) == 1
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(
        hass,
        result["flow_id"],
        host=simulator.url,
        remove_session_key=True,
        admin_key=ADMIN_KEY,
    )
    assert result["reason"] == "reconfigure_successful"
    assert not hass.config_entries.flow.async_progress()
    assert state(hass, "cost_last_7_days") == cost
    assert not has_entity(hass, "total_available")
    await poll(hass, freezer)
    assert not hass.config_entries.flow.async_progress()


async def test_account_cannot_be_added_again_by_its_other_key(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An account that has a session key is not added again with its admin key."""
    await setup_entry(hass, entry)
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=ADMIN_KEY
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_both_keys_expired_need_two_new_ones(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """If both keys are refused during setup, both are requested, and one is not enough."""
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


async def test_reauth_ends_when_the_key_works_again(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The reauthentication is withdrawn once the key works again."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.fault("costs", "expired_key", times=1)
    await poll(hass, freezer)
    assert len(hass.config_entries.flow.async_progress()) == 1
    await poll(hass, freezer, 700)
    assert not hass.config_entries.flow.async_progress()


# ---- Adding and removing keys ------------------------------------------------------------------


async def test_reconfigure_adds_and_removes_keys(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Either key can be added and removed, but not the last one; the entities follow."""
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
        CONF_DEFAULT_PROJECT: PROJECT,
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert state(hass, "cost_this_month") == cost
    assert has_entity(hass, "spend_limit")

    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, remove_session_key=True)
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == ORGANIZATION
    for key in ("total_available", "next_grant_expiry", "plan", "hard_limit_usd"):
        assert not has_entity(hass, key), key
    assert not has_entity(hass, "delinquent", "binary_sensor")
    # What depends on the credit continues with the estimate.
    assert has_entity(hass, "estimated_credit")
    assert has_entity(hass, "low_balance", "binary_sensor")
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


async def test_stored_key_is_not_sent_to_a_new_host(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """A key entered for one host is not sent to another one."""
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


async def test_unacceptable_host_is_named_where_a_key_stays(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """A host that gets no key is what is wrong, not the key that would go there."""
    full_entry.add_to_hass(hass)
    result = await full_entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host="http://8.8.8.8", admin_key=ADMIN_KEY)
    assert result["errors"] == {CONF_HOST: "insecure_host"}
    assert not simulator.requests


async def test_admin_key_of_another_organization_is_refused(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An admin key of another organization, which would mix two accounts, is refused."""
    await setup_entry(hass, entry)
    result = await entry.start_reconfigure_flow(hass)
    simulator.fault("costs", "expired_key", times=1)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["errors"] == {"admin_key": "invalid_auth"}
    # In the simulator the admin key belongs to the first organization.
    first, *_ = simulator.account.organizations
    simulator.account.organizations = [Organization("org-other", "Other"), first]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["errors"] == {"admin_key": "other_organization"}
    simulator.account.organizations = [first]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["reason"] == "reconfigure_successful"
