"""The slugs of models, projects and API keys, and which of these are the most expensive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
import hashlib
import re

from homeassistant.util import slugify

from .api import sum_by_name
from .const import MAX_NAMES, MAX_REPLACED_NAMES, MODEL_RETENTION, NAME_RETENTION
from .stored import NameRecord

_SLUG_LENGTH = 60
_NONE: Mapping[str, str] = {}
# So many labels and projects of names without costs are kept.
_MAX_KNOWN = 10_000
# Between two single digits: 4_1 is version 4.1, but 4_0613 is not
_VERSION_DOT = re.compile(r"(?<=_\d)_(?=\d(?:_|$))")


def model_of_slug(slug: str) -> str:
    """Return the one model or tool whose name a slug keeps whole.

    Tools are called in words (`web search tool calls`), models by parts and versions
    (`gpt-4.1-mini`): without a digit it is taken for a tool. Any other name with this slug
    gets a digest.
    """
    if not any(character.isdigit() for character in slug):
        return slug.replace("_", " ")
    return _VERSION_DOT.sub(".", slug).replace("_", "-")


def _keep(known: dict[str, str], found: Mapping[str, str]) -> None:
    """Add what was found to what is known, of which the oldest is forgotten if it is too much."""
    known.update(found)
    for name in list(known)[:-_MAX_KNOWN]:
        del known[name]


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
        self._save = changed
        # Counts the changes
        self.revision = 0
        self._is_whole = is_whole
        self._slugs = {record["name"]: slug for slug, record in records.items()}
        self._noted_on: dict[str, date] = {}
        # What the names of each source cost in its last response
        self._costs: dict[str, Callable[[], Mapping[str, float]]] = {}
        # The sources whose last response had names without a place
        self._with_others: set[str] = set()
        # What is known of names, also of those that have had no costs yet
        self._labels: dict[str, str] = {}
        self._projects: dict[str, str] = {}

    def _changed(self) -> None:
        self.revision += 1
        self._save()

    def _slug(self, name: str) -> str:
        """Return the slug of a name, giving it one if it has none yet."""
        if (slug := self._slugs.get(name)) is None:
            slug = slugify(name)[:_SLUG_LENGTH].rstrip("_")
            if not self._is_whole(slug, name) or slug in self._records:
                digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
                short = f"{slug}_{digest[:8]}".lstrip("_")
                slug = short if short not in self._records else f"{slug}_{digest}".lstrip("_")
            self._add(slug, name)
        return slug

    def admit(self, costs: Mapping[str, float]) -> list[str]:
        """Return the slugs of names with costs, giving new ones to the most expensive.

        A name gets none where there are too many already.
        """
        new = sorted(costs.keys() - self._slugs.keys(), key=lambda name: (-costs[name], name))
        for name in new[: max(MAX_NAMES - len(self._records), 0)]:
            self._slug(name)
        return [self._slugs[name] for name in costs if name in self._slugs]

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

    def note(
        self,
        today: date,
        days: Mapping[str, date],
        costs_fn: Callable[[], Mapping[str, float]],
        labels: Mapping[str, str] = _NONE,
        *,
        source: str = "",
    ) -> None:
        """Record the last UTC day on which each of some names had costs, and its label.

        `costs_fn` returns what the names cost: where there are too many, the most expensive
        are recorded. They keep their places as long as they have costs; once a day, some
        make room for more expensive ones. The costs of all sources are added up.
        """
        is_new_day = self._noted_on.get(source) != today
        self._noted_on[source] = today
        self._costs[source] = costs_fn
        if is_new_day:
            self._forget(today)
        held = set(self.recent(today).values())
        recorded = held | days.keys()
        if len(recorded) > MAX_NAMES:
            costs = sum_by_name(one() for one in self._costs.values())
            recorded = self._choose(held, days.keys(), costs, is_new_day=is_new_day)
            gone = (today - MODEL_RETENTION - timedelta(days=1)).isoformat()
            for name in held - recorded:
                self._records[self._slugs[name]]["last_seen"] = gone
                self._changed()
        if days.keys() <= recorded:
            self._with_others.discard(source)
        else:
            self._with_others.add(source)
        changed = False
        for name, day in sorted(days.items()):
            if name not in recorded:
                continue
            record = self._records[self._slug(name)]
            seen = max(record["last_seen"], day.isoformat())
            label = labels.get(name, record.get("label", name))
            if record["last_seen"] != seen or record.get("label", name) != label:
                changed = True
                record["last_seen"] = seen
                record["label"] = label
        if changed:
            self._changed()

    def _choose(
        self,
        held: Collection[str],
        names: Collection[str],
        costs: Mapping[str, float],
        *,
        is_new_day: bool,
    ) -> set[str]:
        """Return the names that get or keep a place."""

        def ranked(some: Iterable[str]) -> list[str]:
            return sorted(some, key=lambda name: (-costs.get(name, 0.0), name))

        kept = ranked(held)[:MAX_NAMES]
        new = ranked(set(names) - set(held))
        free = MAX_NAMES - len(kept)
        kept, new = kept + new[:free], new[free:]
        if is_new_day:
            for place, name in enumerate(new[:MAX_REPLACED_NAMES], 1):
                if costs.get(name, 0.0) <= costs.get(kept[-place], 0.0):
                    break
                kept[-place] = name
        return set(kept)

    def _forget(self, today: date) -> None:
        """Forget the names that have had no costs for so long that nothing shows them."""
        oldest = (today - NAME_RETENTION).isoformat()
        for slug, record in list(self._records.items()):
            last = max(record["last_seen"], record.get("history", ""))
            if last and last < oldest:
                del self._records[slug]
                del self._slugs[record["name"]]
                self._changed()

    def relabel(self, labels: Mapping[str, str]) -> None:
        """Record what people call some names, also if those have costs only later."""
        _keep(self._labels, labels)
        for name, label in labels.items():
            if (slug := self._slugs.get(name)) and self._records[slug].get("label") != label:
                self._records[slug]["label"] = label
                self._changed()

    def note_projects(self, projects: Mapping[str, str]) -> None:
        """Record which project each of some names belongs to, by its id; as `relabel` does."""
        _keep(self._projects, projects)
        for name, project in projects.items():
            if (slug := self._slugs.get(name)) and self._records[slug].get("project") != project:
                self._records[slug]["project"] = project
                self._changed()

    def note_history(self, name: str, day: date) -> None:
        """Record that the history holds costs of a name on a UTC day."""
        record = self._records[self._slug(name)]
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

    @property
    def has_others(self) -> bool:
        """Whether the last responses had names without a place."""
        return bool(self._with_others)

    def label(self, name: str) -> str:
        """Return what people call a name: the name itself where that is not known."""
        slug = self._slugs.get(name)
        return self._records[slug].get("label", name) if slug else name

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
