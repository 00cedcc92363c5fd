"""What an account is called: for people, and in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import CONF_ORGANIZATION, DOMAIN

if TYPE_CHECKING:
    from .coordinator import OpenAIAccountConfigEntry

_END = 6


@callback
def account_name(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> str:
    """Return what the user calls an account: the name of its device, or else the entry's title."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return next((one.name_by_user for one in devices if one.name_by_user), entry.title)


@callback
def distinct_account_name(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> str:
    """Return an account's name; with the end of its identity where another has the same name."""
    name = account_name(hass, entry)
    names = [account_name(hass, one) for one in hass.config_entries.async_entries(DOMAIN)]
    return name if names.count(name) < 2 else f"{name} ({identity_end(entry)})"


def identity_end(entry: OpenAIAccountConfigEntry) -> str:
    """Return the last characters of what identifies an account, for people to tell it by."""
    identity: str = entry.unique_id or entry.entry_id
    return identity[-_END:]


def log_name(entry: OpenAIAccountConfigEntry) -> str:
    """Return what tells accounts apart in the log, where a title can be a person's name.

    It is the end of the organization's id, which OpenAI shows, or else of the entry's,
    which is in the name of the downloaded diagnostics.
    """
    identity: str = entry.data.get(CONF_ORGANIZATION) or entry.entry_id
    return f"account …{identity[-_END:]}"
