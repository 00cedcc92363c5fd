"""The projects of an organization and their API keys: what people call them.

Both endpoints belong to OpenAI's documented administration API. A key's response also
says who owns it, which is never read.
"""

from __future__ import annotations

from dataclasses import dataclass
import re
from typing import Self

from .errors import InvalidResponseError
from .parsing import JsonObject, boolean, text

# An id becomes a part of a path.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class NamedObject:
    """A project or an API key: its id and name; None for a name that cannot be read."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPage:
    """A page of `projects` or `projects/{id}/api_keys`."""

    objects: tuple[NamedObject, ...]
    has_more: bool
    last_id: str | None

    @classmethod
    def read(cls, data: JsonObject) -> Self:
        """Read a page; rows whose id cannot be part of a path are left out."""
        if not data.holds_list("data"):
            raise InvalidResponseError("The response has no list")
        found: list[NamedObject] = []
        for row in data.rows("data"):
            one = row.read("id", text)
            if one and _ID.fullmatch(one):
                name = row.read("name", text)
                found.append(NamedObject(one, name and name[:200]))
        return cls(
            objects=tuple(found),
            has_more=data.read("has_more", boolean) or False,
            last_id=data.read("last_id", text),
        )
