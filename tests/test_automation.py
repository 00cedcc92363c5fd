"""Triggers and conditions, by automations that run."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import automation
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.condition import async_get_all_descriptions as all_conditions
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.trigger import async_get_all_descriptions as all_triggers
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import (
    RunningSimulator,
    entity_id,
    poll,
    set_available_credit,
    set_options,
    setup_entry,
)
from .const import NOW


@pytest.fixture
def calls(hass: HomeAssistant) -> list[ServiceCall]:
    """What automations have done."""
    fired: list[ServiceCall] = async_mock_service(hass, "test", "fired")
    return fired


@pytest.fixture
def device(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """The target that means the account's device."""

    def target() -> dict[str, Any]:
        devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        return {"device_id": [one.id for one in devices]}

    return target


async def automate(
    hass: HomeAssistant, trigger: dict[str, Any], condition: dict[str, Any] | None = None
) -> bool:
    """Set up an automation; return whether Home Assistant takes it."""
    config = {
        "alias": "Under test",
        "triggers": [trigger],
        "conditions": [condition] if condition else [],
        "actions": [
            {
                "action": "test.fired",
                "data": {"entity": "{{ trigger.entity_id | default('none') }}"},
            }
        ],
    }
    await async_setup_component(hass, "labs", {})
    # As in every real home, something else is watched too: up to 2026.4 Home Assistant could
    # lose the very change during which its only watcher was renewed.
    async_track_state_change_event(hass, ["sun.sun"], lambda _: None)
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})
    await hass.async_block_till_done()
    found = hass.states.get("automation.under_test")
    return found is not None and found.state == "on"


async def test_credit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """Credit becomes low once, however often it is polled, and also behind a fault."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    trigger = {"trigger": f"{DOMAIN}.credit_became_low", "target": device()}
    assert await automate(hass, trigger)
    for available, fired in ((20, 0), (4, 1), (3, 1), (9, 1), (2, 2)):
        set_available_credit(simulator, available)
        await poll(hass, freezer)
        assert len(calls) == fired
    assert calls[0].data["entity"] == entity_id(hass, "low_balance", "binary_sensor")

    simulator.fault("credit_grants", "bad_gateway")
    await poll(hass, freezer)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert len(calls) == 2, "what was low before a fault did not become low after it"

    set_available_credit(simulator, 9)
    await poll(hass, freezer)
    simulator.fault("credit_grants", "bad_gateway")
    await poll(hass, freezer)
    simulator.clear_faults()
    set_available_credit(simulator, 1)
    await poll(hass, freezer)
    assert len(calls) == 3, "what became low during a fault did become low"


async def test_credit_no_longer_low(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
) -> None:
    """All clear; the target can also be the entity."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 2)
    await setup_entry(hass, entry)
    target = {"entity_id": entity_id(hass, "low_balance", "binary_sensor")}
    assert await automate(hass, {"trigger": f"{DOMAIN}.credit_no_longer_low", "target": target})
    await poll(hass, freezer)
    assert not calls
    set_available_credit(simulator, 30)
    await poll(hass, freezer)
    assert len(calls) == 1


async def test_daily_cost(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """A day's cost crosses a threshold once a day."""
    freezer.move_to(NOW)
    simulator.account.ledger = {}
    await setup_entry(hass, entry)
    assert await automate(
        hass,
        {
            "trigger": f"{DOMAIN}.daily_cost_crossed",
            "target": device(),
            "options": {"threshold": 2.5},
        },
    )
    for cents, fired in ((100, 0), (250, 0), (251, 1), (900, 1)):
        simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", cents)]}
        await poll(hass, freezer)
        assert len(calls) == fired
    await poll(hass, freezer, 86_400)
    assert len(calls) == 1
    tomorrow = NOW.date().replace(day=25)
    simulator.account.ledger = {tomorrow: [LineItem("gpt-5.5, input", 300)]}
    await poll(hass, freezer)
    assert len(calls) == 2


async def test_budget(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """The budget is exceeded; of a device only the entity that is meant counts."""
    freezer.move_to(NOW)
    simulator.account.ledger = {}
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    await set_options(hass, entry, monthly_budget=3)
    assert await automate(hass, {"trigger": f"{DOMAIN}.budget_exceeded", "target": device()})
    set_available_credit(simulator, 1)
    await poll(hass, freezer)
    assert not calls
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 301)]}
    await poll(hass, freezer)
    assert len(calls) == 1
    assert calls[0].data["entity"] == entity_id(hass, "over_budget", "binary_sensor")


@pytest.mark.parametrize(
    ("condition", "options", "met"),
    [
        ("credit_is_low", {}, True),
        ("credit_is_not_low", {}, False),
        ("is_over_budget", {}, True),
        ("daily_cost_is_above", {"threshold": 4.99}, True),
        ("daily_cost_is_above", {"threshold": 5}, False),
    ],
)
async def test_conditions(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
    condition: str,
    options: dict[str, Any],
    met: bool,
) -> None:
    """A condition lets an automation run, or not; what is unknown never does."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 2)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 500)]}
    await setup_entry(hass, entry)
    await set_options(hass, entry, monthly_budget=3)
    asked: dict[str, Any] = {"condition": f"{DOMAIN}.{condition}", "target": device()}
    if options:
        asked["options"] = options
    assert await automate(hass, {"trigger": "event", "event_type": "go"}, asked)
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    assert bool(calls) is met
    calls.clear()
    simulator.fault("*", "bad_gateway")
    await poll(hass, freezer)
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    assert not calls


@pytest.mark.parametrize(
    "options", [{}, {"threshold": -1}, {"threshold": "nan"}, {"threshold": "inf"}, {"thres": 1}]
)
async def test_bad_threshold(
    hass: HomeAssistant, entry: MockConfigEntry, device: Any, options: dict[str, Any]
) -> None:
    """An automation with a threshold that is none is refused."""
    await setup_entry(hass, entry)
    assert not await automate(
        hass,
        {"trigger": f"{DOMAIN}.daily_cost_crossed", "target": device(), "options": options},
    )


async def test_offered(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The automation editor is told of all triggers and conditions, with what they ask for."""
    await setup_entry(hass, entry)
    assert await async_setup_component(hass, "labs", {})
    assert await async_setup_component(hass, automation.DOMAIN, {})
    triggers = await all_triggers(hass)
    ours = {key: one for key, one in triggers.items() if key.startswith(DOMAIN)}
    assert set(ours) == {
        f"{DOMAIN}.{name}"
        for name in (
            "budget_exceeded",
            "credit_became_low",
            "credit_no_longer_low",
            "daily_cost_crossed",
        )
    }
    conditions = await all_conditions(hass)
    theirs = {key: one for key, one in conditions.items() if key.startswith(DOMAIN)}
    assert set(theirs) == {
        f"{DOMAIN}.{name}"
        for name in (
            "credit_is_low",
            "credit_is_not_low",
            "daily_cost_is_above",
            "is_over_budget",
        )
    }
    for key, one in {**ours, **theirs}.items():
        assert one
        assert one["target"]
        assert ("threshold" in (one.get("fields") or {})) is ("daily_cost" in key)
