"""Responses that serve two purposes, so that each is requested once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from .parsing import JsonObject

# Within this many seconds, two requests belong to the same poll.
MAX_AGE: Final = 60.0


@dataclass(slots=True)
class _Response:
    request: Hashable
    received: float
    data: JsonObject
    purposes: set[str] = field(default_factory=set)


class SharedResponses:
    """The last response of each path, until it has served its purposes or is too old."""

    def __init__(self) -> None:
        """Start without any."""
        self._responses: dict[str, _Response] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(
        self,
        path: str,
        request: Hashable,
        purpose: str,
        send: Callable[[], Awaitable[JsonObject]],
    ) -> JsonObject:
        """Return a response that has not served this purpose yet, sending a request if needed.

        Responses to other requests for the path are not used. What fails is not shared.
        """
        now = asyncio.get_running_loop().time
        async with self._locks[path]:
            known = self._responses.get(path)
            if (
                known is None
                or known.request != request
                or purpose in known.purposes
                or now() - known.received > MAX_AGE
            ):
                self._responses.pop(path, None)
                known = _Response(request, 0.0, await send())
                known.received = now()
                self._responses[path] = known
            known.purposes.add(purpose)
            return known.data

    def clear(self) -> None:
        """Forget the responses."""
        self._responses.clear()
