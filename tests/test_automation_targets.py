"""Triggers and conditions compare known states only, of this integration's entities only."""

from __future__ import annotations

import logging
from typing import Any, cast

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.condition import ConditionConfig
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.openai_account.condition import AccountCondition, async_get_conditions
from custom_components.openai_account.const import DOMAIN

from .common import RunningSimulator, entity_id, poll, set_available_credit, setup_entry, state
from .const import NOW
from .test_automation import automate, has_run


@pytest.fixture
def calls(hass: HomeAssistant) -> list[ServiceCall]:
    """The actions that automations have run."""
    fired: list[ServiceCall] = async_mock_service(hass, "test", "fired")
    return fired


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the errors that were logged."""
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]


async def test_trigger_that_is_attached_during_an_outage(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
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
    caplog.clear()
    for available, fired in ((2, 0), (9, 0), (1, 1)):
        set_available_credit(simulator, available)
        await poll(hass, freezer)
        assert len(calls) == fired
    assert errors(caplog) == []


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


async def test_condition_during_an_outage_is_no_error(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A cost that is unavailable is not above the threshold, and that is all."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    condition = {
        "condition": f"{DOMAIN}.daily_cost_is_above",
        "target": {"entity_id": entity_id(hass, "cost_today")},
        "options": {"threshold": 0},
    }
    assert await automate(hass, {"trigger": "event", "event_type": "go"}, condition)
    assert await has_run(hass, calls)
    simulator.fault("*", "bad_gateway")
    await poll(hass, freezer)
    assert state(hass, "cost_today") == STATE_UNAVAILABLE
    caplog.clear()
    assert not await has_run(hass, calls)
    assert errors(caplog) == []


@pytest.mark.parametrize("kind", ["trigger", "condition"])
async def test_groups_are_no_targets(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str
) -> None:
    """A group stands for itself, not for the entities in it."""
    await setup_entry(hass, entry)
    entities = [entity_id(hass, "low_balance", "binary_sensor")]
    assert await async_setup_component(hass, "group", {"group": {"ours": {"entities": entities}}})
    name = "credit_became_low" if kind == "trigger" else "credit_is_low"
    config = {kind: f"{DOMAIN}.{name}", "target": {"entity_id": "group.ours"}}
    go = {"trigger": "event", "event_type": "go"}
    is_trigger = kind == "trigger"
    assert not await automate(hass, config if is_trigger else go, None if is_trigger else config)


async def test_checker_of_a_condition(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Home Assistant up to 2026.4 asks a condition for a function, and calls that each time."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    target = {"entity_id": [entity_id(hass, "low_balance", "binary_sensor")]}
    condition = (await async_get_conditions(hass))["credit_is_low"]
    made = condition(hass, ConditionConfig(options=None, target=target))
    checker: Any = await cast(AccountCondition, made).async_get_checker()
    assert checker(variables={}) is False
    set_available_credit(simulator, 2)
    await poll(hass, freezer)
    assert checker(variables={}) is True
