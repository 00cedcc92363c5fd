"""Every fault at the official endpoints: it stays there, is told once, and passes."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, poll, setup_entry, state
from .const import FAULTS, KEY_FAULTS

SIGNS = {
    "credit_grants": "total_available",
    "usage": "cost_this_month",
    "subscription": "hard_limit_usd",
    "spend_limit": "spend_limit",
}
# The limit's absence is no fault, and that a key may not read it asks for no other key.
NO_LIMIT = {"not_found", "wrong_key_type"}


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return the endpoints whose data is not there."""
    return {end for end, sign in SIGNS.items() if state(hass, sign) == STATE_UNAVAILABLE}


@pytest.mark.parametrize(("asked", "shown"), [("costs", "usage"), ("spend_limit", "spend_limit")])
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    asked: str,
    shown: str,
    fault: str,
) -> None:
    """What is asked with the session key keeps its values, and all is back after the fault."""
    freezer.move_to("2026-11-24T15:30:00+00:00")
    await setup_entry(hass, full_entry)
    assert unavailable(hass) == set()
    simulator.fault(asked, fault)
    no_limit = asked == "spend_limit" and fault in NO_LIMIT
    for _ in range(3):
        await poll(hass, freezer)
        assert unavailable(hass) == (set() if no_limit else {shown})
    assert (state(hass, "spend_limit") == STATE_UNKNOWN) is no_limit
    told = [
        record
        for record in caplog.records
        if record.getMessage().startswith("Error fetching openai_account")
    ]
    assert len(told) == (not no_limit)
    steps = [flow["step_id"] for flow in full_entry.async_get_active_flows(hass, {SOURCE_REAUTH})]
    wants_key = fault in KEY_FAULTS and not no_limit
    assert steps == (["reauth_admin_key"] if wants_key else [])
    assert full_entry.state is ConfigEntryState.LOADED

    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    assert unavailable(hass) == set()
    assert state(hass, "spend_limit") == "150.0"
    assert not list(full_entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
