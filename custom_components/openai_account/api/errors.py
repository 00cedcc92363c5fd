"""What can go wrong, one class for each thing that a user can do about it.

No message holds anything that the server sent or the user typed: such text can
repeat a key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class KeyKind(StrEnum):
    """The kinds of keys that open an account."""

    SESSION = "session_key"
    ADMIN = "admin_key"


class OpenAIAccountError(Exception):
    """Base of all errors of this client.

    `code` names what went wrong for programs: one word a kind of error. `key`
    tells which of the account's keys the failed request carried, if any.
    """

    code: ClassVar[str] = "unknown"
    key: KeyKind | None = None


class InvalidHostError(OpenAIAccountError):
    """The host is no name, no address and no URL that can be asked."""

    code = "invalid_host"


class InsecureHostError(OpenAIAccountError):
    """The host would get the key over plain http on a public network."""

    code = "insecure_host"


class InvalidKeyError(OpenAIAccountError):
    """The key cannot be one: it is empty or holds characters that keys never have."""

    code = "invalid_key"


class CannotConnectError(OpenAIAccountError):
    """No complete answer came: name, connection, TLS, time or transfer failed."""

    code = "cannot_connect"


class ServerError(CannotConnectError):
    """The server says that it has a fault of its own (5xx)."""

    code = "server_error"


class InvalidResponseError(OpenAIAccountError):
    """An answer came, but not one that this API gives."""

    code = "invalid_response"


class AnswerTooLargeError(InvalidResponseError):
    """An answer came that is larger than any that this client reads."""


class InvalidAuthError(OpenAIAccountError):
    """The key is wrong or has expired (401)."""

    code = "invalid_auth"


class WrongAdminKeyError(InvalidAuthError):
    """The key is no admin key, or one that may not read costs."""

    code = "wrong_admin_key"


class WrongKeyTypeError(InvalidAuthError):
    """The key is good for something else: these endpoints want a session key."""

    code = "wrong_key_type"


class BlockedError(OpenAIAccountError):
    """A wall before the API refused the request (403); the key was not looked at."""

    code = "blocked"


class UnsupportedCountryError(BlockedError):
    """OpenAI does not serve the country that the request came from."""

    code = "unsupported_country"


class EndpointMissingError(OpenAIAccountError):
    """This host does not serve that endpoint (404)."""

    code = "endpoint_missing"


class RateLimitedError(OpenAIAccountError):
    """Too many requests (429).

    `retry_after` is the server's own word for how long to wait, in seconds, or
    None where it gave none.
    """

    code = "rate_limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep how long the server wants to be left alone."""
        super().__init__(message)
        self.retry_after = retry_after
