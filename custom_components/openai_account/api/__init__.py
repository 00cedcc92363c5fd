"""A client of the OpenAI billing API, which knows nothing of Home Assistant."""

from .address import DEFAULT_HOST, base_url, clean_key
from .client import MAX_DAYS, OpenAIAccountClient
from .costs import CostReport, DayCosts, added
from .errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidAuthError,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    Key,
    OpenAIAccountError,
    RateLimitedError,
    ServerError,
    UnsupportedCountryError,
    WrongAdminKeyError,
    WrongKeyTypeError,
)
from .models import CreditGrants, Organization, SpendLimit, Subscription, micro

__all__ = [
    "DEFAULT_HOST",
    "MAX_DAYS",
    "BlockedError",
    "CannotConnectError",
    "CostReport",
    "CreditGrants",
    "DayCosts",
    "EndpointMissingError",
    "InsecureHostError",
    "InvalidAuthError",
    "InvalidHostError",
    "InvalidKeyError",
    "InvalidResponseError",
    "Key",
    "OpenAIAccountClient",
    "OpenAIAccountError",
    "Organization",
    "RateLimitedError",
    "ServerError",
    "SpendLimit",
    "Subscription",
    "UnsupportedCountryError",
    "WrongAdminKeyError",
    "WrongKeyTypeError",
    "added",
    "base_url",
    "clean_key",
    "micro",
]
