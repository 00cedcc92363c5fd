"""The ids of the long-term statistics, which the history writes and the dashboard shows."""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntry
from homeassistant.util import slugify

from .const import DOMAIN


def statistic_id(entry: ConfigEntry, model_slug: str | None = None) -> str:
    """Return the id of the daily costs of an account, or of one of its models."""
    account = f"{DOMAIN}:{slugify(entry.unique_id or entry.entry_id)}_cost"
    return account if model_slug is None else f"{account}_{model_slug}"
