"""What is known about each endpoint of each account right now.

A status outlives the coordinator that writes it: a reload creates new
coordinators, but neither a server's request to wait nor a rejected key has
anything to do with that. It ends with Home Assistant's process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .api import InvalidAuthError, KeyKind, OpenAIAccountError
from .const import DOMAIN, MAX_RETRY_AFTER, MAX_RETRY_INTERVAL, MIN_RETRY_AFTER

_TIMER_SLACK = timedelta(seconds=1)

_STATUSES: HassKey[dict[str, dict[str, EndpointStatus]]] = HassKey(f"{DOMAIN}_statuses")


@dataclass(slots=True)
class EndpointStatus:
    """The status of one endpoint of one account.

    `retry_at` is the earliest time (UTC) of the next request, and `retries` how
    often in a row the endpoint asked for a pause. `failed_key` is the key that
    the endpoint rejected and `key_error` the code of that error: both stay until
    a request with that key succeeds, whatever else fails in between.
    `last_error` is the code of the last request's error, None after a success.
    """

    retry_at: datetime | None = None
    retry_after: timedelta = timedelta()
    retries: int = 0
    failed_key: KeyKind | None = None
    key_error: str | None = None
    last_error: str | None = None
    last_success: datetime | None = None

    @property
    def reason(self) -> str | None:
        """The code of the error to show: a rejected key outweighs whatever came later."""
        return self.key_error or self.last_error

    @property
    def seconds_left(self) -> float:
        """How many seconds of a pause are left, 0 without one.

        More than the whole pause is left only if the clock was set back: the pause
        is over then, rather than as long as the clock was wrong. Home Assistant's
        timers are a second early at most, which counts as on time.
        """
        if self.retry_at is None:
            return 0.0
        left = self.retry_at - dt_util.utcnow()
        return left.total_seconds() if _TIMER_SLACK < left <= self.retry_after else 0.0

    def note_success(self) -> None:
        """Record a successful request."""
        self.retry_at = self.failed_key = self.key_error = self.last_error = None
        self.retries = 0
        self.last_success = dt_util.utcnow()

    def note_error(self, err: OpenAIAccountError) -> None:
        """Record a failed request."""
        self.last_error = err.code
        if isinstance(err, InvalidAuthError):
            self.failed_key = err.key
            self.key_error = err.code

    def pause(self, seconds: float | None, interval: timedelta) -> float:
        """Pause for as long as the server asks, or twice as long each time; return the seconds.

        `interval` is the usual time between two requests.
        """
        # Bounded, so that the power stays a number that a float can hold
        self.retries = min(self.retries + 1, 10)
        if seconds is None:
            seconds = min(
                interval.total_seconds() * 2.0**self.retries,
                max(interval, MAX_RETRY_INTERVAL).total_seconds(),
            )
        self.retry_after = min(max(timedelta(seconds=seconds), MIN_RETRY_AFTER), MAX_RETRY_AFTER)
        self.retry_at = dt_util.utcnow() + self.retry_after
        return self.retry_after.total_seconds()


@callback
def endpoint_status(hass: HomeAssistant, entry_id: str, endpoint: str) -> EndpointStatus:
    """Return the status of an entry's endpoint."""
    statuses = hass.data.setdefault(_STATUSES, {}).setdefault(entry_id, {})
    return statuses.setdefault(endpoint, EndpointStatus())


@callback
def endpoint_statuses(hass: HomeAssistant, entry_id: str) -> dict[str, EndpointStatus]:
    """Return the statuses of an entry's endpoints, by the endpoint's name."""
    return dict(hass.data.get(_STATUSES, {}).get(entry_id, {}))


@callback
def failed_keys(hass: HomeAssistant, entry_id: str) -> set[KeyKind]:
    """Return the keys of an entry that some endpoint rejected."""
    statuses = hass.data.get(_STATUSES, {}).get(entry_id, {})
    return {status.failed_key for status in statuses.values() if status.failed_key is not None}


@callback
def clear_statuses(hass: HomeAssistant, entry_id: str) -> None:
    """Forget the statuses of an entry whose host or keys have changed."""
    hass.data.get(_STATUSES, {}).pop(entry_id, None)
