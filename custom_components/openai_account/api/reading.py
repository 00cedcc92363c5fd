"""Lenient reading of single JSON values.

Every function takes what `json` gave and returns the wanted type or None; none
raises, whatever the value.
"""

from __future__ import annotations

from datetime import UTC, datetime
import math

# What a JSON parser returns. `object` would say the same, but not why.
type JSON = dict[str, JSON] | list[JSON] | str | int | float | bool | None

# Beyond this no balance, limit or cost is money any more, and sums lose cents.
MAX_NUMBER = 1e15


def number(value: JSON) -> float | None:
    """Return a finite number, given as a number or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        # float() also takes "1_000", "infinity" and digits of every script.
        if not text.isascii() or "_" in text or len(text) > 400:
            return None
        try:
            value = float(text)
        except ValueError:
            return None
    if not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        return None
    return float(value)


def boolean(value: JSON) -> bool | None:
    """Return a true JSON boolean; nothing else is one, 0 and "false" neither."""
    return value if isinstance(value, bool) else None


def text(value: JSON) -> str | None:
    """Return text without the white space around it, None where nothing is left."""
    if not isinstance(value, str):
        return None
    # Databases and logs refuse or garble control characters.
    cleaned = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(cleaned.split()) or None


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
