"""The WebSocket command that lists accounts, entities and statistics for the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openai_account.const import (
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_SESSION_KEY,
    DOMAIN,
)
from simulator import Fault, LineItem

from .common import (
    RunningSimulator,
    entity_id,
    fill_history,
    poll,
    recorder_is_done,
    setup_entry,
)
from .const import KEY, NOW, SECRETS

type Account = dict[str, Any]


async def list_accounts(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, *token: str
) -> list[Account]:
    """Send the command and return the accounts."""
    client = await hass_ws_client(hass, *token)
    await client.send_json_auto_id({"type": "openai_account/account/list"})
    response = await client.receive_json()
    assert response["success"], response
    text = str(response)
    assert not [secret for secret in SECRETS if secret in text]
    accounts: list[Account] = response["result"]["accounts"]
    return accounts


def other_entry(entry: MockConfigEntry, title: str, number: int) -> MockConfigEntry:
    """Return an entry for another account at the same host."""
    return MockConfigEntry(
        domain=DOMAIN, title=title, unique_id=f"org-other{number}", data=dict(entry.data)
    )


def by_key(account: Account) -> dict[str, Account]:
    """Return an account's entities by key, without those of models and projects."""
    return {one["key"]: one for one in account["entities"] if one["kind"] is None}


async def test_entities(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """An account's entities are listed by key; models and projects with their names."""
    await setup_entry(hass, entry)
    [account] = await list_accounts(hass, hass_ws_client)
    assert account["config_entry_id"] == entry.entry_id
    assert account["title"] == "Example Home"
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert account["device_id"] == device.id

    entities = by_key(account)
    assert entities["total_available"] == {
        "entity_id": entity_id(hass, "total_available"),
        "key": "total_available",
        "kind": None,
        "name": None,
        "custom_name": None,
    }
    assert entities["delinquent"]["entity_id"].startswith("binary_sensor.")
    assert {one["entity_id"] for one in account["entities"]} == set(hass.states.async_entity_ids())

    models = {one["name"]: one for one in account["entities"] if one["kind"] == "model"}
    assert models["gpt-5.5"]["key"] == "model_cost"
    assert models["gpt-5.5"]["entity_id"] == entity_id(hass, "model_cost_gpt_5_5")


async def test_projects(
    hass: HomeAssistant,
    full_entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    all_entities_enabled: None,
) -> None:
    """A project is listed by the name that people know it by."""
    await setup_entry(hass, full_entry)
    [account] = await list_accounts(hass, hass_ws_client)
    projects = [one for one in account["entities"] if one["kind"] == "project"]
    assert projects
    assert {one["key"] for one in projects} == {"project_cost"}
    for project in projects:
        state = hass.states.get(project["entity_id"])
        assert state
        assert project["name"] in state.attributes["friendly_name"]


@pytest.mark.freeze_time(NOW)
async def test_project_whose_id_is_no_slug(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Ids have capitals, which slugs have not: the name is found all the same."""
    item = LineItem("o3, input", 100.0, "proj_AbC123", "Attic")
    simulator.account.ledger = {NOW.date(): [item]}
    await setup_entry(hass, full_entry)
    await fill_history(hass, freezer, 1)
    await recorder_is_done(hass)
    [account] = await list_accounts(hass, hass_ws_client)
    listed = [one["name"] for one in account["statistics"] if one["kind"] == "project"]
    assert listed == ["Attic"]


async def test_what_the_user_changed(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """Renamed entities and devices keep their keys; hidden and disabled entities are left out."""
    await setup_entry(hass, entry)
    registry = er.async_get(hass)
    registry.async_update_entity(
        entity_id(hass, "cost_today"), new_entity_id="sensor.money", name="Money"
    )
    registry.async_update_entity(entity_id(hass, "plan"), hidden_by=er.RegistryEntryHider.USER)
    registry.async_update_entity(
        entity_id(hass, "cost_yesterday"), disabled_by=er.RegistryEntryDisabler.USER
    )
    devices = dr.async_get(hass)
    [device] = dr.async_entries_for_config_entry(devices, entry.entry_id)
    devices.async_update_device(device.id, name_by_user="My account")
    await hass.async_block_till_done()

    [account] = await list_accounts(hass, hass_ws_client)
    assert account["title"] == "My account"
    entities = by_key(account)
    assert entities["cost_today"]["entity_id"] == "sensor.money"
    assert entities["cost_today"]["custom_name"] == "Money"
    assert entities["cost_this_month"]["custom_name"] is None
    assert not {"plan", "cost_yesterday"} & entities.keys()


async def test_renamed_account(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """A new title is the device's name, too, without a reload: dashboards follow devices."""
    assert await async_setup_component(hass, "config", {})
    await setup_entry(hass, entry)
    [before] = await list_accounts(hass, hass_ws_client)
    changes = async_capture_events(hass, dr.EVENT_DEVICE_REGISTRY_UPDATED)
    client = await hass_ws_client(hass)
    for title in ("Cellar", "Cellar"):
        await client.send_json_auto_id(
            {"type": "config_entries/update", "entry_id": entry.entry_id, "title": title}
        )
        response = await client.receive_json()
        assert response["success"], response
    await hass.async_block_till_done()
    [account] = await list_accounts(hass, hass_ws_client)
    assert account == {**before, "title": "Cellar"}
    assert [one.data["changes"] for one in changes] == [{"name": "Example Home"}]
    state = hass.states.get(entity_id(hass, "cost_today"))
    assert state
    assert state.attributes["friendly_name"] == "Cellar Cost today"


async def test_accounts(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """Each account has its own entities; a disabled one is left out."""
    await setup_entry(hass, entry)
    await setup_entry(hass, other_entry(entry, "another account", 1))
    disabled = other_entry(entry, "Disabled", 2)
    await setup_entry(hass, disabled)
    await hass.config_entries.async_set_disabled_by(disabled.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()

    accounts = await list_accounts(hass, hass_ws_client)
    assert [one["title"] for one in accounts] == ["another account", "Example Home"]
    first, second = (by_key(one)["cost_today"]["entity_id"] for one in accounts)
    assert second == entity_id(hass, "cost_today")
    assert first != second


async def test_never_loaded(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    simulator: RunningSimulator,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """An account that has never been loaded is listed, with nothing in it."""
    simulator.fault("*", Fault(status=500))
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    [account] = await list_accounts(hass, hass_ws_client)
    assert account == {
        "config_entry_id": entry.entry_id,
        "device_id": None,
        "title": "Example Home",
        "failed_keys": [],
        "last_update": None,
        "low_balance_threshold": 5,
        "monthly_budget": None,
        "entities": [],
        "statistics": None,
    }


async def test_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """An account that is not loaded any more still has its models' names."""
    await setup_entry(hass, entry)
    [before] = await list_accounts(hass, hass_ws_client)
    assert await hass.config_entries.async_unload(entry.entry_id)
    [account] = await list_accounts(hass, hass_ws_client)
    assert "gpt-5.5" in {one["name"] for one in account["entities"]}
    assert account["entities"] == before["entities"]


async def test_failed_key(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    simulator: RunningSimulator,
    hass_ws_client: WebSocketGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key that no longer works is named, and the time of the last update stays."""
    await setup_entry(hass, entry)
    [before] = await list_accounts(hass, hass_ws_client)
    assert before["failed_keys"] == []
    updated = datetime.fromisoformat(before["last_update"])
    assert datetime.now(UTC) - updated < timedelta(minutes=1)

    simulator.fault("*", "expired_key")
    await poll(hass, freezer)
    [account] = await list_accounts(hass, hass_ws_client)
    assert account["failed_keys"] == ["session_key"]
    assert account["last_update"] == before["last_update"]


async def test_last_update_is_of_what_each_poll_includes(
    hass: HomeAssistant,
    full_entry: MockConfigEntry,
    simulator: RunningSimulator,
    hass_ws_client: WebSocketGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Endpoints that are polled rarely, or have never answered, do not hold the time back."""
    simulator.fault("subscription", "server_error")
    await setup_entry(hass, full_entry)
    before = datetime.now(UTC)
    await poll(hass, freezer)
    [account] = await list_accounts(hass, hass_ws_client)
    assert datetime.fromisoformat(account["last_update"]) > before


async def test_limits(
    hass: HomeAssistant,
    full_entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The threshold and the budget are the user's, the budget else the limit at OpenAI."""
    await setup_entry(hass, full_entry)
    [account] = await list_accounts(hass, hass_ws_client)
    assert account["low_balance_threshold"] == 5
    assert account["monthly_budget"] == 100

    hass.config_entries.async_update_entry(full_entry, options={CONF_LOW_BALANCE_THRESHOLD: 0})
    await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done()
    [account] = await list_accounts(hass, hass_ws_client)
    assert account["low_balance_threshold"] is None
    assert account["monthly_budget"] == 150


async def test_no_account(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> None:
    """Without an account there is nothing to list."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert await list_accounts(hass, hass_ws_client) == []


async def test_for_all_users(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """A user who is no administrator sees dashboards, and so may send the command."""
    await setup_entry(hass, entry)
    accounts = await list_accounts(hass, hass_ws_client, hass_read_only_access_token)
    assert len(accounts) == 1


@pytest.mark.usefixtures("recorder_mock")
async def test_statistics(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    simulator: RunningSimulator,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The statistics in the database are listed, each for its account and model."""
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Without history",
        unique_id="org-other",
        data={**entry.data, CONF_SESSION_KEY: KEY},
    )
    await setup_entry(hass, entry)
    simulator.fault("*", Fault(status=500))
    await setup_entry(hass, other)
    await recorder_is_done(hass)

    account, empty = await list_accounts(hass, hass_ws_client)
    assert empty["statistics"] == []
    assert {one["statistic_id"] for one in account["statistics"]} == {
        one["statistic_id"]
        for one in await async_list_statistic_ids(hass)
        if one["source"] == DOMAIN
    }
    [total] = [one for one in account["statistics"] if one["kind"] is None]
    assert total["name"] is None
    models = {one["name"]: one["statistic_id"] for one in account["statistics"] if one["kind"]}
    assert models["gpt-5.5"] == f"{total['statistic_id']}_gpt_5_5"
