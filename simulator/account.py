"""A plausible account, whose costs are a pure function of the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
import hashlib
import math

type JSON = Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None

_HISTORY_DAYS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LineItem:
    """One row of a day's costs, in US cents."""

    name: str
    cost: float
    project_id: str | None = "proj_default"
    project_name: str | None = "Default project"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the key's owner belongs to."""

    id: str
    title: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class _Rate:
    """What a line item costs on a usual day, in US cents."""

    name: str
    cents: float
    project_id: str | None = "proj_default"
    project_name: str | None = "Default project"


_RATES = (
    _Rate("gpt-5.5, input", 62.0),
    _Rate("gpt-5.5, cached input", 9.0),
    _Rate("gpt-5.5, output", 88.0),
    _Rate("gpt-5.5, output", 31.0, "proj_voice", "Voice assistant"),
    _Rate("gpt-5-mini, input", 14.0, "proj_voice", "Voice assistant"),
    _Rate("gpt-5-mini, output", 21.0, "proj_voice", "Voice assistant"),
    _Rate("gpt-image-2, output", 34.0),
    _Rate("text-embedding-3-large", 4.0),
    _Rate("web search tool calls", 12.0, "proj_voice", "Voice assistant"),
)


def _chance(day: date, name: str) -> float:
    """Return a number from 0 to 1 that is always the same for a day and a name."""
    digest = hashlib.sha256(f"{day.isoformat()} {name}".encode()).digest()
    return int.from_bytes(digest[:4]) / 0xFFFFFFFF


def _default_subscription() -> dict[str, JSON]:
    address: dict[str, JSON] = {
        "city": "Exampletown",
        "line1": "12 Simulated Street",
        "line2": "",
        "state": "EX",
        "country": "US",
        "postal_code": "00001",
    }
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "canceled": False,
        "canceled_at": None,
        "delinquent": False,
        "access_until": 1861920000,
        "soft_limit": 1333333,
        "hard_limit": 2000000,
        "system_hard_limit": 3333333,
        "soft_limit_usd": 79.99998,
        "hard_limit_usd": 120.0,
        "system_hard_limit_usd": 199.99998,
        "plan": {"title": "Pay-as-you-go", "id": "payg"},
        "primary": True,
        "account_name": "Erika Example",
        "po_number": "PO-2026-0042",
        "billing_email": "billing@example.com",
        "tax_ids": [{"type": "eu_vat", "value": "XX123456789"}],
        "billing_address": address,
        "business_address": None,
        "billing_mechanism": "advance",
        "is_arrears_eligible": False,
        "max_balance": 500.0,
        "auto_recharge_eligible": True,
        "auto_recharge_enabled": False,
        "auto_recharge_threshold": None,
        "auto_recharge_to_balance": None,
        "trust_tier": "tier_2",
    }


