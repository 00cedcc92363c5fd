"""Buckets of time, in pages: what the official costs and usage have in common."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
import hashlib
import json

from .contract import WIDTHS, BucketEndpoint
from .ledger import DAY_SECONDS, JSON, LineItem
from .query import Query, RequestError

# The responses for past days are kept up to so many characters.
_MAX_KEPT = 64_000_000

type Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A span of time within one UTC day, in unix seconds; `end` is not part of it."""

    start: int
    end: int

    @property
    def day(self) -> date:
        """The UTC day that it lies in."""
        return datetime.fromtimestamp(self.start, UTC).date()

    @property
    def seconds(self) -> tuple[int, int]:
        """The seconds of the day that it goes from and to."""
        first = self.start % DAY_SECONDS
        return first, first + self.end - self.start


class Cache:
    """Keeps the text of buckets that no longer change."""

    def __init__(self) -> None:
        """Start empty."""
        self._texts: dict[Key, str] = {}
        self._size = 0

    def get(self, key: Key, make: Callable[[], str]) -> str:
        """Return a bucket's text, made where it is not there."""
        if (found := self._texts.get(key)) is None:
            found = make()
            if self._size > _MAX_KEPT:
                self._texts.clear()
                self._size = 0
            self._texts[key] = found
            self._size += len(found)
        return found


def page_of(
    endpoint: BucketEndpoint,
    query: Query,
    now: datetime,
    cap: int | None,
    text_of: Callable[[Bucket], str],
) -> str:
    """Return a page of buckets as JSON; raise `RequestError` for a request without one.

    The first bucket starts at `start_time`, the others at whole minutes, hours or days.
    A page holds no more daily buckets than `cap`. No bucket lies in the future.
    """
    width_name = query.texts.get("bucket_width", "1d")
    width = WIDTHS[width_name]
    default, most = endpoint.limits[width_name]
    limit = query.integers.get("limit", default)
    if not 1 <= limit <= most:
        raise RequestError(f"Invalid 'limit': expected 1 to {most} for {width_name}.", "limit")
    if cap is not None and width == DAY_SECONDS:
        limit = min(limit, cap)
    start = query.integers["start_time"]
    end = query.integers.get("end_time")
    if end is not None and end <= start:
        raise RequestError("'end_time' must be after 'start_time'.", "end_time")
    digest = hashlib.sha256(query.digest().encode()).hexdigest()[:8]
    if (cursor := query.texts.get("page")) is not None:
        start = _position(cursor, digest)
    stop = int(now.timestamp()) + 1
    buckets: list[Bucket] = []
    while start < (stop if end is None else min(stop, end)) and len(buckets) <= limit:
        boundary = start // width * width + width
        buckets.append(Bucket(start, boundary if end is None else min(boundary, end)))
        start = boundary
    more = len(buckets) > limit
    texts = ",".join(
        f'{{"object":"bucket","start_time":{bucket.start},"end_time":{bucket.end},'
        f'"results":{text_of(bucket)}}}'
        for bucket in buckets[:limit]
    )
    next_page = json.dumps(_cursor(buckets[limit].start, digest) if more else None)
    return (
        f'{{"object":"page","data":[{texts}],"has_more":{json.dumps(more)},'
        f'"next_page":{next_page}}}'
    )


def _cursor(position: int, digest: str) -> str:
    return "page_" + base64.urlsafe_b64encode(f"{position} {digest}".encode()).decode()


def _position(cursor: str, digest: str) -> int:
    """Return the time that a page starts at; its cursor is good for the same request alone."""
    try:
        text = base64.b64decode(cursor.removeprefix("page_"), altchars=b"-_", validate=True)
        position, _, of = text.decode().partition(" ")
        if of == digest and cursor.startswith("page_"):
            return int(position)
    except binascii.Error, ValueError:
        pass
    raise RequestError("Invalid 'page': not the next page of this request.", "page")


def selected(
    items: Iterable[LineItem], endpoint: BucketEndpoint, query: Query
) -> Iterator[LineItem]:
    """Return the line items that the request's filters let through."""
    wanted: list[tuple[str, Sequence[object]]] = []
    for parameter, dimension in endpoint.filters.items():
        if parameter in query.flags:
            wanted.append((dimension, (query.flags[parameter],)))
        elif parameter in query.lists:
            wanted.append((dimension, query.lists[parameter]))
    for item in items:
        if all(getattr(item, dimension) in values for dimension, values in wanted):
            yield item


def dimensions_of(endpoint: BucketEndpoint, group: Key, group_by: Sequence[str]) -> dict[str, JSON]:
    """Return the dimensions of a row: those that were requested, and null for the others."""
    row: dict[str, JSON] = dict.fromkeys(endpoint.dimensions)
    for name, value in zip(group_by, group, strict=True):
        assert value is None or isinstance(value, str | bool)
        row[name] = value
    return row
