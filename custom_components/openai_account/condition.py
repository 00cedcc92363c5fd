"""Conditions for automations.

Home Assistant's own base classes for entity conditions changed between the versions
that this integration supports; `Condition` did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConditionErrorMessage
from homeassistant.helpers import target as target_helpers
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.translation import async_get_exception_message
from homeassistant.helpers.typing import ConfigType

from .automation import (
    CREDIT_IS_LOW,
    CREDIT_IS_NOT_LOW,
    DAILY_COST_IS_ABOVE,
    IS_OVER_BUDGET,
    SPEND_LIMIT_IS_REACHED,
    StateTest,
    targeted_entities,
)
from .const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.helpers.condition import ConditionChecker


class AccountCondition(Condition):
    """Passes while the state of any entity of the target matches a test."""

    _test: ClassVar[StateTest]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the configuration."""
        return cls._test.validate(hass, config)

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Store the target and the options."""
        super().__init__(hass, config)
        self._selection = target_helpers.TargetSelection(config.target or {})
        self._options = config.options or {}

    async def async_get_checker(self) -> ConditionChecker:
        """Return the checker; called by versions until 2026.4."""
        return cast("ConditionChecker", self._async_check)

    @override
    def _async_check(self, **kwargs: object) -> bool:
        """Return whether the test passes; an unknown state does not.

        Raises `ConditionErrorMessage` where the target has no such entity anymore.
        """
        entities = targeted_entities(self._hass, self._selection, self._test.translation_key)
        if not entities:
            message = async_get_exception_message(DOMAIN, self._test.error_key)
            raise ConditionErrorMessage(DOMAIN, message)
        return any(
            self._test.matches(state, self._options)
            for entity_id in entities
            if (state := self._hass.states.get(entity_id))
        )


def _condition_for(test: StateTest) -> type[Condition]:
    """Return the condition for a test."""

    class StateCondition(AccountCondition):
        """Passes while a state matches the test."""

        _test = test

    return StateCondition


CONDITIONS: dict[str, type[Condition]] = {
    "credit_is_low": _condition_for(CREDIT_IS_LOW),
    "credit_is_not_low": _condition_for(CREDIT_IS_NOT_LOW),
    "daily_cost_is_above": _condition_for(DAILY_COST_IS_ABOVE),
    "is_over_budget": _condition_for(IS_OVER_BUDGET),
    "spend_limit_is_reached": _condition_for(SPEND_LIMIT_IS_REACHED),
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
