"""The options form, and what each option changes."""

from __future__ import annotations

import itertools

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from simulator import LineItem

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    has_entity,
    poll,
    set_available_credit,
    set_options,
    setup_entry,
    state,
)
from .const import DEFAULT_OPTIONS, KEY, NOW


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (5.01, STATE_OFF),
        (5, STATE_OFF),
        (4.99, STATE_ON),
        (0, STATE_ON),
        (-3, STATE_ON),
        (None, STATE_UNKNOWN),
    ],
)
async def test_credit_is_low_below_the_default_threshold(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    available: float | None,
    expected: str,
) -> None:
    """Credit is low below the threshold, which is 5 dollars by default."""
    set_available_credit(simulator, available)
    await setup_entry(hass, entry)
    assert state(hass, "low_balance", "binary_sensor") == expected


async def test_threshold_can_be_changed_and_removed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A new threshold applies at once, and 0 removes the sensor."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
    await set_options(hass, entry, low_balance_threshold=20.5)
    assert state(hass, "low_balance", "binary_sensor") == STATE_ON
    await set_options(hass, entry, low_balance_threshold=0)
    assert not has_entity(hass, "low_balance", "binary_sensor")
    await set_options(hass, entry)
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
    simulator.fault("credit_grants", "bad_gateway")
    simulator.fault("usage", "bad_gateway")
    await poll(hass, freezer)
    assert state(hass, "low_balance", "binary_sensor") == STATE_UNAVAILABLE


async def test_budget_adds_its_entities(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A budget adds a percentage and a warning; without one there is neither."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 1234.0)]}
    await setup_entry(hass, entry)
    assert not has_entity(hass, "over_budget", "binary_sensor")
    assert not has_entity(hass, "budget_used")

    await set_options(hass, entry, monthly_budget=20)
    assert state(hass, "budget_used") == "61.7"
    assert state(hass, "over_budget", "binary_sensor") == STATE_OFF

    await set_options(hass, entry, monthly_budget=12.34)
    assert state(hass, "budget_used") == "100.0"
    assert state(hass, "over_budget", "binary_sensor") == STATE_OFF

    await set_options(hass, entry, monthly_budget=12.33)
    assert state(hass, "over_budget", "binary_sensor") == STATE_ON

    await set_options(hass, entry)
    assert not has_entity(hass, "over_budget", "binary_sensor")
    assert not has_entity(hass, "budget_used")


async def test_form_suggests_the_current_options(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The form suggests the current options; an emptied budget is removed."""
    await setup_entry(hass, entry)
    await set_options(hass, entry, monthly_budget=7.5, update_interval=45.0)
    assert dict(entry.options) == {
        "update_interval": 45,
        "low_balance_threshold": 5,
        "monthly_budget": 7.5,
        "session_key_reminder": True,
    }
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["data_schema"]
    suggested = {
        str(key): key.description["suggested_value"] for key in result["data_schema"].schema
    }
    assert suggested == dict(entry.options)
    hass.config_entries.options.async_abort(result["flow_id"])
    await set_options(hass, entry)
    assert "monthly_budget" not in entry.options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("update_interval", 29),
        ("update_interval", 86_401),
        ("update_interval", -300),
        ("update_interval", float("inf")),
        ("update_interval", "often"),
        ("update_interval", None),
        ("low_balance_threshold", -0.01),
        ("low_balance_threshold", float("inf")),
        ("low_balance_threshold", 1e30),
        ("low_balance_threshold", "five"),
        pytest.param("low_balance_threshold", [5], id="low_balance_threshold-list"),
        ("monthly_budget", 0),
        ("monthly_budget", -1),
        ("monthly_budget", float("-inf")),
        pytest.param("monthly_budget", {"usd": 5}, id="monthly_budget-object"),
        ("surprise", 1),
    ],
)
async def test_value_out_of_range_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, value: object
) -> None:
    """A value out of range, or no number, is refused; the form can be submitted again."""
    await setup_entry(hass, entry)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(
            result["flow_id"], {**DEFAULT_OPTIONS, name: value}
        )
    assert not entry.options
    result = await hass.config_entries.options.async_configure(result["flow_id"], DEFAULT_OPTIONS)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("name", ["update_interval", "low_balance_threshold", "monthly_budget"])
async def test_nan_is_refused(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> None:
    """NaN, which no range refuses, is refused with an error at its field."""
    await setup_entry(hass, entry)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {**DEFAULT_OPTIONS, name: float("nan")}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {name: "invalid_number"}
    result = await hass.config_entries.options.async_configure(result["flow_id"], DEFAULT_OPTIONS)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("interval", [30, 3600])
async def test_update_interval_sets_the_polls(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    interval: int,
) -> None:
    """Each endpoint is polled once per interval."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    await set_options(hass, entry, update_interval=interval)
    for _ in range(3):
        before = len(simulator.requests)
        await poll(hass, freezer, interval - 4)
        assert len(simulator.requests) == before
        await poll(hass, freezer, 4)
        assert len(simulator.requests) == before + 3


async def test_new_day_is_polled_shortly_after_midnight_utc(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """However long the interval, the cost of today begins anew with the day."""
    freezer.move_to(NOW.replace(hour=23, minute=50))
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 1234.0)]}
    await setup_entry(hass, entry)
    await set_options(hass, entry, update_interval=86_400)
    assert state(hass, "cost_today") == "12.34"
    before = len(simulator.requests)
    await poll(hass, freezer, 595)
    assert len(simulator.requests) == before
    await poll(hass, freezer, 70)
    assert state(hass, "cost_today") == "0.0"
    assert state(hass, "cost_yesterday") == "12.34"
    # The usual interval continues.
    before = len(simulator.requests)
    await poll(hass, freezer, 86_400 - 670 - 10)
    assert len(simulator.requests) == before
    await poll(hass, freezer, 15)
    assert len(simulator.requests) == before + 3


async def test_polls_of_accounts_are_spread_over_the_interval(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Accounts set up together are polled one after the other, evenly over the interval."""
    freezer.move_to(NOW)
    entries = [
        MockConfigEntry(
            domain=DOMAIN,
            title=f"Account {number}",
            unique_id=f"account-{number}",
            data={"host": simulator.url, CONF_SESSION_KEY: KEY},
        )
        for number in range(5)
    ]
    for one in entries:
        one.add_to_hass(hass)
    # Sets up all of them, as a start of Home Assistant does
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [one.state for one in entries] == [ConfigEntryState.LOADED] * 5

    async def poll_times() -> list[int]:
        """Return after how many times 10 seconds each of an interval's polls came."""
        times = []
        for turn in range(31):
            before = count_requests(simulator, "credit_grants")
            await poll(hass, freezer, 10)
            times += [turn] * (count_requests(simulator, "credit_grants") - before)
        return times

    for _ in range(2):
        times = await poll_times()
        assert len(times) == 5
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 5


async def test_entity_ids_follow_the_english_names(
    hass: HomeAssistant, full_entry: MockConfigEntry
) -> None:
    """The entity ids are those that blueprints and documentation name."""
    await setup_entry(hass, full_entry)
    assert entity_id(hass, "low_balance", "binary_sensor") == (
        "binary_sensor.example_home_credit_low"
    )
    assert entity_id(hass, "over_budget", "binary_sensor") == (
        "binary_sensor.example_home_over_budget"
    )
    assert entity_id(hass, "budget_used") == "sensor.example_home_budget_used"
