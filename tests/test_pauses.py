"""When and for how long polls of an endpoint pause, and what ends a pause."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY
from simulator import Fault

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    poll,
    setup_entry,
    unavailable_endpoints,
)
from .const import NOW, OTHER_KEY, SENSOR_OF_ENDPOINT


async def test_retry_after_seconds_pause_the_endpoint(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A `Retry-After` in seconds pauses its endpoint, even for manual updates and a reload."""
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
    # After a reload the costs of last month are requested, too.
    assert count_requests(simulator, "usage") == before + 2
    assert unavailable_endpoints(hass) == set()


async def test_retry_after_date_pauses_the_endpoint(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A `Retry-After` can be an HTTP date."""
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


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("soon", id="text"),
        pytest.param("-5", id="negative"),
        pytest.param("0", id="zero"),
        pytest.param("9" * 50, id="too long"),
        pytest.param("Tue, 99 Foo 2026", id="no date"),
        pytest.param("1e3", id="exponent"),
    ],
)
async def test_unusable_retry_after_pauses_within_bounds(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    value: str,
) -> None:
    """Whatever `Retry-After` holds, the endpoint is neither polled at once nor forgotten."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", Fault(status=429, headers={"Retry-After": value}), times=1)
    await poll(hass, freezer)
    before = count_requests(simulator, "usage")
    await poll(hass, freezer, 30)
    assert count_requests(simulator, "usage") == before
    await poll(hass, freezer, 3700)
    assert count_requests(simulator, "usage") == before + 1


async def test_pause_doubles_up_to_an_hour(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without a `Retry-After`, each further 429 doubles the pause, up to an hour."""
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


async def test_setup_respects_retry_after(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A `Retry-After` received during setup delays the next attempt."""
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


async def test_new_key_ends_the_pause(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A new key is used at once, even while the endpoints are paused."""
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
