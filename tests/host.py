"""A host that answers as it is told, and helpers of the tests of the client that requests it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import json
from typing import Any

from aiohttp import web
import pytest

from custom_components.openai_account.api import OpenAIAccountClient, OpenAIAccountError

SUBSCRIPTION = {"plan": {"title": "Pro", "id": "pro"}}
CREDIT = {"total_granted": 50, "total_used": 10, "total_available": 40}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response of any form."""

    status: int = 200
    text: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


type Answer = Reply | Mapping[str, Any]
type Connect = Callable[..., OpenAIAccountClient]


class Host:
    """A host that answers as it is told, and the requests that it got."""

    def __init__(self) -> None:
        self.answer: Callable[[web.Request], Answer | Awaitable[web.StreamResponse]] = lambda _: {}
        self.requests: list[web.Request] = []
        self.url = ""

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        found = self.answer(request)
        if isinstance(found, Mapping):
            return web.json_response(found)
        if isinstance(found, Reply):
            return web.Response(
                status=found.status,
                text=found.text,
                content_type=found.content_type,
                headers=found.headers,
            )
        return await found

    def answers(self, *answers: Answer) -> None:
        """Answer one request after the other, the last answer again and again."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def serves(self, **answers: Answer) -> None:
        """Answer each endpoint by the last part of its path; others are missing."""
        self.answer = lambda one: answers.get(one.path.rpartition("/")[2], missing())

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.requests]

    def count(self, endpoint: str) -> int:
        return sum(path.endswith(f"/{endpoint}") for path in self.paths)


def missing() -> Reply:
    return Reply(404)


def web_page(status: int = 200, kind: str = "text/html") -> Reply:
    return Reply(status, "<html>", kind)


def error(status: int, **fields: str) -> Reply:
    return Reply(status, json.dumps({"error": fields}))


def padded(size: int, **data: Any) -> Reply:
    """Return a JSON object with spaces before it, of so many bytes in all."""
    return Reply(text=json.dumps(data).rjust(size))


async def fails(awaitable: Awaitable[object]) -> OpenAIAccountError:
    """Return the client's error that something ends with."""
    with pytest.raises(OpenAIAccountError) as found:
        await awaitable
    return found.value


async def turn(until: Callable[[], bool] = lambda: False, times: int = 300) -> None:
    """Let the event loop turn while its clock stands still."""
    for _ in range(times):
        if until():
            break
        await asyncio.sleep(0)
