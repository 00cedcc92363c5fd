"""The organizations of a key's owner (`me`), and an organization's `spend_limit`.

`me` is not documented; `spend_limit` belongs to OpenAI's documented
administration API.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import InvalidResponseError
from .parsing import JsonObject, boolean, cents, identifier, text


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
    """

    amount: float | None = None

    @classmethod
    def read(cls, data: JsonObject) -> SpendLimit:
        """Read the response of `spend_limit`."""
        if "threshold_amount" not in data.names():
            raise InvalidResponseError("The response has no spend limit")
        if (data.read("currency", text) or "usd").lower() != "usd":
            raise InvalidResponseError("The spend limit is not in US dollars")
        return cls(amount=data.read("threshold_amount", cents) or None)
