"""Reauthentication and reconfiguration: what the forms ask for, and what they change."""

from __future__ import annotations

from unittest.mock import ANY

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    DOMAIN,
)
from simulator import Organization

from .common import RunningSimulator, poll, setup_entry, submit_form, suggested_values
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_ADMIN_KEY, OTHER_KEY


def entity_ids(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the entity ids of an entry by unique id."""
    registry = er.async_get(hass)
    return {
        entity.unique_id: entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


@pytest.mark.parametrize(
    ("fault", "field", "error"),
    [
        ("expired_key", CONF_SESSION_KEY, "invalid_auth"),
        ("html_wall", "base", "blocked"),
        ("rate_limited", "base", "rate_limited"),
    ],
)
async def test_reauth_replaces_the_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    fault: str,
    field: str,
    error: str,
) -> None:
    """A new key of the same account replaces the old one; customized entities stay."""
    await setup_entry(hass, entry)
    before = entity_ids(hass, entry)
    registry = er.async_get(hass)
    available = before[f"{ORGANIZATION}_total_available"]
    registry.async_update_entity(available, name="Mine", new_entity_id="sensor.mine")

    simulator.key = OTHER_KEY
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    simulator.fault("credit_grants", fault, times=1)
    result = await submit_form(hass, result["flow_id"], session_key=OTHER_KEY)
    assert result["errors"] == {field: error}
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_auth"}

    result = await submit_form(hass, result["flow_id"], session_key=f"Bearer {OTHER_KEY}")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_SESSION_KEY] == OTHER_KEY
    assert entry.state is ConfigEntryState.LOADED
    assert entity_ids(hass, entry) == before | {f"{ORGANIZATION}_total_available": "sensor.mine"}
    shown = hass.states.get("sensor.mine")
    assert shown
    assert shown.name == "Mine"
    assert float(shown.state) > 0


async def test_reauth_refuses_another_account(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A key of another organization is refused."""
    await setup_entry(hass, entry)
    result = await entry.start_reauth_flow(hass)
    simulator.account.organizations = [Organization("org-other", "Other")]
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["errors"] == {"base": "wrong_account"}
    assert entry.data[CONF_SESSION_KEY] == KEY

    simulator.account.organizations.append(Organization(ORGANIZATION, "Example Home"))
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["reason"] == "reauth_successful"


async def test_reconfigure_changes_host_and_key(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Host and key can change; the account cannot, and its entities stay."""
    await setup_entry(hass, entry)
    before = entity_ids(hass, entry)
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure"

    result = await submit_form(hass, result["flow_id"], host="http://8.8.8.8", session_key=KEY)
    assert result["errors"] == {CONF_HOST: "insecure_host"}

    simulator.account.organizations = [Organization("org-other", "Other")]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=KEY)
    assert result["errors"] == {"base": "wrong_account"}

    simulator.account.organizations = [Organization(ORGANIZATION, "Renamed")]
    simulator.key = OTHER_KEY
    url = simulator.url.replace("127.0.0.1", "localhost")
    result = await submit_form(hass, result["flow_id"], host=url, session_key=OTHER_KEY)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {
        CONF_HOST: url,
        CONF_SESSION_KEY: OTHER_KEY,
        CONF_SESSION_KEY_ADDED: ANY,
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert entry.unique_id == ORGANIZATION
    assert entity_ids(hass, entry) == before
    assert entry.state is ConfigEntryState.LOADED


# ---- What the forms ask for --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rejected", "step_id"),
    [
        ({CONF_SESSION_KEY}, "reauth_confirm"),
        ({CONF_ADMIN_KEY}, "reauth_admin_key"),
        ({CONF_SESSION_KEY, CONF_ADMIN_KEY}, "reauth_confirm"),
    ],
)
async def test_reauth_asks_for_the_rejected_keys_alone(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    rejected: set[str],
    step_id: str,
) -> None:
    """The dialog names the account and has a field for each rejected key, and nothing else."""
    if CONF_SESSION_KEY in rejected:
        simulator.key = OTHER_KEY
    if CONF_ADMIN_KEY in rejected:
        simulator.admin_key = OTHER_ADMIN_KEY
    await setup_entry(hass, full_entry)
    [flow] = hass.config_entries.flow.async_progress()
    result = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert result["step_id"] == step_id
    assert result["data_schema"]
    assert {str(field) for field in result["data_schema"].schema} == rejected
    assert (result["description_placeholders"] or {})["account"] == "Example Home"

    new = {CONF_SESSION_KEY: OTHER_KEY, CONF_ADMIN_KEY: OTHER_ADMIN_KEY}
    result = await submit_form(hass, flow["flow_id"], **{key: new[key] for key in rejected})
    assert result["reason"] == "reauth_successful"
    assert full_entry.state is ConfigEntryState.LOADED


async def test_error_of_a_key_without_a_field_is_shown_at_the_base(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """If the other key dies meanwhile, the form says so, keeps the new key, and asks for both."""
    freezer.move_to(NOW)
    simulator.key = OTHER_KEY
    await setup_entry(hass, full_entry)
    [flow] = hass.config_entries.flow.async_progress()
    simulator.admin_key = OTHER_ADMIN_KEY
    result = await submit_form(hass, flow["flow_id"], session_key=OTHER_KEY)
    assert result["errors"] == {"base": "other_key_rejected"}
    assert suggested_values(result) == {CONF_SESSION_KEY: OTHER_KEY}

    await poll(hass, freezer)
    result = await submit_form(hass, flow["flow_id"], session_key=OTHER_KEY)
    assert result["errors"] == {CONF_ADMIN_KEY: "invalid_auth"}
    result = await submit_form(
        hass, flow["flow_id"], session_key=OTHER_KEY, admin_key=OTHER_ADMIN_KEY
    )
    assert result["reason"] == "reauth_successful"


@pytest.mark.parametrize(
    ("keys", "stored"),
    [
        ({CONF_SESSION_KEY: KEY}, ("sess-…", "–")),  # noqa: RUF001
        ({CONF_ADMIN_KEY: ADMIN_KEY}, ("–", "sk-admin-…")),  # noqa: RUF001
        ({CONF_SESSION_KEY: KEY, CONF_ADMIN_KEY: ADMIN_KEY}, ("sess-…", "sk-admin-…")),
        # A gateway's token, of which no part is shown either
        ({CONF_SESSION_KEY: "token"}, ("…", "–")),  # noqa: RUF001
    ],
)
async def test_reconfigure_says_which_keys_are_stored(
    hass: HomeAssistant, simulator: RunningSimulator, keys: dict[str, str], stored: tuple[str, str]
) -> None:
    """The form says for each key whether it is stored, and shows no part of it."""
    entry = MockConfigEntry(domain=DOMAIN, data={CONF_HOST: simulator.url, **keys})
    entry.add_to_hass(hass)
    result = await entry.start_reconfigure_flow(hass)
    placeholders = result["description_placeholders"] or {}
    assert placeholders["stored_session_key"] == stored[0]
    assert placeholders["stored_admin_key"] == stored[1]
    assert suggested_values(result) == {CONF_HOST: simulator.url}
    # Only a key that is there can be removed.
    assert result["data_schema"]
    fields = {str(field) for field in result["data_schema"].schema}
    assert fields == {CONF_HOST, CONF_SESSION_KEY, CONF_ADMIN_KEY} | {
        f"remove_{key}" for key in keys
    }
