"""Conditions: what an automation can ask.

Home Assistant's own bases for such conditions changed between the versions that
this integration supports; `Condition` is in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import target as target_helpers
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.typing import ConfigType

from .automation import (
    CREDIT_IS_LOW,
    CREDIT_IS_NOT_LOW,
    DAILY_COST_IS_ABOVE,
    IS_OVER_BUDGET,
    StateTest,
    entities_of_kind,
)

if TYPE_CHECKING:
    from homeassistant.helpers.condition import ConditionChecker


class AccountCondition(Condition):
    """Is met when something is so for any account of the target."""

    _test: ClassVar[StateTest]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check what the user wrote."""
        return cast(ConfigType, cls._test.schema(config))

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take the target and the options."""
        super().__init__(hass, config)
        self._selection = target_helpers.TargetSelection(config.target or {})
        self._options = config.options or {}

    async def async_get_checker(self) -> ConditionChecker:
        """Return what checks; asked for by versions until 2026.4."""
        return cast("ConditionChecker", self._async_check)

    @override
    def _async_check(self, **kwargs: object) -> bool:
        """Return whether it is so; what is not known is not so."""
        found = target_helpers.async_extract_referenced_entity_ids(
            self._hass, self._selection, expand_group=False
        )
        entities = found.referenced | found.indirectly_referenced
        return any(
            self._test.matches(state, self._options)
            for entity_id in entities_of_kind(self._hass, entities, self._test.translation_key)
            if (state := self._hass.states.get(entity_id))
        )


def _is_so(test: StateTest) -> type[Condition]:
    """Return the condition for a question."""

    class StateCondition(AccountCondition):
        """Is met while the question's answer is yes."""

        _test = test

    return StateCondition


CONDITIONS: dict[str, type[Condition]] = {
    "credit_is_low": _is_so(CREDIT_IS_LOW),
    "credit_is_not_low": _is_so(CREDIT_IS_NOT_LOW),
    "daily_cost_is_above": _is_so(DAILY_COST_IS_ABOVE),
    "is_over_budget": _is_so(IS_OVER_BUDGET),
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
