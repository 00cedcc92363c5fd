"""OpenAI's own client judges the simulator: strictly, every endpoint of the contract.

The client is generated from OpenAI's specification. In its strict mode it raises an error
for a response that is not as the specification says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations, pairwise
import math
from typing import Any

from openai import (
    APIResponseValidationError,
    AsyncOpenAI,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
)
import pytest

from simulator import Account, LineItem, Project
from simulator.contract import USAGE
from simulator.ledger import JSON

from .common import RunningSimulator
from .const import ADMIN_KEY, NOW

DAY = 86_400
MIDNIGHT = int(NOW.replace(hour=0, minute=0).timestamp())
YEAR_AGO = MIDNIGHT - 365 * DAY
COST_DIMENSIONS = ("project_id", "line_item", "api_key_id", "api_source")
# Which other dimensions each of the contract's usage endpoints has
DIMENSIONS = {
    "completions": ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier"),
    "embeddings": ("project_id", "user_id", "api_key_id", "model"),
    "moderations": ("project_id", "user_id", "api_key_id", "model"),
    "images": ("project_id", "user_id", "api_key_id", "model", "size", "source"),
    "audio_speeches": ("project_id", "user_id", "api_key_id", "model"),
    "audio_transcriptions": ("project_id", "user_id", "api_key_id", "model"),
    "web_search_calls": ("project_id", "user_id", "api_key_id", "model", "context_level"),
    "file_search_calls": ("project_id", "user_id", "api_key_id", "vector_store_id"),
    "code_interpreter_sessions": ("project_id",),
    "vector_stores": ("project_id",),
}
COUNTS = {
    "completions": ("input_tokens", "output_tokens", "input_cached_tokens", "num_model_requests"),
    "embeddings": ("input_tokens", "num_model_requests"),
    "moderations": ("input_tokens", "num_model_requests"),
    "images": ("images", "num_model_requests"),
    "audio_speeches": ("characters", "num_model_requests"),
    "audio_transcriptions": ("seconds", "num_model_requests"),
    "web_search_calls": ("num_requests", "num_model_requests"),
    "file_search_calls": ("num_requests",),
    "code_interpreter_sessions": ("num_sessions",),
    "vector_stores": ("usage_bytes",),
}
SUMMED = sorted(set(COUNTS) - {"vector_stores"})


@pytest.fixture
async def judge(simulator: RunningSimulator) -> AsyncGenerator[Any]:
    """Return the part of OpenAI's client that is about an organization."""
    simulator.now = lambda: NOW
    async with AsyncOpenAI(
        admin_api_key=ADMIN_KEY,
        base_url=f"{simulator.url}/v1",
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client.admin.organization


async def buckets(method: Any, **query: Any) -> list[Any]:
    """Return the buckets of all pages."""
    found: list[Any] = []
    page = await method(**query)
    found += page.data
    while page.has_more:
        assert page.next_page
        page = await method(**query, page=page.next_page)
        found += page.data
    assert page.next_page is None
    starts = [bucket.start_time for bucket in found]
    assert starts == sorted(set(starts))
    assert all(one.end_time == two.start_time for one, two in pairwise(found))
    return found


def totals(found: list[Any], counts: tuple[str, ...], *by: str) -> dict[tuple[Any, ...], list[int]]:
    """Return what some rows add up to, by some of their dimensions."""
    result: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(counts))
    for bucket in found:
        for row in bucket.results:
            group = tuple(getattr(row, name) for name in by)
            for index, count in enumerate(counts):
                result[group][index] += getattr(row, count)
    return dict(result)


