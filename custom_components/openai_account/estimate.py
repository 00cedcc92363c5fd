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

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import logging
import math

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .api import CostReport, CreditGrants
from .coordinator import (
    COSTS,
    CREDIT,
    SUBSCRIPTION,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
)
from .stored import AnchorRecord, RechargeRecord

_LOGGER = logging.getLogger(__name__)

# Credit and costs belong together if their requests were sent within this time.
_SAME_POLL = timedelta(seconds=5)

# How long credit that the user entered may wait for the costs of that time
_MAX_WAIT = timedelta(minutes=2)

# An anchor is renewed with each poll, but written to disk only this often.
_SAVE_INTERVAL = timedelta(minutes=15)

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
    if (reported := reported_credit(account)) is not None:
        return Credit(reported, estimated=False)
    estimate = estimated_credit(account)
    return None if estimate is None else Credit(estimate, estimated=True)


@callback
def reported_credit(account: OpenAIAccountData) -> float | None:
    """Return the credit that the last poll reported, if any."""
    credit = account.current(CREDIT)
    return credit.total_available if credit else None


@callback
def estimated_credit(account: OpenAIAccountData) -> float | None:
    """Return exactly the reported credit while there is one, or else the estimate, if any."""
    if (reported := reported_credit(account)) is not None:
        return reported
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


async def async_enter_credit(entry: OpenAIAccountConfigEntry, amount: float) -> str | None:
    """Take the credit that OpenAI's billing page shows now as a loaded entry's anchor.

    Fetches the costs so far, which belong to the amount; returns the translation key
    of the error if that is not possible. On success the amount is on disk.
    """
    account = entry.runtime_data
    await account.costs.async_refresh()
    report, time = account.current(COSTS), account.costs.fetched_at
    if (
        report is None
        or time is None
        # Reloaded meanwhile: what is stored now belongs to other objects.
        or entry.state is not ConfigEntryState.LOADED
        or entry.runtime_data is not account
    ):
        return "costs_unavailable"
    if not report.complete:
        return "no_daily_costs"
    # A slow response is of the time at which it was requested.
    enter_credit(account, amount, time)
    await account.store.async_save()
    return None


@callback
def update_anchor(account: OpenAIAccountData) -> None:
    """Renew the anchor by what the last polls have reported; call this after each poll."""
    store = account.store
    plan = account.current(SUBSCRIPTION)
    if plan is not None and plan.auto_recharge_enabled is not None:
        recharge: RechargeRecord = {
            "enabled": plan.auto_recharge_enabled,
            "threshold": plan.auto_recharge_threshold,
        }
        if store.recharge != recharge:
            store.recharge = recharge
            store.save_soon()
    report = account.current(COSTS)
    if report is not None and not report.complete:
        report = None
    if report is not None and store.anchor is not None:
        _note_costs(account, store.anchor, report)
    if (credit := account.current(CREDIT)) is not None and not credit.derived:
        _take_reported(account, credit, report)
    _take_entered(account, report)
    if report is not None and store.anchor is not None and reported_credit(account) is None:
        _note_recharge(account, store.anchor, report)


class EstimateWatch:
    """Renews the anchor after each poll, and lets the entities follow.

    The estimate can change by a poll without news: a grant expires, or costs arrive that
    explain a change of the credit.
    """

    def __init__(self, account: OpenAIAccountData) -> None:
        """Start with nothing known."""
        self._account = account
        self._last: tuple[object, ...] = ()

    @callback
    def update(self) -> None:
        """Call this after each poll."""
        account = self._account
        update_anchor(account)
        anchor = account.store.anchor
        now = (estimated_credit(account), anchor and (anchor["amount"], anchor["source"]))
        if now != self._last:
            self._last = now
            # Fewer entities listen to the credit than to the costs, which every account has.
            (account.coordinator(CREDIT) or account.costs).async_update_listeners()


