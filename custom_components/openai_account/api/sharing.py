"""Responses that serve two purposes, so that each is requested once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

# Within this many seconds, two requests belong to the same poll.
MAX_AGE: Final = 60.0


@dataclass(slots=True)
class _Response[DataT]:
    request: Hashable
    received: float
    data: DataT
    purposes: set[str] = field(default_factory=set)


class SharedResponse[DataT]:
    """The last response of an endpoint, until it has served its purposes or is too old."""

    def __init__(self) -> None:
        """Start without one."""
        self._response: _Response[DataT] | None = None
        self._lock = asyncio.Lock()

    async def get(
        self, request: Hashable, purpose: str, send: Callable[[], Awaitable[DataT]]
    ) -> DataT:
        """Return a response that has not served this purpose yet, sending a request if needed.

        The response to another request is not used. What fails is not shared.
        """
        now = asyncio.get_running_loop().time
        async with self._lock:
            known = self._response
            if (
                known is None
                or known.request != request
                or purpose in known.purposes
                or now() - known.received > MAX_AGE
            ):
                self._response = None
                data = await send()
                self._response = known = _Response(request, now(), data)
            known.purposes.add(purpose)
            return known.data

    def clear(self) -> None:
        """Forget the response."""
        self._response = None
