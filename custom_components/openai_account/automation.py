"""What triggers and conditions share: tests of states, and the entities that they apply to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
import math
from typing import Final

from homeassistant.const import CONF_OPTIONS, CONF_TARGET, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv, entity_registry as er
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
    """

    translation_key: str
    matches: Callable[[State, Mapping[str, float]], bool]
    schema: vol.Schema = field(default_factory=lambda: vol.Schema(_TARGET))


def _is_above(state: State, options: Mapping[str, float]) -> bool:
    """Return whether an amount is above a threshold in US dollars."""
    try:
        return float(state.state) > options[CONF_THRESHOLD]
    except ValueError:
        return False


CREDIT_IS_LOW = StateTest("low_balance", lambda state, _: state.state == STATE_ON)
CREDIT_IS_NOT_LOW = StateTest("low_balance", lambda state, _: state.state == STATE_OFF)
IS_OVER_BUDGET = StateTest("over_budget", lambda state, _: state.state == STATE_ON)
SPEND_LIMIT_IS_REACHED = StateTest("spend_limit_reached", lambda state, _: state.state == STATE_ON)
DAILY_COST_IS_ABOVE = StateTest("cost_today", _is_above, vol.Schema({**_TARGET, **_THRESHOLD}))
