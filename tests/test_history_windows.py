"""Which windows of days are requested in which order, and what becomes of those that fail."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

import pytest

from custom_components.openai_account.history.windows import Window, Windows

DAY = timedelta(days=1)
FIRST = date(2026, 3, 1)
TODAY = date(2026, 11, 24)
TOMORROW = TODAY + DAY


def days(*offsets: int) -> set[date]:
    """Return days by their distance from the first one."""
    return {FIRST + offset * DAY for offset in offsets}


def window(start: int, end: int, failures: int = 0) -> Window:
    """Return a window by the distances of its first day and the day after its last one."""
    return Window(FIRST + start * DAY, FIRST + end * DAY, failures)


def planned(missing: Collection[date], today: date = TODAY, max_days: int = 100) -> Windows:
    """Return windows with a plan for some days."""
    windows = Windows(max_days)
    windows.plan(missing, today)
    return windows


def drain(windows: Windows) -> list[Window]:
    """Return the windows in the order in which they are requested, all with success."""
    result = []
    while (one := windows.next) is not None:
        result.append(one)
        windows.note_success(one)
        assert len(result) < 50, "a window that succeeded is requested again"
    return result


def fail(windows: Windows, *, is_next_known: bool = False, today: date = TODAY) -> bool:
    """Let the next window fail; return whether it is requested again on this day."""
    assert windows.next is not None
    return windows.note_failure(windows.next, today, is_next_known=is_next_known)


def refused(*offsets: int) -> Windows:
    """Return windows without a plan, of which the host refused some days today."""
    windows = planned(days(*offsets))
    while windows.next is not None:
        fail(windows)
    return windows


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ((), []),
        ((7,), [window(7, 8)]),
        (range(10), [window(0, 10)]),
        # A window has ten days at most, gaps included.
        (range(11), [window(1, 11), window(0, 1)]),
        (range(25), [window(15, 25), window(5, 15), window(0, 5)]),
        ((0, 9), [window(0, 10)]),
        ((0, 10), [window(10, 11), window(0, 1)]),
        ((0, 3, 4, 20, 28, 30), [window(28, 31), window(20, 21), window(0, 5)]),
    ],
)
def test_plan(missing: Iterable[int], expected: list[Window]) -> None:
    """Missing days come in as few windows as they fit in, the newest first."""
    windows = Windows(10)
    assert windows.next is None
    windows.plan(days(*missing), TODAY)
    assert drain(windows) == expected


def test_plan_replaces_the_one_before() -> None:
    """A new plan has the days that are missing now, and no others."""
    windows = planned(days(1, 2, 3))
    windows.plan(days(50), TODAY)
    assert drain(windows) == [window(50, 51)]


def test_failed_window_comes_after_the_others() -> None:
    """A window that failed once is whole the second time, when the others were requested."""
    windows = planned(days(*range(30)), max_days=10)
    assert fail(windows) is True
    assert drain(windows) == [window(10, 20), window(0, 10), window(20, 30, 1)]


@pytest.mark.parametrize(("count", "half"), [(20, 10), (21, 10), (100, 50), (14, 7)])
def test_halves(count: int, half: int) -> None:
    """A window that failed twice is requested in halves, the newer one first."""
    windows = planned(days(*range(count)))
    assert fail(windows) is True
    assert windows.next == window(0, count, 1)
    assert fail(windows) is True
    assert drain(windows) == [window(half, count, 1), window(0, half, 1)]


def test_halves_of_halves() -> None:
    """A half that fails is halved at once, until the days are few."""
    windows = planned(days(*range(60)))
    requested = []
    while (one := windows.next) is not None:
        requested.append((one.start, one.end))
        if one.start <= FIRST + 20 * DAY < one.end:
            fail(windows)
        else:
            windows.note_success(one)
    assert requested == [
        (FIRST + start * DAY, FIRST + end * DAY)
        for start, end in (
            (0, 60),
            (0, 60),
            (30, 60),
            (0, 30),
            (15, 30),
            (22, 30),
            (15, 22),
            (0, 15),
        )
    ]


@pytest.mark.parametrize(
    ("count", "is_next_known", "is_halved"),
    [
        (13, False, False),
        (14, False, True),
        # The host's data begins in a window that known days follow.
        (13, True, True),
        (2, True, True),
        (1, True, False),
        (1, False, False),
    ],
)
def test_small_windows(count: int, is_next_known: bool, is_halved: bool) -> None:
    """A small window is only halved where the host's data may begin in it."""
    windows = planned(days(*range(count)))
    assert fail(windows, is_next_known=is_next_known) is True
    assert fail(windows, is_next_known=is_next_known) is is_halved
    assert len(drain(windows)) == (2 if is_halved else 0)


def test_refused_days_are_skipped_until_tomorrow() -> None:
    """What keeps failing is left out today, all days of it and no others."""
    windows = refused(*range(5, 12))
    windows.plan(days(*range(5, 12)), TODAY)
    assert windows.next is None


@pytest.mark.parametrize("offset", [4, 12])
def test_days_beside_refused_ones(offset: int) -> None:
    """The day before the first refused one and the day after the last are requested."""
    windows = refused(*range(5, 12))
    windows.plan(days(offset), TODAY)
    assert drain(windows) == [window(offset, offset + 1)]


def test_refused_days_are_tried_once_a_day() -> None:
    """On the next day the refused days come last, whole, and are skipped again at once."""
    windows = refused(*range(5, 12))
    for today in (TOMORROW, TOMORROW + DAY):
        windows.plan(days(*range(5, 12), 200), today)
        assert windows.next == window(200, 201)
        windows.note_success(window(200, 201))
        assert windows.next == window(5, 12, 2)
        assert fail(windows, is_next_known=True, today=today) is False
        assert windows.next is None
        windows.plan(days(*range(5, 12)), today)
        assert windows.next is None


def test_long_windows_of_refused_days() -> None:
    """Refused days are not tried in halves, however many they are."""
    windows = refused(*range(60))
    windows.plan(days(*range(60)), TOMORROW)
    assert windows.next == window(0, 60, 2)
    assert fail(windows, today=TOMORROW) is False
    windows.plan(days(*range(60)), TOMORROW)
    assert windows.next is None


def test_success_ends_a_refusal() -> None:
    """Days that the host gave after all are new ones when they are missing again."""
    windows = refused(*range(5, 12))
    windows.plan(days(7, 8), TOMORROW)
    assert windows.next == window(7, 9, 2)
    windows.note_success(window(7, 9, 2))
    windows.plan(days(*range(5, 12)), TOMORROW)
    # Those before and after are still refused.
    assert drain(windows) == [window(7, 9), window(5, 12, 2)]


def test_windows_that_are_planned_no_more() -> None:
    """The answer for a window that the plan lost meanwhile does not change the plan."""
    windows = planned(days(1, 2))
    gone = window(20, 30)
    windows.note_success(gone)
    assert windows.note_failure(gone, TODAY, is_next_known=False) is True
    assert windows.note_failure(window(20, 30, 2), TODAY, is_next_known=False) is True
    assert drain(windows) == [window(1, 3)]
    windows.plan(days(*range(20, 30)), TODAY)
    assert drain(windows) == [window(20, 30)]
