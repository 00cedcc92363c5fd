"""The paths under /simulator/: how people and tests change the simulator while it runs."""

from __future__ import annotations

from collections.abc import Mapping
import json
from typing import TYPE_CHECKING

from aiohttp import web

from . import page
from .scenarios import SCENARIOS

if TYPE_CHECKING:
    from .server import Simulator


def add_control(simulator: Simulator) -> None:
    """Add the paths to a simulator's application."""

    async def show(request: web.Request) -> web.Response:
        """Show the page to a browser, and how to use curl to everybody else."""
        url = str(request.url.origin())
        if "text/html" not in request.headers.get("Accept", ""):
            return web.Response(text=page.help_text(url))
        text = page.html(url, simulator.kind, simulator.scenario, simulator.faults)
        return web.Response(text=text, content_type="text/html")

    async def play(request: web.Request) -> web.Response:
        wanted, by_form = await _read(request)
        scenario = wanted.get("scenario")
        if not isinstance(scenario, str) or scenario not in SCENARIOS:
            return web.Response(status=400, text="No such scenario; see /simulator/\n")
        simulator.play(scenario)
        return _done(f"From now on: {scenario}.\n", by_form)

    async def add_fault(request: web.Request) -> web.Response:
        wanted, by_form = await _read(request)
        times = wanted.get("times")
        try:
            simulator.fault(
                str(wanted["endpoint"]), str(wanted["fault"]), int(str(times)) if times else None
            )
        except KeyError, ValueError:
            return web.Response(status=400, text="No such endpoint or fault; see /simulator/\n")
        return _done("From now on it fails.\n", by_form)

    async def clear_faults(request: web.Request) -> web.Response:
        simulator.clear_faults()
        return _done("Everything works again.\n", request.method == "POST")

    async def move_on(request: web.Request) -> web.Response:
        wanted, by_form = await _read(request)
        try:
            simulator.move_on(float(str(wanted["seconds"])))
        except KeyError, ValueError:
            return web.Response(status=400, text="No number of seconds; see /simulator/\n")
        return _done("Its clock has moved on.\n", by_form)

    router = simulator.app.router
    router.add_get("/simulator/", show)
    router.add_post("/simulator/scenario", play)
    router.add_post("/simulator/clock", move_on)
    router.add_post("/simulator/faults", add_fault)
    router.add_post("/simulator/faults/clear", clear_faults)
    router.add_delete("/simulator/faults", clear_faults)


async def _read(request: web.Request) -> tuple[Mapping[str, object], bool]:
    """Return the fields of a request, in JSON or from a form, and whether it was a form."""
    try:
        data = json.loads(await request.text())
    except ValueError:
        return dict(await request.post()), True
    return data if isinstance(data, dict) else {}, False


def _done(text: str, by_form: bool) -> web.Response:
    if by_form:
        raise web.HTTPSeeOther("/simulator/")
    return web.Response(text=text)
