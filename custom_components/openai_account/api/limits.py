"""How much time and how many bytes one fetch may take, with all its requests.

A fetch is one call of a public method of the client. It can take many requests: the
prefixes of a path, the pages of a response, and the parts of one that is too large.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Final

from .errors import CannotConnectError, TooMuchDataError

MAX_SECONDS: Final = 60.0
MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class _Limits:
    ends: float
    bytes_left: int


_LIMITS: ContextVar[_Limits | None] = ContextVar(f"{__name__}.limits", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let all fetches inside together end within some seconds, and share one bound of bytes.

    A fetch that does not end in time raises `CannotConnectError`; so does each later one.
    Inside another such limit, that one holds alone.
    """
    if _LIMITS.get():
        yield
        return
    token = _LIMITS.set(_Limits(asyncio.get_running_loop().time() + seconds, MAX_BYTES))
    try:
        yield
    finally:
        _LIMITS.reset(token)


def limited[**ArgsT, ResultT](
    fetch: Callable[ArgsT, Awaitable[ResultT]],
) -> Callable[ArgsT, Awaitable[ResultT]]:
    """Limit a method of the client. What a limited method calls shares its limits."""

    @wraps(fetch)
    async def limited_fetch(*args: ArgsT.args, **kwargs: ArgsT.kwargs) -> ResultT:
        async with _limits():
            return await fetch(*args, **kwargs)

    return limited_fetch


@asynccontextmanager
async def _limits() -> AsyncIterator[None]:
    ends = asyncio.get_running_loop().time() + MAX_SECONDS
    if outer := _LIMITS.get():
        token = None
        ends = min(ends, outer.ends)
    else:
        token = _LIMITS.set(_Limits(ends, MAX_BYTES))
    try:
        async with asyncio.timeout_at(ends):
            yield
    except TimeoutError as err:
        raise CannotConnectError("No complete response in time") from err
    finally:
        if token:
            _LIMITS.reset(token)


def count_bytes(count: int) -> None:
    """Count bytes that were received; raises `TooMuchDataError` for too many."""
    if limits := _LIMITS.get():
        limits.bytes_left -= count
        if limits.bytes_left < 0:
            raise TooMuchDataError("The responses are too large")
