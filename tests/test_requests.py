"""What the integration sends, and to whom it sends nothing."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
import ssl
from threading import Thread

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN

from .certificate import self_signed
from .common import RunningSimulator, count_requests, poll, setup_entry
from .const import KEY, NOW


async def test_working_path_is_remembered(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where the bare paths are missing, those under /v1 are used from then on."""
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
        pytest.param("2026-11-24 15:30:00+00:00", "2026-11-01", "2026-11-25", id="in a month"),
        pytest.param("2026-11-30 23:59:59+00:00", "2026-11-01", "2026-12-01", id="month ends"),
        pytest.param("2026-12-01 00:00:00+00:00", "2026-11-30", "2026-12-02", id="month begins"),
        pytest.param("2027-01-01 12:00:00+00:00", "2026-12-31", "2027-01-02", id="year begins"),
    ],
)
async def test_requests_use_utc_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    now: str,
    start: str,
    end: str,
) -> None:
    """Requests name UTC days, whatever the home's time zone, and carry the right headers."""
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


async def test_redirects_are_not_followed(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A redirect is not followed, neither with nor without the key."""
    simulator.fault("credit_grants", "redirect")
    await setup_entry(hass, entry)
    assert "/redirected" not in {request.path for request in simulator.requests}
    # Both paths of the credit, and once each what it could be derived from
    assert count_requests(simulator, "credit_grants") == 2
    assert len(simulator.requests) == 5


async def test_untrusted_certificate_gets_no_request(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """A host with a self-signed certificate never sees the request, nor the key."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Print nothing: the handshakes are meant to fail."""

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


async def test_insecure_host_in_storage_gets_no_key(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A host edited in the storage gets no key over plain HTTP."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id="x",
        data={CONF_HOST: "http://8.8.8.8", CONF_SESSION_KEY: KEY},
    )
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "insecure_host"
