"""The usage as long-term statistics."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, fill_history, history_rows, poll, setup_entry, state
from .const import NOW
from .history import ACCOUNT, bars, card, clear
from .usage import requests_of, tokens_of, total, used_days

pytestmark = pytest.mark.usefixtures("recorder_mock")

BASE = ACCOUNT.removesuffix("cost")
DAY = timedelta(days=1)


async def check_history(
    hass: HomeAssistant, simulator: RunningSimulator, last: date, now: datetime = NOW
) -> None:
    """Hold a year of every statistic of usage to the simulator's ledger."""
    used = used_days(simulator, now)
    found = {
        key.removeprefix(BASE): {day: value for day, (value, _) in days.items() if day <= last}
        for key, days in (await history_rows(hass)).items()
    }
    oldest = now.date() - 365 * DAY
    days = [oldest + offset * DAY for offset in range((last - oldest).days + 1)]
    assert found["input_tokens"] == {day: tokens_of(used[day], "input") for day in days}
    assert found["cached_input_tokens"] == {
        day: total(used[day], "input_cached_tokens") for day in days
    }
    assert found["output_tokens"] == {day: total(used[day], "output_tokens") for day in days}
    assert found["requests"] == {day: requests_of(used[day]) for day in days}
    for slug, model in (("gpt_5_5_2026_03_01", "gpt-5.5-2026-03-01"), ("gpt_5_mini", "gpt-5-mini")):
        expected = {day: tokens_of(one for one in used[day] if one.model == model) for day in days}
        shown = found[f"tokens_{slug}"]
        assert {day: value for day, value in shown.items() if value} == {
            day: value for day, value in expected.items() if value
        }


async def test_a_year_in_pages_of_31_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The past 12 months come in windows of 31 days; what is there is not requested again."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    await fill_history(hass, freezer, 20)
    await check_history(hass, simulator, NOW.date())
    windows = {
        (int(one.query["start_time"]), int(one.query["end_time"]))
        for one in simulator.requests
        if one.endpoint == "usage/embeddings"
    }
    assert all(end - start <= 31 * 86_400 for start, end in windows)
    assert len(windows) == 12
    simulator.requests.clear()
    assert await hass.config_entries.async_reload(full_entry.entry_id)
    await fill_history(hass, freezer, 3)
    assert sum(one.endpoint == "usage/embeddings" for one in simulator.requests) == 1


async def test_statistic_card_over_a_turn_of_the_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A Statistic card shows what the sensors show, before and after the turn of a month."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-30 21:30:00+00:00")
    await setup_entry(hass, full_entry)
    await fill_history(hass, freezer, 20)
    for _ in range(2):
        for period, suffix in (("day", "today"), ("month", "this_month")):
            for key in ("input_tokens", "cached_input_tokens", "output_tokens", "requests"):
                shown = await card(hass, period, statistic_id=f"{BASE}{key}")
                assert shown == float(state(hass, f"{key}_{suffix}")), (key, period)
        await poll(hass, freezer, 7 * 3600)
        await poll(hass, freezer, 3600)
        await fill_history(hass, freezer, 3)
    months = await bars(hass, "month", f"{BASE}output_tokens")
    used = used_days(simulator, datetime.now(UTC))
    november = [date(2026, 11, day) for day in range(1, 31)]
    assert months[date(2026, 11, 1)] == sum(total(used[day], "output_tokens") for day in november)


async def test_cleared_statistics_come_back(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What is cleared of usage is written again, and the costs stay as they are."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    await fill_history(hass, freezer, 20)
    before = await history_rows(hass)
    await clear(hass, f"{BASE}requests", f"{BASE}tokens_gpt_5_mini")
    await poll(hass, freezer, 301)
    await fill_history(hass, freezer, 20)
    # Today's embeddings are older than its completions.
    await check_history(hass, simulator, NOW.date() - DAY)
    after = await history_rows(hass)
    assert before.keys() == after.keys()
    assert len(after[ACCOUNT]) == len(before[ACCOUNT])


@pytest.mark.parametrize("key", ["requests", "input_tokens"])
async def test_total_that_was_cleared_while_not_loaded(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    key: str,
) -> None:
    """A total of the usage that is cleared while the account is not loaded comes back, too."""
    freezer.move_to(NOW)
    simulator.now = lambda: NOW
    await setup_entry(hass, full_entry)
    await fill_history(hass, freezer, 20)
    before = (await history_rows(hass))[f"{BASE}{key}"]
    assert len(before) == 366
    assert await hass.config_entries.async_unload(full_entry.entry_id)
    await clear(hass, f"{BASE}{key}")
    await hass.config_entries.async_setup(full_entry.entry_id)
    await fill_history(hass, freezer, 20)
    after = (await history_rows(hass))[f"{BASE}{key}"]
    assert {day: after.get(day) for day in before} == before
