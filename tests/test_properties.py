"""Arbitrary responses: only the client's own errors, only values of the right types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, date, datetime
import json
import math
from pathlib import Path
import re
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest

from custom_components.openai_account.api import (
    CostReport,
    CreditGrants,
    DayCosts,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountClient,
    OpenAIAccountError,
    Organization,
    SpendLimit,
    Subscription,
    base_url,
    extract_key,
)
from custom_components.openai_account.api.parsing import JsonObject, number

from .const import ADMIN_KEY, KEY, NOW

FIXTURES = Path(__file__).parent / "fixtures"
START = date(2026, 11, 1)
ENDPOINTS = ("credit_grants", "usage", "subscription")


def known(endpoint: str) -> list[dict[str, Any]]:
    """Return all fixtures of an endpoint."""
    return [json.loads(path.read_text()) for path in sorted((FIXTURES / endpoint).glob("*.json"))]


def names(value: object) -> Iterator[str]:
    """Return the names of all fields, at any depth."""
    if isinstance(value, dict):
        yield from value
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from names(inner)


EDGES = st.sampled_from(
    [
        *(0, -0.0, 1e-320, 1e15, 1.0000001e15, 1e308, 2**63, 2**64, -(2**63), 10**400, 5e-324),
        *("NaN", "inf", "-Infinity", "1e999", "0x10", "1_0", "١٢", " 7 ", "0E-6176", "1" * 500),
        *("2026-11-31", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00"),
        *("\ud800", "\x00"),
    ]
)
# The names of fields, so that what is generated gets into the fields that are read
NAMES = st.sampled_from(
    sorted(
        {name for endpoint in ENDPOINTS for response in known(endpoint) for name in names(response)}
        | {"orgs", "data", "id", "title", "is_default", "threshold_amount", "currency"}
        | {"results", "start_time", "amount", "value", "line_item", "has_more", "next_page"}
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | EDGES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
# What is no JSON object, and so neither a row of costs nor an amount
NO_OBJECT = JSON.filter(lambda value: not isinstance(value, dict))
NO_AMOUNT = NO_OBJECT.filter(lambda value: not number(cast("Any", value)))
READERS: dict[str, Callable[[JsonObject], object]] = {
    "credit_grants": lambda data: CreditGrants.read(data).at(NOW),
    "usage": lambda data: CostReport.read(data, START, NOW.date()),
    "subscription": Subscription.read,
    "me": Organization.read_all,
    "costs": lambda data: CostReport.read_official(data, START, NOW.date()),
    "spend_limit": SpendLimit.read,
}


def check(result: object) -> None:
    """Check that every value of a result has its type."""
    if isinstance(result, tuple):
        for one in result:
            assert isinstance(one, Organization)
            assert one.id
            assert one.id.isascii()
            assert one.title is None or one.title.isprintable()
        return
    if isinstance(result, CostReport):
        for day, costs in result.days.items():
            assert START <= day <= NOW.date()
            assert isinstance(costs, DayCosts)
            assert math.isclose(costs.cost, math.fsum(costs.models.values()), abs_tol=1e-6)
            assert all(isinstance(name, str) and name for name in costs.models)
        assert math.isfinite(result.cost_this_month)
        assert math.isfinite(result.cost_today)
        return
    assert isinstance(result, CreditGrants | Subscription | SpendLimit)
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, float):
            assert "float" in str(field.type)
            assert abs(value) <= 10**15
        elif isinstance(value, bool):
            assert "bool" in str(field.type)
        elif isinstance(value, str):
            assert "str" in str(field.type)
            assert value.isprintable()
            assert value == value.strip() != ""
        elif isinstance(value, datetime | tuple):
            assert "datetime" in str(field.type)
            times = value if isinstance(value, tuple) else (value,)
            assert all(isinstance(one, datetime) and one.tzinfo is UTC for one in times)
            assert list(times) == sorted(times)
        else:
            assert value is None or field.name == "reported"


def read(endpoint: str, data: dict[str, Any]) -> tuple[object, list[str]]:
    """Parse a response; return the result, None if it is refused, and the unreadable fields."""
    unreadable: list[str] = []
    try:
        result = READERS[endpoint](JsonObject(data, unreadable.append))
    except InvalidResponseError:
        return None, unreadable
    check(result)
    return result, unreadable


@pytest.mark.parametrize("endpoint", READERS)
@given(data=st.dictionaries(NAMES | st.text(), JSON, max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_object_is_parsed_or_refused(endpoint: str, data: dict[str, Any]) -> None:
    """Any JSON object leads to values of the right types, or to the client's own error."""
    read(endpoint, data)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_unreadable_field_affects_no_other(endpoint: str, data: st.DataObject) -> None:
    """Whatever one field holds, the others stay the same; only unreadable days are refused."""
    response = data.draw(st.sampled_from(known(endpoint)))
    name = data.draw(st.sampled_from(sorted(response)))
    before, complaints = read(endpoint, response)
    value = data.draw(JSON)
    after, unreadable = read(endpoint, response | {name: value})
    if name == "daily_costs" and after is None:
        # No days are days without costs, but not days of which nothing can be read.
        assert value
        return
    assert type(after) is type(before) is not None
    assert set(unreadable) - set(complaints) <= _inside(name)
    if isinstance(before, CostReport):
        affected = (
            {field.name for field in fields(before)}
            if name == "daily_costs"
            # Without any day, the total says whether there was nothing or is no response.
            else {"lifetime", "complete"}
            if name == "total_usage" and not (before.complete and response["daily_costs"])
            else set()
        )
    else:
        affected = {name} | AFFECTED.get(name, set())
    for field in fields(cast("CostReport", before)):
        if field.name not in affected:
            assert getattr(after, field.name) == getattr(before, field.name)


