"""The form in which an account's store is on disk.

A file can be restored from another version, or edited: what does not have this form is left
out, and everything else keeps working.
"""

from __future__ import annotations

from datetime import date, datetime
import logging
import math
from typing import NotRequired, TypedDict, cast

import voluptuous as vol

_LOGGER = logging.getLogger(__name__)


class NameRecord(TypedDict):
    """A model, project or API key that has had costs, or a model that was used.

    `last_seen` is the last UTC day on which a poll found costs or usage of it, `history` the
    last one that the history holds, both in ISO 8601; empty or missing if there is none.
    `label` is what people call it, if that is not its name. `project` is the id of a key's
    project.
    """

    name: str
    last_seen: str
    label: NotRequired[str]
    history: NotRequired[str]
    project: NotRequired[str]


class EndpointRecord(TypedDict):
    """An endpoint that has answered; since when it has been missing (ISO 8601, UTC), or None."""

    missing_since: str | None


class LifetimeRecord(TypedDict):
    """A session key that was rejected: when it was entered, and how many days it worked."""

    added: str
    days: float


class AnchorRecord(TypedDict):
    """A credit that was known: `amount` at a `time`, when its UTC day had cost `spent` so far.

    `source` is `reported` or `entered`. `expiries` are when the grants that had money left
    expire. `days` are the costs of the days since, including that first one, up to
    `known_until`. `may_have_recharged` and `is_outdated` mean that nothing can be derived
    from it anymore. `saved` is the time of the anchor that was last written to disk. Times
    are ISO 8601, amounts US dollars.
    """

    source: str
    amount: float
    time: str
    spent: float
    expiries: list[str]
    may_have_recharged: bool
    is_outdated: bool
    known_until: str
    days: dict[str, float]
    saved: str


class EnteredCredit(TypedDict):
    """Credit that the user entered at a time, and that waits for the costs of that time."""

    amount: float
    time: str


class RechargeRecord(TypedDict):
    """The last known state of auto-recharge, and the balance in US dollars below which it acts."""

    enabled: bool
    threshold: float | None


class AdminKeyRecord(TypedDict):
    """What the API last said of an admin key, which a digest tells from later ones.

    `checked` is when it was requested, `expires_at` when the key expires, None if it does
    not or that is not known; both in ISO 8601.
    """

    key: str
    checked: str
    expires_at: str | None


class StoreData(TypedDict):
    """The stored form; names by their slugs."""

    models: dict[str, NameRecord]
    usage_models: NotRequired[dict[str, NameRecord]]
    projects: NotRequired[dict[str, NameRecord]]
    api_keys: NotRequired[dict[str, NameRecord]]
    endpoints: dict[str, EndpointRecord]
    session_keys: NotRequired[list[LifetimeRecord]]
    admin_key: NotRequired[AdminKeyRecord]
    cleared: NotRequired[list[str]]
    filled: NotRequired[list[str]]
    anchor: NotRequired[AnchorRecord | None]
    entered_credit: NotRequired[EnteredCredit | None]
    recharge: NotRequired[RechargeRecord | None]


def _day(value: str) -> str:
    date.fromisoformat(value)
    return value


def _time(value: str) -> str:
    if datetime.fromisoformat(value).tzinfo is None:
        raise vol.Invalid("has no time zone")
    return value


def _number(value: float) -> float:
    if isinstance(value, bool) or not math.isfinite(value):
        raise vol.Invalid("is not a number")
    return value


_DAY = vol.All(str, _day)
_TIME = vol.All(str, _time)
_NUMBER = vol.All(vol.Any(int, float), _number)
_NAMES = {
    str: {
        vol.Required("name"): str,
        vol.Required("last_seen"): vol.Any("", _DAY),
        "label": str,
        "history": _DAY,
        "project": str,
    }
}
_SCHEMAS = {
    "models": _NAMES,
    "usage_models": _NAMES,
    "projects": _NAMES,
    "api_keys": _NAMES,
    "endpoints": {str: {vol.Required("missing_since"): vol.Any(None, _TIME)}},
    "cleared": [str],
    "filled": [str],
    "session_keys": [{vol.Required("added"): str, vol.Required("days"): _NUMBER}],
    "admin_key": vol.Schema(
        {"key": str, "checked": _TIME, "expires_at": vol.Any(None, _TIME)}, required=True
    ),
    "anchor": vol.Any(
        None,
        vol.Schema(
            {
                "source": vol.In(["reported", "entered"]),
                "amount": _NUMBER,
                "time": _TIME,
                "spent": _NUMBER,
                "expiries": [_TIME],
                "may_have_recharged": bool,
                "is_outdated": bool,
                "known_until": _DAY,
                "days": {_DAY: _NUMBER},
                "saved": vol.Any("", _TIME),
            },
            required=True,
        ),
    ),
    "entered_credit": vol.Any(None, vol.Schema({"amount": _NUMBER, "time": _TIME}, required=True)),
    "recharge": vol.Any(
        None,
        vol.Schema({"enabled": bool, "threshold": vol.Any(None, _NUMBER)}, required=True),
    ),
}


def checked(stored: object) -> StoreData:
    """Return the parts of stored data that have the right form."""
    data: dict[str, object] = {"models": {}, "projects": {}, "api_keys": {}, "endpoints": {}}
    for key, schema in _SCHEMAS.items():
        if isinstance(stored, dict) and key in stored:
            try:
                data[key] = vol.Schema(schema)(stored[key])
            except vol.Invalid:
                _LOGGER.warning("The stored %s cannot be read and starts anew", key)
    return cast(StoreData, data)
