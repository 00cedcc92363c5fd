"""The simulator's scenarios, its page, and its gateways."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from simulator import SCENARIOS, Account
from simulator.scenarios import SECOND_ADMIN_KEY, SECOND_ORGANIZATION

from .common import RunningSimulator
from .const import ADMIN_KEY, KEY, NOW

MIDNIGHT = int(NOW.replace(hour=0, minute=0).timestamp())
BILLING = "/dashboard/billing"
DATES = "start_date=2026-11-24&end_date=2026-11-25"


@pytest.fixture
async def http(simulator: RunningSimulator) -> AsyncGenerator[aiohttp.ClientSession]:
    """Return a session for the simulator, whose clock stands still."""
    simulator.now = lambda: NOW
    async with aiohttp.ClientSession(simulator.url) as session:
        yield session


async def get(
    http: aiohttp.ClientSession, path: str, key: str = KEY, **headers: str
) -> tuple[int, Any]:
    """Return a status and the body: JSON, or text where it is none."""
    headers["Authorization"] = f"Bearer {key}"
    async with http.get(path, headers=headers, allow_redirects=False) as response:
        if response.content_type == "application/json":
            return response.status, await response.json()
        return response.status, await response.text()


async def play(http: aiohttp.ClientSession, scenario: str) -> None:
    """Choose a scenario as people with curl do."""
    async with http.post("/simulator/scenario", data=f'{{"scenario": "{scenario}"}}') as response:
        assert response.status == 200


async def test_low_credit(http: aiohttp.ClientSession) -> None:
    """The credit is low, until the scenario is another."""
    await play(http, "low-credit")
    _, grants = await get(http, f"{BILLING}/credit_grants")
    assert grants["total_available"] == pytest.approx(2.17)
    left = sum(one["grant_amount"] - one["used_amount"] for one in grants["grants"]["data"])
    assert left == pytest.approx(2.17)
    await play(http, "no-credit")
    _, grants = await get(http, f"{BILLING}/credit_grants")
    assert grants["total_available"] == pytest.approx(0)
    await play(http, "healthy")
    _, grants = await get(http, f"{BILLING}/credit_grants")
    assert grants["total_available"] >= 15


async def test_subscription(http: aiohttp.ClientSession) -> None:
    """A payment is overdue, or the subscription canceled."""
    await play(http, "overdue")
    _, plan = await get(http, f"{BILLING}/subscription?{DATES}")
    assert (plan["delinquent"], plan["canceled"]) == (True, False)
    await play(http, "canceled")
    _, plan = await get(http, f"{BILLING}/subscription?{DATES}")
    assert (plan["delinquent"], plan["canceled"]) == (False, True)
    assert plan["canceled_at"] < NOW.timestamp() < plan["access_until"]


async def test_spend_limit_enforced(http: aiohttp.ClientSession) -> None:
    """OpenAI enforces the limit; by default it does not."""
    path = "/v1/organization/spend_limit"
    _, limit = await get(http, path, ADMIN_KEY)
    assert limit["enforcement"] == {"status": "inactive"}
    await play(http, "spend-limit-enforced")
    _, limit = await get(http, path, ADMIN_KEY)
    assert limit["enforcement"] == {"status": "enforcing"}


async def test_several_organizations(
    http: aiohttp.ClientSession, simulator: RunningSimulator
) -> None:
    """Each organization has its own costs, projects and keys; two have the same name."""
    await play(http, "several-organizations")
    _, me = await get(http, "/v1/me")
    organizations = {one["id"]: one["title"] for one in me["orgs"]["data"]}
    assert len(organizations) == 3
    assert len(set(organizations.values())) == 2
    totals = {}
    for organization in organizations:
        header = {"OpenAI-Organization": organization}
        status, usage = await get(http, f"{BILLING}/usage?{DATES}", **header)
        assert status == 200
        totals[organization] = usage["total_usage"]
    assert len(set(totals.values())) == 3
    path = f"/v1/organization/costs?start_time={MIDNIGHT}"
    projects = set()
    for key, organization in (
        (ADMIN_KEY, next(iter(organizations))),
        (SECOND_ADMIN_KEY, SECOND_ORGANIZATION),
    ):
        _, page = await get(http, path, key)
        [row] = page["data"][0]["results"]
        assert row["organization_id"] == organization
        assert float(row["amount"]["value"]) == pytest.approx(totals[organization] / 100)
        _, listed = await get(http, "/v1/organization/projects", key)
        projects |= {one["id"] for one in listed["data"]}
        _, keys = await get(http, "/v1/organization/admin_api_keys", key)
        assert len(keys["data"]) == 1
    assert len(projects) == 4
    await play(http, "healthy")
    assert not simulator.others
    assert (await get(http, path, SECOND_ADMIN_KEY))[0] == 401


async def test_keys_in_trouble(http: aiohttp.ClientSession) -> None:
    """An expired session key, an admin key that may read the costs alone or soon expires."""
    costs, usage, limit, projects = (
        f"/v1/organization/{path}"
        for path in (
            f"costs?start_time={MIDNIGHT}",
            f"usage/images?start_time={MIDNIGHT}",
            "spend_limit",
            "projects",
        )
    )
    await play(http, "expired-session-key")
    assert (await get(http, f"{BILLING}/credit_grants"))[0] == 401
    assert (await get(http, costs, ADMIN_KEY))[0] == 200
    await play(http, "costs-alone")
    assert (await get(http, f"{BILLING}/credit_grants"))[0] == 200
    statuses = [(await get(http, path, ADMIN_KEY))[0] for path in (costs, usage, limit, projects)]
    assert statuses == [200, 403, 403, 403]
    await play(http, "admin-key-expires")
    _, keys = await get(http, "/v1/organization/admin_api_keys", ADMIN_KEY)
    assert 0 < keys["data"][0]["expires_at"] - NOW.timestamp() <= 5 * 86_400


async def test_new_account(http: aiohttp.ClientSession) -> None:
    """Nothing was used yet: empty lists, not zeros."""
    await play(http, "new-account")
    _, usage = await get(http, f"{BILLING}/usage?{DATES}")
    assert usage["total_usage"] == 0
    for path in ("costs", "usage/completions", "usage/vector_stores"):
        _, page = await get(
            http, f"/v1/organization/{path}?start_time={MIDNIGHT - 86_400}", ADMIN_KEY
        )
        assert [bucket["results"] for bucket in page["data"]] == [[], []]
    assert (await get(http, "/v1/organization/spend_limit", ADMIN_KEY))[0] == 404


async def test_page(http: aiohttp.ClientSession, simulator: RunningSimulator) -> None:
    """The page has a button for each scenario and a form for faults; they work without curl."""
    browser = {"Accept": "text/html,*/*;q=0.8"}
    async with http.get("/simulator/", headers=browser) as response:
        assert response.content_type == "text/html"
        page = await response.text()
    assert all(f'value="{name}"' in page for name in SCENARIOS)
    assert "Everything works." in page
    assert "clear" not in page
    async with http.post("/simulator/scenario", data={"scenario": "overdue"}) as response:
        assert response.url.path == "/simulator/"
    wish = {"endpoint": "usage/*", "fault": "server_error"}
    async with http.post("/simulator/faults", data=wish, headers=browser) as response:
        assert response.url.path == "/simulator/"
        page = await response.text()
    assert '<tr class=now><td><button name="scenario" value="overdue">' in page
    assert "<code>usage/*</code>: server_error" in page
    path = f"/v1/organization/usage/images?start_time={MIDNIGHT}"
    assert (await get(http, path, ADMIN_KEY))[0] == 500
    async with http.post("/simulator/faults/clear") as response:
        assert response.url.path == "/simulator/"
    assert (await get(http, path, ADMIN_KEY))[0] == 200
    assert simulator.scenario == "overdue"
    async with http.get("/simulator/") as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    assert all(name in text for name in SCENARIOS)


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("scenario", '{"scenario": "nothing"}'),
        ("scenario", "[]"),
        ("scenario", '{"scenario": ["low-credit"]}'),
        ("clock", '{"minutes": 3}'),
        ("clock", '{"seconds": "many"}'),
        ("faults", '{"endpoint": "usage"}'),
        ("faults", '{"endpoint": "usage", "fault": "nothing"}'),
        ("faults", '{"endpoint": "nothing", "fault": "cut"}'),
        ("faults", '{"endpoint": "usage", "fault": "cut", "times": "often"}'),
        ("faults", "endpoint"),
    ],
)
async def test_wrong_wishes(http: aiohttp.ClientSession, path: str, wish: str) -> None:
    """What is no scenario or fault is refused in a sentence."""
    async with http.post(f"/simulator/{path}", data=wish) as response:
        assert response.status == 400
        assert "see /simulator/" in await response.text()


async def test_clock_moves_on(http: aiohttp.ClientSession) -> None:
    """The clock can be moved forward, time and again, and costs grow with it."""
    _, before = await get(http, f"{BILLING}/usage?{DATES}")
    for seconds in (3600, 7200):
        async with http.post("/simulator/clock", json={"seconds": seconds}) as response:
            assert response.status == 200
        _, after = await get(http, f"{BILLING}/usage?{DATES}")
        assert after["total_usage"] > before["total_usage"]
        before = after


async def test_a_generated_account_keeps_its_models(simulator: RunningSimulator) -> None:
    """A scenario changes the state of an account, not what it uses."""
    other = type(simulator)(account=Account.generated(3, 2), now=lambda: NOW)
    costs = other.account.cents(NOW.date(), NOW)
    other.play("low-credit")
    assert other.account.cents(NOW.date(), NOW) == costs
    assert len(other.account.api_keys) == 2


# ---- Gateways -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["one-api", "new-api"])
async def test_gateway(http: aiohttp.ClientSession, simulator: RunningSimulator, kind: str) -> None:
    """Two endpoints at both prefixes; elsewhere a web page, an error under /v1 and /api."""
    simulator.kind = kind
    for prefix in ("", "/v1"):
        for endpoint in ("usage", "subscription"):
            status, body = await get(http, f"{prefix}{BILLING}/{endpoint}")
            assert status == 200
            assert body["object"] in ("list", "billing_subscription")
    for path in (f"{BILLING}/credit_grants", "/", "/me", "/organization/costs"):
        status, body = await get(http, path, "not a token")
        assert status == 200
        assert body.startswith("<!doctype html>")
    for path in (f"/v1{BILLING}/credit_grants", "/v1/me", "/v1/organization/costs", "/api/nothing"):
        status, body = await get(http, path)
        assert status == 404
        assert body["error"]["type"] == "invalid_request_error"
    status, body = await get(http, f"{BILLING}/usage", "sk-not-a-token")
    assert status == 401
    assert set(body["error"]) == {"message", "type"}
    status, body = await get(http, "/v1/credits")
    assert status == (200 if kind == "new-api" else 404)
    if kind == "new-api":
        assert body["total_available"] == pytest.approx(33.135)


async def test_gateway_with_its_page_elsewhere(
    http: aiohttp.ClientSession, simulator: RunningSimulator
) -> None:
    """Every path that is not served is a redirect, under /v1 too; what is served is not."""
    simulator.kind = "one-api"
    simulator.page_host = "https://pages.example.com/"
    for path in (f"{BILLING}/credit_grants?a=1", f"/v1{BILLING}/credit_grants", "/v1/me"):
        async with http.get(path, allow_redirects=False) as response:
            assert response.status == 301
            assert response.headers["Location"] == f"https://pages.example.com{path}"
    assert (await get(http, f"{BILLING}/usage"))[0] == 200
