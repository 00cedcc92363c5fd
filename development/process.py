"""Programs started and stopped by another, and what they answer on 127.0.0.1."""

import asyncio
from asyncio import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
import contextlib
import ctypes
import os
from pathlib import Path
import signal
import socket
import sys

import aiohttp

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None


class HomeError(Exception):
    """What went wrong, in a sentence for people."""


async def until[T](
    ask: Callable[[], Awaitable[T | None]], what: str, seconds: float = 60, pause: float = 0.2
) -> T:
    """Ask until the answer is neither None nor False; raise HomeError after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            # What is asked is in another process, so there is no event to wait for.
            while (answer := await ask()) is None or answer is False:  # noqa: ASYNC110
                await asyncio.sleep(pause)
            return answer
    except TimeoutError:
        raise HomeError(f"{what}: this did not happen within {seconds:g} seconds.") from None


def port_is_free(port: int) -> bool:
    """Return whether a server can listen on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """Run in the child: end when the parent is killed, and so cannot end it."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Process:
    """A program whose output goes to a file, started and stopped as often as wanted."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare; `environment` is added to this process's own."""
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self.environment = dict(environment or {})
        self._process: subprocess.Process | None = None
        self._started_at = 0

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs or before it was started."""
        return self._process.returncode if self._process else None

    @property
    def pid(self) -> int:
        """The id of the process, which was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C reaches only who is to handle it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name != "OPENAI_SESSION_KEY"}
        with self.log.open("ab") as output:
            self._started_at = output.tell()
            self._process = await subprocess.create_subprocess_exec(
                *self._command,
                cwd=REPOSITORY,
                env=kept | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    async def wait(self) -> int:
        """Wait for its end; return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, seconds: float = 60) -> int | None:
        """End it by SIGTERM, by SIGKILL where that does not help; return its exit code."""
        if self._process is None:
            return None
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                async with asyncio.timeout(seconds):
                    await self._process.wait()
            finally:
                self.kill()
        return await self._process.wait()

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def output(self) -> str:
        """Return what it wrote since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._started_at)
            return log.read().decode("utf-8", "replace")

    def death(self) -> str:
        """Return a sentence about its end, and the last lines that it wrote."""
        tail = "\n".join(f"    {line}" for line in self.output().splitlines()[-15:])
        ended = f"{self.name} ended with exit code {self.exit_code}."
        return f"{ended} Its last lines ({self.log}):\n{tail}"

    def check(self) -> None:
        """Raise HomeError if it has ended."""
        if not self.running:
            raise HomeError(self.death())

    async def answers(self, url: str, seconds: float = 120) -> None:
        """Wait until a URL of its answers 200; raise HomeError where it ends first."""
        async with aiohttp.ClientSession() as session:

            async def ask() -> bool:
                self.check()
                try:
                    async with session.get(url) as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(ask, f"{self.name} answers at {url}", seconds)
