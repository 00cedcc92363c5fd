"""The projects of an organization and their API keys: what people call them.

Both endpoints belong to OpenAI's documented administration API. A key's response also
says who owns it, which is never read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import re

from .errors import InvalidResponseError
from .parsing import JsonObject, text

# An id becomes a part of a path.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class NamedObject:
    """A project or an API key: its id and name; None for a name that cannot be read."""

    id: str
    name: str | None


def read_named(pages: Iterable[JsonObject]) -> tuple[NamedObject, ...]:
    """Read all pages of `projects` or `projects/{id}/api_keys`."""
    found: list[NamedObject] = []
    for page in pages:
        if not page.holds_list("data"):
            raise InvalidResponseError("The response has no list")
        for row in page.rows("data"):
            one = row.read("id", text)
            if one and _ID.fullmatch(one):
                name = row.read("name", text)
                found.append(NamedObject(one, name and name[:200]))
    return tuple(found)
