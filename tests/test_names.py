"""When the names of projects and API keys are requested, and what waits for them."""

from __future__ import annotations

import asyncio
from datetime import date
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from simulator import ApiKey, Fault, LineItem, Project

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    get_costs,
    poll,
    setup_entry,
)
from .const import NOW
from .host import turn
from .test_api_keys import BOT, LAPTOP, TODAY, VOICE, item, names

RATE_LIMITED = Fault(status=429, headers={"Retry-After": "1000"})


def count_lists(simulator: RunningSimulator) -> tuple[int, int]:
    """Return how often the projects and the keys of projects were requested; forget it."""
    counts = count_requests(simulator, "projects"), count_requests(simulator, "api_keys")
    simulator.requests.clear()
    return counts


async def diagnostics_of(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Return what an account's diagnostics say of the names."""
    assert await async_setup_component(hass, "diagnostics", {})
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    found: dict[str, Any] = (await response.json())["data"]["names"]
    return found


@pytest.mark.usefixtures("all_entities_enabled")
async def test_first_entities_wait_for_their_names(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A new account's project has its name in its entity id; after a reload, nothing waits."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    await setup_entry(hass, admin_entry)
    project = entity_id(hass, "project_cost_proj_voice")
    assert project == "sensor.example_home_cost_of_project_voice_assistant_this_month"

    simulator.fault("projects", Fault(hang=True))
    assert await hass.config_entries.async_reload(admin_entry.entry_id)
    assert names(hass) == {"Voice assistant": "1.0"}
    await poll(hass, freezer)


async def test_names_are_waited_for_ten_seconds(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where names do not come, a new account is set up without them ten seconds later."""
    freezer.move_to(NOW)
    simulator.fault("projects", Fault(hang=True))
    admin_entry.add_to_hass(hass)
    setup = asyncio.ensure_future(hass.config_entries.async_setup(admin_entry.entry_id))
    await turn(lambda: count_requests(simulator, "projects") == 2, 20_000)
    for seconds, is_done in ((9.5, False), (1, True)):
        freezer.tick(seconds)
        await turn(setup.done, 3000)
        assert setup.done() is is_done
    await poll(hass, freezer)


async def test_new_key_during_a_request(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key with its first cost during a long request of its project's keys is named after it."""
    freezer.move_to(NOW)
    assert await async_setup_component(hass, HOMEASSISTANT, {})
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    await setup_entry(hass, admin_entry)
    simulator.requests.clear()
    body = json.dumps({"data": [{"id": BOT, "name": "Chat bot"}], "has_more": False})
    simulator.fault("api_keys", Fault(delay=25, body=body), times=1)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0), item(BOT, 200.0)]}
    freezer.tick(301)
    async_fire_time_changed(hass)
    await turn(lambda: count_requests(simulator, "api_keys") == 1, 20_000)

    rows = [item(VOICE, 100.0), item(BOT, 200.0), item(LAPTOP, 300.0)]
    simulator.account.ledger = {TODAY: rows}
    costs = {"entity_id": entity_id(hass, "cost_this_month")}
    await hass.services.async_call(HOMEASSISTANT, "update_entity", costs, blocking=True)
    await turn()
    freezer.tick(12)
    async_fire_time_changed(hass)
    await turn()
    assert count_lists(simulator) == (0, 1)
    await poll(hass, freezer, 14)
    assert names(hass) == {"Voice assistant": "1.0", "Chat bot": "2.0", "Laptop": "3.0"}
    assert count_lists(simulator) == (0, 1)


async def test_new_project_is_named_at_once(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    all_entities_enabled: None,
) -> None:
    """A project with costs for the first time has the projects requested once more."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    await setup_entry(hass, admin_entry)
    simulator.requests.clear()
    simulator.account.projects = [Project("proj_new", "Attic")]
    row = LineItem("o3, input", 10.0, "proj_new", None, None)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0), row]}
    await poll(hass, freezer)
    found = hass.states.get(entity_id(hass, "project_cost_proj_new"))
    assert found
    assert found.name == "Example Home Cost of project Attic this month"
    # Of keys, only those of the new project
    assert count_lists(simulator) == (1, 1)
    await poll(hass, freezer)
    assert count_lists(simulator) == (0, 0)


async def test_key_without_a_name_is_requested_once(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key that was deleted before its name was known is not looked for with each poll."""
    freezer.move_to(NOW)
    simulator.account.api_keys = []
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    await setup_entry(hass, admin_entry)
    simulator.requests.clear()
    for _ in range(3):
        await poll(hass, freezer)
    assert count_lists(simulator) == (0, 0)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0), item(BOT, 200.0)]}
    await poll(hass, freezer)
    assert count_lists(simulator) == (0, 1)
    for _ in range(3):
        await poll(hass, freezer)
    assert count_lists(simulator) == (0, 0)
    assert names(hass) == {"…oice01": "1.0", "…dBot01": "2.0"}


