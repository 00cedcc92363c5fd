"""Reauthentication and reconfiguration of an account with a session key."""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_ORGANIZATION, CONF_SESSION_KEY
from simulator import Organization

from .common import RunningSimulator, setup_entry, submit_form
from .const import KEY, ORGANIZATION, OTHER_KEY


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
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert entry.unique_id == ORGANIZATION
    assert entity_ids(hass, entry) == before
    assert entry.state is ConfigEntryState.LOADED
