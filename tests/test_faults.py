"""Faults of each endpoint, and of all: what they touch, and that they pass."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
import ssl
from threading import Thread

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from simulator import Fault

from .certificate import self_signed
from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    poll,
    settle,
    setup_entry,
    state,
    unavailable_endpoints,
)
from .const import FAULTS, KEY, KEY_FAULTS, NOW, OTHER_KEY, SENSOR_OF_ENDPOINT


@pytest.mark.parametrize("endpoint", [*SENSOR_OF_ENDPOINT, "*"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
    fault: str,
) -> None:
    """A fault stays with its endpoint, is told once, and leaves nothing behind."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    assert unavailable_endpoints(hass) == set()
    hit = set(SENSOR_OF_ENDPOINT) if endpoint == "*" else {endpoint}

    simulator.fault(endpoint, fault)
    for _ in range(3):
        await poll(hass, freezer)
        assert unavailable_endpoints(hass) == hit
    assert caplog.text.count("Error fetching openai_account") >= len(hit)
    for one in SENSOR_OF_ENDPOINT:
        told = [
            record
            for record in caplog.records
            if record.getMessage().startswith(f"Error fetching openai_account {one} data")
        ]
        assert len(told) == (one in hit)
    reauth = list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert len(reauth) == (fault in KEY_FAULTS)
    assert entry.state is ConfigEntryState.LOADED

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    assert unavailable_endpoints(hass) == set()
    for one in SENSOR_OF_ENDPOINT:
        recovered = f"Fetching openai_account {one} data recovered"
        assert caplog.text.count(recovered) == 2 * (one in hit) // 2
    # A question for a key that works again is taken back.
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_at_start(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: str,
) -> None:
    """An entry starts when one endpoint answers, and waits when none does."""
    freezer.move_to(NOW)
    simulator.fault("*", fault)
    entry.add_to_hass(hass)
    setup = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await settle(hass, freezer)
    assert not await setup
    if fault in KEY_FAULTS:
        assert entry.state is ConfigEntryState.SETUP_ERROR
        assert len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1
        return
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))

    simulator.clear_faults()
    for one in ("usage", "subscription"):
        simulator.fault(one, fault)
    await poll(hass, freezer, 3700)
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, SENSOR_OF_ENDPOINT["credit_grants"])) > 0

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    await poll(hass, freezer, 86400)
    assert unavailable_endpoints(hass) == set()


async def test_retry_after(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An endpoint that names its patience in seconds is left alone so long, by hand too."""
    freezer.move_to(NOW)
    assert await async_setup_component(hass, HOMEASSISTANT, {})
    await setup_entry(hass, entry)
    simulator.fault("usage", Fault(status=429, headers={"Retry-After": "1800"}), times=1)
    await poll(hass, freezer)
    assert unavailable_endpoints(hass) == {"usage"}
    before = count_requests(simulator, "usage")
    credits_before = count_requests(simulator, "credit_grants")
    for _ in range(5):
        await poll(hass, freezer)
        await hass.services.async_call(
            HOMEASSISTANT,
            "update_entity",
            {"entity_id": entity_id(hass, "cost_this_month")},
            blocking=True,
        )
    assert count_requests(simulator, "usage") == before
    assert count_requests(simulator, "credit_grants") == credits_before + 5
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert count_requests(simulator, "usage") == before
    await poll(hass, freezer, 310)
    # After the reload last month is asked for, too.
    assert count_requests(simulator, "usage") == before + 2
    assert unavailable_endpoints(hass) == set()


async def test_retry_after_date(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Patience can be named as a date, too."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    until = format_datetime(dt_util.utcnow() + timedelta(seconds=2000), usegmt=True)
    simulator.fault("usage", Fault(status=429, headers={"Retry-After": until}), times=1)
    await poll(hass, freezer)
    before = count_requests(simulator, "usage")
    await poll(hass, freezer, 1600)
    assert count_requests(simulator, "usage") == before
    await poll(hass, freezer, 200)
    assert count_requests(simulator, "usage") == before + 1
    assert unavailable_endpoints(hass) == set()


@pytest.mark.parametrize("value", ["", "soon", "-5", "0", "9" * 50, "Tue, 99 Foo 2026", "1e3"])
async def test_retry_after_odd(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    value: str,
) -> None:
    """Whatever stands there, there is no tight loop and no end of polling."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", Fault(status=429, headers={"Retry-After": value}), times=1)
    await poll(hass, freezer)
    before = count_requests(simulator, "usage")
    await poll(hass, freezer, 30)
    assert count_requests(simulator, "usage") == before
    await poll(hass, freezer, 3700)
    assert count_requests(simulator, "usage") == before + 1


