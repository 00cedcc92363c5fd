"""Triggers and conditions, used by automations."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
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
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import (
    RunningSimulator,
    entity_id,
    has_entity,
    poll,
    set_available_credit,
    set_options,
    setup_entry,
)
from .const import NOW


@pytest.fixture
def calls(hass: HomeAssistant) -> list[ServiceCall]:
    """The actions that automations have run."""
    fired: list[ServiceCall] = async_mock_service(hass, "test", "fired")
    return fired


@pytest.fixture
def device(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Return a function that returns the account's device as a target."""

    def target() -> dict[str, Any]:
        devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        return {"device_id": [one.id for one in devices]}

    return target


async def automate(
    hass: HomeAssistant, trigger: dict[str, Any], condition: dict[str, Any] | None = None
) -> bool:
    """Set up an automation and return whether Home Assistant accepts it."""
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
    # As in a real home, something else is tracked too: up to 2026.4 Home Assistant could lose a
    # change during which its only tracker was set up anew.
    async_track_state_change_event(hass, ["sun.sun"], lambda _: None)
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})
    await hass.async_block_till_done()
    found = hass.states.get("automation.under_test")
    return found is not None and found.state == "on"


async def test_trigger_credit_became_low(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """Credit that becomes low fires once, even if it became low during an outage."""
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


async def test_trigger_credit_no_longer_low(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
) -> None:
    """Credit that is no longer low fires; the target can also be the entity."""
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


async def test_trigger_daily_cost_crossed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """The cost of a day crosses the threshold once per day."""
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


async def test_trigger_budget_exceeded(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """Only the entity for the budget fires, not the other entities of the device."""
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


@pytest.mark.parametrize("is_out", [False, True], ids=["polled", "outage over midnight"])
async def test_each_day_crosses_anew(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
    is_out: bool,
) -> None:
    """A day whose first poll is above the threshold fires, whatever the day before was."""
    freezer.move_to(NOW)
    days = [NOW.date() + timedelta(days=offset) for offset in range(5)]
    simulator.account.ledger = {day: [LineItem("gpt-5.5, input", 300)] for day in days}
    await setup_entry(hass, entry)
    await set_options(hass, entry, update_interval=43_200)
    target = {"target": device(), "options": {"threshold": 2.5}}
    assert await automate(hass, {"trigger": f"{DOMAIN}.daily_cost_crossed", **target})
    for fired, day in enumerate(days[1:], 1):
        if is_out:
            simulator.fault("usage", "bad_gateway")
            await poll(hass, freezer, 3600)
            freezer.move_to(datetime.combine(day, time(4), UTC))
            await poll(hass, freezer)
            simulator.clear_faults()
        freezer.move_to(datetime.combine(day, time(17), UTC))
        await poll(hass, freezer)
        assert len(calls) == fired
        await poll(hass, freezer)
        assert len(calls) == fired


async def test_each_month_exceeds_the_budget_anew(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    device: Any,
) -> None:
    """A month that is over budget after an outage fires, although the last one was, too."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        NOW.date(): [LineItem("gpt-5.5, input", 301)],
        date(2026, 12, 1): [LineItem("gpt-5.5, input", 302)],
    }
    await setup_entry(hass, entry)
    await set_options(hass, entry, monthly_budget=3)
    assert await automate(hass, {"trigger": f"{DOMAIN}.budget_exceeded", "target": device()})
    await poll(hass, freezer)
    simulator.fault("usage", "bad_gateway")
    await poll(hass, freezer)
    assert not calls
    freezer.move_to(datetime(2026, 12, 2, 12, tzinfo=UTC))
    await poll(hass, freezer)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert len(calls) == 1
    simulator.fault("usage", "bad_gateway")
    await poll(hass, freezer)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("kind", "name", "options", "message"),
    [
        ("trigger", "credit_became_low", None, "The target contains no Credit low sensor"),
        ("condition", "credit_is_low", None, "The target contains no Credit low sensor"),
        ("trigger", "budget_exceeded", None, "The target contains no Over budget sensor"),
        ("condition", "is_over_budget", None, "The target contains no Over budget sensor"),
        (
            "trigger",
            "daily_cost_crossed",
            {"threshold": 1},
            "The target contains no Cost today sensor",
        ),
        (
            "condition",
            "daily_cost_is_above",
            {"threshold": 1},
            "The target contains no Cost today sensor",
        ),
    ],
)
async def test_target_without_a_matching_entity(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    kind: str,
    name: str,
    options: dict[str, Any] | None,
    message: str,
) -> None:
    """The editor says which entity is missing, and such an automation is not set up."""
    is_trigger = kind == "trigger"
    await setup_entry(hass, entry)
    config: dict[str, Any] = {
        kind: f"{DOMAIN}.{name}",
        "target": {"entity_id": entity_id(hass, "cost_yesterday")},
    }
    if options:
        config["options"] = options
    go = {"trigger": "event", "event_type": "go"}
    assert not await automate(hass, config if is_trigger else go, None if is_trigger else config)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "validate_config", f"{kind}s": [config]})
    response = await client.receive_json()
    assert response["success"]
    assert not response["result"][f"{kind}s"]["valid"]
    assert message in response["result"][f"{kind}s"]["error"]


async def test_condition_whose_entity_is_gone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A condition that nothing can meet anymore says so."""
    freezer.move_to(NOW)
    await automate_with_condition(hass, simulator, entry, "is_over_budget", {})
    await set_options(hass, entry)
    assert not has_entity(hass, "over_budget", "binary_sensor")
    assert not await has_run(hass, calls)
    assert "The target contains no Over budget sensor of OpenAI Account" in caplog.text


async def automate_with_condition(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    condition: str,
    options: dict[str, Any],
) -> None:
    """Set up an account that has cost 5 dollars of a budget of 3, and an automation for it."""
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 500)]}
    await setup_entry(hass, entry)
    await set_options(hass, entry, monthly_budget=3)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    config: dict[str, Any] = {
        "condition": f"{DOMAIN}.{condition}",
        "target": {"device_id": [one.id for one in devices]},
    }
    if options:
        config["options"] = options
    assert await automate(hass, {"trigger": "event", "event_type": "go"}, config)


