"""The projects of an organization and their API keys: what people call them.

Both endpoints belong to OpenAI's documented administration API. A key's response also
says who owns it, which is never read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
import re
from typing import Self

from .parsing import JsonObject, moment, text

# An id becomes a part of a path.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def is_path_part(one: str) -> bool:
    """Return whether an id can be part of a path as it is."""
    return _ID.fullmatch(one) is not None


@dataclass(frozen=True, slots=True)
class NamedObject:
    """A project or an API key: its id and name; None for a name or time that cannot be read."""

    id: str
    name: str | None
    created_at: datetime | None

    @classmethod
    def read(cls, data: JsonObject) -> Self | None:
        """Read a row; None for one whose id cannot be part of a path."""
        one = data.read("id", text)
        if not one or not is_path_part(one):
            return None
        return cls(one, data.read("name", text), data.read("created_at", moment))


def oldest_project(projects: Iterable[NamedObject]) -> str | None:
    """Return the id of the oldest of an organization's projects, None where none is listed.

    It is the default project, which can be archived but not deleted, so that its id
    tells one organization from another.
    """
    found = [(one.created_at, one.id) for one in projects if one.created_at]
    return min(found)[1] if found else None
