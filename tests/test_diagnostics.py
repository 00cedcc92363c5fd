"""Diagnostics and system health, without secrets and personal data."""

from __future__ import annotations

import json

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import RunningSimulator, poll, setup_entry
from .const import NOW, ORGANIZATION, SECRETS


@pytest.mark.freeze_time(NOW)
async def test_diagnostics_hold_no_secrets(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
) -> None:
    """The download shows the data and errors of each endpoint, redacted."""
    assert await async_setup_component(hass, "diagnostics", {})
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 120.0)]}
    await setup_entry(hass, full_entry)
    simulator.fault("subscription", "rate_limited")
    simulator.fault("credit_grants", "html_wall")
    await poll(hass, freezer)
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{full_entry.entry_id}")
    assert response.status == 200
    text = await response.text()
    for secret in (*SECRETS, ORGANIZATION, "Example Home", "Exampletown", "proj_default"):
        assert secret not in text
    assert json.loads(text)["data"] == snapshot


async def test_system_health_shows_reachability_and_age(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """System health shows whether the host can be reached, and the least recent update."""
    freezer.move_to(NOW)
    assert await async_setup_component(hass, "system_health", {})
    await setup_entry(hass, entry)
    simulator.fault("usage", "html_wall")
    await poll(hass, freezer)
    info = await get_system_health_info(hass, DOMAIN)
    assert info["accounts"] == 1
    assert info["oldest_success"] == NOW
    assert await info["can_reach_host"] == "ok"
    assert simulator.requests[-1].path == "/"
    assert "authorization" not in simulator.requests[-1].headers


@pytest.mark.parametrize("reason", ["server_error", "invalid_auth", "user"])
async def test_diagnostics_of_an_account_that_is_not_loaded(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    reason: str,
) -> None:
    """The download of an account that cannot be set up, or is disabled, says why."""
    assert await async_setup_component(hass, "diagnostics", {})
    if reason == "user":
        full_entry.disabled_by = ConfigEntryDisabler.USER
    else:
        simulator.fault("*", {"server_error": "unavailable"}.get(reason, "expired_key"))
    full_entry.add_to_hass(hass)
    await hass.config_entries.async_setup(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{full_entry.entry_id}")
    assert response.status == 200
    text = await response.text()
    for secret in (*SECRETS, ORGANIZATION):
        assert secret not in text
    assert json.loads(text)["data"]["reason"] == reason
