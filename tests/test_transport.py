"""Requests of the client, one by one: statuses, bodies, prefixes, keys and addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import json
from typing import Any, Final
from unittest.mock import patch

import aiohttp
from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.openai_account.api import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    ForbiddenError,
    InvalidAuthError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    NotPermittedError,
    OpenAIAccountClient,
    RateLimitedError,
    ResponseTooLargeError,
    ServerError,
    UnsupportedCountryError,
    WebPageError,
    WrongAdminKeyError,
    WrongKeyTypeError,
)

from .const import ADMIN_KEY, KEY
from .host import (
    CREDIT,
    SUBSCRIPTION,
    Answer,
    Connect,
    Host,
    Reply,
    error,
    fails,
    missing,
    padded,
    turn,
    web_page,
)

MIB: Final = 1024 * 1024

# ---- Statuses ----------------------------------------------------------------------------------

SESSION_KEY = "Your request must be made with a session key (that is, from a browser)."


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, message="No"), InvalidAuthError),
        (Reply(401), InvalidAuthError),
        (error(400, code="invalid_api_key"), InvalidAuthError),
        (error(200, code="invalid_api_key"), InvalidAuthError),
        (error(401, message=SESSION_KEY), WrongKeyTypeError),
        (error(403, code="unsupported_country_region_territory"), UnsupportedCountryError),
        (error(403, message="No"), ForbiddenError),
        (Reply(403), BlockedError),
        (Reply(403, '{"error": "No"}'), BlockedError),
        (missing(), EndpointMissingError),
        (error(429, message="Later"), RateLimitedError),
        (error(500, message="Oh"), ServerError),
        (web_page(500), ServerError),
        (Reply(599), ServerError),
        (error(499, message="Oh"), InvalidResponseError),
        (error(200, message="Oh"), InvalidResponseError),
        ({"error": "Oh", **SUBSCRIPTION}, InvalidResponseError),
        (Reply(201, json.dumps(SUBSCRIPTION)), InvalidResponseError),
        (Reply(text=json.dumps([SUBSCRIPTION])), InvalidResponseError),
        (Reply(text="soon"), InvalidResponseError),
        ({}, InvalidResponseError),
        (web_page(), WebPageError),
        (web_page(kind="application/xhtml+xml"), WebPageError),
        (web_page(kind="text/plain"), InvalidResponseError),
        *((Reply(one), WebPageError) for one in (301, 302, 303, 307, 308)),
        *((Reply(one), InvalidResponseError) for one in (300, 304, 306, 309)),
        (error(302, message="No"), InvalidResponseError),
        (web_page(400), InvalidResponseError),
    ],
)
async def test_error_of_a_response(
    host: Host, client: OpenAIAccountClient, answer: Answer, kind: type
) -> None:
    """Each response that is none stands for one error, of the key that was sent."""
    host.answers(answer)
    failure = await fails(client.subscription())
    assert type(failure) is kind
    assert failure.key is KeyKind.SESSION


async def test_error_of_an_admin_key(host: Host, client: OpenAIAccountClient) -> None:
    """What an admin key may not read is another matter than a session key's."""
    host.answer = lambda _: error(403, message="No")
    failure = await fails(client.costs_of_today())
    assert (type(failure), failure.key) == (WrongAdminKeyError, KeyKind.ADMIN)
    assert type(await fails(client.spend_limit())) is NotPermittedError
    host.answer = lambda _: error(401, message=SESSION_KEY)
    assert type(await fails(client.costs_of_today())) is InvalidAuthError


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 0), ("1", 1), ("120", 120), ("999999999", 999_999_999), ("9999999999", None)),
        *(("", None), ("soon", None), ("-5", None), ("1e3", None), ("1.5", None)),
        *(("\u0663", None), ("\u00b2", None), ("Tue, 99 Foo 2026", None)),
        ("Tue, 24 Nov 2026 15:30:31 GMT", 31),
        ("Tue, 24 Nov 2026 15:30:31 -0000", 31),
        ("Tue, 24 Nov 2026 16:30:31 +0100", 31),
        ("Tue, 24 Nov 2026 15:30:00 GMT", 0),
        ("Tue, 24 Nov 2026 15:29:00 GMT", 0),
    ],
)
async def test_retry_after(
    host: Host,
    client: OpenAIAccountClient,
    freezer: FrozenDateTimeFactory,
    value: str,
    seconds: float | None,
) -> None:
    """`Retry-After` is in whole seconds or a date, and else says nothing."""
    freezer.tick(0.5)
    host.answer = lambda _: Reply(429, headers={"Retry-After": value})
    failure = await fails(client.subscription())
    assert isinstance(failure, RateLimitedError)
    assert failure.retry_after == seconds