@dataclass(slots=True, kw_only=True)
class Account:
    """What the simulated account holds; change it at any time.

    `ledger`, where it is set, replaces the costs that the account makes up. The
    overrides are answered as they are.
    """

    rates: Sequence[_Rate] = _RATES
    ledger: Mapping[date, Sequence[LineItem]] | None = None
    subscription: dict[str, JSON] = field(default_factory=_default_subscription)
    organizations: list[Organization] = field(
        default_factory=lambda: [Organization("org-SimulatedExampleHome01", "Example Home", True)]
    )
    credit_grants_override: JSON = None
    usage_override: JSON = None
    subscription_override: JSON = None
    me_override: JSON = None
    costs_override: JSON = None
    # US cents a month; None where the organization has set no limit
    spend_limit_cents: int | None = 15_000
    # The official costs are told on pages of so many days.
    page_days: int = 31
    _past: dict[date, float] = field(default_factory=dict)

    @classmethod
    def generated(cls, models: int) -> Account:
        """Return an account that uses so many models every day."""
        return cls(
            rates=[
                _Rate(f"model-{index:03}, {direction}", 300 / models)
                for index in range(models)
                for direction in ("input", "cached input", "output")
            ]
        )

    def items(self, day: date, now: datetime) -> list[LineItem]:
        """Return the rows of a UTC day as they stand at a time."""
        if self.ledger is not None:
            return list(self.ledger.get(day, ()))
        today = now.astimezone(UTC).date()
        if not today - _HISTORY_DAYS * _DAY <= day <= today:
            return []
        passed = 1.0
        if day == today:
            midnight = datetime.combine(day, time.min, UTC)
            passed = (now - midnight) / _DAY
        rhythm = 0.55 if day.weekday() >= 5 else 1.0
        season = 1.0 + 0.35 * math.sin(day.timetuple().tm_yday / 365 * 2 * math.pi)
        return [
            LineItem(
                rate.name,
                round(rate.cents * rhythm * season * (0.5 + _chance(day, rate.name)) * passed, 6),
                rate.project_id,
                rate.project_name,
            )
            for rate in self.rates
            if _chance(day, "skip " + rate.name) > 0.08
        ]

    def cents(self, day: date, now: datetime) -> float:
        """Return what a UTC day has cost at a time, in US cents."""
        past = self.ledger is None and day < now.astimezone(UTC).date()
        if past and day in self._past:
            return self._past[day]
        cents = math.fsum(item.cost for item in self.items(day, now))
        if past:
            self._past[day] = cents
        return cents

    def credit_grants(self, now: datetime) -> JSON:
        """Return the answer of `credit_grants`: two grants, topped up when they run low."""
        if self.credit_grants_override is not None:
            return self.credit_grants_override
        today = now.astimezone(UTC).date()
        spent = math.fsum(self.cents(today - days * _DAY, now) for days in range(_HISTORY_DAYS + 1))
        used = spent / 100
        # As if the owner bought 30 dollars whenever fewer than 15 were left.
        paid = 30.0 * max(1, math.ceil((used + 15.0) / 30.0))
        gift = 10.0
        granted = paid + gift
        start = datetime.combine(today, time.min, UTC)
        grants: list[JSON] = [
            {
                "object": "credit_grant",
                "id": "00000000-0000-4000-8000-00000000000a",
                "grant_amount": gift,
                "used_amount": 2.5,
                "effective_at": (start - 120 * _DAY).timestamp(),
                "expires_at": (start + 60 * _DAY).timestamp(),
            },
            {
                "object": "credit_grant",
                "id": "00000000-0000-4000-8000-00000000000b",
                "grant_amount": paid,
                "used_amount": used - 2.5,
                "effective_at": (start - 200 * _DAY).timestamp(),
                "expires_at": (start + 210 * _DAY).timestamp(),
            },
        ]
        return {
            "object": "credit_summary",
            "total_granted": granted,
            "total_used": used,
            "total_available": granted - used,
            "total_paid_available": paid - (used - 2.5),
            "grants": {"object": "list", "data": grants},
        }

    def usage(self, start: date, end: date, now: datetime) -> JSON:
        """Return the answer of `usage`, in US cents."""
        if self.usage_override is not None:
            return self.usage_override
        days: list[JSON] = []
        total = 0.0
        organization = self.organizations[0] if self.organizations else None
        for offset in range((end - start).days):
            day = start + offset * _DAY
            items = self.items(day, now)
            if day > now.astimezone(UTC).date():
                break
            total += math.fsum(item.cost for item in items)
            rows: list[JSON] = [
                {
                    "name": item.name,
                    "cost": item.cost,
                    "project_id": item.project_id,
                    "project_name": item.project_name,
                    "organization_id": organization.id if organization else None,
                    "organization_name": organization.title if organization else None,
                }
                for item in items
            ]
            midnight = datetime.combine(day, time.min, UTC).timestamp()
            days.append({"timestamp": midnight, "line_items": rows})
        return {"object": "list", "daily_costs": days, "total_usage": total}

    def costs(self, start: date, end: date, limit: int, page: str | None, now: datetime) -> JSON:
        """Return a page of the answer of `costs`, in US dollars, as text of many digits."""
        if self.costs_override is not None:
            return self.costs_override
        first = date.fromisoformat(page.removeprefix("page_")) if page else start
        last = min(end, first + min(limit, self.page_days) * _DAY)
        buckets: list[JSON] = []
        day = first
        while day < last and day <= now.astimezone(UTC).date():
            midnight = int(datetime.combine(day, time.min, UTC).timestamp())
            buckets.append(
                {
                    "object": "bucket",
                    "start_time": midnight,
                    "end_time": midnight + 86_400,
                    "results": [self._result(item) for item in self.items(day, now)],
                }
            )
            day += _DAY
        more = last < end
        return {
            "object": "page",
            "data": buckets,
            "has_more": more,
            "next_page": f"page_{last.isoformat()}" if more else None,
        }

    def _result(self, item: LineItem) -> JSON:
        organization = self.organizations[0] if self.organizations else None
        return {
            "object": "organization.costs.result",
            "amount": {"value": f"{Decimal(str(item.cost)) / 100:.39f}", "currency": "usd"},
            "quantity": None,
            "line_item": item.name,
            "project_id": item.project_id,
            "project_name": item.project_name,
            "organization_id": organization.id if organization else None,
            "organization_name": organization.title if organization else None,
            "user_id": None,
            "api_key_id": None,
            "user_email": None,
        }

    def spend_limit(self) -> JSON:
        """Return the answer of `spend_limit`; without a limit there is none."""
        return {
            "object": "organization.spend_limit",
            "threshold_amount": self.spend_limit_cents,
            "currency": "USD",
            "interval": "month",
            "enforcement": {"status": "enforcing"},
        }

    def me(self) -> JSON:
        """Return the answer of `me`."""
        if self.me_override is not None:
            return self.me_override
        rows: list[JSON] = [
            {
                "object": "organization",
                "id": organization.id,
                "title": organization.title,
                "personal": False,
                "is_default": organization.is_default,
                "role": "owner",
            }
            for organization in self.organizations
        ]
        return {
            "object": "user",
            "id": "user-SimulatedExample01",
            "email": "owner@example.com",
            "name": "Erika Example",
            "orgs": {"object": "list", "data": rows},
        }
