"""What the coordinators of all endpoints have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, time, timedelta
import logging
import math
from typing import TYPE_CHECKING, ClassVar, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..api import (
    EndpointMissingError,
    InvalidAuthError,
    OpenAIAccountClient,
    OpenAIAccountError,
    RateLimitedError,
    time_limit,
)
from ..const import CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL, DOMAIN, MISSING_PERIOD
from ..issues import create_issue, delete_issue
from ..names import log_name
from ..status import endpoint_status
from ..store import AccountStore

if TYPE_CHECKING:
    from . import OpenAIAccountConfigEntry

_LOGGER = logging.getLogger(__package__)

ENDPOINT_GONE = "endpoint_gone"

# An endpoint is not polled again within this many seconds just to rejoin the others.
_MIN_GAP = 60.0

# The setup of an entry waits no longer than this for its endpoints.
_SETUP_SECONDS = 30.0

# What one poll has left to the next one, that continues so much later.
_CONTINUES_AFTER = timedelta(seconds=10)

# Accounts are polled from once to twice as long after midnight UTC.
_AFTER_MIDNIGHT = timedelta(seconds=30)


class AccountCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Polls one endpoint and turns the client's errors into Home Assistant's."""

    config_entry: OpenAIAccountConfigEntry
    # Whether each poll of the account includes this endpoint
    is_frequent: ClassVar[bool] = True

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
            name=f"{DOMAIN} {endpoint} of {log_name(entry)}",
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

    @property
    def continues(self) -> bool:
        """Whether the last poll has received a part, and left the others to the next one."""
        return False

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
            with self._time_limit():
                data = await self._fetch()
        except OpenAIAccountError as err:
            raise self._handle_error(err) from err
        finally:
            self.update_interval = self._time_to_next_poll()
        self.fetched_at = started
        if self.store.is_closed:
            return data
        self.status.note_success()
        self.store.note_answer(self.endpoint)
        delete_issue(self.hass, self.config_entry.entry_id, ENDPOINT_GONE, self.endpoint)
        return data

    async def _fetch_optional[ResultT](
        self, fetch: Callable[[], Awaitable[ResultT]]
    ) -> ResultT | None:
        """Request what a poll also succeeds without; None where it fails.

        The next poll tries again, unless the host has asked to wait longer.
        """
        status = endpoint_status(
            self.hass, self.config_entry.entry_id, f"{self.endpoint}, earlier days"
        )
        if status.seconds_left:
            return None
        try:
            result = await fetch()
        except OpenAIAccountError as err:
            _LOGGER.debug("Earlier days of %s are not available now (%s)", self.name, err.code)
            if isinstance(err, RateLimitedError):
                status.pause(err.retry_after, self._interval)
            return None
        status.note_success()
        return result

    def _time_limit(self) -> AbstractContextManager[None]:
        """Return a limit for all fetches of the first poll: Home Assistant's start waits for it.

        An entry can be neither disabled nor removed until then.
        """
        is_setup = self.config_entry.state is ConfigEntryState.SETUP_IN_PROGRESS
        return time_limit(_SETUP_SECONDS) if is_setup else nullcontext()

    @override
    def _async_refresh_finished(self) -> None:
        """Report a poll, also one without news."""
        if self.refresh_finished and not self.store.is_closed:
            self.refresh_finished()

    def _time_to_next_poll(self) -> timedelta:
        """Return when to poll again: together with the account's other endpoints.

        After a pause or a manual update, an endpoint rejoins the others, so that
        credit and costs are of the same time. Shortly after midnight UTC all are
        polled, since the costs of today begin anew. A poll that has left something to the next
        one is followed by it soon.
        """
        interval, first = self._interval.total_seconds(), self._first_interval.total_seconds()
        elapsed = self.hass.loop.time() - self._created
        gap = min(_MIN_GAP, interval / 2)
        polls = math.ceil((elapsed + gap - first) / interval)
        time = min(timedelta(seconds=first + polls * interval - elapsed), self._time_to_next_day())
        return min(time, _CONTINUES_AFTER) if self.continues else time

    def _time_to_next_day(self) -> timedelta:
        """Return when to poll for the first time after midnight UTC."""
        now = dt_util.utcnow()
        midnight = datetime.combine(now.date() + timedelta(days=1), time.min, UTC)
        return midnight - now + _AFTER_MIDNIGHT * (1 + self._first_interval / self._interval)

    def _handle_error(self, err: OpenAIAccountError) -> UpdateFailed:
        """Do what an error calls for, and return it in Home Assistant's terms.

        What was requested before the entry was unloaded says nothing of it as it is now.
        """
        if self.store.is_closed:
            return UpdateFailed(translation_domain=DOMAIN, translation_key=err.code)
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
    return 1 - entries.index(entry.entry_id) / len(entries)
