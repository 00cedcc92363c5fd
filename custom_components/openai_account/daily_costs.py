"""The costs of any UTC days, which the action `get_costs` and the tool of the same name get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
import math
from typing import Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .api import (
    MAX_DAYS,
    CostReport,
    DayCosts,
    OpenAIAccountError,
    RateLimitedError,
    round_usd,
    sum_by_name,
)
from .const import CURRENCY_USD, DOMAIN
from .coordinator import OpenAIAccountData
from .status import endpoint_status

MAX_REQUESTED_DAYS: Final = 366

_DAY = timedelta(days=1)
_UNKNOWN = "unknown"
_STATUS = "get_costs"
# The shortest pause where the host does not say how long to wait: twice as long each time.
_RETRY_INTERVAL = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Group:
    """What costs can be broken down by: its plural, a day's costs by id, and the names of ids.

    Without names, the ids are the names.
    """

    plural: str
    costs_fn: Callable[[DayCosts], Mapping[str, float]]
    names_fn: Callable[[CostReport], Mapping[str, str]] = lambda _: {}


MODEL: Final = "model"

# What the action and the tool can group by; the action's fields and texts name them, too.
GROUPS: Mapping[str, Group] = {
    MODEL: Group("models", lambda day: day.models),
    "project": Group("projects", lambda day: day.projects, lambda report: report.project_names),
}


async def async_get_costs(
    account: OpenAIAccountData,
    start: date,
    end: date,
    group_by: str | None = None,
    *,
    group_days: bool = True,
) -> JsonObjectType:
    """Return the cost of each UTC day in US dollars, both ends included, and their sums.

    `group_by` is a key of GROUPS, or None for no breakdown; `group_days` tells whether
    each day has it, too, or only the whole. Raises HomeAssistantError, or
    ServiceValidationError for days that make no sense or are too many.
    """
    _check_dates(start, end)
    days: dict[date, DayCosts] = {}
    names: dict[str, str] = {}
    group = GROUPS[group_by] if group_by else None
    first = start
    while first <= end:
        last = min(end, first + (MAX_DAYS - 1) * _DAY)
        report = await _async_request(account, first, last + _DAY)
        if not report.complete:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="endpoint_missing")
        days |= report.days
        if group:
            names |= group.names_fn(report)
        first = last + _DAY
    titles = _titles(names)
    grouped = (
        {day: _breakdown(costs, group, titles) for day, costs in days.items()} if group else {}
    )
    rows: list[JsonValueType] = []
    for offset in range((end - start).days + 1):
        day = start + offset * _DAY
        row: JsonObjectType = {
            "date": day.isoformat(),
            "cost": round_usd(days.get(day, DayCosts()).cost),
        }
        if group and group_days:
            row[group.plural] = _rounded(grouped.get(day, {}))
        rows.append(row)
    response: JsonObjectType = {
        "currency": CURRENCY_USD,
        "total": round_usd(math.fsum(costs.cost for costs in days.values())),
        "days": rows,
    }
    if group:
        response[group.plural] = _rounded(sum_by_name(grouped.values()))
    return response


async def _async_request(account: OpenAIAccountData, start: date, end: date) -> CostReport:
    """Request the costs of days, unless the host has asked to wait.

    Where it asks that now, the next requests of this kind wait, but no polls.
    """
    hass, entry_id = account.costs.hass, account.costs.config_entry.entry_id
    own = endpoint_status(hass, entry_id, _STATUS)
    paused = [
        one.retry_at
        for one in (own, account.costs.status)
        if one.last_error == RateLimitedError.code and one.seconds_left and one.retry_at
    ]
    if paused:
        time = dt_util.as_local(max(paused)).strftime("%Y-%m-%d %H:%M:%S")
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="paused",
            translation_placeholders={"time": time},
        )
    try:
        report = await account.client.costs_between(start, end)
    except OpenAIAccountError as err:
        if isinstance(err, RateLimitedError):
            own.note_error(err)
            own.pause(err.retry_after, _RETRY_INTERVAL)
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=err.code) from err
    own.note_success()
    return report


def _check_dates(start: date, end: date) -> None:
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


def _breakdown(day: DayCosts, group: Group, titles: Mapping[str, str]) -> dict[str, float]:
    """Return a day's costs by name; what belongs to none is 'unknown'."""
    known = group.costs_fn(day)
    rows = [(titles.get(one, one), cost) for one, cost in known.items()]
    if rest := round_usd(day.cost - math.fsum(known.values())):
        rows.append((_UNKNOWN, rest))
    # A project can be called 'unknown', or what another one's id is: both are added up.
    return sum_by_name({name: cost} for name, cost in rows)


def _titles(names: Mapping[str, str]) -> dict[str, str]:
    """Return what to call each id: its name, with the id where another has the same name."""
    counts = Counter(names.values())
    return {one: name if counts[name] == 1 else f"{name} ({one})" for one, name in names.items()}


def _rounded(costs: Mapping[str, float]) -> dict[str, JsonValueType]:
    return {name: round_usd(cost) for name, cost in sorted(costs.items())}
