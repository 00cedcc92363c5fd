"""The client's readers at their bounds: addresses, keys, responses, and the limits of a fetch."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from custom_components.openai_account.api import (
    CostReport,
    CreditGrants,
    DayCosts,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    Organization,
    RateLimitedError,
    SpendLimit,
    ZonedHostError,
    base_url,
    extract_key,
    time_limit,
)
from custom_components.openai_account.api.limits import count_bytes, limited
from custom_components.openai_account.api.organization import AdminKey, expiry_of
from custom_components.openai_account.api.parsing import JsonObject

START = date(2026, 11, 1)
TODAY = date(2026, 11, 10)
NOW = datetime(2026, 11, 10, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
MEBIBYTE = 1024 * 1024
PASTED = "Authorization: Bearer abcdef\n"


def read(**data: Any) -> JsonObject:
    """Return a response whose fields can all be read."""

    def unreadable(name: str) -> None:
        raise AssertionError(name)

    return JsonObject(data, unreadable)


def host_of(length: int) -> str:
    """Return a host name of so many characters, whose labels are as long as they may be."""
    label = "a" * 63
    return f"{label}.{label}.{label}.{'b' * (length - 192)}"


@pytest.mark.parametrize(
    "host", [host_of(253), "example.com/" + "a" * 1988, "example.com:1", "example.com:65535"]
)
def test_host_within_the_bounds(host: str) -> None:
    """A long name, a long path and every port are acceptable."""
    assert str(base_url(host)) == f"https://{host}"


@pytest.mark.parametrize(
    "host",
    [
        "",
        host_of(254),
        "example.com/" + "a" * 1989,
        "example.com:0",
        "example.com:65536",
        "example.com/a\x7fb",
        "example.com/a\nb",
        "ftp://example.com",
        "https://user@example.com",
        "https://:password@example.com",
        "example.com?a=b",
        "example.com#a",
        "example.com/a/..b",
    ],
)
def test_host_outside_the_bounds(host: str) -> None:
    """What is longer, or holds more than a host, a port and a path, is not acceptable."""
    with pytest.raises(InvalidHostError) as caught:
        base_url(host)
    assert type(caught.value) is InvalidHostError


@pytest.mark.parametrize("host", ["fe80::1%eth0", "http://[fe80::1%25eth0]:3000"])
def test_address_with_a_zone(host: str) -> None:
    """An address with a zone has an error of its own."""
    with pytest.raises(ZonedHostError):
        base_url(host)


@pytest.mark.parametrize(
    "text",
    [
        "abcdef",
        '"abcdef"',
        "'abcdef'",
        '" abcdef "',
        '"Bearer abcdef"',
        "Authorization: Bearer abcdef",
        "Bearer Bearer abcdef",
        PASTED + "-" * (500_000 - len(PASTED)),
    ],
)
def test_key_in_a_text(text: str) -> None:
    """A key of any form is found in quotation marks, in a header, and in a very long text."""
    assert extract_key(text, KeyKind.SESSION) == "abcdef"


def test_key_of_its_own_form() -> None:
    """A session key is preferred to what follows `Bearer`."""
    assert extract_key("Bearer abcdef\nsess-123456", KeyKind.SESSION) == "sess-123456"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"',
        '""',
        "\"abcdef'",
        'abcdef"',
        '"abcdef',
        "xabcdefx abc",
        "Bearer",
        "xbearer abcdef",
        "curl -H 'Authorization: Bearer Bearer'",
        "curl -H 'Authorization: Bearer Host:'",
        PASTED + "-" * (500_001 - len(PASTED)),
    ],
)
def test_no_key_in_a_text(text: str) -> None:
    """Nothing else is taken for a key, and a text that is too long is not searched."""
    with pytest.raises(InvalidKeyError):
        extract_key(text, KeyKind.SESSION)


async def test_bytes_add_up() -> None:
    """All responses of a fetch together may have 64 MiB, and the next fetch as many again."""
    with time_limit(60):
        count_bytes(60 * MEBIBYTE)
        count_bytes(4 * MEBIBYTE)
        with pytest.raises(InvalidResponseError):
            count_bytes(1)
    count_bytes(65 * MEBIBYTE)
    with time_limit(60):
        count_bytes(64 * MEBIBYTE)


@pytest.mark.parametrize(("outer", "seconds"), [(None, 60), (10, 10), (100, 60)])
async def test_seconds_of_a_fetch(
    monkeypatch: pytest.MonkeyPatch, outer: float | None, seconds: float
) -> None:
    """A fetch may take a minute, or what is left of the time that several have together."""
    ends: list[float | None] = []
    timeout_at = asyncio.timeout_at

    def spy(when: float | None) -> asyncio.Timeout:
        ends.append(when)
        return timeout_at(when)

    @limited
    async def fetch() -> None:
        count_bytes(64 * MEBIBYTE)

    monkeypatch.setattr(asyncio, "timeout_at", spy)
    if outer is None:
        # Each has its own bytes.
        await fetch()
        await fetch()
    else:
        with time_limit(outer):
            await fetch()
    now = asyncio.get_running_loop().time()
    assert ends == [pytest.approx(now + seconds, abs=0.5)] * len(ends)
    assert ends


def test_expiries_that_are_kept() -> None:
    """The next thousand expiries are kept, the first of them being the next."""
    expiries = tuple(NOW + timedelta(hours=hour) for hour in range(1200))
    grants = CreditGrants(expiries=expiries).at(NOW + timedelta(hours=1))
    assert grants.expiries == expiries[2:1002]
    assert grants.next_grant_expiry == expiries[2]
    assert CreditGrants().next_grant_expiry is None


@pytest.mark.parametrize(
    ("grant", "is_left"),
    [
        ({}, True),
        ({"used_amount": 5}, True),
        ({"grant_amount": 5}, True),
        ({"grant_amount": 0.5}, True),
        ({"grant_amount": 0}, False),
        ({"grant_amount": 5, "used_amount": 4.99}, True),
        ({"grant_amount": 5, "used_amount": 5}, False),
        ({"grant_amount": 5, "used_amount": 6}, False),
    ],
)
def test_grant_with_money_left(grant: dict[str, Any], is_left: bool) -> None:
    """A grant expires unless it is used up; no used amount is none."""
    data = read(grants={"data": [{**grant, "expires_at": NOW.timestamp()}]})
    assert CreditGrants.read(data).expiries == ((NOW,) if is_left else ())


@pytest.mark.parametrize(
    ("total", "complete"), [(None, True), (0, True), (-1, False), (1, False), (100, False)]
)
def test_total_without_days(total: int | None, complete: bool) -> None:
    """No days at all are days without costs, unless there is a total that they lack."""
    report = CostReport.read(read(daily_costs=[], total_usage=total), START, TODAY)
    assert (report.complete, report.days, report.lifetime) == (complete, {}, None)


def bucket(day: date | None, **row: Any) -> dict[str, Any]:
    """Return a day of the documented costs with one row of a dollar."""
    start = day and datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return {"start_time": start, "results": [{"amount": {"value": 1}, **row}]}


def test_days_of_documented_costs() -> None:
    """Only requested days count; a day that is not named is none of them."""
    days = (None, START - timedelta(days=1), START, TODAY, TODAY + timedelta(days=1))
    data = read(data=[bucket(day) for day in days])
    report = CostReport.read_official(data, START, TODAY)
    assert {day: costs.cost for day, costs in report.days.items()} == {START: 1, TODAY: 1}


@pytest.mark.parametrize(
    ("line_item", "model"),
    [(None, "unknown"), ("", "unknown"), (" , input", "unknown"), ("o3, input", "o3")],
)
def test_model_of_a_row(line_item: str | None, model: str) -> None:
    """A row is of the model that its line item begins with, or of an unknown one."""
    data = read(data=[bucket(START, line_item=line_item)])
    assert CostReport.read_official(data, START, TODAY).days[START].models == {model: 1}


# Of what each item of the list is, as the dashboard's endpoint and the documented one have it
ROW: dict[str, Any] = {"name": "o3", "line_item": "o3", "cost": 100, "amount": {"value": 1}}
UNREADABLE: dict[str, Any] = {
    "no object": "a",
    "no time": {"line_items": [ROW], "results": [ROW]},
    "time as a text": {"timestamp": "x", "start_time": "x", "line_items": [ROW], "results": [ROW]},
    "no rows": {},
    "rows that are no list": {"line_items": {"a": 1}, "results": {"a": 1}},
    "an amount as a text": {
        "line_items": [{**ROW, "cost": "$1.00"}],
        "results": [{**ROW, "amount": {"value": "$1.00"}}],
    },
    "no amount": {"line_items": [{"name": "o3"}], "results": [{"line_item": "o3"}]},
}


@pytest.mark.parametrize("one", UNREADABLE)
@pytest.mark.parametrize("kind", KeyKind)
def test_nothing_can_be_read(one: str, kind: KeyKind) -> None:
    """Days of which nothing can be read are no days without costs; others are not lost to them."""
    seconds = datetime(START.year, START.month, START.day, tzinfo=UTC).timestamp()
    times = {"timestamp": seconds, "start_time": seconds}
    odd = UNREADABLE[one]
    if isinstance(odd, dict) and "time" not in one:
        odd = {**times, **odd}
    good = {**times, "line_items": [ROW], "results": [ROW]}
    empty = {**times, "line_items": [], "results": []}
    reader = CostReport.read if kind is KeyKind.SESSION else CostReport.read_official

    def report(*days: Any) -> CostReport:
        data: dict[str, Any] = {"daily_costs": [*days], "data": [*days]}
        return reader(JsonObject(data, lambda _: None), START, TODAY)

    for days in ((odd,), (odd, empty)):
        with pytest.raises(InvalidResponseError):
            report(*days)
    assert report(odd, good).cost_of(START) == report(good, odd).cost_of(START) == 1
    assert report(empty).days == {}


def test_cost_of_last_month() -> None:
    """A month's first day belongs to that month alone."""
    days = (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), START)
    costs = {day: DayCosts(10.0**number) for number, day in enumerate(days)}
    report = CostReport(start=days[0], today=TODAY, days=costs)
    assert report.cost_last_month == 110
    assert report.cost_this_month == 1000
    assert CostReport(start=days[1], today=TODAY, days=costs).cost_last_month == 110
    assert CostReport(start=days[2], today=TODAY, days=costs).cost_last_month is None