# ---- Bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("excess", [0, 1])
async def test_largest_body(host: Host, client: OpenAIAccountClient, excess: int) -> None:
    """A body of 8 MiB is read, one byte more is an error."""
    host.answer = lambda _: padded(8 * MIB + excess, **SUBSCRIPTION)
    if excess:
        assert type(await fails(client.subscription())) is ResponseTooLargeError
    else:
        assert (await client.subscription()).plan == "Pro"


@pytest.mark.parametrize("excess", [0, 1])
async def test_largest_error(host: Host, client: OpenAIAccountClient, excess: int) -> None:
    """An error says what it means in 128 KiB; what is longer is cut off."""
    body = json.dumps({"error": {"message": "No"}}).rjust(128 * 1024 + excess)
    host.answer = lambda _: Reply(403, body)
    kind = BlockedError if excess else ForbiddenError
    assert type(await fails(client.subscription())) is kind


@pytest.mark.parametrize("size", [128 * 1024 - 1, 128 * 1024])
async def test_large_body_is_read_elsewhere(
    host: Host, client: OpenAIAccountClient, size: int
) -> None:
    """From 128 KiB on, a body is parsed and read without blocking the event loop."""
    host.answer = lambda _: padded(size, **SUBSCRIPTION)
    loop = asyncio.get_running_loop()
    with patch.object(loop, "run_in_executor", wraps=loop.run_in_executor) as executor:
        assert (await client.subscription()).plan == "Pro"
    assert executor.call_count == (2 if size == 128 * 1024 else 0)


def broken_off(status: int, size: int, *, stall: bool = False) -> Callable[..., Any]:
    """Return an answer that breaks off after some bytes, or never ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        response.content_length = size + 1
        await response.prepare(request)
        await response.write(b" " * size)
        if stall:
            await asyncio.sleep(3600)
        assert request.transport
        request.transport.close()
        return response

    return answer


@pytest.mark.parametrize(("status", "kind"), [(200, CannotConnectError), (401, InvalidAuthError)])
async def test_body_that_breaks_off(
    host: Host, client: OpenAIAccountClient, status: int, kind: type
) -> None:
    """Half a response is none; of an error, the status says enough."""
    host.answer = broken_off(status, 100)
    failure = await fails(client.subscription())
    assert (type(failure), failure.key) == (kind, KeyKind.SESSION)


async def test_rest_of_a_long_error_is_not_waited_for(
    host: Host, client: OpenAIAccountClient
) -> None:
    """Once enough of an error was read, the rest may never come."""
    host.answer = broken_off(401, 200_000, stall=True)
    waiting = asyncio.ensure_future(client.subscription())
    await turn(waiting.done, 20_000)
    assert waiting.done()
    assert type(await fails(waiting)) is InvalidAuthError


async def test_time_for_a_response(
    host: Host, client: OpenAIAccountClient, freezer: FrozenDateTimeFactory
) -> None:
    """A response may take 30 seconds; the error names the key."""
    host.answer = broken_off(200, 10, stall=True)
    waiting = asyncio.ensure_future(client.subscription())
    await turn(lambda: bool(host.requests), 20_000)
    await turn()
    freezer.tick(29.9)
    await turn()
    assert not waiting.done()
    freezer.tick(0.2)
    await turn(waiting.done)
    assert waiting.done()
    failure = await fails(waiting)
    assert (type(failure), failure.key) == (CannotConnectError, KeyKind.SESSION)


# ---- Prefixes ----------------------------------------------------------------------------------

BARE = "/dashboard/billing/"
V1 = "/v1/dashboard/billing/"


async def test_prefix_is_learned(host: Host, client: OpenAIAccountClient) -> None:
    """The bare path comes first, until another one of the dashboard was found under /v1."""
    answers: dict[str, Answer] = {"credit_grants": CREDIT, "subscription": SUBSCRIPTION}
    served: dict[str, Answer] = {f"{V1}{name}": one for name, one in answers.items()}
    host.answer = lambda one: served.get(one.path, missing())
    await client.credit_grants()
    assert host.paths == [f"{BARE}credit_grants", f"{V1}credit_grants"]
    await client.subscription()
    await client.credit_grants()
    assert host.paths[2:] == [f"{V1}subscription", f"{V1}credit_grants"]
    assert client.paths == {name: f"{V1}{name}" for name in answers}

    # The host moves.
    served.clear()
    served[f"{BARE}subscription"] = SUBSCRIPTION
    host.requests.clear()
    await client.subscription()
    assert host.paths == [f"{V1}subscription", f"{BARE}subscription"]
    await client.subscription()
    assert host.paths[2:] == [f"{BARE}subscription"]
    assert client.paths["subscription"] == f"{BARE}subscription"

    served.clear()
    assert type(await fails(client.subscription())) is EndpointMissingError
    assert set(client.paths) == {"credit_grants"}


async def test_prefix_of_other_endpoints_says_nothing(
    host: Host, client: OpenAIAccountClient
) -> None:
    """The documented endpoints are under /v1, wherever the dashboard's are."""
    host.serves(subscription=SUBSCRIPTION, me={"orgs": {"data": [{"id": "org-1"}]}})
    assert await client.organizations()
    await client.subscription()
    assert host.paths == ["/v1/me", f"{BARE}subscription"]


