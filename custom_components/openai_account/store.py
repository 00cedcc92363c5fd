"""What an entry must still know after a restart, and what a reload must not lose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
import hashlib
from typing import NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util, slugify

from .const import DOMAIN, MODEL_RETENTION

_VERSION = 1
_SAVE_DELAY = 30
_SLUG_LENGTH = 60
_DAY = timedelta(days=1)
_NONE: Mapping[str, str] = {}


class NameRecord(TypedDict):
    """What costs money: its name or id, and the last UTC day that a report named it.

    `label` is what people call it, where that is not its name.
    """

    name: str
    last_seen: str
    label: NotRequired[str]


class EndpointRecord(TypedDict):
    """An endpoint that has answered; since when it has been missing (ISO 8601, UTC), or None."""

    missing_since: str | None


class AnchorRecord(TypedDict):
    """A credit that was known: `amount` at a `time`, when its UTC day had cost `spent` so far.

    `source` is `reported` or `entered`. `expires` is when the next grant that had
    money left expires. `days` are the costs of the days since, including that
    first one, up to `known_until`; `settled` is the sum of those that are no longer kept.
    `saved` is the time of the anchor that was last written to disk. Times are ISO
    8601, amounts US dollars.
    """

    source: str
    amount: float
    time: str
    spent: float
    expires: str | None
    may_have_recharged: bool
    known_until: str
    settled: float
    days: dict[str, float]
    saved: str


class EnteredCredit(TypedDict):
    """Credit that the user entered at a time, and that waits for the costs of that time."""

    amount: float
    time: str


class RechargeRecord(TypedDict):
    """The last known state of auto-recharge, and the balance in US dollars below which it acts."""

    enabled: bool
    threshold: float | None


class StoreData(TypedDict):
    """The stored form. `covered` are the first and last UTC days of spans whose costs are known."""

    models: dict[str, NameRecord]
    projects: NotRequired[dict[str, NameRecord]]
    endpoints: dict[str, EndpointRecord]
    covered: NotRequired[list[tuple[str, str]]]
    anchor: NotRequired[AnchorRecord | None]
    entered_credit: NotRequired[EnteredCredit | None]
    recharge: NotRequired[RechargeRecord | None]


class SlugRegistry:
    """Gives models, or projects, the slugs that entities and history hang on.

    A name keeps its slug for ever. Names that would share one get one with a
    digest, whichever of them came second.
    """

    def __init__(self, records: dict[str, NameRecord], changed: Callable[[], None]) -> None:
        """Take what is known, and whom to tell of changes."""
        self._records = records
        self._changed = changed
        self._slugs = {record["name"]: slug for slug, record in records.items()}

    def slug(self, name: str) -> str:
        """Return the slug of a name, giving it one if it has none yet."""
        if (slug := self._slugs.get(name)) is None:
            slug = slugify(name)[:_SLUG_LENGTH].rstrip("_")
            if not slug or slug == "unknown" != name or slug in self._records:
                digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
                slug = f"{slug}_{digest}".lstrip("_")
            self._slugs[name] = slug
            self._records[slug] = {"name": name, "last_seen": ""}
            self._changed()
        return slug

    def note(self, names: Iterable[str], today: date, labels: Mapping[str, str] = _NONE) -> None:
        """Note that a report named these, and what people call them."""
        day = today.isoformat()
        changed = False
        for name in sorted(names):
            record = self._records[self.slug(name)]
            label = labels.get(name, record.get("label", name))
            if record["last_seen"] != day or record.get("label", name) != label:
                changed = True
                record["last_seen"] = day
                record["label"] = label
        if changed:
            self._changed()

    def recent(self, today: date) -> dict[str, str]:
        """Return the names, by slug, of those that were seen lately."""
        oldest = (today - MODEL_RETENTION).isoformat()
        return {
            slug: record["name"]
            for slug, record in self._records.items()
            if record["last_seen"] >= oldest
        }

    def all(self) -> dict[str, str]:
        """Return the names of all that ever were, by slug."""
        return {slug: record["name"] for slug, record in self._records.items()}

    def label(self, slug: str) -> str:
        """Return what people call the bearer of a slug."""
        record = self._records[slug]
        return record.get("label", record["name"])


class AccountStore:
    """Remembers names by their slugs, endpoints that answered, and days in the history."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare; nothing is read yet."""
        self._store = Store[StoreData](hass, _VERSION, f"{DOMAIN}.{entry_id}")
        self._take({"models": {}, "endpoints": {}})

    def _take(self, data: StoreData) -> None:
        self._data = data
        self.models = SlugRegistry(data["models"], self.save_soon)
        self.projects = SlugRegistry(data.setdefault("projects", {}), self.save_soon)

    async def async_load(self) -> None:
        """Read what was stored."""
        if stored := await self._store.async_load():
            self._take(stored)

    async def async_save(self) -> None:
        """Write at once."""
        await self._store.async_save(self._data)

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()

    def note_covered(self, first: date, last: date) -> None:
        """Note that the costs of these days are in the history."""
        spans = [*self._covered(), (first, last)]
        joined: list[tuple[date, date]] = []
        for start, end in sorted(spans):
            if joined and start <= joined[-1][1] + _DAY:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        stored = [(start.isoformat(), end.isoformat()) for start, end in joined]
        if stored != [tuple(span) for span in self._data.get("covered", ())]:
            self._data["covered"] = stored
            self.save_soon()

    def uncovered(self, first: date, last: date) -> list[tuple[date, date]]:
        """Return the spans of days that are not in the history, the oldest first.

        Each is its first day and the day after its last one.
        """
        gaps = []
        start = first
        for begin, end in self._covered():
            if begin > start:
                gaps.append((start, begin))
            start = max(start, end + _DAY)
        if start <= last:
            gaps.append((start, last + _DAY))
        return gaps

    def _covered(self) -> list[tuple[date, date]]:
        return [
            (date.fromisoformat(start), date.fromisoformat(end))
            for start, end in self._data.get("covered", ())
        ]

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

    def save_soon(self) -> None:
        """Write everything in half a minute, or when Home Assistant stops."""
        self._store.async_delay_save(lambda: self._data, _SAVE_DELAY)
