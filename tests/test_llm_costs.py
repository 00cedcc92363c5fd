"""The tool that gets the costs of an account, as conversation agents and MCP clients call it."""

from __future__ import annotations

from datetime import date
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from simulator import LineItem

from .common import RunningSimulator, get_costs, setup_entry
from .const import NOW

pytest.importorskip(
    "homeassistant.components.llm", reason="this Home Assistant has no tools of integrations"
)

from .assist import GET_COSTS, call, error_of, expose, setup_assist

TODAY = NOW.date()

pytestmark = pytest.mark.usefixtures("assist")


@pytest.fixture
async def assist(hass: HomeAssistant, integrations: None, freezer: FrozenDateTimeFactory) -> None:
    """Set up Assist."""
    freezer.move_to(NOW)
    await setup_assist(hass)


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        ({}, "2026-11-01", "2026-11-24"),
        ({"period": "today"}, "2026-11-24", "2026-11-24"),
        ({"period": "yesterday"}, "2026-11-23", "2026-11-23"),
        ({"period": "last_7_days"}, "2026-11-17", "2026-11-23"),
        ({"period": "last_30_days"}, "2026-10-25", "2026-11-23"),
        ({"period": "this_month"}, "2026-11-01", "2026-11-24"),
        ({"period": "last_month"}, "2026-10-01", "2026-10-31"),
        ({"start_date": "2026-11-20"}, "2026-11-20", "2026-11-24"),
        ({"start_date": "2026-11-20", "end_date": "2026-11-21"}, "2026-11-20", "2026-11-21"),
        # As models write what they do not mean to use
        (
            {"period": "today", "start_date": "", "end_date": None, "group_by": ""},
            "2026-11-24",
            "2026-11-24",
        ),
    ],
)
async def test_days(
    hass: HomeAssistant,
    full_entry: MockConfigEntry,
    arguments: dict[str, Any],
    start: str,
    end: str,
) -> None:
    """The tool returns the same as the action, for a period or for dates."""
    await setup_entry(hass, full_entry)
    expose(hass)
    result = await call(hass, GET_COSTS, **arguments)
    expected = await get_costs(hass, full_entry, start_date=start, end_date=end)
    assert result == {
        "account": "Example Home",
        "start_date": start,
        "end_date": end,
        "currency": "USD",
        "total": expected["total"],
        "days": [{"date": one["date"], "cost": one["cost"]} for one in expected["days"]],
    }


@pytest.mark.parametrize(("group", "plural"), [("model", "models"), ("project", "projects")])
async def test_groups(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    group: str,
    plural: str,
) -> None:
    """Costs are broken down as the action does; the days of a long time are not."""
    simulator.account.ledger = {
        TODAY: [
            LineItem("o3, input", 100.0, "proj_a", "Attic"),
            LineItem("gpt-5.5, input", 50.0, None, None),
        ],
        date(2026, 6, 1): [LineItem("o3, input", 1000.0, "proj_a", "Attic")],
    }
    await setup_entry(hass, full_entry)
    expose(hass)
    result = await call(hass, GET_COSTS, group_by=group, period="this_month")
    expected = await get_costs(
        hass, full_entry, start_date="2026-11-01", end_date="2026-11-24", group_by=group
    )
    assert result["days"] == expected["days"]
    assert result[plural] == expected[plural]
    assert sum(result[plural].values()) == result["total"] == 1.5

    result = await call(hass, GET_COSTS, group_by=group, start_date="2026-01-01")
    assert sum(result[plural].values()) == result["total"] == 11.5
    assert {frozenset(day) for day in result["days"]} == {frozenset({"date", "cost"})}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"start_date": "yesterday"}, "start_date is not a date such as 2026-11-24"),
        (
            {"start_date": "2026-11-01", "end_date": "2026-11-31"},
            "end_date is not a date such as 2026-11-24",
        ),
        ({"end_date": "2026-11-01"}, "start_date is missing"),
        (
            {"period": "today", "start_date": "2026-11-01"},
            "Give either period or dates, not both",
        ),
    ],
)
async def test_dates_that_are_none(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    arguments: dict[str, Any],
    text: str,
) -> None:
    """The error says what is wrong, and nothing is requested."""
    await setup_entry(hass, full_entry)
    expose(hass)
    simulator.requests.clear()
    assert await error_of(hass, GET_COSTS, **arguments) == text
    assert not simulator.requests


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-11-03", "2026-11-01", "The end date is before the start date"),
        ("2026-11-03", "2026-11-25", "The end date is in the future"),
        ("2024-11-03", "2026-11-24", "Request at most 366 days"),
    ],
)
async def test_dates_that_the_action_rejects(
    hass: HomeAssistant, full_entry: MockConfigEntry, start: str, end: str, text: str
) -> None:
    """Days that make no sense are the action's own errors, in words."""
    await setup_entry(hass, full_entry)
    expose(hass)
    with pytest.raises(HomeAssistantError, match=text):
        await call(hass, GET_COSTS, start_date=start, end_date=end)


@pytest.mark.parametrize("arguments", [{"period": "century"}, {"group_by": "mood"}, {"x": 1}])
async def test_values_that_do_not_exist(
    hass: HomeAssistant, full_entry: MockConfigEntry, arguments: dict[str, Any]
) -> None:
    """What is not in the tool's schema is rejected as in core's tools."""
    await setup_entry(hass, full_entry)
    expose(hass)
    with pytest.raises(vol.Invalid):
        await call(hass, GET_COSTS, **arguments)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("html_wall", "A firewall in front of the service blocked the request"),
        ("expired_key", "The key was rejected"),
        ("rate_limited", "Too many requests"),
        ("cut", "could not be reached"),
    ],
)
async def test_faults(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    fault: str,
    text: str,
) -> None:
    """An error of the API is put into words."""
    await setup_entry(hass, entry)
    expose(hass)
    simulator.fault("usage", fault)
    with pytest.raises(HomeAssistantError, match=text):
        await call(hass, GET_COSTS)
