"""The client: one method per endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import aiohttp

from .costs import CostReport
from .credit import CreditGrants
from .errors import (
    EndpointMissingError,
    KeyKind,
    NotPermittedError,
    WebPageError,
    WrongAdminKeyError,
)
from .limits import limited
from .organization import AdminKey, Organization, SpendLimit, expiry_of
from .pages import fetch_list, fetch_pages
from .parsing import JsonObject
from .projects import NamedObject, is_path_part, oldest_project
from .sharing import SharedResponse
from .steps import Steps, in_parts
from .subscription import Subscription
from .transport import DASHBOARD, V1, Query, Transport
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
_PROJECTS: Final = "organization/projects"
_API_KEYS: Final = "organization/projects/{id}/api_keys"
_ADMIN_KEYS: Final = "organization/admin_api_keys"


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
        self._steps = Steps()
        # A host without a credit endpoint is tried again once a day.
        self._derived_on: date | None = None
        # What the derived credit and an endpoint of its own both need
        self._shared_usage = SharedResponse[CostReport]()
        self._shared_subscription = SharedResponse[Subscription]()

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
            grants = await self._transport.fetch(_CREDIT_GRANTS, CreditGrants.read)
        except (EndpointMissingError, WebPageError) as err:
            if isinstance(err, WebPageError) and self._transport.has_found(_CREDIT_GRANTS):
                raise
            grants = await self._derive_credit()
            self._derived_on = today
            return grants
        self._shared_usage.clear()
        self._shared_subscription.clear()
        return grants.at(datetime.now(UTC))

    async def costs_of_today(self) -> CostReport:
        """Fetch the costs of the current UTC day alone: the smallest request there is."""
        today = utc_today()
        return await self.costs_between(today, today + timedelta(days=1))

    @limited
    async def costs_between(
        self, start: date, end: date, *, line_items: bool = False
    ) -> CostReport:
        """Fetch the costs of up to 100 UTC days, `end` excluded.

        The last day is the report's `today`. With `line_items` the days keep them.
        Where the response is too large to read, the days are requested in parts, within
        the limits of one fetch. Raises `TooMuchDataError` where all parts together are too
        large, and ValueError for no days or too many.
        """
        _check_days(start, end)

        async def fetch(first: date) -> CostReport:
            return await self.costs_from(first, end, line_items=line_items)

        return CostReport.joined([part async for part in in_parts(start, end, fetch)])

    @limited
    async def costs_from(self, start: date, end: date, *, line_items: bool = False) -> CostReport:
        """Fetch the costs of the first of up to 100 UTC days, as many as one response can hold.

        The last one that was fetched is the report's `today`. Raises as `costs_between` does.
        """
        _check_days(start, end)

        async def fetch(first: date, until: date) -> CostReport:
            if self._transport.has_key(KeyKind.ADMIN):
                return await self._fetch_cost_pages(first, until, line_items=line_items)
            return await self._fetch_usage(first, until, _USAGE, line_items=line_items)

        return await self._steps.fetch(_COSTS, start, end, fetch)

    @limited
    async def subscription(self) -> Subscription:
        """Fetch the plan, its limits and who is billed."""
        return await self._fetch_subscription(_SUBSCRIPTION)

    @limited
    async def organizations(self) -> tuple[Organization, ...]:
        """Fetch the organizations of the key's owner, the default one first."""
        return await self._transport.fetch(_ME, Organization.read_all, prefixes=V1)

    @limited
    async def spend_limit(self) -> SpendLimit:
        """Fetch the organization's own monthly limit.

        Raises `EndpointMissingError` where none is set, and `NotPermittedError` where
        the admin key may not read it.
        """
        try:
            return await self._transport.fetch(
                _SPEND_LIMIT, SpendLimit.read, prefixes=V1, key=KeyKind.ADMIN
            )
        except WrongAdminKeyError as err:
            raise NotPermittedError("The key may not read the spend limit") from err

    @limited
    async def projects(self) -> tuple[NamedObject, ...]:
        """Fetch the organization's projects, archived ones included.

        Raises `EndpointMissingError` where the host does not serve them, and
        `WrongAdminKeyError` where the key may not read them.
        """
        query = (("include_archived", "true"),)
        return await fetch_list(self._transport, _PROJECTS, NamedObject.read, query)

    @limited
    async def oldest_project(self) -> str | None:
        """Fetch the id of the organization's oldest project, which tells organizations apart."""
        return oldest_project(await self.projects())

    @limited
    async def api_keys(self, project: str) -> tuple[NamedObject, ...]:
        """Fetch the API keys of a project, by its id; raises as `projects` does."""
        if not is_path_part(project):
            raise EndpointMissingError("No project has such an id")
        return await fetch_list(self._transport, _API_KEYS, NamedObject.read, part=project)

    @limited
    async def admin_key_expiry(self) -> datetime | None:
        """Fetch when the admin key expires (UTC); None where it never does or is not listed."""
        keys = await fetch_list(self._transport, _ADMIN_KEYS, AdminKey.read)
        return expiry_of(self._transport.key(KeyKind.ADMIN), keys)

    @limited
    async def usage_between(
        self, endpoint: UsageEndpoint, start: date, end: date, group_by: Collection[str] = ()
    ) -> UsageReport:
        """Fetch the usage of some UTC days, `end` excluded, by day.

        The last day is the report's `today`. Of `group_by`, what the endpoint does not know is
        left out. Raises `EndpointMissingError` where the admin key may not read it.
        """

        async def fetch(first: date, until: date) -> UsageReport:
            times = _times(first, until, "1d", MAX_DAILY_BUCKETS)

            def read(data: JsonObject) -> UsageReport:
                return UsageReport.read(endpoint, data, first, until - timedelta(days=1))

            return await self._fetch_usage_pages(endpoint, times, group_by, read)

        async def fetch_first(first: date) -> UsageReport:
            return await self._steps.fetch((endpoint.name, tuple(group_by)), first, end, fetch)

        return UsageReport.joined([part async for part in in_parts(start, end, fetch_first)])

    @limited
    async def usage_by_hour(
        self, endpoint: UsageEndpoint, days: int, group_by: Collection[str] = ()
    ) -> UsageReport:
        """Fetch the usage of the current UTC day and the ones before it, by the hour.

        `days` are from 2 to 7. Raises `EndpointMissingError` where the admin key may not read
        it, and `ResponseTooLargeError` where there is too much of it.
        """
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        today = now.date()
        start, end = today - timedelta(days=days - 1), today + timedelta(days=1)
        times = _times(start, end, "1h", MAX_HOURLY_BUCKETS)

        def read(data: JsonObject) -> UsageReport:
            return UsageReport.read(endpoint, data, start, today, now)

        return await self._fetch_usage_pages(endpoint, times, group_by, read, now.isoformat())

    async def _derive_credit(self) -> CreditGrants:
        start, end = window(utc_today())
        report = await self._fetch_usage(start, end, _CREDIT_GRANTS)
        if report.lifetime is None:
            raise EndpointMissingError("The host does not report any credit")
        subscription = await self._fetch_subscription(_CREDIT_GRANTS)
        return CreditGrants.derive(subscription, report.lifetime)

    async def _fetch_usage(
        self, start: date, end: date, purpose: str, *, line_items: bool = False
    ) -> CostReport:
        """Fetch costs from the dashboard's endpoint; `purpose` is the endpoint they are for."""
        options = (("exclude_project_costs", "false"), ("new_endpoint", "true"))
        query = (*_dates(start, end), *options)

        def read(data: JsonObject) -> CostReport:
            return CostReport.read(data, start, end - timedelta(days=1), line_items=line_items)

        async def send() -> CostReport:
            return await self._transport.fetch(_USAGE, read, query, variant=str(line_items))

        if line_items or (start, end) != window(utc_today()):
            return await send()
        return await self._fetch_shared(self._shared_usage, query, purpose, send)

    async def _fetch_subscription(self, purpose: str) -> Subscription:
        """Fetch the subscription; `purpose` is the endpoint that it is for."""
        today = utc_today()
        query = _dates(today, today + timedelta(days=1))
        return await self._fetch_shared(
            self._shared_subscription,
            query,
            purpose,
            lambda: self._transport.fetch(_SUBSCRIPTION, Subscription.read, query),
        )

    async def _fetch_shared[DataT](
        self,
        shared: SharedResponse[DataT],
        query: Query,
        purpose: str,
        send: Callable[[], Awaitable[DataT]],
    ) -> DataT:
        """Fetch what the derived credit needs too, once for both."""
        if self._transport.has_found(_CREDIT_GRANTS):
            return await send()
        return await shared.get(tuple(query), purpose, send)

    async def _fetch_cost_pages(
        self, start: date, end: date, *, line_items: bool = False
    ) -> CostReport:
        """Fetch costs from the documented endpoint, page by page."""
        query = (
            *_times(start, end, "1d", (end - start).days),
            ("group_by", "line_item"),
            ("group_by", "project_id"),
            ("group_by", "api_key_id"),
        )

        def read(data: JsonObject) -> CostReport:
            return CostReport.read_official(
                data, start, end - timedelta(days=1), line_items=line_items
            )

        return CostReport.joined(
            await fetch_pages(self._transport, _COSTS, query, read, variant=str(line_items))
        )

    async def _fetch_usage_pages(
        self,
        endpoint: UsageEndpoint,
        times: Query,
        group_by: Collection[str],
        read: Callable[[JsonObject], UsageReport],
        variant: str = "",
    ) -> UsageReport:
        """Fetch usage from a documented endpoint, page by page."""
        path = f"{_ADMIN_USAGE}/{endpoint.name}"
        groups = (("group_by", one) for one in group_by if one in endpoint.dimensions)
        query = (*times, *groups)
        try:
            return UsageReport.joined(
                await fetch_pages(self._transport, path, query, read, variant=variant)
            )
        except WrongAdminKeyError as err:
            raise NotPermittedError("The key may not read the usage") from err


def _check_days(start: date, end: date) -> None:
    if not 0 < (end - start).days <= MAX_DAYS:
        raise ValueError(f"from 1 to {MAX_DAYS} days")


def _dates(start: date, end: date) -> Query:
    return ("start_date", start.isoformat()), ("end_date", end.isoformat())


def _times(start: date, end: date, width: str, limit: int) -> Query:
    return (
        ("start_time", _seconds(start)),
        ("end_time", _seconds(end)),
        ("bucket_width", width),
        ("limit", str(limit)),
    )


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
