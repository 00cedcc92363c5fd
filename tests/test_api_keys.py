"""Costs per API key, and what keys and projects are called."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.openai_account.const import DOMAIN
from simulator import ApiKey, Fault, LineItem, Project

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    fill_history,
    get_costs,
    has_entity,
    history_rows,
    poll,
    setup_entry,
    state,
)
from .const import NOW, ORGANIZATION, SECRETS
from .history import clear

TODAY = NOW.date()
DAY = timedelta(days=1)
START = f"{ORGANIZATION}_key_cost_"
STATISTICS = "openai_account:org_simulatedexamplehome01"

VOICE, BOT, LAPTOP = "key_SimulatedVoice01", "key_SimulatedBot01", "key_SimulatedLaptop01"


def item(key: str | None, cents: float, name: str = "o3, input") -> LineItem:
    """Return a line item of a key, whose row does not name the key's project."""
    project = "proj_voice" if key == VOICE else "proj_default"
    return LineItem(name, cents, project, None, key)


def names(hass: HomeAssistant) -> dict[str, str]:
    """Return the states of the sensors of API keys, by their names."""
    registry = er.async_get(hass)
    found = {}
    for one in registry.entities.values():
        if one.unique_id.startswith(START) and (shown := hass.states.get(one.entity_id)):
            prefix = "Example Home Cost of API key "
            assert shown.name.startswith(prefix)
            assert shown.name.endswith(" this month")
            assert one.original_name == shown.name.removeprefix("Example Home ")
            name = shown.name.removeprefix(prefix).removesuffix(" this month")
            found[name] = shown.state
    return found


async def test_cost_of_the_current_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key's sensor shows its cost this month, which begins anew with each month."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        date(2026, 10, 31): [item(VOICE, 900.0)],
        date(2026, 11, 2): [item(VOICE, 100.0), item(VOICE, 50.0, "gpt-5.5, output")],
        TODAY: [item(VOICE, 5.0), item(BOT, 20.0), item(None, 7.0)],
    }
    await setup_entry(hass, admin_entry)
    assert names(hass) == {"Voice assistant": "1.55", "Chat bot": "0.2"}
    found = hass.states.get("sensor.example_home_cost_of_api_key_voice_assistant_this_month")
    assert found
    assert found.attributes["last_reset"] == "2026-11-01T00:00:00+00:00"
    assert state(hass, "cost_this_month") == "1.82"

    simulator.account.ledger[TODAY] = [item(VOICE, 5.0), item(LAPTOP, 30.0)]
    await poll(hass, freezer)
    assert names(hass) == {"Voice assistant": "1.55", "Chat bot": "0.0", "Laptop": "0.3"}

    freezer.move_to("2026-12-01 00:10:00+00:00")
    simulator.account.ledger[date(2026, 12, 1)] = [item(BOT, 1.0)]
    await poll(hass, freezer)
    assert names(hass) == {"Voice assistant": "0.0", "Chat bot": "0.01", "Laptop": "0.0"}
    found = hass.states.get("sensor.example_home_cost_of_api_key_voice_assistant_this_month")
    assert found
    assert found.attributes["last_reset"] == "2026-12-01T00:00:00+00:00"


