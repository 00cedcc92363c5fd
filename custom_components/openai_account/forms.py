"""The fields of the config flow's forms, and what the user entered in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .api import DEFAULT_HOST, KEY_PREFIXES, KeyKind
from .const import CONF_CREDIT, CONF_REMOVE_ADMIN_KEY, CONF_REMOVE_SESSION_KEY
from .coordinator import OpenAIAccountConfigEntry, keys_of
from .options_flow import CREDIT_SELECTOR

HOST = TextSelector(TextSelectorConfig(autocomplete="off"))
KEY = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))

USER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST, default=DEFAULT_HOST): HOST,
        # First the key that is easy to get and lasts
        vol.Optional(KeyKind.ADMIN.value): KEY,
        vol.Optional(KeyKind.SESSION.value): KEY,
        vol.Optional(CONF_CREDIT): CREDIT_SELECTOR,
        vol.Optional(CONF_NAME): TextSelector(),
    }
)
REMOVALS = {KeyKind.SESSION: CONF_REMOVE_SESSION_KEY, KeyKind.ADMIN: CONF_REMOVE_ADMIN_KEY}


def entered_keys(user_input: Mapping[str, Any]) -> dict[KeyKind, str]:
    """Return the keys that were entered; spaces alone are none."""
    return {kind: key for kind in KeyKind if (key := user_input.get(kind, "").strip())}


def masked(entry: OpenAIAccountConfigEntry, kind: KeyKind) -> str:
    """Return whether a key is stored, and its form, in no language."""
    if (key := keys_of(entry).get(kind)) is None:
        return "–"  # noqa: RUF001 - an empty place, as in a table
    prefix = KEY_PREFIXES[kind]
    return f"{prefix}…" if key.startswith(prefix) else "…"


def reconfigure_schema(entry: OpenAIAccountConfigEntry) -> vol.Schema:
    """Return the fields for the host and both keys; stored keys can be removed."""
    fields: dict[vol.Marker, object] = {vol.Required(CONF_HOST): HOST}
    for kind in KeyKind:
        fields[vol.Optional(kind.value)] = KEY
        if kind in keys_of(entry):
            fields[vol.Optional(REMOVALS[kind], default=False)] = BooleanSelector()
    return vol.Schema(fields)


def select(names: Mapping[str, str], *, several: bool) -> SelectSelector:
    """Return a list to choose from, of names by their values."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=value, label=name) for value, name in names.items()],
            multiple=several,
            mode=SelectSelectorMode.LIST,
        )
    )
