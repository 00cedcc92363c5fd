"""Fixtures that tests share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
import logging
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_HOST
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.openai_account.api import KeyKind, OpenAIAccountClient
from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_UPDATE_INTERVAL,
    DOMAIN,
)

from .common import RunningSimulator
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, SECRETS
from .host import Connect, Host

# The plugin lets every SQL statement be logged, which takes most of the time of tests with rows.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Take snapshots in the format of Home Assistant's own tests."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def integrations(
    request: pytest.FixtureRequest, socket_enabled: None, no_secrets_logged: None
) -> None:
    """Let Home Assistant load this integration, and let the simulator listen on loopback.

    A test's recorder must exist before custom integrations are enabled.
    """
    if "hass" not in request.fixturenames:
        return
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def no_secrets_logged(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Fail any test that logs a key or personal data, at whatever level."""
    caplog.set_level(logging.DEBUG)
    yield
    for when in ("setup", "call", "teardown"):
        for record in caplog.get_records(when):
            if record.name not in MAY_LOG:
                logged = record.getMessage() + (record.exc_text or "")
                for secret in SECRETS:
                    assert secret not in logged, f"{record.name} logged a secret ({when})"


MAY_LOG = {
    # At debug level the core logs every state, including that of an enabled billing address.
    "homeassistant.core",
    # In debug mode it logs slow tasks by name, and Home Assistant's names hold the entry's title.
    "asyncio",
    # Its mock of the storage logs what is written, including the entry with its key.
    "pytest_homeassistant_custom_component.common",
}


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncGenerator[RunningSimulator]:
    """Run a simulated OpenAI on loopback."""
    running = RunningSimulator(key=KEY, admin_key=ADMIN_KEY)
    runner = web.AppRunner(running.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield running
    await runner.cleanup()


@pytest.fixture
def entry(simulator: RunningSimulator) -> MockConfigEntry:
    """Return an entry with a session key, not yet added to Home Assistant."""
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
def admin_entry(simulator: RunningSimulator) -> MockConfigEntry:
    """Return an entry with an admin key alone, not yet added to Home Assistant."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Example Home",
        unique_id=ORGANIZATION,
        data={CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY},
    )


@pytest.fixture
def full_entry(simulator: RunningSimulator) -> MockConfigEntry:
    """Return an entry with both keys and all options, not yet added to Home Assistant."""
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
    """Enable the entities that are disabled by default."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", property(lambda _: True))


@pytest.fixture
async def host(freezer: FrozenDateTimeFactory) -> AsyncGenerator[Host]:
    """Run a host on loopback that answers as it is told."""
    freezer.move_to(NOW)
    found = Host()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.respond)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None, shutdown_timeout=0.1)
    found.url = str(server.make_url(""))
    yield found
    await server.close()


@pytest.fixture
async def connect(host: Host) -> AsyncGenerator[Connect]:
    """Return what creates a client of that host with keys of some kinds, or all."""
    keys = {KeyKind.SESSION: KEY, KeyKind.ADMIN: ADMIN_KEY}
    async with aiohttp.ClientSession() as session:

        def create(*kinds: KeyKind, url: str = "", **options: Any) -> OpenAIAccountClient:
            chosen = {kind: keys[kind] for kind in kinds or keys}
            return OpenAIAccountClient(session, url or host.url, chosen, **options)

        yield create


@pytest.fixture
def client(connect: Connect) -> OpenAIAccountClient:
    """Return a client of that host with both keys."""
    return connect()
