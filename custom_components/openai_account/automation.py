"""What triggers and conditions share: which entities of a target they mean, and thresholds."""

from __future__ import annotations

from collections.abc import Iterable
import math
from typing import Final

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv, entity_registry as er
import voluptuous as vol

from .const import DOMAIN

CONF_THRESHOLD: Final = "threshold"


def entities_of_kind(hass: HomeAssistant, entities: Iterable[str], kind: str) -> set[str]:
    """Return those entities that are of this integration and show one kind of thing."""
    registry = er.async_get(hass)
    return {
        entity_id
        for entity_id in entities
        if (entity := registry.async_get(entity_id))
        and entity.platform == DOMAIN
        and entity.translation_key == kind
    }


def threshold_schema() -> vol.Schema:
    """Return the schema of a target with a threshold in US dollars."""
    return vol.Schema(
        {
            vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Required(CONF_OPTIONS): {
                vol.Required(CONF_THRESHOLD): vol.All(vol.Coerce(float), vol.Range(min=0), _finite)
            },
        }
    )


def is_above(state: State, threshold: float) -> bool:
    """Return whether an amount is above a threshold."""
    try:
        return float(state.state) > threshold
    except ValueError:
        return False


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise vol.Invalid("must be a number")
    return value
