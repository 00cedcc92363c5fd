"""The options: how often to poll, and which amounts to warn of."""

from __future__ import annotations

import math
from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .const import (
    BILLING_URL,
    CONF_CREDIT,
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_REMINDER,
    CONF_UPDATE_INTERVAL,
    CURRENCY_USD,
    DEFAULT_LOW_BALANCE_THRESHOLD,
    DEFAULT_UPDATE_INTERVAL,
    MAX_UPDATE_INTERVAL,
    MAX_USD,
    MIN_UPDATE_INTERVAL,
)
from .coordinator import COSTS, OpenAIAccountConfigEntry
from .estimate import async_enter_credit, estimated_credit, reported_credit


def _usd(minimum: float) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=minimum,
            max=MAX_USD,
            step="any",
            mode=NumberSelectorMode.BOX,
            unit_of_measurement=CURRENCY_USD,
        )
    )


# Stands for an amount in every language
NOT_KNOWN = "\N{EN DASH}"

CREDIT_SELECTOR = _usd(-MAX_USD)

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
    """Asks for the options, and for the credit where the account does not report it."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options at once."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = {
                name: "invalid_number"
                for name, value in user_input.items()
                if not math.isfinite(value)
            }
            options = {key: value for key, value in user_input.items() if key != CONF_CREDIT}
            if not errors and CONF_CREDIT in user_input:
                errors = await self._async_enter_credit(user_input[CONF_CREDIT])
            if not errors:
                interval = int(options[CONF_UPDATE_INTERVAL])
                return self.async_create_entry(
                    data={**self._hidden(), **options, CONF_UPDATE_INTERVAL: interval}
                )
        schema = OPTIONS_SCHEMA
        if self.config_entry.data.get(CONF_SESSION_KEY):
            schema = schema.extend(REMINDER_SCHEMA)
        if self._can_enter_credit():
            schema = schema.extend({vol.Optional(CONF_CREDIT): CREDIT_SELECTOR})
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                schema, self.config_entry.options if user_input is None else user_input
            ),
            errors=errors,
            description_placeholders={
                "billing_url": BILLING_URL,
                "estimate": self._estimate(),
            },
        )

    @property
    def _entry(self) -> OpenAIAccountConfigEntry:
        return self.config_entry

    def _can_enter_credit(self) -> bool:
        """Return whether there is an estimate that depends on what the user enters."""
        if self._entry.state is not ConfigEntryState.LOADED:
            return False
        account = self._entry.runtime_data
        report = account.last(COSTS)
        return reported_credit(account) is None and report is not None and report.complete

    def _estimate(self) -> str:
        """Return the current estimate, or a dash."""
        if not self._can_enter_credit():
            return NOT_KNOWN
        estimate = estimated_credit(self._entry.runtime_data)
        return NOT_KNOWN if estimate is None else f"{estimate:.2f}"

    async def _async_enter_credit(self, amount: float) -> dict[str, str]:
        """Take the amount as the credit that is left now; return the errors."""
        if self._entry.state is not ConfigEntryState.LOADED:
            return {CONF_CREDIT: "costs_unavailable"}
        error = await async_enter_credit(self._entry, amount)
        return {CONF_CREDIT: error} if error else {}

    def _hidden(self) -> dict[str, bool]:
        """Return what was chosen for a session key, to be kept while there is none."""
        options = self.config_entry.options
        return {name: options[name] for name in options.keys() & {CONF_SESSION_KEY_REMINDER}}