async def test_unused_key_loses_its_sensor(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key's sensor is removed 90 days after its last cost, like a model's."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 1.0)]}
    await setup_entry(hass, admin_entry)
    await poll(hass, freezer, 90 * 86_400)
    assert names(hass) == {"Voice assistant": "0.0"}
    await poll(hass, freezer, 86_400)
    assert names(hass) == {}


async def test_what_keys_are_called(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Names that repeat get the project's name, those that repeat there the end of the id."""
    freezer.move_to(NOW)
    keys = {
        "key_AbCdEf000001": ("proj_default", "Bot"),
        "key_AbCdEf000002": ("proj_voice", "Bot"),
        "key_AbCdEf000003": ("proj_voice", "Bot"),
        # Ids that differ by case alone
        "key_AbCdEfGhIjKl": ("proj_voice", "One"),
        "key_aBcDeFgHiJkL": ("proj_voice", "Two"),
        # A name that cannot be read
        "key_AbCdEf000004": ("proj_default", "  "),
    }
    simulator.account.api_keys = [ApiKey(one, name, proj) for one, (proj, name) in keys.items()]
    simulator.account.ledger = {
        TODAY: [
            *(
                LineItem("o3, input", 100.0 * rank, proj, None, one)
                for rank, (one, (proj, _)) in enumerate(keys.items(), 1)
            ),
            # A key that was deleted
            item("key_Deleted0000099", 700.0),
        ]
    }
    await setup_entry(hass, admin_entry)
    called = {
        "Bot (Default project)": "1.0",
        "Bot (Voice assistant, …000002)": "2.0",
        "Bot (Voice assistant, …000003)": "3.0",
        "One": "4.0",
        "Two": "5.0",
        "…000004": "6.0",
        "…000099": "7.0",
    }
    assert names(hass) == called
    response = await get_costs(
        hass, admin_entry, start_date=TODAY, end_date=TODAY, group_by="api_key"
    )
    assert {name: str(cost) for name, cost in response["api_keys"].items()} == called


@pytest.mark.usefixtures("all_entities_enabled")
async def test_renamed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """New names of a key and a project arrive within a day, without a reload or another id."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(BOT, 100.0)]}
    simulator.account.api_keys = [ApiKey(BOT, "Kitchen", "proj_default")]
    await setup_entry(hass, admin_entry)
    key = next(iter(names(hass)))
    assert key == "Kitchen"
    project = entity_id(hass, "project_cost_proj_default")

    simulator.account.api_keys = [ApiKey(BOT, "Hall", "proj_default")]
    simulator.account.projects = [Project("proj_default", "Attic")]
    await poll(hass, freezer)
    assert names(hass) == {"Kitchen": "1.0"}
    await poll(hass, freezer, 86_400)
    assert names(hass) == {"Hall": "1.0"}
    assert hass.states.get("sensor.example_home_cost_of_api_key_kitchen_this_month")
    found = hass.states.get(project)
    assert found
    assert found.name == "Example Home Cost of project Attic this month"

    # A deleted key keeps its last name, also over a restart.
    simulator.account.api_keys = []
    await poll(hass, freezer, 86_400)
    assert await hass.config_entries.async_reload(admin_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert names(hass) == {"Hall": "1.0"}


async def test_names_in_rows_come_first(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    all_entities_enabled: None,
) -> None:
    """The name that a cost's row has for its project is newer than that of the day."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [LineItem("o3, input", 1.0, "proj_default", "Loft", VOICE)]}
    await setup_entry(hass, admin_entry)
    project = entity_id(hass, "project_cost_proj_default")
    for name in ("Loft", "Barn"):
        simulator.account.ledger = {
            TODAY: [LineItem("o3, input", 1.0, "proj_default", name, VOICE)]
        }
        await poll(hass, freezer)
        found = hass.states.get(project)
        assert found
        assert found.name == f"Example Home Cost of project {name} this month"


@pytest.mark.parametrize("fault", ["no_permission", "not_found", "html_wall", "server_error"])
@pytest.mark.parametrize("endpoint", ["projects", "api_keys"])
async def test_names_that_cannot_be_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
    fault: str,
) -> None:
    """Costs do not need names: keys are called by their ids until names can be read."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    simulator.fault(endpoint, fault)
    await setup_entry(hass, admin_entry)
    assert admin_entry.state is ConfigEntryState.LOADED
    # The key's own name is there without those of projects, unless neither can be read.
    is_named = endpoint == "projects" and fault in {"not_found", "server_error"}
    assert names(hass) == {"Voice assistant" if is_named else "…oice01": "1.0"}
    assert not list(hass.config_entries.flow.async_progress_by_handler(DOMAIN))
    simulator.requests.clear()
    await poll(hass, freezer)
    is_refused = fault in {"no_permission", "not_found"}
    if is_refused:
        assert not count_requests(simulator, endpoint)
    assert names(hass).popitem()[1] == "1.0"
    simulator.clear_faults()
    await poll(hass, freezer, 86_400)
    assert names(hass) == {"Voice assistant": "1.0"}
    assert "Error fetching" not in caplog.text


async def test_names_after_a_rate_limit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A rate limit of names stops no costs, is kept, and what was read is not read again."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    simulator.fault("api_keys", Fault(status=429, headers={"Retry-After": "1000"}))
    await setup_entry(hass, admin_entry)
    assert names(hass) == {"…oice01": "1.0"}
    simulator.account.ledger[TODAY] = [item(VOICE, 200.0)]
    simulator.requests.clear()
    await poll(hass, freezer)
    assert names(hass) == {"…oice01": "2.0"}
    assert not count_requests(simulator, "api_keys")
    simulator.clear_faults()
    await poll(hass, freezer, 701)
    assert names(hass) == {"Voice assistant": "2.0"}
    assert not count_requests(simulator, "projects")


async def test_names_of_one_project_that_cannot_be_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where the keys of one project cannot be read, those of the others have their names."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 1.0), item(BOT, 2.0)]}
    simulator.fault("api_keys", "server_error", times=1)
    await setup_entry(hass, admin_entry)
    assert names(hass) == {"Voice assistant": "0.01", "…dBot01": "0.02"}
    await poll(hass, freezer, 601)
    assert names(hass) == {"Voice assistant": "0.01", "Chat bot": "0.02"}


@pytest.mark.parametrize("days", [100, 800])
async def test_clock_ahead(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    days: int,
) -> None:
    """A clock that is far ahead removes keys and projects for as long as it is; no errors."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 1.0), item(BOT, 2.0)]}
    await setup_entry(hass, admin_entry)
    assert names(hass) == {"Voice assistant": "0.01", "Chat bot": "0.02"}
    await poll(hass, freezer, days * 86_400)
    assert names(hass) == {}
    assert state(hass, "cost_this_month") == "0.0"
    assert "Traceback" not in caplog.text
    freezer.move_to(NOW)
    await admin_entry.runtime_data.costs.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert names(hass) == {"Voice assistant": "0.01", "Chat bot": "0.02"}
    assert "Traceback" not in caplog.text


async def test_requests(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Costs are one request per poll with three groups; names come once a day, in full pages."""
    freezer.move_to(NOW)
    keys = [ApiKey(f"key_Simulated{one:04}", f"Key {one}", "proj_default") for one in range(250)]
    simulator.account.api_keys = keys
    simulator.account.ledger = {
        TODAY: [item(keys[249].id, 100.0), LineItem("o3, input", 1.0, "proj_trial", None, None)]
    }
    await setup_entry(hass, full_entry)
    assert names(hass) == {"Key 249": "1.0"}
    # One for the names, and one to learn which organization it is
    assert count_requests(simulator, "projects") == 2
    # Three pages of the one project, and one of the archived one
    assert count_requests(simulator, "api_keys") == 4
    seen = next(one for one in simulator.requests if one.endpoint == "projects")
    assert seen.query == {"include_archived": "true", "limit": "100"}
    for _ in range(3):
        simulator.requests.clear()
        await poll(hass, freezer)
        assert sorted(one.endpoint for one in simulator.requests) == [
            "costs",
            "credit_grants",
            "spend_limit",
            "subscription",
            "usage/completions",
        ]
        [costs] = [one for one in simulator.requests if one.endpoint == "costs"]
        groups = [value for name, value in costs.parameters if name == "group_by"]
        assert groups == ["line_item", "project_id", "api_key_id"]

    # A new key is named at once, by requesting its project alone.
    simulator.account.api_keys = [ApiKey(LAPTOP, "Laptop", "proj_default")]
    items = simulator.account.ledger[TODAY]
    simulator.account.ledger = {TODAY: [*items, item(LAPTOP, 200.0)]}
    simulator.requests.clear()
    await poll(hass, freezer)
    assert names(hass) == {"Key 249": "1.0", "Laptop": "2.0"}
    assert count_requests(simulator, "api_keys") == 1
    assert not count_requests(simulator, "projects")
    assert hass.states.get("sensor.example_home_cost_of_api_key_laptop_this_month")


async def test_session_key_reports_no_keys(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without an admin key nothing is known of API keys: no sensor of 0, and an error."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    await setup_entry(hass, full_entry)
    assert names(hass) == {"Voice assistant": "1.0"}
    hass.config_entries.async_update_entry(full_entry, data=dict(entry.data))
    assert await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "cost_this_month") == "1.0"
    assert not [
        one for one in er.async_get(hass).entities.values() if one.unique_id.startswith(START)
    ]
    simulator.requests.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await get_costs(hass, full_entry, start_date=TODAY, end_date=TODAY, group_by="api_key")
    assert caught.value.translation_key == "no_api_keys"
    assert not simulator.requests


# ---- The action --------------------------------------------------------------------------------


async def test_action_groups_costs_by_api_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days and totals per key include costs without a key, and keys used long ago."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        date(2026, 1, 5): [item(LAPTOP, 300.0)],
        date(2026, 11, 23): [item(VOICE, 100.0), item(VOICE, 20.0, "x"), item(None, 7.0)],
        TODAY: [item(BOT, 1.0)],
    }
    await setup_entry(hass, admin_entry)
    response = await get_costs(
        hass, admin_entry, start_date="2026-01-05", end_date=TODAY, group_by="api_key"
    )
    assert response["total"] == 4.28
    assert response["api_keys"] == {
        "Chat bot": 0.01,
        "Laptop": 3.0,
        "Voice assistant": 1.2,
        "unknown": 0.07,
    }
    assert response["days"][0] == {"date": "2026-01-05", "cost": 3.0, "api_keys": {"Laptop": 3.0}}
    assert response["days"][-2]["api_keys"] == {"Voice assistant": 1.2, "unknown": 0.07}


@pytest.mark.parametrize("fixture", ["entry", "full_entry"])
async def test_action_splits_models_into_line_items(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    fixture: str,
    request: pytest.FixtureRequest,
) -> None:
    """The line items of each model add up to its cost, by day and in total, with either key."""
    freezer.move_to(NOW)
    entry: MockConfigEntry = request.getfixturevalue(fixture)
    simulator.account.ledger = {
        TODAY - DAY: [
            item(VOICE, 100.0, "gpt-5.5, input"),
            item(BOT, 50.0, "gpt-5.5, input"),
            item(BOT, 5.0, "gpt-5.5, cached input"),
            item(BOT, 30.0, "web search tool calls"),
        ],
        TODAY: [item(VOICE, 8.0, "gpt-5.5, output"), item(VOICE, 2.0, "ft:x, y, z")],
    }
    await setup_entry(hass, entry)
    days = {"start_date": TODAY - DAY, "end_date": TODAY}
    response = await get_costs(hass, entry, **days, line_items=True)
    yesterday = {
        "gpt-5.5": {"input": 1.5, "cached input": 0.05},
        "web search tool calls": {"web search tool calls": 0.3},
    }
    today = {"gpt-5.5": {"output": 0.08}, "ft:x": {"y, z": 0.02}}
    assert [day.pop("line_items") for day in response["days"]] == [yesterday, today]
    assert response.pop("line_items") == {
        **yesterday,
        **today,
        "gpt-5.5": yesterday["gpt-5.5"] | today["gpt-5.5"],
    }
    # Everything else is as without line items.
    assert response == await get_costs(hass, entry, **days)


# ---- History -----------------------------------------------------------------------------------


def long_ledger() -> dict[date, list[LineItem]]:
    """Return a year of costs of two projects and three keys."""
    return {
        TODAY - back * DAY: [
            LineItem("gpt-5.5, input", 10.0 + back % 7, "proj_voice", None, VOICE),
            LineItem("gpt-5.5, output", 1.0 + back % 5, "proj_default", None, BOT),
            *([LineItem("o3, input", 300.0, "proj_default", None, LAPTOP)] if back > 200 else []),
            LineItem("o3, input", 2.0, "proj_default", None, None),
        ]
        for back in range(365)
    }


def check_names(
    found: dict[str, dict[date, tuple[float, float]]],
    book: dict[date, list[LineItem]],
    kind: str,
    attribute: str,
) -> None:
    """Hold the statistics of projects or API keys to a ledger: each day, and the sums."""
    expected: dict[str, dict[date, float]] = {}
    for day, items in sorted(book.items()):
        for one in items:
            if name := getattr(one, attribute):
                costs = expected.setdefault(name.lower(), {})
                costs[day] = costs.get(day, 0.0) + one.cost / 100
    start = f"{STATISTICS}_{kind}_cost_"
    tables = {key: rows for key, rows in found.items() if key.startswith(start)}
    assert len(tables) == len(expected)
    for key, rows in tables.items():
        slug = key.removeprefix(start)
        [name] = [one for one in expected if slug.startswith(one)]
        assert {day: cost for day, (cost, _) in rows.items() if cost} == pytest.approx(
            expected[name]
        )
        total = sum(cost for cost, _ in rows.values())
        assert rows[max(rows)][1] == pytest.approx(total)


async def statistic_names(hass: HomeAssistant) -> set[str]:
    """Return the names of the statistics of projects and API keys."""
    return {
        one["name"]
        for one in await async_list_statistic_ids(hass)
        if one["source"] == DOMAIN
        and ("_project_cost_" in one["statistic_id"] or "_key_cost_" in one["statistic_id"])
    }


@pytest.mark.freeze_time(NOW)
async def test_history(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The past year has each project's and key's costs; renames and the dashboard follow."""
    book = simulator.account.ledger = long_ledger()
    await setup_entry(hass, admin_entry)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_names(found, book, "project", "project_id")
    check_names(found, book, "key", "api_key_id")
    # The laptop's key had costs only long ago, and no sensor.
    assert await statistic_names(hass) == {
        "OpenAI Example Home project cost, Default project",
        "OpenAI Example Home project cost, Voice assistant",
        "OpenAI Example Home API key cost, Voice assistant",
        "OpenAI Example Home API key cost, Chat bot",
        "OpenAI Example Home API key cost, Laptop",
    }
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "openai_account/account/list"})
    [account] = (await client.receive_json())["result"]["accounts"]
    listed = {(one["kind"], one["name"]) for one in account["statistics"]}
    keys = {("api_key", name) for name in ("Voice assistant", "Chat bot", "Laptop")}
    projects = {("project", "Default project"), ("project", "Voice assistant")}
    # The usage spells a model with its date.
    models = {("model", name) for name in ("gpt-5.5", "gpt-5.5-2026-03-01", "o3")}
    assert listed == {(None, None)} | models | keys | projects
    entities = {one["name"]: one for one in account["entities"] if one["kind"] == "api_key"}
    assert entities["Chat bot"]["key"] == "key_cost"
    assert (
        entities["Chat bot"]["entity_id"]
        == "sensor.example_home_cost_of_api_key_chat_bot_this_month"
    )

    # A day later: new costs, a correction to nothing, and another name
    book[TODAY + DAY] = [LineItem("o3, input", 50.0, "proj_voice", None, VOICE)]
    book[TODAY] = []
    simulator.account.api_keys = [ApiKey(VOICE, "Hall, upstairs", "proj_voice")]
    await poll(hass, freezer, 86_400)
    await fill_history(hass, freezer, 2)
    found = await history_rows(hass)
    check_names(found, book, "project", "project_id")
    check_names(found, book, "key", "api_key_id")
    assert "OpenAI Example Home API key cost, Hall, upstairs" in await statistic_names(hass)

    # Neither a reload nor cleared statistics change any of it.
    assert await hass.config_entries.async_reload(admin_entry.entry_id)
    await fill_history(hass, freezer)
    assert await history_rows(hass) == found
    await clear(hass, *(key for key in found if "_key_cost_" in key))
    for _ in range(2):
        await poll(hass, freezer)
        await fill_history(hass, freezer)
    # A day without costs has no row now, rather than one of 0.
    check_names(await history_rows(hass), book, "key", "api_key_id")


