"""Coordinators: one an endpoint, so that a fault of one stays its own."""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
import logging
from typing import ClassVar, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .api import (
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
    CONF_UPDATE_INTERVAL,
    DEFAULT_UPDATE_INTERVAL,
    DOMAIN,
    MAX_PAUSE,
    MISSING_PERIOD,
    SETTLED_DAYS,
)
from .store import AccountStore

_LOGGER = logging.getLogger(__name__)

type OpenAIAccountConfigEntry = ConfigEntry[OpenAIAccountData]


@dataclass(slots=True)
class Pause:
    """How long an endpoint wants to be left alone, and how often it has said so."""

    until: datetime
    count: int = 1


# Pauses outlive a reload: a server that asked for patience did not ask this object.
PAUSES: HassKey[dict[tuple[str, str], Pause]] = HassKey(f"{DOMAIN}_pauses")

# The keys that failed while an entry was set up, by the entry's id.
FAILED_KEYS: HassKey[dict[str, set[KeyKind]]] = HassKey(f"{DOMAIN}_failed_keys")


def keys_of(entry: OpenAIAccountConfigEntry) -> dict[KeyKind, str]:
    """Return the keys that an entry has."""
    return {kind: key for kind in KeyKind if (key := entry.data.get(kind))}


class AccountCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Polls one endpoint and turns the client's errors into Home Assistant's."""

    config_entry: OpenAIAccountConfigEntry
    endpoint: ClassVar[str]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        client: OpenAIAccountClient,
        store: AccountStore,
    ) -> None:
        """Prepare; nothing is asked yet."""
        interval = timedelta(
            seconds=entry.options.get(CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL)
        )
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            # Not the entry's title, which can be a person's name: this gets logged.
            name=f"{DOMAIN} {self.endpoint}",
            update_interval=interval * _phase(hass, entry),
            always_update=False,
        )
        self._interval = interval
        self.client = client
        self.store = store
        self.last_success: datetime | None = None
        self.last_error: str | None = None
        self.failed_key: KeyKind | None = None
        self._polls = 0
        self._pauses = hass.data.setdefault(PAUSES, {})
        self._polling = asyncio.Lock()

    @property
    def auth_failed(self) -> bool:
        """Whether the last poll found that a new key is needed."""
        return self.failed_key is not None

    @property
    def served(self) -> bool:
        """Whether this account is known to have this endpoint."""
        return self.last_error != EndpointMissingError.code or self.store.has_answered(
            self.endpoint
        )

    @abstractmethod
    async def _fetch(self) -> DataT:
        """Ask the endpoint."""

    @override
    async def _async_update_data(self) -> DataT:
        """Ask the endpoint, unless it wants to be left alone."""
        async with self._polling:
            self._polls += 1
            if self._polls > 1:
                # The first interval alone is shorter, to spread the accounts.
                self.update_interval = self._interval
            pause = self._pauses.get(self._pause_key)
            if pause and (left := (pause.until - dt_util.utcnow()).total_seconds()) > 1:
                raise self._failure(self.last_error or RateLimitedError.code, left)
            try:
                data = await self._fetch()
            except OpenAIAccountError as err:
                raise self._translate(err) from err
        self._note_success()
        return data

    @property
    def _pause_key(self) -> tuple[str, str]:
        return self.config_entry.entry_id, self.endpoint

    @property
    def _issue_id(self) -> str:
        return _issue_id(self.endpoint, self.config_entry.entry_id)

    def _note_success(self) -> None:
        self.last_success = dt_util.utcnow()
        self.last_error = None
        self.failed_key = None
        self._pauses.pop(self._pause_key, None)
        self.store.note_answer(self.endpoint)
        ir.async_delete_issue(self.hass, DOMAIN, self._issue_id)

    def _translate(self, err: OpenAIAccountError) -> UpdateFailed:
        """Do what an error asks for, and return it as Home Assistant wants it."""
        self.last_error = err.code
        self.failed_key = err.key if isinstance(err, InvalidAuthError) else None
        if isinstance(err, RateLimitedError):
            return self._failure(err.code, self._pause(err.retry_after))
        if isinstance(err, InvalidAuthError):
            # Polls go on, slowly: a key that is good again needs nobody's help.
            self.config_entry.async_start_reauth(self.hass)
            return self._failure(err.code, self._pause(None))
        if isinstance(err, EndpointMissingError):
            if not self.store.has_answered(self.endpoint):
                return self._failure(err.code, MISSING_PERIOD.total_seconds())
            now = dt_util.utcnow()
            if now - self.store.note_missing(self.endpoint, now) >= MISSING_PERIOD:
                self._create_issue()
        return self._failure(err.code)

    def _pause(self, retry_after: float | None) -> float:
        """Note how long to leave the endpoint alone, in seconds, and return it."""
        known = self._pauses.get(self._pause_key)
        count = known.count + 1 if known else 1
        if retry_after is None:
            retry_after = min(
                self._interval.total_seconds() * 2.0**count, MAX_PAUSE.total_seconds()
            )
        # A wish for less than a poll's interval is none; one for years is a mistake.
        retry_after = min(max(retry_after, 60.0), MISSING_PERIOD.total_seconds())
        until = dt_util.utcnow() + timedelta(seconds=retry_after)
        self._pauses[self._pause_key] = Pause(until, min(count, 10))
        return retry_after

    def _failure(self, code: str, retry_after: float | None = None) -> UpdateFailed:
        return UpdateFailed(
            translation_domain=DOMAIN, translation_key=code, retry_after=retry_after
        )

    def _create_issue(self) -> None:
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="endpoint_gone",
            translation_placeholders={"endpoint": self.endpoint},
        )


def _phase(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> float:
    """Return after which part of an interval an account polls for the first time.

    Accounts that start together are so spread evenly over the interval.
    """
    entries = [one.entry_id for one in hass.config_entries.async_entries(DOMAIN)]
    return 1 - entries.index(entry.entry_id) / len(entries) if entry.entry_id in entries else 1


class CreditCoordinator(AccountCoordinator[CreditGrants]):
    """Polls the prepaid credit."""

    endpoint = "credit_grants"

    @override
    async def _fetch(self) -> CreditGrants:
        return await self.client.credit_grants()


class CostCoordinator(AccountCoordinator[CostReport]):
    """Polls the costs of the running month."""

    endpoint = "usage"

    # The month before the running one, and the day on which it was asked for
    _past: CostReport | None = None
    _past_asked: date | None = None

    @override
    async def _fetch(self) -> CostReport:
        report = await self.client.costs()
        if not report.complete:
            return report
        if self._past_is_due(report):
            try:
                self._past = await self.client.costs_between(report.last_month_start, report.start)
                self._past_asked = report.today
            except OpenAIAccountError as err:
                # The running month is there all the same; the next poll tries again.
                _LOGGER.debug("The costs of last month are not to be had now (%s)", err.code)
        if self._past is not None and self._past.today >= report.start - timedelta(days=1):
            report = replace(
                report,
                start=self._past.start,
                days={**self._past.days, **report.days},
                project_names={**self._past.project_names, **report.project_names},
            )
        self.store.models.note(report.last_days_of_models)
        self.store.projects.note(report.last_days_of_projects, report.project_names)
        return report

    def _past_is_due(self, report: CostReport) -> bool:
        """Return whether to ask for the last month: at first, and while it can still change."""
        if self._past is None or self._past_asked is None:
            return True
        if self._past.start != report.last_month_start:
            return True
        return report.today.day <= SETTLED_DAYS + 1 and self._past_asked != report.today


class SubscriptionCoordinator(AccountCoordinator[Subscription]):
    """Polls the plan and its limits."""

    endpoint = "subscription"

    @override
    async def _fetch(self) -> Subscription:
        return await self.client.subscription()


class SpendLimitCoordinator(AccountCoordinator[SpendLimit]):
    """Polls the organization's own monthly limit."""

    endpoint = "spend_limit"

    @override
    async def _fetch(self) -> SpendLimit:
        try:
            return await self.client.spend_limit()
        except EndpointMissingError:
            # That is how the endpoint says that no limit is set any more.
            if self.store.has_answered(self.endpoint):
                return SpendLimit()
            raise


