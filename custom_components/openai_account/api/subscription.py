"""The plan of an account, its limits and who is billed: the dashboard's `subscription`.

OpenAI does not document this endpoint. The shape was gathered from captured
responses of 2023 to 2026: fields come, go and change their type, so each one is
parsed on its own, and an unreadable one is None without affecting the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .errors import InvalidResponseError
from .parsing import JSON, JsonObject, boolean, moment, number, text

# Gateways report "no limit" as this number of dollars.
UNLIMITED_USD = 100_000_000

_MAX_TAX_IDS = 20


def _address(value: JSON) -> str | None:
    """Return an address as one line, from the parts that it has."""
    if not isinstance(value, dict):
        return None
    names = ("line1", "line2", "postal_code", "city", "state", "country")
    return text(", ".join(part for name in names if (part := text(value.get(name)))))


def _tax_ids(value: JSON) -> str | None:
    """Return tax ids as one line, from a text, an object or a list of either."""
    ids = value[:_MAX_TAX_IDS] if isinstance(value, list) else [value]
    texts = (text(one.get("value") if isinstance(one, dict) else one) for one in ids)
    return text(", ".join(one for one in texts if one))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """The plan of an account, its limits and who is billed.

    Fields have the API's own names. Those ending in `_usd`, `max_balance` and the
    `auto_recharge_` amounts are US dollars, the other limits the API's own usage
    units. `unlimited` is True where a limit is the number that gateways use for
    'none'. `reported` are the names of the fields in the response, null or not.
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
    unlimited: bool
    reported: frozenset[str]

    @classmethod
    def read(cls, data: JsonObject) -> Subscription:
        """Read the response of `subscription`."""
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
            raise InvalidResponseError("The response has no subscription")
        return result


def _usd(data: JsonObject, name: str) -> float | None:
    limit = data.read(name, number)
    return None if limit == UNLIMITED_USD else limit


_SUBSCRIPTION_FIELDS = frozenset(Subscription.__dataclass_fields__) - {"reported", "unlimited"}
