"""Responses of several pages, responses that are kept, and those that two endpoints share."""

from __future__ import annotations

import asyncio
from datetime import date
import json
import logging
from typing import Any, Final

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.openai_account.api import (
    USAGE_ENDPOINTS,
    EndpointMissingError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountClient,
    ResponseTooLargeError,
    ServerError,
    window,
)

from .const import NOW
from .host import (
    CREDIT,
    SUBSCRIPTION,
    Answer,
    Connect,
    Host,
    Reply,
    fails,
    padded,
)

COMPLETIONS: Final = USAGE_ENDPOINTS[0]
TODAY: Final = NOW.date()
TOMORROW: Final = date(2026, 11, 25)
MIB: Final = 1024 * 1024

# What a gateway reports: the costs of a token's whole life
COSTS: Final = {"object": "list", "total_usage": 250}


def bucket(cost: float) -> dict[str, Any]:
    amount = {"value": cost, "currency": "usd"}
    return {
        "start_time": int(NOW.timestamp()),
        "results": [{"line_item": "o3, input", "amount": amount}],
    }


def page(cost: float, **more: Any) -> dict[str, Any]:
    return {"data": [bucket(cost)], **more}


# ---- Pages of buckets --------------------------------------------------------------------------


async def test_pages_are_joined(host: Host, client: OpenAIAccountClient) -> None:
    """Each page but the first is requested with the cursor of the one before."""
    more: list[dict[str, Any]] = [{"has_more": True, "next_page": one} for one in ("b", "c", "d")]
    host.answers(*(page(1, **one) for one in more), page(1, has_more=False, next_page="e"))
    assert (await client.costs_of_today()).cost_today == 4
    assert [one.query.get("page") for one in host.requests] == [None, "b", "c", "d"]
    first, *others = (one.query.getall("group_by") for one in host.requests)
    assert all(one == first for one in others)


@pytest.mark.parametrize("has_more", [None, "true", 1, False])
async def test_page_without_more(host: Host, client: OpenAIAccountClient, has_more: object) -> None:
    """Only `true` means that there is another page."""
    host.answers(page(1, has_more=has_more, next_page="b"))
    assert (await client.costs_of_today()).cost_today == 1
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    ("cursors", "requests"),
    [
        pytest.param([None], 1, id="none"),
        pytest.param(["a", None], 2, id="none later"),
        pytest.param(["a", "a"], 2, id="the same"),
        pytest.param(["a", "b", "a"], 3, id="one of before"),
    ],
)
async def test_pages_without_end(
    host: Host, client: OpenAIAccountClient, cursors: list[str | None], requests: int
) -> None:
    """A page that has been there already, or cannot be asked for, is the last request."""
    host.answers(*(page(1, has_more=True, next_page=one) for one in [*cursors, "z"]))
    assert type(await fails(client.costs_of_today())) is InvalidResponseError
    assert len(host.requests) == requests


@pytest.mark.parametrize("pages", [201, 202])
async def test_most_pages(host: Host, client: OpenAIAccountClient, pages: int) -> None:
    """So many pages are read, and not one more."""

    def answer(_: web.Request) -> Answer:
        turn = len(host.requests)
        return page(1, has_more=turn < pages, next_page=f"after {turn}")

    host.answer = answer
    if pages == 201:
        assert (await client.costs_of_today()).cost_today == 201
    else:
        assert type(await fails(client.costs_of_today())) is InvalidResponseError
    assert len(host.requests) == 201


@pytest.mark.parametrize("excess", [0, 1])
async def test_pages_that_are_too_large_together(
    host: Host, client: OpenAIAccountClient, excess: int
) -> None:
    """Pages of 8 MiB in all are read; where they are larger, no further one is requested."""
    host.answers(
        padded(5 * MIB, **page(1, has_more=True, next_page="b")),
        padded(3 * MIB + excess, **page(1, has_more=True, next_page="c")),
        page(1),
    )
    if excess:
        assert type(await fails(client.costs_of_today())) is ResponseTooLargeError
    else:
        assert (await client.costs_of_today()).cost_today == 3
    assert len(host.requests) == 3 - excess


