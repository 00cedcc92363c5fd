"""What the simulator refuses: whatever the contract does not know is a 400 with a JSON error."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from .common import RunningSimulator
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_ADMIN_KEY, OTHER_KEY

MIDNIGHT = int(NOW.replace(hour=0, minute=0).timestamp())
START = f"start_time={MIDNIGHT}"
DAYS = "start_date=2026-11-01&end_date=2026-11-25"

# By what is wrong: the path, and the parameter that the error is about
WRONG = {
    "no start_time": ("organization/costs", "start_time"),
    "start_time is no number": ("organization/costs?start_time=today", "start_time"),
    "start_time has decimals": ("organization/costs?start_time=1.5", "start_time"),
    "start_time is negative": ("organization/costs?start_time=-1", "start_time"),
    "start_time in milliseconds": (f"organization/costs?start_time={MIDNIGHT}000", "start_time"),
    "end before start": (f"organization/costs?{START}&end_time={MIDNIGHT}", "end_time"),
    "empty end_time": (f"organization/costs?{START}&end_time=", "end_time"),
    "start_time twice": (f"organization/costs?{START}&{START}", "start_time"),
    "costs by the hour": (f"organization/costs?{START}&bucket_width=1h", "bucket_width"),
    "costs of no bucket": (f"organization/costs?{START}&limit=0", "limit"),
    "costs of 181 buckets": (f"organization/costs?{START}&limit=181", "limit"),
    "costs by model": (f"organization/costs?{START}&group_by=model", "group_by"),
    "costs in commas": (f"organization/costs?{START}&group_by=line_item,project_id", "group_by"),
    "costs of models": (f"organization/costs?{START}&models=gpt-5.5", "models"),
    "costs of users": (f"organization/costs?{START}&user_ids=user-1", "user_ids"),
    "empty filter": (f"organization/costs?{START}&project_ids=", "project_ids"),
    "unknown parameter": (f"organization/costs?{START}&start_date=2026-11-01", "start_date"),
    "limit as a list": (f"organization/costs?{START}&limit[]=7", "limit[]"),
    "another's page": (f"organization/costs?{START}&page=page_2026-11-01", "page"),
    "users and projects": (
        f"organization/costs?{START}&group_by=user_id&group_by=project_id",
        "group_by",
    ),
    "32 days": (f"organization/usage/completions?{START}&limit=32", "limit"),
    "169 hours": (f"organization/usage/completions?{START}&bucket_width=1h&limit=169", "limit"),
    "1441 minutes": (f"organization/usage/completions?{START}&bucket_width=1m&limit=1441", "limit"),
    "a week": (f"organization/usage/completions?{START}&bucket_width=1w", "bucket_width"),
    "usage by line item": (
        f"organization/usage/completions?{START}&group_by=line_item",
        "group_by",
    ),
    "embeddings by batch": (f"organization/usage/embeddings?{START}&group_by=batch", "group_by"),
    "embeddings of batches": (f"organization/usage/embeddings?{START}&batch=true", "batch"),
    "batch is no flag": (f"organization/usage/completions?{START}&batch=1", "batch"),
    "searches by model": (
        f"organization/usage/file_search_calls?{START}&group_by=model",
        "group_by",
    ),
    "sessions by key": (
        f"organization/usage/code_interpreter_sessions?{START}&group_by=api_key_id",
        "group_by",
    ),
    "sessions of keys": (
        f"organization/usage/code_interpreter_sessions?{START}&api_key_ids=key_1",
        "api_key_ids",
    ),
    "stores of models": (f"organization/usage/vector_stores?{START}&models=a", "models"),
    "an unknown size": (f"organization/usage/images?{START}&sizes=12x12", "sizes"),
    "an unknown level": (
        f"organization/usage/web_search_calls?{START}&context_levels=huge",
        "context_levels",
    ),
    "101 projects": ("organization/projects?limit=101", "limit"),
    "archived, perhaps": ("organization/projects?include_archived=yes", "include_archived"),
    "archived keys": ("organization/projects/proj_voice/api_keys?include_archived=true", None),
    "any access": (
        "organization/projects/proj_voice/api_keys?owner_project_access=all",
        "owner_project_access",
    ),
    "months of a limit": ("organization/spend_limit?interval=month", "interval"),
    "no dates": ("dashboard/billing/usage", "start_date"),
    "no date": ("dashboard/billing/usage?start_date=2026-11-01&end_date=now", "end_date"),
    "no days": ("dashboard/billing/usage?start_date=2026-11-01&end_date=2026-11-01", "end_date"),
    "101 days": ("dashboard/billing/usage?start_date=2026-08-01&end_date=2026-11-10", "end_date"),
    "usage by model": (f"dashboard/billing/usage?{DAYS}&group_by=model", "group_by"),
    "new, perhaps": (f"dashboard/billing/usage?{DAYS}&new_endpoint=1", "new_endpoint"),
    "credit of a day": ("dashboard/billing/credit_grants?start_date=2026-11-01", "start_date"),
    "somebody": ("me?user=1", "user"),
}


async def fetch(
    simulator: RunningSimulator, path: str, key: str | None = None, **headers: str
) -> tuple[int, Any]:
    """Return the status and the JSON of a response."""
    simulator.now = lambda: NOW
    key = key or (ADMIN_KEY if path.startswith("organization/") else KEY)
    headers = {"Authorization": f"Bearer {key}", **headers}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{simulator.url}/v1/{path}") as response,
    ):
        assert response.content_type == "application/json"
        return response.status, await response.json()


@pytest.mark.parametrize("wrong", WRONG)
async def test_wrong_parameters(simulator: RunningSimulator, wrong: str) -> None:
    """The error says which parameter it is about."""
    path, param = WRONG[wrong]
    status, body = await fetch(simulator, path)
    assert status == 400
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["param"] == param or param is None


async def test_lists_in_either_form(simulator: RunningSimulator) -> None:
    """A list's name is repeated, with brackets or without; the order changes no row."""
    path = f"organization/costs?start_time={MIDNIGHT - 86_400}"
    found = [
        await fetch(simulator, f"{path}&{form}=line_item&{form}=api_key_id")
        for form in ("group_by", "group_by[]")
    ]
    assert found[0][0] == 200
    assert found[0] == found[1]
    _, other = await fetch(simulator, f"{path}&group_by=api_key_id&group_by=line_item")
    assert other == found[0][1]