async def test_growing_pause(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without a word on how long, each refusal makes the next pause longer, up to an hour."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", "rate_limited")
    await poll(hass, freezer)
    pauses = []
    for _ in range(5):
        before, waited = count_requests(simulator, "usage"), 0
        while count_requests(simulator, "usage") == before:
            waited += 60
            await poll(hass, freezer, 60)
        pauses.append(waited)
    assert pauses == pytest.approx([600, 1200, 2400, 3600, 3600], abs=60)


async def test_rate_limited_start(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At start-up, too, a server that asks for patience is not asked again before."""
    freezer.move_to(NOW)
    simulator.fault("*", Fault(status=429, headers={"Retry-After": "1000"}))
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    before = len(simulator.requests)
    simulator.clear_faults()
    for _ in range(10):
        await poll(hass, freezer, 90)
    assert len(simulator.requests) == before
    await poll(hass, freezer, 110)
    await poll(hass, freezer, 600)
    assert entry.state is ConfigEntryState.LOADED
    assert unavailable_endpoints(hass) == set()


async def test_new_key_ends_pause(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A new key is used at once, however long the old one was to wait."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.key = OTHER_KEY
    await poll(hass, freezer)
    assert unavailable_endpoints(hass) == set(SENSOR_OF_ENDPOINT)
    [flow] = entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {CONF_SESSION_KEY: OTHER_KEY}
    )
    await hass.async_block_till_done()
    assert result["reason"] == "reauth_successful"
    assert unavailable_endpoints(hass) == set()


async def test_endpoint_gone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """An endpoint that is gone for a day is a repair issue, over restarts, until it is back."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", "not_found")
    await poll(hass, freezer)
    await poll(hass, freezer, 3600 * 20)
    assert not issue_registry.issues
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await poll(hass, freezer, 3600 * 5)
    [issue] = issue_registry.issues.values()
    assert issue.domain == DOMAIN
    assert issue.translation_key == "endpoint_gone"
    assert issue.translation_placeholders == {"endpoint": "usage"}
    simulator.clear_faults()
    await poll(hass, freezer)
    assert not issue_registry.issues
    assert unavailable_endpoints(hass) == set()


async def test_removal_takes_the_issue_along(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """No issue stays of an account that is no longer there."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", "not_found")
    await poll(hass, freezer)
    await poll(hass, freezer, 86400 + 600)
    assert len(issue_registry.issues) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert not issue_registry.issues


async def test_paths(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where the bare paths are gone, those under /v1 serve, and are remembered."""
    freezer.move_to(NOW)
    simulator.bare_paths = False
    await setup_entry(hass, entry)
    simulator.requests.clear()
    await poll(hass, freezer)
    assert {request.path for request in simulator.requests} == {
        "/v1/dashboard/billing/credit_grants",
        "/v1/dashboard/billing/usage",
        "/v1/dashboard/billing/subscription",
    }
    assert len(simulator.requests) == 3


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-24 15:30:00+00:00", "2026-11-01", "2026-11-25"),
        ("2026-11-30 23:59:59+00:00", "2026-11-01", "2026-12-01"),
        ("2026-12-01 00:00:00+00:00", "2026-11-30", "2026-12-02"),
        ("2027-01-01 12:00:00+00:00", "2026-12-31", "2027-01-02"),
    ],
)
async def test_requests(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    now: str,
    start: str,
    end: str,
) -> None:
    """What is asked for: UTC days, whatever the time zone of the home, and who is asking."""
    freezer.move_to(now)
    await hass.config.async_set_time_zone("Pacific/Honolulu")
    await setup_entry(hass, entry)
    seen = {request.endpoint: request for request in reversed(simulator.requests)}
    assert seen["usage"].query == {
        "start_date": start,
        "end_date": end,
        "exclude_project_costs": "false",
        "new_endpoint": "true",
    }
    assert set(seen["subscription"].query) == {"start_date", "end_date"}
    assert seen["subscription"].query["end_date"] == end
    assert {"accept", "user-agent", "authorization", "openai-organization"} <= seen["usage"].headers
    assert all(request.authorized for request in simulator.requests)


async def test_key_stays_at_home(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A redirect is not followed, with the key or without."""
    simulator.fault("credit_grants", "redirect")
    await setup_entry(hass, entry)
    assert "/redirected" not in {request.path for request in simulator.requests}
    assert len(simulator.requests) == 4


async def test_untrusted_certificate(hass: HomeAssistant, socket_enabled: None) -> None:
    """A certificate that nobody vouches for gets no request."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing of handshakes that fail, as they shall."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed())
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        entry = MockConfigEntry(
            domain=DOMAIN,
            unique_id="x",
            data={CONF_HOST: f"https://127.0.0.1:{server.server_port}", CONF_SESSION_KEY: KEY},
        )
        await setup_entry(hass, entry)
        server.shutdown()
        thread.join()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert not seen


async def test_manipulated_entry(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """A host that was changed behind the flow's back still gets no key in the clear."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id="x",
        data={CONF_HOST: "http://8.8.8.8", CONF_SESSION_KEY: KEY},
    )
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "insecure_host"
