"""What is known about an endpoint outlives reloads: rejected keys, pauses and repairs."""

from __future__ import annotations

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_REMOVE_ADMIN_KEY,
    CONF_REMOVE_SESSION_KEY,
    CONF_SESSION_KEY,
)
from simulator import Fault

from .common import (
    RunningSimulator,
    count_requests,
    poll,
    set_options,
    setup_entry,
    state,
    submit_form,
)
from .const import NOW, OTHER_KEY

SESSION_ENDPOINTS = ("credit_grants", "usage", "subscription")
ADMIN_ENDPOINTS = ("costs", "spend_limit", "usage/*")

# The keys of an entry, the one that dies, and the step that asks for it
CASES = [
    pytest.param({CONF_SESSION_KEY}, CONF_SESSION_KEY, "reauth_confirm", id="session key alone"),
    pytest.param({CONF_ADMIN_KEY}, CONF_ADMIN_KEY, "reauth_admin_key", id="admin key alone"),
    pytest.param(
        {CONF_SESSION_KEY, CONF_ADMIN_KEY}, CONF_SESSION_KEY, "reauth_confirm", id="session of both"
    ),
    pytest.param(
        {CONF_SESSION_KEY, CONF_ADMIN_KEY}, CONF_ADMIN_KEY, "reauth_admin_key", id="admin of both"
    ),
]


def fail(simulator: RunningSimulator, dead: str, fault: str) -> None:
    """Let all endpoints of a key fail."""
    simulator.clear_faults()
    for endpoint in SESSION_ENDPOINTS if dead == CONF_SESSION_KEY else ADMIN_ENDPOINTS:
        simulator.fault(endpoint, fault)


def entry_with(full_entry: MockConfigEntry, keys: set[str]) -> MockConfigEntry:
    """Return an entry that has only some of the keys."""
    dropped = {CONF_SESSION_KEY, CONF_ADMIN_KEY} - keys
    return MockConfigEntry(
        domain=full_entry.domain,
        title=full_entry.title,
        unique_id=full_entry.unique_id,
        data={name: value for name, value in full_entry.data.items() if name not in dropped},
        options=full_entry.options,
    )


def requested_keys(hass: HomeAssistant, entry: MockConfigEntry) -> list[str]:
    """Return the steps of the open requests for a new key."""
    return [flow["step_id"] for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH})]


@pytest.mark.parametrize("between", ["nothing", "503"])
@pytest.mark.parametrize("action", ["reload", "options", "poll"])
@pytest.mark.parametrize(("keys", "dead", "step"), CASES)
async def test_request_for_a_new_key_stays(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    keys: set[str],
    dead: str,
    step: str,
    action: str,
    between: str,
) -> None:
    """A rejected key is asked for and named as the reason, whatever happens in between."""
    freezer.move_to(NOW)
    entry = entry_with(full_entry, keys)
    await setup_entry(hass, entry)
    fail(simulator, dead, "expired_key")
    await poll(hass, freezer)
    assert requested_keys(hass, entry) == [step]
    if between == "503":
        fail(simulator, dead, "unavailable")
        await poll(hass, freezer, 3700)
        assert requested_keys(hass, entry) == [step]

    caplog.clear()
    match action:
        case "reload":
            await hass.config_entries.async_reload(entry.entry_id)
        case "options":
            await set_options(hass, entry, monthly_budget=200)
        case "poll":
            await poll(hass, freezer)
    await hass.async_block_till_done(wait_background_tasks=True)

    assert requested_keys(hass, entry) == [step]
    assert "Too many requests" not in caplog.text
    if len(keys) > 1:
        assert entry.state is ConfigEntryState.LOADED
    elif action != "poll":
        assert entry.state is ConfigEntryState.SETUP_ERROR
        assert entry.error_reason_translation_key == "invalid_auth"


