"""Faults of the documented endpoints: what they affect, and how the integration recovers."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, poll, setup_entry, state
from .const import FAULTS, KEY_FAULTS, NOW, SENSOR_OF_ENDPOINT

# Without a limit the endpoint is missing, which is no fault.
NO_LIMIT = {"not_found"}
# Some admin keys may not read the limit: what it is now is not known, but they are good keys.
NOT_PERMITTED = {"wrong_key_type", "no_permission"}
# At costs a missing permission means that the key is no suitable admin key.
ADMIN_KEY_FAULTS = KEY_FAULTS | {"no_permission"}


def unavailable_sensors(hass: HomeAssistant) -> set[str]:
    """Return the unavailable ones of the sensors that stand for an endpoint each."""
    keys = {*SENSOR_OF_ENDPOINT.values(), "spend_limit"}
    return {key for key in keys if state(hass, key) == STATE_UNAVAILABLE}


@pytest.mark.parametrize(
    ("endpoint", "sensor"), [("costs", "cost_this_month"), ("spend_limit", "spend_limit")]
)
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_affects_only_its_endpoint(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
    sensor: str,
    fault: str,
) -> None:
    """The other endpoints keep their values, and everything is back after the fault."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    assert unavailable_sensors(hass) == set()
    simulator.fault(endpoint, fault)
    no_limit = endpoint == "spend_limit" and fault in NO_LIMIT
    for _ in range(3):
        await poll(hass, freezer)
        assert unavailable_sensors(hass) == (set() if no_limit else {sensor})
    assert (state(hass, "spend_limit") == STATE_UNKNOWN) is no_limit
    assert caplog.text.count("Error fetching openai_account") == (not no_limit)
    steps = [flow["step_id"] for flow in full_entry.async_get_active_flows(hass, {SOURCE_REAUTH})]
    wants_key = fault in ADMIN_KEY_FAULTS and not (
        endpoint == "spend_limit" and fault in NOT_PERMITTED
    )
    assert steps == (["reauth_admin_key"] if wants_key else [])
    assert full_entry.state is ConfigEntryState.LOADED

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    assert unavailable_sensors(hass) == set()
    assert state(hass, "spend_limit") == "150.0"
    assert not list(full_entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
