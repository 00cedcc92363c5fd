"""How many days to request at once where a response for all of them is too large to read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from datetime import UTC, date, datetime, timedelta

from .costs import CostReport
from .errors import ResponseTooLargeError
from .usage import UsageReport


class Steps:
    """Learns for each kind of request how many days a response can hold.

    Each new UTC day twice as many are tried again, since later days may be smaller.
    """

    def __init__(self) -> None:
        """Start with nothing learned."""
        self._learned_on: date | None = None
        self._days: dict[Hashable, int] = {}

    async def fetch[ReportT](
        self,
        kind: Hashable,
        start: date,
        end: date,
        fetch: Callable[[date, date], Awaitable[ReportT]],
    ) -> ReportT:
        """Return what `fetch` reports of the days from `start` on, `end` excluded.

        Those are as many days as one response can hold. Raises `ResponseTooLargeError` where
        it cannot hold one.
        """
        today = datetime.now(UTC).date()
        if self._learned_on != today:
            self._learned_on = today
            self._days = {kind: 2 * days for kind, days in self._days.items()}
        while True:
            wanted = (end - start).days
            days = min(wanted, self._days.get(kind, wanted))
            try:
                return await fetch(start, start + timedelta(days=days))
            except ResponseTooLargeError:
                if days == 1:
                    raise
                self._days[kind] = (days + 1) // 2


async def in_parts[ReportT: (CostReport, UsageReport)](
    start: date, end: date, fetch: Callable[[date], Awaitable[ReportT]]
) -> AsyncIterator[ReportT]:
    """Yield reports of all days before `end`; `fetch` reports the first ones from a day on."""
    while start < end:
        part = await fetch(start)
        yield part
        start = part.today + timedelta(days=1)
