"""Statistics that are cleared, or new: what is requested for them, until they are whole."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.history.recorder import async_read_tables
from custom_components.openai_account.history.rows import Table
from simulator import LineItem

from .common import (
    RunningSimulator,
    fill_history,
    history_rows,
    hourly_rows,
    poll,
    setup_entry,
)
from .const import NOW
from .history import (
    ACCOUNT,
    DAY,
    MODEL,
    PROJECT,
    REQUESTS,
    TODAY,
    Refusal,
    book_of,
    check_rows,
    clear,
    costs_of,
    delete_days,
    past_windows,
    requested_windows,
    restart,
    windows,
)

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]


@pytest.mark.parametrize("is_loaded", [True, False], ids=["loaded", "not loaded"])
@pytest.mark.parametrize(
    "cleared", [(), (ACCOUNT,), (MODEL,), (PROJECT, MODEL)], ids=["all", "account", "model", "two"]
)
async def test_cleared_statistics(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    cleared: tuple[str, ...],
    is_loaded: bool,
) -> None:
    """What was cleared is requested anew, from its first day on, and then no more."""
    simulator.account.ledger = book_of({0: 1.0, 54: 2.0, 55: 4.0, 200: 8.0, 364: 16.0, 365: 32.0})
    simulator.account.ledger |= book_of({7: 1.0}, "gpt-6")
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    before = await history_rows(hass)
    if not is_loaded:
        assert await hass.config_entries.async_unload(entry.entry_id)
    await clear(hass, *cleared)
    simulator.requests.clear()
    # What the host says now counts, rather than what it said then.
    simulator.account.ledger[TODAY - 200 * DAY] = [LineItem("o3, input", 900.0)]
    if not is_loaded:
        await restart(hass, entry)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 5)
    assert len(past_windows(simulator)) == 4
    found = await history_rows(hass)
    check_rows(found, simulator.account.ledger)
    assert {key: len(rows) for key, rows in found.items()} == {
        key: len(rows) for key, rows in before.items()
    }
    simulator.requests.clear()
    await poll(hass, freezer)
    await fill_history(hass, freezer, 2)
    assert not past_windows(simulator)
    # After a restart, neither
    assert await hass.config_entries.async_unload(entry.entry_id)
    await restart(hass, entry)
    await fill_history(hass, freezer, 2)
    assert not past_windows(simulator)


async def test_cleared_while_the_past_is_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A statistic that is cleared between two windows gets the newer ones first, again."""
    book = simulator.account.ledger = book_of({0: 1.0, 54: 2.0, 60: 4.0, 200: 8.0, 365: 32.0})
    await setup_entry(hass, entry)
    simulator.fault(
        "usage",
        Refusal(status=429, is_refused=lambda start, end: end < TODAY - 250 * DAY),
        times=3,
    )
    await fill_history(hass, freezer, 3)
    simulator.clear_faults()
    assert len(past_windows(simulator)) == 3
    simulator.requests.clear()
    await clear(hass)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 6)
    assert past_windows(simulator) == windows((354, 254), (154, 54), (254, 154), (365, 354))
    check_rows(await history_rows(hass), book)


