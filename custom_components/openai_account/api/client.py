"""The client: one method per endpoint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import aiohttp

from .costs import CostReport
from .credit import CreditGrants
from .errors import (
    EndpointMissingError,
    InvalidResponseError,
    KeyKind,
    ResponseTooLargeError,
    WebPageError,
    WrongAdminKeyError,
)
from .organization import Organization, SpendLimit
from .parsing import JsonObject, boolean, text
from .response import MAX_BODY
from .sharing import SharedResponses
from .subscription import Subscription
from .transport import DASHBOARD, V1, Query, Transport, run_in_executor_if_large
from .usage import MAX_DAILY_BUCKETS, MAX_HOURLY_BUCKETS, UsageEndpoint, UsageReport

# The API rejects a request for more days than this.
MAX_DAYS: Final = 100

_CREDIT_GRANTS: Final = f"{DASHBOARD}credit_grants"
_USAGE: Final = f"{DASHBOARD}usage"
_SUBSCRIPTION: Final = f"{DASHBOARD}subscription"
_ME: Final = "me"
_COSTS: Final = "organization/costs"
_ADMIN_USAGE: Final = "organization/usage"
_SPEND_LIMIT: Final = "organization/spend_limit"

# A page holds at least a bucket; what continues for much longer never ends.
_MAX_PAGES: Final = 2 * MAX_DAYS


class OpenAIAccountClient:
    """A client for one account at one host.

    A session key opens credit, costs and subscription; an admin key the documented
    costs, which are then preferred, the usage and the spend limit. An endpoint that needs a
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
        self._transport = Transport(
            session, host, keys, organization=organization, user_agent=user_agent
        )
        # A host without a credit endpoint is tried again once a day.
        self._derived_on: date | None = None
        # What the derived credit and its own endpoint both need
        self._shared = SharedResponses()

    @property
    def paths(self) -> dict[str, str]:
        """The path that each endpoint was found at, by the last part of the path."""
        return self._transport.paths

    async def credit_grants(self) -> CreditGrants:
        """Fetch the prepaid credit.

        Gateways do not report it; for them it is derived from the token's limit and
        what the token has spent over its whole life.
        """
        today = utc_today()
        if self._derived_on == today:
            return await self._derive_credit()
        try:
            data = await self._transport.request(_CREDIT_GRANTS)
        except (EndpointMissingError, WebPageError) as err:
            if isinstance(err, WebPageError) and self._transport.has_found(_CREDIT_GRANTS):
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
            if self._transport.has_key(KeyKind.ADMIN):
                pages = await self._request_cost_pages(start, end)
                return await run_in_executor_if_large(
                    _size(pages), CostReport.read_pages, pages, start, today
                )
            data = await self._request_usage(start, end, _USAGE)
            return await run_in_executor_if_large(data.size, CostReport.read, data, start, today)
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
        return Organization.read_all(await self._transport.request(_ME, prefixes=V1))

    async def spend_limit(self) -> SpendLimit:
        """Fetch the organization's own monthly limit.

        Raises `EndpointMissingError` where none is set or the admin key may not
        read it.
        """
        try:
            data = await self._transport.request(_SPEND_LIMIT, prefixes=V1, key=KeyKind.ADMIN)
        except WrongAdminKeyError as err:
            raise EndpointMissingError("The key may not read the spend limit") from err
        return SpendLimit.read(data)

    async def usage_between(
        self, endpoint: UsageEndpoint, start: date, end: date, group_by: Collection[str] = ()
    ) -> UsageReport:
        """Fetch the usage of some UTC days, `end` excluded, by day.

        The last day is the report's `today`. Of `group_by`, what the endpoint does not know is
        left out. Raises `EndpointMissingError` where the admin key may not read it.
        """
        today = end - timedelta(days=1)
        query = (
            *_times(start, end, "1d", MAX_DAILY_BUCKETS),
            *(("group_by", one) for one in group_by if one in endpoint.dimensions),
        )
        try:
            pages = await self._request_usage_pages(endpoint, query)
        except ResponseTooLargeError:
            middle = start + (end - start) // 2
            if middle == start:
                raise
            first = await self.usage_between(endpoint, start, middle, group_by)
            second = await self.usage_between(endpoint, middle, end, group_by)
            return replace(second, start=start, days={**first.days, **second.days})
        return await run_in_executor_if_large(
            _size(pages), UsageReport.read_pages, endpoint, pages, start, today
        )

    async def usage_by_hour(
        self, endpoint: UsageEndpoint, days: int, group_by: Collection[str] = ()
    ) -> UsageReport:
        """Fetch the usage of the current UTC day and the ones before it, by the hour.

        `days` are from 2 to 7. Raises `EndpointMissingError` where the admin key may not read
        it, and `ResponseTooLargeError` where there is too much of it.
        """
        now = datetime.now(UTC)
        today = now.date()
        start, end = today - timedelta(days=days - 1), today + timedelta(days=1)
        query = (
            *_times(start, end, "1h", MAX_HOURLY_BUCKETS),
            *(("group_by", one) for one in group_by if one in endpoint.dimensions),
        )
        pages = await self._request_usage_pages(endpoint, query)
        return await run_in_executor_if_large(
            _size(pages), UsageReport.read_pages, endpoint, pages, start, today, now
        )

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
            return await self._transport.request(_USAGE, query)
        return await self._request_shared(_USAGE, query, purpose)

    async def _request_subscription(self, purpose: str) -> JsonObject:
        """Request the subscription; `purpose` is the endpoint that it is for."""
        today = utc_today()
        query = _dates(today, today + timedelta(days=1))
        return await self._request_shared(_SUBSCRIPTION, query, purpose)

    async def _request_shared(self, path: str, query: Query, purpose: str) -> JsonObject:
        """Request what the derived credit needs too, once for both."""
        if self._transport.has_found(_CREDIT_GRANTS):
            return await self._transport.request(path, query)
        return await self._shared.get(
            path, (path, query), purpose, lambda: self._transport.request(path, query)
        )

    async def _request_cost_pages(self, start: date, end: date) -> list[JsonObject]:
        """Request costs from the documented endpoint; return all pages of the response."""
        query = (
            *_times(start, end, "1d", (end - start).days),
            ("group_by", "line_item"),
            ("group_by", "project_id"),
        )
        return await self._request_pages(_COSTS, query)

    async def _request_usage_pages(self, endpoint: UsageEndpoint, query: Query) -> list[JsonObject]:
        """Request usage; return all pages of the response."""
        try:
            return await self._request_pages(f"{_ADMIN_USAGE}/{endpoint.name}", query)
        except WrongAdminKeyError as err:
            raise EndpointMissingError("The key may not read the usage") from err

    async def _request_pages(self, path: str, query: Query) -> list[JsonObject]:
        """Request buckets from a documented endpoint; return all pages of the response."""
        pages: list[JsonObject] = []
        cursors: set[str] = set()
        cursor: str | None = None
        while True:
            page = await self._transport.request(
                path, (*query, ("page", cursor)) if cursor else query, V1, KeyKind.ADMIN
            )
            pages.append(page)
            if not page.read("has_more", boolean):
                return pages
            cursor = page.read("next_page", text)
            if cursor is None or cursor in cursors or len(pages) > _MAX_PAGES:
                raise InvalidResponseError("The pages of the response do not end")
            if _size(pages) > MAX_BODY:
                raise ResponseTooLargeError("The pages of the response are too large")
            cursors.add(cursor)


def _dates(start: date, end: date) -> Query:
    return ("start_date", start.isoformat()), ("end_date", end.isoformat())


def _times(start: date, end: date, width: str, limit: int) -> Query:
    return (
        ("start_time", _seconds(start)),
        ("end_time", _seconds(end)),
        ("bucket_width", width),
        ("limit", str(limit)),
    )


def _size(pages: list[JsonObject]) -> int:
    return sum(page.size for page in pages)


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
