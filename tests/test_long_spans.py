"""Costs of so many rows that a month takes several polls to fetch."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_HOST,
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
)

from custom_components.openai_account.const import CONF_ADMIN_KEY, DOMAIN
from simulator import Fault, LineItem
from simulator.query import Query

from .common import (
    RunningSimulator,
    has_entity,
    poll,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import ADMIN_KEY, NOW
from .history import DAY, TODAY, ledger
from .long_account import (
    API,
    KEYS,
    MAX_BODY,
    NOVEMBER,
    OCTOBER,
    SOON,
    LongAccount,
    entry_of,
    new_entry,
)

pytestmark = pytest.mark.usefixtures("all_entities_enabled")


@pytest.fixture
def account(
    simulator: RunningSimulator, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> LongAccount:
    """Return an account with large responses, or rather with small limits."""
    freezer.move_to(NOW)
    monkeypatch.setattr(f"{API}.response.MAX_BODY", MAX_BODY)
    monkeypatch.setattr(f"{API}.limits.MAX_BYTES", 200_000)
    return LongAccount(simulator)


@pytest.mark.parametrize("keys", KEYS)
async def test_all_days_arrive(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
    keys: str,
) -> None:
    """Polls follow each other soon until both months are there; no day is requested again."""
    entry = new_entry(simulator, keys)
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    # The response with which the bytes run out is the last one.
    assert account.requested() == [(1, 24), (1, 12), (1, 6), (1, 3), (4, 6)]
    assert not has_entity(hass, "cost_today")
    await poll(hass, freezer, SOON)
    assert account.requested() == [(4, 6), (7, 9), (10, 12), (13, 15), (16, 18)]
    assert not has_entity(hass, "cost_today")
    await poll(hass, freezer, SOON)
    last_month = [(1, 3), (4, 6), (7, 9), (10, 12), (13, 15)]
    assert account.requested() == [(16, 18), (19, 21), (22, 24), *last_month]
    end = TODAY + DAY
    assert float(state(hass, "cost_this_month")) == account.cost(NOVEMBER, end)
    await poll(hass, freezer, SOON)
    last_month = [(13, 15), (16, 18), (19, 21), (22, 24), (25, 27)]
    assert account.requested() == [(21, 23), (24, 24), *last_month]
    assert state(hass, "cost_last_month") == STATE_UNKNOWN
    await poll(hass, freezer, SOON)
    assert account.requested() == [(21, 23), (24, 24), (25, 27), (28, 30), (31, 31)]
    assert float(state(hass, "cost_last_month")) == account.cost(OCTOBER, NOVEMBER)
    assert float(state(hass, "cost_today")) == account.cost(TODAY, end)
    # From now on, an ordinary poll per interval
    await poll(hass, freezer, 200)
    assert account.requested() == []
    await poll(hass, freezer)
    assert account.requested() == [(21, 23), (24, 24)]


@pytest.fixture
async def known(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> LongAccount:
    """Return an account of which both months are known."""
    await setup_entry(hass, new_entry(simulator, "session key"))
    for _ in range(4):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_last_month")) == account.cost(OCTOBER, NOVEMBER)
    account.requests.clear()
    return account


async def test_a_new_day(
    hass: HomeAssistant, known: LongAccount, freezer: FrozenDateTimeFactory
) -> None:
    """While the month is fetched once more, what is known is shown, with the new day in it."""
    today = TODAY + DAY
    known.book[today] = [LineItem("gpt-5.5, input", 4_200.0)]
    known.book[NOVEMBER] = [LineItem("gpt-5.5, input", 123_400.0)]
    corrected = known.cost(NOVEMBER, today + DAY)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    freezer.move_to("2026-11-25 00:02:00+00:00")
    await poll(hass, freezer, 0)
    month = [(1, 6), (1, 3), (4, 6), (7, 9), (10, 12)]
    assert known.requested() == [*month, (22, 24), (25, 25)]
    assert state(hass, "cost_today") == "42.0"
    assert float(state(hass, "cost_this_month")) != corrected
    for _ in range(3):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_this_month")) == corrected
    assert state(hass, "cost_today") == "42.0"
    of_costs = [one for one in changes if "_cost_" in one.data["entity_id"]]
    assert of_costs
    assert all(one.data["new_state"].state != STATE_UNAVAILABLE for one in of_costs)


@pytest.mark.parametrize(("days", "is_known"), [(3, True), (4, False)])
async def test_after_a_gap(
    hass: HomeAssistant,
    known: LongAccount,
    freezer: FrozenDateTimeFactory,
    days: int,
    is_known: bool,
) -> None:
    """After days of which nothing is known, nothing is shown until they have arrived."""
    today = TODAY + days * DAY
    for number in range(1, days + 1):
        known.book[TODAY + number * DAY] = [LineItem("gpt-5.5, input", 100.0)]
    freezer.move_to(datetime.combine(today, time(12), UTC))
    await poll(hass, freezer, 0)
    assert (state(hass, "cost_this_month") != STATE_UNAVAILABLE) is is_known
    for _ in range(3):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_this_month")) == known.cost(NOVEMBER, today + DAY)


async def test_a_clock_that_was_ahead(
    hass: HomeAssistant, known: LongAccount, freezer: FrozenDateTimeFactory
) -> None:
    """What is known of days to come is not shown as known."""
    freezer.move_to("2026-11-20 12:00:00+00:00")
    await entry_of(hass).runtime_data.costs.async_refresh()
    assert state(hass, "cost_this_month") == STATE_UNAVAILABLE
    for _ in range(3):
        await entry_of(hass).runtime_data.costs.async_refresh()
    assert float(state(hass, "cost_this_month")) == known.cost(NOVEMBER, date(2026, 11, 21))


async def test_what_was_begun_on_another_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days are not kept over midnight UTC, since OpenAI may have corrected them since."""
    await setup_entry(hass, new_entry(simulator, "session key"))
    for _ in range(2):
        await poll(hass, freezer, SOON)
    # Of last month, the first twelve days are there.
    account.book[OCTOBER] = [LineItem("gpt-5.5, input", 123_400.0)]
    freezer.move_to("2026-11-25 00:02:00+00:00")
    for _ in range(7):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_last_month")) == account.cost(OCTOBER, NOVEMBER)


