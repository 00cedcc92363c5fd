"""Helpers that the tests with a real Home Assistant share."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict, cast

from aiohttp import ClientSession, web
import pytest

from development.home import Entry, Home, RegistryEntity, State
from development.process import LOOPBACK, Json, free_port
from simulator import Simulator

KEY = "sess-TheKeyThatNoLogShows"
ADMIN_KEY = "sk-admin-TheKeyThatNoLogShowsEither"
WRONG_KEY = "sess-AnotherThatNoLogShows"
PASSWORD = "for-the-tests"
# A test's own five minutes, and before them the start of Home Assistant and what else it needs
LONGEST = timedelta(minutes=12)
FAILED = pytest.StashKey[bool]()
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


@dataclass(frozen=True, slots=True)
class Service:
    """The simulator and its URL. Its clock stands still, so its responses do not change."""

    simulator: Simulator
    url: str
    now: datetime

    async def fetch(self, endpoint: str, **query: str) -> dict[str, Json]:
        """Return the response of an endpoint of the billing API."""
        async with (
            ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session,
            session.get(f"{self.url}/dashboard/billing/{endpoint}", params=query) as response,
        ):
            response.raise_for_status()
            result: dict[str, Json] = await response.json()
            return result


@asynccontextmanager
async def run_simulator(simulator: Simulator) -> AsyncIterator[Service]:
    """Run a simulator."""
    runner = web.AppRunner(simulator.app, access_log=None)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield Service(simulator, f"http://{LOOPBACK}:{port}", simulator.now())
    finally:
        await runner.cleanup()


def failed(request: pytest.FixtureRequest) -> bool:
    """Return whether the test has failed."""
    return bool(request.node.stash.get(FAILED, False))


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
    """Return the value of each entity by its key, read from the simulator's responses."""
    today = service.now.astimezone(UTC).date()
    days = {
        "start_date": today.replace(day=1).isoformat(),
        "end_date": (today + timedelta(days=1)).isoformat(),
    }
    grants = await service.fetch("credit_grants")
    plan = await service.fetch("subscription", **days)
    usage = await service.fetch("usage", **days)
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
    """Check a state against the value in the simulator's response."""
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


def entities_by_key(entities: list[RegistryEntity]) -> dict[str, RegistryEntity]:
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
    entities = entities_by_key(await home.entities())
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
        if str(state["attributes"]["friendly_name"]).endswith(f" {name} this month")
    }
    assert set(models) == {key for key in expected if key.startswith("Cost of ")}
    assert len(models) > 1
    for name, state in models.items():
        check_state(name, state, expected[name])


async def every_entity_has_a_state(home: Home) -> bool:
    """Return whether each enabled entity has its first state."""
    states = await home.states()
    enabled = [one["entity_id"] for one in await home.entities() if one["disabled_by"] is None]
    return bool(enabled) and all(
        one in states and states[one]["state"] != "unavailable" for one in enabled
    )


async def add_account(home: Home, service: Service) -> Entry:
    """Add the simulated account: with a wrong key, then with the right one in the same form."""
    flow = await home.start_flow()
    form = {"host": service.url, "session_key": WRONG_KEY, "name": "Work"}
    result = await home.send_flow(flow, form)
    assert result["type"] == "form"
    assert result["errors"] == {"session_key": "invalid_auth"}
    assert await home.entries() == []

    result = await home.send_flow(flow, form | {"session_key": f"  Bearer {KEY}\n"})
    assert result["type"] == "create_entry"
    assert result["title"] == "Work"

    again = await home.send_flow(await home.start_flow(), form | {"session_key": KEY})
    assert (again["type"], again["reason"]) == ("abort", "already_configured")
    [entry] = await home.entries()
    return entry
