"""The simulator: which key opens what, and which account responds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json

from aiohttp import web

from . import gateway, organization as org
from .account import Account
from .contract import ADMIN_ENDPOINTS, ENDPOINTS, PARAMETERS
from .control import add_control
from .faults import CLOSING, EXPIRED_KEY, PRESETS, Fault, error
from .query import Query, RequestError, read_query
from .responses import respond
from .scenarios import SCENARIOS

DEMO_SESSION_KEY = "sess-demo-0000000000000000000000000000"

DEMO_ADMIN_KEY = "sk-admin-demo-0000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that came in, without the values of its headers.

    `query` has the last value of each parameter, `parameters` all of them.
    """

    endpoint: str
    path: str
    query: dict[str, str]
    headers: frozenset[str]
    authorized: bool
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Planned:
    fault: Fault
    name: str
    left: int | None
    after: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """What a path leads to: no endpoint where nothing is served there."""

    endpoint: str = ""
    project_id: str = ""
    prefix: str = ""


class Simulator:
    """A simulated OpenAI: `app` serves `account`, and `requests` lists what came in.

    `kind` is `openai`, or one of the gateways `one-api` and `new-api`, which serve less;
    with a `page_host` a gateway has its web page there. Without `bare_paths` the
    dashboard's endpoints are under /v1 alone.

    `session_keys` open the account as `key` does. `admin_keys` are further admin keys, with
    the organization that each belongs to; `admin_key` belongs to the first one. `others`
    are the accounts of the organizations that have one of their own, by the id.
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
        page_host: str | None = None,
    ) -> None:
        """Make the application; it listens nowhere yet."""
        self.key = key
        self.admin_key = admin_key
        self.account = account or Account()
        self.kind = kind
        self.bare_paths = bare_paths
        self.page_host = page_host
        self.session_keys: set[str] = set()
        self.admin_keys: dict[str, str] = {}
        self.others: dict[str, Account] = {}
        self.requests: list[SeenRequest] = []
        self.scenario = "healthy"
        self.now = now or (lambda: datetime.now(UTC))
        self._streams = self.account.streams, self.account.api_keys
        self._faults: dict[str, list[_Planned]] = {}
        self.app = web.Application()
        self.app[CLOSING] = asyncio.Event()
        self.app.on_shutdown.append(self._close)
        add_control(self)
        self.app.router.add_get("/{path:.*}", self._answer)

    def fault(
        self, endpoint: str, fault: Fault | str, times: int | None = None, *, after: int = 0
    ) -> None:
        """Let an endpoint fail, until further notice or for a number of requests.

        It still answers as many requests as `after` says.
        `usage/*` is every usage endpoint of the admin key, `*` every endpoint.
        """
        if endpoint not in (*ENDPOINTS, "usage/*", "*"):
            raise ValueError(f"no endpoint {endpoint}")
        planned = PRESETS[fault] if isinstance(fault, str) else fault
        name = fault if isinstance(fault, str) else "a fault of its own"
        self._faults.setdefault(endpoint, []).append(_Planned(planned, name, times, after))

    def move_on(self, seconds: float) -> None:
        """Move the clock forward."""
        before = self.now
        self.now = lambda: before() + timedelta(seconds=seconds)

    def clear_faults(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    @property
    def faults(self) -> dict[str, list[str]]:
        """The names of the faults that are still to come, by their endpoint."""
        found = {
            endpoint: [one.name for one in planned if one.left != 0]
            for endpoint, planned in self._faults.items()
        }
        return {endpoint: names for endpoint, names in found.items() if names}

    def play(self, scenario: str) -> None:
        """Get into a scenario, from a fresh account without faults."""
        chosen = SCENARIOS[scenario]
        self.clear_faults()
        self.others.clear()
        self.admin_keys.clear()
        streams, api_keys = self._streams
        self.account = Account(streams=streams, api_keys=list(api_keys))
        chosen.apply(self)
        self.scenario = scenario

    def _next_fault(self, endpoint: str) -> Fault | None:
        group = "usage/*" if endpoint.startswith("usage/") else endpoint
        for name in dict.fromkeys((endpoint, group, "*")):
            for planned in self._faults.get(name, ()):
                if planned.after > 0:
                    planned.after -= 1
                    continue
                if planned.left is None:
                    return planned.fault
                if planned.left > 0:
                    planned.left -= 1
                    return planned.fault
        return None

    async def _close(self, app: web.Application) -> None:
        app[CLOSING].set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request.path)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        opens = self._opens(key, place.endpoint)
        self.requests.append(
            SeenRequest(
                place.endpoint,
                request.path,
                dict(request.query),
                frozenset(name.lower() for name in request.headers),
                opens,
                tuple(request.query.items()),
            )
        )
        if fault := self._next_fault(place.endpoint):
            response = await fault.respond(request)
            if response is not None:
                return response
        if self.kind != "openai":
            if not place.endpoint:
                return gateway.not_served(self.kind, request, self.page_host)
            if not opens:
                return gateway.refused(self.kind)
            return gateway.respond(self.kind, self.account, place.endpoint)
        if not place.endpoint:
            return _error(404, f"Invalid URL (GET {request.path})", "invalid_request_error")
        if not opens:
            return await self._refuse(key, place.endpoint, request)
        try:
            account = self._account(key, place.endpoint, request)
            query = read_query(request.query, PARAMETERS[place.endpoint])
            return self._respond(account, place, query)
        except RequestError as err:
            body = error(err.message, "invalid_request_error", err.code, err.param)
            return web.Response(status=err.status, text=body, content_type="application/json")

    def _place(self, path: str) -> _Place:
        """Return what a path leads to."""
        prefix = "/v1" if path.startswith("/v1/") else ""
        if self.kind != "openai":
            served = self.bare_paths or prefix
            return _Place(gateway.endpoint_of(self.kind, path) if served else "", prefix=prefix)
        parts = path.removeprefix(prefix).strip("/").split("/")
        match parts:
            case ["dashboard", "billing", ("credit_grants" | "usage" | "subscription") as name]:
                return _Place(name if self.bare_paths or prefix else "", prefix=prefix)
            case ["me"] if prefix:
                return _Place("me", prefix=prefix)
            case ["organization", "projects", project, "api_keys"] if prefix:
                return _Place("api_keys", project, prefix)
            case ["organization", "projects", project, "spend_limit"] if prefix:
                return _Place("project_spend_limit", project, prefix)
            case ["organization", *rest] if prefix and "/".join(rest) in ADMIN_ENDPOINTS:
                endpoint = "/".join(rest)
                if endpoint not in ("api_keys", "project_spend_limit"):
                    return _Place(endpoint, prefix=prefix)
        return _Place(prefix=prefix)

    def _opens(self, key: str, endpoint: str) -> bool:
        """Return whether a key opens an endpoint."""
        if endpoint in ADMIN_ENDPOINTS:
            return key == self.admin_key or key in self.admin_keys
        return key == self.key or key in self.session_keys

    def _account(self, key: str, endpoint: str, request: web.Request) -> Account:
        """Return the account of the requested organization."""
        organizations = [one.id for one in self.account.organizations]
        wanted = request.headers.get("OpenAI-Organization")
        if endpoint in ADMIN_ENDPOINTS:
            # An admin key is one organization's.
            organizations = [self.admin_keys[key]] if key in self.admin_keys else organizations[:1]
            wanted = wanted or next(iter(organizations), None)
        if wanted and wanted not in organizations:
            raise RequestError(
                "OpenAI-Organization header should match organization for API key",
                status=401,
                code="mismatched_organization",
            )
        account = self.others.get(wanted or "", self.account)
        return self.account if endpoint == "me" else account

    async def _refuse(self, key: str, endpoint: str, request: web.Request) -> web.StreamResponse:
        if endpoint in ADMIN_ENDPOINTS and not key.startswith("sk-admin-"):
            return _error(
                403,
                "You have insufficient permissions for this operation. Missing scopes:"
                " api.usage.read.",
                "invalid_request_error",
            )
        if key.startswith("sk-") and endpoint not in ADMIN_ENDPOINTS:
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

    def _respond(self, account: Account, place: _Place, query: Query) -> web.Response:
        override = account.override(place.endpoint, query)
        if override is not None:
            return _text(json.dumps(override))
        if place.endpoint == "admin_api_keys":
            keys = [self.admin_key]
            if account is not self.account:
                keys = [key for key, one in self.admin_keys.items() if self.others[one] is account]
            return _text(json.dumps(org.admin_api_keys(keys, account.admin_keys_expire_at, query)))
        return _text(respond(account, place.endpoint, place.project_id, query, self.now()))


def _text(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def _error(status: int, message: str, kind: str) -> web.Response:
    return web.Response(status=status, text=error(message, kind), content_type="application/json")
