"""Coordinators: one per endpoint, so that a failure of one stays its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
import logging
import math
from typing import Protocol, cast, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .api import (
    MAX_DAYS,
    CostReport,
    CreditGrants,
    EndpointMissingError,
    InvalidAuthError,
    KeyKind,
    OpenAIAccountClient,
    OpenAIAccountError,
    RateLimitedError,
    SpendLimit,
    Subscription,
)
from .const import (
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    CONF_UPDATE_INTERVAL,
    DEFAULT_LOW_BALANCE_THRESHOLD,
    DEFAULT_UPDATE_INTERVAL,
    DOMAIN,
    MISSING_PERIOD,
    SETTLED_DAYS,
)
from .issues import create_issue, delete_issue
from .status import endpoint_status
from .store import AccountStore

_LOGGER = logging.getLogger(__name__)

ENDPOINT_GONE = "endpoint_gone"

# An endpoint is not polled again within this many seconds just to rejoin the others.
_MIN_GAP = 60.0

# Accounts are polled from once to twice as long after midnight UTC.
_AFTER_MIDNIGHT = timedelta(seconds=30)

type OpenAIAccountConfigEntry = ConfigEntry[OpenAIAccountData]


def keys_of(entry: OpenAIAccountConfigEntry) -> dict[KeyKind, str]:
    """Return the keys that an entry has."""
    return {kind: key for kind in KeyKind if (key := entry.data.get(kind))}


class AccountCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Polls one endpoint and turns the client's errors into Home Assistant's."""

    config_entry: OpenAIAccountConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        client: OpenAIAccountClient,
        store: AccountStore,
        endpoint: str,
    ) -> None:
        """Prepare; nothing is requested yet."""
        interval = timedelta(
            seconds=entry.options.get(CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL)
        )
        # This spreads accounts that start together evenly over the interval.
        self._first_interval = interval * _phase(hass, entry)
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            # Not the entry's title, which can be a person's name: this is logged.
            name=f"{DOMAIN} {endpoint}",
            update_interval=self._first_interval,
            always_update=False,
        )
        self.endpoint = endpoint
        self.client = client
        self.store = store
        self.status = endpoint_status(hass, entry.entry_id, endpoint)
        # When the request that the data came with was sent
        self.fetched_at: datetime | None = None
        self.refresh_finished: Callable[[], None] | None = None
        self._interval = interval
        self._created = hass.loop.time()

    @property
    def is_served(self) -> bool:
        """Whether this account is known to have this endpoint."""
        return self.status.last_error != EndpointMissingError.code or self.store.has_answered(
            self.endpoint
        )

    @abstractmethod
    async def _fetch(self) -> DataT:
        """Request the endpoint; raises the client's errors."""

    @override
    async def _async_update_data(self) -> DataT:
        """Request the endpoint, unless it is paused."""
        started = dt_util.utcnow()
        try:
            if left := self.status.seconds_left:
                raise self._update_failed(left)
            data = await self._fetch()
        except OpenAIAccountError as err:
            raise self._handle_error(err) from err
        finally:
            self.update_interval = self._time_to_next_poll()
        self.fetched_at = started
        self.status.note_success()
        self.store.note_answer(self.endpoint)
        delete_issue(self.hass, self.config_entry.entry_id, ENDPOINT_GONE, self.endpoint)
        return data

    @override
    def _async_refresh_finished(self) -> None:
        """Report a poll, also one without news."""
        if self.refresh_finished:
            self.refresh_finished()

    def _time_to_next_poll(self) -> timedelta:
        """Return when to poll again: together with the account's other endpoints.

        After a pause or a manual update, an endpoint rejoins the others, so that
        credit and costs are of the same time. Shortly after midnight UTC all are
        polled, since the costs of today begin anew.
        """
        interval, first = self._interval.total_seconds(), self._first_interval.total_seconds()
        elapsed = self.hass.loop.time() - self._created
        gap = min(_MIN_GAP, interval / 2)
        polls = max(math.ceil((elapsed + gap - first) / interval), 0)
        now = dt_util.utcnow()
        midnight = datetime.combine(now.date() + timedelta(days=1), time.min, UTC)
        return min(
            timedelta(seconds=first + polls * interval - elapsed),
            midnight - now + _AFTER_MIDNIGHT * (1 + first / interval),
        )

    def _handle_error(self, err: OpenAIAccountError) -> UpdateFailed:
        """Do what an error calls for, and return it in Home Assistant's terms."""
        self.status.note_error(err)
        if isinstance(err, RateLimitedError):
            return self._update_failed(self.status.pause(err.retry_after, self._interval))
        if isinstance(err, InvalidAuthError):
            # Polls continue, slowly: a key that works again needs no new one.
            return self._update_failed(self.status.pause(None, self._interval))
        if isinstance(err, EndpointMissingError):
            if not self.store.has_answered(self.endpoint):
                return self._update_failed(MISSING_PERIOD.total_seconds())
            if self.store.missing_for(self.endpoint) >= MISSING_PERIOD:
                create_issue(
                    self.hass,
                    self.config_entry.entry_id,
                    ENDPOINT_GONE,
                    self.endpoint,
                    {"endpoint": self.endpoint},
                )
        return self._update_failed()

    def _update_failed(self, retry_after: float | None = None) -> UpdateFailed:
        if self.status.failed_key is not None:
            # Whatever failed this time: a reload ends the request for a new key.
            self.config_entry.async_start_reauth(self.hass)
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=self.status.reason or RateLimitedError.code,
            retry_after=retry_after,
        )


