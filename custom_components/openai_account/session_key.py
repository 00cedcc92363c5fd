"""How long a session key lasts, and a repair that says so before it ends.

OpenAI does not report when a session key expires. What is known is when the key
was entered, and how long earlier keys of the account worked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .api import KEY_PREFIXES, InvalidAuthError, KeyKind
from .const import (
    CONF_ADMIN_KEY,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    CONF_SESSION_KEY_REMINDER,
    USAGE_URL,
)
from .coordinator import CREDIT, SUBSCRIPTION, OpenAIAccountConfigEntry, OpenAIAccountData
from .estimate import estimated_credit
from .issues import create_key_issue, delete_issue
from .store import AccountStore

SESSION_KEY_EXPIRING = "session_key_expiring"

# How long session keys of OpenAI work, as long as none of the account's has expired
_LIFETIME = timedelta(days=14)

# How long before its expected end the repair announces it
_NOTICE = timedelta(days=2)

# A key that worked for less was revoked, or its owner signed out; more is a wrong clock.
_MIN_LIFETIME = timedelta(days=2)
_MAX_LIFETIME = timedelta(days=365)

# When a key ended is known only if it worked not long before it was rejected.
_MAX_GAP = timedelta(days=2)


@callback
def update_session_key(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, account: OpenAIAccountData
) -> None:
    """Learn from a poll how long session keys work, and show or delete the repair."""
    if account.is_rejected(KeyKind.SESSION):
        # The reauthentication takes over.
        _learn_lifetime(entry, account)
        delete_issue(hass, entry.entry_id, SESSION_KEY_EXPIRING)
        return
    added = _added(entry)
    works = account.current(CREDIT) is not None or account.current(SUBSCRIPTION) is not None
    if added and works:
        account.store.forget_session_key_lifetime(added.isoformat())
    if added is None or not _is_reminder_due(entry, account, added):
        delete_issue(hass, entry.entry_id, SESSION_KEY_EXPIRING)
    elif works:
        end = added + _expected_lifetime(account.store)
        create_key_issue(hass, entry, SESSION_KEY_EXPIRING, end, usage_url=USAGE_URL)


def _added(entry: OpenAIAccountConfigEntry) -> datetime | None:
    """Return when the session key was entered, if that is known and there is one."""
    added = dt_util.parse_datetime(entry.data.get(CONF_SESSION_KEY_ADDED, ""))
    return added if added and added.tzinfo and entry.data.get(CONF_SESSION_KEY) else None


def _expected_lifetime(store: AccountStore) -> timedelta:
    lifetimes = store.session_key_lifetimes
    return timedelta(days=median(lifetimes)) if lifetimes else _LIFETIME


def _is_reminder_due(
    entry: OpenAIAccountConfigEntry, account: OpenAIAccountData, added: datetime
) -> bool:
    if not entry.options.get(CONF_SESSION_KEY_REMINDER, True):
        return False
    key: str = entry.data[CONF_SESSION_KEY]
    if not account.store.session_key_lifetimes and not key.startswith(
        KEY_PREFIXES[KeyKind.SESSION]
    ):
        # A gateway's token, which can last for ever
        return False
    if entry.data.get(CONF_ADMIN_KEY) and estimated_credit(account) is not None:
        return False
    lifetime = _expected_lifetime(account.store)
    # A key of the future, or one that has outlived its time by as much again: the clock
    # was wrong, or what is expected is.
    age = dt_util.utcnow() - added
    return lifetime - min(_NOTICE, lifetime / 2) <= age < 2 * lifetime


def _learn_lifetime(entry: OpenAIAccountConfigEntry, account: OpenAIAccountData) -> None:
    """Record how long the key worked if it was rejected as expired, once per key."""
    if (added := _added(entry)) is None:
        return
    now = dt_util.utcnow()
    for status in (one.status for one in account.coordinators):
        last = status.last_success
        if (
            status.failed_key is KeyKind.SESSION
            and status.key_error == InvalidAuthError.code
            and last is not None
            and timedelta() <= now - last <= _MAX_GAP
            and _MIN_LIFETIME <= last - added <= _MAX_LIFETIME
        ):
            account.store.note_session_key_lifetime(
                added.isoformat(), (last - added) / timedelta(days=1)
            )