async def test_usage_is_requested_by_the_day_and_by_the_hour(
    host: Host, client: OpenAIAccountClient
) -> None:
    """A page is asked to hold as many buckets as the API allows."""
    host.answers({"data": []})
    await client.usage_between(COMPLETIONS, TODAY, TOMORROW)
    await client.usage_by_hour(COMPLETIONS, 2)
    found = [(one.query["bucket_width"], one.query["limit"]) for one in host.requests]
    assert found == [("1d", "31"), ("1h", "168")]


# ---- Pages of lists ----------------------------------------------------------------------------


def rows(*ids: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": one} for one in ids], **more}


async def test_list_is_joined(host: Host, client: OpenAIAccountClient) -> None:
    """Each page of a list but the first is requested by the last id before it."""
    host.answers(
        rows("a", "b", has_more=True, last_id="b"),
        rows("c", "no/id", has_more=True, last_id="d"),
        rows("e", has_more=None, last_id="e"),
    )
    assert [one.id for one in await client.projects()] == ["a", "b", "c", "e"]
    assert [one.query.get("after") for one in host.requests] == [None, "b", "d"]
    for one in host.requests:
        assert (one.query["limit"], one.query["include_archived"]) == ("100", "true")


@pytest.mark.parametrize(
    ("ids", "requests"),
    [
        pytest.param([None], 1, id="none"),
        pytest.param(["a", None], 2, id="none later"),
        pytest.param(["a", "a"], 2, id="the same"),
    ],
)
async def test_list_without_end(
    host: Host, client: OpenAIAccountClient, ids: list[str | None], requests: int
) -> None:
    """A page that cannot be asked for, or only again, is the last request."""
    host.answers(*(rows("a", has_more=True, last_id=one) for one in [*ids, "z"]))
    assert type(await fails(client.projects())) is InvalidResponseError
    assert len(host.requests) == requests


@pytest.mark.parametrize("pages", [100, 101])
async def test_longest_list(host: Host, client: OpenAIAccountClient, pages: int) -> None:
    """So many pages of a list are read, and not one more."""

    def answer(_: web.Request) -> Answer:
        turn = str(len(host.requests))
        return rows(turn, has_more=len(host.requests) < pages, last_id=turn)

    host.answer = answer
    if pages == 100:
        assert len(await client.projects()) == 100
    else:
        assert type(await fails(client.projects())) is InvalidResponseError
    assert len(host.requests) == 100


@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}])
async def test_list_that_is_none(
    host: Host, client: OpenAIAccountClient, data: dict[str, Any]
) -> None:
    """A response without a list is no empty list."""
    host.answers(data)
    assert type(await fails(client.projects())) is InvalidResponseError


async def test_path_of_a_part(host: Host, client: OpenAIAccountClient) -> None:
    """An id becomes part of the path, unless it cannot be one."""
    host.answers(rows("key_1"))
    assert [one.id for one in await client.api_keys("proj_1")] == ["key_1"]
    assert type(await fails(client.api_keys("proj/1"))) is EndpointMissingError
    assert host.paths == ["/v1/organization/projects/proj_1/api_keys"]


# ---- What is kept ------------------------------------------------------------------------------


async def test_same_response_is_read_once(host: Host, client: OpenAIAccountClient) -> None:
    """The same body of success is what it was; any other is read."""
    bodies = [{"orgs": {"data": [{"id": one}]}} for one in ("org-1", "org-2")]
    host.answers(bodies[0])
    first = await client.organizations()
    assert await client.organizations() is first
    host.answers(bodies[1])
    second = await client.organizations()
    assert [one.id for one in second] == ["org-2"]
    host.answers(Reply(500, json.dumps(bodies[1])))
    assert type(await fails(client.organizations())) is ServerError
    host.answers(bodies[1])
    assert await client.organizations() is second


@pytest.mark.parametrize("kind", KeyKind)
async def test_same_costs_are_the_same_object(host: Host, connect: Connect, kind: KeyKind) -> None:
    """Costs without news are known by their object, so that nothing is compared."""
    client = connect(kind)
    host.answers({"daily_costs": [], "data": []})
    first = await client.costs_between(TODAY, TOMORROW)
    assert await client.costs_between(TODAY, TOMORROW) is first


async def test_same_response_to_another_request_is_read_again(host: Host, connect: Connect) -> None:
    """What a response means depends on what was asked for."""
    client = connect(KeyKind.SESSION)
    rows = [{"timestamp": NOW.timestamp(), "line_items": [{"name": "o3, input", "cost": 100}]}]
    host.answers({"object": "list", "daily_costs": rows})
    for start in (TODAY, date(2026, 11, 23), TODAY):
        assert (await client.costs_between(start, TOMORROW)).start == start
    for line_items in (True, False):
        report = await client.costs_between(TODAY, TOMORROW, line_items=line_items)
        assert bool(report.days[TODAY].line_items) is line_items


