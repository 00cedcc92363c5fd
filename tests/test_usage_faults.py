"""Faults of the usage endpoints: what they affect, and how the integration recovers."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator.faults import Fault
from simulator.ledger import JSON
from simulator.query import Query

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    entity_keys,
    has_entity,
    poll,
    setup_entry,
    state,
)
from .const import FAULTS, KEY_FAULTS, NOW, SENSOR_OF_ENDPOINT
from .usage import USAGE

# The sensors that depend on each endpoint
TOKENS = "input_tokens_today"
REQUESTS = "requests_today"
SENSORS = {
    "completions": {TOKENS, REQUESTS, "tokens_last_24_hours"},
    "embeddings": {TOKENS, REQUESTS},
    "moderations": {TOKENS, REQUESTS},
    "images": {REQUESTS, "images_this_month"},
    "audio_speeches": {REQUESTS, "speech_characters_this_month"},
    "audio_transcriptions": {REQUESTS, "transcription_seconds_this_month"},
    "web_search_calls": {REQUESTS, "web_searches_this_month"},
    "file_search_calls": {"file_searches_this_month"},
    "code_interpreter_sessions": {"code_interpreter_sessions_this_month"},
    "vector_stores": {"vector_store_bytes"},
}
ALL = {key for keys in SENSORS.values() for key in keys} | {*SENSOR_OF_ENDPOINT.values()}

# An admin key is good for some endpoints and not for others.
NO_ADMIN_KEY = KEY_FAULTS - {"wrong_key_type"}


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return the keys of the sensors that are unavailable."""
    return {key for key in ALL if state(hass, key) == STATE_UNAVAILABLE}


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("endpoint", ["completions", "images"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_affects_only_its_endpoint(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
    fault: str,
) -> None:
    """Other sensors keep their values, one line is logged, and everything recovers."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    assert unavailable(hass) == set()
    simulator.fault(f"usage/{endpoint}", fault)
    for _ in range(2):
        await poll(hass, freezer, 3700)
        assert unavailable(hass) == SENSORS[endpoint]
    assert caplog.text.count("Error fetching openai_account") == 1
    steps = [flow["step_id"] for flow in full_entry.async_get_active_flows(hass, {SOURCE_REAUTH})]
    assert steps == (["reauth_admin_key"] if fault in NO_ADMIN_KEY else [])
    assert full_entry.state is ConfigEntryState.LOADED

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    assert unavailable(hass) == set()
    assert not list(full_entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("endpoint", USAGE)
async def test_each_endpoint_has_its_own_failures(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    endpoint: str,
) -> None:
    """A failure makes unavailable what the endpoint counts, and nothing else."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.fault(f"usage/{endpoint}", "server_error")
    await poll(hass, freezer, 3700)
    assert unavailable(hass) == SENSORS[endpoint]


@pytest.mark.parametrize("fault", ["no_permission", "not_found"])
async def test_key_that_may_read_costs_alone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    """Missing usage has no entity and no error, and is tried again once a day."""
    freezer.move_to(NOW)
    simulator.fault("usage/*", fault)
    await setup_entry(hass, full_entry)
    keys = entity_keys(hass, full_entry)
    assert not [key for key in keys if "tokens" in key or "requests" in key or "images" in key]
    simulator.requests.clear()
    for _ in range(12):
        await poll(hass, freezer, 3600)
    assert sum(count_requests(simulator, f"usage/{one}") for one in USAGE) <= len(USAGE)
    assert "Error fetching" not in caplog.text
    assert not issue_registry.issues
    assert not list(full_entry.async_get_active_flows(hass, {SOURCE_REAUTH}))

    simulator.clear_faults()
    for _ in range(13):
        await poll(hass, freezer, 3600)
    assert int(state(hass, "input_tokens_this_month")) > 0
    assert has_entity(hass, "images_this_month")


async def test_missing_endpoint_counts_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where a host has some of the endpoints, sums are of those."""
    freezer.move_to(NOW)
    simulator.fault("usage/embeddings", "not_found")
    simulator.fault("usage/images", "no_permission")
    await setup_entry(hass, full_entry)
    assert int(state(hass, "input_tokens_today")) > 0
    assert int(state(hass, "requests_today")) > 0
    assert not has_entity(hass, "images_this_month")


def only_hours(query: Query) -> JSON:
    """Return an error for days, and nothing of its own for hours."""
    by_hour = query.texts["bucket_width"] == "1h"
    return None if by_hour else {"error": {"message": "The server had an error."}}


async def test_earlier_days_that_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A month that is not known in full is unknown, and known again with the next poll."""
    freezer.move_to(NOW)
    simulator.account.overrides["usage/completions"] = only_hours
    await setup_entry(hass, full_entry)
    assert int(state(hass, "input_tokens_today")) > 0
    assert state(hass, "input_tokens_this_month") == "unknown"
    simulator.account.overrides.clear()
    await poll(hass, freezer)
    month = int(state(hass, "input_tokens_this_month"))
    assert month > int(state(hass, "input_tokens_today"))
    # A day later, what was known is still known.
    freezer.move_to("2026-11-25 00:03:00+00:00")
    simulator.account.overrides["usage/completions"] = only_hours
    await poll(hass, freezer, 0)
    assert int(state(hass, "input_tokens_this_month")) > month


async def test_last_day_before_a_time_off(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A day that was not over when it was requested is not taken for a whole one."""
    freezer.move_to("2026-11-20 08:00:00+00:00")
    await setup_entry(hass, full_entry)
    simulator.account.overrides["usage/completions"] = only_hours
    freezer.move_to("2026-11-24 08:00:00+00:00")
    await poll(hass, freezer)
    assert state(hass, "input_tokens_this_month") == "unknown"
    simulator.account.overrides.clear()
    await poll(hass, freezer)
    assert int(state(hass, "input_tokens_this_month")) > 0


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("days", [3, -3])
async def test_all_endpoints_follow_the_clock(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    days: int,
) -> None:
    """A suspended computer, or a clock that is set: timers know nothing of the days between."""
    freezer.move_to(NOW)
    await async_setup_component(hass, "homeassistant", {})
    await setup_entry(hass, full_entry)
    loop_time = hass.loop.time()
    freezer.move_to(dt_util.utcnow() + timedelta(days=days))
    simulator.requests.clear()
    with patch.object(hass.loop, "time", return_value=loop_time):
        await hass.services.async_call(
            "homeassistant",
            "update_entity",
            {"entity_id": entity_id(hass, "tokens_last_24_hours")},
            blocking=True,
        )
        await hass.async_block_till_done(wait_background_tasks=True)
    today = dt_util.utcnow().date().isoformat()
    for key in (TOKENS, REQUESTS, "images_today"):
        found = hass.states.get(entity_id(hass, key))
        assert found
        assert found.attributes["last_reset"].startswith(today)
        assert int(found.state) > 0
    # Once each, although each poll looks at all of them.
    occasional = [f"usage/{name}" for name in USAGE if name != "completions"]
    assert [count_requests(simulator, one) for one in occasional] == [1] * len(occasional)


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("endpoint", ["costs", "usage/completions"])
async def test_earlier_days_wait_as_the_host_asks(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    endpoint: str,
) -> None:
    """A request to wait that meets only the request for earlier days is kept to."""
    freezer.move_to(NOW)
    simulator.fault(endpoint, Fault(status=429, headers={"Retry-After": "3600"}), times=1, after=1)
    await setup_entry(hass, full_entry)
    before = count_requests(simulator, endpoint)
    for _ in range(11):
        await poll(hass, freezer)
    assert count_requests(simulator, endpoint) == before + 11
    await poll(hass, freezer)
    assert count_requests(simulator, endpoint) == before + 13
    assert unavailable(hass) == set()
