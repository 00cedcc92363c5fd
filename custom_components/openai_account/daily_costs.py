"""The costs of any UTC days, which the action `get_costs` and the tool of the same name get."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
import math
from typing import Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .api import (
    MAX_DAYS,
    CostReport,
    DayCosts,
    EndpointMissingError,
    InvalidResponseError,
    round_usd,
    sum_by_name,
)
from .const import CURRENCY_USD, DOMAIN
from .coordinator import COSTS, OpenAIAccountData
from .on_demand import async_request
from .titles import api_key_titles, unique_titles

MAX_REQUESTED_DAYS: Final = 366

_DAY = timedelta(days=1)
UNKNOWN: Final = "unknown"
_ACTION = "get_costs"


@dataclass(frozen=True, slots=True)
class Group:
    """What costs can be broken down by: its plural, a day's costs by id, and what to call ids.

    `titles_fn` takes the reports of all days. An id without a title is called by the id.
    """

    plural: str
    costs_fn: Callable[[DayCosts], Mapping[str, float]]
    titles_fn: Callable[[OpenAIAccountData, Sequence[CostReport]], Mapping[str, str]]


def _project_titles(account: OpenAIAccountData, reports: Sequence[CostReport]) -> Mapping[str, str]:
    """Return what to call projects: the name, with the id where another has the same name."""
    ids = {one for report in reports for day in report.days.values() for one in day.projects}
    names: dict[str, str] = {}
    for report in reports:
        names |= report.project_names
    return titles_of_projects(account, ids, names)


def titles_of_projects(
    account: OpenAIAccountData, ids: Collection[str], names: Mapping[str, str]
) -> dict[str, str]:
    """Return what to call projects by their ids; `names` are the current ones of some."""
    known = account.store.projects.labels()
    labels = {one: known[one] for one in ids if known.get(one, one) != one}
    return unique_titles({**labels, **names})


def _key_titles(account: OpenAIAccountData, reports: Sequence[CostReport]) -> Mapping[str, str]:
    """Return what to call API keys: what their sensors and statistics do."""
    ids = {one for report in reports for day in report.days.values() for one in day.api_keys}
    projects: dict[str, str] = {}
    for report in reports:
        projects |= report.key_projects
    return titles_of_keys(account, ids, projects)


def titles_of_keys(
    account: OpenAIAccountData, ids: Collection[str], projects: Mapping[str, str]
) -> dict[str, str]:
    """Return what to call API keys by their ids; `projects` are those of some keys."""
    known = account.names.data.api_keys if account.names else {}
    return api_key_titles(account.store, {one: known.get(one, one) for one in ids}, projects)


MODEL: Final = "model"
API_KEY: Final = "api_key"

# What the action and the tool can group by; the action's fields and texts name them, too.
GROUPS: Mapping[str, Group] = {
    MODEL: Group("models", lambda day: day.models, lambda *_: {}),
    "project": Group("projects", lambda day: day.projects, _project_titles),
    API_KEY: Group("api_keys", lambda day: day.api_keys, _key_titles),
}


async def async_get_costs(
    account: OpenAIAccountData,
    start: date,
    end: date,
    group_by: str | None = None,
    *,
    group_days: bool = True,
    line_items: bool = False,
) -> JsonObjectType:
    """Return the cost of each UTC day in US dollars, both ends included, and their sums.

    `group_by` is a key of GROUPS, or None for no breakdown; `group_days` tells whether
    each day has it, too, or only the whole. `line_items` adds the line items of each model
    to each day and to the whole. Raises HomeAssistantError, or ServiceValidationError for days
    that make no sense or are too many, and for a breakdown that no key of the account opens.
    """
    check_dates(start, end)
    if group_by == API_KEY and not account.reports_api_keys:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_api_keys")
    group = GROUPS[group_by] if group_by else None
    reports = await _async_request_all(account, start, end, line_items=line_items)
    days = {day: costs for report in reports for day, costs in report.days.items()}
    grouped: dict[date, dict[str, float]] = {}
    if group:
        titles = group.titles_fn(account, reports)
        grouped = {day: _breakdown(costs, group, titles) for day, costs in days.items()}
    rows: list[JsonValueType] = []
    for offset in range((end - start).days + 1):
        day = start + offset * _DAY
        costs = days.get(day, DayCosts())
        row: JsonObjectType = {"date": day.isoformat(), "cost": round_usd(costs.cost)}
        if group and group_days:
            row[group.plural] = _rounded(grouped.get(day, {}))
        if line_items:
            row["line_items"] = _items([costs])
        rows.append(row)
    response: JsonObjectType = {
        "currency": CURRENCY_USD,
        "total": round_usd(math.fsum(costs.cost for costs in days.values())),
        "days": rows,
    }
    if group:
        response[group.plural] = _rounded(sum_by_name(grouped.values()))
    if line_items:
        response["line_items"] = _items(days.values())
    return response


async def _async_request_all(
    account: OpenAIAccountData, start: date, end: date, *, line_items: bool
) -> list[CostReport]:
    """Request the costs of all days, in as many requests as that takes."""
    reports: list[CostReport] = []
    first = start
    while first <= end:
        last = min(end, first + (MAX_DAYS - 1) * _DAY)
        report = await async_request(
            account,
            _ACTION,
            [account.costs.status],
            partial(account.client.costs_between, first, last + _DAY, line_items=line_items),
        )
        if not report.complete:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key=_missing_days(account)
            )
        reports.append(report)
        first = last + _DAY
    return reports


def _missing_days(account: OpenAIAccountData) -> str:
    """Return the code of the error that days are missing: only some hosts never have them."""
    report = account.last(COSTS)
    known = report is not None and report.complete
    return InvalidResponseError.code if known else EndpointMissingError.code


def check_dates(start: date, end: date) -> None:
    """Raise ServiceValidationError for days that make no sense or are too many."""
    if start > end:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="dates_reversed")
    if end > dt_util.utcnow().date():
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="dates_in_future")
    if (end - start).days >= MAX_REQUESTED_DAYS:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="too_many_days",
            translation_placeholders={"days": str(MAX_REQUESTED_DAYS)},
        )


def _breakdown(day: DayCosts, group: Group, names: Mapping[str, str]) -> dict[str, float]:
    """Return a day's costs by name; what belongs to none is 'unknown'."""
    known = group.costs_fn(day)
    rows = [(names.get(one, one), cost) for one, cost in known.items()]
    if rest := round_usd(day.cost - math.fsum(known.values())):
        rows.append((UNKNOWN, rest))
    # A project can be called 'unknown', or what another one's id is: both are added up.
    return sum_by_name({name: cost} for name, cost in rows)


def _items(days: Iterable[DayCosts]) -> JsonObjectType:
    """Return the line items of each model in some days."""
    models: dict[str, list[Mapping[str, float]]] = {}
    for day in days:
        for model, items in day.line_items.items():
            models.setdefault(model, []).append(items)
    return {model: _rounded(sum_by_name(items)) for model, items in sorted(models.items())}


def _rounded(costs: Mapping[str, float]) -> dict[str, JsonValueType]:
    return {name: round_usd(cost) for name, cost in sorted(costs.items())}