type AnyCoordinator = (
    CreditCoordinator | CostCoordinator | SubscriptionCoordinator | SpendLimitCoordinator
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIAccountData:
    """What a loaded entry holds."""

    client: OpenAIAccountClient
    store: AccountStore
    credits: CreditCoordinator
    costs: CostCoordinator
    subscription: SubscriptionCoordinator
    spend_limit: SpendLimitCoordinator

    @property
    def coordinators(self) -> tuple[AnyCoordinator, ...]:
        """All coordinators."""
        return self.credits, self.costs, self.subscription, self.spend_limit


@callback
def end_needless_reauth(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Take back the question for a new key once the old one works everywhere again."""
    if any(coordinator.auth_failed for coordinator in entry.runtime_data.coordinators):
        return
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        hass.config_entries.flow.async_abort(flow["flow_id"])


def failed_keys(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> set[KeyKind]:
    """Return the keys of an entry that no longer work."""
    if entry.state is not ConfigEntryState.LOADED:
        return hass.data.get(FAILED_KEYS, {}).get(entry.entry_id, set())
    coordinators = entry.runtime_data.coordinators
    return {one.failed_key for one in coordinators if one.failed_key is not None}


@callback
def clear_pauses(hass: HomeAssistant, entry_id: str) -> None:
    """Let an entry poll again at once, since what it was paused for has changed."""
    pauses = hass.data.get(PAUSES, {})
    for key in [key for key in pauses if key[0] == entry_id]:
        del pauses[key]


@callback
def delete_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Delete what was said to the user of an entry's endpoints."""
    for coordinator in (
        CreditCoordinator,
        CostCoordinator,
        SubscriptionCoordinator,
        SpendLimitCoordinator,
    ):
        ir.async_delete_issue(hass, DOMAIN, _issue_id(coordinator.endpoint, entry_id))


def _issue_id(endpoint: str, entry_id: str) -> str:
    return f"endpoint_gone_{endpoint}_{entry_id}"