# The attributes that depend on a field of another name
AFFECTED = {
    "plan": {"plan_id"},
    "grants": {"expiries"},
    "hard_limit_usd": {"unlimited"},
}


def _inside(name: str) -> set[str]:
    """Return the fields that may be reported as unreadable if one field is."""
    inner = {
        "plan": {"title", "id"},
        "grants": {"data", "grant_amount", "used_amount", "expires_at"},
        "daily_costs": {"timestamp", "line_items", "name", "cost"},
    }
    return {name} | inner.get(name, set())


@given(wrong=NO_OBJECT)
@settings(max_examples=200, deadline=None)
def test_unreadable_row_of_usage_affects_no_other(wrong: object) -> None:
    """A row that is no object is left out; the rest of the day is still added up."""
    rows = [{"name": "a, input", "cost": 100}, wrong, {"name": "b", "cost": "50"}]
    result, _ = read("usage", {"daily_costs": [{"timestamp": NOW.timestamp(), "line_items": rows}]})
    assert isinstance(result, CostReport)
    assert result.cost_today == pytest.approx(1.5)
    assert result.models_this_month == {"a": 1.0, "b": 0.5}


@given(wrong=NO_AMOUNT)
@settings(max_examples=300, deadline=None)
def test_unreadable_part_of_costs_affects_no_other(wrong: Any) -> None:
    """An unreadable amount, row, bucket or project is left out; the rest is still added up."""
    amount = {"value": "1.000000000000000000000000000000000000000", "currency": "usd"}
    results = [
        {"line_item": "a, input", "amount": amount},
        {"line_item": "a, output", "amount": wrong},
        {"line_item": "a, output", "amount": {"value": wrong}},
        wrong,
        {"line_item": "b", "amount": {"value": 0.5}, "project_id": wrong},
    ]
    buckets = [{"start_time": NOW.timestamp(), "results": results}, wrong]
    result, _ = read("costs", {"data": buckets, "has_more": False})
    assert isinstance(result, CostReport)
    assert result.models_this_month == {"a": 1.0, "b": 0.5}


@example(currency="usd")
@example(currency="USD")
@given(currency=st.from_regex(r"[A-Za-z]{1,5}", fullmatch=True))
def test_costs_in_another_currency_are_refused(currency: str) -> None:
    """Costs are read in US dollars only, however that is written."""
    results = [{"line_item": "a", "amount": {"value": 1, "currency": currency}}]
    buckets = [{"start_time": NOW.timestamp(), "results": results}]
    result, _ = read("costs", {"data": buckets})
    assert (result is None) is (currency.lower() != "usd")


