"""When admin keys expire, and the repair that announces it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_DEFAULT_PROJECT, DOMAIN

from .common import RunningSimulator, count_requests, poll, setup_entry, submit_form
from .const import ADMIN_KEY, NOW, OTHER_ADMIN_KEY

DAY = 86_400


def repair(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the repair that announces the end of the admin key."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"admin_key_expiring_{entry.entry_id}")


async def test_repair_announces_the_end_a_week_before(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The repair appears a week before the key expires, and goes with a new key."""
    freezer.move_to(NOW)
    simulator.account.admin_keys_expire_at = NOW + timedelta(days=9)
    await setup_entry(hass, full_entry)
    assert repair(hass, full_entry) is None
    await poll(hass, freezer, DAY)
    assert repair(hass, full_entry) is None
    await poll(hass, freezer, DAY)
    found = repair(hass, full_entry)
    assert found
    assert found.translation_key == "admin_key_expiring"
    assert found.translation_placeholders
    assert found.translation_placeholders["account"] == "Example Home"
    assert found.translation_placeholders["date"] == "2026-12-03"

    # A restart shows it at once, before anything is requested again.
    asked = count_requests(simulator, "admin_api_keys")
    await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert repair(hass, full_entry)
    assert count_requests(simulator, "admin_api_keys") == asked

    simulator.admin_key = OTHER_ADMIN_KEY
    simulator.account.admin_keys_expire_at = None
    result = await full_entry.start_reconfigure_flow(hass)
    result = await submit_form(
        hass, result["flow_id"], host=simulator.url, admin_key=OTHER_ADMIN_KEY
    )
    assert result["reason"] == "reconfigure_successful"
    assert repair(hass, full_entry) is None


async def test_expiry_is_requested_once_a_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The list of admin keys is requested once a day, also where it may not be read."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    for fault in (None, "no_permission", "server_error"):
        simulator.clear_faults()
        if fault:
            simulator.fault("admin_api_keys", fault)
        simulator.requests.clear()
        for _ in range(24):
            await poll(hass, freezer, 3_600)
        assert count_requests(simulator, "admin_api_keys") == 1, fault
        # That is the one for their names.
        assert count_requests(simulator, "projects") == 1, fault
    assert repair(hass, full_entry) is None


async def test_repair_ends_with_the_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Once the key is rejected, the reauthentication takes over; a disabled entry has no repair."""
    freezer.move_to(NOW)
    simulator.account.admin_keys_expire_at = NOW + timedelta(days=2)
    await setup_entry(hass, full_entry)
    assert repair(hass, full_entry)
    simulator.admin_key = OTHER_ADMIN_KEY
    await poll(hass, freezer)
    assert repair(hass, full_entry) is None
    assert [one["step_id"] for one in hass.config_entries.flow.async_progress()] == [
        "reauth_admin_key"
    ]
    simulator.admin_key = ADMIN_KEY
    await poll(hass, freezer, 3_700)
    assert repair(hass, full_entry)
    await hass.config_entries.async_set_disabled_by(full_entry.entry_id, ConfigEntryDisabler.USER)
    assert repair(hass, full_entry) is None


def key_row(redacted: object, days: int | None) -> dict[str, Any]:
    """Return a row of the list of admin keys."""
    return {
        "id": f"key_{redacted}",
        "redacted_value": redacted,
        "expires_at": None if days is None else int((NOW + timedelta(days=days)).timestamp()),
        "owner": {"user": {"name": "Erika Example", "email": "owner@example.com"}},
    }


@pytest.mark.parametrize(
    ("rows", "is_shown"),
    [
        pytest.param([key_row("sk-admin-...KEY", 3)], True, id="dots"),
        pytest.param([key_row(f"sk-admin-*****{ADMIN_KEY[-4:]}", 3)], True, id="asterisks"),
        pytest.param([key_row("sk-admin-...abc", 3)], False, id="another key"),
        pytest.param([key_row("sk-admin-...", 3)], False, id="no end"),
        pytest.param([key_row(None, 3), key_row(5, 3)], False, id="no text"),
        pytest.param(
            [key_row("sk-admin-...KEY", 3), key_row("sk-a...NKEY", None)], False, id="two like it"
        ),
        pytest.param([key_row("sk-admin-...KEY", None)], False, id="never"),
        pytest.param([key_row("sk-admin-...KEY", -3)], False, id="past"),
    ],
)
async def test_only_the_own_key_counts(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    rows: list[dict[str, Any]],
    is_shown: bool,
) -> None:
    """The key is found by what the list shows of it; nothing is guessed where that is unclear."""
    freezer.move_to(NOW)
    simulator.account.overrides["admin_api_keys"] = {"data": rows, "has_more": False}
    await setup_entry(hass, full_entry)
    assert (repair(hass, full_entry) is not None) is is_shown


async def test_organization_of_an_earlier_account_is_learned(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An account that was added earlier learns its oldest project, and keeps its identity."""
    freezer.move_to(NOW)
    simulator.fault("projects", "no_permission", times=2)
    await setup_entry(hass, full_entry)
    identity = full_entry.unique_id
    assert CONF_DEFAULT_PROJECT not in full_entry.data
    await poll(hass, freezer, DAY)
    assert full_entry.data[CONF_DEFAULT_PROJECT] == "proj_default"
    assert full_entry.unique_id == identity
