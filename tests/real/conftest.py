"""Fixtures: a simulator in this process, and a real Home Assistant in its own."""

from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime
from pathlib import Path
import shutil

import pytest

from development.home import Home
from development.process import REPOSITORY, free_port, until
from simulator import Simulator

from .common import ADMIN_KEY, FAILED, KEY, LONGEST, PASSWORD, Service, failed, run_simulator


async def _now_within_a_day() -> datetime:
    """Return the time, long enough before the UTC day ends: a test must not see two days."""

    async def now_if_far_from_midnight() -> datetime | None:
        now = datetime.now(UTC)
        return now if (now + LONGEST).date() == now.date() else None

    return await until(
        now_if_far_from_midnight, "The UTC day has begun", LONGEST.total_seconds() + 60
    )


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Run the simulator."""
    now = await _now_within_a_day()
    simulator = Simulator(key=KEY, admin_key=ADMIN_KEY, now=lambda: now)
    async with run_simulator(simulator) as running:
        yield running


@pytest.fixture
def artifacts() -> Path:
    """Return the folder for logs and pictures to look at after the tests."""
    folder = REPOSITORY / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
async def home(
    tmp_path: Path, artifacts: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Home]:
    """Run Home Assistant without an account."""
    async with Home(tmp_path / "home", free_port(), PASSWORD) as home:
        yield home
    if failed(request):
        shutil.copy(home.process.log, artifacts / f"failed-{request.node.name}.log")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixtures know of a failure, so that they keep logs and pictures."""
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report
