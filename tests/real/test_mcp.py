"""Tools for language models, as the official MCP client gets them from a real Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import cast

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent, Tool
import pytest

from development.home import DOMAIN, FlowResult, Home
from development.process import Json, until

from .common import (
    KEY,
    PERSONAL,
    Service,
    add_account,
    entities_by_key,
    every_entity_has_a_state,
    expected_values,
)

GET_ACCOUNT = f"{DOMAIN}__get_account"
GET_COSTS = f"{DOMAIN}__get_costs"

# All APIs for language models, and that of Assist alone
PATHS = ("/api/mcp", "/api/mcp/assist")


async def add_mcp_server(home: Home) -> None:
    """Add Home Assistant's own MCP server."""
    path = "/api/config/config_entries/flow"
    flow = cast("FlowResult", await home.post(path, {"handler": "mcp_server"}))
    result = cast("FlowResult", await home.post(f"{path}/{flow['flow_id']}", {}))
    assert result["type"] == "create_entry"


@asynccontextmanager
async def connect(home: Home, path: str) -> AsyncIterator[Client]:
    """Connect to the MCP server as the user."""
    headers = {"Authorization": f"Bearer {home.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{home.url}{path}", http_client=http)) as client,
    ):
        yield client


async def tools(client: Client) -> dict[str, Tool]:
    """Return this integration's tools by name."""
    found = (await client.list_tools()).tools
    return {one.name: one for one in found if one.name.startswith(DOMAIN)}


async def call(
    client: Client, tool: str, *, fails: bool = False, **arguments: str
) -> dict[str, Json] | str:
    """Call a tool; return its result, or the text of its error."""
    result = await client.call_tool(tool, dict(arguments))
    assert result.is_error is fails
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text if fails else cast("dict[str, Json]", json.loads(content.text))


async def check_tools(client: Client, expected: dict[str, Json]) -> None:
    """Check the tools and what they return against the simulator's responses."""
    found = await tools(client)
    assert list(found) == [GET_ACCOUNT, GET_COSTS]
    for tool in found.values():
        assert tool.annotations
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
    parameters = found[GET_COSTS].input_schema["properties"]
    assert parameters["account"]["enum"] == ["Work"]

    account = cast("dict[str, dict[str, float]]", await call(client, GET_ACCOUNT))
    assert account["credit"]["available"] == pytest.approx(expected["total_available"], abs=1e-6)
    for key in ("today", "this_month"):
        assert account["costs"][key] == pytest.approx(expected[f"cost_{key}"], abs=1e-6)
    for key in ("soft_limit", "hard_limit"):
        assert account["limits"][key] == pytest.approx(expected[f"{key}_usd"])
    assert account["problems"] == []

    costs = cast("dict[str, dict[str, float]]", await call(client, GET_COSTS, group_by="model"))
    assert costs["total"] == pytest.approx(expected["cost_this_month"], abs=1e-6)
    assert costs["models"] == pytest.approx(
        {
            name.removeprefix("Cost of "): cost
            for name, cost in expected.items()
            if name.startswith("Cost of ")
        },
        abs=1e-6,
    )
    for secret in (KEY, *(str(expected[key]) for key in PERSONAL)):
        assert secret not in json.dumps([account, costs])

    error = await call(client, GET_ACCOUNT, fails=True, account="Play")
    assert error == '{"error": "Which account? Use one of these names: Work"}'
    tomorrow = "2100-01-01"
    error = await call(client, GET_COSTS, fails=True, start_date=tomorrow, end_date=tomorrow)
    assert "The end date is in the future" in error


async def test_tools(home: Home, service: Service) -> None:
    await add_account(home, service)
    await until(lambda: every_entity_has_a_state(home), "Every entity has a state")
    await add_mcp_server(home)
    for path in PATHS:
        async with connect(home, path) as client:
            assert (await client.list_tools()).tools
            assert await tools(client) == {}

    entities = entities_by_key(await home.entities())
    await home.command(
        "homeassistant/expose_entity",
        assistants=["conversation"],
        entity_ids=[entities["cost_today"]["entity_id"]],
        should_expose=True,
    )
    expected = await expected_values(service)
    for path in PATHS:
        async with connect(home, path) as client:
            await check_tools(client, expected)
    log = home.process.log.read_text()
    assert KEY not in log
    assert "Traceback" not in log