@pytest.mark.parametrize(
    ("bare", "under_v1", "kind"),
    [
        (web_page, web_page, WebPageError),
        (web_page, missing, EndpointMissingError),
        (missing, web_page, EndpointMissingError),
        (missing, missing, EndpointMissingError),
    ],
)
async def test_web_pages_at_both_paths(
    host: Host,
    client: OpenAIAccountClient,
    bare: Callable[[], Reply],
    under_v1: Callable[[], Reply],
    kind: type,
) -> None:
    """Web pages everywhere say that this is no such host; where one is missing, it is missing."""
    host.answer = lambda one: under_v1() if one.path.startswith("/v1") else bare()
    assert type(await fails(client.subscription())) is kind
    assert host.paths == [f"{BARE}subscription", f"{V1}subscription"]


async def test_web_pages_of_a_host_that_serves_others(
    host: Host, client: OpenAIAccountClient
) -> None:
    """Web pages mean a missing endpoint, or, where it has been served before, a wall."""
    answers: dict[str, Answer] = {"credit_grants": CREDIT}
    host.answer = lambda one: answers.get(one.path.rpartition("/")[2], web_page())
    await client.credit_grants()
    assert type(await fails(client.subscription())) is EndpointMissingError
    answers.clear()
    assert type(await fails(client.credit_grants())) is WebPageError
    assert "credit_grants" in client.paths


async def test_redirects_stay_where_they_are(host: Host, client: OpenAIAccountClient) -> None:
    """No redirect is followed."""
    host.answer = lambda _: Reply(302, headers={"Location": "/elsewhere"})
    await fails(client.organizations())
    assert host.paths == ["/v1/me"]


# ---- Keys and headers --------------------------------------------------------------------------


async def test_each_request_carries_its_key(host: Host, connect: Connect) -> None:
    """A key goes to its endpoints alone, and an organization only where one is chosen."""
    host.answers({"orgs": {"data": [{"id": "org-1"}]}, "data": []})
    client = connect(user_agent="test", organization="org-1")
    await client.organizations()
    await client.projects()
    await connect().organizations()
    headers = [one.headers for one in host.requests]
    sent = [one["Authorization"] for one in headers]
    assert sent == [f"Bearer {KEY}", f"Bearer {ADMIN_KEY}", f"Bearer {KEY}"]
    assert [one.get("OpenAI-Organization") for one in headers] == ["org-1", "org-1", None]
    assert [one["User-Agent"] for one in headers] == ["test", "test", "openai-account"]
    assert {one["Accept"] for one in headers} == {"application/json"}


async def test_endpoint_without_its_key(host: Host, connect: Connect) -> None:
    """Without a key nothing is sent."""
    failure = await fails(connect(KeyKind.SESSION).projects())
    assert (type(failure), failure.key) == (EndpointMissingError, KeyKind.ADMIN)
    failure = await fails(connect(KeyKind.ADMIN).subscription())
    assert (type(failure), failure.key) == (EndpointMissingError, KeyKind.SESSION)
    assert not host.requests


@pytest.mark.parametrize("kind", KeyKind)
async def test_key_that_is_none(host: Host, kind: KeyKind) -> None:
    """The error says which key cannot be one."""
    keys = {KeyKind.SESSION: KEY, KeyKind.ADMIN: ADMIN_KEY, kind: "a b"}
    async with aiohttp.ClientSession() as session:
        with pytest.raises(InvalidKeyError) as found:
            OpenAIAccountClient(session, host.url, keys)
    assert found.value.key is kind
