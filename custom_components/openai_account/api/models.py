"""What the billing API tells, in US dollars, UTC days and aware UTC times.

Nothing of this API is documented by OpenAI. The shapes here were gathered from
captured answers of 2023 to 2026: fields come, go and change their kind, so each
is read for itself, and one that cannot be read is absent and costs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
import math

from .errors import InvalidResponseError
from .reading import JSON, boolean, moment, number, text

# Gateways say "no limit" with this number of dollars.
UNLIMITED_USD = 100_000_000

_MICRO = 6


class Fields:
    """The fields of one JSON object, read one by one.

    `unreadable` is told the name of each field that holds something of a wrong
    kind: the name alone, since the value may be anybody's address.
    """

    def __init__(
        self, data: Mapping[str, JSON], unreadable: Callable[[str], None], size: int = 0
    ) -> None:
        """Take the object, whom to tell, and how many bytes it came in."""
        self._data = data
        self._unreadable = unreadable
        self.size = size

    def read[ValueT](self, name: str, reader: Callable[[JSON], ValueT | None]) -> ValueT | None:
        """Return a field's value, None where it is absent, null or of a wrong kind."""
        raw = self._data.get(name)
        if raw is None:
            return None
        value = reader(raw)
        # What is empty, or a time of zero, is no mistake but this API's "none".
        if value is None and (raw or raw is False):
            self._unreadable(name)
        return value

    def rows(self, name: str) -> list[Fields]:
        """Return the objects of a list, none where it is absent or no list."""
        raw = self._data.get(name)
        if raw is None:
            return []
        if not isinstance(raw, list):
            self._unreadable(name)
            return []
        objects = [Fields(row, self._unreadable) for row in raw if isinstance(row, dict)]
        if len(objects) < len(raw):
            self._unreadable(name)
        return objects

    def inside(self, name: str) -> Fields | None:
        """Return an object inside this one, None where it is absent or none."""
        raw = self._data.get(name)
        if isinstance(raw, dict):
            return Fields(raw, self._unreadable)
        if raw is not None:
            self._unreadable(name)
        return None

    def names(self) -> frozenset[str]:
        """Return the names of all fields, those that are null too."""
        return frozenset(self._data)

    def holds_list(self, name: str) -> bool:
        """Return whether a field holds a list, be it empty."""
        return isinstance(self._data.get(name), list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGrants:
    """The prepaid credit of an account, in US dollars.

    An expired grant stays in `total_granted`, so `total_available` is not what
    was granted minus what was used. `next_grant_expiry` is when the next grant
    that still holds money expires. `reported` names the fields that the answer
    had, be they null.
    """

    total_granted: float | None = None
    total_used: float | None = None
    total_available: float | None = None
    total_paid_available: float | None = None
    next_grant_expiry: datetime | None = None
    reported: frozenset[str] = frozenset()

    @classmethod
    def read(cls, data: Fields, now: datetime) -> CreditGrants:
        """Read the answer of `credit_grants` as it is to be understood at a time."""
        expiries = []
        grants = data.inside("grants")
        for grant in grants.rows("data") if grants else ():
            amount = grant.read("grant_amount", number)
            used = grant.read("used_amount", number)
            expires_at = grant.read("expires_at", moment)
            if expires_at and expires_at > now and (amount is None or amount > (used or 0)):
                expiries.append(expires_at)
        result = cls(
            total_granted=data.read("total_granted", number),
            total_used=data.read("total_used", number),
            total_available=data.read("total_available", number),
            total_paid_available=data.read("total_paid_available", number),
            next_grant_expiry=min(expiries, default=None),
            reported=data.names() & _CREDIT_FIELDS,
        )
        if not result.reported:
            raise InvalidResponseError("The answer holds no credit grants")
        return result


_CREDIT_FIELDS = frozenset(
    {"total_granted", "total_used", "total_available", "total_paid_available", "grants"}
)


@dataclass(frozen=True, slots=True)
class DayCosts:
    """What one UTC day cost, in US dollars: in all, and for each model."""

    cost: float = 0.0
    models: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The costs of the UTC days from `start` to `today`, both included.

    A day that the answer does not name cost nothing. `complete` is False where
    the host names no days at all: gateways tell only what was spent over a
    token's whole life, which says nothing about any day.
    """

    start: date
    today: date
    days: Mapping[date, DayCosts] = field(default_factory=dict)
    complete: bool = True
    # Added up once: a sensor for each of hundreds of models asks for it.
    models_this_month: Mapping[str, float] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Add up what each model has cost in the running UTC month, in US dollars."""
        rows: dict[str, list[float]] = {}
        for day in self._month():
            for model, cost in self.days[day].models.items():
                rows.setdefault(model, []).append(cost)
        object.__setattr__(
            self, "models_this_month", {model: math.fsum(costs) for model, costs in rows.items()}
        )

    @classmethod
    def read(cls, data: Fields, start: date, today: date) -> CostReport:
        """Read the answer of `usage`, whose amounts are US cents.

        A model's rows (input, output, cached input, each once a project) are
        added up. Days outside the asked ones are left out.
        """
        if not data.holds_list("daily_costs"):
            if not data.names() & {"daily_costs", "total_usage"}:
                raise InvalidResponseError("The answer holds no costs")
            return cls(start=start, today=today, complete=False)
        rows: dict[date, dict[str, list[float]]] = {}
        for day in data.rows("daily_costs"):
            timestamp = day.read("timestamp", moment)
            if timestamp is None or not start <= timestamp.date() <= today:
                continue
            models = rows.setdefault(timestamp.date(), {})
            for item in day.rows("line_items"):
                cents = item.read("cost", number)
                if cents:
                    model = model_of(item.read("name", text))
                    models.setdefault(model, []).append(cents)
        return cls(
            start=start,
            today=today,
            days={
                day: DayCosts(
                    dollars([cents for row in models.values() for cents in row]),
                    {model: dollars(row) for model, row in models.items()},
                )
                for day, models in sorted(rows.items())
            },
        )

    @property
    def month_start(self) -> date:
        """The first day of the running UTC month."""
        return self.today.replace(day=1)

    @property
    def cost_today(self) -> float:
        """What the running UTC day has cost so far, in US dollars."""
        return self.days.get(self.today, DayCosts()).cost

    @property
    def cost_this_month(self) -> float:
        """What the running UTC month has cost so far, in US dollars."""
        return math.fsum(self.days[day].cost for day in self._month())

    @property
    def cost_yesterday(self) -> float | None:
        """What the last full UTC day cost, in US dollars; None where it was not asked for."""
        return self._sum(1)

    @property
    def cost_last_7_days(self) -> float | None:
        """What the last 7 full UTC days cost, in US dollars; None where one was not asked for."""
        return self._sum(7)

    @property
    def last_month_start(self) -> date:
        """The first day of the UTC month before the running one."""
        return (self.month_start - timedelta(days=1)).replace(day=1)

    @property
    def cost_last_month(self) -> float | None:
        """What the last full UTC month cost, in US dollars; None where it was not asked for."""
        if self.start > self.last_month_start:
            return None
        days = (day for day in self.days if self.last_month_start <= day < self.month_start)
        return math.fsum(self.days[day].cost for day in days)

    @property
    def forecast_this_month(self) -> float | None:
        """What the running UTC month will have cost, in US dollars.

        That is what it has cost so far, and for each day that is left the mean of
        the last 7 full days; today counts as such a day until it has cost more.
        """
        if (week := self.cost_last_7_days) is None:
            return None
        mean = max(week / 7, 0.0)
        next_month = (self.month_start + timedelta(days=31)).replace(day=1)
        rest = max(mean - self.cost_today, 0.0)
        return self.cost_this_month + rest + mean * ((next_month - self.today).days - 1)

    def _sum(self, days: int) -> float | None:
        first = self.today - timedelta(days=days)
        if self.start > first:
            return None
        return math.fsum(self.days[day].cost for day in self.days if first <= day < self.today)

    def _month(self) -> list[date]:
        return [day for day in self.days if day >= self.month_start]


def dollars(cents: list[float]) -> float:
    """Return the sum of amounts in US cents as US dollars, the only place that does."""
    return math.fsum(cents) / 100


def model_of(line_item: str | None) -> str:
    """Return the model that a line item belongs to: its name up to the first comma."""
    return ((line_item or "").partition(",")[0].strip() or "unknown")[:200]


def micro(amount: float | None) -> float | None:
    """Return an amount without the noise of floats, to a millionth of a dollar."""
    return None if amount is None else round(amount, _MICRO) + 0.0


def _address(value: JSON) -> str | None:
    """Return an address as one line, from the parts that it has."""
    if not isinstance(value, dict):
        return None
    names = ("line1", "line2", "postal_code", "city", "state", "country")
    return ", ".join(part for name in names if (part := text(value.get(name)))) or None


def _tax_ids(value: JSON) -> str | None:
    """Return tax ids as one line, given as text, objects or a list of either."""
    ids = value if isinstance(value, list) else [value]
    texts = (text(one.get("value") if isinstance(one, dict) else one) for one in ids)
    return ", ".join(one for one in texts if one) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """The plan of an account, its limits and whom it is billed to.

    Fields bear the API's own names. Those ending in `_usd`, `max_balance` and
    the `auto_recharge_` amounts are US dollars, the other limits the API's own
    usage units. `unlimited` is True where a limit is the gateways' number for
    'none'. `reported` names the fields that the answer had, be they null.
    """

    has_payment_method: bool | None = None
    canceled: bool | None = None
    canceled_at: datetime | None = None
    delinquent: bool | None = None
    access_until: datetime | None = None
    soft_limit: float | None = None
    hard_limit: float | None = None
    system_hard_limit: float | None = None
    soft_limit_usd: float | None = None
    hard_limit_usd: float | None = None
    system_hard_limit_usd: float | None = None
    plan: str | None = None
    plan_id: str | None = None
    primary: bool | None = None
    billing_mechanism: str | None = None
    is_arrears_eligible: bool | None = None
    max_balance: float | None = None
    auto_recharge_eligible: bool | None = None
    auto_recharge_enabled: bool | None = None
    auto_recharge_threshold: float | None = None
    auto_recharge_to_balance: float | None = None
    trust_tier: str | None = None
    account_name: str | None = None
    po_number: str | None = None
    billing_email: str | None = None
    tax_ids: str | None = None
    billing_address: str | None = None
    business_address: str | None = None
    unlimited: bool = False
    reported: frozenset[str] = frozenset()

    @classmethod
    def read(cls, data: Fields) -> Subscription:
        """Read the answer of `subscription`."""
        plan = data.inside("plan")
        result = cls(
            has_payment_method=data.read("has_payment_method", boolean),
            canceled=data.read("canceled", boolean),
            canceled_at=data.read("canceled_at", moment),
            delinquent=data.read("delinquent", boolean),
            access_until=data.read("access_until", moment),
            soft_limit=data.read("soft_limit", number),
            hard_limit=data.read("hard_limit", number),
            system_hard_limit=data.read("system_hard_limit", number),
            soft_limit_usd=_usd(data, "soft_limit_usd"),
            hard_limit_usd=_usd(data, "hard_limit_usd"),
            system_hard_limit_usd=_usd(data, "system_hard_limit_usd"),
            plan=plan.read("title", text) if plan else None,
            plan_id=plan.read("id", text) if plan else None,
            primary=data.read("primary", boolean),
            billing_mechanism=data.read("billing_mechanism", text),
            is_arrears_eligible=data.read("is_arrears_eligible", boolean),
            max_balance=data.read("max_balance", number),
            auto_recharge_eligible=data.read("auto_recharge_eligible", boolean),
            auto_recharge_enabled=data.read("auto_recharge_enabled", boolean),
            auto_recharge_threshold=data.read("auto_recharge_threshold", number),
            auto_recharge_to_balance=data.read("auto_recharge_to_balance", number),
            trust_tier=data.read("trust_tier", text),
            account_name=data.read("account_name", text),
            po_number=data.read("po_number", text),
            billing_email=data.read("billing_email", text),
            tax_ids=data.read("tax_ids", _tax_ids),
            billing_address=data.read("billing_address", _address),
            business_address=data.read("business_address", _address),
            unlimited=data.read("hard_limit_usd", number) == UNLIMITED_USD,
            reported=data.names() & _SUBSCRIPTION_FIELDS,
        )
        if not result.reported:
            raise InvalidResponseError("The answer holds no subscription")
        return result


def _usd(data: Fields, name: str) -> float | None:
    limit = data.read(name, number)
    return None if limit == UNLIMITED_USD else limit


_SUBSCRIPTION_FIELDS = frozenset(Subscription.__dataclass_fields__) - {"reported", "unlimited"}


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the key's owner belongs to."""

    id: str
    title: str | None = None
    is_default: bool = False

    @classmethod
    def read_all(cls, data: Fields) -> tuple[Organization, ...]:
        """Read the organizations of the answer of `me`, the default one first."""
        orgs = data.inside("orgs")
        found = [
            cls(org_id, org.read("title", text), org.read("is_default", boolean) or False)
            for org in (orgs.rows("data") if orgs else ())
            if (org_id := org.read("id", text)) and org_id.isascii() and len(org_id) <= 100
        ]
        return tuple(sorted(found, key=lambda org: not org.is_default))
