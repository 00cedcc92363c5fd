"""Setup, unloading, reloading, disabling and removal of an entry, also during a poll."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.recorder import async_initialize_recorder
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openai_account.const import DOMAIN

from .common import RunningSimulator, count_requests, entity_id, poll, settle, setup_entry, state
from .const import NOW


async def test_unloaded_account_is_unavailable(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An unloaded account is unavailable; set up again, it has the same entities."""
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    before = {one.entity_id for one in hass.states.async_all()}
    assert before
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert {one.state for one in hass.states.async_all()} == {STATE_UNAVAILABLE}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert {one.entity_id for one in hass.states.async_all()} == before
    assert STATE_UNAVAILABLE not in {one.state for one in hass.states.async_all()}


async def test_disabled_account_is_not_polled(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A disabled account sends no request; enabled again, it is back."""
    await setup_entry(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    simulator.requests.clear()
    await poll(hass, freezer, 4000)
    assert not simulator.requests
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "total_available")) > 0


async def test_removed_account_leaves_nothing(
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


async def start_poll(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Start a poll of all endpoints and return while it waits for the responses."""
    simulator.requests.clear()
    simulator.fault("*", "hang", times=3)
    freezer.tick(301)
    async_fire_time_changed(hass)
    while len(simulator.requests) < 3:  # noqa: ASYNC110 - the simulator has no event for it
        await asyncio.sleep(0)


async def disable(hass: HomeAssistant, entry_id: str) -> None:
    """Disable an entry."""
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)


async def unload(hass: HomeAssistant, entry_id: str) -> None:
    """Unload an entry."""
    assert await hass.config_entries.async_unload(entry_id)


async def remove(hass: HomeAssistant, entry_id: str) -> None:
    """Remove an entry."""
    await hass.config_entries.async_remove(entry_id)


@pytest.mark.parametrize("end", [unload, disable, remove])
async def test_poll_ends_with_its_entry(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    end: Callable[[HomeAssistant, str], Awaitable[None]],
) -> None:
    """An entry that ends during a poll cancels it and sends nothing more."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    await start_poll(hass, simulator, freezer)
    tasks = set(entry._background_tasks)
    assert tasks
    await end(hass, entry.entry_id)
    await hass.async_block_till_done()
    assert [task for task in tasks if not task.done()] == []
    simulator.requests.clear()
    await poll(hass, freezer, 4000)
    assert not simulator.requests


async def test_reload_during_a_poll(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A reload cancels the poll that waits for its responses, and starts again."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    await start_poll(hass, simulator, freezer)
    tasks = set(entry._background_tasks)
    assert tasks
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert [task for task in tasks if not task.done()] == []
    assert entry.state is ConfigEntryState.LOADED
    await poll(hass, freezer)
    assert float(state(hass, "total_available")) > 0


async def test_endpoint_gets_one_request_at_a_time(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Manual updates during a poll send no second request to the endpoint."""
    freezer.move_to(NOW)
    assert await async_setup_component(hass, HOMEASSISTANT, {})
    await setup_entry(hass, entry)
    await start_poll(hass, simulator, freezer)
    for _ in range(4):
        await hass.services.async_call(
            HOMEASSISTANT,
            "update_entity",
            {"entity_id": entity_id(hass, "total_available")},
            blocking=True,
        )
    for _ in range(2000):
        await asyncio.sleep(0)
    assert count_requests(simulator, "credit_grants") == 1
    # The request that gets no response times out; the next poll is an ordinary one.
    await settle(hass, freezer)
    await poll(hass, freezer)
    assert float(state(hass, "total_available")) > 0


async def test_removing_one_account_keeps_the_other(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Two accounts have entities of their own; one stays when the other is removed."""
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


async def test_account_works_where_the_database_cannot_be_opened(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A recorder that failed to start costs the history, and nothing else."""
    async_initialize_recorder(hass)
    config = {"db_url": "sqlite:////missing/folder/x.db", "db_max_retries": 1, "db_retry_wait": 0}
    assert not await async_setup_component(hass, "recorder", {"recorder": config})
    caplog.clear()
    await setup_entry(hass, entry)
    assert float(state(hass, "total_available")) > 0
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "openai_account/account/list"})
    response = await client.receive_json()
    assert response["success"]
    assert response["result"]["accounts"][0]["statistics"] is None
    assert "Traceback" not in caplog.text
