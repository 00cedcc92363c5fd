"""The usage of any UTC days, which the action `get_usage` gets and the history keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.json import JsonObjectType, JsonValueType

from .api import (
    API_KEY,
    MODEL,
    PROJECT,
    DayUsage,
    EndpointMissingError,
    Usage,
    UsageReport,
)
from .const import DOMAIN
from .coordinator import COMPLETIONS, OpenAIAccountData
from .daily_costs import UNKNOWN, check_dates, titles_of_keys, titles_of_projects
from .on_demand import async_request

_ACTION = "get_usage"
_DAY = timedelta(days=1)

COUNTS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "requests")

type Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Group:
    """What usage can be broken down by: its plural, the API's name, and a day's usage by id.

    `titles_fn` returns what to call ids. An id without a title is called by the id.
    """

    plural: str
    dimension: str
    usage_fn: Callable[[DayUsage], Mapping[str, Usage]]
    titles_fn: Callable[[OpenAIAccountData, Collection[str]], Mapping[str, str]] = lambda *_: {}


# What the action can group by; its field and texts name them, too.
GROUPS: Mapping[str, Group] = {
    "model": Group("models", MODEL, lambda day: day.models),
    "project": Group(
        "projects",
        PROJECT,
        lambda day: day.projects,
        lambda account, ids: titles_of_projects(account, ids, {}),
    ),
    "api_key": Group(
        "api_keys",
        API_KEY,
        lambda day: day.api_keys,
        lambda account, ids: titles_of_keys(account, ids, {}),
    ),
}


async def async_fetch_usage(
    account: OpenAIAccountData, start: date, end: date, group_by: str = MODEL
) -> UsageReport:
    """Request the usage of some UTC days, `end` excluded, from all endpoints that count requests.

    Endpoints that the account does not have are left out. Raises the client's errors.
    """
    endpoints = [one.usage_endpoint for one in account.usage.requests.served]
    if not endpoints:
        raise EndpointMissingError("The account has no usage")
    reports = await asyncio.gather(
        *(account.client.usage_between(one, start, end, (group_by,)) for one in endpoints)
    )
    return UsageReport.sum(reports)


async def async_get_usage(
    account: OpenAIAccountData, start: date, end: date, group_by: str
) -> JsonObjectType:
    """Return the usage of each UTC day, both ends included, and its sums.

    `group_by` is a key of GROUPS. Raises HomeAssistantError, or ServiceValidationError for
    days that make no sense or are too many.
    """
    check_dates(start, end)
    if not account.opens(COMPLETIONS):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_admin_key")
    group = GROUPS[group_by]
    report = await async_request(
        account,
        _ACTION,
        [one.status for one in account.usage.requests.served],
        partial(async_fetch_usage, account, start, end + _DAY, group.dimension),
    )
    ids = {one for day in report.days.values() for one in group.usage_fn(day)}
    names = group.titles_fn(account, ids)
    total = dict.fromkeys(COUNTS, 0)
    groups: dict[str, Counts] = {}
    rows: list[JsonValueType] = []
    for offset in range((end - start).days + 1):
        day = start + offset * _DAY
        usage = report.days.get(day, DayUsage())
        counts = _counts(usage.total)
        breakdown = _breakdown(usage, group, names)
        _add(total, counts)
        for name, part in breakdown.items():
            _add(groups.setdefault(name, dict.fromkeys(COUNTS, 0)), part)
        rows.append({"date": day.isoformat(), **counts, group.plural: _json(breakdown)})
    return {"days": rows, **total, group.plural: _json(groups)}


def _breakdown(day: DayUsage, group: Group, names: Mapping[str, str]) -> dict[str, Counts]:
    """Return a day's usage by name; what belongs to none is 'unknown'."""
    result: dict[str, Counts] = {}
    rest = _counts(day.total)
    for one, usage in group.usage_fn(day).items():
        counts = _counts(usage)
        # A project can be called what another one's id is: both are added up.
        _add(result.setdefault(names.get(one, one), dict.fromkeys(COUNTS, 0)), counts)
        for key, count in counts.items():
            rest[key] -= count
    if any(rest.values()):
        _add(result.setdefault(UNKNOWN, dict.fromkeys(COUNTS, 0)), rest)
    return result


def _counts(usage: Usage) -> Counts:
    return {key: getattr(usage, key) for key in COUNTS}


def _add(to: Counts, counts: Counts) -> None:
    for key, count in counts.items():
        to[key] += count


def _json(groups: Mapping[str, Counts]) -> dict[str, JsonValueType]:
    return {name: dict(counts) for name, counts in sorted(groups.items())}
