"""The long-term statistics, which the history writes and the dashboard shows: whether, and ids."""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import slugify

from .const import DOMAIN


@callback
def has_statistics(hass: HomeAssistant) -> bool:
    """Return whether there is a recorder, and it was able to open its database."""
    return "recorder" in hass.config.components


def statistic_id(entry: ConfigEntry, key: str, slug: str | None = None) -> str:
    """Return the id of an account's statistic: of a measure by its key, of a name by its slug."""
    identity = slugify(entry.unique_id or entry.entry_id)
    return f"{DOMAIN}:{identity}_{key}" + (f"_{slug}" if slug else "")
