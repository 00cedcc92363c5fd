"""Costs by project: sensors and the action."""

from __future__ import annotations

from datetime import date
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import RunningSimulator, entity_id, has_entity, poll, setup_entry, state
from .const import NOW, ORGANIZATION

TODAY = NOW.date()


async def call(hass: HomeAssistant, entry: MockConfigEntry, start: date) -> dict[str, Any]:
    """Return what the projects cost from a day on."""
    answer = await hass.services.async_call(
        DOMAIN,
        "get_costs",
        {
            "config_entry_id": entry.entry_id,
            "start_date": start,
            "end_date": TODAY,
            "group_by": "project",
        },
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return dict(answer)


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("fixture", ["entry", "full_entry"])
async def test_sensors(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    fixture: str,
    request: pytest.FixtureRequest,
) -> None:
    """A project has a cost of this month, by its name, and keeps its entity when renamed."""
    freezer.move_to(NOW)
    entry: MockConfigEntry = request.getfixturevalue(fixture)
    simulator.account.ledger = {
        date(2026, 10, 31): [LineItem("o3, input", 900.0, "proj_a", "Attic")],
        date(2026, 11, 2): [
            LineItem("o3, input", 100.0, "proj_a", "Attic"),
            LineItem("o3, output", 50.0, "proj_a", "Attic"),
            LineItem("o3, input", 20.0, "proj_b", "Barn"),
            LineItem("o3, input", 7.0, None, None),
        ],
    }
    await setup_entry(hass, entry)
    assert state(hass, "project_cost_proj_a") == "1.5"
    assert state(hass, "project_cost_proj_b") == "0.2"
    found = hass.states.get(entity_id(hass, "project_cost_proj_a"))
    assert found
    assert found.name == "Example Home Cost of project Attic"
    assert found.attributes["last_reset"] == "2026-11-01T00:00:00+00:00"
    assert not has_entity(hass, "project_cost_unknown")

    simulator.account.ledger[TODAY] = [LineItem("o3, input", 10.0, "proj_a", "Loft")]
    await poll(hass, freezer)
    assert state(hass, "project_cost_proj_a") == "1.6"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    found = hass.states.get(entity_id(hass, "project_cost_proj_a"))
    assert found
    assert found.name == "Example Home Cost of project Loft"


async def test_off_by_default(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Projects' sensors are there to be switched on."""
    await setup_entry(hass, entry)
    registry = er.async_get(hass)
    ours = [
        one
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
        if one.unique_id.startswith(f"{ORGANIZATION}_project_cost_")
    ]
    assert len(ours) == 2
    assert all(one.disabled_by is er.RegistryEntryDisabler.INTEGRATION for one in ours)


async def test_stale(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A project that costs nothing for long loses its sensor."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [LineItem("o3, input", 1.0, "proj_a", "Attic")]}
    await setup_entry(hass, entry)
    simulator.account.ledger = {}
    await poll(hass, freezer, 80 * 86_400)
    assert has_entity(hass, "project_cost_proj_a")
    await poll(hass, freezer, 12 * 86_400)
    assert not has_entity(hass, "project_cost_proj_a")


@pytest.mark.parametrize("fixture", ["entry", "full_entry"])
async def test_action(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    fixture: str,
    request: pytest.FixtureRequest,
) -> None:
    """Days and totals by project; what is of none is told too, so that all adds up."""
    freezer.move_to(NOW)
    entry: MockConfigEntry = request.getfixturevalue(fixture)
    simulator.account.ledger = {
        date(2026, 11, 23): [
            LineItem("o3, input", 100.0, "proj_a", "Attic"),
            LineItem("o3, output", 50.0, "proj_b", "Barn"),
            LineItem("o3, output", 25.0, "proj_c", "Barn"),
            LineItem("o3, output", 12.5, "proj_d", None),
            LineItem("o3, input", 7.0, None, None),
        ],
        TODAY: [LineItem("o3, input", 1.0, "proj_a", "Attic")],
    }
    await setup_entry(hass, entry)
    assert await call(hass, entry, date(2026, 11, 22)) == {
        "currency": "USD",
        "total": 1.955,
        "days": [
            {"date": "2026-11-22", "cost": 0.0, "projects": {}},
            {
                "date": "2026-11-23",
                "cost": 1.945,
                "projects": {
                    "Attic": 1.0,
                    "Barn (proj_b)": 0.5,
                    "Barn (proj_c)": 0.25,
                    "proj_d": 0.125,
                    "unknown": 0.07,
                },
            },
            {"date": "2026-11-24", "cost": 0.01, "projects": {"Attic": 0.01}},
        ],
        "projects": {
            "Attic": 1.01,
            "Barn (proj_b)": 0.5,
            "Barn (proj_c)": 0.25,
            "proj_d": 0.125,
            "unknown": 0.07,
        },
    }
