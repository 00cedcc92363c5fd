"""The client of the billing API: the only place that sends a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import logging
import math
import socket
from typing import Final

import aiohttp
import orjson
from yarl import URL

from .address import base_url, clean_key, is_near, literal
from .errors import (
    AnswerTooLargeError,
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidAuthError,
    InvalidResponseError,
    OpenAIAccountError,
    RateLimitedError,
    ServerError,
    UnsupportedCountryError,
    WrongKeyTypeError,
)
from .models import CostReport, CreditGrants, Fields, Organization, Subscription
from .reading import JSON, text

_LOGGER = logging.getLogger(__name__)

TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)
MAX_BODY: Final = 8 * 1024 * 1024

# The API refuses more days than this in one question.
MAX_DAYS: Final = 100

# What is larger is parsed beside the event loop, which it would hold up.
_LARGE_BODY: Final = 128 * 1024

_CREDIT_GRANTS: Final = "dashboard/billing/credit_grants"
_USAGE: Final = "dashboard/billing/usage"
_SUBSCRIPTION: Final = "dashboard/billing/subscription"
_ME: Final = "me"
_PREFIXES: Final = ("", "v1")


class OpenAIAccountClient:
    """Asks one account at one host.

    `session` is the caller's; it is never closed here. `organization` picks one
    of the organizations of the key's owner. All methods raise only errors of
    `errors.py`; none of them repeats what the server said.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        session_key: str,
        *,
        organization: str | None = None,
        user_agent: str = "openai-account",
    ) -> None:
        """Check host and key; nothing is sent yet.

        Raises `InvalidHostError`, `InsecureHostError` or `InvalidKeyError`.
        """
        self._session = session
        self._base = base_url(host)
        self._headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {clean_key(session_key)}",
            "User-Agent": user_agent,
        }
        if organization:
            self._headers["OpenAI-Organization"] = organization
        self._prefixes: dict[str, str] = {}
        self._unreadable: set[str] = set()

    @property
    def paths(self) -> dict[str, str]:
        """The path that each endpoint answered at, by the endpoint's last part."""
        return {
            path.rpartition("/")[2]: f"/{prefix}/{path}".replace("//", "/")
            for path, prefix in self._prefixes.items()
        }

    async def credit_grants(self) -> CreditGrants:
        """Ask for the prepaid credit."""
        return CreditGrants.read(await self._ask(_CREDIT_GRANTS), datetime.now(UTC))

    async def costs(self) -> CostReport:
        """Ask for the costs of the running UTC month.

        On its first day the day before is asked for too.
        """
        today = utc_today()
        start, end = window(today)
        return await self.costs_between(start, end)

    async def costs_between(self, start: date, end: date) -> CostReport:
        """Ask for the costs of some UTC days, at most 100, the last one excluded.

        Where so many models cost something that the answer is too large to read,
        the days are asked for in parts.
        """
        if not 0 < (end - start).days <= MAX_DAYS:
            raise ValueError("from 1 to 100 days")
        today = end - timedelta(days=1)
        query = {
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
            "exclude_project_costs": "false",
            "new_endpoint": "true",
        }
        try:
            fields = await self._ask(_USAGE, query)
        except AnswerTooLargeError:
            middle = start + (end - start) // 2
            if middle == start:
                raise
            first = await self.costs_between(start, middle)
            second = await self.costs_between(middle, end)
            return replace(second, start=start, days={**first.days, **second.days})
        return await _beside(fields.size, CostReport.read, fields, start, today)

    async def subscription(self) -> Subscription:
        """Ask for the plan, its limits and whom it is billed to."""
        today = utc_today()
        query = {
            "start_date": today.isoformat(),
            "end_date": (today + timedelta(days=1)).isoformat(),
        }
        return Subscription.read(await self._ask(_SUBSCRIPTION, query))

    async def organizations(self) -> tuple[Organization, ...]:
        """Ask for the organizations of the key's owner, the default one first."""
        return Organization.read_all(await self._ask(_ME, prefixes=("v1",)))

    async def _ask(
        self,
        path: str,
        query: dict[str, str] | None = None,
        prefixes: tuple[str, ...] = _PREFIXES,
    ) -> Fields:
        """Return the JSON object that an endpoint answers with.

        Hosts serve the endpoints at their bare paths, under /v1, or at both; what
        answered is remembered, also as the first guess for the other endpoints.
        """
        try:
            async with asyncio.timeout(TIMEOUT.total):
                return await self._ask_prefixes(path, query, prefixes)
        except TimeoutError as err:
            raise CannotConnectError("No answer in time") from err

    async def _ask_prefixes(
        self, path: str, query: dict[str, str] | None, prefixes: tuple[str, ...]
    ) -> Fields:
        known = self._prefixes.get(path) or next(iter(self._prefixes.values()), prefixes[0])
        for prefix in sorted(prefixes, key=lambda prefix: prefix != known):
            try:
                fields = await self._get(f"{prefix}/{path}", query)
            except EndpointMissingError:
                continue
            self._prefixes[path] = prefix
            return fields
        self._prefixes.pop(path, None)
        raise EndpointMissingError("The host does not serve this endpoint")

    async def _get(self, path: str, query: dict[str, str] | None) -> Fields:
        try:
            url, headers = await self._route(path)
            async with self._session.get(
                url, params=query, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                body = await _read(response)
        except TimeoutError as err:
            raise CannotConnectError("No answer in time") from err
        except (aiohttp.ClientError, OSError, UnicodeError) as err:
            raise CannotConnectError("No complete answer") from err
        return await self._judge(response, body)

    async def _route(self, path: str) -> tuple[URL, dict[str, str]]:
        """Return where a request goes and what it carries.

        A key never travels in the clear through a public network. What a name
        resolves to can change between a check and the connection, so by plain
        http it is the checked address itself that is connected to.
        """
        url = self._base.joinpath(*path.strip("/").split("/"))
        host = url.raw_host or ""
        if url.scheme == "https":
            return url, self._headers
        if not literal(host):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, url.port, type=socket.SOCK_STREAM
            )
            addresses = [str(info[4][0]) for info in found]
            address = next((one for one in addresses if is_near(one)), None)
            if address is None:
                raise InsecureHostError("Plain http to a public address")
            return url.with_host(address), {**self._headers, "Host": url.raw_authority}
        return url, self._headers

    async def _judge(self, response: aiohttp.ClientResponse, body: bytes) -> Fields:
        """Return the object of an answer, or raise what the answer means."""
        try:
            data: JSON = await _beside(len(body), orjson.loads, body)
        except orjson.JSONDecodeError:
            data = None
        error = data.get("error") if isinstance(data, dict) else None
        status = response.status
        if status != HTTPStatus.OK or error:
            raise _meaning(response, error if isinstance(error, dict) else {})
        if not isinstance(data, dict):
            raise InvalidResponseError("The answer is no JSON object")
        return Fields(data, self._note_unreadable, size=len(body))

    def _note_unreadable(self, name: str) -> None:
        """Log once that a field could not be read, by its name alone."""
        if name not in self._unreadable:
            self._unreadable.add(name)
            _LOGGER.debug("The field %s holds something unexpected and is left out", name)


