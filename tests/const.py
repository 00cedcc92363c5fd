"""Values that tests share."""

from datetime import UTC, datetime

from simulator import PRESETS

KEY = "sess-0123456789abcdefTESTKEY"
OTHER_KEY = "sess-fedcba9876543210OTHERKEY"
ADMIN_KEY = "sk-admin-0123456789TESTADMINKEY"
OTHER_ADMIN_KEY = "sk-admin-9876543210OTHERADMINKEY"
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)

ORGANIZATION = "org-SimulatedExampleHome01"

# What must never be logged: the keys, and the personal data of the simulator and the fixtures
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

# One sensor per dashboard endpoint: it is available as long as the endpoint's data is.
SENSOR_OF_ENDPOINT = {
    "credit_grants": "total_available",
    "usage": "cost_this_month",
    "subscription": "hard_limit_usd",
}

# Every fault that the simulator can produce. A slow response is not a fault.
FAULTS = tuple(name for name in PRESETS if name != "slow")
# The faults that ask the user for a new key
KEY_FAULTS = {"expired_key", "wrong_key_type"}
