"""Actions: what was spent on each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
import math
from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from .api import MAX_DAYS, DayCosts, OpenAIAccountError, round_usd, sum_by_name
from .const import CURRENCY_USD, DOMAIN, MAX_USD
from .coordinator import OpenAIAccountConfigEntry
from .estimate import async_enter_credit

SERVICE_GET_COSTS: Final = "get_costs"
SERVICE_SET_CREDIT: Final = "set_credit"
ATTR_AMOUNT: Final = "amount"
ATTR_START_DATE: Final = "start_date"
ATTR_END_DATE: Final = "end_date"
ATTR_GROUP_BY: Final = "group_by"
MODEL: Final = "model"
PROJECT: Final = "project"
MAX_REQUESTED_DAYS: Final = 366

_DAY = timedelta(days=1)
_SET_CREDIT_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_AMOUNT): vol.All(vol.Coerce(float), vol.Range(-MAX_USD, MAX_USD)),
    }
)
_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_START_DATE): cv.date,
        vol.Required(ATTR_END_DATE): cv.date,
        vol.Optional(ATTR_GROUP_BY, default=MODEL): vol.In((MODEL, PROJECT)),
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions of this integration."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_COSTS,
        _async_get_costs,
        schema=_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN, SERVICE_SET_CREDIT, _async_set_credit, schema=_SET_CREDIT_SCHEMA
    )


async def _async_set_credit(call: ServiceCall) -> None:
    """Take an amount in US dollars as the credit that the account has now."""
    entry: OpenAIAccountConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    if error := await async_enter_credit(entry.runtime_data, call.data[ATTR_AMOUNT]):
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=error)


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


async def _async_get_costs(call: ServiceCall) -> ServiceResponse:
    """Return the cost of each requested UTC day in US dollars, both ends included."""
    entry: OpenAIAccountConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    start, end = call.data[ATTR_START_DATE], call.data[ATTR_END_DATE]
    _check_dates(start, end)
    client = entry.runtime_data.client
    days: dict[date, DayCosts] = {}
    names: dict[str, str] = {}
    first = start
    while first <= end:
        last = min(end, first + (MAX_DAYS - 1) * _DAY)
        try:
            report = await client.costs_between(first, last + _DAY)
        except OpenAIAccountError as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key=err.code) from err
        if not report.complete:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="endpoint_missing")
        days |= report.days
        names |= report.project_names
        first = last + _DAY
    by_project = call.data[ATTR_GROUP_BY] == PROJECT
    group = f"{call.data[ATTR_GROUP_BY]}s"
    titles = _titles(names)
    grouped = {
        day: _projects(known, titles) if by_project else dict(known.models)
        for day, known in days.items()
    }
    rows: list[JsonValueType] = []
    for offset in range((end - start).days + 1):
        day = start + offset * _DAY
        cost = days.get(day, DayCosts()).cost
        rows.append(
            {
                "date": day.isoformat(),
                "cost": round_usd(cost),
                group: _rounded(grouped.get(day, {})),
            }
        )
    return {
        "currency": CURRENCY_USD,
        "total": round_usd(math.fsum(known.cost for known in days.values())),
        "days": rows,
        group: _rounded(sum_by_name(grouped.values())),
    }


def _projects(day: DayCosts, titles: Mapping[str, str]) -> dict[str, float]:
    """Return a day's costs by the projects' names; what belongs to none is 'unknown'."""
    costs = {titles.get(project, project): cost for project, cost in day.projects.items()}
    rest = round_usd(day.cost - math.fsum(day.projects.values()))
    return costs | {"unknown": rest} if rest else costs


def _titles(names: Mapping[str, str]) -> dict[str, str]:
    """Return what to call each project: its name, with its id where another has the same name."""
    counts = Counter(names.values())
    return {
        project: name if counts[name] == 1 else f"{name} ({project})"
        for project, name in names.items()
    }


def _rounded(costs: Mapping[str, float]) -> dict[str, JsonValueType]:
    return {name: round_usd(cost) for name, cost in sorted(costs.items())}
