"""The endpoints that an admin key opens: documented costs and the spend limit."""

from __future__ import annotations

from datetime import date, timedelta
import itertools
import math
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.core import Recorder
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_HOST, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_MONTHLY_BUDGET,
    DOMAIN,
)
from simulator import LineItem

from .common import (
    RunningSimulator,
    count_requests,
    fill_history,
    get_costs,
    has_entity,
    history_rows,
    poll,
    recorder_is_done,
    requested_endpoints,
    setup_entry,
    state,
)
from .const import ADMIN_KEY, NOW, ORGANIZATION

UNUSABLE_PAGES: dict[str, Any] = {
    "repeated cursor": {
        "data": [],
        "has_more": True,
        "next_page": "page_2026-11-01",
    },
    "missing cursor": {"data": [], "has_more": True, "next_page": None},
    "another currency": {
        "data": [
            {
                "start_time": int(NOW.replace(hour=0, minute=0).timestamp()),
                "results": [{"amount": {"value": "1.5", "currency": "eur"}, "line_item": "x"}],
            }
        ],
        "has_more": False,
    },
    "no buckets": {"object": "page"},
    "error object": {"error": {"message": "no"}},
}


def admin_entry(simulator: RunningSimulator) -> MockConfigEntry:
    """Return an entry with an admin key alone."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Example Home",
        unique_id=ORGANIZATION,
        data={CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY},
    )


def long_ledger() -> dict[date, list[LineItem]]:
    """Return a year of costs with odd amounts, two projects and a correction."""
    ledger = {}
    for offset in range(370):
        day = NOW.date() - timedelta(days=offset)
        ledger[day] = [
            LineItem("gpt-5.5, input", 10.123456 + offset / 7),
            LineItem("gpt-5.5, output", 0.1 * offset, "proj_voice", "Voice assistant"),
            LineItem("gpt-5.5, cached input", 0.000004, None, None),
            LineItem("web search tool calls", 33.3333333, "proj_voice", "Voice assistant"),
        ]
        if offset % 9 == 0:
            ledger[day].append(LineItem("o3, input", -1.5))
    return ledger


async def all_costs(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> dict[str, Any]:
    """Return the costs in the sensors, in the action's responses and in the history."""
    await fill_history(hass, freezer, times=12)
    registry = er.async_get(hass)
    sensors = {}
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if "cost" in entity.unique_id or "forecast" in entity.unique_id:
            found = hass.states.get(entity.entity_id)
            assert found
            sensors[entity.unique_id] = (found.state, dict(found.attributes))
    actions = [
        await get_costs(hass, entry, start_date="2025-12-01", end_date="2026-11-24", group_by=group)
        for group in ("model", "project")
    ]
    history = {key: rows for key, rows in (await history_rows(hass)).items() if "_cost" in key}
    return {"sensors": sensors, "actions": actions, "history": history}


