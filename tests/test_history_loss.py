"""History that was cleared, lost or missed comes back by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, fill_history, history_rows, poll, setup_entry
from .const import NOW
from .history import (
    ACCOUNT,
    DAY,
    MODEL,
    TODAY,
    bars,
    card,
    check_rows,
    clear,
    delete_rows_since,
    dollars,
    ledger,
    most_rows_of_a_day,
    requested_windows,
)

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]


@pytest.mark.parametrize(
    ("cleared", "news"),
    [((), True), ((ACCOUNT,), False), ((MODEL,), True), ((ACCOUNT, MODEL), False)],
    ids=["all", "account, without news", "model", "both, without news"],
)
async def test_cleared(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    cleared: Iterable[str],
    news: bool,
) -> None:
    """After the next poll today is right, and soon the whole year, whether or not it grew."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    before = await history_rows(hass)
    await clear(hass, *cleared)
    if news:
        book[TODAY] = [LineItem("gpt-5.5, input", 487.0), LineItem("o3, input", 9.0)]
    await poll(hass, freezer)
    assert await card(hass, "day") == pytest.approx(dollars(book, TODAY))
    assert (await bars(hass, "day"))[TODAY] == pytest.approx(dollars(book, TODAY))
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert {key: len(rows) for key, rows in found.items()} == {
        key: len(rows) for key, rows in before.items()
    }
    assert await most_rows_of_a_day(hass) == 2
    # Once it is back, nothing is requested anymore.
    simulator.requests.clear()
    await fill_history(hass, freezer, 4)
    assert not requested_windows(simulator)


@pytest.mark.parametrize("cleared", [(), (MODEL,)], ids=["database", "model"])
async def test_lost_while_off(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    cleared: Iterable[str],
) -> None:
    """What was lost while the account was not loaded comes back, whatever the store says."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    before = await history_rows(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await clear(hass, *cleared)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer)
    assert await history_rows(hass) == before
    check_rows(before, book)


async def test_older_database(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The days since a backup are filled; nothing else is requested."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    before = await history_rows(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await delete_rows_since(hass, datetime(2026, 6, 15, 12, tzinfo=UTC))
    simulator.requests.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer)
    assert await history_rows(hass) == before
    check_rows(before, book)
    # The last days of the backup may not have been settled then.
    assert min(requested_windows(simulator))[0] == datetime(2026, 6, 13, tzinfo=UTC).date()


async def test_fourteen_months_off(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """All days between are read, also when Home Assistant restarts in the middle of it."""
    book = simulator.account.ledger = ledger(40)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    assert await hass.config_entries.async_unload(entry.entry_id)
    later = TODAY + 425 * DAY
    book |= ledger(425, ("gpt-5.5", "gpt-6"), later)
    # What was not settled was corrected meanwhile.
    book[TODAY - DAY] = [LineItem("o3, input", 77.0)]
    freezer.move_to(NOW + 425 * DAY)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer, 2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert len([day for day in found[ACCOUNT] if TODAY <= day <= later]) == 426


async def test_what_the_host_forgot(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days of more than a year ago stay as they are, although the host knows them no more."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    freezer.move_to(NOW + 120 * DAY)
    new = ledger(120, end=TODAY + 120 * DAY)
    book |= new
    await poll(hass, freezer)
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), book)
    simulator.account.ledger = {
        day: items for day, items in book.items() if day >= TODAY - 300 * DAY
    }
    await clear(hass, MODEL)
    await poll(hass, freezer)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    for day in book:
        assert found[ACCOUNT][day][0] == pytest.approx(dollars(book, day)), day
    assert min(found[MODEL]) <= TODAY - 300 * DAY


async def test_cleared_in_the_middle(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Statistics that are cleared while the past is being read are whole in the end."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    for cleared in ((ACCOUNT,), (), (MODEL,)):
        await fill_history(hass, freezer, 2)
        await clear(hass, *cleared)
    await poll(hass, freezer)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert len(found[MODEL]) == 365


@pytest.mark.parametrize("cleared", [ACCOUNT, MODEL])
async def test_cleared_at_the_worst_moment(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    cleared: str,
) -> None:
    """Statistics that are cleared between being read and being written are whole in the end."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)

    def clear_and_add(hass: HomeAssistant, metadata: Any, rows: Any) -> None:
        if metadata["statistic_id"] == cleared:
            get_instance(hass).async_clear_statistics([cleared])
            patch.undo()
        async_add_external_statistics(hass, metadata, rows)

    patch = pytest.MonkeyPatch()
    patch.setattr(
        "custom_components.openai_account.history.recorder.async_add_external_statistics",
        clear_and_add,
    )
    for cents in (500.0, 600.0):
        book[TODAY] = [LineItem("gpt-5.5, input", cents), LineItem("o3, input", 1.0 + cents)]
        await poll(hass, freezer)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert len(found[cleared]) >= 365


async def test_off_in_the_middle(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An unloaded account reads nothing more, and reads on once it is loaded again."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    assert len((await history_rows(hass))[ACCOUNT]) == 55
    await poll(hass, freezer, 3)
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.requests.clear()
    await fill_history(hass, freezer)
    assert not simulator.requests
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), book)


async def test_clock_set_wrong(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A clock that runs far ahead for a while, or back, does no lasting harm."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    for wrong in (200 * DAY, -50 * DAY, 3 * DAY):
        freezer.move_to(NOW + wrong)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await fill_history(hass, freezer, 4)
        freezer.move_to(NOW + timedelta(minutes=30))
        book[TODAY] = [LineItem("gpt-5.5, input", 100.0 + wrong.days)]
        assert await hass.config_entries.async_reload(entry.entry_id)
        await fill_history(hass, freezer, 4)
        assert await card(hass, "day") == pytest.approx(dollars(book, TODAY))
        assert await card(hass, "month") == pytest.approx(
            sum(dollars(book, day) for day in book if day >= TODAY.replace(day=1))
        )
    for days in range(1, 6):
        freezer.move_to(datetime.combine(TODAY + days * DAY, time(21), UTC))
        book[TODAY + days * DAY] = [LineItem("o3, input", 10.0 * days)]
        await poll(hass, freezer)
        await fill_history(hass, freezer, 2)
        assert await card(hass, "day") == pytest.approx(days / 10)
    check_rows(await history_rows(hass), book)