async def test_projects_of_keys(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The lists of keys say which project a key is of where the costs do not."""
    freezer.move_to(NOW)
    simulator.account.api_keys = [
        ApiKey(VOICE, "Key", "proj_voice"),
        ApiKey(BOT, "Key", "proj_default"),
    ]
    simulator.account.ledger = {
        TODAY: [
            LineItem("o3, input", 100.0, None, None, VOICE),
            LineItem("o3, input", 200.0, None, None, BOT),
            LineItem("o3, input", 1.0, "proj_voice", None, None),
            LineItem("o3, input", 1.0, "proj_default", None, None),
        ]
    }
    await setup_entry(hass, admin_entry)
    called = {"Key (Voice assistant)": 1.0, "Key (Default project)": 2.0}
    assert names(hass) == {name: str(cost) for name, cost in called.items()}
    response = await get_costs(
        hass, admin_entry, start_date=TODAY, end_date=TODAY, group_by="api_key"
    )
    assert response["api_keys"] == {**called, "unknown": 0.02}


async def test_projects_of_keys_used_long_ago(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The action calls keys of the same name by the projects that their costs name."""
    freezer.move_to(NOW)
    simulator.account.api_keys = [
        ApiKey(VOICE, "Key", "proj_voice"),
        ApiKey(BOT, "Key", "proj_default"),
    ]
    simulator.account.ledger = {
        date(2025, 12, 5): [item(VOICE, 100.0)],
        date(2026, 5, 5): [item(BOT, 200.0)],
        TODAY: [
            LineItem("o3, input", 1.0, "proj_voice", None, None),
            LineItem("o3, input", 1.0, "proj_default", None, None),
        ],
    }
    await setup_entry(hass, admin_entry)
    assert names(hass) == {}
    response = await get_costs(
        hass, admin_entry, start_date="2025-12-01", end_date=TODAY, group_by="api_key"
    )
    assert response["api_keys"] == {
        "Key (Voice assistant)": 1.0,
        "Key (Default project)": 2.0,
        "unknown": 0.02,
    }


@pytest.mark.parametrize(
    ("failures", "waits"), [(1, (600,)), (2, (600, 1200))], ids=["once", "twice"]
)
async def test_failures_are_retried(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    failures: int,
    waits: tuple[int, ...],
) -> None:
    """After a failure names are requested again in ten minutes, then in twenty, then daily."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    simulator.fault("api_keys", "server_error", times=failures)
    await setup_entry(hass, admin_entry)
    simulator.requests.clear()
    for seconds in waits:
        await poll(hass, freezer, seconds - 3)
        assert count_lists(simulator) == (0, 0)
        await poll(hass, freezer, 5)
        assert count_lists(simulator) == (0, 1)
    assert names(hass) == {"Voice assistant": "1.0"}
    # The next request is a day later, not as soon as the date is another.
    await poll(hass, freezer, 12 * 3600)
    await poll(hass, freezer, 12 * 3600 - 60)
    assert count_lists(simulator) == (0, 0)
    # A new failure is the first one.
    simulator.fault("api_keys", "server_error", times=1)
    await poll(hass, freezer, 62)
    assert count_lists(simulator) == (1, 1)
    await poll(hass, freezer, 602)
    assert count_lists(simulator) == (0, 1)


async def test_pause_outlives_a_reload(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A rate limit is kept over a reload, and names come as soon as it is over."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    simulator.fault("api_keys", RATE_LIMITED, times=1)
    await setup_entry(hass, admin_entry)
    await poll(hass, freezer)
    simulator.requests.clear()
    assert await hass.config_entries.async_reload(admin_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll(hass, freezer, 695)
    assert not count_requests(simulator, "api_keys")
    assert names(hass) == {"…oice01": "1.0"}
    await poll(hass, freezer, 6)
    assert names(hass) == {"Voice assistant": "1.0"}


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        pytest.param("other_shape", (1, 0), id="other shape"),
        pytest.param("server_error", (1, 0), id="server error"),
        pytest.param("not_found", (1, 1), id="not served"),
        pytest.param("no_permission", (0, 0), id="no permission"),
    ],
)
async def test_projects_that_cannot_be_read(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: str,
    requests: tuple[int, int],
) -> None:
    """Keys are requested all the same, unless the admin key may read neither, for a day."""
    freezer.move_to(NOW)
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    simulator.fault("projects", fault)
    await setup_entry(hass, admin_entry)
    at_first, with_another = requests
    assert count_lists(simulator)[1] == at_first
    simulator.clear_faults()
    # Another key waits until a pause is over.
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0), item(BOT, 200.0)]}
    await poll(hass, freezer)
    assert count_lists(simulator)[1] == with_another
    await poll(hass, freezer, 86_400)
    assert count_lists(simulator)[1] == 2
    assert names(hass) == {"Voice assistant": "1.0", "Chat bot": "2.0"}


@pytest.mark.freeze_time(NOW)
async def test_diagnostics_of_names(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: RunningSimulator,
    admin_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Diagnostics have the first error of the last requests, and when all of them succeeded."""
    simulator.account.ledger = {TODAY: [item(VOICE, 100.0)]}
    simulator.fault("projects", "other_shape")
    simulator.fault("api_keys", "server_error")
    await setup_entry(hass, admin_entry)
    found = await diagnostics_of(hass, hass_client, admin_entry)
    assert found["last_error"] == "invalid_response"
    assert found["last_success"] is None
    simulator.clear_faults()
    await poll(hass, freezer, 601)
    found = await diagnostics_of(hass, hass_client, admin_entry)
    assert found["last_error"] is None
    assert found["last_success"] == "2026-11-24T15:40:01+00:00"
