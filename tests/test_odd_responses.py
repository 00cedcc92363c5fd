"""Responses that say less than they should, or something odd."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_MONTHLY_BUDGET
from simulator import LineItem

from .common import (
    RunningSimulator,
    get_costs,
    poll,
    set_options,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import KEY, NOW

NO_DAYS = [
    pytest.param({"object": "list", "total_usage": 4211.5}, id="no daily costs"),
    pytest.param({"object": "list", "daily_costs": None, "total_usage": 4211.5}, id="null"),
    pytest.param({"object": "list", "daily_costs": [], "total_usage": 4211.5}, id="empty list"),
]


# ---- Costs without days ------------------------------------------------------------------------


@pytest.mark.parametrize("usage", NO_DAYS)
async def test_costs_without_days_are_not_costs_of_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    usage: dict[str, Any],
) -> None:
    """Where days were reported before, a response without any makes the costs unavailable."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 12_000)]}
    await setup_entry(hass, entry)
    await set_options(hass, entry, **{CONF_MONTHLY_BUDGET: 100})
    assert state(hass, "over_budget", "binary_sensor") == STATE_ON
    assert state(hass, "cost_today") == "120.0"

    simulator.account.usage_override = usage
    for _ in range(2):
        await poll(hass, freezer)
        for key in ("cost_today", "cost_this_month", "model_cost_gpt_5_5", "budget_used"):
            assert state(hass, key) == STATE_UNAVAILABLE, key
        assert state(hass, "over_budget", "binary_sensor") == STATE_UNAVAILABLE
        with pytest.raises(HomeAssistantError) as error:
            await get_costs(hass, entry, start_date="2026-11-23", end_date="2026-11-24")
        assert error.value.translation_key == "invalid_response"

    # A reload does not make figures of it either.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "cost_today") == STATE_UNAVAILABLE
    assert state(hass, "over_budget", "binary_sensor") == STATE_UNAVAILABLE

    simulator.account.usage_override = None
    await poll(hass, freezer)
    assert state(hass, "cost_today") == "120.0"
    assert state(hass, "over_budget", "binary_sensor") == STATE_ON


@pytest.mark.parametrize("usage", NO_DAYS)
@pytest.mark.usefixtures("all_entities_enabled")
async def test_past_without_days_is_not_a_past_of_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    usage: dict[str, Any],
) -> None:
    """The cost of last month is unknown, rather than 0, where the host does not list its days."""
    freezer.move_to(NOW)
    account = simulator.account

    def answer(query: Any) -> Any:
        start = query.dates["start_date"]
        if start.month == NOW.month:
            return account.usage(start, query.dates["end_date"], NOW)
        return usage

    account.usage_override = answer
    await setup_entry(hass, entry)
    assert float(state(hass, "cost_this_month")) > 0
    assert state(hass, "cost_last_month") == STATE_UNKNOWN
    account.usage_override = None
    await poll(hass, freezer)
    assert float(state(hass, "cost_last_month")) > 0


async def test_account_without_activity_costs_nothing(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """No days and a total of 0 is what an account without activity reports."""
    simulator.account.usage_override = {"object": "list", "daily_costs": [], "total_usage": 0.0}
    await setup_entry(hass, entry)
    await set_options(hass, entry, **{CONF_MONTHLY_BUDGET: 100})
    assert state(hass, "cost_today") == "0.0"
    assert state(hass, "over_budget", "binary_sensor") == STATE_OFF


# ---- Numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", ["1e1000000", "-1e1000000", "1e999999999999999999", "1e-1000000"]
)
async def test_number_beyond_reason_is_unreadable_alone(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry, number: str
) -> None:
    """A number that no amount can be is left out; the rest of its endpoint is there."""
    simulator.account.subscription["soft_limit_usd"] = number
    simulator.account.credit_grants_override = {
        "total_granted": number,
        "total_used": 10.0,
        "total_available": 5.0,
    }
    simulator.account.usage_override = {
        "daily_costs": [
            {"timestamp": number, "line_items": [{"name": "gpt-5.5, input", "cost": 100}]},
            {
                "timestamp": NOW.timestamp(),
                "line_items": [
                    {"name": "gpt-5.5, input", "cost": number},
                    {"name": "gpt-5.5, output", "cost": 100},
                ],
            },
        ]
    }
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "hard_limit_usd") == "120.0"
    assert state(hass, "total_available") == "5.0"
    assert state(hass, "total_used") == "10.0"
    assert state(hass, "cost_this_month") != STATE_UNAVAILABLE


# ---- Refusals ----------------------------------------------------------------------------------


async def test_refusal_by_the_api_is_not_called_a_firewall(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A 403 in the API's own form says that access was refused, in the form and in the log."""
    freezer.move_to(NOW)
    simulator.fault("credit_grants", "no_permission", times=1)
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["errors"] == {"base": "forbidden"}

    await setup_entry(hass, entry)
    simulator.fault("credit_grants", "no_permission")
    await poll(hass, freezer)
    assert state(hass, "total_available") == STATE_UNAVAILABLE
    assert "The service refused access" in caplog.text
    assert "A firewall in front" not in caplog.text
    # The key itself is right: there is nothing to replace.
    assert {one["context"]["source"] for one in hass.config_entries.flow.async_progress()} == {
        "user"
    }
    simulator.clear_faults()
    simulator.fault("credit_grants", "html_wall", times=1)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "blocked"}