def _take_reported(
    account: OpenAIAccountData, credit: CreditGrants, report: CostReport | None
) -> None:
    """Make reported credit the anchor, if the costs of the same poll are known."""
    store = account.store
    amount, time = credit.total_available, _fetched_at(account, CREDIT.name)
    if amount is None or time is None:
        return
    costs_time = _fetched_at(account, COSTS.name)
    if (
        report is not None
        and costs_time is not None
        and abs(costs_time - time) <= _SAME_POLL
        and report.today == time.date()
    ):
        _set_anchor(account, "reported", amount, time, report, credit.expiries)
    elif store.anchor is not None and (costs_time is None or time > costs_time):
        known = _estimate(store.anchor, _date(store.anchor["known_until"]))
        if known is not None and abs(amount - known) > _NOISE:
            # Something was spent, bought or refunded. Without the costs of that time, what is
            # spent after it cannot be told from what was spent before.
            store.anchor["is_outdated"] = True
            if report is None:
                store.save_soon()


def _take_entered(account: OpenAIAccountData, report: CostReport | None) -> None:
    """Make credit that the user entered the anchor, if the costs of that time are known."""
    store = account.store
    if (entered := store.entered_credit) is None:
        return
    if reported_credit(account) is None:
        time, now = datetime.fromisoformat(entered["time"]), dt_util.utcnow()
        costs_time = _fetched_at(account, COSTS.name)
        is_late = not timedelta() <= now - time <= _MAX_WAIT
        if not is_late and (report is None or costs_time is None or costs_time < time - _SAME_POLL):
            return
        if is_late or report is None or report.today != time.date():
            _LOGGER.warning(
                "The costs were not available when the credit was entered; enter the credit again"
            )
        else:
            expiries = store.anchor["expiries"] if store.anchor else []
            pending = [one for one in map(datetime.fromisoformat, expiries) if one > now]
            _set_anchor(account, "entered", entered["amount"], time, report, pending)
    store.entered_credit = None
    store.save_soon()


def _set_anchor(
    account: OpenAIAccountData,
    source: str,
    amount: float,
    time: datetime,
    report: CostReport,
    expiries: Iterable[datetime],
) -> None:
    store, before = account.store, account.store.anchor
    day = report.today.isoformat()
    store.anchor = {
        "source": source,
        "amount": amount,
        "time": time.isoformat(),
        "spent": report.cost_today,
        "expiries": [one.isoformat() for one in expiries],
        "may_have_recharged": False,
        "is_outdated": False,
        "known_until": day,
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
    if report.start > _date(anchor["known_until"]):
        # Days in between are missing: the coordinator fetches them.
        return
    days = anchor["days"]
    for known in [known for known in days if _date(known) > report.today]:
        # The clock ran ahead.
        del days[known]
    first = max(_time(anchor).date(), report.start)
    for offset in range((report.today - first).days + 1):
        day = first + timedelta(days=offset)
        days[day.isoformat()] = report.cost_of(day)
    if anchor["known_until"] != report.today.isoformat():
        anchor["known_until"] = report.today.isoformat()
        account.store.save_soon()


def _note_recharge(account: OpenAIAccountData, anchor: AnchorRecord, report: CostReport) -> None:
    """Record that auto-recharge may have added credit, which only a new anchor can tell."""
    recharge = account.store.recharge
    if recharge is None or not recharge["enabled"] or anchor["may_have_recharged"]:
        return
    estimate, threshold = _estimate(anchor, report.today), recharge["threshold"]
    if anchor["source"] == "entered" and (threshold is None or anchor["amount"] < threshold):
        # The user knows better: it was below the threshold, and nothing was added.
        return
    if estimate is not None and (threshold is None or estimate < threshold):
        anchor["may_have_recharged"] = True
        account.store.save_soon()


def _estimate(anchor: AnchorRecord, today: date) -> float | None:
    """Return the anchor minus all costs since, up to and including `today`."""
    now, time = dt_util.utcnow(), _time(anchor)
    if (
        anchor["may_have_recharged"]
        or anchor["is_outdated"]
        or _date(anchor["known_until"]) != today
        # The clock was set back, so the costs since then are not known.
        or time > now + _SAME_POLL
        or any(datetime.fromisoformat(one) <= now for one in anchor["expiries"])
    ):
        return None
    return anchor["amount"] - math.fsum((*anchor["days"].values(), -anchor["spent"]))


def _fetched_at(account: OpenAIAccountData, endpoint: str) -> datetime | None:
    return account.by_endpoint[endpoint].fetched_at


def _time(anchor: AnchorRecord) -> datetime:
    return datetime.fromisoformat(anchor["time"]).astimezone(UTC)


def _date(day: str) -> date:
    return date.fromisoformat(day)
