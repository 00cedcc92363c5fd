"""A plausible account, whose costs and usage are a pure function of the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
import math

from . import dashboard, default_account
from .buckets import Cache
from .ledger import DAY_SECONDS, JSON, LineItem, cents_of, day_of, vector_store_bytes
from .organization import ApiKey, Organization, Project
from .query import Query

__all__ = ["JSON", "Account", "LineItem", "Organization"]

HISTORY_DAYS = 400
_DAY = timedelta(days=1)

# Days are kept until they hold so many line items.
_MAX_ITEMS = 400_000

type Override = JSON | Callable[[Query], JSON]


@dataclass(slots=True, kw_only=True)
class Account:
    """What the simulated account holds; change it at any time.

    `ledger`, where it is set, replaces what the account makes up. An override is the
    response of its endpoint as it is, or a function that returns one; `overrides` holds
    those of the endpoints without a field of their own, such as `usage/completions`.
    """

    streams: Sequence[LineItem] = field(default_factory=default_account.streams)
    ledger: Mapping[date, Sequence[LineItem]] | None = None
    subscription: dict[str, JSON] = field(default_factory=default_account.subscription)
    organizations: list[Organization] = field(default_factory=default_account.organizations)
    projects: list[Project] = field(default_factory=default_account.projects)
    api_keys: list[ApiKey] = field(default_factory=default_account.api_keys)
    credit_grants_override: Override = None
    usage_override: Override = None
    subscription_override: Override = None
    me_override: Override = None
    costs_override: Override = None
    overrides: dict[str, Override] = field(default_factory=dict)
    # US dollars; where it is None, credit is bought whenever it runs low
    credit_left: float | None = None
    # US cents a month; None where the organization has set no limit
    spend_limit_cents: int | None = 15_000
    # None: as the costs of the month have it
    spend_limit_status: str | None = None
    # When admin keys expire; None for never
    admin_keys_expire_at: datetime | None = None
    # By project's id; None for what the account makes up, or nothing beside a ledger
    vector_store_bytes: Mapping[str, int] | None = None
    # A page of costs or usage holds no more daily buckets than this, whatever the requested limit.
    page_days: int | None = None
    # Amounts of the official costs as text of many digits, as seen live, or as numbers
    text_amounts: bool = True
    # Whether the official costs name organization and project, as seen live
    undocumented_fields: bool = True
    # Whether costs can be grouped by user and project, which not every organization can
    users_with_projects: bool = False
    _days: dict[date, tuple[LineItem, ...]] = field(default_factory=dict)
    _kept: int = 0
    _cents: dict[date, float] = field(default_factory=dict)
    cache: Cache = field(default_factory=Cache)

    @classmethod
    def generated(cls, models: int, keys: int = 1, *, shared: bool = False) -> Account:
        """Return an account that uses so many models every day, by so many API keys.

        Each key uses its part of the models, or, where they are `shared`, all of them.
        """
        streams, api_keys = default_account.generated(models, keys, shared=shared)
        return cls(streams=streams, api_keys=api_keys)

    def day(self, day: date, now: datetime) -> Sequence[LineItem]:
        """Return the line items of a whole UTC day; none of one that is yet to come."""
        today = now.astimezone(UTC).date()
        if day > today:
            return ()
        if self.ledger is not None:
            return [item.resolved() for item in self.ledger.get(day, ())]
        if day < today - HISTORY_DAYS * _DAY:
            return ()
        if day not in self._days:
            items = tuple(day_of(self.streams, day))
            if self._kept > _MAX_ITEMS:
                self._days.clear()
                self._kept = 0
            self._days[day] = items
            self._kept += len(items)
        return self._days[day]

    def items(self, day: date, now: datetime) -> list[LineItem]:
        """Return what a UTC day has cost at a time, as it stands then."""
        elapsed = elapsed_of(day, now)
        items = (item for item in self.day(day, now) if item.billed)
        if elapsed == DAY_SECONDS:
            return list(items)
        return [item.at(elapsed) for item in items]

    def cents(self, day: date, now: datetime) -> float:
        """Return what a UTC day has cost at a time, in US cents."""
        past = self.ledger is None and day < now.astimezone(UTC).date()
        if past and day in self._cents:
            return self._cents[day]
        if not past:
            return math.fsum(item.cost for item in self.items(day, now))
        old = day < now.astimezone(UTC).date() - HISTORY_DAYS * _DAY
        self._cents[day] = 0.0 if old else cents_of(self.streams, day)
        return self._cents[day]

    def total_cents(self, now: datetime) -> float:
        """Return what the account has cost in all that is known of it, in US cents."""
        today = now.astimezone(UTC).date()
        return math.fsum(self.cents(today - days * _DAY, now) for days in range(HISTORY_DAYS + 1))

    def cost_this_month(self, now: datetime, project_id: str | None = None) -> float:
        """Return what the current UTC month has cost so far, or a project in it, in US cents."""
        today = now.astimezone(UTC).date()
        days = [today - offset * _DAY for offset in range(today.day)]
        if project_id is None:
            return math.fsum(self.cents(day, now) for day in days)
        items = (item for day in days for item in self.items(day, now))
        return math.fsum(item.cost for item in items if item.project_id == project_id)

    def stored_bytes(self, day: date, now: datetime) -> Mapping[str, int]:
        """Return what the vector stores hold on a UTC day, by the project's id."""
        if day > now.astimezone(UTC).date():
            return {}
        if self.vector_store_bytes is not None:
            return self.vector_store_bytes
        age = now.astimezone(UTC).date() - day
        return vector_store_bytes(day) if self.ledger is None and age.days <= HISTORY_DAYS else {}

    def all_projects(self) -> list[Project]:
        """Return the projects, and those that only the ledger knows by their latest names."""
        found = {one.id: one for one in self.projects}
        for _, items in sorted((self.ledger or {}).items()):
            for item in items:
                if item.project_id and item.project_id not in {one.id for one in self.projects}:
                    found[item.project_id] = Project(
                        item.project_id, item.project_name or item.project_id
                    )
        return list(found.values())

    def override(self, endpoint: str, query: Query) -> JSON:
        """Return the response that replaces an endpoint's own, None where nothing does."""
        own = {
            "credit_grants": self.credit_grants_override,
            "usage": self.usage_override,
            "subscription": self.subscription_override,
            "me": self.me_override,
            "costs": self.costs_override,
        }
        found = own.get(endpoint, self.overrides.get(endpoint))
        return found(query) if callable(found) else found

    def credit_grants(self, now: datetime) -> JSON:
        """Return the response of `credit_grants`, in US dollars."""
        return dashboard.credit_grants(self, now)

    def usage(self, start: date, end: date, now: datetime) -> JSON:
        """Return the response of the dashboard's `usage`, in US cents."""
        return dashboard.usage(self, start, end, now)

    def me(self) -> JSON:
        """Return the response of `me`."""
        return dashboard.me(self)


def elapsed_of(day: date, now: datetime) -> int:
    """Return how many seconds of a UTC day have passed at a time."""
    passed = now - datetime.combine(day, time.min, UTC)
    return max(0, min(DAY_SECONDS, int(passed.total_seconds())))
