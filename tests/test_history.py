"""Long-term statistics: every day at its place, whatever comes in whichever order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
import random

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import (
    async_list_statistic_ids,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Fault, LineItem

from .common import RunningSimulator, fill_history as fill, history_rows as rows, poll, setup_entry
from .const import NOW

pytestmark = pytest.mark.usefixtures("recorder_mock")

ACCOUNT = "openai_account:org_simulatedexamplehome01_cost"
TODAY = NOW.date()
DAY = timedelta(days=1)

type Ledger = dict[date, Sequence[LineItem]]


def ledger(days: int, models: tuple[str, ...] = ("gpt-5.5", "o3"), end: date = TODAY) -> Ledger:
    """Return costs, in cents, that differ by day and model."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    return {
        end - offset * DAY: [
            LineItem(f"{model}, {direction}", round(chance.uniform(0.01, 90), 6))
            for model in models
            for direction in ("input", "output")
        ]
        for offset in range(days)
    }


def check(found: dict[str, dict[date, tuple[float, float]]], expected: Ledger) -> None:
    """Hold the database to a ledger: each day's cost, running sums, models adding up."""
    total = 0.0
    for day, (cost, running) in sorted(found[ACCOUNT].items()):
        cents = sum(item.cost for item in expected.get(day, []))
        total += cost
        assert cost == pytest.approx(cents / 100, abs=1e-6), day
        assert running == pytest.approx(total, abs=1e-6), day
        models = [one[day][0] for key, one in found.items() if key != ACCOUNT and day in one]
        assert sum(models) == pytest.approx(cost, abs=1e-6), day
    assert set(found[ACCOUNT]) >= {day for day, items in expected.items() if items}
    for one in found.values():
        running = 0.0
        for _, (cost, sum_) in sorted(one.items()):
            running += cost
            assert sum_ == pytest.approx(running, abs=1e-6)


@pytest.mark.freeze_time(NOW)
async def test_first_fill(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The past 12 months come in windows of at most 100 days, one after the other."""
    simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    await fill(hass, freezer)
    check(await rows(hass), simulator.account.ledger)
    asked = [
        (date.fromisoformat(one.query["start_date"]), date.fromisoformat(one.query["end_date"]))
        for one in simulator.requests
        if one.endpoint == "usage"
    ]
    assert all((end - start).days <= 100 for start, end in asked)
    assert min(start for start, _ in asked) == TODAY - 365 * DAY
    names = {
        one["statistic_id"]: (one["name"], one["statistics_unit_of_measurement"])
        for one in await async_list_statistic_ids(hass)
        if one["source"] == "openai_account"
    }
    assert names == {
        ACCOUNT: ("OpenAI cost", "USD"),
        f"{ACCOUNT}_gpt_5_5": ("OpenAI cost, gpt-5.5", "USD"),
        f"{ACCOUNT}_o3": ("OpenAI cost, o3", "USD"),
    }
    # It is not asked for again, today or after a restart.
    simulator.requests.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await fill(hass, freezer)
    # The running month, and the one before it
    assert [one.endpoint for one in simulator.requests].count("usage") == 2


@pytest.mark.freeze_time(NOW)
async def test_growth_and_corrections(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A day grows, is corrected, gets a refund, becomes empty: each time one true table."""
    book = simulator.account.ledger = ledger(60)
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    check(await rows(hass), book)

    book[TODAY] = [LineItem("gpt-5.5, input", 500.0), LineItem("o3, input", 1.0)]
    book[TODAY - 2 * DAY] = [LineItem("gpt-5.5, input", 3.0)]
    await poll(hass, freezer)
    check(await rows(hass), book)

    book[TODAY] = [LineItem("gpt-5.5, input", 120.0), LineItem("refund", -20.0)]
    book[TODAY - 3 * DAY] = []
    await poll(hass, freezer)
    found = await rows(hass)
    check(found, book)
    assert found[ACCOUNT][TODAY - 3 * DAY][0] == 0.0
    assert found[f"{ACCOUNT}_gpt_5_5"][TODAY - 3 * DAY][0] == 0.0
    assert found[f"{ACCOUNT}_o3"][TODAY][0] == 0.0
    assert found[f"{ACCOUNT}_refund"][TODAY] == (-0.2, -0.2)

    # Nothing new: nothing is written.
    before = await rows(hass)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "custom_components.openai_account.history.async_add_external_statistics",
            lambda *_: pytest.fail("it wrote"),
        )
        await poll(hass, freezer)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await fill(hass, freezer, 2)
    assert await rows(hass) == before


