"""Which days the history requests, and when: as little and as seldom as it can."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, fill_history, history_rows, poll, setup_entry
from .const import NOW
from .history import (
    ACCOUNT,
    DAY,
    TODAY,
    Refusal,
    check_rows,
    ledger,
    past_windows,
    requested_windows,
)

pytestmark = pytest.mark.usefixtures("recorder_mock")


@pytest.mark.freeze_time(NOW)
async def test_windows_follow_each_other_after_two_seconds(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The windows of the past are requested one by one, two seconds apart, the newest first."""
    simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    assert not past_windows(simulator)
    counts = []
    for _ in range(8):
        await poll(hass, freezer, 1)
        counts.append(len(past_windows(simulator)))
    assert counts[-1] == 4
    assert all(after - before <= 1 for before, after in pairwise(counts))
    windows = past_windows(simulator)
    assert windows == sorted(windows, reverse=True)
    assert sum((end - start).days for start, end in windows) == 365 - 54


@pytest.mark.freeze_time("2026-11-30 12:00:00+00:00")
async def test_days_that_are_not_settled_are_requested_once_a_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that can still change, and that no poll covers, are requested once on each day."""
    last = date(2026, 11, 30)
    book = simulator.account.ledger = ledger(365, end=last)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    # The polls of December do not get the month before.
    simulator.fault(
        "usage",
        Refusal(status=500, is_refused=lambda start, end: (end - start).days > 20),
    )
    await hass.config_entries.async_unload(entry.entry_id)
    for day, tail in ((1, date(2026, 11, 28)), (2, date(2026, 11, 29)), (3, date(2026, 11, 30))):
        freezer.move_to(datetime(2026, 12, day, 12, tzinfo=UTC))
        book[date(2026, 11, 30)] = [LineItem("o3, input", 100.0 * day)]
        book[date(2026, 12, day)] = [LineItem("o3, input", 5.0)]
        simulator.requests.clear()
        if day == 1:
            await hass.config_entries.async_setup(entry.entry_id)
        else:
            await poll(hass, freezer, 1)
        await fill_history(hass, freezer, 4)
        for _ in range(6):
            await poll(hass, freezer)
        polled = date(2026, 11, 30) if day == 1 else date(2026, 12, 1)
        short = [
            (start, end)
            for start, end in requested_windows(simulator)
            if (end - start).days <= 20 and end <= polled
        ]
        assert len(short) == 1, short
        assert short[0][0] == tail
    check_rows(await history_rows(hass), book)


@pytest.mark.freeze_time(NOW)
async def test_pause_doubles_up_to_an_hour(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where a host does not say how long to wait, the past waits twice as long each time."""
    simulator.account.ledger = ledger(365)
    simulator.fault(
        "usage", Refusal(status=429, is_refused=lambda start, end: end < TODAY.replace(month=10))
    )
    await setup_entry(hass, entry)
    pauses: list[int] = []
    waited = 0
    seen = len(past_windows(simulator))
    while len(pauses) < 8:
        await poll(hass, freezer, 10)
        waited += 10
        if len(past_windows(simulator)) > seen:
            seen = len(past_windows(simulator))
            pauses.append(waited)
            waited = 0
    # The first windows are not limited.
    grown = [one for one in pauses if one >= 60]
    assert grown == pytest.approx([60, 120, 240, 480, 960, 1920, 3600, 3600][: len(grown)], abs=20)
    assert len(grown) >= 5


@pytest.mark.freeze_time(NOW)
async def test_model_without_recent_rows(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A model that costs something again after months continues its sum."""
    book = simulator.account.ledger = ledger(365)
    old = TODAY - 200 * DAY
    book[old] = [LineItem("gpt-4o, input", 500.0)]
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    book[TODAY] = [LineItem("gpt-4o, input", 250.0)]
    await poll(hass, freezer)
    found = await history_rows(hass)
    assert found[f"{ACCOUNT}_gpt_4o"][old] == (5.0, 5.0)
    assert found[f"{ACCOUNT}_gpt_4o"][TODAY] == (2.5, 7.5)
    check_rows(found, book)


@pytest.mark.freeze_time(NOW)
async def test_a_host_whose_polls_fail_is_not_pressed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While polls fail the past waits, and continues within minutes once they succeed."""
    simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    simulator.fault("usage", "server_error")
    for _ in range(120):
        await poll(hass, freezer, 30)
    # The first one failed before the first poll did.
    assert len(past_windows(simulator)) == 1
    simulator.clear_faults()
    await poll(hass, freezer)
    await poll(hass, freezer)
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), simulator.account.ledger)