@pytest.mark.parametrize(("keys", "dead", "step"), CASES)
async def test_success_withdraws_the_request_for_a_new_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    keys: set[str],
    dead: str,
    step: str,
) -> None:
    """A key that works again needs no new one, even after a reload in between."""
    freezer.move_to(NOW)
    entry = entry_with(full_entry, keys)
    await setup_entry(hass, entry)
    fail(simulator, dead, "expired_key")
    await poll(hass, freezer)
    if len(keys) > 1:
        await hass.config_entries.async_reload(entry.entry_id)
    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    assert requested_keys(hass, entry) == []
    assert float(state(hass, "cost_today")) > 0


async def test_new_key_ends_the_pause_of_the_old_one(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After a reauthentication everything is fetched at once."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    fail(simulator, CONF_SESSION_KEY, "expired_key")
    await poll(hass, freezer)
    await hass.config_entries.async_reload(entry.entry_id)
    [flow] = entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    simulator.clear_faults()
    simulator.key = OTHER_KEY
    result = await submit_form(hass, flow["flow_id"], session_key=OTHER_KEY)
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "total_available")) > 0


@pytest.mark.parametrize("retry_after", ["1800", "999999999"])
async def test_clock_set_back_ends_a_pause(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    retry_after: str,
) -> None:
    """A pause that began while the clock ran a year ahead does not last a year."""
    freezer.move_to(NOW + timedelta(days=365))
    await setup_entry(hass, entry)
    simulator.fault(
        "credit_grants", Fault(status=429, headers={"Retry-After": retry_after}), times=1
    )
    await poll(hass, freezer)
    requests = count_requests(simulator, "credit_grants")
    freezer.move_to(NOW)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert count_requests(simulator, "credit_grants") == requests + 1
    assert float(state(hass, "total_available")) > 0


async def show_repair(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    endpoint: str,
) -> None:
    """Let an endpoint be missing until that is a repair."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault(endpoint, "not_found")
    await poll(hass, freezer)
    await poll(hass, freezer, 86_400 + 600)


@pytest.mark.parametrize(
    ("endpoint", "removed"),
    [("subscription", CONF_REMOVE_SESSION_KEY), ("costs", CONF_REMOVE_ADMIN_KEY)],
)
async def test_repair_ends_with_the_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    endpoint: str,
    removed: str,
) -> None:
    """A repair about an endpoint goes with the key that opens the endpoint."""
    await show_repair(hass, simulator, full_entry, freezer, endpoint)
    [issue] = issue_registry.issues.values()
    assert issue.translation_placeholders == {"endpoint": endpoint}
    flow = await full_entry.start_reconfigure_flow(hass)
    result = await submit_form(
        hass, flow["flow_id"], host=full_entry.data["host"], **{removed: True}
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not issue_registry.issues


@pytest.mark.parametrize("fault", [None, "unavailable"])
async def test_repair_ends_with_a_disabled_entry(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    fault: str | None,
) -> None:
    """Nothing needs repair in an entry that the user disables, loaded or not."""
    await show_repair(hass, simulator, entry, freezer, "subscription")
    assert len(issue_registry.issues) == 1
    if fault:
        simulator.clear_faults()
        simulator.fault("*", fault)
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert len(issue_registry.issues) == 1
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not issue_registry.issues


async def test_clock_set_back_restarts_the_count_of_missing_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """An endpoint that went missing in the future is counted from now."""
    freezer.move_to(NOW + timedelta(days=365))
    await setup_entry(hass, entry)
    simulator.fault("subscription", "not_found")
    await poll(hass, freezer)
    freezer.move_to(NOW)
    await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass, freezer)
    await poll(hass, freezer, 3600)
    assert not issue_registry.issues
    await poll(hass, freezer, 86_400 + 600)
    assert len(issue_registry.issues) == 1


async def test_device_keeps_its_model_without_a_subscription(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A reload while the subscription fails does not take the plan from the device."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("subscription", "unavailable")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert [one.model for one in devices] == ["Pay-as-you-go"]
