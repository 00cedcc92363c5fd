"""The response of the documented `costs`: US dollars per day, grouped as requested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
import json
from typing import TYPE_CHECKING

from .buckets import Bucket, Key, dimensions_of, page_of, selected
from .contract import COSTS
from .ledger import JSON, LineItem
from .query import Query, RequestError

if TYPE_CHECKING:
    from .account import Account


@dataclass(slots=True)
class _Sum:
    """What the line items of one row add up to, in US cents, and of how much of what."""

    cents: float = 0.0
    quantity: float = 0.0
    units: set[str | None] | None = None
    project_name: str | None = None


def costs(account: Account, query: Query, now: datetime) -> str:
    """Return a page of costs as JSON."""
    group_by = query.lists.get("group_by", ())
    by_project = "project_id" in group_by or "project_ids" in query.lists
    if "user_id" in group_by and by_project and not account.users_with_projects:
        raise RequestError(
            "Grouping by user_id together with projects is not supported here.", "group_by"
        )
    today = now.astimezone(UTC).date()

    def text_of(bucket: Bucket) -> str:
        def make() -> str:
            items = selected(account.items(bucket.day, now), COSTS, query)
            return json.dumps(_rows(account, items, group_by))

        if account.ledger is not None or bucket.day >= today:
            return make()
        switches = account.text_amounts, account.undocumented_fields, account.organizations[:1]
        return account.cache.get(
            ("costs", bucket, repr(switches), group_by, query.digest_of_filters()), make
        )

    return page_of(COSTS, query, now, account.page_days, text_of)


def _rows(account: Account, items: Iterable[LineItem], group_by: tuple[str, ...]) -> list[JSON]:
    sums: dict[Key, _Sum] = {}
    for item in items:
        group = tuple(getattr(item, name) for name in group_by)
        if (one := sums.get(group)) is None:
            one = sums[group] = _Sum(units=set(), project_name=item.project_name)
        one.cents += item.cost
        one.quantity += item.quantity or 0
        assert one.units is not None
        one.units.add(item.unit)
    return [_row(account, group, one, group_by) for group, one in sums.items()]


def _row(account: Account, group: Key, one: _Sum, group_by: tuple[str, ...]) -> JSON:
    dollars = Decimal(str(round(one.cents, 8))) / 100
    value: JSON = f"{dollars:.39f}" if account.text_amounts else float(dollars)
    row: dict[str, JSON] = {
        "object": COSTS.object,
        "amount": {"value": value, "currency": "usd"},
        "quantity": None,
        "quantity_unit": None,
        **dimensions_of(COSTS, group, group_by),
    }
    if "line_item" in group_by:
        row["quantity"] = one.quantity
        if one.units and len(one.units) == 1:
            [row["quantity_unit"]] = one.units
    if account.undocumented_fields:
        organization = account.organizations[0] if account.organizations else None
        row |= {
            "project_name": one.project_name if "project_id" in group_by else None,
            "organization_id": organization.id if organization else None,
            "organization_name": organization.title if organization else None,
            "user_email": None,
        }
    return row
