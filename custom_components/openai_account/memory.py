"""What an entry must still know after a restart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
import hashlib
from typing import NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import slugify

from .const import DOMAIN, MODEL_RETENTION

_VERSION = 1
_SAVE_DELAY = 30
_SLUG_LENGTH = 60
_DAY = timedelta(days=1)


class ModelRecord(TypedDict):
    """A model that cost money: its name, and the last UTC day that a report named it."""

    name: str
    last_seen: str


class EndpointRecord(TypedDict):
    """An endpoint that answered once; since when it is gone, or None."""

    missing_since: str | None


class MemoryData(TypedDict):
    """The stored form. `covered` are the first and last UTC days of spans whose costs are known."""

    models: dict[str, ModelRecord]
    endpoints: dict[str, EndpointRecord]
    covered: NotRequired[list[tuple[str, str]]]


class AccountMemory:
    """Remembers models by the slugs they were given, and endpoints that answered.

    A model keeps its slug for ever: entities and history hang on it. Names that
    would share a slug get one with a digest, whichever of them came second.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare; nothing is read yet."""
        self._store = Store[MemoryData](hass, _VERSION, f"{DOMAIN}.{entry_id}")
        self._data: MemoryData = {"models": {}, "endpoints": {}}
        self._slugs: dict[str, str] = {}

    async def async_load(self) -> None:
        """Read what was stored."""
        if stored := await self._store.async_load():
            self._data = stored
            self._slugs = {record["name"]: slug for slug, record in stored["models"].items()}

    async def async_save(self) -> None:
        """Write at once."""
        await self._store.async_save(self._data)

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()

    def slug(self, model: str) -> str:
        """Return the slug of a model, giving it one if it has none yet."""
        if (slug := self._slugs.get(model)) is None:
            slug = slugify(model)[:_SLUG_LENGTH].rstrip("_")
            if not slug or slug == "unknown" != model or slug in self._data["models"]:
                digest = hashlib.sha256(model.encode("utf-8", "replace")).hexdigest()[:8]
                slug = f"{slug}_{digest}".lstrip("_")
            self._slugs[model] = slug
            self._data["models"][slug] = {"name": model, "last_seen": ""}
            self._save_soon()
        return slug

    def note_models(self, models: Iterable[str], today: date) -> None:
        """Note that a report named these models."""
        day = today.isoformat()
        changed = False
        for model in sorted(models):
            record = self._data["models"][self.slug(model)]
            changed = changed or record["last_seen"] != day
            record["last_seen"] = day
        if changed:
            self._save_soon()

    def models(self, today: date) -> dict[str, str]:
        """Return the names, by slug, of the models that were seen lately."""
        oldest = (today - MODEL_RETENTION).isoformat()
        return {
            slug: record["name"]
            for slug, record in self._data["models"].items()
            if record["last_seen"] >= oldest
        }

    def all_models(self) -> dict[str, str]:
        """Return the names of all models that ever were, by slug."""
        return {slug: record["name"] for slug, record in self._data["models"].items()}

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
            self._save_soon()

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

    def has_answered(self, endpoint: str) -> bool:
        """Return whether an endpoint ever answered for this account."""
        return endpoint in self._data["endpoints"]

    def note_answer(self, endpoint: str) -> None:
        """Note that an endpoint answers."""
        if self._data["endpoints"].get(endpoint) != {"missing_since": None}:
            self._data["endpoints"][endpoint] = {"missing_since": None}
            self._save_soon()

    def note_missing(self, endpoint: str, now: datetime) -> datetime:
        """Note that an endpoint which has answered is gone; return since when."""
        record = self._data["endpoints"][endpoint]
        if (since := record["missing_since"]) is not None:
            return datetime.fromisoformat(since)
        record["missing_since"] = now.isoformat()
        self._save_soon()
        return now

    def _save_soon(self) -> None:
        self._store.async_delay_save(lambda: self._data, _SAVE_DELAY)
