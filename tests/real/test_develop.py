"""`scripts/develop`, as a developer uses it."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import re
import signal
import socket
import sys

import pytest

from development.process import LOOPBACK, REPOSITORY, Process, free_port, port_is_free, until


@pytest.fixture
async def develop(tmp_path: Path) -> AsyncIterator[Process]:
    """Return the command with a state folder and a port of its own; stop it after the test."""
    develop = Process(
        "scripts/develop",
        [REPOSITORY / "scripts/develop"],
        tmp_path / "develop.log",
        {"STATE": str(tmp_path / "state"), "PORT": str(free_port())},
    )
    yield develop
    await develop.stop()


async def what_it_prints(develop: Process) -> dict[str, str]:
    """Start it; return what it prints once everything runs, by name."""
    await develop.start()

    async def is_up() -> bool:
        develop.check()
        return "Press Ctrl-C to stop." in develop.output()

    await until(is_up, "scripts/develop runs", 120)
    return dict(re.findall(r"^  (\w[\w ]+?)  +(\S+)$", develop.output(), re.MULTILINE))


def ports(output: str) -> set[int]:
    """Return the ports of 127.0.0.1 in its output."""
    return {int(port) for port in re.findall(rf"{re.escape(LOOPBACK)}:(\d+)", output)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_keeps_its_state_and_ends_cleanly(develop: Process, number: signal.Signals) -> None:
    first = await what_it_prints(develop)
    assert {"Home Assistant", "User", "Password", "The account", "Dashboard", "Log"} <= set(first)
    used = ports(develop.output())
    assert len(used) == 2
    assert {port for port in used if port_is_free(port)} == set()

    os.kill(develop.pid, number)
    assert await develop.wait() == 0
    assert {port for port in used if port_is_free(port)} == used

    second = await what_it_prints(develop)
    assert second == first
    assert "Adding the account" not in develop.output()
    assert ports(develop.output()) == used


async def test_port_in_use(develop: Process, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        develop.environment["PORT"] = str(other.getsockname()[1])
        await develop.start()
        assert await asyncio.wait_for(develop.wait(), 60) == 1
    assert re.search(r"^develop: Port \d+ is in use", develop.output(), re.MULTILINE)
    assert "Traceback" not in develop.output()
    assert not (tmp_path / "state").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads other processes' environments in /proc")
async def test_keys_do_not_reach_home_assistant(develop: Process) -> None:
    # With spaces in them, they are rejected before a request is sent.
    develop.environment |= {"OPENAI_SESSION_KEY": "sess one", "OPENAI_ADMIN_KEY": "sk-admin two"}
    await develop.start()

    async def environment_of_home_assistant() -> str | None:
        develop.check()
        for pid in _read(develop.pid, f"task/{develop.pid}/children").split():
            # Until the child has become Home Assistant, it is a copy of its parent.
            if "bin/hass" in _read(int(pid), "cmdline"):
                return _read(int(pid), "environ") or None
        return None

    environment = await until(environment_of_home_assistant, "Home Assistant starts")
    names = {variable.partition("=")[0] for variable in environment.split("\0")}
    assert "PATH" in names
    assert not {name for name in names if name.startswith("OPENAI_")}
    assert await asyncio.wait_for(develop.wait(), 120) == 1
    assert "The account at api.openai.com was not added." in develop.output()
    for key in ("sess one", "sk-admin two"):
        assert key not in develop.output()


def _read(pid: int, name: str) -> str:
    """Return what /proc says of a process; nothing once it has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""
