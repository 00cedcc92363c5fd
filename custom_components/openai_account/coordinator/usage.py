"""The usage: completions with each poll, the other endpoints less often, and all of it as one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
import logging
from typing import ClassVar, Final, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..api import (
    MAX_DAILY_BUCKETS,
    MODEL,
    USAGE_ENDPOINTS,
    EndpointMissingError,
    ResponseTooLargeError,
    UsageEndpoint,
    UsageReport,
    sum_by_name,
)
from ..const import MISSING_PERIOD, SETTLED_DAYS
from .base import AccountCoordinator

_LOGGER = logging.getLogger(__package__)

PREFIX: Final = "usage/"

_DAY = timedelta(days=1)

# The current day, and those before it that can still change
_UNSETTLED_DAYS = SETTLED_DAYS + 1

# Endpoints other than completions are polled this often at most.
_PERIOD = timedelta(minutes=30)

# A poll that is not due within this time is late, or early, as on a computer that was suspended.
_ON_TIME = timedelta(minutes=2)

# With more models than this on a day, the hours are requested without them.
_MANY_MODELS = 50

# Enough for the current month, and to tell that nothing was used for 30 days
_REPORTED_DAYS = MAX_DAILY_BUCKETS

_NAMES = [one.name for one in USAGE_ENDPOINTS]


class UsageCoordinator(AccountCoordinator[UsageReport]):
    """What the coordinators of all usage endpoints have in common."""

    @property
    def usage_endpoint(self) -> UsageEndpoint:
        """What the endpoint counts."""
        return USAGE_ENDPOINTS[_NAMES.index(self.endpoint.removeprefix(PREFIX))]

    @override
    async def _fetch(self) -> UsageReport:
        report = await self._fetch_usage()
        if report == self.data:
            # Of the same object, nothing is calculated again.
            return self.data
        if self.usage_endpoint.has_tokens:
            self.store.usage_models.note(
                report.today,
                report.last_days_of_models,
                lambda: sum_by_name(
                    {name: usage.tokens for name, usage in day.models.items()}
                    for day in report.days.values()
                ),
                source=self.endpoint,
            )
        return report

    @abstractmethod
    async def _fetch_usage(self) -> UsageReport:
        """Request the usage of the last 31 UTC days."""

    async def _fetch_days(self, start: date, end: date) -> UsageReport:
        """Request the usage of some UTC days, `end` excluded, by day."""
        group_by = (MODEL,) if self.usage_endpoint.has_tokens else ()
        return await self.client.usage_between(self.usage_endpoint, start, end, group_by)

    @override
    def _time_to_next_poll(self) -> timedelta:
        """Return when to poll again; what the account has never had is tried once a day."""
        missing = self.status.last_error == EndpointMissingError.code
        if missing and not self.store.has_answered(self.endpoint):
            return MISSING_PERIOD
        return self._time_to_next_usage()

    def _time_to_next_usage(self) -> timedelta:
        return super()._time_to_next_poll()


class OccasionalUsageCoordinator(UsageCoordinator):
    """Polls a usage endpoint every 30 minutes, and once a day while it has nothing to report."""

    is_frequent: ClassVar[bool] = False

    _is_empty = False
    _polled_on: date | None = None
    _due: datetime | None = None

    @property
    def is_of_another_day(self) -> bool:
        """Whether the last report is of another UTC day, and no poll is due now.

        Timers stand still while a computer is suspended, and ignore a clock that is set.
        """
        if self._due is None or not self.last_update_success:
            return False
        now = dt_util.utcnow()
        return self.data.today != now.date() and abs(now - self._due) > _ON_TIME

    @override
    async def _fetch_usage(self) -> UsageReport:
        self._is_empty = False
        today = dt_util.utcnow().date()
        report = await self._fetch_days(_first_day(today), today + _DAY)
        self._is_empty = report.is_empty
        return report

    @override
    def _time_to_next_poll(self) -> timedelta:
        wait = super()._time_to_next_poll()
        self._due = dt_util.utcnow() + wait
        return wait

    @override
    def _time_to_next_usage(self) -> timedelta:
        """Return when to poll again.

        The day's first poll is shortly after midnight UTC, as that of the other endpoints. From
        then on, each endpoint has its own time, so that no poll has many requests. A poll that
        would come just before midnight is left out.
        """
        next_day = self._time_to_next_day()
        if self._is_empty:
            return next_day
        wait = period = max(self._interval, _PERIOD)
        today = dt_util.utcnow().date()
        if self._polled_on != today:
            self._polled_on = today
            position = _NAMES.index(self.usage_endpoint.name)
            wait += period * (position + self._first_interval / self._interval) / len(_NAMES)
        return wait if wait <= next_day - _PERIOD else next_day


class CompletionsCoordinator(UsageCoordinator):
    """Polls the usage of completions: the days that can still change, by the hour.

    Earlier days are requested at first, and once per UTC day.
    """

    _known: UsageReport | None = None
    _earlier_requested: date | None = None
    _has_many_models = False

    @override
    async def _fetch_usage(self) -> UsageReport:
        report = await self._fetch_unsettled()
        earlier = self._known
        if earlier and earlier.today < report.start:
            # Its last day was not over.
            earlier = None
        if self._earlier_requested != report.today:
            requested = await self._fetch_optional(
                partial(self._fetch_days, _first_day(report.today), report.start)
            )
            if requested:
                earlier = requested
                self._earlier_requested = report.today
        self._known = with_earlier_days(report, earlier) if earlier else report
        return self._known

    async def _fetch_unsettled(self) -> UsageReport:
        """Fetch the days that can still change, and the last hours."""
        endpoint = self.usage_endpoint
        report: UsageReport | None = None
        if not self._has_many_models:
            try:
                report = await self.client.usage_by_hour(endpoint, _UNSETTLED_DAYS, (MODEL,))
            except ResponseTooLargeError:
                _LOGGER.debug("From now on, the hours are requested without the models")
        if report is None:
            hours = await self.client.usage_by_hour(endpoint, _UNSETTLED_DAYS)
            days = await self._fetch_days(hours.start, hours.today + _DAY)
            report = replace(days, last_24_hours=hours.last_24_hours)
        models = max((len(one.models) for one in report.days.values()), default=0)
        self._has_many_models = models > _MANY_MODELS
        return report


class AccountUsage:
    """The usage that several endpoints count together, as one report.

    Endpoints that the account does not have count nothing. `requests` is of all endpoints that
    count requests, `tokens` of those among them that count tokens.
    """

    def __init__(self, coordinators: Sequence[UsageCoordinator]) -> None:
        """Take the coordinators of all usage endpoints, none without an admin key."""
        counted = [one for one in coordinators if one.usage_endpoint.has_requests]
        self.requests = UsageSum(counted)
        self.tokens = UsageSum([one for one in counted if one.usage_endpoint.has_tokens])
        self._occasional = [
            one for one in coordinators if isinstance(one, OccasionalUsageCoordinator)
        ]

    @callback
    def async_poll_other_days(self) -> None:
        """Poll the endpoints whose reports are still of another day, as after a suspend."""
        for one in self._occasional:
            if one.is_of_another_day:
                one.config_entry.async_create_task(one.hass, one.async_request_refresh())


class UsageSum:
    """The sum of what some endpoints report."""

    def __init__(self, coordinators: Sequence[UsageCoordinator]) -> None:
        """Take the coordinators of the endpoints."""
        self.coordinators = coordinators
        self._reports: list[UsageReport] = []
        self._sum: UsageReport | None = None

    @property
    def served(self) -> list[UsageCoordinator]:
        """The coordinators of the endpoints that the account has."""
        return [one for one in self.coordinators if one.is_served]

    @property
    def last_update_success(self) -> bool:
        """Whether the last poll of each endpoint was successful."""
        return all(one.last_update_success for one in self.served)

    @property
    def data(self) -> UsageReport | None:
        """The sum, None while an endpoint has not responded yet, or without any.

        After midnight UTC it is the former one until all endpoints have reported the new day.
        """
        reports: list[UsageReport | None] = [one.data for one in self.served]
        known = [one for one in reports if one is not None]
        if not known or len(known) < len(reports):
            return None
        is_same = len(known) == len(self._reports) and all(
            one is former for one, former in zip(known, self._reports, strict=True)
        )
        is_mixed = len({one.today for one in known}) > 1
        if not is_same and not (is_mixed and self._sum):
            self._reports = known
            self._sum = UsageReport.sum(known)
        return self._sum

    @callback
    def async_add_listener(self, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Listen to all endpoints."""
        removers: list[Callable[[], None]] = [
            one.async_add_listener(update_callback) for one in self.coordinators
        ]

        @callback
        def remove() -> None:
            for one in removers:
                one()

        return remove


def _first_day(today: date) -> date:
    """Return the first day of the report of a day."""
    return today - (_REPORTED_DAYS - 1) * _DAY


def with_earlier_days(report: UsageReport, earlier: UsageReport) -> UsageReport:
    """Return a report that begins with the days of another one, unless days are missing between.

    Days before the first one that a report has are left out.
    """
    if earlier.today < report.start - _DAY or earlier.start >= report.start:
        return report
    start = max(earlier.start, _first_day(report.today))
    days = {day: usage for day, usage in earlier.days.items() if start <= day < report.start}
    return replace(report, start=start, days={**days, **report.days})
