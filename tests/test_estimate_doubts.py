"""The estimated credit where sources fail, disagree or are damaged: right, or unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_ADMIN_KEY, DOMAIN
from simulator import Fault

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    has_entity,
    poll,
    setup_entry,
    state,
)
from .const import ADMIN_KEY, ORGANIZATION
from .wallet import (
    START,
    Wallet,
    admin_entry,
    attribute,
    lose_session_key,
    report_subscription,
    set_credit,
)

UNKNOWN = STATE_UNKNOWN


def known(hass: HomeAssistant) -> float | None:
    value = state(hass, "estimated_credit")
    return None if value == UNKNOWN else float(value)


async def test_top_up_smaller_than_spending_while_costs_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    simulator.fault("costs", "unavailable")
    wallet.bought += 10
    wallet.spend(START + timedelta(minutes=2), 11)
    await poll(hass, freezer)
    assert known(hass) == 19
    simulator.clear_faults()
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert known(hass) in (None, 19), known(hass)


async def test_fall_without_costs_while_costs_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    simulator.fault("costs", "unavailable")
    wallet.bought -= 17  # a refund
    wallet.show()
    await poll(hass, freezer)
    assert known(hass) == 3
    assert state(hass, "low_balance", "binary_sensor") == "on"
    simulator.clear_faults()
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert known(hass) in (None, 3), known(hass)


@pytest.mark.parametrize(("threshold", "entered"), [(None, 50), (10, 8)])
async def test_entered_credit_restores_after_recharge(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    threshold: float | None,
    entered: float,
) -> None:
    freezer.move_to(START)
    report_subscription(simulator, auto_recharge_enabled=True, auto_recharge_threshold=threshold)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    wallet.spend(START + timedelta(minutes=3), 12)
    await poll(hass, freezer)
    assert known(hass) is None
    await set_credit(hass, full_entry, entered)
    assert known(hass) == entered
    await poll(hass, freezer)
    assert known(hass) == entered


async def test_null_auto_recharge_is_not_off(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    report_subscription(simulator, auto_recharge_enabled=True, auto_recharge_threshold=18)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    report_subscription(simulator, auto_recharge_enabled=None, auto_recharge_threshold=None)
    await poll(hass, freezer)
    lose_session_key(simulator)
    wallet.spend(START + timedelta(minutes=6), 5)
    await poll(hass, freezer)
    assert known(hass) is None, known(hass)


async def test_null_total_available_is_estimated(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    wallet.spend(START + timedelta(minutes=3), 5)
    simulator.account.credit_grants_override = {"total_granted": 20, "total_available": None}
    await poll(hass, freezer)
    assert known(hass) == 15, known(hass)


async def test_set_credit_where_total_is_null(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    Wallet(simulator, 20)
    simulator.account.credit_grants_override = {"total_granted": 20, "total_available": None}
    await setup_entry(hass, full_entry)
    await set_credit(hass, full_entry, 15)
    assert known(hass) == 15, known(hass)


async def test_second_grant_expiry(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    wallet = Wallet(simulator, 30)
    wallet.grants = [
        {
            "grant_amount": 10,
            "used_amount": 0,
            "expires_at": (START + timedelta(days=d)).timestamp(),
        }
        for d in (1, 2)
    ]
    wallet.show()
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    await poll(hass, freezer, 86_500)
    assert known(hass) is None
    await set_credit(hass, full_entry, 20)
    assert known(hass) == 20
    await poll(hass, freezer, 86_500)
    assert known(hass) is None, known(hass)


async def test_credit_of_a_new_account_whose_first_setup_is_late(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=ORGANIZATION,
        data={
            "host": simulator.url,
            CONF_ADMIN_KEY: ADMIN_KEY,
            "entered_credit": {"amount": 20.0, "time": START.isoformat()},
        },
    )
    simulator.fault("costs", "unavailable")
    simulator.fault("spend_limit", "unavailable")
    await setup_entry(hass, entry)
    wallet.spend(START + timedelta(minutes=10), 17)
    simulator.clear_faults()
    freezer.move_to(START + timedelta(minutes=50))
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not has_entity(hass, "estimated_credit") or known(hass) in (None, 3), known(hass)


async def test_clock_ahead_for_a_while(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)
    await set_credit(hass, entry, 20)
    freezer.move_to(START + timedelta(days=60))
    await poll(hass, freezer)
    freezer.move_to(START + timedelta(minutes=30))
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    wallet.spend(START + timedelta(minutes=31), 1)
    await poll(hass, freezer)
    await poll(hass, freezer, 86_500)
    assert float(state(hass, "cost_this_month")) == 1
    assert known(hass) == 19, known(hass)


async def test_update_entity_pairs_credit_with_older_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:

    await async_setup_component(hass, "homeassistant", {})
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    freezer.tick(50)
    wallet.spend(START + timedelta(seconds=40), 6)
    await hass.services.async_call(
        "homeassistant",
        "update_entity",
        {"entity_id": entity_id(hass, "total_available")},
        blocking=True,
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert known(hass) == 14
    lose_session_key(simulator)
    await poll(hass, freezer)
    await poll(hass, freezer)
    assert known(hass) in (None, 14), known(hass)


async def test_options_do_not_lose_credit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    Wallet(simulator, 20)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    simulator.fault("costs", "unavailable")
    simulator.fault("spend_limit", "unavailable")
    await hass.config_entries.async_reload(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"update_interval": 300, "low_balance_threshold": 5, "credit": 12}
    )
    assert result.get("errors"), result["type"]


@pytest.mark.parametrize(
    "change",
    [
        {"drop": "settled"},
        {"drop": "expires"},
        {"drop": "saved"},
        {"amount": "20"},
        {"amount": None},
        {"time": "yesterday"},
        {"time": "2026-11-10T09:00:00"},
        {"known_until": ""},
        {"days": []},
        {"days": {"x": 1}},
        {"spent": float("nan")},
        "text",
        [],
    ],
)
async def test_damaged_anchor(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    change: dict[str, Any],
) -> None:
    freezer.move_to(START)
    Wallet(simulator, 20)
    anchor: Any = {
        "source": "entered",
        "amount": 20.0,
        "time": START.isoformat(),
        "spent": 0.0,
        "expires": None,
        "may_have_recharged": False,
        "known_until": "2026-11-10",
        "settled": 0.0,
        "settled_until": "2026-11-10",
        "days": {"2026-11-10": 0.0},
        "saved": START.isoformat(),
    }
    if isinstance(change, dict):
        change = dict(change)
        anchor.pop(change.pop("drop", ""), None)
        anchor |= change
    else:
        anchor = change
    entry = admin_entry(full_entry)
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"{DOMAIN}.{entry.entry_id}",
        "data": {"models": {}, "endpoints": {}, "anchor": anchor},
    }
    await setup_entry(hass, entry)
    assert entry.state.value == "loaded"
    assert has_entity(hass, "cost_today")
    await set_credit(hass, entry, 9)
    assert known(hass) == 9


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"models": {}},
        {"endpoints": {}},
        {"models": {}, "endpoints": {}, "anchor": None, "entered_credit": {}},
        {"models": {}, "endpoints": {}, "recharge": {}},
    ],
)
async def test_damaged_store(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    data: Any,
) -> None:
    freezer.move_to(START)
    Wallet(simulator, 20)
    entry = admin_entry(full_entry)
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {
        "version": 1,
        "minor_version": 1,
        "key": "x",
        "data": data,
    }
    await setup_entry(hass, entry)
    assert entry.state.value == "loaded"
    await set_credit(hass, entry, 9)
    assert known(hass) == 9


async def test_failing_daily_polls_are_not_hourly(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    hass.config_entries  # noqa: B018
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="x",
        unique_id=ORGANIZATION,
        data=full_entry.data,
        options={"update_interval": 86_400, "low_balance_threshold": 5},
    )
    await setup_entry(hass, entry)
    simulator.fault("credit_grants", Fault(status=429))
    before = count_requests(simulator, "credit_grants")
    for _ in range(4 * 48):
        await poll(hass, freezer, 900)
    asked = count_requests(simulator, "credit_grants") - before
    assert asked <= 5, asked


async def test_costs_lead_the_credit_then_fail(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The costs know a spending before the credit does; nothing was added."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    wallet.spend(START + timedelta(minutes=1), 2)
    override = dict(cast(dict[str, Any], simulator.account.credit_grants_override))
    simulator.account.credit_grants_override = {**override, "total_available": 20}
    await poll(hass, freezer)
    wallet.show()
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert known(hass) is not None
    assert known(hass) in (18, 20), known(hass)


async def test_session_to_admin_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days left of a negative estimate."""
    freezer.move_to(START)
    entry = admin_entry(full_entry)
    wallet = Wallet(simulator, 20)
    for day in range(1, 8):
        wallet.spend(START - timedelta(days=day), 1)
    await setup_entry(hass, entry)
    await set_credit(hass, entry, -3)
    assert known(hass) == -3
    assert float(state(hass, "days_left")) == 0
    assert state(hass, "low_balance", "binary_sensor") == "on"


async def test_attributes_say_what_the_state_is_based_on(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to(START)
    Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    freezer.tick(100)
    await set_credit(hass, full_entry, 999)
    assert known(hass) == 20
    assert attribute(hass, "estimated_credit", "source") == "reported"


async def test_anchor_follows_without_news_of_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The attributes tell the last known credit, also where costs bring nothing new with it."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    await poll(hass, freezer)
    wallet.spend(START + timedelta(minutes=6), 3, late=True)
    for _ in range(2):
        await poll(hass, freezer)
    assert known(hass) == 17
    assert attribute(hass, "estimated_credit", "anchor_amount") == 17


async def test_grant_that_expires_without_news(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With the first poll after a grant has expired, the estimate is unknown."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    expiry = START + timedelta(minutes=20)
    wallet.grants = [{"grant_amount": 10, "used_amount": 0, "expires_at": expiry.timestamp()}]
    wallet.show()
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert known(hass) == 20
    for _ in range(4):
        await poll(hass, freezer)
    assert known(hass) is None
    assert state(hass, "low_balance", "binary_sensor") == "unavailable"
