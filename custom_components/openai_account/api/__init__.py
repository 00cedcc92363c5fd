"""A client for the OpenAI billing API, independent of Home Assistant."""

from .address import DEFAULT_HOST, base_url
from .client import MAX_DAYS, OpenAIAccountClient
from .costs import CostReport, DayCosts, sum_by_name
from .credit import CreditGrants
from .errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidAuthError,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountError,
    RateLimitedError,
    ServerError,
    UnsupportedCountryError,
    WebPageError,
    WrongAdminKeyError,
    WrongKeyTypeError,
    ZonedHostError,
)
from .keys import KEY_PREFIXES, extract_key
from .limits import time_limit
from .organization import Organization, SpendLimit
from .parsing import round_usd
from .subscription import Subscription

__all__ = [
    "DEFAULT_HOST",
    "KEY_PREFIXES",
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
    "KeyKind",
    "OpenAIAccountClient",
    "OpenAIAccountError",
    "Organization",
    "RateLimitedError",
    "ServerError",
    "SpendLimit",
    "Subscription",
    "UnsupportedCountryError",
    "WebPageError",
    "WrongAdminKeyError",
    "WrongKeyTypeError",
    "ZonedHostError",
    "base_url",
    "extract_key",
    "round_usd",
    "sum_by_name",
    "time_limit",
]