@pytest.mark.parametrize(("minutes", "is_kept"), [(59, True), (61, False)])
async def test_what_was_begun_long_ago(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
    minutes: int,
    is_kept: bool,
) -> None:
    """Days that were received more than an hour ago are requested again."""
    fault = Fault(status=429, headers={"Retry-After": str(60 * minutes - 12)})
    simulator.fault("usage", fault, times=1, after=7)
    await setup_entry(hass, new_entry(simulator, "session key"))
    await poll(hass, freezer, SOON)
    assert account.requested()[-1] == (7, 9)
    await poll(hass, freezer, 60 * minutes - SOON)
    assert account.requested()[0] == ((10, 12) if is_kept else (1, 3))


async def test_a_day_that_is_too_large(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Polls do not hurry where there is nothing to gain: the costs of a day cannot be read."""
    account.bytes[date(2026, 11, 9)] = MAX_BODY + 1
    await setup_entry(hass, new_entry(simulator, "session key"))
    for _ in range(2):
        await poll(hass, freezer, SOON)
    account.requests.clear()
    await poll(hass, freezer, 250)
    assert account.requested() == []
    await poll(hass, freezer, 60)
    assert account.requested() == [(9, 9)]
    assert not has_entity(hass, "cost_today")
    assert state(hass, "total_available") != STATE_UNAVAILABLE


@pytest.mark.parametrize("after", [6, 9])
async def test_the_host_asks_to_wait(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
    after: int,
) -> None:
    """`Retry-After` counts, also in the middle of a month; then the rest is requested."""
    fault = Fault(status=429, headers={"Retry-After": "600"})
    simulator.fault("usage", fault, times=1, after=after)
    await setup_entry(hass, new_entry(simulator, "session key"))
    await poll(hass, freezer, SOON)
    account.requests.clear()
    await poll(hass, freezer, 500)
    assert account.requested() == []
    await poll(hass, freezer, 110)
    assert account.requested()[0][0] > 4
    for _ in range(3):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_last_month")) == account.cost(OCTOBER, NOVEMBER)


async def test_a_part_is_missing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An endpoint of which days were received is no missing one, which is tried once a day."""
    simulator.fault("usage", Fault(status=404), times=2, after=6)
    await setup_entry(hass, new_entry(simulator, "session key"))
    await poll(hass, freezer, SOON)
    await poll(hass, freezer)
    for _ in range(3):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_this_month")) == account.cost(NOVEMBER, TODAY + DAY)


async def test_a_part_has_no_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A part that does not list its days is requested again; the days before it are kept."""
    answer = account.usage
    simulator.account.usage_override = lambda query: (
        {"total_usage": 5.0} if query.dates["start_date"].day == 10 else answer(query)
    )
    await setup_entry(hass, new_entry(simulator, "session key"))
    for _ in range(3):
        await poll(hass, freezer, SOON)
    assert not has_entity(hass, "cost_today")
    simulator.account.usage_override = answer
    account.requests.clear()
    await poll(hass, freezer)
    assert account.requested()[0] == (10, 12)
    await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_this_month")) == account.cost(NOVEMBER, TODAY + DAY)


async def test_a_poll_is_canceled(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A script that is stopped while it updates an entity leaves nothing half done."""
    entry = new_entry(simulator, "session key")
    await setup_entry(hass, entry)
    coordinator = entry.runtime_data.costs
    await poll(hass, freezer, SOON)
    script: asyncio.Task[None] | None = None

    def cancel() -> None:
        if account.requests[-1][0].month == 10 and script:
            script.cancel()

    account.on_request = cancel
    script = hass.async_create_task(coordinator.async_request_refresh())
    with pytest.raises(asyncio.CancelledError):
        await script
    account.on_request = lambda: None
    for _ in range(4):
        await poll(hass, freezer)
    assert float(state(hass, "cost_this_month")) == account.cost(NOVEMBER, TODAY + DAY)
    assert float(state(hass, "cost_last_month")) == account.cost(OCTOBER, NOVEMBER)


async def test_slow_responses(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What came before the time of a poll was over is not requested again."""
    monkeypatch.setattr(f"{API}.limits.MAX_BYTES", 10_000_000)
    account.on_request = lambda: freezer.tick(7.4)
    entry = new_entry(simulator, "session key")
    await setup_entry(hass, entry)
    # Home Assistant's start waits for half a minute alone, and a poll for a minute.
    assert account.requested() == [(1, 24), (1, 12), (1, 6), (1, 3), (4, 6)]
    account.on_request = lambda: freezer.tick(14.8)
    await poll(hass, freezer, SOON)
    assert account.requested() == [(4, 6), (7, 9), (10, 12), (13, 15), (16, 18)]
    await poll(hass, freezer, SOON)
    assert account.requested()[:3] == [(16, 18), (19, 21), (22, 24)]
    assert float(state(hass, "cost_this_month")) == account.cost(NOVEMBER, TODAY + DAY)


async def test_nothing_else_answers(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An account loads with a part of its costs, so that the rest can follow."""
    for endpoint in ("credit_grants", "subscription"):
        simulator.fault(endpoint, "server_error")
    entry = new_entry(simulator, "session key")
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    for _ in range(2):
        await poll(hass, freezer, SOON)
    assert float(state(hass, "cost_this_month")) == account.cost(NOVEMBER, TODAY + DAY)


async def test_the_account_can_be_added(
    hass: HomeAssistant, simulator: RunningSimulator, account: LongAccount
) -> None:
    """The dialog needs the first days alone, to find out whose the costs are."""
    result = await submit_form(
        hass,
        await start_user_flow(hass),
        **{CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY},
    )
    assert not result.get("errors")
    assert account.requested()[:4] == [(1, 24), (1, 12), (1, 6), (1, 3)]


async def test_names_of_last_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What only last month has costs of has a sensor once that month has arrived."""
    account.book[date(2026, 10, 20)] = [LineItem("gpt-4, input", 100.0)]
    await setup_entry(hass, new_entry(simulator, "session key"))
    for _ in range(2):
        await poll(hass, freezer, SOON)
    assert has_entity(hass, "model_cost_o3")
    assert not has_entity(hass, "model_cost_gpt_4")
    for _ in range(2):
        await poll(hass, freezer, SOON)
    assert has_entity(hass, "model_cost_gpt_4")


async def test_nothing_is_gained(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account: LongAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Polls do not hurry where one span fails and another has no days, each time anew."""
    simulator.fault("credit_grants", "server_error")
    account.book = ledger(150)
    freezer.move_to("2026-09-10 12:00:00+00:00")
    entry = new_entry(simulator, "session key")
    await setup_entry(hass, entry)
    for _ in range(6):
        await poll(hass, freezer, SOON)
    data = {"config_entry_id": entry.entry_id, "amount": 100}
    await hass.services.async_call(DOMAIN, "set_credit", data, blocking=True)
    await hass.config_entries.async_unload(entry.entry_id)
    # After an absence of two months, October has no days, and those before it fail.
    answer = account.usage

    def usage(query: Query) -> dict[str, Any]:
        found = answer(query)
        match query.dates["start_date"].month:
            case 11:
                return found
            case 10:
                return {"total_usage": 5.0}
            case _:
                return {"error": {"message": "no"}}

    simulator.account.usage_override = usage
    freezer.move_to(NOW)
    await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(3):
        await poll(hass, freezer, SOON)
    account.requests.clear()
    for _ in range(28):
        await poll(hass, freezer, SOON)
    # In little more than an interval, one or two polls
    assert 0 < len(account.requests) < 20
