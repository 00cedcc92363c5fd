"""How long a model's sensor stays, and that it comes back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import LineItem

from .common import RunningSimulator, entity_id, has_entity, poll, setup_entry, state

DAY = timedelta(days=1)


def noon(day: date) -> datetime:
    """Return the noon of a UTC day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.mark.parametrize("last", [date(2026, 6, 1), date(2026, 6, 17), date(2026, 6, 30)])
async def test_ninety_days_from_the_last_cost(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    last: date,
) -> None:
    """The 90 days begin with the last day of costs, on whichever day of the month that was."""
    simulator.account.ledger = {last: [LineItem("o3, input", 100.0)]}
    freezer.move_to(noon(last))
    await setup_entry(hass, entry)
    name = entity_id(hass, "model_cost_o3")
    for days, is_there in ((1, True), (31, True), (62, True), (90, True), (91, False)):
        freezer.move_to(noon(last + days * DAY))
        await poll(hass, freezer)
        assert has_entity(hass, "model_cost_o3") is is_there, days
    # It costs something again: the sensor is back with the next poll, under its old id.
    again = last + 200 * DAY
    simulator.account.ledger = {again: [LineItem("o3, input", 250.0)]}
    freezer.move_to(noon(again))
    await poll(hass, freezer)
    assert entity_id(hass, "model_cost_o3") == name
    assert state(hass, "model_cost_o3") == "2.5"
    # And once more, without a reload.
    freezer.move_to(noon(again + 91 * DAY))
    await poll(hass, freezer)
    assert not has_entity(hass, "model_cost_o3")
    simulator.account.ledger = {again + 92 * DAY: [LineItem("o3, input", 50.0)]}
    freezer.move_to(noon(again + 92 * DAY))
    await poll(hass, freezer)
    assert state(hass, "model_cost_o3") == "0.5"


async def test_used_while_home_assistant_was_off(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Off from August to November: a model used until October 31 keeps its sensor."""
    simulator.account.ledger = {
        date(2026, 8, 1): [LineItem("o3, input", 100.0), LineItem("gpt-4o, input", 100.0)],
        date(2026, 10, 31): [LineItem("o3, input", 100.0)],
    }
    freezer.move_to(noon(date(2026, 8, 1)))
    await setup_entry(hass, entry)
    registry = er.async_get(hass)
    name = entity_id(hass, "model_cost_o3")
    registry.async_update_entity(name, name="My reasoning")
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.move_to(noon(date(2026, 11, 2)))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entity_id(hass, "model_cost_o3") == name
    assert float(state(hass, "model_cost_o3")) == 0
    assert not has_entity(hass, "model_cost_gpt_4o")
    found = registry.async_get(name)
    assert found
    assert found.name == "My reasoning"
