"""The client of the billing API: the only place that sends a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
import logging
import socket
from typing import Final

import aiohttp
import orjson
from yarl import URL

from .address import base_url, clean_key, is_near, literal
from .costs import CostReport
from .credit import CreditGrants
from .errors import (
    AnswerTooLargeError,
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountError,
    WrongAdminKeyError,
)
from .organization import Organization, SpendLimit
from .parsing import JSON, JsonObject, boolean, text
from .response import LARGE_BODY, MAX_BODY, error_from_response, read_body
from .subscription import Subscription

_LOGGER = logging.getLogger(__name__)

TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)

# The API refuses more days than this in one question.
MAX_DAYS: Final = 100

_DASHBOARD: Final = "dashboard/billing/"
_CREDIT_GRANTS: Final = f"{_DASHBOARD}credit_grants"
_USAGE: Final = f"{_DASHBOARD}usage"
_SUBSCRIPTION: Final = f"{_DASHBOARD}subscription"
_ME: Final = "me"
_COSTS: Final = "organization/costs"
_SPEND_LIMIT: Final = "organization/spend_limit"

# The dashboard's endpoints stand bare, under /v1 or at both; the documented ones under /v1.
_PREFIXES: Final = ("", "v1")
_V1: Final = ("v1",)

type Query = Sequence[tuple[str, str]]


class OpenAIAccountClient:
    """Asks one account at one host.

    A session key opens credit, costs and subscription; an admin key the official
    costs, which are then preferred, and the spend limit. What needs a key that
    is not there is `EndpointMissingError`.

    `session` is the caller's; it is never closed here. `organization` picks one
    of the organizations of the key's owner. All methods raise only errors of
    `errors.py`, which tell the key that the request carried; none of them
    repeats what the server said.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        session_key: str | None,
        *,
        admin_key: str | None = None,
        organization: str | None = None,
        user_agent: str = "openai-account",
    ) -> None:
        """Check host and keys; nothing is sent yet.

        Raises `InvalidHostError`, `InsecureHostError` or `InvalidKeyError`.
        """
        self._session = session
        self._base = base_url(host)
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}
        if organization:
            self._headers["OpenAI-Organization"] = organization
        self._keys: dict[KeyKind, str] = {}
        for kind, key in ((KeyKind.SESSION, session_key), (KeyKind.ADMIN, admin_key)):
            try:
                if key is not None:
                    self._keys[kind] = clean_key(key)
            except InvalidKeyError as err:
                err.key = kind
                raise
        self._prefixes: dict[str, str] = {}
        # A host without credit is asked again once a day.
        self._derived_on: date | None = None
        self._unreadable: set[str] = set()

    @property
    def paths(self) -> dict[str, str]:
        """The path that each endpoint answered at, by the endpoint's last part."""
        return {
            path.rpartition("/")[2]: f"/{prefix}/{path}".replace("//", "/")
            for path, prefix in self._prefixes.items()
        }

    async def credit_grants(self) -> CreditGrants:
        """Ask for the prepaid credit.

        Gateways do not tell it; there it is derived from the token's limit and
        what it spent over its whole life.
        """
        today = utc_today()
        if self._derived_on == today:
            return await self._derive_credit()
        try:
            fields = await self._ask(_CREDIT_GRANTS)
        except EndpointMissingError:
            grants = await self._derive_credit()
            self._derived_on = today
            return grants
        return CreditGrants.read(fields, datetime.now(UTC))

    async def costs(self) -> CostReport:
        """Ask for the costs of the running UTC month.

        On its first day the day before is asked for too.
        """
        today = utc_today()
        start, end = window(today)
        return await self.costs_between(start, end)

    async def costs_of_today(self) -> CostReport:
        """Ask for the costs of the running UTC day alone: the smallest question there is."""
        today = utc_today()
        return await self.costs_between(today, today + timedelta(days=1))

    async def costs_between(self, start: date, end: date) -> CostReport:
        """Ask for the costs of some UTC days, at most 100, the last one excluded.

        Where so many models cost something that the answer is too large to read,
        the days are asked for in parts.
        """
        if not 0 < (end - start).days <= MAX_DAYS:
            raise ValueError("from 1 to 100 days")
        today = end - timedelta(days=1)
        try:
            if KeyKind.ADMIN in self._keys:
                pages = await self._ask_costs(start, end)
                size = sum(page.size for page in pages)
                return await _run_in_executor_if_large(
                    size, CostReport.read_pages, pages, start, today
                )
            fields = await self._ask_usage(start, end)
            return await _run_in_executor_if_large(
                fields.size, CostReport.read, fields, start, today
            )
        except AnswerTooLargeError:
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
        """Ask for the plan, its limits and whom it is billed to."""
        today = utc_today()
        query = _dates(today, today + timedelta(days=1))
        return Subscription.read(await self._ask(_SUBSCRIPTION, query))

    async def organizations(self) -> tuple[Organization, ...]:
        """Ask for the organizations of the key's owner, the default one first."""
        return Organization.read_all(await self._ask(_ME, prefixes=_V1))

    async def spend_limit(self) -> SpendLimit:
        """Ask for the organization's own monthly limit.

        `EndpointMissingError` where none is set or the admin key may not read it.
        """
        try:
            return SpendLimit.read(await self._ask(_SPEND_LIMIT, prefixes=_V1, key=KeyKind.ADMIN))
        except WrongAdminKeyError as err:
            raise EndpointMissingError("The key may not read the spend limit") from err

    async def _derive_credit(self) -> CreditGrants:
        start, end = window(utc_today())
        report = CostReport.read(await self._ask_usage(start, end), start, end)
        if report.lifetime is None:
            raise EndpointMissingError("The host does not tell any credit")
        return CreditGrants.derive(await self.subscription(), report.lifetime)

    async def _ask_usage(self, start: date, end: date) -> JsonObject:
        """Ask the dashboard's endpoint for costs."""
        options = (("exclude_project_costs", "false"), ("new_endpoint", "true"))
        return await self._ask(_USAGE, (*_dates(start, end), *options))

    async def _ask_costs(self, start: date, end: date) -> list[JsonObject]:
        """Ask the official endpoint for costs; return all pages of the answer."""
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
            page = await self._ask(
                _COSTS, (*query, ("page", cursor)) if cursor else query, _V1, KeyKind.ADMIN
            )
            pages.append(page)
            if not page.read("has_more", boolean):
                return pages
            cursor = page.read("next_page", text)
            # A page holds a day at least; what goes on for much longer never ends.
            if cursor is None or cursor in cursors or len(pages) > 2 * MAX_DAYS:
                raise InvalidResponseError("The pages of the answer do not end")
            if sum(page.size for page in pages) > MAX_BODY:
                raise AnswerTooLargeError("The pages of the answer are too large")
            cursors.add(cursor)

    async def _ask(
        self,
        path: str,
        query: Query = (),
        prefixes: tuple[str, ...] = _PREFIXES,
        key: KeyKind = KeyKind.SESSION,
    ) -> JsonObject:
        """Return the JSON object that an endpoint answers with.

        Hosts serve the endpoints at their bare paths, under /v1, or at both; what
        answered is remembered, also as the first guess for the others like it.
        """
        try:
            async with asyncio.timeout(TIMEOUT.total):
                return await self._ask_prefixes(path, query, prefixes, key)
        except TimeoutError as err:
            raise CannotConnectError("No answer in time") from err
        except OpenAIAccountError as err:
            err.key = key
            raise

    async def _ask_prefixes(
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
        for prefix in sorted(prefixes, key=lambda prefix: prefix != known):
            try:
                fields = await self._get(f"{prefix}/{path}", query, key)
            except EndpointMissingError:
                continue
            self._prefixes[path] = prefix
            return fields
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
            raise CannotConnectError("No answer in time") from err
        except (aiohttp.ClientError, OSError, UnicodeError) as err:
            raise CannotConnectError("No complete answer") from err
        return await self._parse_response(response, body, key)

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

    async def _parse_response(
        self, response: aiohttp.ClientResponse, body: bytes, key: KeyKind
    ) -> JsonObject:
        """Return the object of an answer, or raise what the answer means."""
        try:
            data: JSON = await _run_in_executor_if_large(len(body), orjson.loads, body)
        except orjson.JSONDecodeError:
            data = None
        error = data.get("error") if isinstance(data, dict) else None
        status = response.status
        if status != HTTPStatus.OK or error:
            raise error_from_response(response, error if isinstance(error, dict) else {}, key)
        if not isinstance(data, dict):
            raise InvalidResponseError("The answer is no JSON object")
        return JsonObject(data, self._note_unreadable, size=len(body))

    def _note_unreadable(self, name: str) -> None:
        """Log once that a field could not be read, by its name alone."""
        if name not in self._unreadable:
            self._unreadable.add(name)
            _LOGGER.debug("The field %s holds something unexpected and is left out", name)


async def _run_in_executor_if_large[*ArgsT, ResultT](
    size: int, function: Callable[[*ArgsT], ResultT], *args: *ArgsT
) -> ResultT:
    """Call a function on something of a size in bytes, beside the event loop if it is large."""
    if size < LARGE_BODY:
        return function(*args)
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


def _dates(start: date, end: date) -> Query:
    return ("start_date", start.isoformat()), ("end_date", end.isoformat())


def _seconds(day: date) -> str:
    return str(int(datetime.combine(day, time.min, UTC).timestamp()))


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
