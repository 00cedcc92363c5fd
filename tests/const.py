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
