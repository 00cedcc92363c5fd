"""Actions: get the costs or the usage of days, and set the credit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
import voluptuous as vol

from .const import DOMAIN, MAX_USD
from .coordinator import OpenAIAccountConfigEntry
from .daily_costs import GROUPS, MODEL, async_get_costs
from .daily_usage import GROUPS as USAGE_GROUPS, async_get_usage
from .estimate import async_enter_credit

SERVICE_GET_COSTS: Final = "get_costs"
SERVICE_GET_USAGE: Final = "get_usage"
SERVICE_SET_CREDIT: Final = "set_credit"
ATTR_AMOUNT: Final = "amount"
ATTR_START_DATE: Final = "start_date"
ATTR_END_DATE: Final = "end_date"
ATTR_GROUP_BY: Final = "group_by"
ATTR_LINE_ITEMS: Final = "line_items"


def _date(value: object) -> date:
    """Validate a date. A template can return a time, which is a date to Python."""
    if isinstance(value, datetime):
        raise vol.Invalid("expected a date without a time")
    return cv.date(value)


_SET_CREDIT_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_AMOUNT): vol.All(vol.Coerce(float), vol.Range(-MAX_USD, MAX_USD)),
    }
)


def _days_schema(
    groups: Iterable[str], more: Mapping[vol.Marker, object] | None = None
) -> vol.Schema:
    """Return the schema of an action that gets days, broken down by one of the groups."""
    return vol.Schema(
        {
            vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
            vol.Required(ATTR_START_DATE): _date,
            vol.Required(ATTR_END_DATE): _date,
            vol.Optional(ATTR_GROUP_BY, default=MODEL): vol.In(list(groups)),
            **(more or {}),
        }
    )


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions of this integration."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_COSTS,
        _async_get_costs,
        schema=_days_schema(GROUPS, {vol.Optional(ATTR_LINE_ITEMS, default=False): cv.boolean}),
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_USAGE,
        _async_get_usage,
        schema=_days_schema(USAGE_GROUPS),
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
    if error := await async_enter_credit(entry, call.data[ATTR_AMOUNT]):
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=error)


async def _async_get_costs(call: ServiceCall) -> ServiceResponse:
    """Return the cost of each requested UTC day in US dollars, both ends included."""
    entry: OpenAIAccountConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    return await async_get_costs(
        entry.runtime_data,
        call.data[ATTR_START_DATE],
        call.data[ATTR_END_DATE],
        call.data[ATTR_GROUP_BY],
        line_items=call.data[ATTR_LINE_ITEMS],
    )


async def _async_get_usage(call: ServiceCall) -> ServiceResponse:
    """Return the usage of each requested UTC day, both ends included."""
    entry: OpenAIAccountConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    return await async_get_usage(
        entry.runtime_data,
        call.data[ATTR_START_DATE],
        call.data[ATTR_END_DATE],
        call.data[ATTR_GROUP_BY],
    )
