"""A stand-in for OpenAI's API of costs and usage: for development, tests and demonstrations."""

from .account import Account
from .faults import PRESETS, Fault
from .ledger import LineItem
from .organization import ApiKey, Organization, Project
from .scenarios import SCENARIOS
from .server import DEMO_ADMIN_KEY, DEMO_SESSION_KEY, SeenRequest, Simulator

__all__ = [
    "DEMO_ADMIN_KEY",
    "DEMO_SESSION_KEY",
    "PRESETS",
    "SCENARIOS",
    "Account",
    "ApiKey",
    "Fault",
    "LineItem",
    "Organization",
    "Project",
    "SeenRequest",
    "Simulator",
]
