"""Reading a JSON object field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .reading import JSON


class Fields:
    """The fields of one JSON object, read one by one.

    `unreadable` is told the name of each field that holds something of a wrong
    kind: the name alone, since the value may be anybody's address.
    """

    def __init__(
        self, data: Mapping[str, JSON], unreadable: Callable[[str], None], size: int = 0
    ) -> None:
        """Take the object, whom to tell, and how many bytes it came in."""
        self._data = data
        self._unreadable = unreadable
        self.size = size

    def read[ValueT](self, name: str, reader: Callable[[JSON], ValueT | None]) -> ValueT | None:
        """Return a field's value, None where it is absent, null or of a wrong kind."""
        raw = self._data.get(name)
        if raw is None:
            return None
        value = reader(raw)
        # What is empty, or a time of zero, is no mistake but this API's "none".
        if value is None and (raw or raw is False):
            self._unreadable(name)
        return value

    def rows(self, name: str) -> list[Fields]:
        """Return the objects of a list, none where it is absent or no list."""
        raw = self._data.get(name)
        if raw is None:
            return []
        if not isinstance(raw, list):
            self._unreadable(name)
            return []
        objects = [Fields(row, self._unreadable) for row in raw if isinstance(row, dict)]
        if len(objects) < len(raw):
            self._unreadable(name)
        return objects

    def inside(self, name: str) -> Fields | None:
        """Return an object inside this one, None where it is absent or none."""
        raw = self._data.get(name)
        if isinstance(raw, dict):
            return Fields(raw, self._unreadable)
        if raw is not None:
            self._unreadable(name)
        return None

    def names(self) -> frozenset[str]:
        """Return the names of all fields, those that are null too."""
        return frozenset(self._data)

    def holds_list(self, name: str) -> bool:
        """Return whether a field holds a list, be it empty."""
        return isinstance(self._data.get(name), list)
