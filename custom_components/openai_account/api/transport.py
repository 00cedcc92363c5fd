"""The transport: the only module that sends a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
import hashlib
from http import HTTPStatus
import logging
import socket
from typing import Final, cast

import aiohttp
import orjson
from yarl import URL

from .address import base_url, is_private, literal
from .errors import (
    CannotConnectError,
    EndpointMissingError,
    InsecureHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountError,
    WebPageError,
)
from .keys import checked_key
from .parsing import JSON, JsonObject
from .response import LARGE_BODY, error_from_response, is_web_page, read_body

_LOGGER = logging.getLogger(__name__)

TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)

DASHBOARD: Final = "dashboard/billing/"

# Hosts serve the dashboard's endpoints bare, under /v1, or both; the documented ones under /v1.
PREFIXES: Final = ("", "v1")
V1: Final = ("v1",)

type Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the last response to a request was read into, and the digest of its body."""

    request: Hashable
    digest: bytes
    result: object


@dataclass(frozen=True, slots=True)
class _Body:
    """The body of a successful response: its digest and, unless that was known, its object."""

    digest: bytes
    data: JsonObject | None


class Transport:
    """Sends requests to one host, each with the key that its endpoint needs.

    Most polls bring nothing new, so what a response was read into is kept, with no more
    than a digest of its body: the same body is neither parsed nor read again.

    A request raises only errors of `errors.py`, whose `key` is the kind of key that it
    carried. No error repeats what the server or the user wrote.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        keys: Mapping[KeyKind, str],
        *,
        organization: str | None,
        user_agent: str,
    ) -> None:
        """Check host and keys; nothing is sent yet."""
        self._session = session
        self._base = base_url(host)
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}
        if organization:
            self._headers["OpenAI-Organization"] = organization
        self._keys: dict[KeyKind, str] = {}
        for kind, key in keys.items():
            try:
                self._keys[kind] = checked_key(key)
            except InvalidKeyError as err:
                err.key = kind
                raise
        self._prefixes: dict[str, str] = {}
        self._connected: str | None = None
        self._unreadable: set[str] = set()
        self._known: dict[tuple[str, int, str | None], _Known] = {}

    @property
    def paths(self) -> dict[str, str]:
        """The path that each endpoint was found at, by the last part of the path."""
        return {
            path.rpartition("/")[2]: f"/{prefix}/{path}".replace("//", "/")
            for path, prefix in self._prefixes.items()
        }

    def has_key(self, kind: KeyKind) -> bool:
        """Return whether the account has a kind of key."""
        return kind in self._keys

    def key(self, kind: KeyKind) -> str:
        """Return the key of a kind that the account has."""
        return self._keys[kind]

    def has_found(self, path: str) -> bool:
        """Return whether the host has served an endpoint."""
        return path in self._prefixes

    async def fetch[ResultT](
        self,
        path: str,
        reader: Callable[[JsonObject], ResultT],
        query: Query = (),
        prefixes: tuple[str, ...] = PREFIXES,
        key: KeyKind = KeyKind.SESSION,
        part: str = "",
        *,
        page: int = 0,
        variant: str = "",
    ) -> ResultT:
        """Return what a reader makes of the JSON object that an endpoint responds with.

        A body that is, byte for byte, that of the last response to the same query returns
        the same result as then, so the reader must depend on nothing but the query, the
        `variant` and the response. One result is kept for each page of a path. Errors are
        not kept.

        `part` is the id that stands for `{id}` in the path.

        Hosts serve the endpoints at their bare paths, under /v1, or both; the prefix
        that works is remembered, also as the first guess for similar endpoints. A web
        page at one prefix means that the endpoint is not served there. Web pages at all
        prefixes mean the same of a host that has served another endpoint; otherwise
        they raise `WebPageError`.
        """
        kept_as = path.replace("{id}", part), page, dict(query).get("bucket_width")
        request = tuple(query), key, variant
        known = self._known.get(kept_as)
        if known is not None and known.request != request:
            known = None
        try:
            async with asyncio.timeout(TIMEOUT.total):
                body = await self._try_prefixes(path, query, prefixes, key, part, known)
                if body.data is None:
                    assert known is not None
                    # Each path has one reader, so it is of the right type.
                    return cast(ResultT, known.result)
                result = await run_in_executor_if_large(body.data.size, reader, body.data)
        except TimeoutError as err:
            late = CannotConnectError("No response in time")
            late.key = key
            raise late from err
        except OpenAIAccountError as err:
            err.key = key
            raise
        self._known[kept_as] = _Known(request, body.digest, result)
        return result

    async def _try_prefixes(
        self,
        path: str,
        query: Query,
        prefixes: tuple[str, ...],
        key: KeyKind,
        part: str,
        known: _Known | None,
    ) -> _Body:
        if key not in self._keys:
            raise EndpointMissingError("The account has no key for this endpoint")
        similar = (
            prefix for other, prefix in self._prefixes.items() if other.startswith(DASHBOARD)
        )
        first = self._prefixes.get(path, next(similar, prefixes[0]))
        pages: list[WebPageError] = []
        for prefix in sorted(prefixes, key=lambda prefix: prefix != first):
            try:
                url_path = f"{prefix}/{path}".replace("{id}", part)
                body = await self._get(url_path, query, key, known)
            except WebPageError as err:
                pages.append(err)
                continue
            except EndpointMissingError:
                continue
            self._prefixes[path] = prefix
            return body
        if len(pages) == len(prefixes) and (path in self._prefixes or not self._prefixes):
            raise pages[0]
        self._prefixes.pop(path, None)
        raise EndpointMissingError("The host does not serve this endpoint")

    async def _get(self, path: str, query: Query, key: KeyKind, known: _Known | None) -> _Body:
        try:
            for url, headers in await self._routes(path):
                try:
                    async with self._session.get(
                        url,
                        params=query,
                        headers={**headers, "Authorization": f"Bearer {self._keys[key]}"},
                        timeout=TIMEOUT,
                        allow_redirects=False,
                    ) as response:
                        self._connected = url.raw_host
                        body = await read_body(response)
                        break
                except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as err:
                    # Nothing was sent; the next address may be one at which the host listens.
                    failure = err
            else:
                raise failure
        # A timeout is an OSError.
        except (aiohttp.ClientError, OSError, UnicodeError) as err:
            raise CannotConnectError("No complete response") from err
        digest = hashlib.sha256(body).digest()
        if known is not None and known.digest == digest and response.status == HTTPStatus.OK:
            return _Body(digest, None)
        return _Body(digest, await self._parse_response(response, body, key))

    async def _routes(self, path: str) -> list[tuple[URL, dict[str, str]]]:
        """Return where a request can go and the headers that it carries, without the key.

        A key never travels unencrypted through a public network. What a name
        resolves to can change between a check and the connection, so over plain
        http the connection is made to the checked address itself. A name can have
        several: the one that was connected to last comes first.
        """
        url = self._base.joinpath(*path.strip("/").split("/"))
        host = url.raw_host or ""
        if url.scheme == "https" or literal(host):
            return [(url, self._headers)]
        found = await asyncio.get_running_loop().getaddrinfo(
            host, url.port, type=socket.SOCK_STREAM
        )
        addresses = dict.fromkeys(str(info[4][0]) for info in found)
        private = [one for one in addresses if is_private(one)]
        if not private:
            raise InsecureHostError("Plain http to a public address")
        headers = {**self._headers, "Host": url.raw_authority}
        private.sort(key=lambda address: address != self._connected)
        return [(url.with_host(address), headers) for address in private]

    async def _parse_response(
        self, response: aiohttp.ClientResponse, body: bytes, key: KeyKind
    ) -> JsonObject:
        """Return the object of a response, or raise what an error response means."""
        try:
            data: JSON = await run_in_executor_if_large(len(body), orjson.loads, body)
        except orjson.JSONDecodeError:
            data = None
        if not isinstance(data, dict) and is_web_page(response):
            raise WebPageError("The response is a web page")
        error = data.get("error") if isinstance(data, dict) else None
        if response.status != HTTPStatus.OK or error:
            raise error_from_response(response, error if isinstance(error, dict) else {}, key)
        if not isinstance(data, dict):
            raise InvalidResponseError("The response is not a JSON object")
        return JsonObject(data, self._note_unreadable, size=len(body))

    def _note_unreadable(self, name: str) -> None:
        """Log once that a field could not be read, by its name alone."""
        if name not in self._unreadable:
            self._unreadable.add(name)
            _LOGGER.debug("The field %s has an unexpected value and is left out", name)


async def run_in_executor_if_large[*ArgsT, ResultT](
    size: int, function: Callable[[*ArgsT], ResultT], *args: *ArgsT
) -> ResultT:
    """Call a function that takes time in proportion to a size in bytes."""
    if size < LARGE_BODY:
        return function(*args)
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)
