"""Faults of the dashboard endpoints: what they affect, and how the integration recovers."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN

from .common import (
    RunningSimulator,
    poll,
    settle,
    setup_entry,
    state,
    unavailable_endpoints,
)
from .const import FAULTS, KEY_FAULTS, NOW, ORGANIZATION, SENSOR_OF_ENDPOINT

# What the integration calls an endpoint where the dashboard calls it differently
NAMES = {"usage": "costs"}


def log_name(endpoint: str) -> str:
    """Return what the log calls an endpoint: with the end of the organization's id."""
    return f"openai_account {NAMES.get(endpoint, endpoint)} of account …{ORGANIZATION[-6:]}"


@pytest.mark.parametrize("endpoint", [*SENSOR_OF_ENDPOINT, "*"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_affects_only_its_endpoint(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
    fault: str,
) -> None:
    """A fault makes its endpoint's sensors unavailable, is logged once, and leaves no trace."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    assert unavailable_endpoints(hass) == set()
    hit = set(SENSOR_OF_ENDPOINT) if endpoint == "*" else {endpoint}

    simulator.fault(endpoint, fault)
    for _ in range(3):
        await poll(hass, freezer)
        assert unavailable_endpoints(hass) == hit
    for one in SENSOR_OF_ENDPOINT:
        logged = caplog.text.count(f"Error fetching {log_name(one)} data")
        assert logged == (one in hit)
    reauth = list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert len(reauth) == (fault in KEY_FAULTS)
    assert entry.state is ConfigEntryState.LOADED

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    assert unavailable_endpoints(hass) == set()
    for one in SENSOR_OF_ENDPOINT:
        logged = caplog.text.count(f"Fetching {log_name(one)} data recovered")
        assert logged == (one in hit)
    # The key works again, so the request for a new one is withdrawn.
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


async def set_up_with_fault(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Set up an entry while no endpoint responds as it should."""
    entry.add_to_hass(hass)
    setup = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await settle(hass, freezer)
    assert not await setup


@pytest.mark.parametrize("fault", sorted(KEY_FAULTS))
async def test_setup_asks_for_a_new_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: str,
) -> None:
    """An entry whose only key is refused starts a reauthentication instead of a retry."""
    freezer.move_to(NOW)
    simulator.fault("*", fault)
    await set_up_with_fault(hass, entry, freezer)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1


@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in KEY_FAULTS])
async def test_setup_retries_until_one_endpoint_responds(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: str,
) -> None:
    """An entry is set up as soon as one endpoint responds; the others follow."""
    freezer.move_to(NOW)
    simulator.fault("*", fault)
    await set_up_with_fault(hass, entry, freezer)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))

    simulator.clear_faults()
    for one in ("usage", "subscription"):
        simulator.fault(one, fault)
    await poll(hass, freezer, 3700)
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, SENSOR_OF_ENDPOINT["credit_grants"])) > 0

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    await poll(hass, freezer, 86400)
    assert unavailable_endpoints(hass) == set()


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("usage", "costs"),
        ("credit_grants", "credit_grants"),
        ("subscription", "subscription"),
    ],
)
async def test_missing_endpoint_raises_a_repair(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    endpoint: str,
    name: str,
) -> None:
    """An endpoint missing for a day raises a repair, across reloads, until it is back."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault(endpoint, "not_found")
    await poll(hass, freezer)
    await poll(hass, freezer, 3600 * 20)
    assert not issue_registry.issues
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await poll(hass, freezer, 3600 * 5)
    [issue] = issue_registry.issues.values()
    assert issue.domain == DOMAIN
    assert issue.translation_key == "endpoint_gone"
    assert issue.translation_placeholders == {"endpoint": name}
    simulator.clear_faults()
    await poll(hass, freezer)
    assert not issue_registry.issues
    assert unavailable_endpoints(hass) == set()


async def test_removing_the_account_deletes_its_repair(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A removed account leaves no repair."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", "not_found")
    await poll(hass, freezer)
    await poll(hass, freezer, 86400 + 600)
    assert len(issue_registry.issues) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert not issue_registry.issues
