"""Actions: get the costs of days, and set the credit."""

from __future__ import annotations

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
from .estimate import async_enter_credit

SERVICE_GET_COSTS: Final = "get_costs"
SERVICE_SET_CREDIT: Final = "set_credit"
ATTR_AMOUNT: Final = "amount"
ATTR_START_DATE: Final = "start_date"
ATTR_END_DATE: Final = "end_date"
ATTR_GROUP_BY: Final = "group_by"


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
_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_START_DATE): _date,
        vol.Required(ATTR_END_DATE): _date,
        vol.Optional(ATTR_GROUP_BY, default=MODEL): vol.In(list(GROUPS)),
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
    )
