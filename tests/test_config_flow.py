"""The config flow, from the dialog's side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    DOMAIN,
)
from simulator import Fault

from .conftest import RunningSimulator, setup_entry
from .const import KEY, OTHER_KEY


async def _start(hass: HomeAssistant) -> str:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    assert not result["errors"]
    return result["flow_id"]


async def test_user(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """An account is set up, named for its organization."""
    flow_id = await _start(hass)
    result = await hass.config_entries.flow.async_configure(
        flow_id, {CONF_HOST: simulator.url, CONF_SESSION_KEY: f"  Bearer {KEY}\n"}
    )
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Example Home"
    organization = simulator.account.organizations[0].id
    assert result["data"] == {
        CONF_HOST: simulator.url,
        CONF_SESSION_KEY: KEY,
        CONF_ORGANIZATION: organization,
    }
    assert result["result"].unique_id == organization
    assert result["result"].state is ConfigEntryState.LOADED


async def test_user_name(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """The name that the user gives goes before all others."""
    flow_id = await _start(hass)
    result = await hass.config_entries.flow.async_configure(
        flow_id,
        {CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY, CONF_NAME: " My  account "},
    )
    assert result["title"] == "My account"
