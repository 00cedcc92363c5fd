"""What is wrong with an account and needs somebody to do something, at OpenAI or here."""

from __future__ import annotations

from typing import Final

from homeassistant.core import callback

from .api import KeyKind
from .coordinator import CREDIT, SPEND_LIMIT, SUBSCRIPTION, OpenAIAccountData
from .estimate import credit_left

SPEND_LIMIT_REACHED: Final = "spend_limit_reached"
CREDIT_USED_UP: Final = "credit_used_up"
PAYMENT_OVERDUE: Final = "payment_overdue"
SESSION_KEY_REJECTED: Final = "session_key_rejected"
ADMIN_KEY_REJECTED: Final = "admin_key_rejected"
SUBSCRIPTION_CANCELED: Final = "subscription_canceled"
NO_PAYMENT_METHOD: Final = "no_payment_method"

_REJECTED = {KeyKind.SESSION: SESSION_KEY_REJECTED, KeyKind.ADMIN: ADMIN_KEY_REJECTED}


@callback
def problems_of(account: OpenAIAccountData) -> list[str]:
    """Return the codes of an account's problems, those first that stop the API.

    What was last reported counts until the next response: an outage neither is a
    problem of the account, nor does it end one.
    """
    plan, limit = account.last(SUBSCRIPTION), account.last(SPEND_LIMIT)
    found = (
        (SPEND_LIMIT_REACHED, limit and limit.is_enforcing),
        (CREDIT_USED_UP, _is_used_up(account)),
        (PAYMENT_OVERDUE, plan and plan.delinquent),
        *((code, account.is_rejected(key)) for key, code in _REJECTED.items()),
        (SUBSCRIPTION_CANCELED, plan and plan.canceled),
        (NO_PAYMENT_METHOD, plan and plan.has_payment_method is False),
    )
    return [code for code, applies in found if applies]


def _is_used_up(account: OpenAIAccountData) -> bool:
    """Return whether there is no credit left, and none to be added by itself."""
    reported, recharge = account.last(CREDIT), account.store.recharge
    left = credit_left(account)
    if left:
        amount: float | None = left.amount
    else:
        amount = reported.total_available if reported else None
    return amount is not None and amount <= 0 and not (recharge and recharge["enabled"])