async def test_what_was_cleared_is_kept_for_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Which statistics were cleared is stored until they are whole, those of costs and of usage."""
    simulator.account.ledger = book_of({0: 1.0})
    await setup_entry(hass, full_entry)
    cleared = sorted([REQUESTS, MODEL, ACCOUNT.replace("_cost", "_input_tokens")])
    assert {*cleared} < (await hourly_rows(hass)).keys()
    simulator.fault("usage", "server_error", after=1)
    simulator.fault("usage/*", "server_error", after=40)
    await clear(hass, *cleared)
    await poll(hass, freezer)
    for _ in range(2):
        assert await hass.config_entries.async_unload(full_entry.entry_id)
        assert hass_storage[f"{DOMAIN}.{full_entry.entry_id}"]["data"]["cleared"] == cleared
        await restart(hass, full_entry)


async def test_new_kind_of_statistic(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A kind of statistic that is new goes as far back as the host knows; the others stay."""
    simulator.account.ledger = book_of({0: 1.0, 55: 2.0, 364: 4.0, 365: 8.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    freezer.move_to(NOW + DAY)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await clear(hass, PROJECT)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    stored["filled"].remove("project_cost")
    stored["projects"] = {}
    simulator.requests.clear()
    # What the host has forgotten since is not taken back.
    del simulator.account.ledger[TODAY - 365 * DAY]
    await restart(hass, entry)
    await fill_history(hass, freezer, 5)
    assert past_windows(simulator) == windows((154, 54), (254, 154), (354, 254), (364, 354))
    found = await history_rows(hass)
    assert costs_of(found, PROJECT) == {0: 1.0, 55: 2.0, 364: 4.0}
    assert costs_of(found, ACCOUNT) == {0: 1.0, 55: 2.0, 364: 4.0, 365: 8.0}
    # Once it is there, it is not requested again.
    simulator.requests.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await fill_history(hass, freezer, 2)
    assert not past_windows(simulator)


async def test_forgotten_by_the_host(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What is written again after it was cleared leaves the others' days of long ago alone."""
    simulator.account.ledger = book_of({0: 1.0, 362: 2.0, 363: 4.0, 365: 8.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    freezer.move_to(NOW + 3 * DAY)
    await poll(hass, freezer)
    # Only the last year is known to the host, and differs.
    simulator.account.ledger = book_of({0: 1.0, 362: 3.0})
    simulator.requests.clear()
    await clear(hass, MODEL)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 6)
    assert past_windows(simulator)[-1][0] == TODAY - 365 * DAY
    found = await history_rows(hass)
    assert costs_of(found, ACCOUNT) == {0: 1.0, 362: 3.0, 363: 4.0, 365: 8.0}
    assert costs_of(found, MODEL) == {0: 1.0, 362: 3.0}


async def test_cleared_while_polls_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What was cleared is noticed within five minutes, and written as it was polled last."""
    simulator.account.ledger = book_of({0: 1.0, 54: 2.0})
    await setup_entry(hass, entry)
    simulator.fault("*", "server_error")
    for _ in range(2):
        await poll(hass, freezer)
    await clear(hass)
    await poll(hass, freezer)
    check_rows(await history_rows(hass), simulator.account.ledger)


async def test_news_before_the_past_is_back(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Polls that bring news while what was cleared is incomplete neither lose nor double days."""
    book = simulator.account.ledger = book_of({0: 1.0, 1: 2.0, 20: 4.0, 54: 8.0, 60: 16.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    simulator.fault(
        "usage", Refusal(status=429, is_refused=lambda start, end: end <= TODAY - 54 * DAY)
    )
    await clear(hass, MODEL)
    for cents in (150.0, 250.0):
        book[TODAY] = [LineItem("o3, input", cents)]
        await poll(hass, freezer)
        found = await history_rows(hass)
        assert costs_of(found, MODEL) == {0: cents / 100, 1: 2.0, 20: 4.0, 54: 8.0}
        assert found[MODEL][TODAY][1] == 14.0 + cents / 100
    simulator.clear_faults()
    await poll(hass, freezer)
    await fill_history(hass, freezer, 5)
    check_rows(await history_rows(hass), book)


async def test_rows_that_vanish(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Rows that vanish from the database while the account is loaded are back the next day."""
    book = simulator.account.ledger = book_of({0: 1.0, 362: 1.0, 363: 2.0, 364: 4.0, 365: 8.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    await delete_days(hass, 363, 364)
    simulator.requests.clear()
    freezer.move_to(NOW + 3 * DAY)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 3)
    assert past_windows(simulator) == windows((364, 362))
    check_rows(await history_rows(hass), book)


async def test_weeks_without_polls(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that were not settled before a computer slept for long are requested once more."""
    book = simulator.account.ledger = book_of({0: 1.0, 2: 2.0, 3: 4.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    book |= book_of({0: 3.0, 2: 5.0, -60: 1.0})
    counts = []
    for seconds in (100 * 86_400, 86_400, 86_400):
        simulator.requests.clear()
        await poll(hass, freezer, seconds)
        await fill_history(hass, freezer, 3)
        early = [one for one, _ in requested_windows(simulator) if one < TODAY + 62 * DAY]
        counts.append(len(early))
    assert counts[0] >= 1
    assert counts[1:] == [0, 0]
    check_rows(await history_rows(hass), book)


async def test_clock_was_ahead(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that are known from a clock that was ahead are not requested as long as they are not."""
    freezer.move_to(NOW + 30 * DAY)
    simulator.account.ledger = book_of({0: 1.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.move_to(NOW)
    simulator.requests.clear()
    await restart(hass, entry)
    await fill_history(hass, freezer, 3)
    assert max(end for _, end in requested_windows(simulator)) <= TODAY + DAY


async def test_kinds_that_are_reported_no_more(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A kind that another key reported is requested anew should it come back; others are kept."""
    simulator.account.ledger = book_of({0: 1.0})
    await setup_entry(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    stored["filled"] = ["cost", "key_cost", "project_cost", "requests"]
    await restart(hass, entry)
    await poll(hass, freezer)
    assert await hass.config_entries.async_unload(entry.entry_id)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    assert stored["filled"] == ["cost", "project_cost", "requests"]


async def test_only_what_has_news_is_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A poll without news reads no rows, one with news only those of the statistics with some."""
    read: list[str] = []

    async def note(
        hass: HomeAssistant, statistic_ids: Collection[str], since: datetime | None = None
    ) -> dict[str, Table]:
        read.extend(statistic_ids)
        return await async_read_tables(hass, statistic_ids, since)

    book = simulator.account.ledger = book_of({1: 1.0}) | book_of({0: 1.0}, "gpt-6")
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    monkeypatch.setattr(
        "custom_components.openai_account.history.statistics.async_read_tables", note
    )
    await poll(hass, freezer)
    assert read == []
    book[TODAY] = [LineItem("gpt-6, input", 250.0)]
    await poll(hass, freezer)
    assert sorted(read) == [ACCOUNT, f"{ACCOUNT}_gpt_6", PROJECT]
