"""Helpers of the tests of usage: what the simulator's ledger says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from simulator import LineItem

from .common import RunningSimulator

# The usage endpoints by the last part of their paths
USAGE = (
    "completions",
    "embeddings",
    "moderations",
    "images",
    "audio_speeches",
    "audio_transcriptions",
    "web_search_calls",
    "file_search_calls",
    "code_interpreter_sessions",
    "vector_stores",
)

# What the ledger counts, by the beginning of the sensor's key
COUNTED = {
    "images": "images",
    "speech_characters": "characters",
    "transcription_seconds": "seconds",
    "web_searches": "num_requests/web_search_calls",
    "file_searches": "num_requests/file_search_calls",
    "code_interpreter_sessions": "num_sessions",
}

_INPUT = ("input_tokens", "input_uncached_tokens", "input_cached_tokens")


def used_days(simulator: RunningSimulator, now: datetime) -> Mapping[date, Sequence[LineItem]]:
    """Return what was used on each UTC day, as it stands now."""

    class Days(dict[date, Sequence[LineItem]]):
        def __missing__(self, day: date) -> Sequence[LineItem]:
            elapsed = 86_400 if day < now.date() else int(now.timestamp()) % 86_400
            return [one.at(elapsed) for one in simulator.account.day(day, now)]

    return Days()


def total(items: Iterable[LineItem], count: str) -> int:
    """Return the sum of a count, which can name its endpoint after a slash."""
    name, _, endpoint = count.partition("/")
    return int(
        sum(
            one.quantity or 0
            for one in items
            if one.count == name and (not endpoint or one.endpoint == endpoint)
        )
    )


def tokens_of(items: Iterable[LineItem], direction: str = "") -> int:
    """Return the tokens of some line items: input, output, or both."""
    items = list(items)
    names = (*_INPUT, "input_cache_write_tokens")
    found = 0 if direction == "output" else sum(total(items, name) for name in names)
    return found + (0 if direction == "input" else total(items, "output_tokens"))


def requests_of(items: Iterable[LineItem]) -> int:
    """Return the requests to models of one day: rows of the same model and key share them."""
    most: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for one in items:
        if one.endpoint not in (None, "file_search_calls", "code_interpreter_sessions"):
            key = (one.endpoint, one.model, one.api_key_id, one.project_id, one.service_tier)
            most[key] = max(most[key], one.requests or 0)
    return sum(most.values())
