"""The past is read although the host limits, fails or refuses requests."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, fill_history, history_rows, poll, setup_entry
from .const import NOW
from .history import ACCOUNT, DAY, TODAY, Refusal, check_rows, ledger, past_windows

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]


async def fill_for(hass: HomeAssistant, freezer: FrozenDateTimeFactory, hours: int) -> None:
    """Let the history fill for some hours, with a poll every half."""
    for _ in range(2 * hours):
        await poll(hass, freezer, 1801)


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("1", 60), ("900", 900), ("999999999", 86_400)]
)
async def test_rate_limit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    retry_after: str,
    seconds: int,
) -> None:
    """A rate limit is kept within the bounds of polls, also over a reload; then all is read."""
    book = simulator.account.ledger = ledger(365)
    simulator.fault(
        "usage",
        Refusal(
            status=429,
            headers={"Retry-After": retry_after},
            is_refused=lambda start, end: end < TODAY - 200 * DAY,
        ),
    )
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 3)
    # What was read before stands there already.
    assert 150 < len((await history_rows(hass))[ACCOUNT]) < 366
    assert await hass.config_entries.async_reload(entry.entry_id)
    simulator.requests.clear()
    for _ in range(4):
        await poll(hass, freezer, (seconds - 40) / 4)
    assert not past_windows(simulator)
    await poll(hass, freezer, 61)
    assert len(past_windows(simulator)) == 1
    simulator.clear_faults()
    await poll(hass, freezer, max(seconds, 120) + 1)
    await fill_history(hass, freezer)
    # While a day was waited for, the past year has moved on.
    found = await history_rows(hass)
    oldest = min(found[ACCOUNT])
    assert oldest <= dt_util.utcnow().date() - 365 * DAY
    check_rows(found, {day: items for day, items in book.items() if day >= oldest})
    assert len(found[ACCOUNT]) >= 366


async def test_before_the_account_existed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the host refuses what was before the account, everything since is read, to the day."""
    created = TODAY - 217 * DAY
    book = simulator.account.ledger = ledger(218)
    simulator.fault("usage", Refusal(status=400, is_refused=lambda start, end: start < created))
    await setup_entry(hass, entry)
    await fill_for(hass, freezer, 30)
    found = await history_rows(hass)
    check_rows(found, book)
    assert min(found[ACCOUNT]) == created
    assert "cannot be read (invalid_response), and are tried once a day" in caplog.text
    # After a few hours of trying, only one request a day and window is left.
    simulator.requests.clear()
    await fill_for(hass, freezer, 24)
    assert 2 <= len(past_windows(simulator)) <= 4
    # An account can be moved: one day the host answers.
    simulator.clear_faults()
    simulator.account.ledger |= {
        day: items for day, items in ledger(400).items() if day not in book
    }
    await fill_for(hass, freezer, 26)
    assert len((await history_rows(hass))[ACCOUNT]) >= 366


async def test_long_windows_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where long windows time out at the host, shorter ones are requested."""
    book = simulator.account.ledger = ledger(365)
    simulator.fault(
        "usage", Refusal(status=504, is_refused=lambda start, end: (end - start).days > 31)
    )
    await setup_entry(hass, entry)
    for _ in range(40):
        await poll(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert len(found[ACCOUNT]) >= 366


async def test_a_window_in_the_middle_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that the host cannot give hold up no others."""
    broken = TODAY - 150 * DAY
    book = simulator.account.ledger = ledger(365)
    simulator.fault(
        "usage", Refusal(status=500, is_refused=lambda start, end: start <= broken < end)
    )
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    # The other windows come first.
    await poll(hass, freezer)
    await fill_history(hass, freezer, 4)
    assert len((await history_rows(hass))[ACCOUNT]) == 366 - 100
    await fill_for(hass, freezer, 12)
    found = await history_rows(hass)
    missing = set(book) - set(found[ACCOUNT])
    assert broken in missing
    assert len(missing) <= 13
    check_rows(found, {day: items for day, items in book.items() if day not in missing})
    # Once they can be had, they are in their place.
    simulator.clear_faults()
    await fill_for(hass, freezer, 25)
    found = await history_rows(hass)
    check_rows(found, book)


@pytest.mark.parametrize("fault", ["reset", "html_wall", "expired_key", "other_shape"])
async def test_passing_faults(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: str,
) -> None:
    """After a fault that passes, the past is read on."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await poll(hass, freezer, 3)
    simulator.fault("*", fault)
    await fill_history(hass, freezer, 3)
    await fill_for(hass, freezer, 1)
    simulator.clear_faults()
    await fill_for(hass, freezer, 2)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert len(found[ACCOUNT]) >= 366


async def test_a_host_without_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A response that names no days is not taken for days without costs."""
    simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    simulator.account.usage_override = {"object": "list", "total_usage": 4211.5}
    await fill_history(hass, freezer, 3)
    found = await history_rows(hass)
    assert len(found[ACCOUNT]) == 55
    assert all(cost for cost, _ in found[ACCOUNT].values())
