"""Finds out which days have to be written, and requests those of the past.

What has to be written follows from what was reported and from what stands in the
database: a statistic can be cleared at any time, and a database restored or lost. So
running twice, late, after a correction or a restart ends in the same table.

- A poll's days that are new or have changed are written at once.
- Days of the past year that have no row are requested, newest first. They are written
  when nothing more can be requested for now, since each one moves the sums of all later rows.
- Every five minutes the statistics are looked for, which takes no query: one that is gone
  was cleared. At a start, once a day, and when the time zone or the account's title changes,
  the account's rows are read and compared with what they must be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from datetime import date, datetime, timedelta
import logging

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util import dt as dt_util
from sqlalchemy.exc import SQLAlchemyError

from ..api import InvalidAuthError, OpenAIAccountError, RateLimitedError, TooMuchDataError
from ..const import DOMAIN, SETTLED_DAYS
from ..coordinator import OpenAIAccountConfigEntry
from ..status import endpoint_status
from .measures import DailyReport, Source
from .rows import DAY
from .statistics import AccountStatistics
from .windows import Window, Windows

_LOGGER = logging.getLogger(__name__)

HISTORY_DAYS = 365

_CHECK_INTERVAL = timedelta(minutes=5)
_PAUSE = timedelta(seconds=2)
# After a failure at least a minute: twice as long each time.
_RETRY_INTERVAL = timedelta(seconds=30)


class Importer[DayT]:
    """Keeps the statistics of one source of daily values."""

    def __init__(
        self, hass: HomeAssistant, entry: OpenAIAccountConfigEntry, source: Source[DayT]
    ) -> None:
        """Prepare; nothing is read or written yet."""
        self._hass = hass
        self._entry = entry
        self._source = source
        self._poller = source.poller(entry.runtime_data)
        self._statistics = AccountStatistics(hass, entry, source)
        self._lock = asyncio.Lock()
        self._is_update_planned = False
        self._checked_on: date | None = None
        # Days with a row, and when those were read that were not settled then.
        self._known: set[date] = set()
        self._unsettled: dict[date, date] = {}
        # Known days that have to be requested again.
        self._doubtful: set[date] = set()
        # Days as they were last polled and written, and days requested but not yet written.
        self._polled: Mapping[date, DayT] = {}
        self._requested: dict[date, DayT] = {}
        self._windows = Windows(source.max_days)
        self._is_plan_due = True
        self._status = endpoint_status(hass, entry.entry_id, f"{source.measures[0].key}_history")
        self._timer: CALLBACK_TYPE | None = None
        self._is_requesting = False
        self._is_waiting = False

    @callback
    def async_start(self) -> None:
        """Start in the background; the setup of the entry does not wait."""
        on_unload = self._entry.async_on_unload
        on_unload(self._async_cancel_timer)
        on_unload(self._poller.async_add_listener(self._async_wake))
        on_unload(async_track_time_interval(self._hass, self._async_wake, _CHECK_INTERVAL))
        on_unload(self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._async_wake))
        self._async_wake()

    @callback
    def _async_cancel_timer(self) -> None:
        if self._timer:
            self._timer()

    @callback
    def _async_wake(self, _: datetime | Event | None = None) -> None:
        """Compare what was reported with what stands in the database, in the background."""
        if not self._is_update_planned:
            self._is_update_planned = True
            self._async_run(self._async_update())

    @callback
    def _async_run(self, work: Coroutine[None, None, None]) -> None:
        self._entry.async_create_background_task(self._hass, work, f"{DOMAIN} history")

    # ---- Writing -------------------------------------------------------------------------------

    async def _async_update(self) -> None:
        async with self._lock:
            self._is_update_planned = False
            report = self._poller.data
            if report is None or not report.complete:
                return
            try:
                await self._statistics.async_look()
                if self._statistics.is_stale or self._checked_on != dt_util.utcnow().date():
                    await self._async_check(report)
                await self._async_write_report(report)
                # Each requested day moves the sums of all later rows, so they are written at once.
                if self._requested and (self._is_waiting or self._windows.next is None):
                    await self._async_write_requested(report)
            except SQLAlchemyError as err:
                _LOGGER.warning("The history waits for the database (%s)", type(err).__name__)
                self._checked_on = None
                return
            if self._statistics.is_stale:
                self._async_wake()
            self._async_schedule(_PAUSE)

    async def _async_check(self, report: DailyReport[DayT]) -> None:
        """Find out which days are known, and let all rows stand at their hours."""
        today = dt_util.utcnow().date()
        is_start = self._checked_on is None
        oldest = today - HISTORY_DAYS * DAY
        self._known, count = await self._statistics.async_check(oldest)
        if count:
            _LOGGER.info("%s rows were adapted to the time zone", count)
        if cleared := self._statistics.cleared:
            _LOGGER.info("%s statistics are gone, and are written again", len(cleared))
            self._doubtful |= set(_range(min({oldest} | self._known), report.start))
        elif self._statistics.lacks_past:
            # Some statistics are new, while the others may have that past.
            self._doubtful = {day for day in self._doubtful if day in self._known}
            self._doubtful |= set(_range(oldest, report.start))
        elif is_start:
            # The last days before a gap may not have been settled when they were read.
            for last in [day for day in self._known if day + DAY not in self._known]:
                for day in _range(last - (SETTLED_DAYS - 1) * DAY, last + DAY):
                    self._unsettled.setdefault(day, date.min)
        self._checked_on = today
        self._polled = {}
        self._is_plan_due = True

    async def _async_write_report(self, report: DailyReport[DayT]) -> None:
        """Write the days of the last poll that are new or have changed."""
        days = {
            day: report.days.get(day, self._source.empty)
            for day in _range(report.start, report.today + DAY)
        }
        changed = {day: value for day, value in days.items() if self._polled.get(day) != value}
        if changed:
            await self._statistics.async_write(changed, days, self._polled)
        self._polled = days
        self._note_known(days, report.today)

    async def _async_write_requested(self, report: DailyReport[DayT]) -> None:
        """Write the days of the past that were requested."""
        requested = dict(sorted(self._requested.items()))
        oldest = report.today - HISTORY_DAYS * DAY
        changed = {
            day: value
            for day, value in requested.items()
            if day not in self._known
            or day in self._unsettled
            # What the host has forgotten since is not taken back.
            or (day in self._doubtful and day >= oldest)
        }
        count = await self._statistics.async_write(changed, requested)
        for day in requested:
            del self._requested[day]
        self._note_known(requested, report.today)
        if not self._doubtful:
            self._statistics.note_whole()
        _LOGGER.info("%s days were requested, %s rows written", len(requested), count)

    def _note_known(self, days: Mapping[date, DayT], today: date) -> None:
        for day in days:
            self._known.add(day)
            self._doubtful.discard(day)
            self._unsettled.pop(day, None)
            if day > today - SETTLED_DAYS * DAY:
                self._unsettled[day] = today

    # ---- Requesting ----------------------------------------------------------------------------

    def _missing(self, report: DailyReport[DayT]) -> set[date]:
        """Return the days before the report that have to be requested."""
        oldest = report.today - HISTORY_DAYS * DAY
        if earlier := [day for day in self._known if day < oldest]:
            # After a time off: from the last known day on.
            oldest = min(oldest, max(earlier) + DAY)
        days = set(_range(oldest, report.start)) - self._known
        days |= {day for day in self._doubtful if day < report.start}
        days |= {
            day
            for day, read_on in self._unsettled.items()
            if day < report.start and read_on != report.today
        }
        return days - self._requested.keys()

    @callback
    def _async_schedule(self, delay: timedelta) -> None:
        """Plan the next request, if there is any to come."""
        report = self._poller.data
        if self._timer or self._is_requesting or report is None or not report.complete:
            return
        if self._is_plan_due or self._windows.next is None:
            self._is_plan_due = False
            self._windows.plan(self._missing(report), dt_util.utcnow().date())
        if self._windows.next is not None:
            delay = max(delay, timedelta(seconds=self._status.seconds_left))
            self._timer = async_call_later(self._hass, delay, self._async_request_next)

    @callback
    def _async_request_next(self, _: datetime) -> None:
        self._timer = None
        # A host that fails, or wants to be left alone, is not pressed further: not before the
        # next update.
        if self._poller.last_update_success and (window := self._windows.next):
            self._is_requesting = True
            self._async_run(self._async_request(window))

    async def _async_request(self, window: Window) -> None:
        """Request a window, and say when the next one comes."""
        try:
            delay = await self._async_request_days(window)
        finally:
            self._is_requesting = False
        self._is_waiting = delay > _PAUSE
        if self._is_waiting:
            _LOGGER.info("The history waits for %.0f seconds", delay.total_seconds())
        self._async_schedule(delay)
        if self._is_waiting or not self._windows.next:
            self._async_wake()

    async def _async_request_days(self, window: Window) -> timedelta:
        """Request a window; return how long to wait before the next one."""
        reason = "incomplete"
        try:
            report = await self._source.request(self._entry.runtime_data, window.start, window.end)
        except RateLimitedError as err:
            return self._wait(err.retry_after)
        except InvalidAuthError:
            return self._wait()
        except OpenAIAccountError as err:
            if isinstance(err, TooMuchDataError) and self._windows.note_too_large(window):
                return _PAUSE
            reason = err.code
        else:
            if report.complete:
                self._windows.note_success(window)
                self._status.note_success()
                for day in _range(window.start, window.end):
                    self._requested[day] = report.days.get(day, self._source.empty)
                return _PAUSE
        is_next_known = window.end in self._requested or window.end in self._known
        if not self._windows.note_failure(
            window, dt_util.utcnow().date(), is_next_known=is_next_known
        ):
            _LOGGER.warning(
                "The days from %s to %s cannot be read (%s), and are tried once a day",
                window.start,
                window.end - DAY,
                reason,
            )
        return _CHECK_INTERVAL

    def _wait(self, retry_after: float | None = None) -> timedelta:
        """Return how long to wait after a failure: as long as the server says, within bounds."""
        return timedelta(seconds=self._status.pause(retry_after, _RETRY_INTERVAL))


def _range(start: date, end: date) -> Iterator[date]:
    """Yield the days from one to another, without the last."""
    for offset in range((end - start).days):
        yield start + offset * DAY
