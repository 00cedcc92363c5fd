"""Triggers and conditions compare known states only, of this integration's entities only."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.openai_account.const import DOMAIN

from .common import RunningSimulator, entity_id, poll, set_available_credit, setup_entry
from .const import NOW
from .test_automation import automate, has_run


@pytest.fixture
def calls(hass: HomeAssistant) -> list[ServiceCall]:
    """The actions that automations have run."""
    fired: list[ServiceCall] = async_mock_service(hass, "test", "fired")
    return fired


async def test_trigger_that_is_attached_during_an_outage(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
) -> None:
    """What is low in the first state that is known did not become low; what is low later did."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 2)
    await setup_entry(hass, entry)
    simulator.fault("*", "bad_gateway")
    await poll(hass, freezer)
    target = {"entity_id": entity_id(hass, "low_balance", "binary_sensor")}
    assert await automate(hass, {"trigger": f"{DOMAIN}.credit_became_low", "target": target})
    simulator.clear_faults()
    for available, fired in ((2, 0), (9, 0), (1, 1)):
        set_available_credit(simulator, available)
        await poll(hass, freezer)
        assert len(calls) == fired


async def test_trigger_whose_entity_is_removed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    calls: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An entity that is removed fires nothing and is no error."""
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    target = {"entity_id": entity_id(hass, "low_balance", "binary_sensor")}
    assert await automate(hass, {"trigger": f"{DOMAIN}.credit_became_low", "target": target})
    hass.states.async_remove(target["entity_id"])
    await hass.async_block_till_done()
    assert not calls
    assert "Traceback" not in caplog.text


@pytest.fixture
def foreign(entity_registry: er.EntityRegistry) -> str:
    """Return an entity of another integration, with the same translation key as ours."""
    return entity_registry.async_get_or_create(
        "binary_sensor", "other", "1", translation_key="low_balance"
    ).entity_id


async def test_trigger_ignores_other_integrations(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    foreign: str,
) -> None:
    """An entity of another integration fires nothing, whatever it is called."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    target = {"entity_id": [entity_id(hass, "low_balance", "binary_sensor"), foreign]}
    assert await automate(hass, {"trigger": f"{DOMAIN}.credit_became_low", "target": target})
    for value in ("off", "on"):
        hass.states.async_set(foreign, value)
        await hass.async_block_till_done()
    assert not calls
    set_available_credit(simulator, 2)
    await poll(hass, freezer)
    assert len(calls) == 1


async def test_condition_ignores_other_integrations(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    foreign: str,
) -> None:
    """An entity of another integration meets no condition, whatever it is called."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    hass.states.async_set(foreign, "on")
    condition = {
        "condition": f"{DOMAIN}.credit_is_low",
        "target": {"entity_id": [entity_id(hass, "low_balance", "binary_sensor"), foreign]},
    }
    assert await automate(hass, {"trigger": "event", "event_type": "go"}, condition)
    assert not await has_run(hass, calls)
    set_available_credit(simulator, 2)
    await poll(hass, freezer)
    assert await has_run(hass, calls)
