"""Values that tests share."""

from datetime import UTC, datetime

KEY = "sess-0123456789abcdefTESTKEY"
OTHER_KEY = "sess-fedcba9876543210OTHERKEY"
ADMIN_KEY = "sk-admin-0123456789TESTADMINKEY"
OTHER_ADMIN_KEY = "sk-admin-9876543210OTHERADMINKEY"
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)

ORGANIZATION = "org-SimulatedExampleHome01"

# What no log may ever hold: keys, and what the simulator and the fixtures tell of people
SECRETS = (
    KEY,
    OTHER_KEY,
    ADMIN_KEY,
    OTHER_ADMIN_KEY,
    "Erika",
    "@example.com",
    "Simulated Street",
    "Example Lane",
    "PO-2026-0042",
    "PO-77001",
    "XX123456789",
    "DE999999999",
    "GB888888888",
)

DEFAULT_OPTIONS = {"update_interval": 300, "low_balance_threshold": 5}

# One sensor per dashboard endpoint, whose state says whether the endpoint's data is there
SENSOR_OF_ENDPOINT = {
    "credit_grants": "total_available",
    "usage": "cost_this_month",
    "subscription": "hard_limit_usd",
}

# The simulator's faults: every kind but 'slow', which is none
FAULTS = (
    "expired_key",
    "wrong_key_type",
    "country",
    "html_wall",
    "not_found",
    "rate_limited",
    "rate_limited_120",
    "quota",
    "server_error",
    "bad_gateway",
    "unavailable",
    "cut",
    "huge",
    "bomb",
    "not_json",
    "empty",
    "other_shape",
    "other_object",
    "deep",
    "error_under_200",
    "redirect",
    "reset",
    "hang",
)
# Those of them that only another key can end
KEY_FAULTS = {"expired_key", "wrong_key_type"}