async def test_unreadable_field_is_named_once(
    host: Host, client: OpenAIAccountClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names a field, however often it cannot be read."""
    names = ("canceled", "canceled", "delinquent")
    host.answers(*({**SUBSCRIPTION, name: turn} for turn, name in enumerate(names, 2)))
    with caplog.at_level(logging.DEBUG):
        for _ in names:
            await client.subscription()
    found = [one.getMessage().split()[2] for one in caplog.records if "unexpected" in one.message]
    assert found == ["canceled", "delinquent"]


# ---- What is shared ----------------------------------------------------------------------------


@pytest.fixture
def gateway(host: Host) -> Host:
    """Return a host that reports no credit, which is derived from two other endpoints."""
    host.serves(usage=COSTS, subscription={"hard_limit_usd": 12})
    return host


@pytest.mark.parametrize(("seconds", "requests"), [(0, 1), (59.5, 1), (60, 1), (60.5, 2)])
async def test_response_is_shared_for_a_minute(
    gateway: Host,
    connect: Connect,
    freezer: FrozenDateTimeFactory,
    seconds: float,
    requests: int,
) -> None:
    """The derived credit and the endpoints that it comes from share their responses."""
    client = connect(KeyKind.SESSION)
    assert (await client.credit_grants()).total_available == 9.5
    freezer.tick(seconds)
    assert (await client.costs_between(*window(TODAY))).lifetime == 2.5
    assert (await client.subscription()).hard_limit_usd == 12
    assert gateway.count("usage") == gateway.count("subscription") == requests


async def test_response_serves_each_purpose_once(gateway: Host, connect: Connect) -> None:
    """Whoever asks again gets a new response."""
    client = connect(KeyKind.SESSION)
    await client.costs_between(*window(TODAY))
    await client.credit_grants()
    assert gateway.count("usage") == 1
    await client.credit_grants()
    assert gateway.count("usage") == 2
    await client.costs_between(*window(TODAY))
    assert gateway.count("usage") == 2
    await client.costs_between(*window(TODAY))
    assert gateway.count("usage") == 3


async def test_response_to_another_day_is_not_shared(
    gateway: Host, connect: Connect, freezer: FrozenDateTimeFactory
) -> None:
    """Just after midnight a response is about the day before."""
    freezer.move_to("2026-11-24 23:59:50+00:00")
    client = connect(KeyKind.SESSION)
    await client.credit_grants()
    freezer.tick(20)
    await client.subscription()
    assert gateway.count("subscription") == 2


async def test_failure_is_not_shared(gateway: Host, connect: Connect) -> None:
    """After a failure nobody gets the response before it."""
    client = connect(KeyKind.SESSION)
    await client.credit_grants()
    gateway.serves(usage=Reply(500), subscription={"hard_limit_usd": 12})
    assert type(await fails(client.credit_grants())) is ServerError
    gateway.serves(usage=COSTS, subscription={"hard_limit_usd": 12})
    await client.costs_between(*window(TODAY))
    assert gateway.count("usage") == 3


async def test_requests_at_once_share_a_response(gateway: Host, connect: Connect) -> None:
    """Whoever comes while a response is on its way waits for it."""
    client = connect(KeyKind.SESSION)
    await asyncio.gather(
        client.credit_grants(), client.costs_between(*window(TODAY)), client.subscription()
    )
    assert gateway.count("usage") == gateway.count("subscription") == 1


async def test_nothing_is_shared_once_credit_was_reported(host: Host, connect: Connect) -> None:
    """What was shared before a host reported credit is forgotten."""
    client = connect(KeyKind.SESSION)
    answers: dict[str, Answer] = {"usage": COSTS, "subscription": {"hard_limit_usd": 12}}
    host.serves(credit_grants=CREDIT, **answers)
    await client.costs_between(*window(TODAY))
    await client.subscription()
    assert (await client.credit_grants()).total_available == 40
    host.serves(**answers)
    assert (await client.credit_grants()).total_available == 9.5
    assert host.count("usage") == host.count("subscription") == 2
