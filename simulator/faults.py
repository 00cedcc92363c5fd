"""The ways in which the simulator can fail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import repeat
import json
import zlib

from aiohttp import web

# Set when the simulator ends, so that responses that never come end too
CLOSING = web.AppKey("closing", asyncio.Event)

_CHUNK = 256 * 1024

_FIREWALL = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
    "<body>Checking that you are a person</body></html>"
)
_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> str:
    """Return an error as the API writes it."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return json.dumps(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens instead of a response.

    `delay` seconds pass first; with `hang` nothing ever comes. `cut` ends the
    connection in the middle of the body, `reset` before anything is sent.
    `size` bytes are sent instead of the body, compressed where `gzip` is set.
    """

    status: int = 200
    body: str | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    cut: bool = False
    reset: bool = False
    size: int = 0
    gzip: bool = False

    async def respond(self, request: web.Request) -> web.StreamResponse | None:
        """Fail; return None where only time was to pass."""
        if self.hang:
            await request.app[CLOSING].wait()
        if self.delay:
            await asyncio.sleep(self.delay)
            if self.body is None and self.status == 200:
                return None
        if self.reset:
            if request.transport:
                request.transport.abort()
            return web.Response()
        if self.size or self.cut:
            return await self._stream(request)
        return web.Response(
            status=self.status,
            text=self.body or "",
            content_type=self.content_type,
            headers=self.headers,
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=self.status, headers=self.headers)
        response.content_type = self.content_type
        if self.cut:
            body = (self.body or '{"object": "credit_summary", "total_gr').encode()
            response.content_length = len(body) + 1000
            await response.prepare(request)
            await response.write(body)
            if request.transport:
                request.transport.close()
            return response
        if self.gzip:
            response.headers["Content-Encoding"] = "gzip"
        await response.prepare(request)
        try:
            for chunk in (
                _bomb(self.size) if self.gzip else repeat(b" " * _CHUNK, self.size // _CHUNK)
            ):
                await response.write(chunk)
            await response.write_eof()
        except ConnectionError:
            pass  # the client has had enough, as it should
        return response


@cache
def _bomb(size: int) -> tuple[bytes, ...]:
    """Return a number of bytes of nothing, compressed."""
    compressor = zlib.compressobj(level=1, wbits=31)
    chunk = b" " * _CHUNK
    return (*(compressor.compress(chunk) for _ in range(size // _CHUNK)), compressor.flush())


EXPIRED_KEY = Fault(
    status=401,
    body=error(
        "Incorrect API key provided: sess-SIM*****************LATE.",
        "invalid_request_error",
        "invalid_api_key",
    ),
)
RATE_LIMITED = Fault(
    status=429,
    body=error("Rate limit reached for requests.", "requests"),
)

# By name, for the command line and the simulator's page
PRESETS: dict[str, Fault] = {
    "expired_key": EXPIRED_KEY,
    "wrong_key_type": Fault(
        status=403,
        body=error(
            "Your request to GET this must be made with a session key (that is, it can only be"
            " made from the browser). You made it with the following key type: secret.",
            "server_error",
        ),
    ),
    "no_permission": Fault(
        status=403,
        body=error(
            "You have insufficient permissions for this operation. Missing scopes:"
            " api.management.read.",
            "invalid_request_error",
        ),
    ),
    "country": Fault(
        status=403,
        body=error(
            "Country, region, or territory not supported.",
            "request_forbidden",
            "unsupported_country_region_territory",
        ),
    ),
    "html_wall": Fault(
        status=403,
        body=_FIREWALL,
        content_type="text/html",
        headers={"cf-mitigated": "challenge"},
    ),
    "not_found": Fault(
        status=404, body=error("Invalid URL (GET /simulated)", "invalid_request_error")
    ),
    "rate_limited": RATE_LIMITED,
    "rate_limited_120": replace(RATE_LIMITED, headers={"Retry-After": "120"}),
    "quota": Fault(
        status=429,
        body=error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    ),
    "server_error": Fault(status=500, body=error("The server had an error.", "server_error")),
    "bad_gateway": Fault(status=502, body=_BAD_GATEWAY, content_type="text/html"),
    "unavailable": Fault(status=503, body=_BAD_GATEWAY, content_type="text/html"),
    "cut": Fault(cut=True),
    "hang": Fault(hang=True),
    "slow": Fault(delay=5.0),
    "huge": Fault(size=200 * 1024 * 1024),
    "bomb": Fault(size=256 * 1024 * 1024, gzip=True),
    "not_json": Fault(body="<html>hello</html>", content_type="text/html"),
    "empty": Fault(body=""),
    "other_shape": Fault(body='["a", {"b": 1}]'),
    "other_object": Fault(body='{"hello": "world"}'),
    "deep": Fault(body="[" * 100_000),
    "error_under_200": Fault(body=error("Failed to retrieve quota", "upstream_error")),
    "redirect": Fault(status=302, headers={"Location": "/redirected"}),
    "reset": Fault(reset=True),
}
