"""The responses of the documented `usage/…`: counts per minute, hour or day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
import json
from typing import TYPE_CHECKING

from .buckets import Bucket, Key, dimensions_of, page_of, selected
from .contract import USAGE, BucketEndpoint
from .ledger import JSON, LineItem
from .query import Query

if TYPE_CHECKING:
    from .account import Account

type Counts = dict[str, int]

# The parts of the input that are text, by the part that they belong to
_INPUT = ("input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens")

# What makes line items come from the same requests to a model
_SAME_REQUESTS = (
    *("project_id", "user_id", "api_key_id", "api_source", "model", "batch", "service_tier"),
    *("size", "source", "context_level", "vector_store_id", "hour", "hours"),
)


def usage(account: Account, name: str, query: Query, now: datetime) -> str:
    """Return a page of an endpoint's usage as JSON."""
    endpoint = USAGE[name]
    group_by = query.lists.get("group_by", ())
    current = int(now.timestamp())

    def text_of(bucket: Bucket) -> str:
        def make() -> str:
            return json.dumps(rows(account, name, bucket, query, now))

        if account.ledger is not None or name == "vector_stores" or bucket.end > current:
            return make()
        return account.cache.get((name, bucket, group_by, query.digest_of_filters()), make)

    return page_of(endpoint, query, now, account.page_days, text_of)


def rows(account: Account, name: str, bucket: Bucket, query: Query, now: datetime) -> list[JSON]:
    """Return the rows of a bucket."""
    endpoint = USAGE[name]
    group_by = query.lists.get("group_by", ())
    if name == "vector_stores":
        counted = _stored(account, bucket, query, now)
    else:
        counted = _counted(account, name, bucket, query, now)
    return [
        {"object": endpoint.object, **_fields(endpoint, counts), **dimensions}
        for group, counts in counted.items()
        if any(counts.values())
        for dimensions in [dimensions_of(endpoint, group, group_by)]
    ]


def _counted(
    account: Account, name: str, bucket: Bucket, query: Query, now: datetime
) -> Mapping[Key, Counts]:
    """Return what was counted in a bucket, by the requested dimensions."""
    group_by = query.lists.get("group_by", ())
    midnight = bucket.start - bucket.seconds[0]
    elapsed = max(0, min(86_400, int(now.timestamp()) - midnight))
    first, last = (min(second, elapsed) for second in bucket.seconds)
    items = (one for one in account.day(bucket.day, now) if one.endpoint == name)
    together: dict[Key, list[LineItem]] = {}
    for item in selected(items, USAGE[name], query):
        same = tuple(getattr(item, field) for field in _SAME_REQUESTS)
        together.setdefault(same, []).append(item)
    found: defaultdict[Key, Counts] = defaultdict(lambda: defaultdict(int))
    for one in together.values():
        counts = found[tuple(getattr(one[0], dimension) for dimension in group_by)]
        _add(counts, one, first, last, elapsed)
    return found


def _add(counts: Counts, items: Sequence[LineItem], first: int, last: int, elapsed: int) -> None:
    """Add what some line items of the same requests counted between two seconds of a day."""
    before = after = 0
    for item in items:
        start, requests_at_start = item.used_by(first, elapsed) if first else (0, 0)
        end, requests_at_end = item.used_by(last, elapsed)
        assert item.count is not None
        counts[item.count] += int(end) - int(start)
        before = max(before, requests_at_start)
        after = max(after, requests_at_end)
    counts["num_model_requests"] += after - before


def _stored(account: Account, bucket: Bucket, query: Query, now: datetime) -> Mapping[Key, Counts]:
    """Return what the vector stores hold: a level, not a sum, whatever the bucket's width."""
    group_by = query.lists.get("group_by", ())
    found: defaultdict[Key, Counts] = defaultdict(lambda: defaultdict(int))
    for project, size in account.stored_bytes(bucket.day, now).items():
        if project in query.lists.get("project_ids", (project,)):
            found[(project,) if group_by else ()]["usage_bytes"] += size
    return found


def _fields(endpoint: BucketEndpoint, counts: Counts) -> dict[str, JSON]:
    """Return the figures of a row: those of the contract, and the parts of completions."""
    if endpoint is not USAGE["completions"]:
        return {name: counts[name] for name in endpoint.counts}
    uncached, cached, written = (counts[name] for name in _INPUT)
    return {
        "input_tokens": uncached + cached + written,
        "input_uncached_tokens": uncached,
        "input_text_tokens": uncached,
        "input_cached_tokens": cached,
        "input_cached_text_tokens": cached,
        "input_cached_audio_tokens": 0,
        "input_cached_image_tokens": 0,
        "input_cache_write_tokens": written,
        "input_audio_tokens": 0,
        "input_image_tokens": 0,
        "output_tokens": counts["output_tokens"],
        "output_text_tokens": counts["output_tokens"],
        "output_audio_tokens": 0,
        "output_image_tokens": 0,
        "num_model_requests": counts["num_model_requests"],
    }
