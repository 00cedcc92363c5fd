"""When the past of an almost empty account is requested, above all where something fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
import gc
from typing import override
from unittest.mock import patch

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import get_instance
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from sqlalchemy.exc import OperationalError

from simulator import Fault, LineItem

from .common import (
    RunningSimulator,
    fill_history,
    history_rows,
    hourly_rows,
    poll,
    settle,
    setup_entry,
)
from .const import NOW
from .history import (
    ACCOUNT,
    DAY,
    TODAY,
    Refusal,
    bars,
    book_of,
    check_rows,
    costs_of,
    past_windows,
    windows,
)

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]


async def test_order_after_failures(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A window that fails is requested after the others, five minutes apart, then in halves."""
    book = simulator.account.ledger = book_of({0: 1.0, 60: 2.0, 300: 4.0})
    simulator.fault(
        "usage",
        Refusal(
            status=504,
            is_refused=lambda start, end: end == TODAY - 54 * DAY and (end - start).days > 60,
        ),
    )
    await setup_entry(hass, entry)
    await poll(hass, freezer, 3)
    assert past_windows(simulator) == windows((154, 54))
    await poll(hass, freezer, 295)
    assert len(past_windows(simulator)) == 1
    await poll(hass, freezer, 6)
    assert len(past_windows(simulator)) == 2
    await fill_history(hass, freezer, 3)
    assert past_windows(simulator)[1:] == windows((254, 154), (354, 254), (365, 354), (154, 54))
    # What was read meanwhile stands there.
    assert costs_of(await history_rows(hass), ACCOUNT) == {0: 1.0, 300: 4.0}
    await poll(hass, freezer, 295)
    assert len(past_windows(simulator)) == 5
    await poll(hass, freezer, 6)
    await fill_history(hass, freezer, 2)
    assert past_windows(simulator)[5:] == windows((104, 54), (154, 104))
    check_rows(await history_rows(hass), book)


@pytest.mark.parametrize("status", [429, 401])
async def test_pauses(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """A host that wants to be left alone is, for one minute, two, then four; a reload is no news.

    What was read before is written at the first pause.
    """
    book = simulator.account.ledger = book_of({0: 1.0, 60: 2.0, 260: 4.0})
    simulator.fault(
        "usage", Refusal(status=status, is_refused=lambda start, end: end < TODAY - 250 * DAY)
    )
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 3)
    assert len(past_windows(simulator)) == 3
    found = await history_rows(hass)
    assert costs_of(found, ACCOUNT) == {0: 1.0, 60: 2.0}
    assert len(found[ACCOUNT]) == 255
    assert "The history waits for 60 seconds" in caplog.text
    for count, seconds in enumerate((60, 120, 240), 4):
        await poll(hass, freezer, seconds - 2)
        assert len(past_windows(simulator)) == count - 1
        if seconds == 240:
            assert await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done(wait_background_tasks=True)
        await poll(hass, freezer, 3)
        assert len(past_windows(simulator)) == count
    simulator.clear_faults()
    await poll(hass, freezer, 480)
    await fill_history(hass, freezer, 5)
    check_rows(await history_rows(hass), book)


async def test_responses_without_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Polls of which nothing is known change nothing, and hold the past up until they are whole."""
    book = simulator.account.ledger = book_of({0: 1.0, 54: 2.0, 360: 4.0})
    await setup_entry(hass, entry)
    before = await history_rows(hass)
    simulator.account.usage_override = {"object": "list", "total_usage": 4211.5}
    for _ in range(6):
        await poll(hass, freezer)
        await fill_history(hass, freezer, 2)
    assert await history_rows(hass) == before
    assert len(past_windows(simulator)) == 1
    simulator.account.usage_override = None
    for _ in range(2):
        await poll(hass, freezer)
    await fill_history(hass, freezer, 5)
    check_rows(await history_rows(hass), book)


async def test_no_costs_at_the_start(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account whose costs cannot be read at first has a history once they can."""
    book = simulator.account.ledger = book_of({0: 1.0, 54: 2.0, 360: 4.0})
    simulator.fault("usage", "server_error")
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    await poll(hass, freezer, 3)
    assert await hourly_rows(hass) == {}
    simulator.clear_faults()
    await poll(hass, freezer)
    await fill_history(hass, freezer, 5)
    check_rows(await history_rows(hass), book)
    gc.collect()
    assert not [one for one in caplog.records if one.exc_info]


