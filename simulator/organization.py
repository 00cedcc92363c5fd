"""The organization behind an admin key: its spend limits, its projects and their API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import math
from typing import TYPE_CHECKING

from .ledger import JSON
from .query import Query, RequestError

if TYPE_CHECKING:
    from .account import Account

_DEFAULT_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the key's owner belongs to."""

    id: str
    title: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A project. Times are unix seconds; the limit is in US cents a month, None without one."""

    id: str
    name: str
    created_at: int = 1_730_000_000
    archived_at: int | None = None
    spend_limit_cents: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of a project. Times are unix seconds."""

    id: str
    name: str
    project_id: str
    created_at: int = 1_730_000_000
    owner_id: str = "user-SimulatedExample01"
    expires_at: int | None = None


def spend_limit(account: Account, now: datetime) -> JSON:
    """Return the response of `spend_limit`; raise a 404 where no limit is set."""
    spent = account.cost_this_month(now)
    return _limit("organization", account.spend_limit_cents, spent, account.spend_limit_status)


def project_spend_limit(account: Account, project_id: str, now: datetime) -> JSON:
    """Return the response of `projects/{id}/spend_limit`."""
    project = _project(account, project_id)
    spent = account.cost_this_month(now, project_id)
    return _limit("project", project.spend_limit_cents, spent, None)


def _limit(kind: str, cents: int | None, spent: float, status: str | None) -> JSON:
    if cents is None:
        raise RequestError("No spend limit is set.", status=404)
    return {
        "object": f"{kind}.spend_limit",
        "threshold_amount": cents,
        "currency": "USD",
        "interval": "month",
        "enforcement": {"status": status or ("enforcing" if spent >= cents else "inactive")},
    }


def projects(account: Account, query: Query) -> JSON:
    """Return the response of `projects`, the newest project first."""
    archived = query.flags.get("include_archived", False)
    found = sorted(account.all_projects(), key=lambda one: (-one.created_at, one.id))
    return _page(
        [
            {
                "object": "organization.project",
                "id": one.id,
                "name": one.name,
                "created_at": one.created_at,
                "archived_at": one.archived_at,
                "status": "active" if one.archived_at is None else "archived",
            }
            for one in found
            if archived or one.archived_at is None
        ],
        query,
    )


def api_keys(account: Account, project_id: str, query: Query, now: datetime) -> JSON:
    """Return the response of `projects/{id}/api_keys`."""
    _project(account, project_id)
    active = query.texts.get("owner_project_access") != "inactive"
    found = [one for one in account.api_keys if one.project_id == project_id and active]
    return _page([_api_key(one, now) for one in found], query)


def _api_key(key: ApiKey, now: datetime) -> dict[str, JSON]:
    owner: dict[str, JSON] = {"type": "user"}
    if "Bot" in key.owner_id:
        owner = {
            "type": "service_account",
            "service_account": {
                "id": key.owner_id,
                "name": "Bot of Erika Example",
                "created_at": key.created_at,
                "role": "member",
            },
        }
    else:
        owner["user"] = {
            "id": key.owner_id,
            "name": "Erika Example",
            "email": "owner@example.com",
            "created_at": key.created_at,
            "role": "owner",
        }
    return {
        "object": "organization.project.api_key",
        "id": key.id,
        "name": key.name,
        "redacted_value": f"sk-proj-********************{key.id[-4:]}",
        "created_at": key.created_at,
        "last_used_at": math.floor(now.timestamp() / 3_600) * 3_600,
        "expires_at": key.expires_at,
        "owner_project_access": "active",
        "owner": owner,
    }


def admin_api_keys(keys: Sequence[str], expires_at: datetime | None, query: Query) -> JSON:
    """Return the response of `admin_api_keys`: the admin keys, without what is secret of them."""
    created = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
    rows: list[dict[str, JSON]] = [
        {
            "object": "organization.admin_api_key",
            "id": f"key_SimulatedAdmin{index:02}",
            "name": "Home Assistant" if index == 1 else f"Admin key {index}",
            "redacted_value": f"{key[:9]}**********{key[-4:]}",
            "created_at": created + index,
            "last_used_at": None,
            "expires_at": int(expires_at.timestamp()) if expires_at else None,
            "owner": {
                "type": "user",
                "object": "organization.user",
                "id": "user-SimulatedExample01",
                "name": "Erika Example",
                "created_at": created,
                "role": "owner",
            },
        }
        for index, key in enumerate(keys, 1)
    ]
    if query.texts.get("order") == "desc":
        rows.reverse()
    return _page(rows, query)


def _project(account: Account, project_id: str) -> Project:
    for one in account.all_projects():
        if one.id == project_id:
            return one
    raise RequestError(f"No such project: {project_id}.", "project_id", 404)


def _page(rows: Sequence[dict[str, JSON]], query: Query) -> JSON:
    """Return one page of a list."""
    ids = [str(row["id"]) for row in rows]
    after = query.texts.get("after")
    if after is not None and after not in ids:
        raise RequestError("Invalid 'after': no such object.", "after")
    first = 0 if after is None else ids.index(after) + 1
    last = first + query.integers.get("limit", _DEFAULT_LIMIT)
    data = rows[first:last]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": last < len(rows),
    }
