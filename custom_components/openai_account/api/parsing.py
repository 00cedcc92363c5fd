"""Lenient parsing of JSON objects and of single values.

The functions take a parsed JSON value and return the wanted type, or None for
anything else; none of them raises, whatever the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
import math

# What a JSON parser returns. `object` would say the same, but not why.
type JSON = dict[str, JSON] | list[JSON] | str | int | float | bool | None

# Larger numbers cannot be money, and sums of them lose cents.
MAX_NUMBER = 10**15

# What the API calls something is much shorter. This is also the longest state that an
# entity can have.
MAX_TEXT = 255

# Ids of OpenAI have 30 characters or so.
_MAX_ID = 100
_MAX_CURSOR = 2000

# So many make a US dollar.
CENTS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decimal(value: JSON) -> Decimal | None:
    """Return a finite number from a number or text, without the noise of a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    # Decimal() also accepts "1_000", "infinity" and the digits of every script.
    if isinstance(value, str) and (not value.isascii() or "_" in value or len(value) > 400):
        return None
    try:
        result = Decimal(str(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    # Not abs(), which raises for an exponent that is too large
    return result if result.is_finite() and result.copy_abs() <= MAX_NUMBER else None


def number(value: JSON) -> float | None:
    """Return a finite number from a number or text."""
    result = decimal(value)
    return None if result is None else float(result)


def whole(value: JSON) -> int | None:
    """Return a whole number that is not negative; a fraction is cut off."""
    result = decimal(value)
    return None if result is None or result < 0 else int(result)


def cents(value: JSON) -> float | None:
    """Return US dollars from a number of cents."""
    result = decimal(value)
    return None if result is None else float(result / CENTS)


def boolean(value: JSON) -> bool | None:
    """Return a JSON boolean; neither 0 nor "false" is one."""
    return value if isinstance(value, bool) else None


def text(value: JSON) -> str | None:
    """Return the start of a text, with single spaces and no other white space.

    None where nothing is left.
    """
    if not isinstance(value, str):
        return None
    value = value[: 4 * MAX_TEXT]
    # Databases and logs reject or garble control characters.
    if not value.isprintable():
        value = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(value.split())[:MAX_TEXT].rstrip() or None


def identifier(value: JSON) -> str | None:
    """Return the id of an organization, None for what cannot be one."""
    result = text(value)
    return result if result and result.isascii() and len(result) <= _MAX_ID else None


def page_cursor(value: JSON) -> str | None:
    """Return what tells the next page from the others; it is sent back as it is."""
    if not isinstance(value, str) or not value or len(value) > _MAX_CURSOR:
        return None
    return value if value.isprintable() else None


def moment(value: JSON) -> datetime | None:
    """Return an aware UTC time from unix seconds or ISO 8601 text.

    Text without an offset is UTC. Zero or less means 'none' in this API.
    """
    if (seconds := number(value)) is not None:
        if seconds <= 0:
            return None
        try:
            return _EPOCH + timedelta(seconds=math.floor(seconds))
        except OverflowError:
            return None
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except ValueError, OverflowError:
        return None


def round_usd(amount: float | None) -> float | None:
    """Return an amount to a millionth of a dollar, without the noise of floats."""
    return None if amount is None else round(amount, 6) + 0.0


class JsonObject:
    """The fields of one JSON object, read one by one.

    `unreadable` is called with the name of each field whose value has a wrong
    type: the name alone, since the value can be somebody's address.
    """

    __slots__ = ("_data", "_unreadable", "size")

    def __init__(
        self, data: Mapping[str, JSON], unreadable: Callable[[str], None], size: int = 0
    ) -> None:
        """Store the object, the callback, and the size of the response in bytes."""
        self._data = data
        self._unreadable = unreadable
        self.size = size

    def read[ValueT](self, name: str, reader: Callable[[JSON], ValueT | None]) -> ValueT | None:
        """Return a field's value, None where it is absent, null or of a wrong type."""
        raw = self._data.get(name)
        value = reader(raw)
        # An empty value, or a time of zero, is no mistake but this API's "none".
        if value is None and (raw or raw is False):
            self._unreadable(name)
        return value

    def rows(self, name: str) -> list[JsonObject]:
        """Return the objects of a list, none where it is absent or not a list."""
        raw = self._data.get(name)
        if raw is None:
            return []
        if not isinstance(raw, list):
            self._unreadable(name)
            return []
        objects = [JsonObject(row, self._unreadable) for row in raw if isinstance(row, dict)]
        if len(objects) < len(raw):
            self._unreadable(name)
        return objects

    def inside(self, name: str) -> JsonObject | None:
        """Return an object inside this one, None where it is absent or not an object."""
        return self.read(
            name,
            lambda raw: JsonObject(raw, self._unreadable) if isinstance(raw, dict) else None,
        )

    def names(self) -> frozenset[str]:
        """Return the names of all fields, null or not."""
        return frozenset(self._data)

    def count(self, name: str) -> int:
        """Return how many items a list has, whatever they are."""
        raw = self._data.get(name)
        return len(raw) if isinstance(raw, list) else 0

    def holds_list(self, name: str) -> bool:
        """Return whether a field is a list, empty or not."""
        return isinstance(self._data.get(name), list)