def test_project_of_a_key() -> None:
    """The project of a key is known where a row has both, whether it costs anything or not."""
    rows = [
        bucket(START, project_id="proj_a", api_key_id="key_a", amount={"value": 0}),
        bucket(START, project_id="proj_b"),
        bucket(START, api_key_id="key_c"),
    ]
    report = CostReport.read_official(read(data=rows), START, TODAY)
    assert report.key_projects == {"key_a": "proj_a"}


@pytest.mark.parametrize(
    ("today", "forecast"), [(0.0, 28.0), (1.0, 28.0), (1.5, 28.5), (4.0, 31.0)]
)
def test_forecast_of_an_expensive_day(today: float, forecast: float) -> None:
    """Today counts as an average day until it costs more."""
    costs = {START + timedelta(days=day): DayCosts(1.0) for day in range(2, 9)}
    report = CostReport(start=START, today=TODAY, days={**costs, TODAY: DayCosts(today)})
    # 7 days so far, today, and 20 to come
    assert report.forecast_this_month == pytest.approx(forecast)


@pytest.mark.parametrize("currency", ["usd", "USD", "", None])
def test_amounts_in_dollars(currency: str | None) -> None:
    """No currency is the US dollar, whatever its case."""
    limit = SpendLimit.read(read(threshold_amount=5000, currency=currency))
    assert limit == SpendLimit(amount=50.0)
    rows = [bucket(START, amount={"value": 2, "currency": currency})]
    assert CostReport.read_official(read(data=rows), START, TODAY).cost_of(START) == 2


