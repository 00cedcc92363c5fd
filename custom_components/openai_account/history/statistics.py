"""The statistics of an account: their ids and names, and how days get into them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import batched

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..api import sum_by_name
from ..coordinator import OpenAIAccountConfigEntry
from ..names import distinct_account_name
from ..statistic_ids import statistic_id
from .measures import Measure, Source
from .recorder import async_read_names, async_read_tables, async_wait_until_written, async_write
from .rows import DAY, LocalDays, Table, rows_to_write

# So many statistics are read and written in one go.
_CHUNK = 25

# The recorder's column holds no more; PostgreSQL and MariaDB refuse what is longer.
_MAX_NAME = 255
_MAX_END = 200

type Subject[DayT] = tuple[Measure[DayT], str | None]
"""What a statistic is of: a measure of a name, or of the account."""


class AccountStatistics[DayT]:
    """The statistics of one source of daily values.

    What stands in the database is read right before it is written. What is remembered
    of it only tells when statistics have gone: those are in `cleared` until they were
    written again.
    """

    def __init__(
        self, hass: HomeAssistant, entry: OpenAIAccountConfigEntry, source: Source[DayT]
    ) -> None:
        """Prepare; nothing is read or written yet."""
        self._hass = hass
        self._entry = entry
        self._source = source
        self._store = entry.runtime_data.store
        self._measures = tuple(
            one for one in source.measures if one.is_reported(entry.runtime_data)
        )
        self._days = LocalDays(dt_util.UTC)
        self._title = ""
        # What to call the names of each measure that calls them something else
        self._titles: dict[str, Mapping[str, str]] = {}
        self._existing: set[str] = set()
        # Days before which a statistic has rows
        self._earlier: dict[str, date] = {}
        self._is_stale = True
        # The store has those of all sources.
        self.cleared: set[str] = {one for one in self._store.cleared if self._is_own(one)}
        # What the account reports only since it has another key was not requested for the past.
        keys = {one.key for one in source.measures}
        self._store.filled = [
            key
            for key in self._store.filled
            if key not in keys or key in {one.key for one in self._measures}
        ]

    def _is_own(self, statistic: str) -> bool:
        """Return whether a statistic is of one of the source's measures."""
        ids = [statistic_id(self._entry, one.key) for one in self._source.measures]
        return any(statistic == one or statistic.startswith(f"{one}_") for one in ids)

    def _store_cleared(self) -> None:
        others = {one for one in self._store.cleared if not self._is_own(one)}
        self._store.cleared = sorted(others | self.cleared)

    @property
    def first(self) -> str:
        """The id of the statistic that has a row for every known day, and is written last."""
        return statistic_id(self._entry, self._source.measures[0].key)

    # ---- What stands in the database -----------------------------------------------------------

    @property
    def is_stale(self) -> bool:
        """Whether to check again: after a statistic has gone, a change of time zone or titles."""
        return self._is_stale or (
            (self._days.zone, self._title, self._titles)
            != (dt_util.get_default_time_zone(), self._account, self._read_titles())
        )

    def _read_titles(self) -> dict[str, Mapping[str, str]]:
        return {one.key: one.titles(self._store) for one in self._measures}

    @property
    def lacks_past(self) -> bool:
        """Whether a measure's past was never requested to its end."""
        return not {one.key for one in self._measures} <= set(self._store.filled)

    async def async_look(self) -> None:
        """Look for statistics that have gone."""
        names = await async_read_names(self._hass, self._existing)
        self._note_cleared(self._existing - names.keys())

    def _note_cleared(self, statistic_ids: Collection[str]) -> None:
        if statistic_ids:
            self._is_stale = True
        self.cleared |= set(statistic_ids)
        self._store_cleared()
        self._existing -= set(statistic_ids)
        for key in statistic_ids:
            self._earlier.pop(key, None)

    def note_whole(self) -> None:
        """Note that all statistics have all that can be requested."""
        self.cleared.clear()
        self._store_cleared()
        filled = {*self._store.filled, *(one.key for one in self._measures)}
        self._store.filled = sorted(filled)

    @property
    def _account(self) -> str:
        """What names the account in the statistics; its identity, too, where names repeat."""
        return distinct_account_name(self._hass, self._entry)

    async def async_check(self, oldest: date) -> tuple[set[date], int]:
        """Put every row at its hour, and names right.

        Returns the days that are known, and how many rows were written. Statistics
        that are missing although the store knows of days since the oldest
        one in them, or that they were whole, are noted as cleared.
        """
        self._days = LocalDays(dt_util.get_default_time_zone())
        self._title = self._account
        self._titles = self._read_titles()
        subjects = self._subjects()
        names = await async_read_names(self._hass)
        self._existing = names.keys() & subjects.keys()
        for key in self._existing:
            measure, name = subjects[key]
            if names[key] != (wanted := self._name(measure, name, self._titles)):
                async_write(self._hass, measure, key, wanted, {})
        table = (await async_read_tables(self._hass, [self.first])).get(self.first) or Table({})
        count = 0
        if rows_to_write(table, {}, self._days, dt_util.utcnow(), is_dense=True):
            count = await self._async_write(subjects, {}, {})
        for measure in self._measures:
            ids: set[str] = set()
            if measure.total and measure.key in self._store.filled:
                ids.add(statistic_id(self._entry, measure.key))
            if measure.registry:
                held = measure.registry(self._store).in_history(oldest)
                ids |= {statistic_id(self._entry, measure.key, slug) for slug in held}
            self._note_cleared(ids - self._existing)
        self._is_stale = False
        return {row.day for row in table.rows.values() if row.day}, count

    # ---- Writing -------------------------------------------------------------------------------

    async def async_write(
        self,
        changed: Mapping[date, DayT],
        at_hand: Mapping[date, DayT],
        former: Mapping[date, DayT] | None = None,
    ) -> int:
        """Write the values of changed days; return how many rows that were.

        A statistic that does not exist, or was cleared, gets all days that are `at_hand`.
        `former` are the values of the changed days that were written last, if they are known.
        """
        named = self._named(changed.values())
        subjects = self._subjects()
        if former is not None and changed.keys() <= former.keys():
            named |= self._named(former[day] for day in changed)
            subjects = {
                key: subject for key, subject in subjects.items() if key in named | self.cleared
            }
        return await self._async_write(subjects, changed, at_hand)

    async def _async_write(
        self,
        subjects: Mapping[str, Subject[DayT]],
        changed: Mapping[date, DayT],
        at_hand: Mapping[date, DayT],
    ) -> int:
        """Write some statistics; without days, compare all rows with what they must be."""
        count = 0
        titles = self._read_titles()
        since = min(at_hand if self.cleared else changed, default=None)
        for chunk in batched(subjects.items(), _CHUNK, strict=False):
            tables = await async_read_tables(
                self._hass,
                [key for key, _ in chunk],
                self._days.first_hour(since - DAY) if since else None,
            )
            written: list[tuple[Subject[DayT], dict[date, float]]] = []
            for key, subject in chunk:
                table = tables.get(key)
                self._watch(key, table, since)
                is_lacking = table is None or key in self.cleared
                values = _values(subject, at_hand if is_lacking else changed)
                measure, name = subject
                rows = rows_to_write(
                    table or Table({}),
                    values,
                    self._days,
                    dt_util.utcnow(),
                    is_dense=name is None,
                    since=since if table and table.before is not None else None,
                )
                if rows:
                    count += len(rows)
                    written.append((subject, values))
                    async_write(self._hass, measure, key, self._name(measure, name, titles), rows)
                    self._existing.add(key)
                    # The event loop gets its turn.
                    await asyncio.sleep(0)
            if written:
                await async_wait_until_written(self._hass, self.first)
                for (measure, name), values in written:
                    days = [day for day, value in values.items() if value]
                    if measure.registry and name and days:
                        measure.registry(self._store).note_history(name, max(days))
        return count

    def _watch(self, key: str, table: Table | None, since: date | None) -> None:
        """Note a statistic that has lost its rows, even if it was written again since."""
        if table is None:
            if key in self._existing:
                self._note_cleared([key])
        elif since and table.before is not None:
            self._earlier[key] = min(since, self._earlier.get(key, since))
        elif since and self._earlier.get(key, date.max) <= since:
            self._note_cleared([key])

    # ---- Ids and names -------------------------------------------------------------------------

    def _subjects(self) -> dict[str, Subject[DayT]]:
        """Return what the statistics are of by their ids, the first measure's last."""
        result: dict[str, Subject[DayT]] = {}
        for measure in reversed(self._measures):
            if measure.registry:
                for slug, name in measure.registry(self._store).all().items():
                    result[statistic_id(self._entry, measure.key, slug)] = measure, name
            if measure.total:
                result[statistic_id(self._entry, measure.key)] = measure, None
        return result

    def _named(self, days: Iterable[DayT]) -> set[str]:
        """Return the ids of the statistics that some days have values for, new ones too.

        Where there are too many names, the others have no statistic.
        """
        days = list(days)
        result: set[str] = set()
        for measure in self._measures:
            if measure.total:
                result.add(statistic_id(self._entry, measure.key))
            if measure.by_name and measure.registry:
                registry = measure.registry(self._store)
                slugs = registry.admit(sum_by_name(measure.by_name(day) for day in days))
                result |= {statistic_id(self._entry, measure.key, slug) for slug in slugs}
        return result

    def _name(
        self, measure: Measure[DayT], name: str | None, titles: Mapping[str, Mapping[str, str]]
    ) -> str:
        base = f"{self._title} {measure.label}"
        if "openai" not in base.lower():
            base = f"OpenAI {base}"
        if name is None:
            return base[:_MAX_NAME]
        # A model's name has no comma, so that it follows the last one; it is never cut off.
        end = f", {titles.get(measure.key, {}).get(name, name)[:_MAX_END]}"
        return base[: _MAX_NAME - len(end)] + end


def _values[DayT](subject: Subject[DayT], days: Mapping[date, DayT]) -> dict[date, float]:
    """Return a statistic's values by day."""
    measure, name = subject
    if name is None:
        return {day: measure.total(value) for day, value in days.items()} if measure.total else {}
    if not measure.by_name:
        return {}
    return {day: measure.by_name(value).get(name, 0.0) for day, value in days.items()}
