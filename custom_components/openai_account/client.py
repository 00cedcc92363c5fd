"""The client of the API on Home Assistant's shared session."""

from __future__ import annotations

from collections.abc import Mapping

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.loader import async_get_integration

from .api import KeyKind, OpenAIAccountClient
from .const import DOMAIN


async def async_create_client(
    hass: HomeAssistant, host: str, keys: Mapping[KeyKind, str], organization: str | None = None
) -> OpenAIAccountClient:
    """Return a client; raises the client's errors for an unusable host or key."""
    integration = await async_get_integration(hass, DOMAIN)
    return OpenAIAccountClient(
        async_get_clientsession(hass),
        host,
        keys,
        organization=organization,
        user_agent=f"HomeAssistant-OpenAIAccount/{integration.version}",
    )
