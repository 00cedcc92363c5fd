"""Which rows of statistics a series of daily values needs, so that every reader adds up right.

A UTC day is shown as the local day of the same date. It has two rows, in the first
and in the last hour of that local day, so that whatever is read from one local midnight
to another (a bar of a graph, a calendar period of a Statistic card) has exactly the
values of its dates:

- The row in the first hour makes a day visible as soon as it has begun, also to a query
  that ends now.
- A Statistic card takes the first row at or after *one hour before* a period's start for
  the sum at its start. That is the row in the last hour of the day before. It is written
  with the day that follows, so the current day has one row.

Both have the day's value as state, the sum of all days up to it, and the day's start
(midnight UTC) as last reset. The last reset tells which day a row is of, in whatever
time zone it was written. Rows of former releases have no last reset; they stand at
10:00 UTC of their day.

Rows are never deleted, only overwritten. After the time zone was changed, rows stand in
what were the first and last hours. They get the value of the local day that they are in
now, which changes no sum over local days, and the rows that are missing are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

# Sums and values are rounded to so many digits; what differs by less is the same.
_DIGITS = 10
_NOISE = 1e-9
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the value of a UTC day, and the sum of all days up to it.

    `day` and `state` are None where nothing is known of the day that the row is in.
    """

    state: float | None
    sum: float
    day: date | None

    def equals(self, other: Row | None) -> bool:
        """Return whether another row says the same."""
        if other is None or self.day != other.day or (self.state is None) != (other.state is None):
            return False
        return (
            abs(self.sum - other.sum) < _NOISE
            and abs((self.state or 0.0) - (other.state or 0.0)) < _NOISE
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a statistic by their hours, in order, and the sum before them.

    `before` is None where no row precedes them.
    """

    rows: Mapping[datetime, Row]
    before: float | None = None


class LocalDays:
    """The hours, in UTC, in which the days of a time zone begin and end."""

    def __init__(self, zone: tzinfo) -> None:
        """Take the time zone."""
        self.zone = zone
        self._first_hours: dict[date, datetime] = {}

    def first_hour(self, day: date) -> datetime:
        """Return the first whole hour of a local day."""
        if (hour := self._first_hours.get(day)) is None:
            midnight = datetime.combine(day, time.min, self.zone).astimezone(UTC)
            hour = midnight.replace(minute=0, second=0, microsecond=0)
            if hour < midnight:
                hour += HOUR
            self._first_hours[day] = hour
        return hour

    def last_hour(self, day: date) -> datetime:
        """Return the hour in which a local day ends."""
        return self.first_hour(day + DAY) - HOUR

    def day_of(self, hour: datetime) -> date:
        """Return the local day in which an hour begins."""
        return hour.astimezone(self.zone).date()


def rows_to_write(
    table: Table,
    values: Mapping[date, float],
    days: LocalDays,
    now: datetime,
    *,
    is_dense: bool,
    since: date | None = None,
) -> dict[datetime, Row]:
    """Return the rows that differ from a table's once it has the values of some UTC days.

    A dense series has rows for every known day, so that its rows tell which days are known.
    In another one, days of no row have the value 0. With `since`, the table has
    only the rows from the local day before that one on, and there are others before.
    """
    known = {row.day: row.state or 0.0 for row in table.rows.values() if row.day is not None}
    known.update((day, value) for day, value in values.items() if is_dense or value or day in known)
    known = dict(sorted(known.items()))
    shown = [day for day, value in known.items() if is_dense or value]
    hours = _hours(table, shown, days, now, since)
    result: dict[datetime, Row] = {}
    total = table.before or 0.0
    pending = iter([*known.items(), (date.max, 0.0)])
    day, value = next(pending)
    for hour in sorted(hours):
        local_day = days.day_of(hour)
        while day <= local_day:
            total = round(total + value, _DIGITS)
            day, value = next(pending)
        if local_day in known:
            row = Row(known[local_day], total, local_day)
        elif is_dense:
            row = Row(None, total, None)
        else:
            row = Row(0.0, total, local_day)
        if not row.equals(table.rows.get(hour)):
            result[hour] = row
    return result


def _hours(
    table: Table, shown: Iterable[date], days: LocalDays, now: datetime, since: date | None
) -> set[datetime]:
    """Return the hours that need a row: those that have one, and the first and last ones."""
    hours = set(table.rows)
    # Any row within a day will do for its first, as long as a query that ends now finds it.
    seen = {
        day
        for hour in table.rows
        if hour + HOUR <= now and hour != days.last_hour(day := days.day_of(hour))
    }
    earliest = min(table.rows, default=_NEVER) if table.before is None else _LONG_AGO
    for day in shown:
        hour = days.first_hour(day)
        if since is None or day >= since:
            if day not in seen:
                hours.add(hour)
            if earliest < hour:
                hours.add(hour - HOUR)
        earliest = min(earliest, hour)
    return hours