def _phase(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> float:
    """Return which part of an interval an account waits before its second poll."""
    entries = [one.entry_id for one in hass.config_entries.async_entries(DOMAIN)]
    return 1 - entries.index(entry.entry_id) / len(entries) if entry.entry_id in entries else 1


class CreditCoordinator(AccountCoordinator[CreditGrants]):
    """Polls the prepaid credit."""

    @override
    async def _fetch(self) -> CreditGrants:
        return await self.client.credit_grants()


class CostCoordinator(AccountCoordinator[CostReport]):
    """Polls the costs of the current month."""

    # The month before the current one, and the day on which it was requested
    _past: CostReport | None = None
    _past_requested: date | None = None

    @override
    async def _fetch(self) -> CostReport:
        report = await self.client.costs()
        if not report.complete:
            return report
        if self._past_is_due(report):
            try:
                self._past = await self.client.costs_between(report.last_month_start, report.start)
                self._past_requested = report.today
            except OpenAIAccountError as err:
                # The current month is there all the same; the next poll tries again.
                _LOGGER.debug("The costs of last month are not available now (%s)", err.code)
        if self._past is not None and self._past.today >= report.start - timedelta(days=1):
            report = _with_earlier_days(self._past, report)
        self.store.models.note(report.last_days_of_models)
        self.store.projects.note(report.last_days_of_projects, report.project_names)
        return await self._reach_back(report)

    async def _reach_back(self, report: CostReport) -> CostReport:
        """Add the days since the last known credit that a long absence left out."""
        if (anchor := self.store.anchor) is None:
            return report
        known_until = date.fromisoformat(anchor["known_until"])
        while known_until < report.start:
            start = max(
                known_until - timedelta(days=SETTLED_DAYS), report.start - timedelta(days=MAX_DAYS)
            )
            try:
                part = await self.client.costs_between(start, report.start)
            except OpenAIAccountError as err:
                _LOGGER.debug(
                    "The costs since the last known credit are not available now (%s)", err.code
                )
                break
            report = _with_earlier_days(part, report)
        return report

    def _past_is_due(self, report: CostReport) -> bool:
        """Return whether to request the last month: at first, and while it can still change."""
        if self._past is None or self._past_requested is None:
            return True
        if self._past.start != report.last_month_start:
            return True
        return report.today.day <= SETTLED_DAYS + 1 and self._past_requested != report.today


def _with_earlier_days(past: CostReport, report: CostReport) -> CostReport:
    """Return a report that begins with the days of another one."""
    return replace(
        report,
        start=past.start,
        days={**past.days, **report.days},
        project_names={**past.project_names, **report.project_names},
    )


class SubscriptionCoordinator(AccountCoordinator[Subscription]):
    """Polls the plan and its limits."""

    @override
    async def _fetch(self) -> Subscription:
        return await self.client.subscription()


class SpendLimitCoordinator(AccountCoordinator[SpendLimit]):
    """Polls the organization's own monthly limit."""

    @override
    async def _fetch(self) -> SpendLimit:
        try:
            return await self.client.spend_limit()
        except EndpointMissingError:
            # This is how the endpoint reports that no limit is set anymore.
            if self.store.has_answered(self.endpoint):
                return SpendLimit()
            raise


class AnyEndpoint(Protocol):
    """An endpoint, whatever it reports."""

    @property
    def name(self) -> str:
        """The name."""


@dataclass(frozen=True, slots=True)
class Endpoint[DataT]:
    """Something that an account can be polled for: its name, the keys that open it, and who polls.

    One of the keys is enough.
    """

    name: str
    keys: frozenset[KeyKind]
    coordinator: type[AccountCoordinator[DataT]]


CREDIT = Endpoint("credit_grants", frozenset({KeyKind.SESSION}), CreditCoordinator)
COSTS = Endpoint("costs", frozenset(KeyKind), CostCoordinator)
SUBSCRIPTION = Endpoint("subscription", frozenset({KeyKind.SESSION}), SubscriptionCoordinator)
SPEND_LIMIT = Endpoint("spend_limit", frozenset({KeyKind.ADMIN}), SpendLimitCoordinator)

# All endpoints, in the order in which their entities are added.
ENDPOINTS = (CREDIT, COSTS, SUBSCRIPTION, SPEND_LIMIT)

type AnyCoordinator = AccountCoordinator[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOptions:
    """The options of an entry: US dollars; None or 0 stands for 'not wanted'."""

    low_balance_threshold: float
    monthly_budget: float | None

    @classmethod
    def of(cls, entry: OpenAIAccountConfigEntry) -> AccountOptions:
        """Return an entry's options."""
        return cls(
            low_balance_threshold=entry.options.get(
                CONF_LOW_BALANCE_THRESHOLD, DEFAULT_LOW_BALANCE_THRESHOLD
            ),
            monthly_budget=entry.options.get(CONF_MONTHLY_BUDGET),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIAccountData:
    """What a loaded entry holds: a coordinator for each endpoint that its keys open."""

    client: OpenAIAccountClient
    store: AccountStore
    options: AccountOptions
    by_endpoint: Mapping[str, AnyCoordinator]

    @classmethod
    def create(
        cls, hass: HomeAssistant, entry: OpenAIAccountConfigEntry, client: OpenAIAccountClient
    ) -> OpenAIAccountData:
        """Return an entry's data before anything is requested."""
        store = AccountStore(hass, entry.entry_id)
        keys = keys_of(entry).keys()
        return cls(
            client=client,
            store=store,
            options=AccountOptions.of(entry),
            by_endpoint={
                one.name: cast(
                    AnyCoordinator, one.coordinator(hass, entry, client, store, one.name)
                )
                for one in ENDPOINTS
                if one.keys & keys
            },
        )

    @property
    def coordinators(self) -> tuple[AnyCoordinator, ...]:
        """All coordinators."""
        return tuple(self.by_endpoint.values())

    @property
    def costs(self) -> AccountCoordinator[CostReport]:
        """The coordinator of the costs, which any key opens."""
        coordinator = self.coordinator(COSTS)
        if coordinator is None:
            raise KeyError(COSTS.name)
        return coordinator

    def opens(self, endpoint: AnyEndpoint) -> bool:
        """Return whether one of the account's keys opens an endpoint."""
        return endpoint.name in self.by_endpoint

    def coordinator[DataT](self, endpoint: Endpoint[DataT]) -> AccountCoordinator[DataT] | None:
        """Return the coordinator of an endpoint, None where no key opens it."""
        return cast("AccountCoordinator[DataT] | None", self.by_endpoint.get(endpoint.name))

    def last[DataT](self, endpoint: Endpoint[DataT]) -> DataT | None:
        """Return the last response of an endpoint, however old; None before the first one."""
        coordinator = self.coordinator(endpoint)
        return coordinator.data if coordinator else None

    def current[DataT](self, endpoint: Endpoint[DataT]) -> DataT | None:
        """Return the response of an endpoint's last poll; None if it failed."""
        coordinator = self.coordinator(endpoint)
        return coordinator.data if coordinator and coordinator.last_update_success else None
