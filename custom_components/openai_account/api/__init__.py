"""A client for the OpenAI billing API, independent of Home Assistant."""

from .address import DEFAULT_HOST, base_url
from .client import MAX_DAYS, OpenAIAccountClient, window
from .costs import CostReport, DayCosts, sum_by_name
from .credit import CreditGrants
from .errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    ForbiddenError,
    InsecureHostError,
    InvalidAuthError,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    NotPermittedError,
    OpenAIAccountError,
    RateLimitedError,
    ResponseTooLargeError,
    ServerError,
    TooMuchDataError,
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
from .projects import NamedObject
from .steps import in_parts
from .subscription import Subscription
from .usage import (
    API_KEY,
    MAX_DAILY_BUCKETS,
    MODEL,
    PROJECT,
    USAGE_ENDPOINTS,
    DayUsage,
    Usage,
    UsageEndpoint,
    UsageReport,
)

__all__ = [
    "API_KEY",
    "DEFAULT_HOST",
    "KEY_PREFIXES",
    "MAX_DAILY_BUCKETS",
    "MAX_DAYS",
    "MODEL",
    "PROJECT",
    "USAGE_ENDPOINTS",
    "BlockedError",
    "CannotConnectError",
    "CostReport",
    "CreditGrants",
    "DayCosts",
    "DayUsage",
    "EndpointMissingError",
    "ForbiddenError",
    "InsecureHostError",
    "InvalidAuthError",
    "InvalidHostError",
    "InvalidKeyError",
    "InvalidResponseError",
    "KeyKind",
    "NamedObject",
    "NotPermittedError",
    "OpenAIAccountClient",
    "OpenAIAccountError",
    "Organization",
    "RateLimitedError",
    "ResponseTooLargeError",
    "ServerError",
    "SpendLimit",
    "Subscription",
    "TooMuchDataError",
    "UnsupportedCountryError",
    "Usage",
    "UsageEndpoint",
    "UsageReport",
    "WebPageError",
    "WrongAdminKeyError",
    "WrongKeyTypeError",
    "ZonedHostError",
    "base_url",
    "extract_key",
    "in_parts",
    "round_usd",
    "sum_by_name",
    "time_limit",
    "window",
]
