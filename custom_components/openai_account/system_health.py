"""System health: whether the server can be reached, and how the accounts are doing."""

from __future__ import annotations

from typing import Any

from homeassistant.components.system_health import (
    SystemHealthRegistration,
    async_check_can_reach_url,
)
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
    entries: list[OpenAIAccountConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    hosts = {entry.data[CONF_HOST] for entry in entries}
    # With several hosts, OpenAI's own stands for all.
    url = hosts.pop() if len(hosts) == 1 else str(base_url(DEFAULT_HOST))
    updates = [
        coordinator.status.last_success
        for entry in entries
        for coordinator in entry.runtime_data.coordinators
        if coordinator.is_frequent and coordinator.is_served and coordinator.status.last_success
    ]
    return {
        "can_reach_host": async_check_can_reach_url(hass, url),
        "accounts": len(hass.config_entries.async_entries(DOMAIN)),
        "oldest_success": min(updates, default=None),
    }
