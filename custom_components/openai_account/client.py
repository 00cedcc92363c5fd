"""The client of the API on a session of Home Assistant that keeps no cookies."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.loader import async_get_integration
from homeassistant.util.hass_dict import HassKey

from .api import KeyKind, OpenAIAccountClient
from .const import DOMAIN

_SESSION: HassKey[aiohttp.ClientSession] = HassKey(f"{DOMAIN}_session")


async def async_create_client(
    hass: HomeAssistant, host: str, keys: Mapping[KeyKind, str], organization: str | None = None
) -> OpenAIAccountClient:
    """Return a client; raises the client's errors for an unusable host or key."""
    integration = await async_get_integration(hass, DOMAIN)
    return OpenAIAccountClient(
        _session(hass),
        host,
        keys,
        organization=organization,
        user_agent=f"HomeAssistant-OpenAIAccount/{integration.version}",
    )


@callback
def _session(hass: HomeAssistant) -> aiohttp.ClientSession:
    """Return the session of all accounts and forms.

    Home Assistant's shared one has a cookie jar: what one host sets there is sent to all
    others of its domain, also by other integrations. This one has none, and uses the same
    connections. It is not an entry's: forms use it before there is one.
    """
    if (session := hass.data.get(_SESSION)) is None:
        session = hass.data[_SESSION] = async_create_clientsession(
            hass, auto_cleanup=False, cookie_jar=aiohttp.DummyCookieJar()
        )

        @callback
        def detach(_: Event) -> None:
            hass.data.pop(_SESSION).detach()

        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, detach)
    return session
