"""Sensors and binary sensors, by what Home Assistant shows of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
import json
from pathlib import Path
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.openai_account.const import DOMAIN
from simulator import Account, LineItem
from simulator.account import JSON

from .common import RunningSimulator, entity_id, poll, setup_entry, state
from .const import NOW, ORGANIZATION

FIXTURES = Path(__file__).parent / "fixtures"
SHAPES = sorted((path.parent.name, path.stem) for path in FIXTURES.glob("*/*.json"))


@pytest.mark.usefixtures("all_entities_enabled")
async def test_entities(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
) -> None:
    """Every entity, as the registry and the state machine have it."""
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


async def test_enabled_by_default(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """What most people want is on, all else is off."""
    await setup_entry(hass, entry)
    enabled = {
        entity.unique_id.removeprefix(f"{ORGANIZATION}_")
        for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if not entity.disabled_by and "_model_cost_" not in entity.unique_id
    }
    assert enabled >= {
        "total_granted",
        "total_used",
        "total_available",
        "total_paid_available",
        "next_grant_expiry",
        "cost_today",
        "cost_this_month",
        "hard_limit_usd",
        "soft_limit_usd",
        "plan",
        "has_payment_method",
        "auto_recharge_enabled",
        "delinquent",
    }
    assert not enabled & {
        "system_hard_limit_usd",
        "max_balance",
        "soft_limit",
        "trust_tier",
        "billing_email",
        "account_name",
        "canceled",
        "primary",
    }


@pytest.mark.parametrize(("endpoint", "name"), SHAPES)
@pytest.mark.usefixtures("all_entities_enabled")
async def test_shapes(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
    endpoint: str,
    name: str,
) -> None:
    """Each shape that the API was ever seen to answer in shows what it holds, and no more."""
    freezer.move_to(NOW)
    shape = json.loads((FIXTURES / endpoint / f"{name}.json").read_text())
    setattr(simulator.account, f"{endpoint}_override", shape)
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


async def test_device(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One service device, whose model is the plan and follows it."""
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


async def test_cost_of_models(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A model's rows are added up; days and months turn at midnight UTC."""
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
    unique_id = f"{ORGANIZATION}_model_cost_never_used"
    assert er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id) is None

    await poll(hass, freezer, 1200)
    assert float(state(hass, "cost_today")) == pytest.approx(0.07)
    assert float(state(hass, "cost_this_month")) == pytest.approx(0.07)
    assert float(state(hass, "model_cost_o3")) == pytest.approx(0.07)
    assert float(state(hass, "model_cost_gpt_5_5")) == 0.0
    month = hass.states.get(entity_id(hass, "cost_this_month"))
    assert month
    assert month.attributes["last_reset"] == "2026-12-01T00:00:00+00:00"


async def test_models_come_and_go(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A model's sensor comes with its first cost and goes when it has cost nothing for long."""
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
    # Each keeps a place of its own, though two have one slug and one has hardly any.
    assert sorted(shown.values()) == [1.0, 2.0, 3.0, 4.0]
    assert shown["gpt_5_5"] == 1.0

    # The other model alone, after a restart, still finds its own place.
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


async def test_expired_grants(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The next expiry moves on by itself once a grant has expired."""
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
async def test_long_text(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Text that no state can hold is cut, and parts of it that no person reads are left out."""
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


async def test_nothing_new_writes_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A poll whose answers are the same reports no state."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 100.0)]}
    await setup_entry(hass, entry)
    reported = {one.entity_id: one.last_reported for one in hass.states.async_all()}
    asked = len(simulator.requests)
    await poll(hass, freezer)
    assert len(simulator.requests) == asked + 3
    assert {one.entity_id: one.last_reported for one in hass.states.async_all()} == reported


async def test_near_past_and_future(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    all_entities_enabled: None,
) -> None:
    """Yesterday, the last 7 days, last month, the forecast, and for how long the credit lasts."""
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

    # A dear day counts as it is.
    simulator.account.ledger[today] = [LineItem("o3, input", 500.0)]
    simulator.account.credit_grants_override = {"total_available": 10.0}
    await poll(hass, freezer)
    assert float(state(hass, "forecast_this_month")) == pytest.approx(8.0 + 27)
    assert float(state(hass, "days_left")) == pytest.approx(10.0)

    # Credit that refills itself lasts for ever.
    simulator.account.subscription["auto_recharge_enabled"] = True
    await poll(hass, freezer)
    assert state(hass, "days_left") == STATE_UNKNOWN
    simulator.account.subscription["auto_recharge_enabled"] = False
    await poll(hass, freezer)
    assert float(state(hass, "days_left")) == pytest.approx(10.0)

    simulator.fault("credit_grants", "html_wall")
    await poll(hass, freezer)
    assert state(hass, "days_left") == STATE_UNAVAILABLE
    assert float(state(hass, "forecast_this_month")) > 0
    simulator.clear_faults()

    # Nothing was spent for a week.
    await poll(hass, freezer, 86400 * 8)
    assert float(state(hass, "cost_last_7_days")) == 0.0
    assert state(hass, "days_left") == STATE_UNKNOWN


async def test_last_month_cannot_be_had(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without last month's days the running month is shown all the same, and they come later."""
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
