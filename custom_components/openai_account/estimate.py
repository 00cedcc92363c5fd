"""An estimate of the credit for as long as nobody reports it.

Only a session key opens the credit, and it lives for about two weeks. The costs
of each day are known for much longer. So the last known credit is kept as an
anchor, and the costs since then are subtracted from it. All amounts are US
dollars, all days UTC days.

The estimate is unknown rather than wrong: without up-to-date costs, once
auto-recharge may have added credit, once a grant may have expired, and if credit
was added while its anchor could not be renewed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import logging
import math

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .api import CostReport, CreditGrants
from .coordinator import COSTS, CREDIT, SUBSCRIPTION, OpenAIAccountData
from .store import AnchorRecord

_LOGGER = logging.getLogger(__name__)

# Credit and costs belong together if they were fetched within this time.
_SAME_POLL = timedelta(minutes=1)

# How long credit that the user entered may wait for the costs of that time
_MAX_WAIT = timedelta(hours=1)

# An anchor is renewed with each poll, but written to disk only this often.
_SAVE_INTERVAL = timedelta(minutes=15)

# After this many days, costs are kept as a sum.
_KEPT_DAYS = timedelta(days=40)

# Sums of amounts differ by less than this.
_NOISE = 0.000_001


@dataclass(frozen=True, slots=True)
class Credit:
    """The credit that is left, in US dollars; `estimated` if the account does not report it."""

    amount: float
    estimated: bool


@callback
def credit_left(account: OpenAIAccountData) -> Credit | None:
    """Return the reported credit, or else the estimate; None if neither is known."""
    if (credit := account.current(CREDIT)) is not None:
        available = credit.total_available
        return None if available is None else Credit(available, estimated=False)
    estimate = estimated_credit(account)
    return None if estimate is None else Credit(estimate, estimated=True)


@callback
def estimated_credit(account: OpenAIAccountData) -> float | None:
    """Return exactly the reported credit while there is one, or else the estimate, if any."""
    if (credit := account.current(CREDIT)) is not None:
        return credit.total_available
    report, anchor = account.current(COSTS), account.store.anchor
    if report is None or not report.complete or anchor is None:
        return None
    return _estimate(anchor, report.today)


@callback
def knows_credit(account: OpenAIAccountData) -> bool:
    """Return whether the account reports its credit, or has once been told it."""
    credit = account.last(CREDIT)
    is_reported = credit is not None and "total_available" in credit.reported
    return is_reported or account.store.anchor is not None


@callback
def is_credit_known(account: OpenAIAccountData) -> bool:
    """Return whether the credit is up to date, reported or estimated."""
    return account.current(CREDIT) is not None or estimated_credit(account) is not None


@callback
def credit_attributes(account: OpenAIAccountData) -> dict[str, object]:
    """Return the state attributes of what depends on the credit."""
    credit = credit_left(account)
    return {"estimated": credit is not None and credit.estimated}


@callback
def enter_credit(account: OpenAIAccountData, amount: float, time: datetime) -> None:
    """Take the credit that the user read from OpenAI's billing page at a time as an anchor."""
    account.store.entered_credit = {"amount": amount, "time": time.isoformat()}
    account.store.save_soon()
    update_anchor(account)
    account.costs.async_update_listeners()


async def async_enter_credit(account: OpenAIAccountData, amount: float) -> str | None:
    """Take the credit that OpenAI's billing page shows now as an anchor.

    Fetches the costs so far, which belong to the amount; returns the translation key
    of the error if that is not possible.
    """
    await account.costs.async_refresh()
    report = account.current(COSTS)
    if report is None:
        return "costs_unavailable"
    if not report.complete:
        return "no_daily_costs"
    enter_credit(account, amount, dt_util.utcnow())
    return None


@callback
def update_anchor(account: OpenAIAccountData) -> None:
    """Renew the anchor by what the last polls have reported; call this after each poll."""
    store = account.store
    if (plan := account.current(SUBSCRIPTION)) is not None:
        recharges = bool(plan.auto_recharge_enabled)
        recharge = {"enabled": recharges, "threshold": plan.auto_recharge_threshold}
        if store.recharge != recharge:
            store.recharge = {"enabled": recharges, "threshold": plan.auto_recharge_threshold}
            store.save_soon()
    report = account.current(COSTS)
    if report is not None and not report.complete:
        report = None
    if report is not None and store.anchor is not None:
        _note_costs(account, store.anchor, report)
    if (credit := account.current(CREDIT)) is not None and not credit.derived:
        _take_reported(account, credit, report)
    _take_entered(account, report)
    if report is not None and store.anchor is not None and account.current(CREDIT) is None:
        _note_recharge(account, store.anchor, report)


