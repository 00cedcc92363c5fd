"""Reading a response's body, and what an error response means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import math
from typing import Final

import aiohttp

from .errors import (
    BlockedError,
    EndpointMissingError,
    ForbiddenError,
    InvalidAuthError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountError,
    RateLimitedError,
    ResponseTooLargeError,
    ServerError,
    UnsupportedCountryError,
    WrongAdminKeyError,
    WrongKeyTypeError,
)
from .limits import count_bytes
from .parsing import JSON, text

MAX_BODY: Final = 8 * 1024 * 1024

# Parsing anything larger would block the event loop, and runs in the executor.
LARGE_BODY: Final = 128 * 1024


_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return a body of at most `MAX_BODY` bytes, decompressed.

    Raises `ResponseTooLargeError` for a longer one. The body of an error response
    is cut off instead, also where the transfer fails: its status says the most.
    """
    limit = MAX_BODY if response.status == HTTPStatus.OK else LARGE_BODY
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            count_bytes(len(chunk))
            if len(body) > limit:
                break
    except aiohttp.ClientError:
        if response.status == HTTPStatus.OK:
            raise
    if len(body) > limit and response.status == HTTPStatus.OK:
        raise ResponseTooLargeError("The response is too large")
    return bytes(body[:limit])


def is_web_page(response: aiohttp.ClientResponse) -> bool:
    """Return whether a response that is not JSON is a web page, or the way to one."""
    return response.status in _REDIRECTS or (
        response.status == HTTPStatus.OK and response.content_type in _WEB_PAGES
    )


def error_from_response(
    response: aiohttp.ClientResponse, error: Mapping[str, JSON], key: KeyKind
) -> OpenAIAccountError:
    """Return the error that an error response stands for."""
    status = response.status
    message = text(error.get("message")) or ""
    code = text(error.get("code"))
    if "must be made with a session key" in message and key is KeyKind.SESSION:
        return WrongKeyTypeError("The endpoint requires a session key")
    if status == HTTPStatus.UNAUTHORIZED or code == "invalid_api_key":
        return InvalidAuthError("The key is wrong or has expired")
    if code == "unsupported_country_region_territory":
        return UnsupportedCountryError("OpenAI does not serve this country")
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(error, key)
    if status == HTTPStatus.NOT_FOUND:
        return EndpointMissingError("No such endpoint")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError("Too many requests", _retry_after(response))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError(f"The server failed with status {status}")
    return InvalidResponseError(f"The response is an error with the unexpected status {status}")


def _forbidden(error: Mapping[str, JSON], key: KeyKind) -> OpenAIAccountError:
    """Return who forbids: the API in its own form of an error, or a firewall in front of it."""
    if not error:
        return BlockedError("The request was rejected")
    if key is KeyKind.ADMIN:
        return WrongAdminKeyError("The key may not read this")
    return ForbiddenError("The key's owner may not read this")


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Return how many seconds the server asks to wait, None where it does not say."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    delay = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, math.ceil(delay))
