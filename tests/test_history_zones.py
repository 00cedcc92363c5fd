"""What becomes of history when Home Assistant's time zone changes, or a row stands elsewhere."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, fill_history, history_rows, hourly_rows, setup_entry
from .const import NOW
from .history import (
    ACCOUNT,
    DAY,
    TODAY,
    add_former_rows,
    bars,
    card,
    check_rows,
    dollars,
    former_store,
    ledger,
    most_rows_of_a_day,
)

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]

MODELS = {"gpt-5.5": "gpt_5_5", "o3": "o3"}


async def check_readers(hass: HomeAssistant, book: dict[Any, Any]) -> None:
    """Hold cards and graphs to a ledger."""
    today = dt_util.now().date()
    for back in (*range(1, 31), 56, 57, 180, 364):
        cost = dollars(book, today - back * DAY)
        assert (await card(hass, "day", -back) or 0.0) == pytest.approx(cost, abs=1e-6), back
        if cost and back < 360:
            for model, slug in MODELS.items():
                cents = sum(
                    item.cost
                    for item in book[today - back * DAY]
                    if item.name.startswith(f"{model},")
                )
                shown = await card(hass, "day", -back, f"{ACCOUNT}_{slug}")
                assert (shown or 0.0) == pytest.approx(cents / 100, abs=1e-6), (back, model)
    for back in range(1, 12):
        months = today.year * 12 + today.month - 1 - back
        cost = sum(dollars(book, day) for day in book if day.year * 12 + day.month - 1 == months)
        assert await card(hass, "month", -back) == pytest.approx(cost, abs=1e-6), back
    found = {day: cost for day, cost in (await bars(hass, "day")).items() if round(cost, 9)}
    assert found == pytest.approx({day: dollars(book, day) for day in book if book[day]})
    check_rows(await history_rows(hass), book)


async def test_time_zone_changes(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """All readers are right again at once, wherever Home Assistant moves, also while it is off."""
    book = simulator.account.ledger = ledger(365)
    for back in (5, 6, 7, 56):
        book[TODAY - back * DAY] = []
    book[TODAY - 8 * DAY] = [LineItem("o3, input", 77.0)]
    await hass.config.async_set_time_zone("America/Los_Angeles")
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    await check_readers(hass, book)
    assert await most_rows_of_a_day(hass) == 2
    simulator.requests.clear()
    for rows, zone in enumerate(("Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"), 3):
        await hass.config.async_update(time_zone=zone)
        await hass.async_block_till_done(wait_background_tasks=True)
        await check_readers(hass, book)
        # One more row for a day and each former zone, since rows cannot be deleted.
        assert await most_rows_of_a_day(hass) <= rows
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.config.async_update(time_zone="America/Los_Angeles")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await check_readers(hass, book)
    assert await most_rows_of_a_day(hass) <= 5
    # What is corrected then moves the sums of all rows, whatever zone they are from.
    book[TODAY - 3 * DAY] = [LineItem("o3, input", 1234.0)]
    book[TODAY - 6 * DAY] = [LineItem("gpt-5.5, input", 55.0)]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await check_readers(hass, book)
    # Everything is known from the database: nothing of the past was requested.
    assert {one.query.get("start_date", "2026-10-01") for one in simulator.requests} <= {
        "2026-10-01",
        "2026-11-01",
        "2026-11-24",
    }


@pytest.mark.parametrize("lost", [ACCOUNT, f"{ACCOUNT}_o3"])
async def test_killed_while_rows_are_moved(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    lost: str,
) -> None:
    """Home Assistant is killed before all statistics follow the time zone; then it ends right."""
    book = simulator.account.ledger = ledger(365)
    await hass.config.async_set_time_zone("Asia/Kolkata")
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    is_killed = False

    def add_until_killed(hass: HomeAssistant, metadata: Any, rows: Any) -> None:
        nonlocal is_killed
        is_killed = is_killed or metadata["statistic_id"] == lost
        if not is_killed:
            async_add_external_statistics(hass, metadata, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "custom_components.openai_account.history.recorder.async_add_external_statistics",
            add_until_killed,
        )
        await hass.config.async_update(time_zone="America/New_York")
        await hass.async_block_till_done(wait_background_tasks=True)
        assert is_killed
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await check_readers(hass, book)


@pytest.mark.parametrize(
    "zone", ["Pacific/Pago_Pago", "Europe/Berlin", "Pacific/Auckland", "Pacific/Kiritimati"]
)
async def test_rows_of_a_former_release(
    hass: HomeAssistant,
    hass_storage: dict[str, object],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    zone: str,
) -> None:
    """Rows at 10:00 UTC, and only of days with costs, become right for all readers."""
    await hass.config.async_set_time_zone(zone)
    book = simulator.account.ledger = ledger(365)
    for back in (5, 6, 7, 56, 57, 180):
        book[TODAY - back * DAY] = []
    await add_former_rows(hass, book, MODELS)
    hass_storage[f"openai_account.{entry.entry_id}"] = former_store(entry.entry_id, MODELS)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    await check_readers(hass, book)
    counts: dict[Any, int] = {}
    for row in (await hourly_rows(hass))[ACCOUNT]:
        day = dt_util.as_local(dt_util.utc_from_timestamp(row["start"])).date()
        counts[day] = counts.get(day, 0) + 1
    # The current day's row of the former release may be one more, once.
    assert sorted(counts.values())[-2] == 2
    assert max(counts.values()) <= 3
