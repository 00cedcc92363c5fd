"""Responses of all sizes: read whole up to a limit, and not a chunk further."""

from __future__ import annotations

from dataclasses import dataclass, field
import json
from typing import override

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Fault

from .common import RunningSimulator, poll, setup_entry, state
from .const import NOW

LIMIT = 8 * 1024 * 1024


def padded(size: int, **data: object) -> str:
    """Return a JSON object of exactly so many bytes, whose known fields are at its end."""
    empty = json.dumps({"padding": "", **data})
    return json.dumps({"padding": "x" * (size - len(empty)), **data})


@pytest.mark.parametrize(
    "size", [128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 1024 * 1024, LIMIT - 1, LIMIT]
)
async def test_large_response_is_read_whole(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry, size: int
) -> None:
    """A response of up to 8 MiB is read to its last byte."""
    body = padded(size, total_available=12.5)
    assert len(body) == size
    simulator.fault("credit_grants", Fault(body=body))
    await setup_entry(hass, entry)
    assert state(hass, "total_available") == "12.5"


async def test_response_over_the_limit_is_an_error(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One byte more is an error, which says that the response is no usable one."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("credit_grants", Fault(body=padded(LIMIT + 1, total_available=12.5)))
    await poll(hass, freezer)
    assert state(hass, "total_available") == STATE_UNAVAILABLE
    assert "Error fetching openai_account credit_grants of account …Home01 data" in caplog.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(Fault):
    """Sends chunks of 64 KiB until the client has had enough, and counts them."""

    sent: list[int] = field(default_factory=list)

    @override
    async def respond(self, request: web.Request) -> web.StreamResponse | None:
        response = web.StreamResponse(status=self.status)
        response.content_type = "application/json"
        await response.prepare(request)
        try:
            for _ in range(64 * 16):
                await response.write(b" " * 64 * 1024)
                self.sent.append(64 * 1024)
        except ConnectionError:
            pass
        return response


@pytest.mark.parametrize(("status", "limit"), [(200, LIMIT), (500, 128 * 1024)])
async def test_reading_stops_at_the_limit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    status: int,
    limit: int,
) -> None:
    """Of a response without an end no more is read than is used, and less of an error."""
    endless = Endless(status=status)
    simulator.fault("subscription", endless, times=1)
    await setup_entry(hass, entry)
    # What the connection holds on its way comes on top.
    assert sum(endless.sent) < limit + 16 * 1024 * 1024


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
async def test_long_error_still_says_what_it_is(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry, cut: bool
) -> None:
    """The status of an error counts, however long its body is, and where it breaks off."""
    simulator.fault(
        "credit_grants",
        Fault(status=401, body="x" * 300_000, content_type="text/plain", cut=cut),
    )
    await setup_entry(hass, entry)
    assert [flow["step_id"] for flow in hass.config_entries.flow.async_progress()] == [
        "reauth_confirm"
    ]