async def test_admin_key_added_later(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With an admin key the past of API keys is requested; without it, it stays as it is."""
    freezer.move_to(NOW)
    book = simulator.account.ledger = long_ledger()
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_names(found, book, "project", "project_id")
    assert not [key for key in found if "_key_cost_" in key]
    for data in (full_entry.data, entry.data, full_entry.data):
        hass.config_entries.async_update_entry(entry, data=dict(data))
        assert await hass.config_entries.async_reload(entry.entry_id)
        await fill_history(hass, freezer)
        check_names(await history_rows(hass), book, "key", "api_key_id")


# ---- Diagnostics -------------------------------------------------------------------------------


@pytest.mark.freeze_time(NOW)
async def test_diagnostics_have_counts_alone(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
) -> None:
    """Diagnostics say how many names are known, but neither names, ids nor owners."""
    assert await async_setup_component(hass, "diagnostics", {})
    await setup_entry(hass, full_entry)
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{full_entry.entry_id}")
    text = await response.text()
    secrets: tuple[str, ...] = (*SECRETS, VOICE, BOT, "Chat bot", "Laptop", "proj_")
    assert [one for one in secrets if one in text] == []
    data: dict[str, Any] = (await response.json())["data"]
    assert (data["names"]["projects"], data["names"]["api_keys"]) == (3, 3)
    assert data["names"]["last_error"] is None
    assert data["paths"]["api_keys"] == "/v1/organization/projects/{id}/api_keys"
    assert has_entity(hass, "cost_today")
