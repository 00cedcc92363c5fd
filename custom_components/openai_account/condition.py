"""Conditions: what an automation can ask.

Home Assistant's own bases for such conditions changed between the versions that
this integration supports; `Condition` is in all.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast, override

from homeassistant.const import CONF_TARGET, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv, target as target_helpers
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .automation import CONF_THRESHOLD, entities_of_kind, is_above, threshold_schema

if TYPE_CHECKING:
    from homeassistant.helpers.condition import ConditionChecker


class AccountCondition(Condition):
    """Is met when something is so for any account of the target."""

    _kind: ClassVar[str]
    _schema: ClassVar[vol.Schema] = vol.Schema({vol.Required(CONF_TARGET): cv.TARGET_FIELDS})

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check what the user wrote."""
        return cast(ConfigType, cls._schema(config))

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
            self._is_so(state)
            for entity_id in entities_of_kind(self._hass, entities, self._kind)
            if (state := self._hass.states.get(entity_id))
        )

    @abstractmethod
    def _is_so(self, state: State) -> bool:
        """Return whether what the condition asks is so."""


class CreditIsLowCondition(AccountCondition):
    """Whether the credit is under the threshold of the options."""

    _kind = "low_balance"

    @override
    def _is_so(self, state: State) -> bool:
        return state.state == STATE_ON


class CreditIsNotLowCondition(AccountCondition):
    """Whether the credit is not under the threshold of the options."""

    _kind = "low_balance"

    @override
    def _is_so(self, state: State) -> bool:
        return state.state == STATE_OFF


class IsOverBudgetCondition(AccountCondition):
    """Whether this month has cost more than the budget of the options."""

    _kind = "over_budget"

    @override
    def _is_so(self, state: State) -> bool:
        return state.state == STATE_ON


class DailyCostIsAboveCondition(AccountCondition):
    """Whether today has cost more than a threshold in US dollars."""

    _kind = "cost_today"
    _schema = threshold_schema()

    @override
    def _is_so(self, state: State) -> bool:
        return is_above(state, self._options[CONF_THRESHOLD])


CONDITIONS: dict[str, type[Condition]] = {
    "credit_is_low": CreditIsLowCondition,
    "credit_is_not_low": CreditIsNotLowCondition,
    "daily_cost_is_above": DailyCostIsAboveCondition,
    "is_over_budget": IsOverBudgetCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
