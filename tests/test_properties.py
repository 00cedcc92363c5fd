"""Whatever a server answers: no error but the client's own, no wrong type, no other field hit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, date, datetime
import json
import math
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings, strategies as st
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
    clean_key,
)
from custom_components.openai_account.api.parsing import JsonObject, number

from .const import KEY, NOW

FIXTURES = Path(__file__).parent / "fixtures"
START = date(2026, 11, 1)

EDGES = st.sampled_from(
    [
        *(0, -0.0, 1e-320, 1e15, 1.0000001e15, 1e308, 2**63, 2**64, -(2**63), 10**400, 5e-324),
        *("NaN", "inf", "-Infinity", "1e999", "0x10", "1_0", "١٢", " 7 ", "0E-6176", "1" * 500),
        *("2026-11-31", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00"),
        *("\ud800", "\x00"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | EDGES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
READERS: dict[str, Callable[[JsonObject], object]] = {
    "credit_grants": lambda data: CreditGrants.read(data, NOW),
    "usage": lambda data: CostReport.read(data, START, NOW.date()),
    "subscription": Subscription.read,
    "me": Organization.read_all,
    "costs": lambda data: CostReport.read_pages([data], START, NOW.date()),
    "spend_limit": SpendLimit.read,
}


def check(result: object) -> None:
    """Hold every value of a result to its type."""
    if isinstance(result, tuple):
        assert all(isinstance(one, Organization) for one in result)
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
            assert math.isfinite(value)
        elif isinstance(value, bool):
            assert "bool" in str(field.type)
        elif isinstance(value, str):
            assert "str" in str(field.type)
            assert value.isprintable()
            assert value == value.strip() != ""
        elif isinstance(value, datetime):
            assert "datetime" in str(field.type)
            assert value.tzinfo is UTC
        else:
            assert value is None or field.name == "reported"


def read(endpoint: str, data: dict[str, Any]) -> tuple[object, list[str]]:
    """Return what a reader makes of an answer, and the fields that it complained of."""
    unreadable: list[str] = []
    try:
        result = READERS[endpoint](JsonObject(data, unreadable.append))
    except InvalidResponseError:
        return None, unreadable
    check(result)
    return result, unreadable


@pytest.mark.parametrize("endpoint", READERS)
@given(data=st.dictionaries(st.text(), JSON, max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_object(endpoint: str, data: dict[str, Any]) -> None:
    read(endpoint, data)


def known(endpoint: str) -> list[dict[str, Any]]:
    """Return all fixtures of an endpoint."""
    return [json.loads(path.read_text()) for path in sorted((FIXTURES / endpoint).glob("*.json"))]


@pytest.mark.parametrize("endpoint", ["credit_grants", "usage", "subscription"])
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_value_of_a_field(endpoint: str, data: st.DataObject) -> None:
    """One wrong field costs itself, and the others stay what they were."""
    shape = data.draw(st.sampled_from(known(endpoint)))
    name = data.draw(st.sampled_from(sorted(shape)))
    before, complaints = read(endpoint, shape)
    after, unreadable = read(endpoint, shape | {name: data.draw(JSON)})
    assert set(unreadable) - set(complaints) <= _inside(name)
    if isinstance(before, CreditGrants | Subscription) and type(after) is type(before):
        hit = {name, *({"plan_id"} if name == "plan" else ())}
        hit |= {"next_grant_expiry"} if name == "grants" else set()
        hit |= {"unlimited"} if name == "hard_limit_usd" else set()
        for field in fields(before):
            if field.name not in hit:
                assert getattr(after, field.name) == getattr(before, field.name)


def _inside(name: str) -> set[str]:
    """Return the names that can be complained of where one field is wrong."""
    inner = {
        "plan": {"title", "id"},
        "grants": {"data", "grant_amount", "used_amount", "expires_at"},
        "daily_costs": {"timestamp", "line_items", "name", "cost"},
    }
    return {name} | inner.get(name, set())


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_value_deep_inside_costs(data: st.DataObject) -> None:
    """A wrong row costs itself; the rest of the day is still added up."""
    wrong = data.draw(JSON)
    rows = [{"name": "a, input", "cost": 100}, wrong, {"name": "b", "cost": "50"}]
    result, _ = read("usage", {"daily_costs": [{"timestamp": NOW.timestamp(), "line_items": rows}]})
    assert isinstance(result, CostReport)
    expected = 1.5
    if isinstance(wrong, dict) and wrong:
        return
    assert result.cost_today == pytest.approx(expected)
    assert result.models_this_month == {"a": 1.0, "b": 0.5}


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_value_deep_inside_official_costs(data: st.DataObject) -> None:
    """A wrong row, amount or bucket costs itself; only other money makes the answer an error."""
    wrong = data.draw(JSON)
    amount = {"value": "1.000000000000000000000000000000000000000", "currency": "usd"}
    other = data.draw(JSON)
    results = [
        {"line_item": "a, input", "amount": amount},
        {"line_item": "a, output", "amount": other},
        {"line_item": "a, output", "amount": {"value": wrong}},
        wrong,
        {"line_item": "b", "amount": {"value": 0.5}, "project_id": wrong},
    ]
    buckets = [{"start_time": NOW.timestamp(), "results": results}, wrong]
    result, _ = read("costs", {"data": buckets, "has_more": False})
    if isinstance(result, CostReport) and not _holds_money(wrong, other):
        assert result.models_this_month["a"] == 1.0
        assert result.models_this_month["b"] == 0.5


def _holds_money(*values: object) -> bool:
    """Return whether some value can be read as an amount, or a row or bucket of its own."""
    return any(isinstance(one, dict) and one for one in values) or any(
        number(one) for one in values if isinstance(one, str | int | float)
    )


@given(text=st.text() | st.from_regex(r"(?:https?://)?[^\s]{0,40}(?::\d{0,7})?(?:/\S*)?"))
@settings(max_examples=400, deadline=None)
def test_any_host(text: str) -> None:
    """A host is refused by the client's own errors, or it can be asked."""
    try:
        url = base_url(text)
    except OpenAIAccountError:
        return
    assert url.scheme in {"http", "https"}
    assert url.host
    assert url.user is None
    assert base_url(str(url)) == url


