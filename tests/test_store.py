"""What is stored in time, so that not even a crash loses it."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, entity_id, poll, setup_entry
from .const import NOW


def stored(hass_storage: dict[str, Any], entry: MockConfigEntry) -> dict[str, Any]:
    """Return what is on disk of an entry that still runs: a crash would leave this."""
    data: dict[str, Any] = hass_storage[f"openai_account.{entry.entry_id}"]["data"]
    return data


@pytest.mark.parametrize(("seconds", "is_stored"), [(29, False), (31, True)])
async def test_new_names_are_stored_within_half_a_minute(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    seconds: int,
    is_stored: bool,
) -> None:
    """A new model's slug, the last day of a model, and what responds, all come to the disk."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        NOW.date(): [LineItem("gpt-5.5, input", 100, project_id="proj_1", project_name="One")]
    }
    await setup_entry(hass, entry)
    await poll(hass, freezer, seconds)
    if not is_stored:
        assert f"openai_account.{entry.entry_id}" not in hass_storage
        return
    data = stored(hass_storage, entry)
    assert data["models"]["gpt_5_5"]["last_seen"] == "2026-11-24"
    assert data["projects"]["proj_1"]["label"] == "One"
    assert data["endpoints"].keys() == {"credit_grants", "costs", "subscription"}

    simulator.account.ledger |= {NOW.date(): [LineItem("o3, input", 100)]}
    await poll(hass, freezer)
    await poll(hass, freezer, 31)
    assert stored(hass_storage, entry)["models"]["o3"]["last_seen"] == "2026-11-24"


async def test_project_that_was_renamed_is_stored(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The new name of a project comes to the disk, although its day is known."""
    freezer.move_to(NOW)
    for name in ("One", "Two"):
        simulator.account.ledger = {
            NOW.date(): [LineItem("o3, input", 100, project_id="proj_1", project_name=name)]
        }
        await (poll(hass, freezer) if name == "Two" else setup_entry(hass, entry))
        await poll(hass, freezer, 31)
        assert stored(hass_storage, entry)["projects"]["proj_1"]["label"] == name


async def test_slug_of_a_model_outlives_a_crash(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A sensor of a model that costs nothing anymore is there after a crash, too."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 100)]}
    await setup_entry(hass, entry)
    await poll(hass, freezer, 31)
    sensor = entity_id(hass, "model_cost_gpt_5_5")
    crashed = stored(hass_storage, entry)
    simulator.account.ledger = {}
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[f"openai_account.{entry.entry_id}"]["data"] = crashed
    freezer.move_to(NOW.replace(month=12))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    found = hass.states.get(sensor)
    assert found
    assert found.state == "0.0"


async def test_missing_endpoint_outlives_a_crash(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Since when an endpoint is missing is stored at once, and not started anew by a crash."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    await poll(hass, freezer, 31)
    simulator.fault("subscription", "not_found")
    await poll(hass, freezer)
    await poll(hass, freezer, 31)
    endpoint = stored(hass_storage, entry)["endpoints"]["subscription"]
    assert endpoint["missing_since"].startswith("2026-11-24T15:3")
    simulator.clear_faults()
    await poll(hass, freezer)
    await poll(hass, freezer, 31)
    assert stored(hass_storage, entry)["endpoints"]["subscription"] == {"missing_since": None}
    assert not issue_registry.issues
