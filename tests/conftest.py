"""Fixtures that all tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
import logging

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_UPDATE_INTERVAL,
    DOMAIN,
)
from simulator import Simulator

from .const import ADMIN_KEY, KEY, ORGANIZATION, SECRETS


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Snapshots as Home Assistant's own tests take them."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def integrations(
    request: pytest.FixtureRequest, socket_enabled: None, no_secrets_logged: None
) -> None:
    """Let Home Assistant load this integration, and the simulator listen on loopback.

    A test's recorder must exist before Home Assistant looks for integrations.
    """
    if "hass" not in request.fixturenames:
        return
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def no_secrets_logged(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Hold every test to it: no key and nothing of a person in the log, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    for when in ("setup", "call", "teardown"):
        for record in caplog.get_records(when):
            if record.name not in MAY_LOG:
                logged = record.getMessage() + (record.exc_text or "")
                for secret in SECRETS:
                    assert secret not in logged, f"{record.name} logged a secret ({when})"


MAY_LOG = {
    # At debug level the core logs each state that there is, so also a billing address whose
    # sensor somebody has switched on.
    "homeassistant.core",
    # Stands in for the storage, and tells what is written: the entry with its key
    "pytest_homeassistant_custom_component.common",
}


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncGenerator[RunningSimulator]:
    """A simulated OpenAI, listening on loopback."""
    running = RunningSimulator(key=KEY, admin_key=ADMIN_KEY)
    runner = web.AppRunner(running.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield running
    await runner.cleanup()


class RunningSimulator(Simulator):
    """A simulator and where it listens."""

    url: str = ""


@pytest.fixture
def entry(simulator: RunningSimulator) -> MockConfigEntry:
    """An entry for the simulated account, not yet known to Home Assistant."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Example Home",
        unique_id=ORGANIZATION,
        data={
            CONF_HOST: simulator.url,
            CONF_SESSION_KEY: KEY,
            CONF_ORGANIZATION: ORGANIZATION,
        },
    )


@pytest.fixture
def full_entry(simulator: RunningSimulator) -> MockConfigEntry:
    """An entry with both keys and all options, not yet known to Home Assistant."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Example Home",
        unique_id=ORGANIZATION,
        data={
            CONF_HOST: simulator.url,
            CONF_SESSION_KEY: KEY,
            CONF_ADMIN_KEY: ADMIN_KEY,
            CONF_ORGANIZATION: ORGANIZATION,
        },
        options={
            CONF_UPDATE_INTERVAL: 300,
            CONF_LOW_BALANCE_THRESHOLD: 5,
            CONF_MONTHLY_BUDGET: 100,
        },
    )


@pytest.fixture
def all_entities_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the entities that are disabled by default, too."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", property(lambda _: True))


async def poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float = 301) -> None:
    """Let time pass, and wait for the polls that are due then."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await settle(hass, freezer)


async def settle(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Wait until nothing is under way; what waits for an answer in vain runs out of time.

    The frozen clock is the event loop's, too: a timeout comes only when it is told.
    """
    waiting = asyncio.ensure_future(hass.async_block_till_done(wait_background_tasks=True))
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0)
        turns += 1
        if turns % 20_000 == 0:
            freezer.tick(31)
            async_fire_time_changed(hass)
    await waiting


def entity_id(hass: HomeAssistant, key: str, platform: str = "sensor") -> str:
    """Return the entity id of an account's entity by its key."""
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{ORGANIZATION}_{key}")
    assert found, f"no entity {key}"
    return found


def state(hass: HomeAssistant, key: str, platform: str = "sensor") -> str:
    """Return the state of an account's entity by its key."""
    found = hass.states.get(entity_id(hass, key, platform))
    assert found
    return found.state


async def setup_entry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Add an entry and wait until it is set up."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
