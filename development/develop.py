"""Starts a real Home Assistant with this integration, and the simulator. Ctrl-C stops both."""

import argparse
import asyncio
import contextlib
from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import secrets
import shutil
import signal
import sys
from typing import cast

import aiohttp

from development.home import DOMAIN, RESTART, USER, Entry, Home
from development.process import (
    LOOPBACK,
    REPOSITORY,
    HomeError,
    Json,
    Process,
    free_port,
    port_is_free,
)
from simulator import DEMO_ADMIN_KEY, DEMO_SESSION_KEY

REAL_HOST = "api.openai.com"

DEMO_KEYS = {"session_key": DEMO_SESSION_KEY, "admin_key": DEMO_ADMIN_KEY}

HELP = """\
environment variables:
  PORT                the port of 127.0.0.1 that Home Assistant listens on (default: 8123)
  STATE               the folder for everything that is kept (default: .state)
  OPENAI_SESSION_KEY  the session key of a real account, used instead of the simulated one
  OPENAI_ADMIN_KEY    the admin key of a real account, alone or with the session key
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What stays the same from one start to the next; kept in develop.json."""

    password: str
    simulator_port: int


def say(text: str) -> None:
    """Show progress."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{bold}· {text}{plain}", file=sys.stderr, flush=True)


def load_settings(path: Path) -> Settings:
    """Return the settings of the last start, or write new ones."""
    if path.exists():
        return Settings(**json.loads(path.read_text()))
    settings = Settings(secrets.token_hex(4), free_port())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(settings)))
    return settings


def chosen_port() -> int:
    """Return the port that PORT gives."""
    text = os.environ.get("PORT", "8123")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise HomeError(f"PORT is {text!r}, which is not a valid port.")
    return int(text)


def state_folder() -> Path:
    """Return the folder that STATE gives."""
    return Path(os.environ.get("STATE", REPOSITORY / ".state")).resolve()


async def start_simulator(folder: Path, port: int) -> Process:
    """Start the simulator and wait until it responds."""
    if not port_is_free(port):
        raise HomeError(
            f"The simulator's port {port} is in use by another program. "
            "Stop that program, or use --reset to start over with another port."
        )
    simulator = Process(
        "The simulator",
        [sys.executable, "-m", "simulator", "--port", str(port)],
        folder / "simulator.log",
        {"PYTHONUNBUFFERED": "1"},
    )
    await simulator.start()
    try:
        await simulator.answers(f"http://{LOOPBACK}:{port}/simulator/", 30)
    except BaseException:
        simulator.kill()
        raise
    return simulator


async def account(home: Home, host: str, keys: dict[str, str]) -> Entry:
    """Return the account's entry; if there is none, set it up by the config flow."""
    if entries := await home.entries():
        return entries[0]
    say(f"Adding the account at {host}")
    result = await home.send_flow(await home.start_flow(), {"host": host, **keys})
    if result["type"] == "create_entry":
        return result["result"]
    translations = REPOSITORY / "custom_components" / DOMAIN / "translations/en.json"
    texts = json.loads(translations.read_text())["config"]
    errors = result.get("errors") or {}
    reasons = [texts["error"].get(code, code) for code in errors.values()]
    reasons += [texts["abort"].get(code, code) for code in [result.get("reason")] if code]
    reason = " ".join(reasons).format_map(result.get("description_placeholders") or {})
    raise HomeError(f"The account at {host} was not added. {reason}")


async def dashboard(home: Home) -> str:
    """Return the address of the account's dashboard; if there is none, add it."""
    path = "open-ai"
    known = await home.command("lovelace/dashboards/list")
    if not any(one["url_path"] == path for one in cast("list[dict[str, Json]]", known)):
        say("Adding the dashboard")
        await home.command(
            "lovelace/dashboards/create",
            url_path=path,
            title="OpenAI",
            icon="mdi:creation",
            mode="storage",
        )
        config: Json = {"strategy": {"type": "custom:openai-account"}}
        await home.command("lovelace/config/save", url_path=path, config=config)
    return f"{home.url}/{path}"


def describe(home: Home, device: str, dashboard: str, simulator: str | None) -> str:
    """Return what to print once everything runs."""
    lines = [
        "",
        f"  Home Assistant  {home.url}",
        f"  User            {USER}",
        f"  Password        {home.password}",
        f"  The account     {home.url}/config/devices/device/{device}",
        f"  Dashboard       {dashboard}",
        f"  Log             {os.path.relpath(home.process.log)}",
    ]
    if simulator:
        faults = f"{simulator}/simulator/faults"
        fault = '{"endpoint": "usage", "fault": "unavailable"}'
        lines += [
            "",
            "  To make requests fail, then reload the account or wait for the next update:",
            f"    curl -X POST {faults} -d '{fault}'",
            f"    curl -X DELETE {faults}",
            f"    all faults: {simulator}/simulator/",
            "",
            "  To add the account in the browser, after removing it:",
            f"    host {simulator}",
            f"    session key {DEMO_SESSION_KEY}",
            f"    admin key {DEMO_ADMIN_KEY}",
        ]
    return "\n".join([*lines, "", "  Press Ctrl-C to stop.", ""])


async def watch(home: Home, simulator: Process | None) -> None:
    """Restart Home Assistant when it requests it; raises HomeError if a process ends otherwise."""
    while True:
        waits = [asyncio.ensure_future(one.wait()) for one in (home.process, simulator) if one]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if simulator:
            simulator.check()
        if home.process.exit_code != RESTART:
            home.process.check()
        await home.stop()
        say("Restarting Home Assistant")
        await home.start()
        say(f"Home Assistant is back at {home.url}")


async def run(*, reset: bool) -> None:
    """Start everything and keep it running until this task is canceled; raises HomeError."""
    keys = {
        field: key
        for field, name in (
            ("session_key", "OPENAI_SESSION_KEY"),
            ("admin_key", "OPENAI_ADMIN_KEY"),
        )
        if (key := os.environ.get(name, "").strip())
    }
    real = bool(keys)
    folder = state_folder() / ("account" if real else "home")
    port = chosen_port()
    if not port_is_free(port):
        raise HomeError(
            f"Port {port} is in use by another program. "
            "Stop that program, or choose another port: PORT=8124 scripts/develop"
        )
    if reset and folder.exists():
        say("Removing the state of earlier starts")
        shutil.rmtree(folder)
    settings = load_settings(folder / "develop.json")
    for log in folder.glob("*.log"):
        log.unlink()
    host = REAL_HOST if real else f"http://{LOOPBACK}:{settings.simulator_port}"
    simulator: Process | None = None
    home = Home(folder, port, settings.password)
    try:
        if not real:
            say(f"Starting the simulator at {host}")
            simulator = await start_simulator(folder, settings.simulator_port)
        say(f"Starting Home Assistant at {home.url} (about 10 seconds)")
        await home.start()
        entry = await account(home, host, keys or DEMO_KEYS)
        device = await home.device(entry)
        board = await dashboard(home)
        print(describe(home, device["id"], board, None if real else host), flush=True)
        await watch(home, simulator)
    finally:
        if home.process.running or (simulator and simulator.running):
            say("Stopping")
        try:
            await home.stop()
        finally:
            if simulator:
                await simulator.stop()


async def main() -> int:
    """Run until Ctrl-C or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/develop",
        description=__doc__,
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reset", action="store_true", help="remove the kept state and start over")
    arguments = parser.parse_args()
    task = asyncio.ensure_future(run(reset=arguments.reset))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    except (HomeError, aiohttp.ClientError) as err:
        print(f"develop: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
