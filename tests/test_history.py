"""History: every day at its place, whatever comes in whichever order."""

from __future__ import annotations

from datetime import date

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, fill_history, history_rows, hourly_rows, poll, setup_entry
from .const import NOW
from .history import ACCOUNT, DAY, TODAY, bars, check_rows, ledger, requested_windows

pytestmark = pytest.mark.usefixtures("recorder_mock")


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
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), simulator.account.ledger)
    windows = requested_windows(simulator)
    assert all((end - start).days <= 100 for start, end in windows)
    assert min(start for start, _ in windows) == TODAY - 365 * DAY
    assert len(windows) == 6
    # What is there is not requested again, today or after a restart.
    simulator.requests.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await fill_history(hass, freezer)
    # The current month, and the one before it
    assert len(requested_windows(simulator)) == 2


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
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), book)

    book[TODAY] = [LineItem("gpt-5.5, input", 500.0), LineItem("o3, input", 1.0)]
    book[TODAY - 2 * DAY] = [LineItem("gpt-5.5, input", 3.0)]
    await poll(hass, freezer)
    check_rows(await history_rows(hass), book)

    book[TODAY] = [LineItem("gpt-5.5, input", 120.0), LineItem("refund", -20.0)]
    book[TODAY - 3 * DAY] = []
    await poll(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert found[ACCOUNT][TODAY - 3 * DAY][0] == 0.0
    assert found[f"{ACCOUNT}_gpt_5_5"][TODAY - 3 * DAY][0] == 0.0
    assert found[f"{ACCOUNT}_o3"][TODAY][0] == 0.0
    assert found[f"{ACCOUNT}_refund"][TODAY] == (-0.2, -0.2)

    # Nothing new: nothing is written.
    before = await history_rows(hass)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "custom_components.openai_account.history.recorder.async_add_external_statistics",
            lambda *_: pytest.fail("it wrote"),
        )
        await poll(hass, freezer)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await fill_history(hass, freezer, 2)
    assert await history_rows(hass) == before


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
    await fill_history(hass, freezer)
    assert await hass.config_entries.async_unload(entry.entry_id)
    later = TODAY + 62 * DAY
    book |= ledger(62, ("gpt-5.5", "gpt-6"), later)
    # What was still unsettled was corrected while nobody looked.
    book[TODAY - DAY] = [LineItem("o3, input", 77.0)]
    book[TODAY] = [LineItem("o3, input", 88.0)]
    freezer.move_to(NOW + 62 * DAY)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
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
    await fill_history(hass, freezer)
    for turn in range(3):
        freezer.tick(86400)
        book[last] = [LineItem("gpt-5.5, input", book[last][0].cost + 10)]
        if turn < 2:
            # Later than three days after the fact nothing is corrected any more.
            book[last - DAY] = [LineItem("o3, input", book[last - DAY][0].cost + 5)]
        await poll(hass, freezer)
        await fill_history(hass, freezer, 2)
        found = await history_rows(hass)
        assert found[ACCOUNT][last][0] == pytest.approx(book[last][0].cost / 100)
    check_rows(await history_rows(hass), book)


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
    await fill_history(hass, freezer)
    assert await hass.config_entries.async_unload(entry.entry_id)
    book[TODAY] = [LineItem("gpt-5.5, input", 999.0)]
    book[TODAY - 10 * DAY] = [LineItem("gpt-5.5, input", 9.0)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer, 2)
    check_rows(await history_rows(hass), book)


@pytest.mark.freeze_time(NOW)
async def test_no_cost_at_all(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An account without costs has a history of zeros."""
    simulator.account.ledger = {}
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    assert await bars(hass, "day") == {TODAY - back * DAY: 0.0 for back in range(366)}
    assert set(await hourly_rows(hass)) == {ACCOUNT}


@pytest.mark.freeze_time(NOW)
async def test_many_models(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a window's answer is too large to read, it is asked for in parts."""
    monkeypatch.setattr("custom_components.openai_account.api.pages.MAX_BODY", 40_000)
    book = simulator.account.ledger = ledger(200, tuple(f"model-{one}" for one in range(12)))
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), book)
    assert entry.runtime_data.costs.last_update_success


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("limit", [150_000, 2_000])
async def test_more_than_a_fetch_may_receive(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limit: int,
) -> None:
    """Windows become smaller at once, without a pause; a day that is too large is left out."""
    book = simulator.account.ledger = ledger(200, tuple(f"model-{one}" for one in range(12)))
    await setup_entry(hass, entry)
    monkeypatch.setattr("custom_components.openai_account.api.limits.MAX_BYTES", limit)
    await fill_history(hass, freezer, 20)
    if limit == 150_000:
        check_rows(await history_rows(hass), book)
        days = [(end - start).days for start, end in requested_windows(simulator)]
        # The current month and the last one, then the first window, until it is small enough
        assert days[:5] == [24, 31, 100, 50, 25]
        assert set(days[5:]) == {25, 11}
        assert "The history waits" not in caplog.text
    else:
        assert "The history waits for 300 seconds" in caplog.text
        assert min(end - start for start, end in requested_windows(simulator)) == DAY


@pytest.mark.freeze_time(NOW)
async def test_long_names(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Names are as long as every database allows; the account's is cut off, never a model's."""
    model, project = "m" * 200, "p" * 255
    item = LineItem(f"{model}, input", 100.0, "proj_long", project)
    book = simulator.account.ledger = {TODAY - number * DAY: [item] for number in range(10)}
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, title="t" * 255)
    await hass.config_entries.async_setup(entry.entry_id)
    await fill_history(hass, freezer)
    check_rows(await history_rows(hass), book)
    found = {one["name"] for one in await async_list_statistic_ids(hass)}
    assert max(len(name) for name in found if name) == 255
    assert any(name.endswith(f", {model}") for name in found if name)
    simulator.requests.clear()
    await poll(hass, freezer)
    await fill_history(hass, freezer, 8)
    # Nothing is missing, so nothing of the past is requested again.
    assert len(requested_windows(simulator)) == 1
