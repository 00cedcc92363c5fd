"""When the admin key expires, and a repair that says so before.

OpenAI reports that to admin keys that may read it. Once a day is enough to ask, and to
learn which organization an account belongs to that was added before that was known.
"""

from __future__ import annotations

from datetime import datetime, timedelta
import hashlib
import logging

from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .api import EndpointMissingError, InvalidAuthError, KeyKind, OpenAIAccountError
from .const import ADMIN_KEYS_URL, CONF_ADMIN_KEY, CONF_DEFAULT_PROJECT, DOMAIN
from .coordinator import COSTS, OpenAIAccountConfigEntry, OpenAIAccountData
from .issues import create_key_issue, delete_issue
from .stored import AdminKeyRecord

_LOGGER = logging.getLogger(__name__)

ADMIN_KEY_EXPIRING = "admin_key_expiring"

# How long before its end the repair announces it
_NOTICE = timedelta(days=7)

_CHECK_INTERVAL = timedelta(days=1)


class AdminKeyWatch:
    """Watches over the admin key of one account."""

    def __init__(
        self, hass: HomeAssistant, entry: OpenAIAccountConfigEntry, account: OpenAIAccountData
    ) -> None:
        """Prepare; nothing is requested yet."""
        self._hass = hass
        self._entry = entry
        self._account = account
        self._is_checking = False

    @callback
    def update(self) -> None:
        """Show or delete the repair after a poll, and check the key once a day."""
        if self._key is not None and self._is_due():
            self._is_checking = True
            self._entry.async_create_background_task(
                self._hass, self._async_check(self._key), f"{DOMAIN} admin key"
            )
        self._update_issue()

    @property
    def _key(self) -> str | None:
        return self._entry.data.get(CONF_ADMIN_KEY)

    @property
    def _record(self) -> AdminKeyRecord | None:
        """What is known of the key that is stored now."""
        record = self._account.store.admin_key
        if record is None or self._key is None or record["key"] != self._digest(self._key):
            return None
        return record

    def _digest(self, key: str) -> str:
        text = f"{self._entry.data[CONF_HOST]}\0{key}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _is_due(self) -> bool:
        if self._is_checking or self._account.current(COSTS) is None:
            # A host that fails, or a key that is rejected, is left to the polls.
            return False
        if (record := self._record) is None:
            return True
        age = dt_util.utcnow() - datetime.fromisoformat(record["checked"])
        return not timedelta() <= age < _CHECK_INTERVAL

    def _update_issue(self) -> None:
        record = self._record
        end = record["expires_at"] if record else None
        expires_at = datetime.fromisoformat(end) if end else None
        if (
            expires_at is None
            # The reauthentication takes over.
            or self._account.is_rejected(KeyKind.ADMIN)
            or not timedelta() < expires_at - dt_util.utcnow() <= _NOTICE
        ):
            delete_issue(self._hass, self._entry.entry_id, ADMIN_KEY_EXPIRING)
            return
        create_key_issue(
            self._hass,
            self._entry,
            ADMIN_KEY_EXPIRING,
            expires_at,
            admin_keys_url=ADMIN_KEYS_URL,
        )

    async def _async_check(self, key: str) -> None:
        """Request what is to be known about the key."""
        try:
            before = self._record
            expires_at = before and before["expires_at"]
            try:
                found = await self._account.client.admin_key_expiry()
                expires_at = found.isoformat() if found else None
            except EndpointMissingError, InvalidAuthError:
                expires_at = None
            except OpenAIAccountError as err:
                _LOGGER.debug("The admin key's expiry is not available now (%s)", err.code)
            if CONF_DEFAULT_PROJECT not in self._entry.data:
                await self._async_learn_project(key)
            self._account.store.admin_key = {
                "key": self._digest(key),
                "checked": dt_util.utcnow().isoformat(),
                "expires_at": expires_at,
            }
        finally:
            self._is_checking = False
        self._update_issue()

    async def _async_learn_project(self, key: str) -> None:
        try:
            project = await self._account.client.oldest_project()
        except OpenAIAccountError as err:
            _LOGGER.debug("The organization's projects are not available now (%s)", err.code)
            return
        if project and self._key == key:
            self._hass.config_entries.async_update_entry(
                self._entry, data={**self._entry.data, CONF_DEFAULT_PROJECT: project}
            )
