"""Requests that an action makes. They wait as the host asks, and no poll waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .api import OpenAIAccountError, RateLimitedError, TooMuchDataError
from .const import DOMAIN
from .coordinator import OpenAIAccountData
from .status import EndpointStatus, endpoint_status

# The shortest pause where the host does not say how long to wait: twice as long each time.
_RETRY_INTERVAL = timedelta(seconds=30)


async def async_request[ResultT](
    account: OpenAIAccountData,
    action: str,
    polled: Iterable[EndpointStatus],
    fetch: Callable[[], Awaitable[ResultT]],
) -> ResultT:
    """Return what `fetch` returns, unless the host has asked an action or a poll to wait.

    `polled` are the statuses of the endpoints that `fetch` requests. Where the host asks to
    wait now, the next requests of this action wait. Raises HomeAssistantError.
    """
    costs = account.costs
    own = endpoint_status(costs.hass, costs.config_entry.entry_id, action)
    paused = [
        one.retry_at
        for one in (own, *polled)
        if one.last_error == RateLimitedError.code and one.seconds_left and one.retry_at
    ]
    if paused:
        time = dt_util.as_local(max(paused)).strftime("%Y-%m-%d %H:%M:%S")
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="paused",
            translation_placeholders={"time": time},
        )
    try:
        result = await fetch()
    except OpenAIAccountError as err:
        if isinstance(err, RateLimitedError):
            own.note_error(err)
            own.pause(err.retry_after, _RETRY_INTERVAL)
        key = "too_much_data" if isinstance(err, TooMuchDataError) else err.code
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key=key) from err
    own.note_success()
    return result
