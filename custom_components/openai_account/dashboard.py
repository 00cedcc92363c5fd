"""The dashboard that generates itself: its scripts, which the frontend loads."""

from __future__ import annotations

import hashlib
from pathlib import Path

from homeassistant.components.frontend import add_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_when_setup

from .const import DOMAIN

FOLDER = Path(__file__).parent / "frontend"
SCRIPT = "openai-account-strategy.js"


async def async_register_dashboard(hass: HomeAssistant) -> None:
    """Offer the dashboard as soon as the frontend is set up; without one, do nothing."""
    async_when_setup(hass, "frontend", _async_serve)


async def _async_serve(hass: HomeAssistant, _: str) -> None:
    """Serve the scripts, and have the frontend load the one that announces the dashboard."""
    # Browsers cache the scripts for a month: a changed script needs another address.
    digest = await hass.async_add_executor_job(_digest, FOLDER)
    url = f"/{DOMAIN}/{digest}"
    await hass.http.async_register_static_paths([StaticPathConfig(url, str(FOLDER))])
    add_extra_js_url(hass, f"{url}/{SCRIPT}")


def _digest(folder: Path) -> str:
    """Return a digest of a folder's scripts, which differs if one of them does."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.js")):
        script = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(script)}\n".encode())
        digest.update(script)
    return digest.hexdigest()[:12]