@pytest.mark.usefixtures("all_entities_enabled")
async def test_both_keys_lead_to_the_same_costs(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Sensors, action and history show the ledger's costs, whichever key reads them."""
    freezer.move_to(NOW)
    ledger = simulator.account.ledger = long_ledger()
    simulator.account.page_days = 7
    simulator.account.subscription = {"plan": {"title": "Pay-as-you-go"}}
    await setup_entry(hass, entry)
    by_session = await all_costs(hass, entry, freezer)
    assert "costs" not in requested_endpoints(simulator)

    # The same account with an admin key, whose history starts from nothing
    await hass.config_entries.async_remove(entry.entry_id)
    await clear_statistics(hass)
    freezer.move_to(NOW)
    simulator.requests.clear()
    other = admin_entry(simulator)
    await setup_entry(hass, other)
    by_admin = await all_costs(hass, other, freezer)
    assert "usage" not in requested_endpoints(simulator)

    assert by_admin["sensors"] == by_session["sensors"]
    assert by_admin["actions"] == by_session["actions"]
    assert by_admin["history"] == by_session["history"]

    # All of them against the ledger itself
    def dollars(first: date, last: date) -> float:
        items = (item for day, items in ledger.items() for item in items if first <= day <= last)
        return math.fsum(item.cost for item in items) / 100

    month = by_session["sensors"][f"{ORGANIZATION}_cost_this_month"][0]
    assert float(month) == pytest.approx(dollars(date(2026, 11, 1), NOW.date()), abs=1e-6)
    total = pytest.approx(dollars(date(2025, 12, 1), NOW.date()), abs=1e-6)
    assert [action["total"] for action in by_session["actions"]] == [total, total]
    account = by_session["history"][f"{DOMAIN}:org_simulatedexamplehome01_cost"]
    assert len(account) == 366
    assert account[NOW.date()][1] == pytest.approx(dollars(min(account), NOW.date()), abs=1e-8)


async def clear_statistics(hass: HomeAssistant) -> None:
    """Delete all statistics of this integration."""
    instance = get_instance(hass)
    instance.async_clear_statistics(list(await history_rows(hass)))
    await recorder_is_done(hass)


@pytest.mark.parametrize("pages", UNUSABLE_PAGES)
async def test_unusable_pages_are_an_error(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    pages: str,
) -> None:
    """Pages that repeat, break off or have another currency are an error, not a figure."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 250)]}
    await setup_entry(hass, full_entry)
    assert state(hass, "cost_this_month") == "2.5"
    simulator.account.costs_override = UNUSABLE_PAGES[pages]
    simulator.requests.clear()
    await poll(hass, freezer)
    # A repeated cursor is followed once.
    assert count_requests(simulator, "costs") == (2 if pages == "repeated cursor" else 1)
    assert state(hass, "cost_this_month") == STATE_UNAVAILABLE
    assert float(state(hass, "total_available")) > 0
    simulator.account.costs_override = None
    await poll(hass, freezer)
    assert state(hass, "cost_this_month") == "2.5"


async def test_endless_pages_are_an_error(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Pages without an end are followed up to a limit."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    cursors = itertools.count()
    simulator.account.costs_override = lambda _: {
        "data": [],
        "has_more": True,
        "next_page": f"page_{next(cursors)}",
    }
    simulator.requests.clear()
    await poll(hass, freezer)
    assert count_requests(simulator, "costs") == 201
    assert state(hass, "cost_this_month") == STATE_UNAVAILABLE


async def test_amounts_are_read_as_numbers_or_text(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Amounts are numbers or text; rows are added up, and unreadable ones left out."""
    freezer.move_to(NOW)
    midnight = int(NOW.replace(hour=0, minute=0).timestamp())
    values: tuple[Any, ...] = (
        "0E-6176",
        "0.000004500000000000000000000000000000000",
        0.06,
        1,
        "1e2",
        None,
        "NaN",
        "Infinity",
        "1_000",
        "٣",
        True,
        [],
        "9" * 500,
    )
    results: list[dict[str, Any]] = [
        {"amount": {"value": value, "currency": "usd"}, "line_item": "gpt-5.5, input"}
        for value in values
    ]
    results += [{"amount": None}, {}, {"amount": {"value": "2"}, "line_item": None}]
    simulator.account.costs_override = {
        "data": [{"start_time": midnight, "results": results}, {"start_time": "x"}, 7],
        "has_more": False,
    }
    await setup_entry(hass, full_entry)
    assert float(state(hass, "model_cost_gpt_5_5")) == pytest.approx(101.060005, abs=1e-6)
    assert float(state(hass, "model_cost_unknown")) == 2
    assert float(state(hass, "cost_today")) == pytest.approx(103.060005, abs=1e-6)


# ---- The spend limit ---------------------------------------------------------------------------


async def test_spend_limit_is_the_default_budget(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The spend limit is shown in dollars, and is the budget unless the user sets one."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 3000)]}
    entry = admin_entry(simulator)
    await setup_entry(hass, entry)
    assert state(hass, "spend_limit") == "150.0"
    assert state(hass, "budget_used") == "20.0"
    assert not has_entity(hass, "over_budget", "binary_sensor")

    simulator.account.spend_limit_cents = 6000
    await poll(hass, freezer)
    assert state(hass, "budget_used") == "50.0"

    simulator.account.spend_limit_cents = None
    for _ in range(3):
        await poll(hass, freezer, 86_400)
    assert state(hass, "spend_limit") == STATE_UNKNOWN
    assert state(hass, "budget_used") == STATE_UNKNOWN
    assert not issue_registry.issues

    hass.config_entries.async_update_entry(entry, options={CONF_MONTHLY_BUDGET: 300})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "budget_used") == "10.0"


@pytest.mark.parametrize(
    ("fault", "logged"), [("not_found", False), ("wrong_key_type", False), ("other_object", True)]
)
async def test_costs_do_not_need_a_spend_limit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    fault: str,
    logged: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without a spend limit, or the permission to read it, there are costs all the same."""
    simulator.fault("spend_limit", fault)
    entry = admin_entry(simulator)
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert not has_entity(hass, "spend_limit")
    assert not has_entity(hass, "budget_used")
    assert float(state(hass, "cost_this_month")) > 0
    assert not hass.config_entries.flow.async_progress_by_handler(
        DOMAIN, match_context={"source": SOURCE_REAUTH}
    )
    assert ("Error fetching openai_account spend_limit of account" in caplog.text) is logged
