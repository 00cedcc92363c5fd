"""Values that tests share."""

from datetime import UTC, datetime

KEY = "sess-0123456789abcdefTESTKEY"
OTHER_KEY = "sess-fedcba9876543210OTHERKEY"
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
