"""Processes that other programs start and stop, and their responses on 127.0.0.1."""

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

# No process that is started here needs a key from the environment, neither those that
# scripts/develop takes from there nor a developer's own OPENAI_API_KEY.
_SECRETS = "OPENAI_"

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None


class HomeError(Exception):
    """An error whose text is a sentence for the user."""


async def until[T](
    ask: Callable[[], Awaitable[T | None]], what: str, seconds: float = 60, pause: float = 0.2
) -> T:
    """Return what `ask` returns once that is neither None nor False; raises HomeError otherwise."""
    try:
        async with asyncio.timeout(seconds):
            # The answer comes from another process, so there is no event to wait for.
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
    """Return a port of 127.0.0.1 that no server listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """Run in the child: have it end with its parent, even if that one is killed."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Process:
    """A program whose output goes to a file. It can be started again once it has ended."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare it; it gets this process's environment without any key, and `environment`."""
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self.environment = dict(environment or {})
        self._process: subprocess.Process | None = None
        self._started_at = 0

    @property
    def exit_code(self) -> int | None:
        """The exit code; None before the start and while it runs."""
        return self._process.returncode if self._process else None

    @property
    def pid(self) -> int:
        """The id of the process, which must have been started."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only this process."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)
        }
        with self.log.open("ab") as output:
            self._started_at = output.tell()
            self._process = await subprocess.create_subprocess_exec(
                *self._command,
                cwd=REPOSITORY,
                env=inherited | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    async def wait(self) -> int:
        """Wait until it ends; return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, seconds: float = 60) -> int | None:
        """End it by SIGTERM, or by SIGKILL after `seconds` (TimeoutError); return its exit code."""
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
        """End it at once if it runs."""
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def output(self) -> str:
        """Return what it has written since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._started_at)
            return log.read().decode("utf-8", "replace")

    def death(self) -> str:
        """Return a sentence about its end, followed by its last lines of output."""
        tail = "\n".join(f"    {line}" for line in self.output().splitlines()[-15:])
        ended = f"{self.name} ended with exit code {self.exit_code}."
        return f"{ended} Its last lines ({self.log}):\n{tail}"

    def check(self) -> None:
        """Raise HomeError if it has ended."""
        if not self.running:
            raise HomeError(self.death())

    async def answers(self, url: str, seconds: float = 120) -> None:
        """Wait until it responds to a URL with 200; raises HomeError if it ends or is too slow."""
        async with aiohttp.ClientSession() as session:

            async def ask() -> bool:
                self.check()
                try:
                    async with session.get(url) as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(ask, f"{self.name} answers at {url}", seconds)