async def _beside[*ArgsT, ResultT](
    size: int, function: Callable[[*ArgsT], ResultT], *args: *ArgsT
) -> ResultT:
    """Call a function on something of a size in bytes, beside the event loop if it is large."""
    if size < _LARGE_BODY:
        return function(*args)
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return a body, unpacked, of at most `MAX_BODY` bytes.

    Of an error, what was read until the transfer failed is enough: the status
    has told the most of it.
    """
    limit = MAX_BODY if response.status == HTTPStatus.OK else _LARGE_BODY
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > limit:
                break
    except aiohttp.ClientError, OSError:
        if response.status == HTTPStatus.OK:
            raise
    if len(body) > limit and response.status == HTTPStatus.OK:
        raise AnswerTooLargeError("The answer is too large")
    return bytes(body[:limit])


def _meaning(response: aiohttp.ClientResponse, error: Mapping[str, JSON]) -> OpenAIAccountError:
    """Return what an answer that is no success means for the user."""
    status = response.status
    message = text(error.get("message")) or ""
    code = text(error.get("code"))
    if "must be made with a session key" in message:
        return WrongKeyTypeError("These endpoints want a session key")
    if status == HTTPStatus.UNAUTHORIZED or code == "invalid_api_key":
        return InvalidAuthError("The key is wrong or has expired")
    if code == "unsupported_country_region_territory":
        return UnsupportedCountryError("OpenAI does not serve this country")
    if status == HTTPStatus.FORBIDDEN:
        return BlockedError("The request was refused")
    if status == HTTPStatus.NOT_FOUND:
        return EndpointMissingError("No such endpoint")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError("Too many requests", _retry_after(response))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError(f"The server failed with status {status}")
    if status == HTTPStatus.OK:
        return InvalidResponseError("The answer is an error without its status")
    return InvalidResponseError(f"The answer has the unexpected status {status}")


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Return how many seconds the server wants to be left alone."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    delay = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, math.ceil(delay))


def utc_today(now: datetime | None = None) -> date:
    """Return the running UTC day."""
    return (now or datetime.now(UTC)).astimezone(UTC).date()


def window(today: date) -> tuple[date, date]:
    """Return the first day asked for and the day after the last one.

    The window starts with the month; on the month's first day with the day
    before, which the API can still correct.
    """
    start = min(today.replace(day=1), today - timedelta(days=1))
    return start, today + timedelta(days=1)
