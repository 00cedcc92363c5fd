"""Which rows of statistics are written: as few as possible, with sums that add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from custom_components.openai_account.history.rows import LocalDays, Row, Table, rows_to_write

D1, D2, D3, D4 = (date(2026, 3, day) for day in range(1, 5))
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
EMPTY = Table({})


def at(day: date, hour: int = 0) -> datetime:
    """Return an hour of a UTC day."""
    return datetime.combine(day, time(hour), UTC)


def write(
    table: Table,
    values: Mapping[date, float],
    *,
    zone: tzinfo = UTC,
    now: datetime = NOW,
    is_dense: bool = True,
    since: date | None = None,
) -> dict[datetime, Row]:
    """Return the rows to write; those of a table that has them already are none."""
    days = LocalDays(zone)
    rows = rows_to_write(table, values, days, now, is_dense=is_dense, since=since)
    whole = Table(dict(sorted({**table.rows, **rows}.items())), table.before)
    assert rows_to_write(whole, values, days, now, is_dense=is_dense, since=since) == {}
    assert rows_to_write(whole, {}, days, now, is_dense=is_dense, since=since) == {}
    return rows


def test_every_day_of_a_dense_series() -> None:
    """A day has a row in its first hour and, once the next day is known, in its last one."""
    assert write(EMPTY, {D1: 1.5, D2: 0.0, D3: 2.0}) == {
        at(D1): Row(1.5, 1.5, D1),
        at(D1, 23): Row(1.5, 1.5, D1),
        at(D2): Row(0.0, 1.5, D2),
        at(D2, 23): Row(0.0, 1.5, D2),
        at(D3): Row(2.0, 3.5, D3),
    }
    assert write(EMPTY, {D1: 0.0}) == {at(D1): Row(0.0, 0.0, D1)}


def test_gaps() -> None:
    """Before a day that follows a gap stands a row with the same sum.

    It says nothing of its day in a dense series, where another has no value then.
    """
    values = {D1: 1.5, D3: 2.0}
    first, last = {at(D1): Row(1.5, 1.5, D1)}, {at(D3): Row(2.0, 3.5, D3)}
    assert write(EMPTY, values) == {**first, at(D2, 23): Row(None, 1.5, None), **last}
    expected = {**first, at(D2, 23): Row(0.0, 1.5, D2), **last}
    assert write(EMPTY, values, is_dense=False) == expected
    # Days without a value make no row there.
    assert write(EMPTY, {**values, D2: 0.0, D4: 0.0}, is_dense=False) == expected


def test_nothing_to_write() -> None:
    """Without any day there is no row."""
    assert write(EMPTY, {}) == {}
    assert write(EMPTY, {D1: 0.0}, is_dense=False) == {}


@pytest.mark.parametrize("is_dense", [True, False])
def test_day_becomes_empty(is_dense: bool) -> None:
    """A value that is corrected to 0 moves the sums of all later rows, in each kind of series."""
    table = Table(write(EMPTY, {D1: 1.0, D2: 2.0, D3: 4.0}, is_dense=is_dense))
    assert write(table, {D2: 0.0}, is_dense=is_dense) == {
        at(D2): Row(0.0, 1.0, D2),
        at(D2, 23): Row(0.0, 1.0, D2),
        at(D3): Row(4.0, 5.0, D3),
    }


@pytest.mark.parametrize("is_dense", [True, False])
def test_day_before_all_rows(is_dense: bool) -> None:
    """A day before the first row adds to the sums of all rows; none is put before its own."""
    table = Table(write(EMPTY, {D3: 4.0, D4: 8.0}, is_dense=is_dense))
    between = Row(None, 1.0, None) if is_dense else Row(0.0, 1.0, D2)
    assert write(table, {D1: 1.0}, is_dense=is_dense) == {
        at(D1): Row(1.0, 1.0, D1),
        at(D2, 23): between,
        at(D3): Row(4.0, 5.0, D3),
        at(D3, 23): Row(4.0, 5.0, D3),
        at(D4): Row(8.0, 13.0, D4),
    }


@pytest.mark.parametrize("is_dense", [True, False])
@pytest.mark.parametrize("before", [5.0, 0.0, -2.5])
def test_rows_that_were_not_read(is_dense: bool, before: float) -> None:
    """A series that has rows, but no recent ones, goes on from their sum, also from 0."""
    between = Row(None, before, None) if is_dense else Row(0.0, before, D3)
    table = Table({}, before)
    assert write(table, {D4: 2.0}, is_dense=is_dense, since=D4) == {
        at(D3, 23): between,
        at(D4): Row(2.0, before + 2.0, D4),
    }


def test_only_the_days_since_one() -> None:
    """What stands before the rows that were read stays as it is."""
    table = Table({at(D2): Row(1.0, 6.0, D2)}, 5.0)
    assert write(table, {D3: 2.0}, since=D3) == {
        at(D2, 23): Row(1.0, 6.0, D2),
        at(D3): Row(2.0, 8.0, D3),
    }
    # Of a whole table, every day gets what it lacks.
    assert write(Table({at(D2, 5): Row(1.0, 6.0, D2)}, 5.0), {D3: 2.0}).keys() == {
        *(at(D1, 23), at(D2, 23), at(D3))
    }


@pytest.mark.parametrize(
    ("hour", "now", "is_enough"),
    [
        (5, at(D4), True),
        (0, at(D4), True),
        (22, at(D4), True),
        # That is the day's last row.
        (23, at(D4), False),
        # A query that ends now only finds rows whose hours are over.
        (5, at(D1, 6), True),
        (5, at(D1, 6) - timedelta(seconds=1), False),
        (5, at(D1, 4), False),
    ],
)
def test_first_row_of_a_day(hour: int, now: datetime, is_enough: bool) -> None:
    """A row anywhere in a day, as of a former release, can stand for that in the first hour."""
    table = Table({at(D1, hour): Row(3.0, 3.0, D1)})
    expected = {} if is_enough else {at(D1): Row(3.0, 3.0, D1)}
    assert write(table, {}, now=now) == expected


@pytest.mark.parametrize(
    ("former", "row"),
    [
        # Of another day, in another time zone
        (Row(0.0, 7.0, D1), Row(0.0, 7.0, D2)),
        # Written by another hand
        (Row(None, 7.0, D2), Row(0.0, 7.0, D2)),
        (Row(0.0, 6.0, D2), Row(0.0, 7.0, D2)),
        (Row(0.0, 7.5, D2), Row(0.0, 7.0, D2)),
        (Row(None, 7.0, None), Row(0.0, 7.0, D2)),
        (Row(0.0, 7.0, D2), None),
    ],
)
def test_rows_that_differ(former: Row, row: Row | None) -> None:
    """A row that says anything else is written again, one that says the same is not."""
    rows = {at(D2): Row(0.0, 7.0, D2), at(D2, 5): former}
    assert write(Table(rows, 7.0), {}, since=D3) == ({at(D2, 5): row} if row else {})


def test_row_of_an_unknown_day() -> None:
    """A row where nothing is known of the day has no value, whatever it had."""
    rows = {at(D1): Row(2.0, 2.0, D1), at(D3): Row(1.0, 3.0, D3)}
    for former in (Row(None, 1.0, None), Row(0.0, 2.0, None), Row(1.0, 2.0, None)):
        table = Table(dict(sorted({**rows, at(D2, 23): former}.items())))
        assert write(table, {}) == {at(D2, 23): Row(None, 2.0, None)}
    table = Table(dict(sorted({**rows, at(D2, 23): Row(None, 2.0, None)}.items())))
    assert write(table, {}) == {}


def test_noise() -> None:
    """Sums have ten digits; what differs by less than a billionth is the same."""
    row = write(EMPTY, {D1: 0.12345678949})[at(D1)]
    assert row == Row(0.12345678949, 0.1234567895, D1)
    table = Table({at(D1): Row(0.0, 0.0, D1)})
    assert write(table, {D1: 0.9e-9}) == {}
    assert write(table, {D1: 0.5}) == {at(D1): Row(0.5, 0.5, D1)}
    # The sum, or the value, alone
    assert write(Table(table.rows, 0.9e-9), {}, since=D2) == {}
    assert write(Table(table.rows, 1e-9), {}, since=D2) == {at(D1): Row(0.0, 1e-9, D1)}
    table = Table({at(D1): Row(0.0, 1e-9, D1)})
    assert write(table, {D1: 1e-9}) == {at(D1): Row(1e-9, 1e-9, D1)}
    assert write(Table({at(D1): Row(-0.5, 0.5, D1)}), {D1: 0.5}) == {at(D1): Row(0.5, 0.5, D1)}


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("UTC", at(D2), at(D2, 23)),
        ("Europe/Berlin", at(D1, 23), at(D2, 22)),
        ("America/New_York", at(D2, 5), at(D3, 4)),
        # Local days begin within an hour: its next one is the first that is whole.
        ("Asia/Kolkata", at(D1, 19), at(D2, 18)),
        ("Asia/Kathmandu", at(D1, 19), at(D2, 18)),
        ("Pacific/Chatham", at(D1, 11), at(D2, 10)),
    ],
)
def test_hours_of_a_day(zone: str, first: datetime, last: datetime) -> None:
    """A UTC day is shown as the local day of its date."""
    days = LocalDays(ZoneInfo(zone))
    for _ in range(2):
        assert days.first_hour(D2) == first
        assert days.last_hour(D2) == last
    assert days.day_of(first) == days.day_of(last) == D2
    assert days.first_hour(D3) == last + timedelta(hours=1)
    assert write(EMPTY, {D2: 1.0, D3: 2.0}, zone=ZoneInfo(zone)) == {
        first: Row(1.0, 1.0, D2),
        last: Row(1.0, 1.0, D2),
        last + timedelta(hours=1): Row(2.0, 3.0, D3),
    }


def test_change_of_time_zone() -> None:
    """Rows in what were the first and last hours get the value of the day that they are in."""
    table = Table(write(EMPTY, {D1: 1.0, D2: 2.0, D3: 4.0}))
    assert write(table, {}, zone=ZoneInfo("Asia/Kolkata")) == {
        at(D1, 18): Row(1.0, 1.0, D1),
        at(D1, 23): Row(2.0, 3.0, D2),
        at(D2, 18): Row(2.0, 3.0, D2),
        at(D2, 23): Row(4.0, 7.0, D3),
    }