def groupings(dimensions: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return no dimension, each one, each two, and all."""
    pairs = [tuple(pair) for pair in combinations(dimensions, 2)]
    return [(), *((one,) for one in dimensions), *pairs, dimensions]


async def test_the_judge_is_strict(simulator: RunningSimulator, judge: Any) -> None:
    """A response that is not as the specification says is an error, not a smaller result."""
    row: JSON = {"object": "organization.usage.completions.result", "input_tokens": 1}
    bucket: JSON = {"object": "bucket", "start_time": 1, "end_time": 2, "results": [row]}
    page: JSON = {"object": "page", "data": [bucket], "has_more": False, "next_page": None}
    simulator.account.overrides["usage/completions"] = page
    with pytest.raises(APIResponseValidationError):
        await judge.usage.completions(start_time=MIDNIGHT)


# ---- Costs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("undocumented", [True, False])
async def test_costs_of_a_year(
    simulator: RunningSimulator, judge: Any, as_text: bool, undocumented: bool
) -> None:
    """By whatever they are grouped, the costs of a year are what the dashboard says."""
    account = simulator.account
    account.text_amounts = as_text
    account.undocumented_fields = undocumented
    days = [NOW.date() - timedelta(days=days) for days in range(366)]
    cents = math.fsum(account.cents(day, NOW) for day in days)
    for group_by in groupings(COST_DIMENSIONS):
        found = await buckets(
            judge.usage.costs, start_time=YEAR_AGO, group_by=list(group_by), limit=180
        )
        assert len(found) == 366
        rows = [row for bucket in found for row in bucket.results]
        assert math.fsum(row.amount.value for row in rows) == pytest.approx(cents / 100, abs=1e-6)
        for row in rows:
            assert row.amount.currency == "usd"
            for dimension in (*COST_DIMENSIONS, "user_id"):
                if dimension not in group_by:
                    assert getattr(row, dimension) is None
            assert (row.quantity is None) is ("line_item" not in group_by)
            assert hasattr(row, "organization_id") is undocumented
        for bucket in found:
            keys = [tuple(getattr(row, name) for name in group_by) for row in bucket.results]
            assert len(keys) == len(set(keys))


async def test_costs_and_dashboard(simulator: RunningSimulator, judge: Any) -> None:
    """Each line item and project costs the same at either source, on every day."""
    first = NOW.date() - timedelta(days=30)
    usage: Any = simulator.account.usage(first, NOW.date() + timedelta(days=1), NOW)
    cents = {
        (int(day["timestamp"]), item["name"], item["project_id"]): item["cost"]
        for day in usage["daily_costs"]
        for item in day["line_items"]
    }
    found = await buckets(
        judge.usage.costs, start_time=MIDNIGHT - 30 * DAY, group_by=["line_item", "project_id"]
    )
    dollars = {
        (bucket.start_time, row.line_item, row.project_id): row.amount.value
        for bucket in found
        for row in bucket.results
    }
    assert dollars == pytest.approx({key: value / 100 for key, value in cents.items()}, abs=1e-9)
    assert {name for _, name, _ in dollars} >= {"gpt-5.5, input", "web search tool calls"}


async def test_quantities(simulator: RunningSimulator, judge: Any) -> None:
    """What costs were charged for is what usage counts, by key and model."""
    units = {
        "completions": ("output_tokens", "gpt-5.5, output", "gpt-5.5-2026-03-01"),
        "embeddings": ("input_tokens", "text-embedding-3-large", "text-embedding-3-large"),
        "images": ("images", "gpt-image-2, output", "gpt-image-2"),
        "audio_speeches": ("characters", "tts-1", "tts-1"),
        "audio_transcriptions": ("seconds", "whisper-1", "whisper-1"),
        "web_search_calls": ("num_requests", "web search tool calls", "gpt-5-mini"),
    }
    start = MIDNIGHT - 9 * DAY
    for endpoint, (count, line_item, model) in units.items():
        charged = await buckets(
            judge.usage.costs,
            start_time=start,
            group_by=["line_item", "api_key_id"],
            line_items=[line_item],
        )
        quantities: defaultdict[str, float] = defaultdict(float)
        for bucket in charged:
            for row in bucket.results:
                assert row.line_item == line_item
                quantities[row.api_key_id] += row.quantity
        used = await buckets(
            getattr(judge.usage, endpoint),
            start_time=start,
            group_by=["model", "api_key_id"],
            models=[model],
        )
        counted = totals(used, (count,), "api_key_id")
        assert counted
        assert {key: [value] for (key,), [value] in counted.items()} == {
            key: [value] for key, value in quantities.items()
        }


async def test_cost_filters(simulator: RunningSimulator, judge: Any) -> None:
    """Filters let through what they name, exactly."""
    everything = await buckets(
        judge.usage.costs,
        start_time=MIDNIGHT - 6 * DAY,
        group_by=["project_id", "api_key_id", "line_item"],
    )
    rows = [row for bucket in everything for row in bucket.results]
    for parameter, dimension, value in (
        ("project_ids", "project_id", "proj_voice"),
        ("api_key_ids", "api_key_id", "key_SimulatedLaptop01"),
        ("line_items", "line_item", "gpt-5.5, output"),
    ):
        found = await buckets(
            judge.usage.costs, start_time=MIDNIGHT - 6 * DAY, **{parameter: [value]}
        )
        expected = [row.amount.value for row in rows if getattr(row, dimension) == value]
        assert len(expected) < len(rows)
        assert math.fsum(
            row.amount.value for bucket in found for row in bucket.results
        ) == pytest.approx(math.fsum(expected), abs=1e-9)
    nothing = await buckets(judge.usage.costs, start_time=MIDNIGHT, line_items=["gpt-5.5"])
    assert [bucket.results for bucket in nothing] == [[]]


async def test_costs_of_users(simulator: RunningSimulator, judge: Any) -> None:
    """Users can be told apart; together with projects only where the organization can."""
    found = await buckets(judge.usage.costs, start_time=MIDNIGHT, group_by=["user_id"])
    users = {row.user_id for row in found[0].results}
    assert users == {"user-SimulatedExample01", "user-SimulatedBot01", None}
    for query in ({"group_by": ["user_id", "project_id"]}, {"project_ids": ["proj_voice"]}):
        with pytest.raises(BadRequestError, match="not supported here"):
            await judge.usage.costs(start_time=MIDNIGHT, **{"group_by": ["user_id"], **query})
    simulator.account.users_with_projects = True
    await judge.usage.costs(start_time=MIDNIGHT, group_by=["user_id", "project_id"])


# ---- Usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", COUNTS)
async def test_usage_groupings(simulator: RunningSimulator, judge: Any, endpoint: str) -> None:
    """A row holds the dimensions that were asked for, and rows add up to the same."""
    method = getattr(judge.usage, endpoint)
    counts, dimensions = COUNTS[endpoint], DIMENSIONS[endpoint]
    if endpoint in ("completions", "web_search_calls"):
        dimensions = (*dimensions, "api_source")
    assert set(dimensions) == set(USAGE[endpoint].dimensions)
    start = MIDNIGHT - 6 * DAY
    whole = totals(await buckets(method, start_time=start), counts)
    assert all(value > 0 for value in whole[()])
    for group_by in groupings(dimensions):
        found = await buckets(method, start_time=start, group_by=list(group_by))
        assert totals(found, counts) == whole
        for bucket in found:
            keys = [tuple(getattr(row, name) for name in group_by) for row in bucket.results]
            assert len(keys) == len(set(keys))
            assert all(value is not None for key in keys for value in key)
            for row in bucket.results:
                assert all(getattr(row, one) is None for one in set(dimensions) - set(group_by))


@pytest.mark.parametrize("endpoint", SUMMED)
async def test_usage_widths(simulator: RunningSimulator, judge: Any, endpoint: str) -> None:
    """Minutes and hours add up to the days, whatever the limit of a page."""
    method = getattr(judge.usage, endpoint)
    counts = COUNTS[endpoint]
    by = () if endpoint == "code_interpreter_sessions" else ("api_key_id",)
    query: dict[str, Any] = {"start_time": MIDNIGHT - 2 * DAY, "group_by": list(by)}
    days = await buckets(method, **query)
    assert len(days) == 3
    hours = await buckets(method, **query, bucket_width="1h", limit=168)
    assert len(hours) == 2 * 24 + 16
    assert totals(hours, counts, *by) == totals(days, counts, *by)
    assert await buckets(method, **query, bucket_width="1h") == hours
    minutes = await buckets(method, **query, bucket_width="1m", limit=1440)
    assert len(minutes) == (2 * 24 + 15) * 60 + 31
    assert totals(minutes, counts, *by) == totals(days, counts, *by)


@pytest.mark.parametrize("endpoint", COUNTS)
async def test_usage_of_a_year(simulator: RunningSimulator, judge: Any, endpoint: str) -> None:
    """All pages of a year, 31 days each, or the 7 that are the default."""
    method = getattr(judge.usage, endpoint)
    year = await buckets(method, start_time=YEAR_AGO, limit=31)
    assert len(year) == 366
    assert sum(bool(bucket.results) for bucket in year) > 180
    before = len(simulator.requests)
    assert await buckets(method, start_time=YEAR_AGO, end_time=MIDNIGHT + DAY) == year
    assert len(simulator.requests) - before == math.ceil(366 / 7)


async def test_usage_filters(simulator: RunningSimulator, judge: Any) -> None:
    """Filters of every endpoint let through what they name."""
    for endpoint, spec in USAGE.items():
        method = getattr(judge.usage, endpoint)
        start = MIDNIGHT - 6 * DAY
        for parameter, dimension in spec.filters.items():
            found = await buckets(method, start_time=start, group_by=[dimension])
            by_value = totals(found, COUNTS[endpoint], dimension)
            for (value,), counts in by_value.items():
                wanted = value if parameter == "batch" else [value]
                only = await buckets(method, start_time=start, **{parameter: wanted})
                assert totals(only, COUNTS[endpoint]) == {(): counts}
            if parameter != "batch" and not spec.choices.get(parameter):
                none = await buckets(method, start_time=start, **{parameter: ["nobody"]})
                assert totals(none, COUNTS[endpoint]) == {}


async def test_a_page_starts_anywhere(simulator: RunningSimulator, judge: Any) -> None:
    """The first bucket starts when it was asked to, the others at whole hours."""
    start = MIDNIGHT + 600
    page = await judge.usage.completions(start_time=start, bucket_width="1h")
    assert page.data[0].start_time == start
    assert page.data[0].end_time == MIDNIGHT + 3600
    assert len(page.data) == 16
    ends = await judge.usage.completions(
        start_time=start, end_time=start + 1800, bucket_width="1m", limit=1440
    )
    assert len(ends.data) == 30
    future = await judge.usage.completions(start_time=MIDNIGHT + 2 * DAY)
    assert future.data == []
    assert not future.has_more


async def test_input_parts(simulator: RunningSimulator, judge: Any) -> None:
    """Input includes what was cached, as OpenAI counts."""
    [bucket] = (await judge.usage.completions(start_time=MIDNIGHT)).data
    [row] = bucket.results
    assert row.input_cached_tokens > 0
    assert row.input_tokens == row.input_uncached_tokens + row.input_cached_tokens
    assert row.output_tokens == row.output_text_tokens


async def test_a_ledger_of_ones_own(simulator: RunningSimulator, judge: Any) -> None:
    """Costs and usage of a ledger come from the same line items."""
    simulator.account = Account(
        ledger={
            NOW.date(): [
                LineItem("o3, input", 20.0, api_key_id="key_a", quantity=1000, requests=4, hour=3),
                LineItem("o3, cached input", 1.0, api_key_id="key_a", quantity=500, hour=3),
                LineItem("o3, output", 30.0, api_key_id="key_a", quantity=200, requests=5, hour=3),
                LineItem("o3, output", 9.0, "proj_b", "Barn", "key_b", quantity=77, hour=14),
                LineItem("refund", -5.0, None, None),
            ],
            NOW.date() + timedelta(days=1): [LineItem("o3, input", 99.0)],
        }
    )
    hours = await buckets(
        judge.usage.completions,
        start_time=MIDNIGHT,
        bucket_width="1h",
        group_by=["api_key_id", "model"],
    )
    counts = ("input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests")
    by_hour = [totals([bucket], counts, "api_key_id") for bucket in hours]
    assert by_hour[3] == {("key_a",): [1500, 500, 200, 5]}
    assert by_hour[14] == {("key_b",): [0, 0, 77, 1]}
    assert not any(by_hour[:3] + by_hour[4:14] + by_hour[15:])
    [day] = (await judge.usage.costs(start_time=MIDNIGHT, group_by=["api_key_id"])).data
    costs = {row.api_key_id: row.amount.value for row in day.results}
    assert costs == pytest.approx({"key_a": 0.51, "key_b": 0.09, None: -0.05})
    assert {one.id async for one in judge.projects.list()} == {
        *("proj_default", "proj_voice", "proj_b")
    }


# ---- The organization ---------------------------------------------------------------------------


async def test_projects_and_keys(simulator: RunningSimulator, judge: Any) -> None:
    """Projects and keys in pages, each with the name that its id has in costs and usage."""
    projects = [one async for one in judge.projects.list(limit=1)]
    assert {one.id for one in projects} == {"proj_default", "proj_voice"}
    everything = [one async for one in judge.projects.list(include_archived=True, limit=2)]
    assert {one.id for one in everything} == {"proj_default", "proj_voice", "proj_trial"}
    assert min(everything, key=lambda one: one.created_at).id == "proj_default"
    assert {one.status for one in everything} == {"active", "archived"}
    keys = {
        key.id: project.id
        for project in projects
        async for key in judge.projects.api_keys.list(project.id, limit=1)
    }
    assert len(keys) == 3
    [bucket] = (
        await judge.usage.completions(start_time=MIDNIGHT, group_by=["api_key_id", "project_id"])
    ).data
    assert {row.api_key_id: row.project_id for row in bucket.results} == keys
    inactive = judge.projects.api_keys.list("proj_voice", owner_project_access="inactive")
    assert [one async for one in inactive] == []
    with pytest.raises(NotFoundError):
        await judge.projects.api_keys.list("proj_nothing")
    with pytest.raises(BadRequestError, match="after"):
        await judge.projects.list(after="proj_nothing")

    simulator.account.projects = [
        Project(f"proj_{index:03}", f"Project {index}", index) for index in range(250)
    ]
    many = [one.id async for one in judge.projects.list(limit=100)]
    assert len(many) == len(set(many)) == 250
    assert len([one async for one in judge.projects.list()]) == 250


async def test_spend_limits(simulator: RunningSimulator, judge: Any) -> None:
    """A limit is enforced once the costs of the month have reached it."""
    account = simulator.account
    spent = account.cost_this_month(NOW)
    limit = await judge.spend_limit.retrieve()
    assert (limit.threshold_amount, limit.enforcement.status) == (15_000, "inactive")
    account.spend_limit_cents = math.floor(spent)
    assert (await judge.spend_limit.retrieve()).enforcement.status == "enforcing"
    account.spend_limit_cents = None
    with pytest.raises(NotFoundError):
        await judge.spend_limit.retrieve()

    voice = await judge.projects.spend_limit.retrieve("proj_voice")
    assert (voice.threshold_amount, voice.enforcement.status) == (6_000, "inactive")
    with pytest.raises(NotFoundError):
        await judge.projects.spend_limit.retrieve("proj_default")


async def test_admin_keys(simulator: RunningSimulator, judge: Any) -> None:
    """An admin key can be told by its end, and says when it expires."""
    [key] = [one async for one in judge.admin_api_keys.list()]
    assert key.redacted_value.endswith(ADMIN_KEY[-4:])
    assert ADMIN_KEY not in key.redacted_value
    assert key.expires_at is None
    simulator.account.admin_keys_expire_at = datetime(2026, 12, 1, tzinfo=UTC)
    [key] = [one async for one in judge.admin_api_keys.list(order="desc", limit=5)]
    assert key.expires_at == int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
    simulator.fault("admin_api_keys", "no_permission")
    with pytest.raises(PermissionDeniedError):
        await judge.admin_api_keys.list()


async def test_amounts_have_no_noise(simulator: RunningSimulator, judge: Any) -> None:
    """An amount as text has all of its digits, and is the number that the other form has."""
    query = {"start_time": MIDNIGHT - 3 * DAY, "group_by": ["line_item", "api_key_id"]}
    numbers = []
    for as_text in (True, False):
        simulator.account.text_amounts = as_text
        found = await buckets(judge.usage.costs, **query)
        numbers.append([row.amount.value for bucket in found for row in bucket.results])
    assert numbers[0] == numbers[1]
    assert all(Decimal(str(value)) == round(Decimal(str(value)), 10) for value in numbers[0])


async def test_many_models_and_keys(simulator: RunningSimulator, judge: Any) -> None:
    """A generated account has as many models and keys as it was told to have."""
    simulator.account = Account.generated(30, 5)
    group_by = ["model", "api_key_id"]
    found = await buckets(judge.usage.completions, start_time=MIDNIGHT - 9 * DAY, group_by=group_by)
    rows = totals(found, ("num_model_requests",), *group_by)
    assert len(rows) == 30
    assert len({key for _, key in rows}) == 5
    simulator.account = Account.generated(30, 5, shared=True)
    found = await buckets(judge.usage.completions, start_time=MIDNIGHT - 9 * DAY, group_by=group_by)
    assert len(totals(found, ("num_model_requests",), *group_by)) == 150
    keys = {
        key.id
        async for project in judge.projects.list()
        async for key in judge.projects.api_keys.list(project.id)
    }
    assert len(keys) == 5
