"""The estimated credit: what the last known credit and the costs since say is left."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.openai_account.const import CONF_ADMIN_KEY, DOMAIN
from simulator import Fault

from .common import (
    RunningSimulator,
    has_entity,
    poll,
    set_options,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import ADMIN_KEY, NOW, ORGANIZATION
from .wallet import (
    START,
    Wallet,
    admin_entry,
    attribute,
    estimate,
    lose_session_key,
    report_subscription,
    set_credit,
)


async def test_reported_credit_is_not_estimated(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While the credit is reported, the estimate is exactly that."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    for _ in range(3):
        # The costs report this spending late, so that both sources disagree.
        wallet.spend(START + timedelta(minutes=1), 1.25, late=True)
        await poll(hass, freezer)
        assert estimate(hass) == float(state(hass, "total_available")) == wallet.left
        assert attribute(hass, "low_balance", "estimated", "binary_sensor") is False
        assert attribute(hass, "days_left", "estimated") is False
        assert attribute(hass, "estimated_credit", "source") == "reported"


@pytest.mark.parametrize("delay", [False, True], ids=["at once", "an hour late"])
async def test_estimate_equals_the_true_credit_for_a_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    delay: bool,
) -> None:
    """With the session key dead from the third day on, the alarm comes at the right poll."""
    now = datetime(2026, 10, 20, 9, 5, tzinfo=UTC)
    freezer.move_to(now)
    wallet = Wallet(simulator, 100)
    await setup_entry(hass, full_entry)
    await set_options(hass, full_entry, update_interval=3 * 3600)
    lows = []
    for hour in range(0, 30 * 24, 3):
        now = now + timedelta(hours=3)
        amount = 0.39 + 0.01 * (hour % 5)
        # What is late is reported with the next spending.
        wallet.spend(now, amount, late=delay)
        if hour == 72:
            lose_session_key(simulator)
        await poll(hass, freezer, 3 * 3600)
        missing = estimate(hass) - wallet.left
        if hour < 72:
            assert missing == 0
        elif not delay:
            assert missing == pytest.approx(0, abs=0.005)
        else:
            assert -amount - 0.43 <= missing <= amount + 0.43
        low = state(hass, "low_balance", "binary_sensor")
        assert low == (STATE_ON if estimate(hass) < 5 else STATE_OFF)
        lows.append((low == STATE_ON, wallet.left < 5))
        assert attribute(hass, "low_balance", "estimated", "binary_sensor") is (hour >= 72)
    assert lows[-1] == (True, True)
    first_seen = [seen for seen, _ in lows].index(True)
    first_true = [true for _, true in lows].index(True)
    assert abs(first_seen - first_true) <= (2 if delay else 0)


async def test_estimate_survives_restart_and_reload(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """The anchor is stored: after a reload without the credit, the estimate continues."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    wallet.spend(START - timedelta(hours=3), 1.5)
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    wallet.spend(START + timedelta(minutes=4), 2.25)
    await poll(hass, freezer)
    assert estimate(hass) == pytest.approx(wallet.left)
    await hass.config_entries.async_unload(full_entry.entry_id)
    stored = hass_storage[f"{DOMAIN}.{full_entry.entry_id}"]["data"]["anchor"]
    assert stored["amount"] == 18.5
    freezer.tick(timedelta(days=3))
    wallet.spend(START + timedelta(days=2), 3.0)
    await hass.config_entries.async_setup(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert estimate(hass) == pytest.approx(wallet.left)
    assert attribute(hass, "estimated_credit", "anchor_amount") == 18.5
    assert attribute(hass, "estimated_credit", "anchor_time") == START.isoformat()


async def test_restored_backup_is_brought_up_to_date(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """An anchor of weeks ago is as good as one of today: all costs since are subtracted."""
    freezer.move_to(START)
    key = f"{DOMAIN}.{full_entry.entry_id}"
    wallet = Wallet(simulator, 50)
    await setup_entry(hass, full_entry)
    await hass.config_entries.async_unload(full_entry.entry_id)
    backup = copy.deepcopy(hass_storage[key])
    await hass.config_entries.async_setup(full_entry.entry_id)
    for day in range(1, 45):
        wallet.spend(START + timedelta(days=day), 0.5)
        await poll(hass, freezer, 86_400)
    await hass.config_entries.async_unload(full_entry.entry_id)
    hass_storage[key] = backup
    lose_session_key(simulator)
    await hass.config_entries.async_setup(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert attribute(hass, "estimated_credit", "anchor_amount") == 50
    assert estimate(hass) == pytest.approx(28)


async def test_long_absence_is_filled(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After months without Home Assistant, the costs of all days in between are subtracted."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 500)
    await setup_entry(hass, full_entry)
    await hass.config_entries.async_unload(full_entry.entry_id)
    lose_session_key(simulator)
    for day in range(1, 200):
        wallet.spend(START + timedelta(days=day), 1.01)
    freezer.move_to(START + timedelta(days=200))
    await hass.config_entries.async_setup(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert estimate(hass) == pytest.approx(wallet.left)


@pytest.mark.parametrize("day", [10, 30])
async def test_midnight_and_turn_of_the_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    day: int,
) -> None:
    """Costs before and after midnight UTC are subtracted once, with later corrections."""
    now = datetime(2026, 11, day, 23, 50, tzinfo=UTC)
    freezer.move_to(now)
    wallet = Wallet(simulator, 20)
    wallet.spend(now - timedelta(hours=2), 1.0)
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    wallet.spend(now + timedelta(minutes=2), 0.5)
    await poll(hass, freezer)
    assert estimate(hass) == pytest.approx(18.5)
    wallet.spend(now + timedelta(minutes=20), 0.25)
    await poll(hass, freezer, 1500)
    assert estimate(hass) == pytest.approx(18.25)
    # OpenAI corrects the anchor's day afterwards.
    wallet.spend(now - timedelta(hours=2), 0.125)
    await poll(hass, freezer, 86_400)
    assert estimate(hass) == pytest.approx(18.125)


async def test_top_up_renews_the_anchor(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Credit that is bought while it is reported counts once the session key has died."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    wallet.bought += 30
    wallet.show()
    await poll(hass, freezer)
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert estimate(hass) == 50


async def test_top_up_without_costs_makes_the_estimate_unknown(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Credit that was added while the costs failed cannot be an anchor."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    simulator.fault("costs", "unavailable")
    wallet.bought += 30
    wallet.show()
    await poll(hass, freezer)
    assert estimate(hass) == 50
    simulator.clear_faults()
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert state(hass, "estimated_credit") == STATE_UNKNOWN
    assert state(hass, "low_balance", "binary_sensor") == STATE_UNAVAILABLE
    assert state(hass, "days_left") == STATE_UNAVAILABLE


async def test_unknown_without_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without the costs nothing can be estimated; with them again, everything is subtracted."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    simulator.fault("costs", "unavailable")
    wallet.spend(START + timedelta(minutes=3), 1)
    await poll(hass, freezer)
    assert state(hass, "estimated_credit") == STATE_UNKNOWN
    assert state(hass, "low_balance", "binary_sensor") == STATE_UNAVAILABLE
    simulator.clear_faults()
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert estimate(hass) == pytest.approx(19)


async def test_session_key_whose_credit_alone_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The dashboard's own costs are as good as those of an admin key."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, entry)
    simulator.fault("credit_grants", "unavailable")
    wallet.spend(START + timedelta(minutes=3), 1)
    await poll(hass, freezer)
    assert state(hass, "total_available") == STATE_UNAVAILABLE
    assert estimate(hass) == pytest.approx(19)


async def test_pauses_do_not_part_credit_and_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After a pause of one endpoint, both are polled together again, and pair up."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    simulator.fault("credit_grants", Fault(status=429, headers={"Retry-After": "130"}), times=1)
    for _ in range(60):
        await poll(hass, freezer, 30)
    now = START + timedelta(seconds=1800)
    lose_session_key(simulator)
    # Spent after the last poll that reported the credit, whichever that was
    wallet.spend(now + timedelta(seconds=1), 1)
    await poll(hass, freezer)
    assert estimate(hass) == pytest.approx(19)
    time = datetime.fromisoformat(attribute(hass, "estimated_credit", "anchor_time"))
    assert now - time <= timedelta(seconds=300)


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({"auto_recharge_enabled": True, "auto_recharge_threshold": 18}, False),
        ({"auto_recharge_enabled": True, "auto_recharge_threshold": None}, False),
        ({"auto_recharge_enabled": True, "auto_recharge_threshold": 5}, True),
        ({"auto_recharge_enabled": False, "auto_recharge_threshold": 18}, True),
    ],
)
async def test_auto_recharge_ends_the_estimate(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fields: dict[str, Any],
    known: bool,
) -> None:
    """Once credit may have been added by itself, the estimate stays unknown."""
    freezer.move_to(START)
    report_subscription(simulator, **fields)
    wallet = Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    wallet.spend(START + timedelta(minutes=3), 3)
    await poll(hass, freezer)
    assert (state(hass, "estimated_credit") != STATE_UNKNOWN) is known
    # A correction that raises the estimate again does not undo the recharge.
    wallet.spend(START + timedelta(minutes=3), -2)
    await poll(hass, freezer)
    await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (state(hass, "estimated_credit") != STATE_UNKNOWN) is known


@pytest.mark.parametrize(("amount", "used", "known"), [(10, 0, False), (10, 10, True)])
async def test_expiry_of_a_grant_ends_the_estimate(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    amount: float,
    used: float,
    known: bool,
) -> None:
    """After a grant with money left has expired, nobody knows how much went with it."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    expires = START + timedelta(days=1)
    wallet.grants = [
        {"grant_amount": amount, "used_amount": used, "expires_at": expires.timestamp()}
    ]
    wallet.show()
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    await poll(hass, freezer)
    assert estimate(hass) == 20
    await poll(hass, freezer, 86_400)
    assert (state(hass, "estimated_credit") != STATE_UNKNOWN) is known


async def test_clock_set_back_makes_the_estimate_unknown(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An anchor of the future says nothing about today; the next report mends it."""
    freezer.move_to(START + timedelta(days=40))
    Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    lose_session_key(simulator)
    freezer.move_to(START)
    await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "estimated_credit") == STATE_UNKNOWN
    simulator.clear_faults()
    await poll(hass, freezer, 3700)
    lose_session_key(simulator)
    await poll(hass, freezer, 3700)
    assert estimate(hass) == 20


async def test_admin_key_alone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Credit that the user enters is an anchor like any other, and a top-up replaces it."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    wallet.spend(START - timedelta(hours=1), 2)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)
    for key, platform in (
        ("estimated_credit", "sensor"),
        ("days_left", "sensor"),
        ("low_balance", "binary_sensor"),
        ("total_available", "sensor"),
    ):
        assert not has_entity(hass, key, platform)
    # Spent after the last poll: the action fetches the costs of now.
    wallet.spend(START + timedelta(seconds=1), 0.5)
    await set_credit(hass, entry, wallet.left)
    assert estimate(hass) == 17.5
    assert attribute(hass, "estimated_credit", "source") == "entered"
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
    assert attribute(hass, "low_balance", "estimated", "binary_sensor") is True
    assert not has_entity(hass, "total_available")
    wallet.spend(START + timedelta(minutes=4), 13)
    await poll(hass, freezer)
    assert estimate(hass) == pytest.approx(4.5)
    assert state(hass, "low_balance", "binary_sensor") == STATE_ON
    wallet.bought += 50
    await set_credit(hass, entry, wallet.left)
    assert estimate(hass) == pytest.approx(54.5)
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF


@pytest.mark.parametrize("amount", ["nan", "inf", "much", None, 1e12])
async def test_unusable_amounts_are_rejected(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry, amount: object
) -> None:
    """The action takes nothing but an amount of money."""
    await setup_entry(hass, full_entry)
    with pytest.raises(vol.Invalid):
        await set_credit(hass, full_entry, amount)


async def test_credit_cannot_be_set_without_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nothing is stored that could not be compared with the costs of the same time."""
    freezer.move_to(START)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)
    simulator.fault("costs", "unavailable")
    with pytest.raises(HomeAssistantError) as caught:
        await set_credit(hass, entry, 10)
    assert caught.value.translation_key == "costs_unavailable"
    assert not has_entity(hass, "estimated_credit")
    simulator.clear_faults()
    await poll(hass, freezer)
    assert not has_entity(hass, "estimated_credit")


async def test_add_dialog_takes_the_credit(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """The credit entered with a new account is its first anchor, and is no part of the entry."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    wallet.spend(START - timedelta(hours=1), 2)
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=ADMIN_KEY, credit=18
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    assert "entered_credit" not in entry.data
    assert entry.data[CONF_ADMIN_KEY] == ADMIN_KEY
    assert estimate(hass) == 18
    wallet.spend(START + timedelta(minutes=1), 1)
    await poll(hass, freezer)
    assert estimate(hass) == 17


async def test_options_take_the_credit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The field is always empty, shows the estimate, and is there only where it matters."""
    freezer.move_to(START)
    wallet = Wallet(simulator, 20)
    entry = admin_entry(full_entry)
    await setup_entry(hass, entry)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    placeholders = flow["description_placeholders"]
    assert placeholders
    assert placeholders["estimate"] == "\N{EN DASH}"
    options = {"update_interval": 300, "low_balance_threshold": 5}
    simulator.fault("costs", "unavailable")
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {**options, "credit": 12}
    )
    assert result["errors"] == {"credit": "costs_unavailable"}
    simulator.clear_faults()
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {**options, "credit": 12}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "credit" not in entry.options
    assert estimate(hass) == 12
    wallet.spend(START + timedelta(minutes=1), 1.234)
    await poll(hass, freezer)

    flow = await hass.config_entries.options.async_init(entry.entry_id)
    placeholders = flow["description_placeholders"]
    assert placeholders
    assert placeholders["estimate"] == "10.77"
    assert flow["data_schema"]
    [field] = [key for key in flow["data_schema"].schema if key == "credit"]
    assert field.description is None
    hass.config_entries.options.async_abort(flow["flow_id"])


async def test_options_do_not_ask_for_reported_credit(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """What the next poll would replace cannot be entered."""
    await setup_entry(hass, full_entry)
    flow = await hass.config_entries.options.async_init(full_entry.entry_id)
    assert flow["data_schema"]
    assert "credit" not in flow["data_schema"].schema


async def test_entered_credit_waits_for_the_costs_of_its_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Credit whose costs come an hour late or on another day is not used, and the log says so."""
    freezer.move_to(NOW)
    Wallet(simulator, 20)
    time = (NOW - timedelta(hours=2)).isoformat()
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=ORGANIZATION,
        data={
            "host": simulator.url,
            CONF_ADMIN_KEY: ADMIN_KEY,
            "entered_credit": {"amount": 5.0, "time": time},
        },
    )
    await setup_entry(hass, entry)
    assert not has_entity(hass, "estimated_credit")
    assert "enter the credit again" in caplog.text


async def test_removed_session_key_leaves_the_estimate(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without its session key, an account continues with the last known credit."""
    freezer.move_to(START)
    Wallet(simulator, 20)
    await setup_entry(hass, full_entry)
    flow = await full_entry.start_reconfigure_flow(hass)
    result = await submit_form(
        hass, flow["flow_id"], host=full_entry.data["host"], remove_session_key=True
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not has_entity(hass, "total_available")
    assert estimate(hass) == 20
    assert state(hass, "low_balance", "binary_sensor") == STATE_OFF
