"""The sensor that says what is wrong with an account."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, entity_id, poll, set_available_credit, setup_entry


def problems(hass: HomeAssistant) -> list[str]:
    """Return the problems that the sensor lists; it is on if there are any."""
    found = hass.states.get(entity_id(hass, "problem", "binary_sensor"))
    assert found
    assert (found.state == "on") == bool(found.attributes["problems"])
    return list(found.attributes["problems"])


async def test_every_problem_is_listed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each problem comes and goes with what the account reports."""
    set_available_credit(simulator, 20)
    await setup_entry(hass, full_entry)
    assert problems(hass) == []
    set_available_credit(simulator, 0)
    simulator.account.spend_limit_status = "enforcing"
    simulator.account.subscription |= {
        "delinquent": True,
        "canceled": True,
        "has_payment_method": False,
    }
    await poll(hass, freezer)
    everything = [
        "spend_limit_reached",
        "credit_used_up",
        "payment_overdue",
        "subscription_canceled",
        "no_payment_method",
    ]
    assert problems(hass) == everything
    set_available_credit(simulator, 5)
    simulator.account.spend_limit_status = "inactive"
    simulator.account.subscription |= {
        "delinquent": False,
        "canceled": False,
        "has_payment_method": True,
    }
    await poll(hass, freezer)
    assert problems(hass) == []


@pytest.mark.parametrize("kind", ["session_key", "admin_key"])
async def test_rejected_key_is_listed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    kind: str,
) -> None:
    """A key that no longer works is a problem while the other one keeps the account going."""
    await setup_entry(hass, full_entry)
    endpoint = "spend_limit" if kind == "admin_key" else "credit_grants"
    simulator.fault(endpoint, "expired_key")
    await poll(hass, freezer)
    assert problems(hass) == [f"{kind}_rejected"]


async def test_outage_changes_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An outage neither is a problem of the account, nor ends one."""
    set_available_credit(simulator, 0)
    simulator.account.subscription["delinquent"] = True
    await setup_entry(hass, full_entry)
    before = problems(hass)
    assert before == ["credit_used_up", "payment_overdue"]
    simulator.fault("*", "bad_gateway")
    await poll(hass, freezer)
    assert problems(hass) == before


async def test_credit_that_recharges_by_itself_is_not_used_up(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
) -> None:
    """With auto-recharge, no credit for a moment is no problem."""
    set_available_credit(simulator, 0)
    simulator.account.subscription["auto_recharge_enabled"] = True
    await setup_entry(hass, full_entry)
    assert problems(hass) == []
