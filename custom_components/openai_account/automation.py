"""What triggers and conditions share: tests of states, and the entities that they apply to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
import math
from typing import Final, cast

from homeassistant.components.sensor import ATTR_LAST_RESET
from homeassistant.const import CONF_OPTIONS, CONF_TARGET, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    target as target_helpers,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .const import DOMAIN

CONF_THRESHOLD: Final = "threshold"


def matching_entities(
    hass: HomeAssistant, entities: Iterable[str], translation_key: str
) -> set[str]:
    """Return the entities of this integration that have a translation key."""
    registry = er.async_get(hass)
    return {
        entity_id
        for entity_id in entities
        if (entity := registry.async_get(entity_id))
        and entity.platform == DOMAIN
        and entity.translation_key == translation_key
    }


def targeted_entities(
    hass: HomeAssistant, selection: target_helpers.TargetSelection, translation_key: str
) -> set[str]:
    """Return the entities of this integration in a target that have a translation key."""
    found = target_helpers.async_extract_referenced_entity_ids(hass, selection, expand_group=False)
    return matching_entities(hass, found.referenced | found.indirectly_referenced, translation_key)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise vol.Invalid("must be a number")
    return value


_TARGET = {vol.Required(CONF_TARGET): cv.TARGET_FIELDS}
_THRESHOLD = {
    vol.Required(CONF_OPTIONS): {
        vol.Required(CONF_THRESHOLD): vol.All(vol.Coerce(float), vol.Range(min=0), _finite)
    }
}


@dataclass(frozen=True, slots=True)
class StateTest:
    """A test of the state of the entities with a translation key.

    A trigger fires when a state begins to match, a condition passes while it does.
    `error_key` is the translation key of the error for a target without such an entity.
    """

    translation_key: str
    error_key: str
    matches: Callable[[State, Mapping[str, float]], bool]
    schema: vol.Schema = field(default_factory=lambda: vol.Schema(_TARGET))

    def validate(self, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the configuration of a trigger or condition.

        Raises `HomeAssistantError` for a target without an entity that can be tested.
        """
        checked = cast(ConfigType, self.schema(config))
        selection = target_helpers.TargetSelection(checked[CONF_TARGET])
        if not targeted_entities(hass, selection, self.translation_key):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key=self.error_key)
        return checked


def is_same_period(before: State, after: State) -> bool:
    """Return whether two states are of the same day or month, if they are of one at all."""
    return before.attributes.get(ATTR_LAST_RESET) == after.attributes.get(ATTR_LAST_RESET)


def _is_above(state: State, options: Mapping[str, float]) -> bool:
    """Return whether an amount is above a threshold in US dollars."""
    try:
        return float(state.state) > options[CONF_THRESHOLD]
    except ValueError:
        return False


CREDIT_IS_LOW = StateTest("low_balance", "no_low_balance", lambda state, _: state.state == STATE_ON)
CREDIT_IS_NOT_LOW = StateTest(
    "low_balance", "no_low_balance", lambda state, _: state.state == STATE_OFF
)
IS_OVER_BUDGET = StateTest(
    "over_budget", "no_over_budget", lambda state, _: state.state == STATE_ON
)
SPEND_LIMIT_IS_REACHED = StateTest(
    "spend_limit_reached", "no_spend_limit_reached", lambda state, _: state.state == STATE_ON
)
DAILY_COST_IS_ABOVE = StateTest(
    "cost_today", "no_cost_today", _is_above, vol.Schema({**_TARGET, **_THRESHOLD})
)
