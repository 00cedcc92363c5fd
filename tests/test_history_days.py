"""Single days of an almost empty account: which are requested, when, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import date

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.openai_account.history.recorder import async_read_names
from simulator import LineItem

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
    MODEL,
    PROJECT,
    TODAY,
    Refusal,
    bars,
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


async def test_whole_year(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Windows are requested two seconds apart, from yesterday's to those of a year ago."""
    book = simulator.account.ledger = book_of({0: 1.0, 54: 2.0, 55: 4.0, 364: 8.0, 365: 16.0})
    simulator.account.ledger |= book_of({366: 32.0})
    await setup_entry(hass, entry)
    counts = []
    for seconds in range(10):
        await poll(hass, freezer, 1)
        counts.append(len(past_windows(simulator)))
        if seconds == 4:
            # They are written when all are there, since each one moves all later sums.
            hass.bus.async_fire(EVENT_CORE_CONFIG_UPDATE)
            await settle(hass, freezer)
            assert len((await history_rows(hass))[ACCOUNT]) == 55
    assert counts == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert past_windows(simulator) == windows((154, 54), (254, 154), (354, 254), (365, 354))
    found = await history_rows(hass)
    for key in (ACCOUNT, MODEL, PROJECT):
        assert costs_of(found, key) == {0: 1.0, 54: 2.0, 55: 4.0, 364: 8.0, 365: 16.0}
    check_rows(found, {day: book[day] for day in book if day >= TODAY - 365 * DAY})
    assert len(found[ACCOUNT]) == 366
    assert "311 days were requested, 749 rows written" in caplog.text
    # Nothing more is requested, be it after a restart.
    simulator.requests.clear()
    await poll(hass, freezer)
    await fill_history(hass, freezer, 2)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await fill_history(hass, freezer, 3)
    assert not past_windows(simulator)
    assert caplog.text.count("days were requested, ") == 1
    assert "The history waits" not in caplog.text
    assert "rows were adapted" not in caplog.text


