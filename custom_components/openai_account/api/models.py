"""What the billing API tells, in US dollars, UTC days and aware UTC times.

Nothing of this API is documented by OpenAI. The shapes here were gathered from
captured answers of 2023 to 2026: fields come, go and change their kind, so each
is read for itself, and one that cannot be read is absent and costs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .errors import InvalidResponseError
from .fields import Fields
from .reading import JSON, boolean, cents, moment, number, text

# Gateways say "no limit" with this number of dollars.
UNLIMITED_USD = 100_000_000

_MICRO = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGrants:
    """The prepaid credit of an account, in US dollars.

    An expired grant stays in `total_granted`, so `total_available` is not what
    was granted minus what was used. `next_grant_expiry` is when the next grant
    that still holds money expires. `reported` names the fields that the answer
    had, be they null. `derived` is True where a gateway does not tell its credit
    and it was worked out from what it does tell.
    """

    total_granted: float | None = None
    total_used: float | None = None
    total_available: float | None = None
    total_paid_available: float | None = None
    next_grant_expiry: datetime | None = None
    reported: frozenset[str] = frozenset()
    derived: bool = False

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

    @classmethod
    def derive(cls, subscription: Subscription, lifetime: float) -> CreditGrants:
        """Return a gateway's credit: the token's limit minus all that it ever spent.

        Without a limit there is only what was spent.
        """
        if subscription.hard_limit_usd is None:
            return cls(total_used=lifetime, reported=frozenset({"total_used"}), derived=True)
        return cls(
            total_used=lifetime,
            total_available=subscription.hard_limit_usd - lifetime,
            reported=frozenset({"total_used", "total_available"}),
            derived=True,
        )


_CREDIT_FIELDS = frozenset(
    {"total_granted", "total_used", "total_available", "total_paid_available", "grants"}
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLimit:
    """The monthly limit that an organization has set on its spending, in US dollars.

    `amount` is None where none is set. Documented by OpenAI, which tells it in
    cents, since 2026.
    """

    amount: float | None = None

    @classmethod
    def read(cls, data: Fields) -> SpendLimit:
        """Read the answer of `spend_limit`."""
        if "threshold_amount" not in data.names():
            raise InvalidResponseError("The answer holds no spend limit")
        if (data.read("currency", text) or "usd").lower() != "usd":
            raise InvalidResponseError("The spend limit is not in US dollars")
        return cls(amount=data.read("threshold_amount", cents) or None)
