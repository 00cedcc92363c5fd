"""An account in a real Home Assistant, set up and read by its HTTP interface."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
import re
from typing import TypedDict, cast

import aiohttp
import pytest

from development.home import Entry, Home, RegistryEntity, State
from development.process import Json, until

from .conftest import KEY, WRONG_KEY, Service

TEXTS = ("account_name", "po_number", "billing_email", "billing_mechanism", "trust_tier")
PERSONAL = ("account_name", "po_number", "billing_email", "tax_ids", "billing_address")
UNITS = dict.fromkeys(
    (
        *("total_granted", "total_used", "total_available", "total_paid_available"),
        *("cost_today", "cost_this_month", "soft_limit_usd", "hard_limit_usd"),
        *("system_hard_limit_usd", "max_balance"),
        *("auto_recharge_threshold", "auto_recharge_to_balance"),
    ),
    "USD",
)
BINARY = (
    *("has_payment_method", "primary", "auto_recharge_enabled", "auto_recharge_eligible"),
    *("is_arrears_eligible", "canceled", "delinquent"),
)
OFF_BY_DEFAULT = {
    *("system_hard_limit_usd", "max_balance", "auto_recharge_threshold"),
    *("auto_recharge_to_balance", "soft_limit", "hard_limit", "system_hard_limit"),
    *("billing_mechanism", "trust_tier", "canceled_at", "access_until", "account_name"),
    *("po_number", "billing_email", "tax_ids", "billing_address", "business_address"),
    *("primary", "auto_recharge_eligible", "is_arrears_eligible", "canceled"),
    *("cost_last_month", "project_cost_proj_default", "project_cost_proj_voice"),
}
RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S* [A-Z]+ \()", re.MULTILINE)


class LineItem(TypedDict):
    """A cost, in cents."""

    name: str
    cost: float


class Day(TypedDict):
    """A UTC day's costs."""

    timestamp: float
    line_items: list[LineItem]


class Grant(TypedDict):
    """A credit grant, in dollars."""

    grant_amount: float
    used_amount: float
    expires_at: float


async def expected_values(service: Service) -> dict[str, Json]:
    """Return the value of each entity by its key, read from what the simulator answers."""
    today = service.now.astimezone(UTC).date()
    days = {
        "start_date": today.replace(day=1).isoformat(),
        "end_date": (today + timedelta(days=1)).isoformat(),
    }
    grants = await service.ask("credit_grants")
    plan = await service.ask("subscription", **days)
    usage = await service.ask("usage", **days)
    costs: defaultdict[str, float] = defaultdict(float)
    costs |= {"cost_today": 0.0, "cost_this_month": 0.0}
    for day in cast("list[Day]", usage["daily_costs"]):
        date = datetime.fromtimestamp(day["timestamp"], UTC).date()
        for item in day["line_items"]:
            dollars = item["cost"] / 100
            costs["cost_this_month"] += dollars
            costs["cost_today"] += dollars if date == today else 0
            if dollars:
                costs[f"Cost of {item['name'].split(',')[0]}"] += dollars
    ends = [
        grant["expires_at"]
        for grant in cast("list[Grant]", cast("dict[str, Json]", grants["grants"])["data"])
        if grant["used_amount"] < grant["grant_amount"]
        and grant["expires_at"] > service.now.timestamp()
    ]
    values: dict[str, Json] = {
        key: grants[key]
        for key in ("total_granted", "total_used", "total_available", "total_paid_available")
    }
    values |= costs
    values["next_grant_expiry"] = min(ends)
    limits = ("soft_limit", "hard_limit", "system_hard_limit")
    values |= {key: plan[key] for key in (*UNITS, *TEXTS, *limits) if key in plan}
    tax_ids = cast("list[dict[str, str]]", plan["tax_ids"])
    values["tax_ids"] = ", ".join(one["value"] for one in tax_ids)
    # An address is compared by its first line alone: the order of the rest is a country's.
    for key in ("billing_address", "business_address"):
        address = cast("dict[str, str] | None", plan[key])
        values[key] = address["line1"] if address else None
    values["plan"] = cast("dict[str, Json]", plan["plan"])["title"]
    for key in BINARY:
        value = plan[key]
        values[key] = None if value is None else "on" if value else "off"
    return values


def check_state(key: str, state: State, expected: Json) -> None:
    """Check a state against the value that the simulator gave."""
    shown = state["state"]
    if expected is None:
        assert shown == "unknown", key
    elif key.endswith("_address"):
        assert shown.startswith(str(expected)), key
        assert not set(shown) & set("[]{}\n"), key
        assert "None" not in shown, key
    elif isinstance(expected, str):
        assert shown == expected, key
    elif key == "next_grant_expiry":
        assert datetime.fromisoformat(shown).timestamp() == pytest.approx(expected, abs=1)
    else:
        assert isinstance(expected, int | float), key
        assert float(shown) == pytest.approx(expected, abs=1e-6), key
    unit = "USD" if key.startswith("Cost of ") else UNITS.get(key)
    assert state["attributes"].get("unit_of_measurement") == unit, key
    assert state["attributes"].get("device_class") == {
        **dict.fromkeys(UNITS, "monetary"),
        "next_grant_expiry": "timestamp",
        "delinquent": "problem",
    }.get(key, "monetary" if unit else None), key


