"""The options: how often to poll, and which amounts to warn of."""

from __future__ import annotations

import math
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .const import (
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_REMINDER,
    CONF_UPDATE_INTERVAL,
    CURRENCY_USD,
    DEFAULT_LOW_BALANCE_THRESHOLD,
    DEFAULT_UPDATE_INTERVAL,
    MAX_UPDATE_INTERVAL,
    MIN_UPDATE_INTERVAL,
)

_MAX_USD = 1_000_000_000


def _usd(minimum: float) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=minimum,
            max=_MAX_USD,
            step="any",
            mode=NumberSelectorMode.BOX,
            unit_of_measurement=CURRENCY_USD,
        )
    )


OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_UPDATE_INTERVAL, default=DEFAULT_UPDATE_INTERVAL): NumberSelector(
            NumberSelectorConfig(
                min=MIN_UPDATE_INTERVAL,
                max=MAX_UPDATE_INTERVAL,
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfTime.SECONDS,
            )
        ),
        vol.Required(CONF_LOW_BALANCE_THRESHOLD, default=DEFAULT_LOW_BALANCE_THRESHOLD): _usd(0),
        vol.Optional(CONF_MONTHLY_BUDGET): _usd(0.01),
    }
)

REMINDER_SCHEMA = {vol.Required(CONF_SESSION_KEY_REMINDER, default=True): BooleanSelector()}


class OpenAIAccountOptionsFlow(OptionsFlowWithReload):
    """Asks for the options."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options at once."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = {
                name: "invalid_number"
                for name, value in user_input.items()
                if not math.isfinite(value)
            }
            if not errors:
                interval = int(user_input[CONF_UPDATE_INTERVAL])
                return self.async_create_entry(data={**user_input, CONF_UPDATE_INTERVAL: interval})
        schema = OPTIONS_SCHEMA
        if self.config_entry.data.get(CONF_SESSION_KEY):
            schema = schema.extend(REMINDER_SCHEMA)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                schema, self.config_entry.options if user_input is None else user_input
            ),
            errors=errors,
        )
