"""What the client requests of a host that serves only a part, or too much at once."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.openai_account.api import (
    USAGE_ENDPOINTS,
    EndpointMissingError,
    KeyKind,
    ResponseTooLargeError,
    WebPageError,
)

from .const import NOW
from .host import Answer, Connect, Host, missing, padded, web_page

START = date(2026, 11, 1)
COMPLETIONS = USAGE_ENDPOINTS[0]
TOO_LARGE = padded(8 * 1024 * 1024 + 1)


def days_of(request: web.Request) -> tuple[date, date]:
    """Return the days that a request names."""
    times = (float(request.query[name]) for name in ("start_time", "end_time"))
    start, end = (datetime.fromtimestamp(time, UTC).date() for time in times)
    return start, end


def days(*numbers: int) -> list[tuple[date, date]]:
    """Return pairs of days, by their numbers from the first of the month."""
    found = [START + timedelta(days=number) for number in numbers]
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("kind", ["costs", "usage"])
async def test_too_many_days_are_requested_in_steps(
    host: Host, connect: Connect, freezer: FrozenDateTimeFactory, kind: str
) -> None:
    """Fewer days are requested at once until one can be read; the next day, twice as many."""

    def answer(request: web.Request) -> Answer:
        start, end = days_of(request)
        return TOO_LARGE if (end - start).days > 2 else {"data": []}

    host.answer = answer
    client = connect(KeyKind.ADMIN)
    end = START + timedelta(days=7)

    async def request() -> list[tuple[date, date]]:
        report = (
            await client.costs_between(START, end)
            if kind == "costs"
            else await client.usage_between(COMPLETIONS, START, end)
        )
        assert (report.start, report.today) == (START, START + timedelta(days=6))
        found = [days_of(request) for request in host.requests]
        host.requests.clear()
        return found

    steps = days(0, 2, 2, 4, 4, 6, 6, 7)
    assert await request() == [*days(0, 7, 0, 4), *steps]
    assert await request() == steps
    freezer.tick(timedelta(days=1))
    assert await request() == [*days(0, 4), *steps]


async def test_what_is_too_large_for_one_kind(host: Host, connect: Connect) -> None:
    """How many days a response can hold is learned for costs and each kind of usage alone."""
    end = START + timedelta(days=2)
    host.answer = lambda request: (
        TOO_LARGE
        if request.path.endswith("costs") and days_of(request) == (START, end)
        else {"data": []}
    )
    client = connect(KeyKind.ADMIN)
    await client.costs_between(START, end)
    assert len(host.requests) == 3
    for group_by in ((), ("model",)):
        host.requests.clear()
        await client.usage_between(COMPLETIONS, START, end, group_by)
        assert len(host.requests) == 1


@pytest.mark.parametrize("kind", ["costs", "usage"])
async def test_a_day_is_not_halved(host: Host, connect: Connect, kind: str) -> None:
    """A day whose response is too large is an error, after one request."""
    host.answers(TOO_LARGE)
    client = connect(KeyKind.ADMIN)
    end = START + timedelta(days=1)
    request: Awaitable[object] = (
        client.costs_between(START, end)
        if kind == "costs"
        else client.usage_between(COMPLETIONS, START, end)
    )
    with pytest.raises(ResponseTooLargeError):
        await request
    assert len(host.requests) == 1


@pytest.mark.parametrize("number", [-1, 0, 1, 100, 101])
async def test_number_of_days(host: Host, connect: Connect, number: int) -> None:
    """From 1 to 100 days can be requested."""
    host.answers({"data": []})
    request = connect(KeyKind.ADMIN).costs_between(START, START + timedelta(days=number))
    if 1 <= number <= 100:
        assert (await request).days == {}
        assert host.requests[0].query["limit"] == str(number)
    else:
        with pytest.raises(ValueError, match="from 1 to 100 days"):
            await request


@pytest.mark.parametrize(("number", "first"), [(2, 23), (7, 18)])
async def test_hours_of_usage(
    host: Host, connect: Connect, freezer: FrozenDateTimeFactory, number: int, first: int
) -> None:
    """Today is one of the days; the last 24 hours start with the hour 23 hours ago."""
    freezer.move_to(NOW.replace(second=1, microsecond=1))
    hour = NOW.replace(minute=0)
    buckets: list[dict[str, Any]] = [
        {
            "start_time": (hour - timedelta(hours=ago)).timestamp(),
            "results": [{"input_tokens": 10**ago, "num_model_requests": 1}],
        }
        for ago in (24, 23, 22, 0)
    ]
    host.answers({"data": buckets})
    report = await connect(KeyKind.ADMIN).usage_by_hour(COMPLETIONS, number)
    assert days_of(host.requests[0]) == (date(2026, 11, first), date(2026, 11, 25))
    assert (report.start, report.today) == (date(2026, 11, first), date(2026, 11, 24))
    assert report.last_24_hours
    assert report.last_24_hours.requests == 3


GATEWAY: dict[str, Answer] = {"usage": {"total_usage": 250}, "subscription": {"hard_limit_usd": 10}}


async def test_credit_that_becomes_a_web_page(host: Host, connect: Connect) -> None:
    """A host that has reported credit is not taken for a gateway while it shows web pages."""
    host.serves(**GATEWAY, credit_grants={"total_available": 5})
    client = connect(KeyKind.SESSION)
    assert (await client.credit_grants()).total_available == 5
    host.serves(**GATEWAY, credit_grants=web_page())
    with pytest.raises(WebPageError):
        await client.credit_grants()
    host.serves(**GATEWAY)
    grants = await client.credit_grants()
    assert (grants.total_available, grants.derived) == (7.5, True)


@pytest.mark.parametrize("credit", [missing(), web_page()], ids=["missing", "web page"])
async def test_credit_of_a_gateway(host: Host, connect: Connect, credit: Answer) -> None:
    """Credit is derived where the host has never reported it, and tried again the next day."""
    host.serves(**GATEWAY, credit_grants=credit)
    client = connect(KeyKind.SESSION)
    for _ in range(2):
        grants = await client.credit_grants()
        assert (grants.total_available, grants.total_used) == (7.5, 2.5)
    assert host.count("credit_grants") == 2
    host.serves()
    with pytest.raises(EndpointMissingError):
        await client.credit_grants()
