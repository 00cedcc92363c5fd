"""The client: the only module that sends a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
import logging
import socket
from typing import Final

import aiohttp
import orjson
from yarl import URL

from .address import base_url, is_private, literal
from .costs import CostReport
from .credit import CreditGrants
from .errors import (
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountError,
    ResponseTooLargeError,
    WebPageError,
    WrongAdminKeyError,
)
from .keys import checked_key
from .organization import Organization, SpendLimit
from .parsing import JSON, JsonObject, boolean, text
from .response import LARGE_BODY, MAX_BODY, error_from_response, is_web_page, read_body
from .sharing import SharedResponses
from .subscription import Subscription

_LOGGER = logging.getLogger(__name__)

TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)

# The API rejects a request for more days than this.
MAX_DAYS: Final = 100

_DASHBOARD: Final = "dashboard/billing/"
_CREDIT_GRANTS: Final = f"{_DASHBOARD}credit_grants"
_USAGE: Final = f"{_DASHBOARD}usage"
_SUBSCRIPTION: Final = f"{_DASHBOARD}subscription"
_ME: Final = "me"
_COSTS: Final = "organization/costs"
_SPEND_LIMIT: Final = "organization/spend_limit"

# Hosts serve the dashboard's endpoints bare, under /v1, or both; the documented ones under /v1.
_PREFIXES: Final = ("", "v1")
_V1: Final = ("v1",)

type Query = Sequence[tuple[str, str]]


class OpenAIAccountClient:
    """A client for one account at one host.

    A session key opens credit, costs and subscription; an admin key the documented
    costs, which are then preferred, and the spend limit. An endpoint that needs a
    key which is not there raises `EndpointMissingError`.

    All methods that send a request raise only errors of `errors.py`, whose `key`
    is the kind of key that the request carried. No error repeats what the server
    or the user wrote.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        keys: Mapping[KeyKind, str],
        *,
        organization: str | None = None,
        user_agent: str = "openai-account",
    ) -> None:
        """Check host and keys; nothing is sent yet.

        `session` stays the caller's and is never closed here. `organization` selects
        one of the organizations of the key's owner. Raises `InvalidHostError`,
        `InsecureHostError` or `InvalidKeyError`.
        """
        self._session = session
        self._base = base_url(host)
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}
        if organization:
            self._headers["OpenAI-Organization"] = organization
        self._keys: dict[KeyKind, str] = {}
        for kind, key in keys.items():
            try:
                self._keys[kind] = checked_key(key)
            except InvalidKeyError as err:
                err.key = kind
                raise
        self._prefixes: dict[str, str] = {}
        # A host without a credit endpoint is tried again once a day.
        self._derived_on: date | None = None
        # What the derived credit and its own endpoint both need
        self._shared = SharedResponses()
        self._unreadable: set[str] = set()

    @property
    def paths(self) -> dict[str, str]:
        """The path that each endpoint was found at, by the last part of the path."""
        return {
            path.rpartition("/")[2]: f"/{prefix}/{path}".replace("//", "/")
            for path, prefix in self._prefixes.items()
        }

    async def credit_grants(self) -> CreditGrants:
        """Fetch the prepaid credit.

        Gateways do not report it; for them it is derived from the token's limit and
        what the token has spent over its whole life.
        """
        today = utc_today()
        if self._derived_on == today:
            return await self._derive_credit()
        try:
            data = await self._request(_CREDIT_GRANTS)
        except (EndpointMissingError, WebPageError) as err:
            if isinstance(err, WebPageError) and _CREDIT_GRANTS in self._prefixes:
                raise
            grants = await self._derive_credit()
            self._derived_on = today
            return grants
        self._shared.clear()
        return CreditGrants.read(data, datetime.now(UTC))

    async def costs(self) -> CostReport:
        """Fetch the costs of the current UTC month, and on its first day of the day before."""
        start, end = window(utc_today())
        return await self.costs_between(start, end)

    async def costs_of_today(self) -> CostReport:
        """Fetch the costs of the current UTC day alone: the smallest request there is."""
        today = utc_today()
        return await self.costs_between(today, today + timedelta(days=1))

    async def costs_between(self, start: date, end: date) -> CostReport:
        """Fetch the costs of up to 100 UTC days, `end` excluded.

        The last day is the report's `today`. Where the response is too large to
        read, the days are requested in parts. Raises ValueError for no days or too
        many.
        """
        if not 0 < (end - start).days <= MAX_DAYS:
            raise ValueError(f"from 1 to {MAX_DAYS} days")
        today = end - timedelta(days=1)
        try:
            if KeyKind.ADMIN in self._keys:
                pages = await self._request_cost_pages(start, end)
                size = sum(page.size for page in pages)
                return await _run_in_executor_if_large(
                    size, CostReport.read_pages, pages, start, today
                )
            data = await self._request_usage(start, end, _USAGE)
            return await _run_in_executor_if_large(data.size, CostReport.read, data, start, today)
        except ResponseTooLargeError:
            middle = start + (end - start) // 2
            if middle == start:
                raise
            first = await self.costs_between(start, middle)
            second = await self.costs_between(middle, end)
            return replace(
                second,
                start=start,
                days={**first.days, **second.days},
                project_names={**first.project_names, **second.project_names},
            )

    async def subscription(self) -> Subscription:
        """Fetch the plan, its limits and who is billed."""
        return Subscription.read(await self._request_subscription(_SUBSCRIPTION))

    async def organizations(self) -> tuple[Organization, ...]:
        """Fetch the organizations of the key's owner, the default one first."""
        return Organization.read_all(await self._request(_ME, prefixes=_V1))

    async def spend_limit(self) -> SpendLimit:
        """Fetch the organization's own monthly limit.

        Raises `EndpointMissingError` where none is set or the admin key may not
        read it.
        """
        try:
            data = await self._request(_SPEND_LIMIT, prefixes=_V1, key=KeyKind.ADMIN)
        except WrongAdminKeyError as err:
            raise EndpointMissingError("The key may not read the spend limit") from err
        return SpendLimit.read(data)

    async def _derive_credit(self) -> CreditGrants:
        today = utc_today()
        start, end = window(today)
        data = await self._request_usage(start, end, _CREDIT_GRANTS)
        report = CostReport.read(data, start, today)
        if report.lifetime is None:
            raise EndpointMissingError("The host does not report any credit")
        subscription = Subscription.read(await self._request_subscription(_CREDIT_GRANTS))
        return CreditGrants.derive(subscription, report.lifetime)

    async def _request_usage(self, start: date, end: date, purpose: str) -> JsonObject:
        """Request costs from the dashboard's endpoint; `purpose` is the endpoint they are for."""
        options = (("exclude_project_costs", "false"), ("new_endpoint", "true"))
        query = (*_dates(start, end), *options)
        if (start, end) != window(utc_today()):
            return await self._request(_USAGE, query)
        return await self._request_shared(_USAGE, query, purpose)

    async def _request_subscription(self, purpose: str) -> JsonObject:
        """Request the subscription; `purpose` is the endpoint that it is for."""
        today = utc_today()
        query = _dates(today, today + timedelta(days=1))
        return await self._request_shared(_SUBSCRIPTION, query, purpose)

    async def _request_shared(self, path: str, query: Query, purpose: str) -> JsonObject:
        """Request what the derived credit needs too, once for both."""
        if _CREDIT_GRANTS in self._prefixes:
            return await self._request(path, query)
        return await self._shared.get(
            path, (path, query), purpose, lambda: self._request(path, query)
        )

    async def _request_cost_pages(self, start: date, end: date) -> list[JsonObject]:
        """Request costs from the documented endpoint; return all pages of the response."""
        query = (
            ("start_time", _seconds(start)),
            ("end_time", _seconds(end)),
            ("bucket_width", "1d"),
            ("group_by", "line_item"),
            ("group_by", "project_id"),
            ("limit", str((end - start).days)),
        )
        pages: list[JsonObject] = []
        cursors: set[str] = set()
        cursor: str | None = None
        while True:
            page = await self._request(
                _COSTS, (*query, ("page", cursor)) if cursor else query, _V1, KeyKind.ADMIN
            )
            pages.append(page)
            if not page.read("has_more", boolean):
                return pages
            cursor = page.read("next_page", text)
            # A page holds at least a day; what continues for much longer never ends.
            if cursor is None or cursor in cursors or len(pages) > 2 * MAX_DAYS:
                raise InvalidResponseError("The pages of the response do not end")
            if sum(page.size for page in pages) > MAX_BODY:
                raise ResponseTooLargeError("The pages of the response are too large")
            cursors.add(cursor)

    async def _request(
        self,
        path: str,
        query: Query = (),
        prefixes: tuple[str, ...] = _PREFIXES,
        key: KeyKind = KeyKind.SESSION,
    ) -> JsonObject:
        """Return the JSON object that an endpoint responds with.

        Hosts serve the endpoints at their bare paths, under /v1, or both; the prefix
        that works is remembered, also as the first guess for similar endpoints. A web
        page at one prefix means that the endpoint is not served there. Web pages at all
        prefixes mean the same of a host that has served another endpoint; otherwise
        they raise `WebPageError`.
        """
        try:
            async with asyncio.timeout(TIMEOUT.total):
                return await self._try_prefixes(path, query, prefixes, key)
        except TimeoutError as err:
            raise CannotConnectError("No response in time") from err
        except OpenAIAccountError as err:
            err.key = key
            raise

    async def _try_prefixes(
        self, path: str, query: Query, prefixes: tuple[str, ...], key: KeyKind
    ) -> JsonObject:
        if key not in self._keys:
            raise EndpointMissingError("The account has no key for this endpoint")
        known = self._prefixes.get(path) or next(
            (
                prefix
                for other, prefix in self._prefixes.items()
                if other.startswith(_DASHBOARD) and path.startswith(_DASHBOARD)
            ),
            prefixes[0],
        )
        pages: list[WebPageError] = []
        for prefix in sorted(prefixes, key=lambda prefix: prefix != known):
            try:
                data = await self._get(f"{prefix}/{path}", query, key)
            except WebPageError as err:
                pages.append(err)
                continue
            except EndpointMissingError:
                continue
            self._prefixes[path] = prefix
            return data
        if len(pages) == len(prefixes) and (path in self._prefixes or not self._prefixes):
            raise pages[0]
        self._prefixes.pop(path, None)
        raise EndpointMissingError("The host does not serve this endpoint")

    async def _get(self, path: str, query: Query, key: KeyKind) -> JsonObject:
        try:
            url, headers = await self._route(path)
            headers = {**headers, "Authorization": f"Bearer {self._keys[key]}"}
            async with self._session.get(
                url, params=query, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                body = await read_body(response)
        except TimeoutError as err:
            raise CannotConnectError("No response in time") from err
        except (aiohttp.ClientError, OSError, UnicodeError) as err:
            raise CannotConnectError("No complete response") from err
        return await self._parse_response(response, body, key)

    async def _route(self, path: str) -> tuple[URL, dict[str, str]]:
        """Return where a request goes and the headers that it carries, without the key.

        A key never travels unencrypted through a public network. What a name
        resolves to can change between a check and the connection, so over plain
        http the connection is made to the checked address itself.
        """
        url = self._base.joinpath(*path.strip("/").split("/"))
        host = url.raw_host or ""
        if url.scheme == "https" or literal(host):
            return url, self._headers
        found = await asyncio.get_running_loop().getaddrinfo(
            host, url.port, type=socket.SOCK_STREAM
        )
        addresses = [str(info[4][0]) for info in found]
        address = next((one for one in addresses if is_private(one)), None)
        if address is None:
            raise InsecureHostError("Plain http to a public address")
        return url.with_host(address), {**self._headers, "Host": url.raw_authority}

    async def _parse_response(
        self, response: aiohttp.ClientResponse, body: bytes, key: KeyKind
    ) -> JsonObject:
        """Return the object of a response, or raise what an error response means."""
        try:
            data: JSON = await _run_in_executor_if_large(len(body), orjson.loads, body)
        except orjson.JSONDecodeError:
            data = None
        if not isinstance(data, dict) and is_web_page(response):
            raise WebPageError("The response is a web page")
        error = data.get("error") if isinstance(data, dict) else None
        if response.status != HTTPStatus.OK or error:
            raise error_from_response(response, error if isinstance(error, dict) else {}, key)
        if not isinstance(data, dict):
            raise InvalidResponseError("The response is not a JSON object")
        return JsonObject(data, self._note_unreadable, size=len(body))

    def _note_unreadable(self, name: str) -> None:
        """Log once that a field could not be read, by its name alone."""
        if name not in self._unreadable:
            self._unreadable.add(name)
            _LOGGER.debug("The field %s has an unexpected value and is left out", name)


async def _run_in_executor_if_large[*ArgsT, ResultT](
    size: int, function: Callable[[*ArgsT], ResultT], *args: *ArgsT
) -> ResultT:
    """Call a function that takes time in proportion to a size in bytes."""
    if size < LARGE_BODY:
        return function(*args)
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


def _dates(start: date, end: date) -> Query:
    return ("start_date", start.isoformat()), ("end_date", end.isoformat())


def _seconds(day: date) -> str:
    return str(int(datetime.combine(day, time.min, UTC).timestamp()))


def utc_today() -> date:
    """Return the current UTC day."""
    return datetime.now(UTC).date()


def window(today: date) -> tuple[date, date]:
    """Return the first day to request, and the day after the last one.

    The window starts with the month; on the month's first day with the day
    before, which OpenAI can still correct.
    """
    start = min(today.replace(day=1), today - timedelta(days=1))
    return start, today + timedelta(days=1)