@given(text=st.text() | st.from_regex(r"(?:https?://)?[^\s]{0,40}(?::\d{0,7})?(?:/\S*)?"))
@settings(max_examples=400, deadline=None)
def test_any_host_is_refused_or_normalized(text: str) -> None:
    """A host is refused with the client's own error, or becomes a URL that stays the same."""
    try:
        url = base_url(text)
    except OpenAIAccountError:
        return
    assert url.scheme in {"http", "https"}
    assert url.host
    assert url.user is None
    assert base_url(str(url)) == url


# Pieces of what browsers copy, which together are anything from a key to nonsense
WORDS = (KEY, ADMIN_KEY, "sess-", "sk-admin-", "Bearer", "authorization", "value", "a=b; c=d")
MARKS = (*" \"'`^\\,;:={}[]()@", "\n", "\r\n", "\t")
PIECES = st.lists(st.text(max_size=5) | st.sampled_from(WORDS + MARKS), max_size=25).map("".join)


@pytest.mark.parametrize("kind", KeyKind)
@given(text=st.text() | PIECES)
@settings(max_examples=500, deadline=None)
def test_any_key_is_refused_or_fits_a_header(kind: KeyKind, text: str) -> None:
    """Any text is refused with the client's own error, or holds a key that fits a header."""
    try:
        key = extract_key(text, kind)
    except InvalidKeyError:
        return
    assert key
    assert key.isascii()
    assert key.isprintable()
    assert not any(char.isspace() for char in key)
    assert key in text
    assert extract_key(key, kind) == key


@pytest.mark.parametrize("kind", KeyKind)
@given(token=st.from_regex(r"[!#-&(-~]{1,4096}", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_token_of_any_form_is_a_key(kind: KeyKind, token: str) -> None:
    """A gateway's token is a key, whatever it looks like; so is one after the header's name."""
    if re.match(r"authorization:|bearer$", token, re.IGNORECASE):
        return
    assert extract_key(token, kind) == token
    assert extract_key(f" Authorization: Bearer {token}\n", kind) == token


def test_host_that_is_no_name_is_refused() -> None:
    """A character that stands for several others is no host name."""
    with pytest.raises(InvalidHostError):
        base_url("https://\u2100")


@pytest.mark.usefixtures("socket_enabled")
async def test_any_body_raises_only_own_errors() -> None:
    """Whatever the status and the body, the methods return their type or raise an own error."""

    async def request_all(examples: list[tuple[int, bytes, str]]) -> None:
        async def respond(_: web.Request) -> web.Response:
            status, body, kind = examples[turn]
            return web.Response(status=status, body=body, headers={"Content-Type": kind})

        app = web.Application()
        app.router.add_get("/{path:.*}", respond)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server(access_log=None)
        async with aiohttp.ClientSession() as session:
            url = str(server.make_url(""))
            dashboard = OpenAIAccountClient(session, url, {KeyKind.SESSION: KEY})
            documented = OpenAIAccountClient(session, url, {KeyKind.ADMIN: ADMIN_KEY})
            methods: tuple[tuple[Callable[[], Awaitable[object]], type], ...] = (
                (dashboard.credit_grants, CreditGrants),
                (dashboard.costs_of_today, CostReport),
                (dashboard.subscription, Subscription),
                (dashboard.organizations, tuple),
                (documented.costs_of_today, CostReport),
                (documented.spend_limit, SpendLimit),
            )
            for turn in range(len(examples)):  # noqa: B007 - the server reads it
                for method, kind in methods:
                    with suppress(OpenAIAccountError):
                        assert isinstance(await method(), kind)
        await server.close()

    examples: list[tuple[int, bytes, str]] = []

    @given(
        st.sampled_from([200, 200, 200, 400, 401, 403, 404, 418, 429, 500, 503]),
        st.binary(max_size=200)
        | st.dictionaries(NAMES, JSON, max_size=6).map(lambda one: json.dumps(one).encode()),
        st.sampled_from(["application/json", "text/html", "image/png"]),
    )
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def collect(status: int, body: bytes, kind: str) -> None:
        examples.append((status, body, kind))

    collect()
    await request_all(examples)
