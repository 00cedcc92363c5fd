"""What an entry must still know after a restart, and what a reload must not lose."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .slugs import SlugRegistry, model_of_slug
from .stored import (
    AdminKeyRecord,
    AnchorRecord,
    EnteredCredit,
    RechargeRecord,
    StoreData,
    checked,
)

_VERSION = 1
_SAVE_DELAY = 30
_KEPT_LIFETIMES = 5


class AccountStore:
    """Remembers names by their slugs, endpoints that answered, the credit and dead keys."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare; nothing is read yet."""
        self._store = Store[StoreData](hass, _VERSION, f"{DOMAIN}.{entry_id}")
        self._is_closed = False
        self._take({"models": {}, "endpoints": {}})

    def _take(self, data: StoreData) -> None:
        self._data = data
        self.models = SlugRegistry(
            data["models"], self.save_soon, lambda slug, name: model_of_slug(slug) == name
        )
        # Those of usage: it can spell a model differently from costs, or have it alone.
        self.usage_models = SlugRegistry(
            data.setdefault("usage_models", {}),
            self.save_soon,
            lambda slug, name: model_of_slug(slug) == name,
        )
        # Ids do not differ by case alone.
        self.projects = SlugRegistry(
            data.setdefault("projects", {}),
            self.save_soon,
            lambda slug, name: slug == name.lower(),
        )
        # Those of keys can.
        self.api_keys = SlugRegistry(
            data.setdefault("api_keys", {}), self.save_soon, lambda slug, name: slug == name
        )

    async def async_load(self) -> None:
        """Read what was stored."""
        self._take(checked(await self._store.async_load()))

    async def async_save(self) -> None:
        """Write at once."""
        await self._store.async_save(self._data)

    async def async_close(self) -> None:
        """Write at once, and nothing more: the next setup of the entry has a store of its own.

        A request that is still under way must not overwrite what that one writes.
        """
        self._is_closed = True
        await self.async_save()

    @property
    def is_closed(self) -> bool:
        """Whether the entry has been unloaded; requests may still be under way."""
        return self._is_closed

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()

    @property
    def cleared(self) -> list[str]:
        """The ids of statistics that have gone and are not whole again."""
        return self._data.get("cleared", [])

    @cleared.setter
    def cleared(self, statistic_ids: list[str]) -> None:
        if statistic_ids != self.cleared:
            self._data["cleared"] = statistic_ids
            self.save_soon()

    @property
    def filled(self) -> list[str]:
        """The keys of the measures whose past the history holds."""
        return self._data.get("filled", [])

    @filled.setter
    def filled(self, measures: list[str]) -> None:
        if measures != self.filled:
            self._data["filled"] = measures
            self.save_soon()

    @property
    def anchor(self) -> AnchorRecord | None:
        """The last credit that was known; see `estimate.py`."""
        return self._data.get("anchor")

    @anchor.setter
    def anchor(self, anchor: AnchorRecord | None) -> None:
        self._data["anchor"] = anchor

    @property
    def entered_credit(self) -> EnteredCredit | None:
        """Credit that the user entered and that is not an anchor yet."""
        return self._data.get("entered_credit")

    @entered_credit.setter
    def entered_credit(self, entered: EnteredCredit | None) -> None:
        self._data["entered_credit"] = entered

    @property
    def recharge(self) -> RechargeRecord | None:
        """The last known state of auto-recharge."""
        return self._data.get("recharge")

    @recharge.setter
    def recharge(self, recharge: RechargeRecord | None) -> None:
        self._data["recharge"] = recharge

    def has_answered(self, endpoint: str) -> bool:
        """Return whether an endpoint ever answered for this account."""
        return endpoint in self._data["endpoints"]

    def note_answer(self, endpoint: str) -> None:
        """Record that an endpoint answers."""
        if self._data["endpoints"].get(endpoint) != {"missing_since": None}:
            self._data["endpoints"][endpoint] = {"missing_since": None}
            self.save_soon()

    def keep_endpoints(self, endpoints: Collection[str]) -> None:
        """Forget all other endpoints, which the account has no key for anymore."""
        for endpoint in self._data["endpoints"].keys() - endpoints:
            del self._data["endpoints"][endpoint]
            self.save_soon()

    def missing_for(self, endpoint: str) -> timedelta:
        """Record that an endpoint which has answered is missing; return since how long."""
        record = self._data["endpoints"][endpoint]
        now = dt_util.utcnow()
        since = record["missing_since"] and datetime.fromisoformat(record["missing_since"])
        if not since or since > now:
            # The clock was set back: what it said before is worth nothing.
            record["missing_since"] = now.isoformat()
            self.save_soon()
            return timedelta()
        return now - since

    @property
    def session_key_lifetimes(self) -> list[float]:
        """How many days the last session keys worked, the oldest first."""
        return [record["days"] for record in self._data.get("session_keys", ())]

    def note_session_key_lifetime(self, added: str, days: float) -> None:
        """Record how many days a session key worked, unless that is recorded already."""
        records = self._data.setdefault("session_keys", [])
        if all(record["added"] != added for record in records):
            records.append({"added": added, "days": days})
            del records[:-_KEPT_LIFETIMES]
            self.save_soon()

    def forget_session_key_lifetime(self, added: str) -> None:
        """Forget the lifetime of a session key that works again."""
        records = self._data.get("session_keys", [])
        left = [record for record in records if record["added"] != added]
        if left != records:
            self._data["session_keys"] = left
            self.save_soon()

    @property
    def admin_key(self) -> AdminKeyRecord | None:
        """What the API last said of the admin key."""
        return self._data.get("admin_key")

    @admin_key.setter
    def admin_key(self, record: AdminKeyRecord) -> None:
        self._data["admin_key"] = record
        self.save_soon()

    def save_soon(self) -> None:
        """Write everything in half a minute, or when Home Assistant stops."""
        if not self._is_closed:
            self._store.async_delay_save(lambda: self._data, _SAVE_DELAY)
