"""Reports of usage: how they are read, added up and joined."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from custom_components.openai_account.api import (
    API_KEY,
    MODEL,
    PROJECT,
    USAGE_ENDPOINTS,
    DayUsage,
    InvalidResponseError,
    Usage,
    UsageReport,
)
from custom_components.openai_account.api.parsing import JsonObject
from custom_components.openai_account.api.usage import sum_by_name

from .const import NOW

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TODAY = NOW.date()
COMPLETIONS = USAGE_ENDPOINTS[0]
NOTHING = Usage()


def json_object(data: dict[str, Any]) -> JsonObject:
    return JsonObject(data, lambda _: None)


NAMES = [one.name for one in fields(Usage)]


def test_counts_are_added_up() -> None:
    """Each count is added up, except for what is stored: the last level counts."""
    parts = [
        Usage(**{name: factor * 2**place for place, name in enumerate(NAMES)}) for factor in (1, 3)
    ]
    sums = {name: 4 * 2**place for place, name in enumerate(NAMES)}
    last = 3 * 2 ** NAMES.index("vector_store_bytes")
    assert Usage.sum(parts) == Usage(**{**sums, "vector_store_bytes": last})
    assert Usage.sum([]) == NOTHING
    assert all(getattr(NOTHING, name) == 0 for name in NAMES)
    assert Usage(input_tokens=5, output_tokens=2, cached_input_tokens=1).tokens == 7


def test_endpoints() -> None:
    """Some endpoints count tokens, and most of them requests."""
    tokens = [one.name for one in USAGE_ENDPOINTS if one.has_tokens]
    assert tokens == ["completions", "embeddings", "moderations"]
    others = [one.name for one in USAGE_ENDPOINTS if not one.has_requests]
    assert others == ["file_search_calls", "code_interpreter_sessions", "vector_stores"]


def test_no_usage() -> None:
    """Nothing was used where nothing is said."""
    assert {getattr(NOTHING, one.name) for one in fields(Usage)} == {0}


def test_one_part_is_the_sum() -> None:
    """What has one part is not added up again."""
    day = DayUsage(Usage(images=1), {"a": Usage(images=1)})
    assert DayUsage.sum([day]) is day
    assert sum_by_name([day.models, {}])["a"] is day.models["a"]
    report = read_usage([])
    assert UsageReport.joined([report]) is report


def test_days_are_added_up() -> None:
    """Days are added up in total and by each name."""
    one, two = Usage(images=1), Usage(images=2)
    days = [
        DayUsage(one, {"a": one}, {"b": one}, {"c": one}),
        DayUsage(two, {"a": two}, {"B": two}, {"c": two, "C": two}),
    ]
    three = Usage(images=3)
    assert DayUsage.sum(days) == DayUsage(
        three, {"a": three}, {"b": one, "B": two}, {"c": three, "C": two}
    )
    assert DayUsage.sum([]) == DayUsage()


def bucket(when: datetime | None, *results: object) -> dict[str, Any]:
    return {"start_time": when and when.timestamp(), "results": list(results)}


def used(requests: int, **more: Any) -> dict[str, Any]:
    return {"num_model_requests": requests, **more}


def read_usage(
    buckets: list[dict[str, Any]],
    start: date = TODAY - DAY,
    today: date = TODAY,
    now: datetime | None = None,
) -> UsageReport:
    return UsageReport.read(COMPLETIONS, json_object({"data": buckets}), start, today, now)


def test_rows_of_a_day() -> None:
    """The rows of a day are added up in total, and by what each one names."""
    long = "x" * 201
    rows = (
        used(1, **{MODEL: "a", PROJECT: "p", API_KEY: "k"}, input_tokens=7),
        used(2, **{MODEL: "a", PROJECT: None}, output_tokens=5, input_cached_tokens=3),
        used(4, **{MODEL: long, API_KEY: ""}),
        used(0, **{MODEL: "unused"}),
        used(-8, **{MODEL: "negative"}),
        7,
    )
    [(day, found)] = read_usage([bucket(NOW, *rows)]).days.items()
    assert day == TODAY
    assert found.total == Usage(requests=7, input_tokens=7, output_tokens=5, cached_input_tokens=3)
    assert {name: one.requests for name, one in found.models.items()} == {"a": 3, "x" * 200: 4}
    assert {name: one.requests for name, one in found.projects.items()} == {"p": 1}
    assert {name: one.requests for name, one in found.api_keys.items()} == {"k": 1}


def test_days_of_a_report() -> None:
    """The requested days count, in their order; without usage they are left out."""
    midnight = NOW.replace(hour=0, minute=0)
    report = read_usage(
        [
            bucket(midnight + DAY, used(100)),
            bucket(None, used(100)),
            bucket(midnight + DAY - timedelta(seconds=1), used(1)),
            bucket(midnight, used(2)),
            bucket(midnight - DAY, used(4)),
            bucket(midnight - DAY - timedelta(seconds=1), used(100)),
            bucket(midnight - 2 * DAY, used(0)),
        ],
        start=TODAY - DAY,
    )
    requests = [(day, usage.total.requests) for day, usage in report.days.items()]
    assert requests == [(TODAY - DAY, 4), (TODAY, 3)]
    assert (report.start, report.today, report.complete) == (TODAY - DAY, TODAY, True)
    assert report.last_24_hours is None
    assert report.usage_today.requests == 3
    assert not report.is_empty
    assert read_usage([bucket(NOW, used(0))]).is_empty
    assert read_usage([bucket(NOW - DAY, used(1))]).usage_today == NOTHING
    with pytest.raises(InvalidResponseError):
        UsageReport.read(COMPLETIONS, json_object({}), TODAY, TODAY)


@pytest.mark.parametrize("now", [NOW, NOW.astimezone(timezone(5.5 * HOUR))])
def test_last_24_hours(now: datetime) -> None:
    """The current hour and the 23 before it are the last 24, from the full hour in UTC."""
    first = NOW.replace(hour=16, minute=0) - DAY
    hours = [first - HOUR, first, NOW.replace(minute=0)]
    found = read_usage([bucket(one, used(2**turn)) for turn, one in enumerate(hours)], now=now)
    assert found.last_24_hours == Usage(requests=6)
    exact = now + timedelta(seconds=59, microseconds=999_999)
    assert read_usage([bucket(first, used(1))], now=exact).last_24_hours == Usage(requests=1)
    assert read_usage([], now=now).last_24_hours == NOTHING


def test_parts_of_a_report_are_joined() -> None:
    """Parts are one report from the first day to the last, with the hours of all."""
    parts = [
        read_usage([bucket(NOW - DAY, used(1))], today=TODAY - DAY),
        read_usage([bucket(NOW, used(2)), bucket(NOW - DAY, used(4))], now=NOW),
        read_usage([bucket(NOW, used(8))], start=TODAY, now=NOW),
    ]
    found = UsageReport.joined(parts)
    assert (found.start, found.today) == (TODAY - DAY, TODAY)
    days = [(day, usage.total.requests) for day, usage in found.days.items()]
    assert days == [(TODAY - DAY, 5), (TODAY, 10)]
    assert found.last_24_hours == Usage(requests=10)
    assert UsageReport.joined(parts[:1] * 2).last_24_hours is None


def test_reports_are_added_up_where_all_of_them_cover() -> None:
    """The sum of reports has the days that all of them have."""
    buckets = [bucket(NOW - days * DAY, used(2**days, **{MODEL: "a"})) for days in range(5)]
    reports = [
        read_usage(buckets, start=TODAY - 3 * DAY),
        read_usage(buckets, start=TODAY - 4 * DAY, today=TODAY - DAY),
    ]
    found = UsageReport.sum(reports)
    assert (found.start, found.today) == (TODAY - 3 * DAY, TODAY - DAY)
    days = [(day, usage.total.requests) for day, usage in found.days.items()]
    assert days == [(TODAY - 3 * DAY, 16), (TODAY - 2 * DAY, 8), (TODAY - DAY, 4)]


def test_level_of_today_or_yesterday() -> None:
    """What is stored is today's level, yesterday's where there is none yet, or nothing."""

    def level(**days_ago: int) -> int:
        days = {
            TODAY - int(one[1:]) * DAY: DayUsage(Usage(vector_store_bytes=size, images=1))
            for one, size in days_ago.items()
        }
        return UsageReport(start=TODAY - 5 * DAY, today=TODAY, days=days).vector_store_bytes

    assert level(_1=5, _0=7) == 7
    assert level(_1=5, _0=0) == 5
    assert level(_1=5) == 5
    assert level(_2=5) == 0
    assert level() == 0


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_usage_of_a_month(offset: int) -> None:
    """A month's usage is known where all of its days were requested."""
    first = TODAY.replace(day=1)
    usage = DayUsage(Usage(images=1), {"a": Usage(images=1), "b": Usage(images=1)})
    days = dict.fromkeys((first - DAY, first, TODAY - DAY), usage)
    days[TODAY] = DayUsage(Usage(images=1), {"a": Usage(images=1)})
    found = UsageReport(start=first + offset * DAY, today=TODAY, days=days)
    assert found.month_start == first
    assert found.usage_this_month == (None if offset > 0 else Usage(images=3))
    assert found.models_this_month == {"a": Usage(images=3), "b": Usage(images=2)}
    assert found.models_in_month(first) == {"a": Usage(images=1), "b": Usage(images=1)}
    assert found.models_in_month(first - DAY) == {"a": Usage(images=1), "b": Usage(images=1)}
    assert found.last_days_of_models == {"a": TODAY, "b": TODAY - DAY}
