"""The organizations of a key's owner (`me`), and what an admin key tells of its organization.

`me` is not documented; `spend_limit`, `projects` and `admin_api_keys` belong to
OpenAI's documented administration API.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
import re

from .errors import InvalidResponseError
from .parsing import JsonObject, boolean, cents, identifier, moment, text

# What stands for the hidden part of a key
_HIDDEN = re.compile(r"[*.…•]{2,}|…")

# Fewer visible characters at a key's end tell too little.
_MIN_END = 3


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the key's owner belongs to."""

    id: str
    title: str | None = None
    is_default: bool = False

    @classmethod
    def read_all(cls, data: JsonObject) -> tuple[Organization, ...]:
        """Read the organizations in the response of `me`, the default one first."""
        orgs = data.inside("orgs")
        found = [
            cls(org_id, org.read("title", text), org.read("is_default", boolean) or False)
            for org in (orgs.rows("data") if orgs else ())
            if (org_id := org.read("id", identifier))
        ]
        return tuple(sorted(found, key=lambda org: not org.is_default))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLimit:
    """The monthly limit that an organization has set on its spending.

    `amount` is in US dollars (the endpoint reports cents), None where none is set.
    `is_enforcing` tells whether the API refuses the organization's requests because the
    limit is reached, None where that is not reported.
    """

    amount: float | None = None
    is_enforcing: bool | None = None

    @classmethod
    def read(cls, data: JsonObject) -> SpendLimit:
        """Read the response of `spend_limit`."""
        if "threshold_amount" not in data.names():
            raise InvalidResponseError("The response has no spend limit")
        if (data.read("currency", text) or "usd").lower() != "usd":
            raise InvalidResponseError("The spend limit is not in US dollars")
        enforcement = data.inside("enforcement")
        status = enforcement.read("status", text) if enforcement else None
        return cls(
            amount=data.read("threshold_amount", cents) or None,
            is_enforcing=None if status is None else status == "enforcing",
        )


@dataclass(frozen=True, slots=True)
class AdminKey:
    """An admin key as a list shows it: when it expires (UTC), and the key without its middle."""

    expires_at: datetime | None
    redacted: str

    @classmethod
    def read(cls, data: JsonObject) -> AdminKey:
        """Read a row of `admin_api_keys`."""
        return cls(data.read("expires_at", moment), data.read("redacted_value", text) or "")


def expiry_of(key: str, keys: Iterable[AdminKey]) -> datetime | None:
    """Return when an admin key expires (UTC) by the list `admin_api_keys`.

    None where it never does, or where the list does not say which of its keys it is:
    a key is known by its visible beginning and end alone.
    """
    ends = {one.expires_at for one in keys if _is_redacted(key, one.redacted)}
    return ends.pop() if len(ends) == 1 else None


def _is_redacted(key: str, redacted: str) -> bool:
    """Return whether a text is a key whose middle is hidden."""
    parts = _HIDDEN.split(redacted)
    if len(parts) != 2 or len(parts[1]) < _MIN_END:
        return False
    return key.startswith(parts[0]) and key.endswith(parts[1])
