"""OpenAI's own host: reached by its name over HTTPS, and named where other hosts are not."""

from __future__ import annotations

from collections.abc import AsyncGenerator
import ssl
from unittest.mock import AsyncMock, patch

from aiohttp import AsyncResolver, web
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util.ssl import get_default_context
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.openai_account.const import BILLING_URL, DOMAIN

from .certificate import self_signed
from .common import RunningSimulator, requested_endpoints, start_user_flow, state, submit_form
from .const import KEY

DEFAULT_HOST = "api.openai.com"


@pytest.fixture
async def openai(simulator: RunningSimulator, socket_enabled: None) -> AsyncGenerator[AsyncMock]:
    """Let all names be those of the simulator, with a certificate for OpenAI's; the resolver."""
    certificate = self_signed(DEFAULT_HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    runner = web.AppRunner(simulator.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    found = {
        "hostname": DEFAULT_HOST,
        "host": "127.0.0.1",
        "port": runner.addresses[0][1],
        "family": 2,
        "proto": 6,
        "flags": 0,
    }
    get_default_context().load_verify_locations(certificate)
    resolver = AsyncMock(return_value=[found])
    with patch.object(AsyncResolver, "resolve", resolver):
        yield resolver
    await runner.cleanup()


async def add(hass: HomeAssistant, **values: str) -> MockConfigEntry:
    """Add an account by the form, which suggests OpenAI's host; return its entry."""
    result = await submit_form(hass, await start_user_flow(hass), session_key=KEY, **values)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result["errors"]
    await hass.async_block_till_done(wait_background_tasks=True)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def test_account_at_the_default_host(
    hass: HomeAssistant, simulator: RunningSimulator, openai: AsyncMock
) -> None:
    """Without a host the account is OpenAI's: found by its name, and reached by HTTPS."""
    entry = await add(hass)
    assert entry.data[CONF_HOST] == f"https://{DEFAULT_HOST}"
    assert float(state(hass, "total_available"))
    assert requested_endpoints(simulator) == {"credit_grants", "usage", "subscription", "me"}
    assert {call.args[0] for call in openai.call_args_list} == {DEFAULT_HOST}
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.configuration_url == BILLING_URL


async def test_diagnostics_name_the_default_host(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    openai: AsyncMock,
) -> None:
    """Diagnostics say that the account is at OpenAI's host; another host stays unnamed."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await add(hass)
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    diagnostics = (await response.json())["data"]
    assert diagnostics["entry"]["data"][CONF_HOST] == DEFAULT_HOST
