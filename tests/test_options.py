"""The options: their form, and what they do."""

from __future__ import annotations

from datetime import timedelta
import itertools

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from simulator import LineItem

from .common import (
    RunningSimulator,
    entity_id,
    has_entity,
    poll,
    set_available_credit,
    set_options,
    settle,
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
async def test_low_balance(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    available: float | None,
    expected: str,
) -> None:
    """Credit is low under the threshold, which is 5 dollars where nobody said otherwise."""
    set_available_credit(simulator, available)
    await setup_entry(hass, entry)
    assert state(hass, "low_balance", "binary_sensor") == expected


async def test_low_balance_threshold(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The threshold moves, 0 takes the sensor away, and it fails with its endpoint."""
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
    await poll(hass, freezer)
    assert state(hass, "low_balance", "binary_sensor") == STATE_UNAVAILABLE


async def test_budget(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With a budget there are a percentage and a warning; without one, neither."""
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


async def test_form_shows_what_is_set(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The form begins with what is set; an emptied budget is none."""
    await setup_entry(hass, entry)
    await set_options(hass, entry, monthly_budget=7.5, update_interval=45.0)
    assert dict(entry.options) == {
        "update_interval": 45,
        "low_balance_threshold": 5,
        "monthly_budget": 7.5,
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
        ("low_balance_threshold", [5]),
        ("monthly_budget", 0),
        ("monthly_budget", -1),
        ("monthly_budget", float("-inf")),
        ("monthly_budget", {"usd": 5}),
        ("surprise", 1),
    ],
)
async def test_hostile_input(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, value: object
) -> None:
    """What is out of range, or no number at all, is refused, and nothing is lost by it."""
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
async def test_not_a_number(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> None:
    """Not-a-number passes every comparison, but not this form."""
    await setup_entry(hass, entry)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {**DEFAULT_OPTIONS, name: float("nan")}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {name: "invalid_number"}
    result = await hass.config_entries.options.async_configure(result["flow_id"], DEFAULT_OPTIONS)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("interval", [30, 3600, 86_400])
async def test_update_interval(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    interval: int,
) -> None:
    """The account is asked as often as was said."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    await set_options(hass, entry, update_interval=interval)
    for _ in range(2):
        before = len(simulator.requests)
        await poll(hass, freezer, interval - 2)
        assert len(simulator.requests) == before
        await poll(hass, freezer, 4)
        assert len(simulator.requests) >= before + 3


async def test_accounts_spread(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Accounts that start together are asked one after the other, evenly over the interval."""
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
    for one in entries:
        if one.state.value == "not_loaded":
            await hass.config_entries.async_setup(one.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)

    async def asked_at(turns: int) -> list[int]:
        """Return at which 10 seconds the credit was asked for."""
        moments = []
        for turn in range(turns):
            before = len([one for one in simulator.requests if one.endpoint == "credit_grants"])
            freezer.tick(timedelta(seconds=10))
            async_fire_time_changed(hass)
            await settle(hass, freezer)
            after = len([one for one in simulator.requests if one.endpoint == "credit_grants"])
            moments += [turn] * (after - before)
        return moments

    first = await asked_at(31)
    assert len(first) == 5
    assert all(later - earlier >= 5 for earlier, later in itertools.pairwise(first))
    second = await asked_at(31)
    assert len(second) == 5
    assert all(later - earlier >= 5 for earlier, later in itertools.pairwise(second))


async def test_names(hass: HomeAssistant, full_entry: MockConfigEntry) -> None:
    """The new entities are called as automations will name them."""
    await setup_entry(hass, full_entry)
    assert entity_id(hass, "low_balance", "binary_sensor") == (
        "binary_sensor.example_home_credit_low"
    )
    assert entity_id(hass, "over_budget", "binary_sensor") == (
        "binary_sensor.example_home_over_budget"
    )
    assert entity_id(hass, "budget_used") == "sensor.example_home_budget_used"