def by_key(entities: list[RegistryEntity]) -> dict[str, RegistryEntity]:
    """Return the entities by their unique ids without the account's identity."""
    identity = next(
        entity["unique_id"].removesuffix("total_granted")
        for entity in entities
        if entity["unique_id"].endswith("_total_granted")
    )
    return {entity["unique_id"].removeprefix(identity): entity for entity in entities}


async def check_states(home: Home, service: Service) -> None:
    """Check every enabled entity's state, and that each value has its entity."""
    expected = await expected_values(service)
    entities = by_key(await home.entities())
    states = await home.states()
    for key, entity in entities.items():
        if entity["disabled_by"] is None and key in expected:
            check_state(key, states[entity["entity_id"]], expected[key])
    for key in expected:
        if not key.startswith("Cost of "):
            assert key in entities
    models = {
        name: state
        for key, entity in entities.items()
        if key.startswith("model_cost_")
        for state in [states[entity["entity_id"]]]
        for name in expected
        if str(state["attributes"]["friendly_name"]).endswith(f" {name}")
    }
    assert set(models) == {key for key in expected if key.startswith("Cost of ")}
    assert len(models) > 1
    for name, state in models.items():
        check_state(name, state, expected[name])


async def is_filled(home: Home) -> bool:
    """Return whether each enabled entity has had its first state."""
    states = await home.states()
    enabled = [one["entity_id"] for one in await home.entities() if one["disabled_by"] is None]
    return bool(enabled) and all(
        one in states and states[one]["state"] != "unavailable" for one in enabled
    )


async def add_account(home: Home, service: Service) -> Entry:
    """Add the simulated account: the wrong key first, then the right one, in the same form."""
    flow = await home.start_flow()
    form = {"host": service.url, "session_key": WRONG_KEY, "name": "Work"}
    answer = await home.send_flow(flow, form)
    assert answer["type"] == "form"
    assert answer["errors"] == {"session_key": "invalid_auth"}
    assert await home.entries() == []

    answer = await home.send_flow(flow, form | {"session_key": f"  Bearer {KEY}\n"})
    assert answer["type"] == "create_entry"
    assert answer["title"] == "Work"

    again = await home.send_flow(await home.start_flow(), form | {"session_key": KEY})
    assert (again["type"], again["reason"]) == ("abort", "already_configured")
    [entry] = await home.entries()
    return entry


def check_log(log: str, values: dict[str, Json]) -> None:
    """Check that the log holds no secret, and no complaint of or about this integration."""
    for secret in (KEY, WRONG_KEY, *(str(values[key]) for key in PERSONAL)):
        assert secret not in log
    records = RECORD.split(log)
    assert any("custom_components.openai_account" in record for record in records)
    bad = [
        record
        for record in records
        if re.match(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ", record)
        and "openai_account" in record
        # Home Assistant says this of every custom integration.
        and "which has not been tested by Home Assistant" not in record
    ]
    assert bad == []
    # The lock file has all that Home Assistant loads here.
    assert "Setup failed for" not in log


async def test_account(home: Home, service: Service) -> None:
    entry = await add_account(home, service)
    await until(lambda: is_filled(home), "Every entity has a state")
    assert entry["state"] == "loaded"
    await check_states(home, service)
    entities = by_key(await home.entities())
    assert {key for key, one in entities.items() if one["disabled_by"]} == OFF_BY_DEFAULT
    device = await home.device(entry)
    assert device["name"] == "Work"
    assert {one["device_id"] for one in entities.values()} == {device["id"]}

    # What is off by default is switched on, and Home Assistant started again.
    for key in OFF_BY_DEFAULT:
        await home.command(
            "config/entity_registry/update",
            entity_id=entities[key]["entity_id"],
            disabled_by=None,
        )
    assert await home.stop() == 0
    with pytest.raises(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(home.url):
            pass

    await home.start()
    await until(lambda: is_filled(home), "Every entity has a state after the restart")
    after = by_key(await home.entities())
    assert {key: one["entity_id"] for key, one in after.items()} == {
        key: one["entity_id"] for key, one in entities.items()
    }
    assert not [key for key, one in after.items() if one["disabled_by"]]
    await check_states(home, service)
    assert await home.stop() == 0
    check_log(home.process.log.read_text(), await expected_values(service))
