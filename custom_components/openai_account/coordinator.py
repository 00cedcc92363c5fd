"""Coordinators: one an endpoint, so that a fault of one stays its own."""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
import logging
from typing import ClassVar, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
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
    OpenAIAccountClient,
    OpenAIAccountError,
    RateLimitedError,
    Subscription,
    WrongKeyTypeError,
)
from .const import DOMAIN, MAX_PAUSE, MISSING_PERIOD, SETTLED_DAYS, UPDATE_INTERVAL
from .memory import AccountMemory

_LOGGER = logging.getLogger(__name__)

type OpenAIAccountConfigEntry = ConfigEntry[OpenAIAccountData]


@dataclass(slots=True)
class Pause:
    """How long an endpoint wants to be left alone, and how often it has said so."""

    until: datetime
    count: int = 1


# Pauses outlive a reload: a server that asked for patience did not ask this object.
PAUSES: HassKey[dict[tuple[str, str], Pause]] = HassKey(f"{DOMAIN}_pauses")


class AccountCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Polls one endpoint and turns the client's errors into Home Assistant's."""

    config_entry: OpenAIAccountConfigEntry
    endpoint: ClassVar[str]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        client: OpenAIAccountClient,
        memory: AccountMemory,
    ) -> None:
        """Prepare; nothing is asked yet."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            # Not the entry's title, which can be a person's name: this gets logged.
            name=f"{DOMAIN} {self.endpoint}",
            update_interval=UPDATE_INTERVAL,
            always_update=False,
        )
        self.client = client
        self.memory = memory
        self.last_success: datetime | None = None
        self.last_error: str | None = None
        self._pauses = hass.data.setdefault(PAUSES, {})
        self._polling = asyncio.Lock()

    @property
    def auth_failed(self) -> bool:
        """Whether the last poll found that a new key is needed."""
        return self.last_error in _AUTH_CODES

    @property
    def served(self) -> bool:
        """Whether this account is known to have this endpoint."""
        return self.last_error != EndpointMissingError.code or self.memory.has_answered(
            self.endpoint
        )

    @abstractmethod
    async def _fetch(self) -> DataT:
        """Ask the endpoint."""

    @override
    async def _async_update_data(self) -> DataT:
        """Ask the endpoint, unless it wants to be left alone."""
        async with self._polling:
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
        self._pauses.pop(self._pause_key, None)
        self.memory.note_answer(self.endpoint)
        ir.async_delete_issue(self.hass, DOMAIN, self._issue_id)

    def _translate(self, err: OpenAIAccountError) -> UpdateFailed:
        """Do what an error asks for, and return it as Home Assistant wants it."""
        self.last_error = err.code
        if isinstance(err, RateLimitedError):
            return self._failure(err.code, self._pause(err.retry_after))
        if isinstance(err, InvalidAuthError):
            # Polls go on, slowly: a key that is good again needs nobody's help.
            self.config_entry.async_start_reauth(self.hass)
            return self._failure(err.code, self._pause(None))
        if isinstance(err, EndpointMissingError):
            if not self.memory.has_answered(self.endpoint):
                return self._failure(err.code, MISSING_PERIOD.total_seconds())
            now = dt_util.utcnow()
            if now - self.memory.note_missing(self.endpoint, now) >= MISSING_PERIOD:
                self._create_issue()
        return self._failure(err.code)

    def _pause(self, retry_after: float | None) -> float:
        """Note how long to leave the endpoint alone, in seconds, and return it."""
        known = self._pauses.get(self._pause_key)
        count = known.count + 1 if known else 1
        if retry_after is None:
            retry_after = min(
                UPDATE_INTERVAL.total_seconds() * 2.0**count, MAX_PAUSE.total_seconds()
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


_AUTH_CODES = {InvalidAuthError.code, WrongKeyTypeError.code}


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
        self.memory.note_models(report.models_this_month, report.today)
        if self._past_is_due(report):
            try:
                self._past = await self.client.costs_between(report.last_month_start, report.start)
                self._past_asked = report.today
            except OpenAIAccountError as err:
                # The running month is there all the same; the next poll tries again.
                _LOGGER.debug("The costs of last month are not to be had now (%s)", err.code)
        if self._past is None or self._past.today < report.start - timedelta(days=1):
            return report
        return replace(report, start=self._past.start, days={**self._past.days, **report.days})

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


type AnyCoordinator = CreditCoordinator | CostCoordinator | SubscriptionCoordinator


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIAccountData:
    """What a loaded entry holds."""

    client: OpenAIAccountClient
    memory: AccountMemory
    credits: CreditCoordinator
    costs: CostCoordinator
    subscription: SubscriptionCoordinator

    @property
    def coordinators(self) -> tuple[AnyCoordinator, ...]:
        """All coordinators."""
        return self.credits, self.costs, self.subscription


@callback
def end_needless_reauth(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Take back the question for a new key once the old one works everywhere again."""
    if any(coordinator.auth_failed for coordinator in entry.runtime_data.coordinators):
        return
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        hass.config_entries.flow.async_abort(flow["flow_id"])


@callback
def clear_pauses(hass: HomeAssistant, entry_id: str) -> None:
    """Let an entry poll again at once, since what it was paused for has changed."""
    pauses = hass.data.get(PAUSES, {})
    for key in [key for key in pauses if key[0] == entry_id]:
        del pauses[key]


@callback
def delete_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Delete what was said to the user of an entry's endpoints."""
    for coordinator in (CreditCoordinator, CostCoordinator, SubscriptionCoordinator):
        ir.async_delete_issue(hass, DOMAIN, _issue_id(coordinator.endpoint, entry_id))


def _issue_id(endpoint: str, entry_id: str) -> str:
    return f"endpoint_gone_{endpoint}_{entry_id}"