async def test_days_around_gaps(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days without rows come back, with the last three before them, that may not be settled."""
    backs = (0, 54, 80, 98, 99, 100, 101, 102, 103, 104, 130, 160, 161, 162, 163, 164, 170)
    not_settled = {100, 101, 102, 103, 160, 161, 162, 163}
    simulator.account.ledger = book_of(dict.fromkeys(backs, 1.0))
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await delete_days(hass, 100, 160)
    # The polls cover the others.
    changed = {back: 1.0 if back < 55 else 10.0 + back for back in backs}
    simulator.account.ledger = book_of(changed)
    simulator.requests.clear()
    await restart(hass, entry)
    await fill_history(hass, freezer, 3)
    assert past_windows(simulator) == windows((163, 99))
    found = await history_rows(hass)
    expected = {back: changed[back] if back in not_settled else 1.0 for back in backs}
    assert costs_of(found, ACCOUNT) == expected
    check_rows(found, book_of(expected))
    # What is known of the rows ends when they are cleared.
    await clear(hass)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 5)
    check_rows(await history_rows(hass), book_of(changed))


async def test_days_of_more_than_a_year_ago(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After some time off, days that are missing since the last known one are requested."""
    book = simulator.account.ledger = book_of({0: 1.0, 362: 1.0, 363: 2.0, 364: 4.0, 365: 8.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await delete_days(hass, 363, 364)
    freezer.move_to(NOW + 3 * DAY)
    simulator.requests.clear()
    await restart(hass, entry)
    await fill_history(hass, freezer, 3)
    assert past_windows(simulator) == windows((367, 362))
    check_rows(await history_rows(hass), book)


async def test_first_polls_of_a_day_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that are not settled and that no poll covers are requested daily, if not at once."""
    november, december = date(2026, 11, 30), date(2026, 12, 1)
    freezer.move_to("2026-11-30 12:00:00+00:00")
    book = simulator.account.ledger = book_of({0: 1.0, -6: 2.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    assert await hass.config_entries.async_unload(entry.entry_id)
    # The polls of December do not get the month before.
    longer = Refusal(status=500, is_refused=lambda start, end: (end - start).days > 20)
    simulator.fault("usage", longer)
    freezer.move_to("2026-12-01 23:30:00+00:00")
    await restart(hass, entry)
    # They cover yesterday. On the second day, one day more is settled.
    for tail in ((november - 2 * DAY, november), (november - DAY, december)):
        simulator.requests.clear()
        await fill_history(hass, freezer, 5)
        requested = requested_windows(simulator)
        assert [one for one in requested if one[1] - one[0] < 20 * DAY and one[1] <= tail[1]] == [
            tail
        ]
        simulator.clear_faults()
        simulator.fault("usage", "server_error")
        for _ in range(8):
            await poll(hass, freezer)
        simulator.clear_faults()
        simulator.fault("usage", longer)
        book[november] = [LineItem("o3, input", 300.0)]
        await poll(hass, freezer, 3600)
    found = await history_rows(hass)
    assert costs_of(found, ACCOUNT) == {0: 1.0, -6: 3.0}
    check_rows(found, book)


async def test_poll_before_the_database_is_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Polls that come while the database is slow are neither lost nor written twice."""
    book = simulator.account.ledger = book_of({0: 1.0, 2: 2.0, 360: 4.0})
    go_on = asyncio.Event()
    reads = 0

    async def read_slowly(
        hass: HomeAssistant, statistic_ids: Collection[str] | None = None
    ) -> dict[str, str]:
        nonlocal reads
        # Updates begin with the names of what is known.
        reads += statistic_ids is not None
        await go_on.wait()
        return await async_read_names(hass, statistic_ids)

    monkeypatch.setattr(
        "custom_components.openai_account.history.statistics.async_read_names", read_slowly
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    for cents in (300.0, 400.0, 500.0):
        book[TODAY] = [LineItem("o3, input", cents)]
        freezer.tick(301)
        async_fire_time_changed(hass)
        polled = asyncio.Event()
        stop = entry.runtime_data.costs.async_add_listener(polled.set)
        await polled.wait()
        stop()
    assert reads == 1
    assert await hourly_rows(hass) == {}
    go_on.set()
    await settle(hass, freezer)
    # One update for all that came meanwhile
    assert reads == 2
    found = await history_rows(hass)
    assert costs_of(found, ACCOUNT) == costs_of(found, MODEL) == {0: 5.0, 2: 2.0}
    assert found[ACCOUNT][TODAY] == (5.0, 7.0)
    await fill_history(hass, freezer, 5)
    check_rows(await history_rows(hass), book)


async def test_polls_bring_news(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each poll writes what has changed: today's growth, a correction, a new model, an end."""
    book = simulator.account.ledger = book_of({0: 1.0, 1: 2.0, 54: 4.0, 200: 8.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    for news in (
        {TODAY: [LineItem("o3, input", 150.0)]},
        {TODAY - 2 * DAY: [LineItem("o3, input", 50.0)]},
        {TODAY: [LineItem("gpt-6, input", 75.0)]},
        {TODAY - DAY: [], TODAY - 2 * DAY: [LineItem("gpt-6, input", 25.0)]},
    ):
        book |= news
        await poll(hass, freezer)
        check_rows(await history_rows(hass), book)
    found = await history_rows(hass)
    assert found[MODEL][TODAY] == (0.0, 12.0)
    assert costs_of(found, f"{ACCOUNT}_gpt_6") == {0: 0.75, 2: 0.25}


async def test_name_that_gets_a_place_later(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model for which there was no place has all polled days once there is one."""
    limit = "custom_components.openai_account.slugs.MAX_NAMES"
    monkeypatch.setattr(limit, 1)
    book = simulator.account.ledger = book_of({0: 9.0, 1: 9.0})
    book[TODAY - DAY] = [*book[TODAY - DAY], LineItem("gpt-6, input", 50.0)]
    await setup_entry(hass, entry)
    assert f"{ACCOUNT}_gpt_6" not in await history_rows(hass)
    monkeypatch.setattr(limit, 300)
    book[TODAY] = [*book[TODAY], LineItem("gpt-6, input", 25.0)]
    await poll(hass, freezer)
    assert costs_of(await history_rows(hass), f"{ACCOUNT}_gpt_6") == {0: 0.25, 1: 0.5}


async def test_zone_title_and_labels(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Rows follow the time zone at once; names follow what the account and projects are called."""
    book = simulator.account.ledger = book_of({0: 1.0, 1: 2.0, 54: 4.0})
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 5)
    assert set(await bars(hass, "day")) == {TODAY - back * DAY for back in range(366)}
    await hass.config.async_update(time_zone="Asia/Kolkata")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (await bars(hass, "day"))[TODAY - DAY] == 2.0
    check_rows(await history_rows(hass), book)
    hass.config_entries.async_update_entry(entry, title="My openai account")
    book[TODAY] = [LineItem("o3, input", 100.0, "proj_default", "Kitchen")]
    await poll(hass, freezer)
    await poll(hass, freezer)
    names = {one["statistic_id"]: one["name"] for one in await async_list_statistic_ids(hass)}
    assert names[ACCOUNT] == "My openai account cost"
    assert names[MODEL] == "My openai account cost, o3"
    assert names[PROJECT] == "My openai account project cost, Kitchen"
