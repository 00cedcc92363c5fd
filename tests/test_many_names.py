"""More models and projects than sensors and statistics of their own are worth."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import (
    RunningSimulator,
    entity_keys,
    has_entity,
    history_rows,
    poll,
    setup_entry,
    state,
)
from .const import NOW

TODAY = NOW.date()


def items(count: int, first: int = 1) -> list[LineItem]:
    """Return costs of models and projects: model-1 costs a cent, model-2 two cents, ..."""
    return [
        LineItem(f"model-{number}, input", float(number), f"proj_{number}", f"Project {number}")
        for number in range(first, first + count)
    ]


def count_keys(hass: HomeAssistant, entry: MockConfigEntry, prefix: str) -> int:
    """Return how many entities have a key with a prefix."""
    return sum(key.startswith(prefix) for key in entity_keys(hass, entry))


async def test_the_most_expensive_have_sensors_and_statistics(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The 300 most expensive of each kind have their own; the rest is one sensor."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: items(320)}
    await setup_entry(hass, entry)
    await poll(hass, freezer)
    assert count_keys(hass, entry, "model_cost_") == 300
    assert count_keys(hass, entry, "project_cost_") == 300
    assert not has_entity(hass, "model_cost_model_20")
    assert state(hass, "model_cost_model_21") == "0.21"
    assert not has_entity(hass, "project_cost_proj_20")
    # 0.01 + 0.02 + ... + 0.20
    assert state(hass, "other_models_cost") == "2.1"
    assert has_entity(hass, "other_projects_cost")
    rows = await history_rows(hass)
    # The account's own, and those of 300 models and 300 projects
    assert len(rows) == 601
    assert not any(one.endswith(("_model_20", "_proj_20")) for one in rows)
    assert caplog.text.count("Only 300 of the names have a sensor") == 2


async def test_api_keys_and_models_of_usage(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An admin key opens two more kinds of names; the models of usage have no sensor of others."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        TODAY: [
            LineItem(f"model-{number}, input", float(number), "proj_default", None, f"key_{number}")
            for number in range(1, 321)
        ]
    }
    await setup_entry(hass, full_entry)
    await poll(hass, freezer)
    for kind in ("key_cost_key_", "model_tokens_model_"):
        assert count_keys(hass, full_entry, kind) == 300
        assert not has_entity(hass, f"{kind}20")
        assert has_entity(hass, f"{kind}21")
    assert state(hass, "other_api_keys_cost") == "2.1"
    assert not has_entity(hass, "other_projects_cost")
    rows = await history_rows(hass)
    for kind in ("_cost_model_", "_key_cost_key_", "_tokens_model_"):
        assert sum(kind in one for one in rows) == 300
        assert not any(one.endswith(f"{kind}20") for one in rows)


async def test_new_names_with_each_poll(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """A host that always has new names gets no more entities and no larger store."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: items(290)}
    await setup_entry(hass, entry)
    for number in range(5):
        simulator.account.ledger = {TODAY: items(20, 1000 + 20 * number)}
        await poll(hass, freezer)
    assert count_keys(hass, entry, "model_cost_") == 300
    assert has_entity(hass, "model_cost_model_1")
    assert await hass.config_entries.async_unload(entry.entry_id)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    assert len(stored["models"]) == len(stored["projects"]) == 300


async def test_a_more_expensive_model_replaces_the_cheapest(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Once a day, new names take the places of cheaper ones, but not of more expensive ones."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: items(300, 101)}
    await setup_entry(hass, entry)
    assert not has_entity(hass, "other_models_cost")
    simulator.account.ledger = {TODAY: [*items(300, 101), *items(1, 900), *items(1, 50)]}
    await poll(hass, freezer)
    assert state(hass, "other_models_cost") == "9.5"
    freezer.move_to(NOW + timedelta(days=1))
    await poll(hass, freezer)
    assert state(hass, "model_cost_model_900") == "9.0"
    assert not has_entity(hass, "model_cost_model_101")
    assert has_entity(hass, "model_cost_model_102")
    assert state(hass, "other_models_cost") == "1.51"
    assert count_keys(hass, entry, "model_cost_") == 300


async def test_others_leave(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The sensor of the others goes with the first start without any."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: items(301)}
    await setup_entry(hass, entry)
    assert state(hass, "other_models_cost") == "0.01"
    simulator.account.ledger = {TODAY: items(300, 2)}
    await poll(hass, freezer)
    assert state(hass, "other_models_cost") == "0.0"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert not has_entity(hass, "other_models_cost")


async def test_names_are_forgotten(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The store forgets names without costs for years; they come back as they were."""
    first = datetime(2026, 6, 1, 12, tzinfo=NOW.tzinfo)
    freezer.move_to(first)
    simulator.account.ledger = {first.date(): [LineItem("o3, input", 100.0)]}
    await setup_entry(hass, entry)
    models = entry.runtime_data.store.models
    assert set(models.all()) == {"o3"}
    for later, is_known in ((date(2027, 12, 1), True), (date(2028, 12, 1), False)):
        assert await hass.config_entries.async_unload(entry.entry_id)
        freezer.move_to(datetime(later.year, later.month, later.day, 12, tzinfo=NOW.tzinfo))
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert ("o3" in entry.runtime_data.store.models.all()) is is_known
    simulator.account.ledger = {date(2028, 12, 1): [LineItem("o3, input", 250.0)]}
    await poll(hass, freezer)
    assert state(hass, "model_cost_o3") == "2.5"