async def test_defaults(simulator: RunningSimulator) -> None:
    """Seven buckets are the default, and the end is now."""
    _, page = await fetch(simulator, f"organization/costs?start_time={MIDNIGHT - 30 * 86_400}")
    assert len(page["data"]) == 7
    assert page["has_more"] is True
    _, page = await fetch(simulator, f"organization/costs?start_time={MIDNIGHT - 6 * 86_400}")
    assert len(page["data"]) == 7
    assert (page["has_more"], page["next_page"]) == (False, None)
    for width, seconds, buckets in (("1h", 3600, 24), ("1m", 60, 60)):
        start = MIDNIGHT - 100 * seconds
        path = f"organization/usage/completions?start_time={start}&bucket_width={width}"
        _, page = await fetch(simulator, path)
        assert len(page["data"]) == buckets


async def test_a_page_belongs_to_its_request(simulator: RunningSimulator) -> None:
    """The cursor of one request is none of another's; the limit may change."""
    path = f"organization/costs?start_time={MIDNIGHT - 30 * 86_400}"
    _, page = await fetch(simulator, path)
    cursor = f"page={page['next_page']}"
    status, second = await fetch(simulator, f"{path}&{cursor}&limit=2")
    assert status == 200
    assert len(second["data"]) == 2
    assert second["data"][0]["start_time"] == page["data"][-1]["end_time"]
    status, _ = await fetch(simulator, f"{path}&{cursor}&group_by=line_item")
    assert status == 400


async def test_rows_that_differ_in_nothing_asked_for_are_one(simulator: RunningSimulator) -> None:
    """Without grouping there is one row a day, whatever was used."""
    _, page = await fetch(simulator, f"organization/costs?start_time={MIDNIGHT - 6 * 86_400}")
    assert [len(bucket["results"]) for bucket in page["data"]] == [1] * 7
    row = page["data"][0]["results"][0]
    assert {name for name, value in row.items() if value is not None} == {
        *("object", "amount", "organization_id", "organization_name")
    }


async def test_keys(simulator: RunningSimulator) -> None:
    """Each key opens what is its own, for the organizations that are its own."""
    costs = f"organization/costs?{START}"
    assert (await fetch(simulator, costs, KEY))[0] == 403
    assert (await fetch(simulator, costs, OTHER_ADMIN_KEY))[0] == 401
    assert (await fetch(simulator, "me", ADMIN_KEY))[0] == 403
    assert (await fetch(simulator, "me", OTHER_KEY))[0] == 401
    simulator.session_keys.add(OTHER_KEY)
    simulator.admin_keys[OTHER_ADMIN_KEY] = ORGANIZATION
    assert (await fetch(simulator, costs, OTHER_ADMIN_KEY))[0] == 200
    assert (await fetch(simulator, "me", OTHER_KEY))[0] == 200
    header = {"OpenAI-Organization": "org-nobodys"}
    status, body = await fetch(simulator, costs, **header)
    assert (status, body["error"]["code"]) == (401, "mismatched_organization")
    assert (await fetch(simulator, "me", **{"OpenAI-Organization": ORGANIZATION}))[0] == 200


@pytest.mark.parametrize(
    "path",
    ["organization/usage", "organization/api_keys", "organization/usage/decisions", "nothing"],
)
async def test_unknown_paths(simulator: RunningSimulator, path: str) -> None:
    """A path that the contract does not know is a 404."""
    assert (await fetch(simulator, path))[0] == 404


async def test_requests_are_noted(simulator: RunningSimulator) -> None:
    """All values of a repeated parameter can be looked up afterwards."""
    await fetch(simulator, f"organization/costs?{START}&group_by=line_item&group_by=project_id")
    [seen] = simulator.requests
    assert seen.endpoint == "costs"
    assert [value for name, value in seen.parameters if name == "group_by"] == [
        *("line_item", "project_id")
    ]
    assert seen.authorized


async def test_time_moves_on(simulator: RunningSimulator) -> None:
    """What the day has cost and used only grows, and is whole once the day is over."""
    account = simulator.account
    path = f"organization/usage/completions?{START}&end_time={MIDNIGHT + 86_400}"
    before = (0.0, 0)
    for hours in (1, 6, 12, 18, 23.99, 24.0, 30):
        now = NOW.replace(hour=0, minute=0) + timedelta(hours=hours)
        simulator.now = lambda now=now: now  # type: ignore[misc]
        cents = account.cents(NOW.date(), now)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as session,
            session.get(f"{simulator.url}/v1/{path}") as response,
        ):
            [bucket] = (await response.json())["data"]
        [row] = bucket["results"]
        found = cents, row["output_tokens"]
        assert found == before if hours > 24 else min(found) > 0
        assert found[0] >= before[0]
        assert found[1] >= before[1]
        if hours <= 18:
            assert found > before
        before = found
