"""Diagnostics and system health, without secrets and personal data."""

from __future__ import annotations

import json
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from simulator import LineItem

from .common import RunningSimulator, poll, setup_entry
from .const import KEY, NOW, ORGANIZATION, SECRETS


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


async def download(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> str:
    """Return the text of an entry's diagnostics."""
    assert await async_setup_component(hass, "diagnostics", {})
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert response.status == 200
    text: str = await response.text()
    return text


@pytest.mark.freeze_time(NOW)
async def test_fine_tuned_models_do_not_name_their_owner(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
) -> None:
    """What follows the base model is redacted, and each model keeps its own figures."""
    base = "ft:gpt-4o-mini-2024-07-18"
    simulator.account.ledger = {
        NOW.date(): [
            LineItem(f"{base}:acme-gmbh:kitchen-bot:AbC123, input", 100.0),
            LineItem(f"{base}:acme-gmbh:kitchen-bot:AbC124, input", 200.0),
            LineItem(f"batch | {base}:acme-gmbh::AbC125:ckpt-step-80, input", 300.0),
            LineItem("davinci:ft-acme-gmbh-2022-01-31-10-20-30", 400.0),
            LineItem("ft-gpt-4o-2024-08-06, input", 500.0),
        ]
    }
    await setup_entry(hass, full_entry)
    text = await download(hass, hass_client, full_entry)
    for secret in ("acme", "kitchen", "AbC12", "2022-01-31"):
        assert secret not in text
    costs = json.loads(text)["data"]["endpoints"]["costs"]["data"]
    models = {
        f"{base}:**REDACTED**": 1.0,
        f"{base}:**REDACTED** 2": 2.0,
        f"batch | {base}:**REDACTED**": 3.0,
        "davinci:ft-**REDACTED**": 4.0,
        "ft-gpt-4o-2024-08-06": 5.0,
    }
    assert costs["days"]["2026-11-24"]["models"] == models
    assert costs["models_this_month"] == models


@pytest.mark.parametrize("is_disabled", [False, True])
async def test_diagnostics_of_an_account_that_never_loaded(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    is_disabled: bool,
) -> None:
    """They say what is known, which is why the account is not set up."""
    simulator.fault("*", "html_wall")
    if is_disabled:
        full_entry.add_to_hass(hass)
        assert await async_setup_component(hass, DOMAIN, {})
        await hass.config_entries.async_set_disabled_by(
            full_entry.entry_id, ConfigEntryDisabler.USER
        )
    else:
        await setup_entry(hass, full_entry)
    text = await download(hass, hass_client, full_entry)
    for secret in (*SECRETS, ORGANIZATION, "Example Home"):
        assert secret not in text
    data = json.loads(text)["data"]
    assert data["entry"]["data"]["session_key"] == "**REDACTED**"
    if not is_disabled:
        assert data["entry"]["state"] == "setup_retry"
        # The oldest version does not tell why.
        assert data["reason"] in ("blocked", None)
        assert data["endpoints"]["costs"]["last_error"] == "blocked"


async def test_log_says_which_account_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log names an account by its organization, not by its title."""
    freezer.move_to(NOW)
    hass.config.debug = False
    await setup_entry(hass, full_entry)
    simulator.fault("credit_grants", "server_error")
    await poll(hass, freezer)
    (line,) = (one for one in caplog.messages if one.startswith("Error fetching"))
    assert line.startswith("Error fetching openai_account credit_grants of account …Home01 data:")
    assert "Example" not in line


async def test_system_health_tests_each_host(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Each account's host is tested once, also of one that is not loaded, and no other."""
    assert await async_setup_component(hass, "system_health", {})
    urls = [
        "http://127.0.0.1:1",
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        "https://api.openai.com",
    ]
    entries = [
        MockConfigEntry(
            domain=DOMAIN, unique_id=f"id{number}", data={CONF_HOST: url, CONF_SESSION_KEY: KEY}
        )
        for number, url in enumerate(urls)
    ]
    await setup_entry(hass, entry)
    for other in entries[:3]:
        other.add_to_hass(hass)
    info = await get_system_health_info(hass, DOMAIN)
    results = {name: await value for name, value in info.items() if name.startswith("can_reach")}
    assert results == {
        "can_reach_host": "ok",
        "can_reach_host_2": {"type": "failed", "error": "unreachable"},
        "can_reach_host_3": {"type": "failed", "error": "unreachable"},
    }
    assert info["accounts"] == 4
    texts = await async_get_translations(hass, "en", "system_health", [DOMAIN])
    for name in (*results, "can_reach_openai"):
        assert f"component.{DOMAIN}.system_health.info.{name}" in texts

    with patch(
        "custom_components.openai_account.system_health.async_check_can_reach_url",
        side_effect=lambda _, url: url,
    ):
        entries[3].add_to_hass(hass)
        info = await get_system_health_info(hass, DOMAIN)
        hosts = {name: await value for name, value in info.items() if name.startswith("can_reach")}
    assert hosts == {
        "can_reach_host": simulator.url,
        "can_reach_host_2": "http://127.0.0.1:1",
        "can_reach_host_3": "http://127.0.0.1:2",
        "can_reach_openai": "https://api.openai.com",
    }


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
    assert json.loads(text)["data"]["reason"] in (reason, None)
