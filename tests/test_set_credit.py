"""Credit that the user enters: slow responses, reloads, and a process that is killed."""

from __future__ import annotations

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.openai_account.const import DOMAIN

from .common import (
    RunningSimulator,
    count_requests,
    poll,
    settle,
    setup_entry,
    start_user_flow,
    submit_form,
)
from .const import ADMIN_KEY
from .wallet import START, Wallet, admin_entry, estimate, set_credit


async def test_slow_response_counts_from_its_request(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The amount is taken at once where the costs take 20 seconds."""
    freezer.move_to(START)
    Wallet(simulator, 20)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)

    def respond_late(_: object) -> None:
        freezer.tick(20)

    simulator.account.costs_override = respond_late
    await set_credit(hass, entry, 12)
    assert estimate(hass) == 12


async def test_reload_in_between_is_an_error(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An amount that a reload overtakes is rejected, rather than lost."""
    freezer.move_to(START)
    Wallet(simulator, 20)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)
    await set_credit(hass, entry, 12)
    simulator.requests.clear()
    simulator.fault("costs", "slow", times=1)
    action = asyncio.ensure_future(set_credit(hass, entry, 30))
    while not count_requests(simulator, "costs"):  # noqa: ASYNC110 - no event for it
        await asyncio.sleep(0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    freezer.tick(6)
    async_fire_time_changed(hass)
    with pytest.raises(HomeAssistantError) as caught:
        await action
    assert caught.value.translation_key == "costs_unavailable"
    assert estimate(hass) == 12


async def test_entered_credit_is_on_disk_at_once(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """Neither the action nor the add dialog loses the amount where the process is killed."""
    freezer.move_to(START)
    Wallet(simulator, 20)
    await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=ADMIN_KEY, credit=18
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]
    assert stored["data"]["anchor"]["amount"] == 18
    await set_credit(hass, entry, 33)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]
    assert stored["data"]["anchor"]["amount"] == 33


async def test_failed_setup_writes_nothing_after_removal(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """An account that is removed after a setup that failed leaves no file."""
    freezer.move_to(START)
    await setup_entry(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    # What has answered once is noted as missing.
    simulator.fault("*", "not_found")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    await poll(hass, freezer, 60)
    await settle(hass, freezer)
    assert f"{DOMAIN}.{entry.entry_id}" not in hass_storage