@given(text=st.text())
@settings(max_examples=300, deadline=None)
def test_any_key(text: str) -> None:
    """A key is refused, or it fits into a header."""
    try:
        key = clean_key(text)
    except InvalidKeyError:
        return
    assert key
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key


def test_host_error() -> None:
    """What is refused is refused by kind."""
    with pytest.raises(InvalidHostError):
        base_url("https://\u2100")


@pytest.mark.usefixtures("socket_enabled")
async def test_any_body() -> None:
    """Whatever bytes come with whatever status, only the client's own errors come out."""

    async def ask(examples: list[tuple[int, bytes, str]]) -> None:
        async def answer(_: web.Request) -> web.Response:
            status, body, kind = examples[turn]
            return web.Response(status=status, body=body, headers={"Content-Type": kind})

        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server(access_log=None)
        async with aiohttp.ClientSession() as session:
            client = OpenAIAccountClient(session, str(server.make_url("")), {KeyKind.SESSION: KEY})
            for turn in range(len(examples)):  # noqa: B007 - the server reads it
                for method in (
                    client.credit_grants,
                    client.costs,
                    client.subscription,
                    client.organizations,
                ):
                    with suppress(OpenAIAccountError):
                        check_type(await method())
        await server.close()

    def check_type(result: object) -> None:
        assert isinstance(result, CreditGrants | CostReport | Subscription | tuple)

    examples: list[tuple[int, bytes, str]] = []

    @given(
        st.sampled_from([200, 200, 200, 400, 401, 403, 404, 418, 429, 500, 503]),
        st.binary(max_size=200) | JSON.map(lambda one: json.dumps(one).encode()),
        st.sampled_from(["application/json", "text/html", "image/png"]),
    )
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def collect(status: int, body: bytes, kind: str) -> None:
        examples.append((status, body, kind))

    collect()
    await ask(examples)
