"""Sensors and binary sensors, by their states and registry entries."""

from __future__ import annotations

from datetime import date, datetime, timedelta
import json
from pathlib import Path
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util.dt import utcnow
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.openai_account.const import DOMAIN
from simulator import Account, LineItem
from simulator.account import JSON

from .common import RunningSimulator, entity_id, entity_keys, has_entity, poll, setup_entry, state
from .const import NOW, ORGANIZATION

FIXTURES = Path(__file__).parent / "fixtures"
RESPONSES = sorted((path.parent.name, path.stem) for path in FIXTURES.glob("*/*.json"))

ENABLED_BY_DEFAULT = {
    "total_granted",
    "total_used",
    "total_available",
    "total_paid_available",
    "next_grant_expiry",
    "estimated_credit",
    "low_balance",
    "cost_today",
    "cost_yesterday",
    "cost_last_7_days",
    "cost_this_month",
    "forecast_this_month",
    "days_left",
    "model_cost_gpt_5_5",
    "hard_limit_usd",
    "soft_limit_usd",
    "plan",
    "has_payment_method",
    "auto_recharge_enabled",
    "canceled",
    "delinquent",
    "problem",
    "spend_limit",
    "budget_used",
    "budget_left",
    "over_budget",
    "spend_limit_reached",
    "input_tokens_today",
    "input_tokens_this_month",
    "cached_input_tokens_today",
    "cached_input_tokens_this_month",
    "output_tokens_today",
    "output_tokens_this_month",
    "requests_today",
    "requests_this_month",
}


@pytest.mark.usefixtures("all_entities_enabled")
async def test_every_entity_matches_its_snapshot(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
) -> None:
    """Every entity has the known state, attributes, category and unique id."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), full_entry.entry_id)
    shown = {}
    for entity in sorted(entities, key=lambda one: one.entity_id):
        found = hass.states.get(entity.entity_id)
        assert found
        shown[entity.entity_id] = {
            "unique_id": entity.unique_id,
            "category": entity.entity_category,
            "state": found.state,
            "attributes": {str(key): value for key, value in found.attributes.items()},
        }
    assert shown == snapshot


async def test_entities_enabled_by_default(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """The entities that most people want are enabled, and no others."""
    simulator.account.ledger = {utcnow().date(): [LineItem("gpt-5.5, input", 100)]}
    await setup_entry(hass, full_entry)
    assert entity_keys(hass, full_entry, enabled_only=True) == ENABLED_BY_DEFAULT


@pytest.mark.parametrize(("endpoint", "name"), RESPONSES)
@pytest.mark.usefixtures("all_entities_enabled")
async def test_known_responses_show_what_they_report(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
    endpoint: str,
    name: str,
) -> None:
    """Each known form of a response leads to the entities that it reports, and no others."""
    freezer.move_to(NOW)
    response = json.loads((FIXTURES / endpoint / f"{name}.json").read_text())
    setattr(simulator.account, f"{endpoint}_override", response)
    for other in {"credit_grants", "usage", "subscription"} - {endpoint}:
        simulator.fault(other, "not_found")
    await setup_entry(hass, entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    states = {
        entity.unique_id.removeprefix(f"{ORGANIZATION}_"): found.state
        for entity in entities
        if (found := hass.states.get(entity.entity_id))
    }
    assert states == snapshot
    assert "None" not in states.values()
    assert STATE_UNAVAILABLE not in states.values()


async def test_device_model_is_the_plan(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An account is one service device, whose model follows its plan."""
    await setup_entry(hass, entry)
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.identifiers == {(DOMAIN, ORGANIZATION)}
    assert device.entry_type is dr.DeviceEntryType.SERVICE
    assert device.manufacturer == "OpenAI"
    assert device.model == "Pay-as-you-go"
    assert device.name == "Example Home"
    assert device.configuration_url is None

    simulator.account.subscription["plan"] = {"title": "Enterprise", "id": "ent"}
    await poll(hass, freezer)
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.model == "Enterprise"


