"""History that is interrupted while it is mended, and accounts that are hard to tell apart."""

from __future__ import annotations

from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
from sqlalchemy.exc import OperationalError

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN

from .common import RunningSimulator, fill_history, history_rows, poll, set_options, setup_entry
from .const import KEY, NOW, ORGANIZATION
from .history import ACCOUNT, MODEL, check_rows, clear, ledger

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]


async def test_model_cleared_then_reload_before_refilled(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One model cleared, a poll, then a reload before the past was requested: all comes back."""
    book = simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    before = await history_rows(hass)
    await clear(hass, MODEL)
    await poll(hass, freezer)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await fill_history(hass, freezer)
    await poll(hass, freezer)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    assert len(found[MODEL]) == len(before[MODEL])
    check_rows(found, book)


async def test_added_beside_an_account_with_a_longer_identity(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An account must not adopt the slugs of one whose identity begins like its statistics."""
    simulator.account.ledger = ledger(20, ("gpt-5-mini",))
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Work",
        unique_id=f"{ORGANIZATION}_cost",
        data={CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY},
    )
    await setup_entry(hass, other)
    await fill_history(hass, freezer)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    assert (await history_rows(hass)).keys() == {
        ACCOUNT,
        f"{ACCOUNT}_gpt_5_mini",
        f"{ACCOUNT}_cost",
        f"{ACCOUNT}_cost_gpt_5_mini",
        f"{ACCOUNT.removesuffix('_cost')}_project_cost_proj_default",
        f"{ACCOUNT}_project_cost_proj_default",
    }


async def test_two_accounts_of_one_title(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Two organizations that are both called Personal have statistics told apart by name."""
    simulator.account.ledger = ledger(5)
    other = MockConfigEntry(
        domain=DOMAIN,
        title=entry.title,
        unique_id="org-Other",
        data={CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY},
    )
    await setup_entry(hass, entry)
    await setup_entry(hass, other)
    await fill_history(hass, freezer, 3)
    names = [one["name"] for one in await async_list_statistic_ids(hass) if one["source"] == DOMAIN]
    assert len(names) == len(set(names)), sorted(names)


async def test_device_renamed(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A device that the user renames, as the dashboard shows it, names the statistics too."""
    simulator.account.ledger = ledger(5)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 3)
    registry = dr.async_get(hass)
    device = dr.async_entries_for_config_entry(registry, entry.entry_id)[0]
    registry.async_update_device(device.id, name_by_user="Kitchen")
    await poll(hass, freezer)
    await poll(hass, freezer)
    names = {
        one["statistic_id"]: one["name"]
        for one in await async_list_statistic_ids(hass)
        if one["source"] == DOMAIN
    }
    assert "Kitchen" in names[ACCOUNT], names


async def test_list_accounts_with_broken_database(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
) -> None:
    """A database that fails costs the dashboard its graphs, not the rest."""
    await setup_entry(hass, entry)
    client = await hass_ws_client(hass)
    with patch(
        "homeassistant.components.recorder.statistics.get_metadata",
        side_effect=OperationalError("SELECT", {}, Exception("disk I/O error")),
    ):
        await client.send_json_auto_id({"type": f"{DOMAIN}/account/list"})
        response = await client.receive_json()
    assert response["success"], response["error"]


async def test_model_cleared_then_options_saved(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One model cleared, half of it requested again, then interrupted: all comes back."""
    simulator.account.ledger = ledger(365)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    await clear(hass, MODEL)
    await poll(hass, freezer)
    await fill_history(hass, freezer, 1)
    await set_options(hass, entry, low_balance_threshold=7)
    await fill_history(hass, freezer)
    await poll(hass, freezer, 86400)
    await fill_history(hass, freezer)
    assert len((await history_rows(hass))[MODEL]) == 365
