"""What tests of the tools for language models share; only where Home Assistant has such tools."""

from __future__ import annotations

import json
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import llm
from homeassistant.setup import async_setup_component
import probatio

from custom_components.openai_account.const import DOMAIN

from .common import entity_id

ASSISTANT = "conversation"
GET_ACCOUNT = "openai_account__get_account"
GET_COSTS = "openai_account__get_costs"
CONTEXT = llm.LLMContext(
    platform="test", context=None, language="en", assistant=ASSISTANT, device_id=None
)


async def setup_assist(hass: HomeAssistant) -> None:
    """Set up what Home Assistant has for Assist."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})


def expose(hass: HomeAssistant, key: str = "cost_today", *, exposed: bool = True) -> None:
    """Expose an entity of the account to Assist, or no longer."""
    async_expose_entity(hass, ASSISTANT, entity_id(hass, key), exposed)


async def tools(hass: HomeAssistant, context: llm.LLMContext = CONTEXT) -> list[llm.Tool]:
    """Return this integration's tools in Assist's API."""
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)
    return [one for one in api.tools if one.name.startswith(f"{DOMAIN}__")]


async def call(hass: HomeAssistant, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return its result, which is not an error."""
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, CONTEXT)
    result = await api.async_call_tool(llm.ToolInput(tool, arguments))
    assert not result.error, result.data
    return json.loads(json.dumps(result.data))  # type: ignore[no-any-return]


async def error_of(hass: HomeAssistant, tool: str, **arguments: Any) -> str:
    """Call a tool and return the error that it responds with."""
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, CONTEXT)
    result = await api.async_call_tool(llm.ToolInput(tool, arguments))
    assert result.error
    assert list(result.data) == ["error"]
    return str(result.data["error"])


def schema(tool: llm.Tool) -> dict[str, Any]:
    """Return a tool's parameters, in the form that a model gets."""
    return dict(probatio.to_openapi(tool.parameters, custom_serializer=llm.selector_serializer))
