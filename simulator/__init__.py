"""A stand-in for the OpenAI billing API: for development, tests and demonstrations."""

from .account import Account, LineItem, Organization
from .faults import PRESETS, Fault
from .server import DEMO_ADMIN_KEY, DEMO_SESSION_KEY, Simulator

__all__ = [
    "DEMO_ADMIN_KEY",
    "DEMO_SESSION_KEY",
    "PRESETS",
    "Account",
    "Fault",
    "LineItem",
    "Organization",
    "Simulator",
]
