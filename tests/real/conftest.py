"""Fixtures: a simulator in this process, and a real Home Assistant in its own."""

from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil

import pytest

from development.home import Home
from development.process import REPOSITORY, free_port, until
from simulator import Simulator

from .common import ADMIN_KEY, FAILED, KEY, PASSWORD, Service, failed, run_simulator


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
    simulator = Simulator(key=KEY, admin_key=ADMIN_KEY, now=lambda: now)
    async with run_simulator(simulator) as running:
        yield running


@pytest.fixture
def artifacts() -> Path:
    """Return the folder for what people may want to look at afterwards."""
    folder = REPOSITORY / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
async def home(
    tmp_path: Path, artifacts: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Home]:
    """Run Home Assistant, without an account yet."""
    async with Home(tmp_path / "home", free_port(), PASSWORD) as home:
        yield home
    if failed(request):
        shutil.copy(home.process.log, artifacts / f"failed-{request.node.name}.log")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixtures know of a failure, to keep what tells why."""
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report
