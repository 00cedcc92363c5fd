"""The client: one method per endpoint."""

from __future__ import annotations

from collections.abc import Mapping
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
from .limits import limited
from .organization import Organization, SpendLimit
from .parsing import JsonObject, boolean, page_cursor
from .response import MAX_BODY
from .sharing import SharedResponses
from .subscription import Subscription
from .transport import DASHBOARD, V1, Query, Transport, run_in_executor_if_large

# The API rejects a request for more days than this.
MAX_DAYS: Final = 100

_CREDIT_GRANTS: Final = f"{DASHBOARD}credit_grants"
_USAGE: Final = f"{DASHBOARD}usage"
_SUBSCRIPTION: Final = f"{DASHBOARD}subscription"
_ME: Final = "me"
_COSTS: Final = "organization/costs"
_SPEND_LIMIT: Final = "organization/spend_limit"


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

    @limited
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
        now = datetime.now(UTC)
        return await run_in_executor_if_large(data.size, CreditGrants.read, data, now)

    async def costs(self) -> CostReport:
        """Fetch the costs of the current UTC month, and on its first day of the day before."""
        start, end = window(utc_today())
        return await self.costs_between(start, end)

    async def costs_of_today(self) -> CostReport:
        """Fetch the costs of the current UTC day alone: the smallest request there is."""
        today = utc_today()
        return await self.costs_between(today, today + timedelta(days=1))

    @limited
    async def costs_between(self, start: date, end: date) -> CostReport:
        """Fetch the costs of up to 100 UTC days, `end` excluded.

        The last day is the report's `today`. Where the response is too large to
        read, the days are requested in parts, within the limits of one fetch. Raises
        ValueError for no days or too many.
        """
        if not 0 < (end - start).days <= MAX_DAYS:
            raise ValueError(f"from 1 to {MAX_DAYS} days")
        today = end - timedelta(days=1)
        try:
            if self._transport.has_key(KeyKind.ADMIN):
                pages = await self._request_cost_pages(start, end)
                size = sum(page.size for page in pages)
                return await run_in_executor_if_large(
                    size, CostReport.read_pages, pages, start, today
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

    @limited
    async def subscription(self) -> Subscription:
        """Fetch the plan, its limits and who is billed."""
        data = await self._request_subscription(_SUBSCRIPTION)
        return await run_in_executor_if_large(data.size, Subscription.read, data)

    @limited
    async def organizations(self) -> tuple[Organization, ...]:
        """Fetch the organizations of the key's owner, the default one first."""
        data = await self._transport.request(_ME, prefixes=V1)
        return await run_in_executor_if_large(data.size, Organization.read_all, data)

    @limited
    async def spend_limit(self) -> SpendLimit:
        """Fetch the organization's own monthly limit.

        Raises `EndpointMissingError` where none is set or the admin key may not
        read it.
        """
        try:
            data = await self._transport.request(_SPEND_LIMIT, prefixes=V1, key=KeyKind.ADMIN)
        except WrongAdminKeyError as err:
            raise EndpointMissingError("The key may not read the spend limit") from err
        return await run_in_executor_if_large(data.size, SpendLimit.read, data)

    async def _derive_credit(self) -> CreditGrants:
        today = utc_today()
        start, end = window(today)
        data = await self._request_usage(start, end, _CREDIT_GRANTS)
        report = await run_in_executor_if_large(data.size, CostReport.read, data, start, today)
        if report.lifetime is None:
            raise EndpointMissingError("The host does not report any credit")
        data = await self._request_subscription(_CREDIT_GRANTS)
        subscription = await run_in_executor_if_large(data.size, Subscription.read, data)
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
            page = await self._transport.request(
                _COSTS, (*query, ("page", cursor)) if cursor else query, V1, KeyKind.ADMIN
            )
            pages.append(page)
            if not page.read("has_more", boolean):
                return pages
            cursor = page.read("next_page", page_cursor)
            # A page holds at least a day; what continues for much longer never ends.
            if cursor is None or cursor in cursors or len(pages) > 2 * MAX_DAYS:
                raise InvalidResponseError("The pages of the response do not end")
            if sum(page.size for page in pages) > MAX_BODY:
                raise ResponseTooLargeError("The pages of the response are too large")
            cursors.add(cursor)


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
