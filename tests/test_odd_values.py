"""Odd values in responses: what is shown of them, and what they leave alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, get_costs, poll, set_available_credit, setup_entry, state
from .const import NOW

NO_TIMES: list[Any] = [0, -1, None, "soon", True, [], 253_402_300_800]
TOO_MUCH = [10**15 + 1, -(10**15) - 1]
NO_AMOUNTS: list[Any] = [
    *(True, False, "1_000", "NaN", "-Infinity", "\u0661", "", {}, "12 USD"),
]


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1_795_000_000, "2026-11-18T11:06:40+00:00"),
        (1_795_000_000.9, "2026-11-18T11:06:40+00:00"),
        ("1795000000", "2026-11-18T11:06:40+00:00"),
        ("2026-11-18T12:06:40+01:00", "2026-11-18T11:06:40+00:00"),
        (" 2026-11-18T11:06:40 ", "2026-11-18T11:06:40+00:00"),
        (1, "1970-01-01T00:00:01+00:00"),
        (253_402_300_799, "9999-12-31T23:59:59+00:00"),
        *((value, STATE_UNKNOWN) for value in NO_TIMES),
        pytest.param(1_795_000_000_000, STATE_UNKNOWN, id="milliseconds"),
        pytest.param("0001-01-01T00:00:00+01:00", STATE_UNKNOWN, id="before the year 1"),
    ],
)
async def test_time(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    value: Any,
    shown: str,
) -> None:
    """A time is read from seconds or text; what is none affects no other field."""
    simulator.account.subscription |= {"canceled_at": value, "hard_limit_usd": 77}
    await setup_entry(hass, entry)
    assert state(hass, "canceled_at") == shown
    assert state(hass, "hard_limit_usd") == "77.0"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12, "12.0"),
        ("12.50", "12.5"),
        ("1e2", "100.0"),
        (10**15, "1e+15"),
        ("9" * 400, STATE_UNKNOWN),
        ("0." + "1" * 398, "0.111111"),
        ("0." + "1" * 399, STATE_UNKNOWN),
        *((value, STATE_UNKNOWN) for value in TOO_MUCH),
        *((value, STATE_UNKNOWN) for value in NO_AMOUNTS),
    ],
)
async def test_amount(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    value: Any,
    shown: str,
) -> None:
    """An amount is read from a number or text, and unknown where it is none."""
    simulator.account.credit_grants_override = {"total_available": value, "total_used": 3}
    await setup_entry(hass, entry)
    assert state(hass, "total_available") == shown
    assert state(hass, "total_used") == "3.0"


@pytest.mark.parametrize(
    ("available", "is_low", "days_left"),
    [
        (None, STATE_UNKNOWN, STATE_UNKNOWN),
        (-3.5, STATE_ON, "0.0"),
        (0, STATE_ON, "0.0"),
        (0.7, STATE_ON, "0.7"),
        (4.99, STATE_ON, "5.0"),
        (5, STATE_OFF, "5.0"),
    ],
)
async def test_credit_left(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    available: float | None,
    is_low: str,
    days_left: str,
) -> None:
    """Null is no amount; no credit, less than none and less than a dollar are."""
    freezer.move_to(NOW)
    simulator.account.subscription["auto_recharge_enabled"] = False
    simulator.account.usage_override = usage({NOW - timedelta(days=2): 700})
    set_available_credit(simulator, available)
    await setup_entry(hass, entry)
    shown = STATE_UNKNOWN if available is None else str(float(available))
    assert state(hass, "total_available") == shown
    assert state(hass, "low_balance", "binary_sensor") == is_low
    assert state(hass, "days_left") == days_left


async def test_credit_without_a_subscription(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Credit and costs say how many days are left where the subscription has never responded."""
    freezer.move_to(NOW)
    simulator.fault("subscription", "server_error")
    simulator.account.usage_override = usage({NOW - timedelta(days=2): 700})
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    assert state(hass, "days_left") == "20.0"
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
    await poll(hass, freezer)
    assert state(hass, "days_left") == "20.0"


def usage(days: dict[datetime, float], **more: Any) -> dict[str, Any]:
    """Return a response of `usage` with one line item of some cents on each day."""
    rows = [
        {
            "timestamp": time.timestamp(),
            "line_items": [{"name": "gpt-5.5, input", "cost": cents}],
        }
        for time, cents in days.items()
    ]
    return {"object": "list", "daily_costs": rows, **more}


MONTH = datetime(2026, 11, 1, tzinfo=UTC)


async def test_days_that_were_not_requested(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days before and after the requested ones are not counted, those at both ends are."""
    freezer.move_to(NOW)
    today = NOW.replace(hour=0, minute=0)
    simulator.account.usage_override = usage(
        {
            MONTH - timedelta(seconds=1): 100_000,
            MONTH: 100,
            today + timedelta(hours=23, minutes=59): 250,
            today + timedelta(days=1): 100_000,
        }
    )
    await setup_entry(hass, entry)
    assert state(hass, "cost_this_month") == "3.5"
    assert state(hass, "cost_today") == "2.5"
    response = await get_costs(hass, entry, start_date="2026-11-01", end_date="2026-11-01")
    assert response["total"] == 1.0


@pytest.mark.parametrize(
    "bad", [{"timestamp": None}, {"timestamp": "never"}, {}, None, "day", {"timestamp": 10**13}]
)
async def test_days_after_an_unreadable_one(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    bad: object,
) -> None:
    """A day that cannot be read takes no other with it."""
    freezer.move_to(NOW)
    response = usage({MONTH: 100, NOW: 250})
    if isinstance(bad, dict):
        bad = {**bad, "line_items": [{"name": "gpt-5.5", "cost": 9}]}
    response["daily_costs"].insert(1, bad)
    simulator.account.usage_override = response
    await setup_entry(hass, entry)
    assert state(hass, "cost_this_month") == "3.5"
    assert state(hass, "cost_today") == "2.5"


@pytest.mark.parametrize("endpoint", ["credit_grants", "subscription", "usage"])
async def test_response_of_something_else(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    endpoint: str,
) -> None:
    """An object without any field of its endpoint is an error, not a response of nothing."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault(endpoint, "other_object")
    await poll(hass, freezer)
    shown = {"credit_grants": "total_used", "subscription": "plan", "usage": "cost_today"}
    for other, key in shown.items():
        assert (state(hass, key) == STATE_UNAVAILABLE) is (other == endpoint)


async def test_unreadable_fields_are_named_once(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The debug log names each field with a wrong value once; what stands for none is not wrong."""
    freezer.move_to(NOW)
    simulator.account.subscription |= {
        "access_until": 0,
        "hard_limit_usd": "",
        "has_payment_method": None,
        "tax_ids": [],
        "plan": "pro",
        "po_number": False,
        "canceled_at": "soon",
        "soft_limit_usd": 5,
    }
    simulator.account.credit_grants_override = {
        "total_available": 1,
        "grants": {"data": [{"grant_amount": 1, "expires_at": 0}, 7]},
    }
    simulator.account.usage_override = {
        "daily_costs": [{"timestamp": NOW.timestamp(), "line_items": {}}]
    }
    await setup_entry(hass, entry)
    await poll(hass, freezer)
    message = "The field {} has an unexpected value and is left out"
    found = [one.getMessage() for one in caplog.records if "unexpected value" in one.getMessage()]
    wrong = ("canceled_at", "data", "line_items", "plan", "po_number")
    assert sorted(found) == [message.format(name) for name in wrong]
