"""The endpoints of the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
import json

from aiohttp import web

from .account import JSON, Account
from .faults import CLOSING, EXPIRED_KEY, PRESETS, Fault, error

DEMO_SESSION_KEY = "sess-demo-0000000000000000000000000000"

DEMO_ADMIN_KEY = "sk-admin-demo-0000000000000000000000000000"

# What a session key opens, at a gateway or at OpenAI, and what an admin key opens
_DASHBOARD = ("credit_grants", "usage", "subscription")
_GATEWAY = ("usage", "subscription")
_ORGANIZATION = ("costs", "spend_limit")
ENDPOINTS = (*_DASHBOARD, "me", *_ORGANIZATION)

HELP = """The simulated OpenAI account.

It answers /dashboard/billing/credit_grants, usage and subscription, also under /v1, and /v1/me
to the session key, and /v1/organization/costs and spend_limit to the admin key.

Make an endpoint fail, and mend it again:
  curl -X POST {url}/simulator/faults -H 'Content-Type: application/json' \\
       -d '{{"endpoint": "usage", "fault": "html_wall"}}'
  curl -X DELETE {url}/simulator/faults

Endpoints: {endpoints}, or * for all.
Faults: {faults}
"""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that came in, without the values of its headers."""

    endpoint: str
    path: str
    query: dict[str, str]
    headers: frozenset[str]
    authorized: bool


@dataclass(slots=True)
class _Planned:
    fault: Fault
    left: int | None


