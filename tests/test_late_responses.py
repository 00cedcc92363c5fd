"""Responses that come after their entry was removed, disabled or given another key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import override

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
from simulator import Fault
from simulator.faults import EXPIRED_KEY

from .common import RunningSimulator, setup_entry, submit_form
from .const import NOW, OTHER_KEY
from .history import DAY
from .test_session_key import entry_added


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Fault):
    """A response that waits until it is let go: then a success, or another fault."""

    then: Fault | None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    async def respond(self, request: web.Request) -> web.StreamResponse | None:
        self.reached.set()
        await self.go.wait()
        return await self.then.respond(request) if self.then else None


async def begin_poll(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry, then: Fault | None
) -> tuple[Held, asyncio.Task[None]]:
    """Set an account up and poll it as `homeassistant.update_entity` does; return the response."""
    await setup_entry(hass, entry)
    held = Held(then=then)
    simulator.fault("credit_grants", held, 1)
    coordinator = entry.runtime_data.by_endpoint["credit_grants"]
    poll = hass.async_create_task(coordinator.async_refresh())
    await held.reached.wait()
    return held, poll


async def let_go(hass: HomeAssistant, held: Held, poll: asyncio.Task[None]) -> None:
    """Let a response go and wait until it was dealt with."""
    held.go.set()
    await poll
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("end", ["removed", "disabled", "unloaded"])
async def test_rejected_key_of_an_entry_that_is_gone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    end: str,
) -> None:
    """Nobody is asked for a new key of an account that is not there."""
    held, poll = await begin_poll(hass, simulator, entry, EXPIRED_KEY)
    match end:
        case "removed":
            await hass.config_entries.async_remove(entry.entry_id)
        case "disabled":
            disabler = ConfigEntryDisabler.USER
            await hass.config_entries.async_set_disabled_by(entry.entry_id, disabler)
        case "unloaded":
            await hass.config_entries.async_unload(entry.entry_id)
    await let_go(hass, held, poll)
    assert "UnknownEntry" not in caplog.text
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


async def test_rejected_key_that_was_replaced(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """That the former key was rejected says nothing of the new one."""
    simulator.session_keys.add(OTHER_KEY)
    held, poll = await begin_poll(hass, simulator, entry, EXPIRED_KEY)
    result = await entry.start_reconfigure_flow(hass)
    await submit_form(hass, result["flow_id"], host=simulator.url, session_key=OTHER_KEY)
    await let_go(hass, held, poll)
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert not entry.runtime_data.by_endpoint["credit_grants"].status.failed_key


@pytest.mark.parametrize("then", [None, EXPIRED_KEY])
async def test_repairs_of_an_entry_that_is_gone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    then: Fault | None,
) -> None:
    """No repair is left behind, nor comes back, once the account was removed."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY)
    held, poll = await begin_poll(hass, simulator, entry, then)
    await hass.config_entries.async_remove(entry.entry_id)
    await let_go(hass, held, poll)
    assert not [one for one in ir.async_get(hass).issues if one[0] == DOMAIN]
