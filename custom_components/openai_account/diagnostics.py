"""Diagnostics: what a bug report needs, without anything about the person who writes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from yarl import URL

from .api import DEFAULT_HOST
from .const import CONF_ADMIN_KEY, CONF_ORGANIZATION, CONF_SESSION_KEY
from .coordinator import AnyCoordinator, NameCoordinator, OpenAIAccountConfigEntry

TO_REDACT = {
    CONF_ADMIN_KEY,
    CONF_SESSION_KEY,
    CONF_ORGANIZATION,
    "account_name",
    "api_keys",
    "api_keys_this_month",
    "billing_address",
    "billing_email",
    "business_address",
    "key_projects",
    "po_number",
    "project_names",
    "projects",
    "projects_this_month",
    "tax_ids",
    # The entry's name and identity say whose account it is.
    "title",
    "unique_id",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry
) -> dict[str, Any]:
    """Return all that an entry holds, redacted; why it is not loaded if it is not."""
    host = URL(entry.data[CONF_HOST]).host
    result: dict[str, Any] = {
        "entry": async_redact_data(
            {
                "data": {
                    **entry.data,
                    # A host of one's own can be named after its owner.
                    CONF_HOST: host if host == DEFAULT_HOST else "another host",
                },
                "options": dict(entry.options),
                "title": entry.title,
                "unique_id": entry.unique_id,
            },
            TO_REDACT,
        )
    }
    if entry.state is not ConfigEntryState.LOADED:
        return result | {
            "state": entry.state.value,
            "reason": entry.error_reason_translation_key or entry.disabled_by,
        }
    data = entry.runtime_data
    return result | {
        "paths": data.client.paths,
        "names": _names(data.names) if data.names else None,
        "endpoints": {one.endpoint: _endpoint(one) for one in data.coordinators},
    }


def _names(names: NameCoordinator) -> dict[str, Any]:
    """Return how many names are known; they themselves say whose they are."""
    return {
        **_plain(asdict(names.status)),
        "projects": len(names.data.projects),
        "api_keys": len(names.data.api_keys),
    }


def _endpoint(coordinator: AnyCoordinator) -> dict[str, Any]:
    response: Any = coordinator.data
    return {
        **_plain(asdict(coordinator.status)),
        "last_update_success": coordinator.last_update_success,
        "data": async_redact_data(_plain(asdict(response)), TO_REDACT) if response else None,
    }


def _plain(value: Any) -> Any:
    """Return data with keys and values that JSON has: days as text, sets in order."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return value