def _take_reported(
    account: OpenAIAccountData, credit: CreditGrants, report: CostReport | None
) -> None:
    """Make reported credit the anchor, if the costs of the same poll are known."""
    store = account.store
    amount, time = credit.total_available, _last_success(account, CREDIT.name)
    if amount is None or time is None:
        return
    costs_time = _last_success(account, COSTS.name)
    if (
        report is not None
        and costs_time is not None
        and abs(costs_time - time) <= _SAME_POLL
        and report.today == time.date()
    ):
        _set_anchor(account, "reported", amount, time, report, credit.next_grant_expiry)
    elif store.anchor is not None and (costs_time is None or time > costs_time):
        known = _estimate(store.anchor, _date(store.anchor["known_until"]))
        if known is not None and amount > known + _NOISE:
            # Credit was added. Without the costs at that time, nothing can be derived from it.
            store.anchor = None
            store.save_soon()


def _take_entered(account: OpenAIAccountData, report: CostReport | None) -> None:
    """Make credit that the user entered the anchor, as soon as the costs of that time are known."""
    store = account.store
    if (entered := store.entered_credit) is None:
        return
    time, now = datetime.fromisoformat(entered["time"]), dt_util.utcnow()
    if not timedelta() <= now - time <= _MAX_WAIT or (report and report.today != time.date()):
        _LOGGER.warning(
            "The costs were not available when the credit was entered; enter the credit again"
        )
        store.entered_credit = None
        store.save_soon()
        return
    costs_time = _last_success(account, COSTS.name)
    if report is None or costs_time is None or costs_time < time - _SAME_POLL:
        return
    expiry = store.anchor and store.anchor["expires"]
    expires = datetime.fromisoformat(expiry) if expiry else None
    if expires is not None and expires <= now:
        expires = None
    _set_anchor(account, "entered", entered["amount"], time, report, expires)
    store.entered_credit = None
    store.save_soon()


def _set_anchor(
    account: OpenAIAccountData,
    source: str,
    amount: float,
    time: datetime,
    report: CostReport,
    expires: datetime | None,
) -> None:
    store, before = account.store, account.store.anchor
    day = report.today.isoformat()
    store.anchor = {
        "source": source,
        "amount": amount,
        "time": time.isoformat(),
        "spent": report.cost_today,
        "expires": expires.isoformat() if expires else None,
        "may_have_recharged": False,
        "known_until": day,
        "settled": 0.0,
        "settled_until": day,
        "days": {day: report.cost_today},
        "saved": before["saved"] if before else "",
    }
    if (
        before is None
        or before["amount"] < amount
        or before["source"] != source
        or not before["saved"]
        or abs(time - datetime.fromisoformat(before["saved"])) >= _SAVE_INTERVAL
    ):
        store.anchor["saved"] = time.isoformat()
        store.save_soon()


def _note_costs(account: OpenAIAccountData, anchor: AnchorRecord, report: CostReport) -> None:
    """Record what the days since the anchor have cost."""
    known_until = _date(anchor["known_until"])
    if report.start > known_until or report.today < known_until:
        # Days in between are missing: the coordinator fetches them.
        return
    days = anchor["days"]
    first = max(_time(anchor).date(), report.start, _date(anchor["settled_until"]))
    for offset in range((report.today - first).days + 1):
        day = first + timedelta(days=offset)
        days[day.isoformat()] = report.cost_of(day)
    kept_from = (report.today - _KEPT_DAYS).isoformat()
    if anchor["settled_until"] < kept_from:
        anchor["settled_until"] = kept_from
        for known in [known for known in days if known < kept_from]:
            anchor["settled"] += days.pop(known)
    if anchor["known_until"] != report.today.isoformat():
        anchor["known_until"] = report.today.isoformat()
        account.store.save_soon()


def _note_recharge(account: OpenAIAccountData, anchor: AnchorRecord, report: CostReport) -> None:
    """Record that auto-recharge may have added credit, which only a new anchor can tell."""
    recharge = account.store.recharge
    if recharge is None or not recharge["enabled"] or anchor["may_have_recharged"]:
        return
    estimate, threshold = _estimate(anchor, report.today), recharge["threshold"]
    if estimate is not None and (threshold is None or estimate < threshold):
        anchor["may_have_recharged"] = True
        account.store.save_soon()


def _estimate(anchor: AnchorRecord, today: date) -> float | None:
    """Return the anchor minus all costs since, up to and including `today`."""
    now, time = dt_util.utcnow(), _time(anchor)
    if anchor["may_have_recharged"] or _date(anchor["known_until"]) != today:
        return None
    if anchor["expires"] and now >= datetime.fromisoformat(anchor["expires"]):
        return None
    if time > now + _SAME_POLL:
        # The clock was set back, so the costs since then are not known.
        return None
    spent = math.fsum((*anchor["days"].values(), anchor["settled"], -anchor["spent"]))
    return anchor["amount"] - spent


def _last_success(account: OpenAIAccountData, endpoint: str) -> datetime | None:
    return account.by_endpoint[endpoint].status.last_success


def _time(anchor: AnchorRecord) -> datetime:
    return datetime.fromisoformat(anchor["time"]).astimezone(UTC)


def _date(day: str) -> date:
    return date.fromisoformat(day)
