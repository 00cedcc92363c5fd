"""Lenient reading of single JSON values.

Every function takes what `json` gave and returns the wanted type or None; none
raises, whatever the value.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
import math

# What a JSON parser returns. `object` would say the same, but not why.
type JSON = dict[str, JSON] | list[JSON] | str | int | float | bool | None

# Beyond this no balance, limit or cost is money any more, and sums lose cents.
MAX_NUMBER = 10**15

# So many make a US dollar.
CENTS = 100


def decimal(value: JSON) -> Decimal | None:
    """Return a finite number, given as a number or as text, without a float's noise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    # Decimal() also takes "1_000", "infinity" and digits of every script.
    if isinstance(value, str) and (not value.isascii() or "_" in value or len(value) > 400):
        return None
    try:
        result = Decimal(str(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return result if result.is_finite() and abs(result) <= MAX_NUMBER else None


def number(value: JSON) -> float | None:
    """Return a finite number, given as a number or as text."""
    result = decimal(value)
    return None if result is None else float(result)


def cents(value: JSON) -> float | None:
    """Return US dollars from a number of cents."""
    result = decimal(value)
    return None if result is None else float(result / CENTS)


def boolean(value: JSON) -> bool | None:
    """Return a true JSON boolean; nothing else is one, 0 and "false" neither."""
    return value if isinstance(value, bool) else None


def text(value: JSON) -> str | None:
    """Return text without the white space around it, None where nothing is left."""
    if not isinstance(value, str):
        return None
    # Databases and logs refuse or garble control characters.
    if not value.isprintable():
        value = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(value.split()) or None


def moment(value: JSON) -> datetime | None:
    """Return an aware UTC time from unix seconds or ISO 8601 text.

    Text without an offset is taken as UTC. Zero or less means 'none' to this API.
    """
    if (seconds := number(value)) is not None:
        if seconds <= 0:
            return None
        try:
            return datetime.fromtimestamp(math.floor(seconds), UTC)
        except ValueError, OverflowError, OSError:
            return None
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except ValueError, OverflowError:
        return None
