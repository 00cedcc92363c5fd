"""The cost of each day in the recorder's long-term statistics.

One external statistic for the account and one for each model, in US dollars. A
UTC day is one row at 10:00 UTC, which lies on that day's own date in every time
zone from Honolulu to Auckland; its state is the day's cost, its sum that of all
days so far. Rows are rewritten while a day grows and when OpenAI corrects it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
import logging
import math

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util, slugify

from .api import DayCosts, OpenAIAccountClient, OpenAIAccountError, RateLimitedError
from .const import CURRENCY_USD, DOMAIN, SETTLED_DAYS
from .coordinator import OpenAIAccountConfigEntry
from .store import AccountStore

_LOGGER = logging.getLogger(__name__)

HISTORY_DAYS = 365
WINDOW_DAYS = 100

_DAY = timedelta(days=1)
_UNSETTLED = SETTLED_DAYS * _DAY
_ROW_TIME = time(10, tzinfo=UTC)
_PAUSE = 2.0
_RETRY = 300.0
_MAX_RETRY = 3600.0
# Smaller differences are the noise of adding floats.
_NOISE = 1e-10


@dataclass(slots=True)
class Series:
    """One statistic as it stands in the database: each row's cost, and the sum before."""

    costs: dict[date, float] = field(default_factory=dict)
    before: float = 0.0

    def merge(self, costs: Mapping[date, float]) -> list[tuple[date, float, float]]:
        """Take in the costs of some days; return the rows to write: day, cost, sum.

        A day without a row gets one only when it costs something; a day that
        has one keeps it. Every row from the first change on is written, since
        its sum moves.
        """
        changed = [
            day
            for day, cost in costs.items()
            if not math.isclose(self.costs.get(day, 0.0), cost, rel_tol=0, abs_tol=_NOISE)
        ]
        if not changed:
            return []
        self.costs.update((day, costs[day]) for day in changed)
        self.costs = dict(sorted(self.costs.items()))
        first = min(changed)
        total = self.before
        rows = []
        for day, cost in self.costs.items():
            total += cost
            if day >= first:
                rows.append((day, cost, total))
        return rows


