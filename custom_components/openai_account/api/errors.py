"""What can go wrong, one class for each thing that a user can do about it.

No message holds anything that the server sent or the user entered: such text can
contain a key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class KeyKind(StrEnum):
    """The kinds of keys that open an account; the values are the names of their fields."""

    SESSION = "session_key"
    ADMIN = "admin_key"


class OpenAIAccountError(Exception):
    """Base of all errors of this client.

    `code` names the kind of error for programs. `key` is the kind of key that the
    failed request carried, None where no request was sent.
    """

    code: ClassVar[str] = "unknown"
    key: KeyKind | None = None


class InvalidHostError(OpenAIAccountError):
    """The host is not a host name, an IP address or a usable URL."""

    code = "invalid_host"


class ZonedHostError(InvalidHostError):
    """The host is an IPv6 address with a zone, such as `fe80::1%eth0`.

    A zone is the name of a network interface of one machine: nobody else understands it.
    """

    code = "zoned_host"


class InsecureHostError(OpenAIAccountError):
    """The key would be sent over plain http through a public network."""

    code = "insecure_host"


class InvalidKeyError(OpenAIAccountError):
    """The text cannot be a key: it is empty or has characters that keys never have."""

    code = "invalid_key"


class CannotConnectError(OpenAIAccountError):
    """No complete response: name resolution, connection, TLS, time or transfer failed."""

    code = "cannot_connect"


class ServerError(CannotConnectError):
    """The server reported an internal error (5xx)."""

    code = "server_error"


class InvalidResponseError(OpenAIAccountError):
    """The response is not one that this API gives."""

    code = "invalid_response"


class ResponseTooLargeError(InvalidResponseError):
    """The response is larger than this client reads."""


class TooMuchDataError(InvalidResponseError):
    """All responses of a fetch together are larger than this client reads."""


class WebPageError(InvalidResponseError):
    """A web page or a redirect instead of a response of the API.

    Gateways respond like this to each path that they do not serve.
    """


class InvalidAuthError(OpenAIAccountError):
    """The key is wrong, was deleted or has expired (401)."""

    code = "invalid_auth"


class WrongAdminKeyError(InvalidAuthError):
    """The key is not an admin key, or one that may not read costs (403)."""

    code = "wrong_admin_key"


class WrongKeyTypeError(InvalidAuthError):
    """The key is of another kind: these endpoints require a session key."""

    code = "wrong_key_type"


class BlockedError(OpenAIAccountError):
    """A firewall in front of the API rejected the request (403), whatever the key."""

    code = "blocked"


class ForbiddenError(OpenAIAccountError):
    """The API itself refused access (403): the key is right, but may not see this."""

    code = "forbidden"


class UnsupportedCountryError(BlockedError):
    """OpenAI does not serve the country that the request came from (403)."""

    code = "unsupported_country"


class EndpointMissingError(OpenAIAccountError):
    """The host does not serve this endpoint (404), or the account has no key for it."""

    code = "endpoint_missing"


class NotPermittedError(EndpointMissingError):
    """The admin key may not read this endpoint (403), which is for it as if there were none."""


class RateLimitedError(OpenAIAccountError):
    """Too many requests (429).

    `retry_after` is how many seconds the server asks to wait, None where it does
    not say.
    """

    code = "rate_limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Store how long the server asks to wait."""
        super().__init__(message)
        self.retry_after = retry_after