async def has_run(hass: HomeAssistant, calls: list[ServiceCall]) -> bool:
    """Trigger the automation and return whether its condition let it run."""
    calls.clear()
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    return len(calls) == 1


@pytest.mark.parametrize(
    ("condition", "options", "available", "met"),
    [
        pytest.param("credit_is_low", {}, 2, True, id="credit is low"),
        pytest.param("credit_is_low", {}, 20, False, id="credit is not low but should be"),
        pytest.param("credit_is_not_low", {}, 20, True, id="credit is not low"),
        pytest.param("credit_is_not_low", {}, 2, False, id="credit is low but should not be"),
        pytest.param("is_over_budget", {}, 20, True, id="over budget"),
        pytest.param("daily_cost_is_above", {"threshold": 4.99}, 20, True, id="cost is above"),
        pytest.param("daily_cost_is_above", {"threshold": 5}, 20, False, id="cost is equal"),
    ],
)
async def test_condition_decides_whether_an_automation_runs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    condition: str,
    options: dict[str, Any],
    available: float,
    met: bool,
) -> None:
    """An automation runs if its condition is met."""
    freezer.move_to(NOW)
    set_available_credit(simulator, available)
    await automate_with_condition(hass, simulator, entry, condition, options)
    assert await has_run(hass, calls) is met


@pytest.mark.parametrize(
    ("condition", "options", "available"),
    [
        ("credit_is_low", {}, 2),
        ("credit_is_not_low", {}, 20),
        ("is_over_budget", {}, 20),
        ("daily_cost_is_above", {"threshold": 4.99}, 20),
    ],
    ids=["credit_is_low", "credit_is_not_low", "is_over_budget", "daily_cost_is_above"],
)
async def test_condition_is_not_met_while_unavailable(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
    condition: str,
    options: dict[str, Any],
    available: float,
) -> None:
    """A condition that was met is not met during an outage, and is met again after it."""
    freezer.move_to(NOW)
    set_available_credit(simulator, available)
    await automate_with_condition(hass, simulator, entry, condition, options)
    assert await has_run(hass, calls)
    simulator.fault("*", "bad_gateway")
    await poll(hass, freezer)
    assert not await has_run(hass, calls)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert await has_run(hass, calls)


@pytest.mark.parametrize(
    "options",
    [{}, {"threshold": -1}, {"threshold": "nan"}, {"threshold": "inf"}, {"thres": 1}],
    ids=["missing", "negative", "nan", "infinite", "misspelled"],
)
async def test_automation_with_a_bad_threshold_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, device: Any, options: dict[str, Any]
) -> None:
    """An automation without a usable threshold is refused."""
    await setup_entry(hass, entry)
    assert not await automate(
        hass,
        {"trigger": f"{DOMAIN}.daily_cost_crossed", "target": device(), "options": options},
    )


async def test_spend_limit_reached(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
) -> None:
    """The trigger fires each time OpenAI begins to enforce the limit, also during an outage."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    target = {"entity_id": entity_id(hass, "spend_limit_reached", "binary_sensor")}
    assert await automate(
        hass,
        {"trigger": f"{DOMAIN}.spend_limit_reached", "target": target},
        {"condition": f"{DOMAIN}.spend_limit_is_reached", "target": target},
    )
    account = simulator.account
    for status, fired in (("inactive", 0), ("enforcing", 1), ("enforcing", 1), ("inactive", 1)):
        account.spend_limit_status = status
        await poll(hass, freezer)
        assert len(calls) == fired
    assert calls[0].data == {"entity": target["entity_id"]}

    simulator.fault("spend_limit", "bad_gateway")
    account.spend_limit_status = "enforcing"
    await poll(hass, freezer)
    assert len(calls) == 1
    simulator.clear_faults()
    await poll(hass, freezer)
    assert len(calls) == 2

    assert await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done()
    assert len(calls) == 2, "a reload is no change"


async def test_condition_spend_limit_is_reached(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: list[ServiceCall],
) -> None:
    """The condition passes while OpenAI enforces the limit."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    target = {"entity_id": entity_id(hass, "spend_limit_reached", "binary_sensor")}
    assert await automate(
        hass,
        {"trigger": "event", "event_type": "ask"},
        {"condition": f"{DOMAIN}.spend_limit_is_reached", "target": target},
    )
    for status, fired in (("inactive", 0), ("enforcing", 1), ("inactive", 1)):
        simulator.account.spend_limit_status = status
        await poll(hass, freezer)
        hass.bus.async_fire("ask")
        await hass.async_block_till_done()
        assert len(calls) == fired


async def test_editor_offers_all_triggers_and_conditions(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The editor offers all triggers and conditions, with their fields."""
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
            "spend_limit_reached",
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
            "spend_limit_is_reached",
        )
    }
    for key, one in {**ours, **theirs}.items():
        assert one
        assert one["target"]
        assert [device["integration"] for device in one["target"]["device"]] == [DOMAIN]
        [entities] = one["target"]["entity"]
        assert entities["domain"] == ["sensor" if "daily_cost" in key else "binary_sensor"]
        assert ("threshold" in (one.get("fields") or {})) is ("daily_cost" in key)
