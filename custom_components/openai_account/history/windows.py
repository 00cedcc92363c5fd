"""Which days of the past to request next, and what to do where a host refuses some.

Windows are requested newest first. One that fails is tried again after the others,
then in halves. What keeps failing is skipped, and tried once a day. Where the responses
for one are too large, all are halved at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

# Smaller windows are halved only where known days follow: there the host's data begins.
_SMALL_DAYS = 13

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Days to request in one go: the first, and the one after the last. `failures` so far."""

    start: date
    end: date
    failures: int = 0

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.end - self.start).days

    @property
    def each_day(self) -> list[date]:
        """The days themselves."""
        return [self.start + offset * _DAY for offset in range(self.days)]


class Windows:
    """The windows that are still to be requested."""

    def __init__(self, max_days: int) -> None:
        """Start with nothing to request; a window has so many days at most."""
        self._max_days = max_days
        self._windows: list[Window] = []
        # Days that the host refused, and when that was.
        self._refused: dict[date, date] = {}

    def plan(self, missing: Collection[date], today: date) -> None:
        """Plan the requests for all missing days, but those refused today."""
        fresh = [day for day in missing if day not in self._refused]
        again = [day for day in missing if self._refused.get(day, today) != today]
        self._windows = [
            *_split(fresh, self._max_days),
            *(replace(one, failures=2) for one in _split(again, self._max_days)),
        ]

    @property
    def next(self) -> Window | None:
        """The window to request next, if any."""
        return min(
            self._windows,
            # What has not failed comes first, and what is newer.
            key=lambda window: (window.failures, -window.end.toordinal()),
            default=None,
        )

    def note_success(self, window: Window) -> None:
        """Take a window as done."""
        if window in self._windows:
            self._windows.remove(window)
        for day in window.each_day:
            self._refused.pop(day, None)

    def note_too_large(self, window: Window) -> bool:
        """Plan smaller windows from now on; return False where one day is too large."""
        if window.days == 1:
            return False
        self._max_days = (window.days + 1) // 2
        self._windows = [
            replace(part, failures=one.failures)
            for one in self._windows
            for part in _split(one.each_day, self._max_days)
        ]
        return True

    def note_failure(self, window: Window, today: date, *, is_next_known: bool) -> bool:
        """Plan a failed window anew; return False where it is skipped until tomorrow.

        `is_next_known` tells whether the day after the window is known.
        """
        if window not in self._windows:
            # The plan has changed meanwhile.
            return True
        self._windows.remove(window)
        if window.failures == 0:
            self._windows.append(replace(window, failures=1))
            return True
        if window.failures == 1 and window.days > (1 if is_next_known else _SMALL_DAYS):
            middle = window.start + (window.days // 2) * _DAY
            self._windows += [replace(window, start=middle), replace(window, end=middle)]
            return True
        self._refused.update(dict.fromkeys(window.each_day, today))
        return False


def _split(days: Collection[date], max_days: int) -> Iterator[Window]:
    """Yield windows that hold all of some days, the newest first."""
    last: date | None = None
    start = date.max
    for day in sorted(days, reverse=True):
        if last is not None and (last - day).days >= max_days:
            yield Window(start, last + _DAY)
            last = None
        if last is None:
            last = day
        start = day
    if last is not None:
        yield Window(start, last + _DAY)
