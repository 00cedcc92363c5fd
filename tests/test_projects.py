"""Costs per project: sensors and the action `get_costs`."""

from __future__ import annotations

from datetime import date

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, entity_id, get_costs, has_entity, poll, setup_entry, state
from .const import NOW, ORGANIZATION

TODAY = NOW.date()


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("fixture", ["entry", "full_entry"])
async def test_project_sensor_shows_the_current_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    fixture: str,
    request: pytest.FixtureRequest,
) -> None:
    """A project's sensor shows its cost this month and keeps its entity when it is renamed."""
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
    assert found.name == "Example Home Cost of project Attic this month"
    assert found.attributes["last_reset"] == "2026-11-01T00:00:00+00:00"
    assert not has_entity(hass, "project_cost_unknown")

    simulator.account.ledger[TODAY] = [LineItem("o3, input", 10.0, "proj_a", "Loft")]
    await poll(hass, freezer)
    assert state(hass, "project_cost_proj_a") == "1.6"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    found = hass.states.get(entity_id(hass, "project_cost_proj_a"))
    assert found
    assert found.name == "Example Home Cost of project Loft this month"
    # A new month begins without costs.
    freezer.move_to(NOW.replace(month=12, day=5))
    await poll(hass, freezer)
    assert state(hass, "project_cost_proj_a") == "0.0"


async def test_project_sensors_are_disabled_by_default(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """The sensors of projects exist, but are disabled."""
    await setup_entry(hass, entry)
    registry = er.async_get(hass)
    ours = [
        one
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
        if one.unique_id.startswith(f"{ORGANIZATION}_project_cost_")
    ]
    assert [one.disabled_by for one in ours] == [er.RegistryEntryDisabler.INTEGRATION] * 2


async def test_unused_project_loses_its_sensor(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A project's sensor is removed after about three months without a cost."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [LineItem("o3, input", 1.0, "proj_a", "Attic")]}
    await setup_entry(hass, entry)
    simulator.account.ledger = {}
    await poll(hass, freezer, 80 * 86_400)
    assert has_entity(hass, "project_cost_proj_a")
    await poll(hass, freezer, 12 * 86_400)
    assert not has_entity(hass, "project_cost_proj_a")


@pytest.mark.parametrize("fixture", ["entry", "full_entry"])
async def test_action_groups_costs_by_project(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    fixture: str,
    request: pytest.FixtureRequest,
) -> None:
    """Days and totals per project include costs without a project, so that all adds up."""
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
    response = await get_costs(
        hass, entry, start_date=date(2026, 11, 22), end_date=TODAY, group_by="project"
    )
    assert response == {
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


async def test_projects_used_long_ago(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The action calls projects by the last name that their costs have, however old."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        date(2025, 12, 5): [
            LineItem("o3, input", 100.0, "proj_a", "Attic"),
            LineItem("o3, input", 200.0, "proj_b", "Barn"),
        ],
        date(2026, 5, 5): [LineItem("o3, input", 50.0, "proj_a", "Loft")],
    }
    await setup_entry(hass, entry)
    assert not has_entity(hass, "project_cost_proj_a")
    response = await get_costs(
        hass, entry, start_date="2025-12-01", end_date=TODAY, group_by="project"
    )
    assert response["projects"] == {"Loft": 1.5, "Barn": 2.0}


async def test_projects_with_the_same_name_are_added_up(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A project called 'unknown', or what another one's id is, loses nothing."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        TODAY: [
            LineItem("o3, input", 100.0, "proj_a", "unknown"),
            LineItem("o3, input", 50.0, None, None),
            LineItem("o3, input", 20.0, "proj_b", None),
            LineItem("o3, input", 7.0, "proj_c", "proj_b"),
        ],
    }
    await setup_entry(hass, full_entry)
    response = await get_costs(
        hass, full_entry, start_date=TODAY, end_date=TODAY, group_by="project"
    )
    assert response["total"] == 1.77
    assert response["projects"] == {"unknown": 1.5, "proj_b": 0.27}
    assert response["days"][0]["projects"] == response["projects"]
