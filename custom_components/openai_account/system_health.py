"""System health: whether the server can be reached, and how the accounts are doing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeassistant.components.system_health import (
    SystemHealthRegistration,
    async_check_can_reach_url,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback

from .api import DEFAULT_HOST, base_url
from .const import DOMAIN
from .coordinator import OpenAIAccountConfigEntry


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information of this integration."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the system information page shows."""
    accounts: list[OpenAIAccountConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    entries = [entry for entry in accounts if entry.state is ConfigEntryState.LOADED]
    updates = [update for entry in entries if (update := entry.runtime_data.last_update)]
    return {
        **{
            key: async_check_can_reach_url(hass, url)
            for key, url in _hosts(one.data[CONF_HOST] for one in accounts).items()
        },
        "accounts": len(hass.config_entries.async_entries(DOMAIN)),
        "oldest_success": min(updates, default=None),
    }


def _hosts(urls: Iterable[str]) -> dict[str, str]:
    """Return the URLs to test by the keys of their texts: each account's host, once.

    Hosts of one's own are numbered: they can be named after their owner, and people post
    what this page shows.
    """
    official = str(base_url(DEFAULT_HOST))
    hosts = list(dict.fromkeys(urls)) or [official]
    found = {"can_reach_openai": official} if official in hosts else {}
    others = [url for url in hosts if url != official]
    for number, url in enumerate(others, 1):
        found[f"can_reach_host_{number}" if number > 1 else "can_reach_host"] = url
    return found
