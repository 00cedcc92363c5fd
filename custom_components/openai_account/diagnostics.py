"""Diagnostics: what a bug report needs, without anything about the person who writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from yarl import URL

from .api import DEFAULT_HOST
from .const import CONF_ADMIN_KEY, CONF_DEFAULT_PROJECT, CONF_ORGANIZATION, CONF_SESSION_KEY
from .coordinator import AnyCoordinator, NameCoordinator, OpenAIAccountConfigEntry
from .status import EndpointStatus, endpoint_statuses

TO_REDACT = {
    CONF_ADMIN_KEY,
    CONF_SESSION_KEY,
    CONF_ORGANIZATION,
    CONF_DEFAULT_PROJECT,
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


# What follows the base model names its owner: `ft:gpt-4o-mini:acme:bot:AbC123`, and until
# 2023 `davinci:ft-acme-2023-01-31`
_FINE_TUNED = re.compile(r"(?P<base>\bft:[^:\s]+:|:ft-).+", re.IGNORECASE | re.DOTALL)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry
) -> dict[str, Any]:
    """Return all that an entry holds, redacted; of one that is not loaded what is known of it."""
    host = URL(entry.data[CONF_HOST]).host
    diagnostics: dict[str, Any] = {
        "entry": async_redact_data(
            {
                "data": {
                    **entry.data,
                    # A host of one's own can be named after its owner.
                    CONF_HOST: host if host == DEFAULT_HOST else "another host",
                },
                "options": dict(entry.options),
                "state": entry.state.value,
                "title": entry.title,
                "unique_id": entry.unique_id,
            },
            TO_REDACT,
        ),
    }
    if entry.state is not ConfigEntryState.LOADED:
        statuses = endpoint_statuses(hass, entry.entry_id)
        return diagnostics | {
            "reason": entry.error_reason_translation_key or entry.disabled_by,
            "endpoints": {name: _status(status) for name, status in statuses.items()},
        }
    data = entry.runtime_data
    models = _Models()
    return diagnostics | {
        "paths": data.client.paths,
        "names": _names(data.names) if data.names else None,
        "endpoints": {one.endpoint: _endpoint(one, models) for one in data.coordinators},
    }


def _status(status: EndpointStatus) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(status).items()}


def _names(names: NameCoordinator) -> dict[str, Any]:
    """Return how many names are known; they themselves say whose they are."""
    return {
        **_status(names.status),
        "projects": len(names.data.projects),
        "api_keys": len(names.data.api_keys),
    }


def _endpoint(coordinator: AnyCoordinator, models: _Models) -> dict[str, Any]:
    response: Any = coordinator.data
    data = async_redact_data(_plain(asdict(response)), TO_REDACT) if response else None
    return {
        **_status(coordinator.status),
        "last_update_success": coordinator.last_update_success,
        "data": models.redact(data),
    }


def _plain(value: Any) -> Any:
    """Return data with keys and values that JSON has: days as text, sets in order."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return value


class _Models:
    """Redacts what follows the base model in the names of fine-tuned models.

    Models of the same base are numbered, so that each keeps its own figures.
    """

    def __init__(self) -> None:
        """Start without names."""
        self._names: dict[str, str] = {}

    def redact(self, value: Any) -> Any:
        """Return data with all names of models redacted, in keys and values."""
        if isinstance(value, Mapping):
            return {self.redact(key): self.redact(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact(item) for item in value]
        return self._redact_name(value) if isinstance(value, str) else value

    def _redact_name(self, name: str) -> str:
        if name not in self._names:
            if (match := _FINE_TUNED.search(name)) is None:
                return name
            shown = redacted = f"{name[: match.start()]}{match['base']}{REDACTED}"
            number = 1
            while shown in self._names.values():
                number += 1
                shown = f"{redacted} {number}"
            self._names[name] = shown
        return self._names[name]
