"""The prepaid credit of an account: the dashboard's `credit_grants`.

OpenAI does not document this endpoint. The shape was gathered from captured
responses of 2023 to 2026: fields come, go and change their type, so each one is
parsed on its own, and an unreadable one is None without affecting the others.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime

from .errors import InvalidResponseError
from .parsing import JsonObject, moment, number
from .subscription import Subscription

# So many of the next expiries are kept.
_MAX_EXPIRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGrants:
    """The prepaid credit of an account, in US dollars.

    An expired grant stays in `total_granted`, so `total_available` is not the
    granted minus the used amount. `expiries` are when the grants that have money left
    expire or expired, in order. `reported` are the names of the fields in the
    response, null or not. `derived` is True where a gateway does not report its
    credit, and it was derived from what the gateway does report.
    """

    total_granted: float | None = None
    total_used: float | None = None
    total_available: float | None = None
    total_paid_available: float | None = None
    expiries: tuple[datetime, ...] = ()
    reported: frozenset[str] = frozenset()
    derived: bool = False

    @classmethod
    def read(cls, data: JsonObject) -> CreditGrants:
        """Read the response of `credit_grants`."""
        expiries = []
        grants = data.inside("grants")
        for grant in grants.rows("data") if grants else ():
            amount = grant.read("grant_amount", number)
            used = grant.read("used_amount", number)
            expires_at = grant.read("expires_at", moment)
            if expires_at and (amount is None or amount > (used or 0)):
                expiries.append(expires_at)
        result = cls(
            total_granted=data.read("total_granted", number),
            total_used=data.read("total_used", number),
            total_available=data.read("total_available", number),
            total_paid_available=data.read("total_paid_available", number),
            expiries=tuple(sorted(expiries)),
            reported=data.names() & _CREDIT_FIELDS,
        )
        if not result.reported:
            raise InvalidResponseError("The response has no credit grants")
        return result

    def at(self, now: datetime) -> CreditGrants:
        """Return the credit without the grants that have expired by a time.

        Of the others, the next thousand are left in.
        """
        first = bisect_right(self.expiries, now)
        left = self.expiries[first : first + _MAX_EXPIRIES]
        return self if left == self.expiries else replace(self, expiries=left)

    @property
    def next_grant_expiry(self) -> datetime | None:
        """When the next grant that has money left expires (UTC), of those that were left in."""
        return self.expiries[0] if self.expiries else None

    @classmethod
    def derive(cls, subscription: Subscription, lifetime: float) -> CreditGrants:
        """Return a gateway's credit: the token's limit minus its costs so far.

        Without a limit there are only the costs.
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
