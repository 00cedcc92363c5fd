"""A client of the OpenAI billing API, which knows nothing of Home Assistant."""

from .address import DEFAULT_HOST, base_url, clean_key
from .client import MAX_DAYS, OpenAIAccountClient
from .errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidAuthError,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    OpenAIAccountError,
    RateLimitedError,
    ServerError,
    UnsupportedCountryError,
    WrongKeyTypeError,
)
from .models import CostReport, CreditGrants, DayCosts, Organization, Subscription, micro

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
    "OpenAIAccountClient",
    "OpenAIAccountError",
    "Organization",
    "RateLimitedError",
    "ServerError",
    "Subscription",
    "UnsupportedCountryError",
    "WrongKeyTypeError",
    "base_url",
    "clean_key",
    "micro",
]
