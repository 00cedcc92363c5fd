"""What Home Assistant's own readers show of the history, in many time zones."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, fill_history, poll, setup_entry, state
from .history import DAY, Ledger, bars, card, dollars, ledger, most_rows_of_a_day

pytestmark = pytest.mark.usefixtures("recorder_mock")

ZONES = (
    "Pacific/Honolulu",
    "America/Los_Angeles",
    "America/St_Johns",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Auckland",
)
# Beyond a day's reach, and off by a quarter of an hour.
FAR_ZONES = ("Pacific/Pago_Pago", "Pacific/Chatham", "Pacific/Kiritimati")


def month(day: date, offset: int) -> tuple[date, date]:
    """Return the first days of a month and of the next one."""
    months = day.year * 12 + day.month - 1 + offset
    first, after = (date(one // 12, one % 12 + 1, 1) for one in (months, months + 1))
    return first, after


def periods(today: date) -> dict[tuple[str, int], tuple[date, date]]:
    """Return the local days, without the last, of the calendar periods of a Statistic card."""
    monday = today - today.weekday() * DAY
    result = {("day", -back): (today - back * DAY, today - (back - 1) * DAY) for back in range(40)}
    for back in range(9):
        first = monday - 7 * back * DAY
        result["week", -back] = first, first + 7 * DAY
    for back in range(12):
        result["month", -back] = month(today, -back)
    for back in range(2):
        result["year", -back] = date(today.year - back, 1, 1), date(today.year - back + 1, 1, 1)
    return result


def cost(book: Ledger, first: date, end: date) -> float | None:
    """Return what some days cost by the ledger; None without any day that has begun."""
    days = [first + offset * DAY for offset in range((end - first).days)]
    known = [day for day in days if day in book]
    return sum(dollars(book, day) for day in known) if known else None


async def check_all(hass: HomeAssistant, book: Ledger) -> None:
    """Hold all readers to the ledger; its days are those of the history."""
    now = dt_util.now()
    for (period, offset), (first, end) in periods(now.date()).items():
        shown = await card(hass, period, offset)
        # In the west, a UTC day begins before the local day of its date.
        expected = cost(book, first, min(end, now.date() + DAY))
        if first == now.date() and now - dt_util.start_of_local_day() < timedelta(hours=2):
            # A statistic that has no values of five minutes says nothing in its first hour.
            expected = None if shown is None else expected
        assert shown == (expected and pytest.approx(expected, abs=1e-6)), (period, offset, now)
    assert await bars(hass, "day") == pytest.approx({day: dollars(book, day) for day in book})
    weeks: dict[date, float] = {}
    months: dict[date, float] = {}
    for day in book:
        monday, first = day - day.weekday() * DAY, day.replace(day=1)
        weeks[monday] = weeks.get(monday, 0.0) + dollars(book, day)
        months[first] = months.get(first, 0.0) + dollars(book, day)
    assert await bars(hass, "week") == pytest.approx(weeks)
    assert await bars(hass, "month") == pytest.approx(months)


@pytest.mark.parametrize(
    ("zone", "now"),
    [
        # The year has just turned; in the west it is still the day before.
        *((zone, "2027-01-02 05:30:00+00:00") for zone in (*ZONES, *FAR_ZONES)),
        ("America/Los_Angeles", "2027-03-16 14:00:00+00:00"),
        ("Europe/Berlin", "2027-03-30 21:30:00+00:00"),
    ],
)
async def test_calendar_periods(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    zone: str,
    now: str,
) -> None:
    """Cards and graphs show the costs of their dates, over changes of time and of the year."""
    freezer.move_to(now)
    await hass.config.async_set_time_zone(zone)
    today = dt_util.utcnow().date()
    book = simulator.account.ledger = ledger(366, ("gpt-5.5",), today)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 6)
    await check_all(hass, book)
    assert await most_rows_of_a_day(hass) == 2


@pytest.mark.parametrize(
    "zone", ["America/Los_Angeles", "America/St_Johns", "Europe/Berlin", "Pacific/Auckland"]
)
@pytest.mark.freeze_time("2026-10-23 23:30:00+00:00")
async def test_every_hour(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    zone: str,
) -> None:
    """The card shows today's cost at every hour but a local day's first, as the sensors do.

    Berlin's summer time ends on the way.
    """
    await hass.config.async_set_time_zone(zone)
    book = simulator.account.ledger = ledger(30, ("gpt-5.5",), date(2026, 10, 23))
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 6)
    for hour in range(50):
        freezer.tick(3600)
        today = dt_util.utcnow().date()
        book[today] = [LineItem("gpt-5.5, input", 100.0 + hour)]
        await poll(hass, freezer)
        local = dt_util.now()
        first_hours = timedelta(hours=2 if zone == "America/St_Johns" else 1)
        if local.date() == today and local - dt_util.start_of_local_day() >= first_hours:
            assert await card(hass, "day") == pytest.approx(
                float(state(hass, "cost_today")), abs=1e-6
            )
            assert await card(hass, "day", -1) == pytest.approx(
                float(state(hass, "cost_yesterday")), abs=1e-6
            )
            assert await card(hass, "month") == pytest.approx(
                float(state(hass, "cost_this_month")), abs=1e-6
            )
        if local.date() > today:
            # The local day has begun before the UTC day: nothing is known of it.
            assert await card(hass, "day") is None
            assert await card(hass, "day", -1) == pytest.approx(
                float(state(hass, "cost_today")), abs=1e-6
            )
    assert await most_rows_of_a_day(hass) == 2


@pytest.mark.freeze_time(datetime(2026, 11, 24, 21, 30, tzinfo=dt_util.UTC))
async def test_models(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A model that costs something now and then shows it in the periods of those days."""
    today = dt_util.utcnow().date()
    book = simulator.account.ledger = ledger(100, ("gpt-5.5",), today)
    sometimes: Ledger = {
        today - back * DAY: [LineItem("o3, input", 100.0 + back)] for back in (0, 1, 6, 23, 24, 60)
    }
    for day, items in sometimes.items():
        book[day] = [*book[day], *items]
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 6)
    statistic = "openai_account:org_simulatedexamplehome01_cost_o3"
    for (period, offset), (first, end) in periods(dt_util.now().date()).items():
        shown = await card(hass, period, offset, statistic)
        expected = cost(sometimes, first, end)
        # A card that shows nothing for a period without costs is fine, and so is a 0.
        assert (shown or 0.0) == pytest.approx(expected or 0.0), (period, offset)
    shown_bars = await bars(hass, "day", statistic_id=statistic)
    assert {day: bar for day, bar in shown_bars.items() if bar} == pytest.approx(
        {day: dollars(sometimes, day) for day in sometimes}
    )
