"""States that an account can be in, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from .account import Account
from .organization import Organization

if TYPE_CHECKING:
    from .server import Simulator

SECOND_ORGANIZATION = "org-SimulatedExampleWork02"
THIRD_ORGANIZATION = "org-SimulatedExampleHome03"
SECOND_ADMIN_KEY = "sk-admin-demo-2222222222222222222222222222"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state of the account: what it is, and how the simulator gets into it."""

    description: str
    apply: Callable[[Simulator], None]


def _healthy(simulator: Simulator) -> None:
    """Leave everything as it is."""


def _low_credit(simulator: Simulator) -> None:
    simulator.account.credit_left = 2.17


def _no_credit(simulator: Simulator) -> None:
    simulator.account.credit_left = 0.0


def _overdue(simulator: Simulator) -> None:
    simulator.account.subscription |= {"delinquent": True, "has_payment_method": False}


def _canceled(simulator: Simulator) -> None:
    now = simulator.now()
    simulator.account.subscription |= {
        "canceled": True,
        "canceled_at": int((now - timedelta(days=3)).timestamp()),
        "access_until": int((now + timedelta(days=11)).timestamp()),
    }


def _spend_limit_enforced(simulator: Simulator) -> None:
    account = simulator.account
    account.spend_limit_cents = max(100, int(account.cost_this_month(simulator.now()) * 0.98))
    account.spend_limit_status = "enforcing"


def _several_organizations(simulator: Simulator) -> None:
    """Give the owner three organizations, two of them with the same name.

    Each has costs of its own; a second admin key belongs to the second one.
    """
    first = simulator.account.organizations[0]
    work = Organization(SECOND_ORGANIZATION, "Example Work")
    other = Organization(THIRD_ORGANIZATION, first.title)
    simulator.account.organizations = [first, work, other]
    for organization, share in ((work, 2.5), (other, 0.2)):
        account = Account(organizations=[organization])
        end = organization.id[-2:]
        account.streams = [
            replace(
                stream,
                cost=stream.cost * share,
                project_id=f"{stream.project_id}_{end}",
                api_key_id=f"{stream.api_key_id}_{end}" if stream.api_key_id else None,
            )
            for stream in account.streams
        ]
        account.projects = [
            replace(one, id=f"{one.id}_{end}", created_at=one.created_at + 86_400 * int(end))
            for one in account.projects
        ]
        account.api_keys = [
            replace(one, id=f"{one.id}_{end}", project_id=f"{one.project_id}_{end}")
            for one in account.api_keys
        ]
        simulator.others[organization.id] = account
    simulator.admin_keys[SECOND_ADMIN_KEY] = SECOND_ORGANIZATION


def _expired_session_key(simulator: Simulator) -> None:
    for endpoint in ("credit_grants", "usage", "subscription", "me"):
        simulator.fault(endpoint, "expired_key")


def _admin_key_expires(simulator: Simulator) -> None:
    simulator.account.admin_keys_expire_at = simulator.now().astimezone(UTC) + timedelta(days=5)


def _costs_alone(simulator: Simulator) -> None:
    for endpoint in ("projects", "api_keys", "admin_api_keys", "spend_limit", "usage/*"):
        simulator.fault(endpoint, "no_permission")


def _new_account(simulator: Simulator) -> None:
    account = simulator.account
    account.ledger = {}
    account.spend_limit_cents = None
    account.credit_grants_override = {
        "object": "credit_summary",
        "total_granted": 0.0,
        "total_used": 0.0,
        "total_available": 0.0,
        "total_paid_available": 0.0,
        "grants": {"object": "list", "data": []},
    }


SCENARIOS: dict[str, Scenario] = {
    "healthy": Scenario("Everything is fine.", _healthy),
    "low-credit": Scenario("A few dollars of prepaid credit are left.", _low_credit),
    "no-credit": Scenario("The prepaid credit is used up.", _no_credit),
    "overdue": Scenario("A payment is overdue, and no payment method is on file.", _overdue),
    "canceled": Scenario("The subscription is canceled and ends in 11 days.", _canceled),
    "spend-limit-enforced": Scenario(
        "The organization's spend limit is reached, and OpenAI refuses its requests.",
        _spend_limit_enforced,
    ),
    "several-organizations": Scenario(
        "The session key's owner has three organizations, two of them with the same name;"
        " a second admin key belongs to the second one.",
        _several_organizations,
    ),
    "expired-session-key": Scenario("The session key has expired.", _expired_session_key),
    "admin-key-expires": Scenario("The admin key expires in 5 days.", _admin_key_expires),
    "costs-alone": Scenario("The admin key may read the costs, and nothing else.", _costs_alone),
    "new-account": Scenario("Nothing was ever used, paid or limited.", _new_account),
}
