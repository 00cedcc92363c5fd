"""Which account a key belongs to: a new one, or one that is set up already.

An organization is known by its id, which `me` and some cost rows report, or else by its
oldest project. Where an admin key tells neither, only the user knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
import hashlib

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .api import InvalidAuthError, KeyKind, OpenAIAccountError
from .client import async_create_client
from .const import CONF_DEFAULT_PROJECT, CONF_ORGANIZATION, DOMAIN
from .coordinator import COSTS, OpenAIAccountConfigEntry, keys_of
from .validation import Account

_SHORTEST_END = 6


@dataclass(slots=True)
class Matches:
    """The entries that are the same account, and those that may be."""

    same: list[OpenAIAccountConfigEntry] = field(default_factory=list)
    possible: list[OpenAIAccountConfigEntry] = field(default_factory=list)


async def async_find_matches(
    hass: HomeAssistant,
    account: Account,
    organization: str | None,
    entry: OpenAIAccountConfigEntry | None = None,
) -> Matches:
    """Compare an account with those that are set up, or with the other ones than an entry."""
    matches = Matches()
    for other in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if other is entry:
            continue
        is_same = await _async_is_same(hass, account, organization, other)
        if is_same:
            matches.same.append(other)
        elif is_same is None:
            matches.possible.append(other)
    return matches


async def async_is_still(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, account: Account
) -> bool | None:
    """Return whether new keys belong to an entry's account, None if that is not known.

    `async_validate` has checked them against the entry's organization where that is stored.
    """
    admin_key = account.keys.get(KeyKind.ADMIN)
    known: str | None = entry.data.get(CONF_DEFAULT_PROJECT)
    if account.default_project and known:
        return account.default_project == known
    if entry.data.get(CONF_ORGANIZATION) or admin_key in (None, keys_of(entry).get(KeyKind.ADMIN)):
        return True
    if KeyKind.ADMIN not in keys_of(entry):
        # An entry of a session key whose host does not report organizations
        return True
    organization = account.organizations[0].id if len(account.organizations) == 1 else None
    return await _async_compare(hass, account, organization, entry)


async def _async_is_same(
    hass: HomeAssistant,
    account: Account,
    organization: str | None,
    entry: OpenAIAccountConfigEntry,
) -> bool | None:
    """Return whether an entry is the same account, None if that is not known."""
    if shares_organization(organization, entry):
        return True
    if organization and _organization_of(entry):
        return False
    if shares_token(account, organization, entry) or _shares_admin_key(account, entry):
        return True
    projects = (account.default_project, entry.data.get(CONF_DEFAULT_PROJECT))
    if all(projects):
        return projects[0] == projects[1]
    if entry.data[CONF_HOST] != account.host:
        return False
    if KeyKind.ADMIN not in account.keys.keys() | keys_of(entry).keys():
        # Tokens of a gateway: each is an account of its own.
        return False
    return await _async_compare(hass, account, organization, entry)


async def _async_compare(
    hass: HomeAssistant,
    account: Account,
    organization: str | None,
    entry: OpenAIAccountConfigEntry,
) -> bool | None:
    """Compare by requests what the stored data do not tell."""
    known = _organization_of(entry)
    if known and organization:
        return known == organization
    if known and (key := account.keys.get(KeyKind.ADMIN)):
        return None if await _async_accepts(hass, account.host, key, known) else False
    if (key := keys_of(entry).get(KeyKind.ADMIN)) is None:
        return None
    if account.default_project and (project := await _async_project(hass, entry, key)):
        return project == account.default_project
    if organization and not await _async_accepts(hass, entry.data[CONF_HOST], key, organization):
        return False
    return None


def shares_organization(organization: str | None, entry: OpenAIAccountConfigEntry) -> bool:
    """Return whether an entry is known to be of an organization."""
    return organization is not None and organization in (_organization_of(entry), entry.unique_id)


def shares_token(
    account: Account, organization: str | None, entry: OpenAIAccountConfigEntry
) -> bool:
    """Return whether an entry has the same token of a gateway, where a token is an account.

    A session key of OpenAI opens all organizations of its owner.
    """
    key = account.keys.get(KeyKind.SESSION)
    return (
        key is not None
        and key == keys_of(entry).get(KeyKind.SESSION)
        and entry.data[CONF_HOST] == account.host
        and organization is None
        and CONF_ORGANIZATION not in entry.data
    )


def _shares_admin_key(account: Account, entry: OpenAIAccountConfigEntry) -> bool:
    key = account.keys.get(KeyKind.ADMIN)
    return (
        key is not None
        and key == keys_of(entry).get(KeyKind.ADMIN)
        and entry.data[CONF_HOST] == account.host
    )


def _organization_of(entry: OpenAIAccountConfigEntry) -> str | None:
    """Return the id of an entry's organization, as stored or as its costs report it."""
    organization: str | None = entry.data.get(CONF_ORGANIZATION)
    if organization is None and entry.state is ConfigEntryState.LOADED:
        report = entry.runtime_data.last(COSTS)
        if report and report.organization:
            organization = report.organization[0]
    return organization


async def _async_accepts(hass: HomeAssistant, host: str, key: str, organization: str) -> bool:
    """Return whether an admin key may belong to an organization: False only if it is refused."""
    try:
        client = await async_create_client(hass, host, {KeyKind.ADMIN: key})
        await client.costs_of_today()
        client = await async_create_client(hass, host, {KeyKind.ADMIN: key}, organization)
    except OpenAIAccountError:
        return True
    try:
        await client.costs_of_today()
    except InvalidAuthError:
        return False
    except OpenAIAccountError:
        pass
    return True


async def _async_project(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, key: str
) -> str | None:
    try:
        client = await async_create_client(hass, entry.data[CONF_HOST], {KeyKind.ADMIN: key})
        return await client.oldest_project()
    except OpenAIAccountError:
        return None


def new_identity(account: Account, organization: str | None, taken: Collection[str | None]) -> str:
    """Return the unique id of a new account.

    Without an organization and a project it is a digest of the key. Such an identity stays
    with its account when that gets another key, so the old key needs another one.
    """
    if organization or account.default_project:
        return organization or account.default_project or ""
    key = account.keys.get(KeyKind.SESSION) or account.keys[KeyKind.ADMIN]
    number = 0
    while (identity := _digest(account.host, key, number)) in taken:
        number += 1
    return identity


def _digest(host: str, key: str, number: int) -> str:
    parts = (host, key, *([str(number)] if number else ()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


# ---- Names -------------------------------------------------------------------------------------


def distinct(names: Iterable[tuple[str, str]], taken: Collection[str] = ()) -> dict[str, str]:
    """Return names by id, with the id's end where several have the same name.

    `names` are ids and names; `taken` are names of others.
    """
    pairs = list(names)
    counted = [*(name.casefold() for _, name in pairs), *(name.casefold() for name in taken)]
    ids = [one for one, _ in pairs]
    length = _SHORTEST_END
    while len({one[-length:] for one in ids}) < len(set(ids)):
        length += 1
    return {
        one: f"{name} ({one[-length:]})" if counted.count(name.casefold()) > 1 else name
        for one, name in pairs
    }