def test_amounts_in_another_currency() -> None:
    """An amount in another currency is no amount."""
    with pytest.raises(InvalidResponseError):
        SpendLimit.read(read(threshold_amount=5000, currency="eur"))
    rows = [bucket(START, amount={"value": 2, "currency": "eur"})]
    with pytest.raises(InvalidResponseError):
        CostReport.read_official(read(data=rows), START, TODAY)


def test_default_organization() -> None:
    """The default organization comes first; one that does not say is not it."""
    rows = [{"id": "org-a"}, {"id": "org-b", "is_default": True}, {"title": "No id"}]
    found = Organization.read_all(read(orgs={"data": rows}))
    assert found == (Organization("org-b", None, is_default=True), Organization("org-a"))
    assert not found[1].is_default


@pytest.mark.parametrize(
    ("redacted", "is_known"),
    [
        ("sk-admin-ab...xyz", True),
        ("sk-admin-ab**********wxyz", True),
        ("sk-admin-ab…xyz", True),
        ("sk-admin-ab...yz", False),
        ("sk-admin-ab...", False),
        ("sk-admin-ac...xyz", False),
        ("sk-admin-ab...xyy", False),
        ("sk-admin-ab...wx...xyz", False),
        ("sk-admin-abcdefuvwxyz", False),
        ("", False),
    ],
)
def test_redacted_key(redacted: str, is_known: bool) -> None:
    """A key is known by its visible beginning and by three characters or more at its end."""
    expiry = expiry_of("sk-admin-abcdefuvwxyz", [AdminKey(NOW, redacted), AdminKey(EARLIER, "")])
    assert expiry == (NOW if is_known else None)


def test_several_keys_that_fit() -> None:
    """Keys that look the same say when one expires only if they agree."""
    redacted = "sk-admin-ab...xyz"
    key = "sk-admin-abcdefuvwxyz"
    assert expiry_of(key, [AdminKey(NOW, redacted), AdminKey(NOW, redacted)]) == NOW
    assert expiry_of(key, [AdminKey(NOW, redacted), AdminKey(EARLIER, redacted)]) is None


def test_text_of_an_error() -> None:
    """How long a host asks to wait is not part of the error's text."""
    error = RateLimitedError("Too many requests", 5.0)
    assert (str(error), error.retry_after) == ("Too many requests", 5.0)
    assert RateLimitedError("Too many requests").retry_after is None