class Simulator:
    """A simulated OpenAI: `app` serves `account`, and `requests` notes what was asked.

    `kind` is `openai`, or one of the gateways `one-api` and `new-api`, which
    serve less. Without `bare_paths` the endpoints answer under /v1 alone.
    """

    def __init__(
        self,
        *,
        key: str = DEMO_SESSION_KEY,
        admin_key: str = DEMO_ADMIN_KEY,
        account: Account | None = None,
        now: Callable[[], datetime] | None = None,
        kind: str = "openai",
        bare_paths: bool = True,
    ) -> None:
        """Make the application; it listens nowhere yet."""
        self.key = key
        self.admin_key = admin_key
        self.account = account or Account()
        self.kind = kind
        self.bare_paths = bare_paths
        self.requests: list[SeenRequest] = []
        self._now = now or (lambda: datetime.now(UTC))
        self._faults: dict[str, list[_Planned]] = {}
        self.app = web.Application()
        self.app[CLOSING] = asyncio.Event()
        self.app.on_shutdown.append(self._close)
        self.app.router.add_get("/simulator/", self._help)
        self.app.router.add_post("/simulator/faults", self._add_fault)
        self.app.router.add_delete("/simulator/faults", self._delete_faults)
        self.app.router.add_get("/{path:.*}", self._answer)

    def fault(self, endpoint: str, fault: Fault | str, times: int | None = None) -> None:
        """Let an endpoint, or all by '*', fail: for ever, or for some requests."""
        if endpoint not in (*ENDPOINTS, "*"):
            raise ValueError(f"no endpoint {endpoint}")
        planned = PRESETS[fault] if isinstance(fault, str) else fault
        self._faults.setdefault(endpoint, []).append(_Planned(planned, times))

    def clear_faults(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def _next_fault(self, endpoint: str) -> Fault | None:
        for name in (endpoint, "*"):
            for planned in self._faults.get(name, ()):
                if planned.left is None:
                    return planned.fault
                if planned.left > 0:
                    planned.left -= 1
                    return planned.fault
        return None

    async def _close(self, app: web.Application) -> None:
        app[CLOSING].set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        prefix, endpoint = self._place(request.path)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append(
            SeenRequest(
                endpoint,
                request.path,
                dict(request.query),
                frozenset(name.lower() for name in request.headers),
                key == self._opens(endpoint),
            )
        )
        if fault := self._next_fault(endpoint):
            response = await fault.respond(request)
            if response is not None:
                return response
        if not endpoint or (prefix == "" and not self.bare_paths):
            return _error(404, f"Invalid URL (GET {request.path})", "invalid_request_error")
        if key != self._opens(endpoint):
            return await self._refuse(key, endpoint, request)
        organization = request.headers.get("OpenAI-Organization")
        # An admin key is one organization's.
        known = self.account.organizations[: 1 if endpoint in _ORGANIZATION else None]
        if organization and organization not in {one.id for one in known}:
            return _error(
                401,
                "OpenAI-Organization header should match organization for API key",
                "invalid_request_error",
                "mismatched_organization",
            )
        if self.kind != "openai":
            return _json(self._gateway(endpoint))
        return self._openai(endpoint, request)

    def _place(self, path: str) -> tuple[str, str]:
        """Return the prefix and the endpoint of a path; no endpoint where there is none."""
        prefix = "/v1" if path.startswith("/v1/") else ""
        rest = path.removeprefix(prefix)
        if rest == "/me" and prefix and self.kind == "openai":
            return prefix, "me"
        folder, _, endpoint = rest.rpartition("/")
        if folder == "/organization" and prefix and self.kind == "openai":
            return prefix, endpoint if endpoint in _ORGANIZATION else ""
        served = _DASHBOARD if self.kind == "openai" else _GATEWAY
        return prefix, endpoint if endpoint in served and folder == "/dashboard/billing" else ""

    def _opens(self, endpoint: str) -> str:
        """Return the key that opens an endpoint."""
        return self.admin_key if endpoint in _ORGANIZATION else self.key

    async def _refuse(self, key: str, endpoint: str, request: web.Request) -> web.StreamResponse:
        if endpoint in _ORGANIZATION and not key.startswith("sk-admin-"):
            return _error(
                403,
                "You have insufficient permissions for this operation. Missing scopes:"
                " api.usage.read.",
                "invalid_request_error",
            )
        if key.startswith("sk-") and endpoint not in _ORGANIZATION:
            kind = "admin" if key.startswith("sk-admin-") else "secret"
            return _error(
                403,
                f"Your request to GET {request.path} must be made with a session key (that is, it"
                f" can only be made from the browser). You made it with the following key type:"
                f" {kind}.",
                "server_error",
            )
        response = await EXPIRED_KEY.respond(request)
        assert response is not None
        return response

    def _openai(self, endpoint: str, request: web.Request) -> web.Response:
        now = self._now()
        if endpoint == "credit_grants":
            return _json(self.account.credit_grants(now))
        if endpoint == "me":
            return _json(self.account.me())
        if endpoint == "spend_limit":
            if self.account.spend_limit_cents is None:
                return _error(404, "No spend limit is set", "invalid_request_error")
            return _json(self.account.spend_limit())
        if endpoint == "costs":
            return self._costs(request)
        try:
            start = date.fromisoformat(request.query["start_date"])
            end = date.fromisoformat(request.query["end_date"])
        except KeyError as err:
            return _error(400, f"Missing query parameter {err}", "invalid_request_error")
        except ValueError:
            return _error(400, "Invalid date", "invalid_request_error")
        if not 0 < (end - start).days <= 100:
            return _error(400, "From 1 to 100 days can be asked for", "invalid_request_error")
        if endpoint == "usage":
            return _json(self.account.usage(start, end, now))
        override = self.account.subscription_override
        return _json(self.account.subscription if override is None else override)

    def _costs(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            start, end = (
                datetime.fromtimestamp(int(query[name]), UTC).date()
                for name in ("start_time", "end_time")
            )
            limit = int(query.get("limit", "7"))
        except KeyError, ValueError:
            return _error(400, "Invalid start_time, end_time or limit", "invalid_request_error")
        if not 1 <= limit <= 180 or start >= end:
            return _error(400, "Invalid limit or times", "invalid_request_error")
        return _json(self.account.costs(start, end, limit, query.get("page"), self._now()))

    def _gateway(self, endpoint: str) -> JSON:
        """Return what a gateway tells: a token's limit, and what its whole life has cost."""
        if endpoint == "usage":
            return self.account.usage_override or {"object": "list", "total_usage": 4211.5}
        limit = 100000000 if self.kind == "one-api" else 75.25
        return self.account.subscription_override or {
            "object": "billing_subscription",
            "has_payment_method": True,
            "soft_limit_usd": limit,
            "hard_limit_usd": limit,
            "system_hard_limit_usd": limit,
            "access_until": 0,
        }

    async def _help(self, request: web.Request) -> web.Response:
        return web.Response(
            text=HELP.format(
                url=request.url.origin(),
                endpoints=", ".join(ENDPOINTS),
                faults=", ".join(PRESETS),
            )
        )

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            wish = await request.json()
            self.fault(wish["endpoint"], str(wish["fault"]), wish.get("times"))
        except KeyError, TypeError, ValueError:
            return web.Response(status=400, text="No such endpoint or fault; see /simulator/\n")
        return web.Response(text="From now on it fails.\n")

    async def _delete_faults(self, request: web.Request) -> web.Response:
        self.clear_faults()
        return web.Response(text="All works again.\n")


def _json(value: JSON) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")


def _error(status: int, message: str, kind: str, code: str | None = None) -> web.Response:
    return web.Response(
        status=status, text=error(message, kind, code), content_type="application/json"
    )