async def test_days_and_months_turn_at_midnight_utc(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The rows of a model are added up; today and this month start anew at midnight UTC."""
    freezer.move_to("2026-11-30 23:50:00+00:00")
    today, tomorrow = NOW.date().replace(day=30), NOW.date().replace(month=12, day=1)
    simulator.account.ledger = {
        NOW.date(): [LineItem("gpt-5.5, input", 100.0)],
        today: [
            LineItem("gpt-5.5, input", 10.0),
            LineItem("gpt-5.5, input", 5.0, "proj_other", "Other"),
            LineItem("gpt-5.5, output", 20.0),
            LineItem("o3", 0.0001),
            LineItem("never used, input", 0.0),
        ],
        tomorrow: [LineItem("o3, input", 7.0)],
    }
    await setup_entry(hass, entry)
    assert float(state(hass, "cost_today")) == pytest.approx(0.350001)
    assert float(state(hass, "cost_this_month")) == pytest.approx(1.350001)
    assert float(state(hass, "model_cost_gpt_5_5")) == pytest.approx(1.35)
    assert state(hass, "model_cost_o3") == "1e-06"
    assert not has_entity(hass, "model_cost_never_used")

    await poll(hass, freezer, 1200)
    assert float(state(hass, "cost_today")) == pytest.approx(0.07)
    assert float(state(hass, "cost_this_month")) == pytest.approx(0.07)
    assert float(state(hass, "model_cost_o3")) == pytest.approx(0.07)
    assert float(state(hass, "model_cost_gpt_5_5")) == 0.0
    month = hass.states.get(entity_id(hass, "cost_this_month"))
    assert month
    assert month.attributes["last_reset"] == "2026-12-01T00:00:00+00:00"


async def test_model_sensors_come_and_go(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A model's sensor appears with its first cost and goes after long without any."""
    freezer.move_to(NOW)
    day = NOW.date()
    names = ["gpt-5.5", "gpt 5.5", "例え", "x" * 300]
    simulator.account.ledger = {day: [LineItem(f"{names[0]}, input", 100.0)]}
    await setup_entry(hass, entry)
    simulator.account.ledger = {
        day: [LineItem(f"{name}, input", 100.0 * (rank + 1)) for rank, name in enumerate(names)]
    }
    await poll(hass, freezer)
    registry = er.async_get(hass)

    def models() -> dict[str, float]:
        return {
            str(entity.unique_id).partition("_model_cost_")[2]: float(found.state)
            for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
            if "_model_cost_" in entity.unique_id and (found := hass.states.get(entity.entity_id))
        }

    shown = models()
    # Each has a sensor of its own, although two of the names have the same slug.
    assert sorted(shown.values()) == [1.0, 2.0, 3.0, 4.0]
    assert shown["gpt_5_5"] == 1.0

    # After a restart the other model alone still has the sensor that it had.
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.account.ledger = {day: [LineItem("gpt 5.5, input", 900.0)]}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    again = models()
    assert again["gpt_5_5"] == 0.0
    assert sorted(again.values()) == [0.0, 0.0, 0.0, 9.0]

    simulator.account.ledger = {}
    await poll(hass, freezer, 86400 * 95)
    assert not models()


async def test_next_expiry_moves_to_the_next_grant(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Once a grant has expired, the next expiry is that of the next unused grant."""
    freezer.move_to(NOW)
    soon, later, empty = (NOW.timestamp() + hours * 3600 for hours in (1, 48, 24))
    simulator.account.credit_grants_override = {
        "total_available": 5,
        "grants": {
            "data": [
                {"grant_amount": 5, "used_amount": 5.0, "expires_at": empty},
                {"grant_amount": 5, "used_amount": 1.0, "expires_at": later},
                {"grant_amount": 5, "used_amount": 1.0, "expires_at": soon},
                {"grant_amount": 5, "used_amount": 1.0, "expires_at": None},
            ]
        },
    }
    await setup_entry(hass, entry)
    assert state(hass, "next_grant_expiry") == "2026-11-24T16:30:00+00:00"
    await poll(hass, freezer, 3700)
    assert state(hass, "next_grant_expiry") == "2026-11-26T15:30:00+00:00"
    await poll(hass, freezer, 86400 * 3)
    assert state(hass, "next_grant_expiry") == STATE_UNKNOWN


@pytest.mark.usefixtures("all_entities_enabled")
async def test_text_is_made_fit_for_a_state(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Text is cut to the length of a state; control characters and empty parts are removed."""
    simulator.account.subscription |= {
        "trust_tier": "t" * 1000,
        "po_number": "a\x00b\u202e\n c",
        "billing_address": {"line1": "", "city": "  ", "country": None},
        "tax_ids": [None, {"type": "x"}, "A1 ", {"value": "B2"}, 3],
    }
    await setup_entry(hass, entry)
    assert state(hass, "trust_tier") == "t" * 255
    assert state(hass, "po_number") == "a b c"
    assert state(hass, "billing_address") == STATE_UNKNOWN
    assert state(hass, "tax_ids") == "A1, B2"


async def test_unchanged_response_writes_no_state(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A poll with the same responses does not write any state."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 100.0)]}
    await setup_entry(hass, entry)
    reported = {one.entity_id: one.last_reported for one in hass.states.async_all()}
    assert reported
    before = len(simulator.requests)
    await poll(hass, freezer)
    assert len(simulator.requests) == before + 3
    assert {one.entity_id: one.last_reported for one in hass.states.async_all()} == reported


async def test_derived_costs_and_forecasts(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    all_entities_enabled: None,
) -> None:
    """Yesterday, the last 7 days, last month, the forecast, and how long the credit lasts."""
    freezer.move_to("2026-11-03 12:00:00+00:00")
    today = NOW.date().replace(day=3)
    cents = {0: 40.0, 1: 100.0, 2: 200.0, 3: 300.0, 7: 100.0, 8: 9999.0}
    simulator.account.ledger = {
        today - timedelta(days=days): [LineItem("o3, input", cost)] for days, cost in cents.items()
    }
    simulator.account.credit_grants_override = {"total_available": 20.0}
    await setup_entry(hass, entry)
    assert float(state(hass, "cost_yesterday")) == pytest.approx(1.0)
    assert float(state(hass, "cost_last_7_days")) == pytest.approx(7.0)
    assert float(state(hass, "cost_last_month")) == pytest.approx(103.99)
    # 3.40 so far, 0.60 of today's dollar are left, and 27 days follow.
    assert float(state(hass, "forecast_this_month")) == pytest.approx(3.4 + 0.6 + 27)
    assert float(state(hass, "days_left")) == pytest.approx(20.0)

    # An expensive day counts in full.
    simulator.account.ledger[today] = [LineItem("o3, input", 500.0)]
    simulator.account.credit_grants_override = {"total_available": 10.0}
    await poll(hass, freezer)
    assert float(state(hass, "forecast_this_month")) == pytest.approx(8.0 + 27)
    assert float(state(hass, "days_left")) == pytest.approx(10.0)

    # With auto-recharge the credit does not run out.
    simulator.account.subscription["auto_recharge_enabled"] = True
    await poll(hass, freezer)
    assert state(hass, "days_left") == STATE_UNKNOWN
    simulator.account.subscription["auto_recharge_enabled"] = False
    await poll(hass, freezer)
    assert float(state(hass, "days_left")) == pytest.approx(10.0)

    # Without a response the credit is estimated from the last one; without costs it is not.
    simulator.fault("credit_grants", "html_wall")
    await poll(hass, freezer)
    assert float(state(hass, "days_left")) == pytest.approx(10.0)
    simulator.fault("usage", "html_wall")
    await poll(hass, freezer)
    assert state(hass, "days_left") == STATE_UNAVAILABLE
    simulator.clear_faults()

    # Nothing was spent for a week.
    await poll(hass, freezer, 86400 * 8)
    assert float(state(hass, "cost_last_7_days")) == 0.0
    assert state(hass, "days_left") == STATE_UNKNOWN


async def test_current_month_does_not_need_the_last_one(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The current month is shown while last month's costs are missing; those follow later."""
    freezer.move_to("2026-11-03 12:00:00+00:00")
    costs = simulator.account.usage

    def only_this_month(start: date, end: date, now: datetime) -> JSON:
        return costs(start, end, now) if start.month == 11 else "nothing"

    with patch.object(Account, "usage", side_effect=only_this_month):
        await setup_entry(hass, entry)
        assert float(state(hass, "cost_this_month")) > 0
        assert float(state(hass, "cost_yesterday")) > 0
        assert state(hass, "cost_last_7_days") == STATE_UNKNOWN
        assert state(hass, "forecast_this_month") == STATE_UNKNOWN
    await poll(hass, freezer)
    assert float(state(hass, "cost_last_7_days")) > 0
    assert float(state(hass, "forecast_this_month")) > 0
