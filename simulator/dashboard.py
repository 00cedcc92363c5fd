"""What the undocumented endpoints of the dashboard respond to the session key."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
import math
from typing import TYPE_CHECKING

from .ledger import JSON

if TYPE_CHECKING:
    from .account import Account

_DAY = timedelta(days=1)
_GIFT = 10.0


def credit_grants(account: Account, now: datetime) -> JSON:
    """Return two grants, in US dollars."""
    today = now.astimezone(UTC).date()
    used = account.total_cents(now) / 100
    if account.credit_left is None:
        # As if the owner bought 30 dollars whenever fewer than 15 were left.
        paid = 30.0 * max(1, math.ceil((used + 15.0) / 30.0))
    else:
        paid = used + account.credit_left - _GIFT
    granted = paid + _GIFT
    gift_used = 2.5 if account.credit_left is None else _GIFT
    start = datetime.combine(today, time.min, UTC)
    grants: list[JSON] = [
        {
            "object": "credit_grant",
            "id": "00000000-0000-4000-8000-00000000000a",
            "grant_amount": _GIFT,
            "used_amount": gift_used,
            "effective_at": (start - 120 * _DAY).timestamp(),
            "expires_at": (start + 60 * _DAY).timestamp(),
        },
        {
            "object": "credit_grant",
            "id": "00000000-0000-4000-8000-00000000000b",
            "grant_amount": paid,
            "used_amount": used - gift_used,
            "effective_at": (start - 200 * _DAY).timestamp(),
            "expires_at": (start + 210 * _DAY).timestamp(),
        },
    ]
    return {
        "object": "credit_summary",
        "total_granted": granted,
        "total_used": used,
        "total_available": granted - used,
        "total_paid_available": paid - (used - gift_used),
        "grants": {"object": "list", "data": grants},
    }


def usage(account: Account, start: date, end: date, now: datetime) -> JSON:
    """Return the costs of some UTC days, in US cents: a row for each name and project."""
    days: list[JSON] = []
    total = 0.0
    today = now.astimezone(UTC).date()
    organization = account.organizations[0] if account.organizations else None
    for offset in range((end - start).days):
        day = start + offset * _DAY
        if day > today:
            break
        costs: dict[tuple[str, str | None, str | None], list[float]] = {}
        for item in account.items(day, now):
            row = item.name, item.project_id, item.project_name
            costs.setdefault(row, []).append(item.cost)
        total += math.fsum(math.fsum(one) for one in costs.values())
        rows: list[JSON] = [
            {
                "name": name,
                "cost": math.fsum(cents),
                "project_id": project_id,
                "project_name": project_name,
                "organization_id": organization.id if organization else None,
                "organization_name": organization.title if organization else None,
            }
            for (name, project_id, project_name), cents in costs.items()
        ]
        midnight = datetime.combine(day, time.min, UTC).timestamp()
        days.append({"timestamp": midnight, "line_items": rows})
    return {"object": "list", "daily_costs": days, "total_usage": total}


def me(account: Account) -> JSON:
    """Return the key's owner and the owner's organizations."""
    rows: list[JSON] = [
        {
            "object": "organization",
            "id": organization.id,
            "title": organization.title,
            "personal": False,
            "is_default": organization.is_default,
            "role": "owner",
        }
        for organization in account.organizations
    ]
    return {
        "object": "user",
        "id": "user-SimulatedExample01",
        "email": "owner@example.com",
        "name": "Erika Example",
        "orgs": {"object": "list", "data": rows},
    }
