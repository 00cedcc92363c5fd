"""Days whose costs are too many for one poll: they are fetched over several.

What was received is kept for an hour, within the UTC day, until the rest has come. So a poll
can end early, at its limit of bytes or time, without all of it being requested again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from homeassistant.util import dt as dt_util

from ..api import (
    CostReport,
    InvalidResponseError,
    OpenAIAccountClient,
    OpenAIAccountError,
    RateLimitedError,
    in_parts,
    time_limit,
)

# All requests of one poll for a span end after this time.
_SECONDS = 60.0

# Days that were received longer ago may have changed since.
_KEPT = timedelta(hours=1)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What has been received of a span, and when the last part of that was (UTC)."""

    parts: list[CostReport]
    received: datetime


class LongSpans:
    """Fetches spans of days, over as many polls as they take. Never stored."""

    def __init__(self, client: OpenAIAccountClient) -> None:
        """Start with nothing fetched."""
        self._client = client
        self._begun: dict[tuple[date, date], _Begun] = {}
        # Whether this poll has received days of a span and left others of it to the next poll
        self.continues = False

    def start_poll(self) -> None:
        """Begin a poll."""
        self.continues = False

    async def fetch(self, start: date, end: date) -> CostReport:
        """Fetch the costs of some UTC days, `end` excluded.

        Raises the client's errors. The next call continues where one has failed.
        """
        span = start, end
        received = dt_util.utcnow()
        parts: list[CostReport] = []
        if (begun := self._begun.pop(span, None)) and _is_fresh(begun, received):
            parts, received = begun.parts, begun.received
        known = len(parts)
        first = parts[-1].today + _DAY if parts else start
        try:
            with time_limit(_SECONDS):
                async for part in in_parts(
                    first, end, lambda day: self._client.costs_from(day, end)
                ):
                    if parts and not part.complete:
                        raise InvalidResponseError("The response has no days")
                    parts.append(part)
                    received = dt_util.utcnow()
        except OpenAIAccountError as err:
            if parts:
                self._begun[span] = _Begun(parts, received)
            # A host that asks to wait is not pressed, whatever else there is to continue.
            is_asked_to_wait = isinstance(err, RateLimitedError)
            self.continues = (self.continues or len(parts) > known) and not is_asked_to_wait
            raise
        return CostReport.joined(parts)


def _is_fresh(begun: _Begun, now: datetime) -> bool:
    is_same_day = begun.received.date() == now.date()
    return is_same_day and timedelta() <= now - begun.received <= _KEPT
