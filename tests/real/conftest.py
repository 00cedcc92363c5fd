"""A simulator in this process, and a real Home Assistant beside it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession, web
import pytest

from scripts.home import Home
from scripts.process import LOOPBACK, REPOSITORY, Json, free_port, until
from simulator import Simulator

KEY = "sess-TheKeyThatNoLogShows"
WRONG_KEY = "sess-AnotherThatNoLogShows"
PASSWORD = "for-the-tests"


@dataclass(frozen=True, slots=True)
class Service:
    """The simulator as others reach it. Its clock stands still, so that its answers do too."""

    simulator: Simulator
    url: str
    now: datetime

    async def ask(self, endpoint: str, **query: str) -> dict[str, Json]:
        """Return what an endpoint of the billing API answers."""
        async with (
            ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session,
            session.get(f"{self.url}/dashboard/billing/{endpoint}", params=query) as response,
        ):
            response.raise_for_status()
            answer: dict[str, Json] = await response.json()
            return answer


async def _now_within_a_day() -> datetime:
    """Return the time; not in the last minutes of a UTC day, when the test would see two days."""

    async def ask() -> datetime | None:
        now = datetime.now(UTC)
        return now if (now + timedelta(minutes=4)).date() == now.date() else None

    return await until(ask, "The UTC day has begun", 300)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Run the simulator."""
    now = await _now_within_a_day()
    simulator = Simulator(key=KEY, now=lambda: now)
    runner = web.AppRunner(simulator.app, access_log=None)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield Service(simulator, f"http://{LOOPBACK}:{port}", now)
    finally:
        await runner.cleanup()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """Run Home Assistant, without an account yet."""
    async with Home(tmp_path / "home", free_port(), PASSWORD) as home:
        yield home


@pytest.fixture
def artifacts() -> Path:
    """Return the folder for what people may want to look at afterwards."""
    folder = REPOSITORY / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
