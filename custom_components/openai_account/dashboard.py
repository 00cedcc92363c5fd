"""The dashboard that makes itself: its scripts, served to and loaded by the frontend."""

from __future__ import annotations

from pathlib import Path

from homeassistant.components.frontend import add_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_when_setup

from .const import DOMAIN

FOLDER = Path(__file__).parent / "frontend"
SCRIPT = "openai-account-strategy.js"


async def async_register_dashboard(hass: HomeAssistant) -> None:
    """Offer the dashboard as soon as there is a frontend; without one, do nothing."""
    async_when_setup(hass, "frontend", _async_serve)


async def _async_serve(hass: HomeAssistant, _: str) -> None:
    """Serve the scripts, and have the frontend load the one that announces the dashboard."""
    integration = await async_get_integration(hass, DOMAIN)
    # Browsers keep the scripts: a new version has them under another address.
    url = f"/{DOMAIN}/{integration.version}"
    await hass.http.async_register_static_paths([StaticPathConfig(url, str(FOLDER))])
    add_extra_js_url(hass, f"{url}/{SCRIPT}")