class CostHistory:
    """Brings costs into the statistics: those of the past year once, then each poll's days."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        client: OpenAIAccountClient,
        store: AccountStore,
    ) -> None:
        """Prepare; nothing is read or written yet."""
        self._hass = hass
        self._entry = entry
        self._client = client
        self._store = store
        self._account = f"{slugify(entry.unique_id or entry.entry_id)}_cost"
        self._series: dict[str, Series] = {}
        self._known: set[str] = set()
        self._last: Mapping[date, DayCosts] = {}
        self._loaded = False
        self._filling: CALLBACK_TYPE | None = None
        self._busy = False
        self._asked: set[tuple[date, date, date]] = set()
        self._retry = _RETRY

    @callback
    def async_start(self) -> None:
        """Start in the background; the set-up of the entry does not wait."""
        self._entry.async_on_unload(self._async_stop)
        self._entry.async_on_unload(
            self._entry.runtime_data.costs.async_add_listener(self._async_take_report)
        )
        self._background(self._async_load())

    @callback
    def _async_stop(self) -> None:
        self._loaded = False
        if self._filling:
            self._filling()
            self._filling = None

    def _background(self, work: Coroutine[None, None, object]) -> None:
        self._entry.async_create_background_task(self._hass, work, f"{DOMAIN} history")

    # ---- What stands in the database -----------------------------------------------------------

    async def _async_load(self) -> None:
        """Read what stands there; then take in the last report and fill what is missing."""
        since = datetime.combine(
            dt_util.utcnow().date() - (HISTORY_DAYS + 35) * _DAY, time.min, UTC
        )
        self._series, self._known = await get_instance(self._hass).async_add_executor_job(
            self._read, since
        )
        self._loaded = True
        self._write_metadata(self._account, None)
        self._async_take_report()

    def _read(self, since: datetime) -> tuple[dict[str, Series], set[str]]:
        """Return the account's series; runs beside the event loop."""
        found = {
            statistic_id
            for statistic_id in get_metadata(self._hass, statistic_source=DOMAIN)
            if f"{statistic_id}_".startswith(f"{DOMAIN}:{self._account}_")
        }
        rows = statistics_during_period(
            self._hass, since, None, found, "hour", None, {"state", "sum"}
        )
        series = {}
        for statistic_id in found:
            one = Series()
            for row in rows.get(statistic_id, ()):
                cost, total = row.get("state") or 0.0, row.get("sum") or 0.0
                if not one.costs:
                    one.before = total - cost
                one.costs[datetime.fromtimestamp(row["start"], UTC).date()] = cost
            if not one.costs:
                last = get_last_statistics(self._hass, 1, statistic_id, False, {"sum"})
                one.before = last[statistic_id][0].get("sum") or 0.0 if last else 0.0
            series[statistic_id.removeprefix(f"{DOMAIN}:")] = one
        return series, set(series)

    # ---- Writing -------------------------------------------------------------------------------

    @callback
    def _async_take_report(self) -> None:
        """Take in the days of the last poll that are new or were changed."""
        report = self._entry.runtime_data.costs.data
        if not self._loaded or not report or not report.complete:
            return
        changed = {
            day: report.days.get(day, DayCosts())
            for day in report.days.keys() | self._last.keys()
            if report.start <= day and report.days.get(day) != self._last.get(day)
        }
        first = not self._last
        self._last = dict(report.days)
        if first:
            # What the database holds may name days that the report does not: they are empty now.
            changed = dict(_all_days(report.start, report.today, report.days))
        if changed:
            self._background(self._async_write(changed))
        self._note_covered(report.start, report.today)
        if self._filling is None and not self._busy and self._missing():
            self._schedule(_PAUSE)

    def _note_covered(self, first: date, last: date) -> None:
        """Note which of these days are known and settled."""
        settled = min(last, dt_util.utcnow().date() - _UNSETTLED)
        if first <= settled:
            self._store.note_covered(first, settled)

    async def _async_write(self, days: Mapping[date, DayCosts]) -> int:
        """Write some days; return how many rows. The event loop gets its turn in between."""
        rows = 0
        for written in self._write(days):
            rows += written
            await asyncio.sleep(0)
        return rows

    def _write(self, days: Mapping[date, DayCosts]) -> Iterator[int]:
        """Write the rows of some days that differ from what stands there.

        Yields how many, statistic by statistic.
        """
        yield self._write_rows(
            self._account, None, {day: known.cost for day, known in days.items()}
        )
        by_model: dict[str, dict[date, float]] = {}
        for day, known in days.items():
            for model, cost in known.models.items():
                by_model.setdefault(model, {})[day] = cost
        for model in sorted(by_model):
            self._store.models.slug(model)
        for slug, model in self._store.models.all().items():
            key = f"{self._account}_{slug}"
            costs = by_model.get(model, {})
            if (series := self._series.get(key)) is not None:
                costs = {day: 0.0 for day in days if day in series.costs} | costs
            if costs:
                yield self._write_rows(key, model, costs)

    def _write_rows(self, key: str, model: str | None, costs: Mapping[date, float]) -> int:
        series = self._series.setdefault(key, Series())
        if rows := series.merge(costs):
            self._write_metadata(key, model, rows)
        return len(rows)

    def _write_metadata(
        self, key: str, model: str | None, rows: Iterable[tuple[date, float, float]] = ()
    ) -> None:
        """Hand rows to the recorder, which writes them in its own time, in this order."""
        rows = list(rows)
        if not rows and key in self._known:
            return
        self._known.add(key)
        metadata = StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=f"OpenAI cost, {model}" if model else "OpenAI cost",
            source=DOMAIN,
            statistic_id=f"{DOMAIN}:{key}",
            unit_class=None,
            unit_of_measurement=CURRENCY_USD,
        )
        async_add_external_statistics(
            self._hass,
            metadata,
            [
                StatisticData(start=datetime.combine(day, _ROW_TIME), state=cost, sum=total)
                for day, cost, total in rows
            ],
        )

    # ---- The past ------------------------------------------------------------------------------

    def _missing(self) -> tuple[date, date] | None:
        """Return the next days to ask for: the first, and the one after the last."""
        report = self._entry.runtime_data.costs.data
        if not report or not report.complete:
            return None
        oldest = report.today - HISTORY_DAYS * _DAY
        for start, last in self._store.uncovered(oldest, report.start - _DAY):
            # The oldest days come first: what is later would have to be written again.
            end = min(last, start + WINDOW_DAYS * _DAY)
            # What is not settled yet is asked for again, but not on the same day.
            if (report.today, start, end) not in self._asked:
                return start, end
        return None

    def _schedule(self, delay: float) -> None:
        self._filling = async_call_later(self._hass, delay, self._async_fill_soon)

    @callback
    def _async_fill_soon(self, _: datetime) -> None:
        self._filling = None
        if not self._entry.runtime_data.costs.last_update_success:
            # A host that refuses the polls, or wants to be left alone, is not pressed further.
            self._schedule(_RETRY)
        elif days := self._missing():
            self._background(self._async_fill(*days))

    async def _async_fill(self, start: date, end: date) -> None:
        """Ask for one window of the past and write it."""
        self._busy = True
        try:
            wait = await self._async_fetch_days(start, end)
        finally:
            self._busy = False
        if not self._loaded:
            return
        if wait or self._missing():
            self._schedule(max(wait, _PAUSE))
        else:
            _LOGGER.info("The cost history is complete")

    async def _async_fetch_days(self, start: date, end: date) -> float:
        """Ask for the days from one to another, the last excluded, and write them.

        Returns how many seconds to wait before it is tried again, 0 where it is done.
        """
        try:
            report = await self._client.costs_between(start, end)
        except OpenAIAccountError as err:
            wait = (isinstance(err, RateLimitedError) and err.retry_after) or self._retry
            self._retry = min(self._retry * 2, _MAX_RETRY)
            _LOGGER.info("The cost history waits for %.0f seconds (%s)", wait, err.code)
            return wait
        self._retry = _RETRY
        rows = await self._async_write(_all_days(start, end - _DAY, report.days))
        # Only what is on disk is done: after a power cut before that it is asked for again.
        await get_instance(self._hass).async_block_till_done()
        _LOGGER.info("The cost history from %s on was read: %s rows", start, rows)
        self._asked.add((dt_util.utcnow().date(), start, end))
        self._note_covered(start, end - _DAY)
        return 0


def _all_days(start: date, last: date, days: Mapping[date, DayCosts]) -> dict[date, DayCosts]:
    """Return every day from a first to a last one, empty where nothing was said of it."""
    return {
        day: days.get(day, DayCosts())
        for day in (start + offset * _DAY for offset in range((last - start).days + 1))
    }
