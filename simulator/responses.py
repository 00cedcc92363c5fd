"""Which module makes the response of which endpoint of OpenAI."""

from __future__ import annotations

from datetime import datetime
import json

from . import costs, organization, usage
from .account import Account
from .ledger import JSON
from .query import Query, RequestError

_MAX_DAYS = 100


def respond(account: Account, endpoint: str, project_id: str, query: Query, now: datetime) -> str:
    """Return the body of the response to a checked request; raise `RequestError` for an error."""
    if endpoint == "costs":
        return costs.costs(account, query, now)
    folder, _, name = endpoint.partition("/")
    if folder == "usage" and name:
        return usage.usage(account, name, query, now)
    return json.dumps(_plain(account, endpoint, project_id, query, now))


def _plain(account: Account, endpoint: str, project_id: str, query: Query, now: datetime) -> JSON:
    match endpoint:
        case "spend_limit":
            return organization.spend_limit(account, now)
        case "projects":
            return organization.projects(account, query)
        case "api_keys":
            return organization.api_keys(account, project_id, query, now)
        case "project_spend_limit":
            return organization.project_spend_limit(account, project_id, now)
        case "credit_grants":
            return account.credit_grants(now)
        case "me":
            return account.me()
    return _dated(account, endpoint, query, now)


def _dated(account: Account, endpoint: str, query: Query, now: datetime) -> JSON:
    """Return the response of `usage` or `subscription`."""
    start, end = query.dates["start_date"], query.dates["end_date"]
    if not 0 < (end - start).days <= _MAX_DAYS:
        raise RequestError(f"Expected from 1 to {_MAX_DAYS} days.", "end_date")
    return account.usage(start, end, now) if endpoint == "usage" else account.subscription
