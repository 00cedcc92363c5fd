"""Which part of a series a poll requests, and how it goes together with what is known.

OpenAI can still change the last days of a series, so an ordinary poll requests only those.
The whole series is requested at first and once per UTC day: that brings what was corrected
later than usual, and whatever was missed, since a day can only be missed across midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime


class WholeOnceADay:
    """Tells when to request the whole series. Never stored: a reload begins anew."""

    def __init__(self) -> None:
        """Start with nothing requested."""
        self._requested_on: date | None = None

    def is_due(self, today: date) -> bool:
        """Return whether the whole was not received on this UTC day; no matter why."""
        return self._requested_on != today

    def note_success(self, today: date) -> None:
        """Record that the whole was received."""
        self._requested_on = today

    def forget(self) -> None:
        """Record that what was received is of no use anymore."""
        self._requested_on = None


def replaced[TimeT: (date, datetime), ValueT](
    known: Mapping[TimeT, ValueT], fetched: Mapping[TimeT, ValueT], start: TimeT, end: TimeT
) -> dict[TimeT, ValueT]:
    """Return what is known, in which what was fetched replaces all from `start` to before `end`.

    Days or hours in that span that were not fetched are empty now. What still has the
    same value stays the same object, so that comparing it takes no time.
    """
    result = {time: value for time, value in known.items() if not start <= time < end}
    for time, value in fetched.items():
        result[time] = known[time] if known.get(time) == value else value
    return dict(sorted(result.items()))
