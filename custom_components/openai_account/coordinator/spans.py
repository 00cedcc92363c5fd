"""Days whose costs are too many for one poll: they are fetched over several.

What was received is kept until the rest has come, within the UTC day. So a poll can end
early, at its limit of bytes or time, without all of it being requested again.
"""

from __future__ import annotations

from datetime import date, timedelta

from ..api import CostReport, OpenAIAccountClient, OpenAIAccountError, RateLimitedError, time_limit

# All requests of one poll for a span end after this time.
_SECONDS = 60.0

_DAY = timedelta(days=1)


class LongSpans:
    """Fetches spans of days, over as many polls as they take. Never stored."""

    def __init__(self, client: OpenAIAccountClient) -> None:
        """Start with nothing fetched."""
        self._client = client
        self._today = date.min
        self._begun: dict[tuple[date, date], CostReport] = {}
        self._has_received = False
        self._is_unfinished = False

    def start_poll(self, today: date) -> None:
        """Begin a poll; what was fetched on another UTC day may have changed since."""
        if self._today != today:
            self._today = today
            self._begun.clear()
        self._has_received = self._is_unfinished = False

    @property
    def continues(self) -> bool:
        """Whether this poll has received days and left others to the next one."""
        return self._has_received and self._is_unfinished

    async def fetch(self, start: date, end: date) -> CostReport:
        """Fetch the costs of some UTC days, `end` excluded.

        Raises the client's errors. The next call continues where one has failed.
        """
        span = start, end
        report = self._begun.pop(span, None)
        try:
            with time_limit(_SECONDS):
                while report is None or report.today + _DAY < end:
                    first = start if report is None else report.today + _DAY
                    part = await self._client.costs_from(first, end)
                    self._has_received = True
                    report = part if report is None else CostReport.joined([report, part])
        except OpenAIAccountError as err:
            if report is not None:
                self._begun[span] = report
            self._is_unfinished = not isinstance(err, RateLimitedError)
            raise
        return report
