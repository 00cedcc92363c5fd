"""An entry's life: set up, unloaded, reloaded, disabled, removed, also in the middle of a poll."""

from __future__ import annotations

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.coordinator import CREDIT

from .common import RunningSimulator, entity_id, poll, setup_entry, state
from .const import NOW


async def test_unload_and_reload(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An unloaded account asks no more; a reloaded one shows the same entities."""
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    before = {one.entity_id for one in hass.states.async_all()}
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert {one.state for one in hass.states.async_all()} == {STATE_UNAVAILABLE}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert {one.entity_id for one in hass.states.async_all()} == before
    assert STATE_UNAVAILABLE not in {one.state for one in hass.states.async_all()}


async def test_disable(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A disabled account asks nothing."""
    await setup_entry(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    simulator.requests.clear()
    await poll(hass, freezer, 4000)
    assert not simulator.requests
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "total_available")) > 0


async def test_remove(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """A removed account leaves no entity, no device and no file."""
    await setup_entry(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert f"{DOMAIN}.{entry.entry_id}" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not er.async_get(hass).entities
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert f"{DOMAIN}.{entry.entry_id}" not in hass_storage
    assert not hass.states.async_all()


@pytest.mark.parametrize("what", ["unload", "reload", "disable", "remove"])
async def test_in_the_middle_of_a_poll(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    what: str,
) -> None:
    """Whatever happens to an entry while an answer is awaited, it ends clean."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.requests.clear()
    simulator.fault("*", "hang", times=3)
    freezer.tick(301)
    async_fire_time_changed(hass)
    while len(simulator.requests) < 3:  # noqa: ASYNC110 - until the answers are awaited
        await asyncio.sleep(0)
    tasks = set(entry._background_tasks)
    assert tasks
    entries = hass.config_entries
    if what == "unload":
        assert await entries.async_unload(entry.entry_id)
    elif what == "reload":
        assert await entries.async_reload(entry.entry_id)
    elif what == "disable":
        await entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    else:
        await entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert all(task.done() for task in tasks)
    if what == "reload":
        assert entry.state is ConfigEntryState.LOADED
        await poll(hass, freezer)
        assert float(state(hass, "total_available")) > 0
    else:
        simulator.requests.clear()
        await poll(hass, freezer, 4000)
        assert not simulator.requests


async def test_one_poll_at_a_time(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """However often an update is asked for, one endpoint sees one request at a time."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.requests.clear()
    simulator.fault("credit_grants", "hang", times=1)
    coordinator = entry.runtime_data.coordinator(CREDIT)
    assert coordinator
    updates = [hass.async_create_task(coordinator.async_refresh()) for _ in range(4)]
    for _ in range(2000):
        await asyncio.sleep(0)
    assert len(simulator.requests) == 1
    freezer.tick(31)
    async_fire_time_changed(hass)
    await asyncio.gather(*updates)
    assert float(state(hass, "total_available")) > 0


async def test_two_accounts(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Two accounts stand side by side."""
    await setup_entry(hass, entry)
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Other",
        unique_id="0123456789abcdef",
        data={key: value for key, value in entry.data.items() if key != "organization"},
    )
    await setup_entry(hass, other)
    assert entity_id(hass, "total_available") == "sensor.example_home_credit_available"
    assert hass.states.get("sensor.other_credit_available")
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert hass.states.get("sensor.other_credit_available")