@pytest.mark.freeze_time(NOW)
async def test_gap(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After two months off, the days between are asked for, and the sums go on."""
    book = simulator.account.ledger = ledger(80)
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    assert await hass.config_entries.async_unload(entry.entry_id)
    later = TODAY + 62 * DAY
    book |= ledger(62, ("gpt-5.5", "gpt-6"), later)
    # What was still unsettled was corrected while nobody looked.
    book[TODAY - DAY] = [LineItem("o3, input", 77.0)]
    book[TODAY] = [LineItem("o3, input", 88.0)]
    freezer.move_to(NOW + 62 * DAY)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill(hass, freezer)
    found = await rows(hass)
    check(found, book)
    assert max(found[ACCOUNT]) == later
    assert found[ACCOUNT][TODAY][0] == pytest.approx(0.88)


@pytest.mark.freeze_time("2026-11-30 23:00:00+00:00")
async def test_turn_of_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Corrections of a month's last days come in although the polls ask for the new month."""
    last = date(2026, 11, 30)
    book = simulator.account.ledger = ledger(40, end=last)
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    for turn in range(3):
        freezer.tick(86400)
        book[last] = [LineItem("gpt-5.5, input", book[last][0].cost + 10)]
        if turn < 2:
            # Later than three days after the fact nothing is corrected any more.
            book[last - DAY] = [LineItem("o3, input", book[last - DAY][0].cost + 5)]
        await poll(hass, freezer)
        await fill(hass, freezer, 2)
        found = await rows(hass)
        assert found[ACCOUNT][last][0] == pytest.approx(book[last][0].cost / 100)
    check(await rows(hass), book)


@pytest.mark.freeze_time(NOW)
async def test_failures_and_restart_in_the_middle(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fill that fails is tried again later; after a restart it goes on where it stopped."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await poll(hass, freezer, 3)
    first = await rows(hass)
    assert 30 < len(first[ACCOUNT]) < 200
    simulator.fault("usage", Fault(status=429, headers={"Retry-After": "900"}))
    await fill(hass, freezer, 3)
    assert "The cost history waits for 900 seconds" in caplog.text
    simulator.requests.clear()
    await poll(hass, freezer, 200)
    assert {one.query["start_date"] for one in simulator.requests if one.endpoint == "usage"} <= {
        TODAY.replace(day=1).isoformat()
    }
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.clear_faults()
    simulator.requests.clear()
    freezer.tick(3600)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill(hass, freezer)
    check(await rows(hass), book)
    done = sorted(first[ACCOUNT])
    asked = [one.query["start_date"] for one in simulator.requests if one.endpoint == "usage"]
    # The polls' months, and what was missing; nothing of what was there, and nothing twice.
    filled = [one for one in asked if one not in {"2026-11-01", "2026-10-01"}]
    assert not {date.fromisoformat(one) for one in filled} & set(done[:-35])
    assert len(filled) == len(set(filled)) <= 4


@pytest.mark.freeze_time(NOW)
async def test_lost_rows_heal(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Rows of the running month that a power cut took are written again at the next start."""
    book = simulator.account.ledger = ledger(60)
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    assert await hass.config_entries.async_unload(entry.entry_id)
    book[TODAY] = [LineItem("gpt-5.5, input", 999.0)]
    book[TODAY - 10 * DAY] = [LineItem("gpt-5.5, input", 9.0)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill(hass, freezer, 2)
    check(await rows(hass), book)


@pytest.mark.freeze_time(NOW)
async def test_no_cost_at_all(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An account that costs nothing gets a statistic with nothing in it."""
    simulator.account.ledger = {}
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    assert await rows(hass) == {}
    ids = await async_list_statistic_ids(hass)
    assert [one["statistic_id"] for one in ids if one["source"] == "openai_account"] == [ACCOUNT]


@pytest.mark.freeze_time(NOW)
async def test_odd_models(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Names of odd letters or many, and two of one slug: each has a history of its own."""
    names = ("gpt-5.5", "gpt 5.5", "GPT_5_5", "例え", "???", "!!!", "y" * 200, "y" * 199 + "z")
    book = simulator.account.ledger = {
        TODAY - offset * DAY: [
            LineItem(f"{name}, input", 100.0 * (rank + 1)) for rank, name in enumerate(names)
        ]
        for offset in range(50)
    }
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    found = await rows(hass)
    check(found, book)
    assert len(found) == len(names) + 1
    assert sorted(one[TODAY][0] for key, one in found.items() if key != ACCOUNT) == [
        float(rank + 1) for rank in range(len(names))
    ]


@pytest.mark.freeze_time(NOW)
async def test_removal_keeps_history(
    hass: HomeAssistant,
    recorder_mock: Recorder,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """History stays when the account is removed, and goes on when it is added again."""
    book = simulator.account.ledger = ledger(120)
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    before = await rows(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert await rows(hass) == before
    again = MockConfigEntry(
        domain=entry.domain, title="Again", unique_id=entry.unique_id, data=dict(entry.data)
    )
    await setup_entry(hass, again)
    await fill(hass, freezer)
    assert await rows(hass) == before
    check(before, book)


@pytest.mark.freeze_time(NOW)
async def test_unload_in_the_middle(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An unloaded account fills nothing more."""
    simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await poll(hass, freezer, 3)
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.requests.clear()
    await fill(hass, freezer)
    assert not simulator.requests


@pytest.mark.freeze_time(NOW)
async def test_many_models(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a window's answer is too large to read, it is asked for in parts."""
    monkeypatch.setattr("custom_components.openai_account.api.client.MAX_BODY", 40_000)
    book = simulator.account.ledger = ledger(200, tuple(f"model-{one}" for one in range(12)))
    await setup_entry(hass, entry)
    await fill(hass, freezer)
    check(await rows(hass), book)
    assert entry.runtime_data.costs.last_update_success
