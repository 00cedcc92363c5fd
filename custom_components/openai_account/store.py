"""What an entry must still know after a restart, and what a reload must not lose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
import hashlib
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util, slugify

from .const import DOMAIN, MODEL_RETENTION
from .stored import (
    AdminKeyRecord,
    AnchorRecord,
    EnteredCredit,
    NameRecord,
    RechargeRecord,
    StoreData,
    checked,
)

_VERSION = 1
_SAVE_DELAY = 30
_SLUG_LENGTH = 60
_KEPT_LIFETIMES = 5
_NONE: Mapping[str, str] = {}
# Between two single digits: 4_1 is version 4.1, but 4_0613 is not
_VERSION_DOT = re.compile(r"(?<=_\d)_(?=\d(?:_|$))")


def _model_of_slug(slug: str) -> str:
    """Return the one model or tool whose name a slug keeps whole.

    Tools are called in words (`web search tool calls`), models by parts and versions
    (`gpt-4.1-mini`): without a digit it is taken for a tool. Any other name with this slug
    gets a digest.
    """
    if not any(character.isdigit() for character in slug):
        return slug.replace("_", " ")
    return _VERSION_DOT.sub(".", slug).replace("_", "-")


class SlugRegistry:
    """Gives models, projects or API keys the slugs that entities and history depend on.

    A slug depends on the name alone, so that it is the same again after the account was
    removed and added. Where slugify loses something, a digest of the name tells names apart.
    A slug that was once given to a name is kept, whatever the rule was then.
    """

    def __init__(
        self,
        records: dict[str, NameRecord],
        changed: Callable[[], None],
        is_whole: Callable[[str, str], bool],
    ) -> None:
        """Take the known names; `is_whole` tells if a slug and a name belong to each other."""
        self._records = records
        self._changed = changed
        self._is_whole = is_whole
        self._slugs = {record["name"]: slug for slug, record in records.items()}
        # What is known of names, also of those that have had no costs yet
        self._labels: dict[str, str] = {}
        self._projects: dict[str, str] = {}

    def slug(self, name: str) -> str:
        """Return the slug of a name, giving it one if it has none yet."""
        if (slug := self._slugs.get(name)) is None:
            slug = slugify(name)[:_SLUG_LENGTH].rstrip("_")
            if not self._is_whole(slug, name) or slug in self._records:
                digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
                short = f"{slug}_{digest[:8]}".lstrip("_")
                slug = short if short not in self._records else f"{slug}_{digest}".lstrip("_")
            self._add(slug, name)
        return slug

    def adopt(self, names: Mapping[str, str]) -> None:
        """Take over slugs, by name, that the account had before it was removed and added."""
        for name, slug in sorted(names.items()):
            if name not in self._slugs and slug not in self._records:
                self._add(slug, name)

    def _add(self, slug: str, name: str) -> None:
        self._slugs[name] = slug
        self._records[slug] = {"name": name, "last_seen": ""}
        if name in self._labels:
            self._records[slug]["label"] = self._labels[name]
        if name in self._projects:
            self._records[slug]["project"] = self._projects[name]
        self._changed()

    def note(self, days: Mapping[str, date], labels: Mapping[str, str] = _NONE) -> None:
        """Record the last UTC day on which each of some names had costs, and its label."""
        changed = False
        for name, day in sorted(days.items()):
            record = self._records[self.slug(name)]
            seen = max(record["last_seen"], day.isoformat())
            label = labels.get(name, record.get("label", name))
            if record["last_seen"] != seen or record.get("label", name) != label:
                changed = True
                record["last_seen"] = seen
                record["label"] = label
        if changed:
            self._changed()

    def relabel(self, labels: Mapping[str, str]) -> None:
        """Record what people call some names, also if those have costs only later."""
        self._labels.update(labels)
        for name, label in labels.items():
            if (slug := self._slugs.get(name)) and self._records[slug].get("label") != label:
                self._records[slug]["label"] = label
                self._changed()

    def note_projects(self, projects: Mapping[str, str]) -> None:
        """Record which project each of some names belongs to, by its id; as `relabel` does."""
        self._projects.update(projects)
        for name, project in projects.items():
            if (slug := self._slugs.get(name)) and self._records[slug].get("project") != project:
                self._records[slug]["project"] = project
                self._changed()

    def note_history(self, name: str, day: date) -> None:
        """Record that the history holds costs of a name on a UTC day."""
        record = self._records[self.slug(name)]
        if record.get("history", "") < day.isoformat():
            record["history"] = day.isoformat()
            self._changed()

    def in_history(self, since: date) -> set[str]:
        """Return the slugs of the names of which the history holds a day since then."""
        return {
            slug
            for slug, record in self._records.items()
            if record.get("history", "") >= since.isoformat()
        }

    def recent(self, today: date) -> dict[str, str]:
        """Return the names, by slug, that had costs in the retention period."""
        oldest = (today - MODEL_RETENTION).isoformat()
        return {
            slug: record["name"]
            for slug, record in self._records.items()
            if record["last_seen"] >= oldest
        }

    def all(self) -> dict[str, str]:
        """Return all names that ever had costs, by slug."""
        return {slug: record["name"] for slug, record in self._records.items()}

    def label(self, slug: str) -> str:
        """Return what people call the bearer of a slug."""
        record = self._records[slug]
        return record.get("label", record["name"])

    def labels(self) -> dict[str, str]:
        """Return what people call each name: a name alone where it is not known."""
        return {one["name"]: one.get("label", one["name"]) for one in self._records.values()}

    def projects(self) -> dict[str, str]:
        """Return the project of each name that belongs to one."""
        return {
            one["name"]: project
            for one in self._records.values()
            if (project := one.get("project"))
        }


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
            data["models"], self.save_soon, lambda slug, name: _model_of_slug(slug) == name
        )
        # Those of usage: it can spell a model differently from costs, or have it alone.
        self.usage_models = SlugRegistry(
            data.setdefault("usage_models", {}),
            self.save_soon,
            lambda slug, name: _model_of_slug(slug) == name,
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
