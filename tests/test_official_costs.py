"""What an admin key opens: the official costs, and the limit that is set at OpenAI."""

from __future__ import annotations

from datetime import date, datetime, timedelta
import math
from typing import Any, ClassVar

from freezegun.api import FrozenDateTimeFactory
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
from simulator import Account, LineItem
from simulator.account import JSON

from .common import (
    RunningSimulator,
    fill_history,
    has_entity,
    history_rows,
    poll,
    requested_endpoints,
    setup_entry,
    state,
)
from .const import ADMIN_KEY, NOW, ORGANIZATION

SHAPES: dict[str, Any] = {
    "cursor seen before": {
        "data": [],
        "has_more": True,
        "next_page": "page_2026-11-01",
    },
    "no cursor": {"data": [], "has_more": True, "next_page": None},
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
    "an error": {"error": {"message": "no"}},
}


def admin_entry(simulator: RunningSimulator) -> MockConfigEntry:
    """Return an entry that has an admin key alone."""
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


async def everything(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> dict[str, Any]:
    """Return all costs that the integration shows, anywhere."""
    await fill_history(hass, freezer, times=12)
    registry = er.async_get(hass)
    sensors = {}
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if "cost" in entity.unique_id or "forecast" in entity.unique_id:
            found = hass.states.get(entity.entity_id)
            sensors[entity.unique_id] = (found.state, dict(found.attributes)) if found else None
    actions = [
        await hass.services.async_call(
            DOMAIN,
            "get_costs",
            {
                "config_entry_id": entry.entry_id,
                "start_date": "2025-12-01",
                "end_date": "2026-11-24",
                "group_by": group,
            },
            blocking=True,
            return_response=True,
        )
        for group in ("model", "project")
    ]
    return {"sensors": sensors, "actions": actions, "history": await history_rows(hass)}


@pytest.mark.usefixtures("all_entities_enabled")
async def test_same_ledger_from_either_source(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Sensors, actions and history hold the same numbers, whichever key they came by."""
    freezer.move_to(NOW)
    simulator.account.ledger = long_ledger()
    simulator.account.page_days = 7
    simulator.account.subscription = {"plan": {"title": "Pay-as-you-go"}}
    await setup_entry(hass, entry)
    by_session = await everything(hass, entry, freezer)
    assert "costs" not in requested_endpoints(simulator)

    # The same account, by an admin key: its history is written once more, from nothing.
    await hass.config_entries.async_remove(entry.entry_id)
    await recorder_clear(hass)
    freezer.move_to(NOW)
    simulator.requests.clear()
    other = admin_entry(simulator)
    await setup_entry(hass, other)
    by_admin = await everything(hass, other, freezer)
    assert "usage" not in requested_endpoints(simulator)

    assert by_admin["sensors"] == by_session["sensors"]
    assert by_admin["actions"] == by_session["actions"]
    assert len(by_session["sensors"]) >= 11
    assert by_admin["history"] == by_session["history"]
    account = by_session["history"][f"{DOMAIN}:org_simulatedexamplehome01_cost"]
    assert len(account) == 366
    expected = math.fsum(
        item.cost
        for day, items in simulator.account.ledger.items()
        for item in items
        if day in account
    )
    assert account[NOW.date()][1] == pytest.approx(expected / 100, abs=1e-8)


async def recorder_clear(hass: HomeAssistant) -> None:
    """Delete all statistics of this integration."""
    from homeassistant.components.recorder import get_instance  # noqa: PLC0415

    instance = get_instance(hass)
    instance.async_clear_statistics(list(await history_rows(hass)))
    await instance.async_block_till_done()


@pytest.mark.parametrize("shape", SHAPES)
async def test_bad_pages(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    shape: str,
) -> None:
    """Pages that go round, break off or count in other money are an error, not a number."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    before = state(hass, "cost_this_month")
    simulator.account.costs_override = SHAPES[shape]
    simulator.requests.clear()
    await poll(hass, freezer)
    assert len([one for one in simulator.requests if one.endpoint == "costs"]) <= 2
    assert state(hass, "cost_this_month") == STATE_UNAVAILABLE
    assert float(state(hass, "total_available")) > 0
    simulator.account.costs_override = None
    await poll(hass, freezer)
    assert float(state(hass, "cost_this_month")) >= float(before)


class EndlessAccount(Account):
    """An account whose costs have always one more page."""

    pages: ClassVar[int] = 0

    def costs(self, start: date, end: date, limit: int, page: str | None, now: datetime) -> JSON:
        """Return an empty page, and a cursor that was never seen."""
        EndlessAccount.pages += 1
        return {"data": [], "has_more": True, "next_page": f"page_{self.pages}"}


async def test_endless_pages(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Pages without an end are followed for a while, not for ever."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.account = EndlessAccount()
    simulator.requests.clear()
    await poll(hass, freezer)
    assert len([one for one in simulator.requests if one.endpoint == "costs"]) == 201
    assert state(hass, "cost_this_month") == STATE_UNAVAILABLE


async def test_amounts(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Amounts are numbers or text of any length; rows add up; what is unreadable is left out."""
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


# ---- The limit at OpenAI -----------------------------------------------------------------------


async def test_spend_limit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The limit is told in dollars, and is the budget where the user has set none."""
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


@pytest.mark.parametrize("fault", ["not_found", "wrong_key_type", "other_object"])
async def test_no_spend_limit(
    hass: HomeAssistant, simulator: RunningSimulator, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no limit, or the key may not read it, costs are there all the same."""
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
    if fault == "not_found":
        assert "Error fetching" not in caplog.text