async def test_pause_after_a_success(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The first pause after a window that was read is a short one again."""
    simulator.account.ledger = book_of({0: 1.0})
    is_limited = True
    simulator.fault(
        "usage",
        Refusal(status=429, is_refused=lambda start, end: is_limited and end <= TODAY - 54 * DAY),
    )
    await setup_entry(hass, entry)
    await poll(hass, freezer, 3)
    await poll(hass, freezer, 61)
    assert len(past_windows(simulator)) == 2
    is_limited = False
    await poll(hass, freezer, 121)
    assert len(past_windows(simulator)) == 3
    is_limited = True
    await poll(hass, freezer, 3)
    assert len(past_windows(simulator)) == 4
    await poll(hass, freezer, 61)
    assert len(past_windows(simulator)) == 5


async def test_first_day_of_an_account(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A host that refuses the days before the account existed gives all since, to the day."""
    created = TODAY - 59 * DAY
    book = simulator.account.ledger = book_of({0: 1.0, 55: 2.0, 58: 4.0, 59: 8.0})
    simulator.fault("usage", Refusal(status=400, is_refused=lambda start, end: start < created))
    await setup_entry(hass, entry)
    for _ in range(50):
        await poll(hass, freezer)
    found = await history_rows(hass)
    assert min(found[ACCOUNT]) == created
    check_rows(found, book)
    last = created - DAY
    assert f"to {last} cannot be read (invalid_response), and are tried once a day" in caplog.text


async def test_one_request_at_a_time(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While a request is under way, nothing else is requested, whatever happens meanwhile."""
    go_on = asyncio.Event()

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Slow(Fault):
        @override
        async def respond(self, request: web.Request) -> None:
            if date.fromisoformat(request.query["end_date"]) <= TODAY - 54 * DAY:
                await go_on.wait()

    book = simulator.account.ledger = book_of({0: 1.0, 60: 2.0, 260: 4.0})
    await setup_entry(hass, entry)
    simulator.fault("usage", Slow())
    for _ in range(3):
        hass.bus.async_fire(EVENT_CORE_CONFIG_UPDATE)
        for _ in range(3):
            freezer.tick(2)
            async_fire_time_changed(hass)
            for _ in range(50):
                await asyncio.sleep(0)
                await get_instance(hass).async_add_executor_job(lambda: None)
    assert len(past_windows(simulator)) == 1
    go_on.set()
    await settle(hass, freezer)
    await fill_history(hass, freezer, 4)
    assert len(past_windows(simulator)) == 4
    check_rows(await history_rows(hass), book)


async def test_unloaded_before_the_past_is_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account that is unloaded requests nothing more."""
    simulator.account.ledger = book_of({0: 1.0})
    await setup_entry(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.requests.clear()
    await fill_history(hass, freezer, 2)
    await poll(hass, freezer)
    assert not simulator.requests
    assert not [one for one in caplog.records if one.exc_info]


async def test_a_day_passes_before_the_past_is_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that are more than a year ago by then are requested no more."""
    simulator.account.ledger = book_of({0: 1.0})
    limited = Refusal(
        status=429, headers={"Retry-After": "86400"}, is_refused=lambda start, end: end < TODAY
    )
    await setup_entry(hass, entry)
    simulator.fault("usage", limited)
    await fill_history(hass, freezer, 2)
    simulator.clear_faults()
    simulator.requests.clear()
    await poll(hass, freezer, 86_401)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 5)
    assert past_windows(simulator)[-1][0] == TODAY - 364 * DAY
    assert len((await history_rows(hass))[ACCOUNT]) == 366


async def test_database_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a database that fails did not take, not even the new time zone, is written later."""
    book = simulator.account.ledger = book_of({0: 1.0, 1: 2.0, 2: 4.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    with patch(
        "custom_components.openai_account.history.recorder.statistics_during_period",
        side_effect=OperationalError("SELECT", {}, Exception("disk I/O error")),
    ):
        await hass.config.async_update(time_zone="Asia/Kolkata")
        book[TODAY] = [LineItem("o3, input", 500.0)]
        await poll(hass, freezer)
    assert "The history waits for the database (OperationalError)" in caplog.text
    await poll(hass, freezer)
    shown = await bars(hass, "day")
    assert {(TODAY - day).days: cost for day, cost in shown.items() if cost} == {
        0: 5.0,
        1: 2.0,
        2: 4.0,
    }
    check_rows(await history_rows(hass), book)
