"""Statistics that are cleared, or new: what is requested for them, until they are whole."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
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
    TODAY,
    book_of,
    check_rows,
    clear,
    costs_of,
    past_windows,
    restart,
    windows,
)
from .test_history_failures import Refusal

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]

MODEL = f"{ACCOUNT}_o3"
USAGE = ACCOUNT.replace("_cost", "_requests")
PROJECT = f"{ACCOUNT.removesuffix('_cost')}_project_cost_proj_default"


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
    cleared = sorted([USAGE, MODEL, ACCOUNT.replace("_cost", "_input_tokens")])
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
