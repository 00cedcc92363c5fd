"""Diagnostics: what a bug report needs, and nothing of the person who writes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from yarl import URL

from .api import DEFAULT_HOST
from .const import CONF_ADMIN_KEY, CONF_ORGANIZATION, CONF_SESSION_KEY
from .coordinator import AnyCoordinator, OpenAIAccountConfigEntry

TO_REDACT = {
    CONF_ADMIN_KEY,
    CONF_SESSION_KEY,
    CONF_ORGANIZATION,
    "account_name",
    "billing_address",
    "billing_email",
    "business_address",
    "po_number",
    "project_names",
    "projects",
    "projects_this_month",
    "tax_ids",
    # The entry's name and identity tell whose account it is.
    "title",
    "unique_id",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry
) -> dict[str, Any]:
    """Return all that an entry holds, redacted."""
    data = entry.runtime_data
    host = URL(entry.data[CONF_HOST]).host
    return {
        "entry": async_redact_data(
            {
                "data": {
                    **entry.data,
                    # A host of one's own can be named for its owner.
                    CONF_HOST: host if host == DEFAULT_HOST else "another host",
                },
                "options": dict(entry.options),
                "title": entry.title,
                "unique_id": entry.unique_id,
            },
            TO_REDACT,
        ),
        "endpoints": {
            coordinator.endpoint: _endpoint(coordinator, data.client.paths)
            for coordinator in data.coordinators
        },
    }


def _endpoint(coordinator: AnyCoordinator, paths: dict[str, str]) -> dict[str, Any]:
    answer = coordinator.data
    # With an admin key, the official endpoint stands in for the dashboard's.
    names = ("costs", "usage") if coordinator.endpoint == "usage" else (coordinator.endpoint,)
    return {
        "path": next((paths[name] for name in names if name in paths), None),
        "last_success": coordinator.last_success,
        "last_error": coordinator.last_error,
        "last_update_success": coordinator.last_update_success,
        "data": async_redact_data(_plain(asdict(answer)), TO_REDACT) if answer else None,
    }


def _plain(value: Any) -> Any:
    """Return data with keys and values that JSON has: days as text, sets in order."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return value
