"""Gateways that resell the API: what one-api and new-api respond, and to which paths.

Read from their routers. They serve the subscription and the usage of a token; every other
path outside /v1 and /api is their web page, or a redirect to the host that has it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from .ledger import JSON
from .query import Query

if TYPE_CHECKING:
    from .account import Account

KINDS = ("one-api", "new-api")
ENDPOINTS = ("usage", "subscription")

_SPENT_CENTS = 4211.5
_UNLIMITED = 100_000_000
_LIMIT = 75.25

_PAGE = (
    '<!doctype html><html lang="zh"><head><meta charset="utf-8"/><title>{title}</title></head>'
    '<body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root">'
    "</div></body></html>"
)


def endpoint_of(kind: str, path: str) -> str:
    """Return the endpoint that a gateway serves at a path; empty where it serves none."""
    rest = path.removeprefix("/v1")
    folder, _, endpoint = rest.rpartition("/")
    if folder == "/dashboard/billing" and endpoint in ENDPOINTS:
        return endpoint
    return "credits" if kind == "new-api" and path == "/v1/credits" else ""


def not_served(kind: str, request: web.Request, page_host: str | None) -> web.Response:
    """Return what a gateway responds to a path that it does not serve.

    With a `page_host`, its web page is at another host; it then redirects every such path.
    """
    if page_host:
        raise web.HTTPMovedPermanently(f"{page_host.rstrip('/')}{request.path_qs}")
    if request.path.startswith(("/v1", "/api")):
        message = f"Invalid URL ({request.method} {request.path})"
        error = {"message": message, "type": "invalid_request_error", "param": "", "code": ""}
        return _json({"error": error}, 404)
    return web.Response(
        text=_PAGE.format(title="One API" if kind == "one-api" else "New API"),
        content_type="text/html",
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def refused(kind: str) -> web.Response:
    """Return the response to a token that the gateway does not know: an error without a code."""
    error = {
        "message": "无效的令牌 (request id: 2026112415300000000000000000)",
        "type": kind.replace("-", "_") + "_error",
    }
    return _json({"error": error}, 401)


def respond(kind: str, account: Account, endpoint: str) -> web.Response:
    """Return what a gateway says of a token: its limit, and its cost since it was made."""
    if (override := account.override(endpoint, Query())) is not None:
        return _json(override)
    if endpoint == "usage":
        return _json({"object": "list", "total_usage": _SPENT_CENTS})
    if endpoint == "credits":
        spent = _SPENT_CENTS / 100
        return _json(
            {
                "object": "credit_summary",
                "total_granted": _LIMIT,
                "total_used": spent,
                "total_available": _LIMIT - spent,
            }
        )
    limit = _UNLIMITED if kind == "one-api" else _LIMIT
    return _json(
        {
            "object": "billing_subscription",
            "has_payment_method": True,
            "soft_limit_usd": limit,
            "hard_limit_usd": limit,
            "system_hard_limit_usd": limit,
            "access_until": 0,
        }
    )


def _json(value: JSON, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        text=json.dumps(value, ensure_ascii=False),
        content_type="application/json",
        charset="utf-8",
    )
