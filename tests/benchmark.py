"""What the integration costs, measured: scripts/benchmark runs it.

The simulator runs in a process of its own, so that the time measured is Home
Assistant's, all its threads together. The longest stop of the event loop is that
of the longest single callback. Both clocks are on the last day of the month, when
there is most to request.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time as wall_time, timedelta
from functools import partial
import gc
import logging
import os
from pathlib import Path
import platform
import sys
import time
from typing import Self, override

import aiohttp
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.util import session_scope
from homeassistant.const import CONF_HOST, __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import orjson
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from sqlalchemy import func, select
from yarl import URL

from custom_components.openai_account.api.response import read_body
from custom_components.openai_account.const import CONF_ADMIN_KEY, CONF_SESSION_KEY, DOMAIN
from development.process import LOOPBACK, Process, free_port
from simulator import DEMO_ADMIN_KEY, DEMO_SESSION_KEY

PAGE = Path(__file__).parent.parent / "docs" / "benchmark.md"
POLLS = 10
# A poll without news takes a millisecond or two, which a few cannot measure.
POLLS_WITHOUT_NEWS = 100
FILLS = 8
HEADERS = {"Authorization": f"Bearer {DEMO_SESSION_KEY}", "Accept": "application/json"}
SESSION = {CONF_SESSION_KEY: DEMO_SESSION_KEY}
BOTH = {**SESSION, CONF_ADMIN_KEY: DEMO_ADMIN_KEY}
pytestmark = pytest.mark.usefixtures("recorder_mock")
tables: dict[str, list[str]] = {}


def _last_morning() -> datetime:
    """Return six o'clock (UTC) on the last day of this month."""
    today = datetime.now(UTC).date()
    next_month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    return datetime.combine(next_month - timedelta(days=1), wall_time(6), UTC)


STARTED = datetime.now(UTC)
SHIFT = _last_morning() - STARTED


class LastDay(datetime):
    """The clock on the last day of the month; it runs as the real one does."""

    @classmethod
    @override
    def now(cls, tz: object = None) -> Self:
        """Return the time in UTC, which is all that the client asks for."""
        shifted = datetime.now(UTC) + SHIFT
        return cls.combine(shifted.date(), shifted.timetz())


@pytest.fixture(autouse=True)
def last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the integration's clocks be on the last day of the month."""
    monkeypatch.setattr(dt_util, "utcnow", lambda: datetime.now(UTC) + SHIFT)
    monkeypatch.setattr("custom_components.openai_account.api.client.datetime", LastDay)


@pytest.fixture(autouse=True)
def no_debug_mode(hass: HomeAssistant) -> None:
    """Switch off what tests debug the event loop with: it takes more time than all the rest."""
    hass.loop.set_debug(False)


@dataclass(frozen=True, slots=True)
class Received:
    """A response: where from, with which key, and how many bytes."""

    url: URL
    key: str
    size: int


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[Received]:
    """Return a list of all responses that the client reads."""
    found: list[Received] = []

    async def read(response: aiohttp.ClientResponse) -> bytes:
        body = await read_body(response)
        key = response.request_info.headers["Authorization"]
        found.append(Received(response.url, key, len(body)))
        return body

    monkeypatch.setattr("custom_components.openai_account.api.transport.read_body", read)
    return found


@pytest.fixture
def no_secrets_logged() -> Iterator[None]:
    """Leave out what the tests do to the log: it would be most of the time measured."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@dataclass(slots=True)
class Measure:
    """What some work cost."""

    cpu: float = 0.0
    recorder: float = 0.0
    wall: float = 0.0
    stop: float = 0.0
    collection: float = 0.0


@contextmanager
def measured() -> Iterator[Measure]:
    """Measure CPU time, wall time and the longest callback of the event loop, in seconds."""
    result = Measure()
    run: Callable[[events.Handle], None] = events.Handle._run

    def timed(handle: events.Handle) -> None:
        start = time.perf_counter()
        run(handle)
        result.stop = max(result.stop, time.perf_counter() - start)

    collected = 0.0
    began = 0.0

    def note_collection(phase: str, _: object) -> None:
        nonlocal began, collected
        if phase == "start":
            began = time.perf_counter()
        else:
            collected = max(collected, time.perf_counter() - began)

    gc.collect()
    gc.callbacks.append(note_collection)
    # The one place that all callbacks pass
    setattr(events.Handle, "_run", timed)  # noqa: B010 - mypy forbids the plain assignment
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        yield result
    finally:
        result.cpu, result.wall = time.process_time() - cpu, time.perf_counter() - wall
        setattr(events.Handle, "_run", run)  # noqa: B010
        gc.callbacks.remove(note_collection)
        result.collection = collected


@asynccontextmanager
async def simulated(tmp_path: Path, *options: str) -> AsyncIterator[str]:
    """Run a simulator beside this process and return its URL."""
    port = free_port()
    start = (datetime.now(UTC) + SHIFT).replace(tzinfo=None).isoformat()
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--start", start, *options]
    process = Process("The simulator", command, tmp_path / f"simulator-{port}.log")
    await process.start()
    try:
        await process.answers(f"http://{LOOPBACK}:{port}/simulator/", 300)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await process.stop(10)


def memory() -> float:
    """Return the memory that this process holds, in MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


async def row_count(hass: HomeAssistant) -> int:
    """Return how many rows of statistics there are."""
    await get_instance(hass).async_block_till_done()

    def count() -> int:
        with session_scope(hass=hass, read_only=True) as session:
            return session.execute(select(func.count()).select_from(Statistics)).scalar_one()

    return await get_instance(hass).async_add_executor_job(count)


async def add(
    hass: HomeAssistant, url: str, number: int = 0, keys: dict[str, str] = SESSION
) -> MockConfigEntry:
    """Set up an account."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"Account {number}",
        unique_id=f"account{number}",
        data={CONF_HOST: url, **keys},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def fill(hass: HomeAssistant) -> None:
    """Let the background fill of the history run to its end, without its pauses."""
    rounds, before, rows = 0, -1, await row_count(hass)
    while rounds < FILLS or rows != before:
        async_fire_time_changed(hass, datetime.now(UTC) + timedelta(seconds=3))
        await hass.async_block_till_done(wait_background_tasks=True)
        rounds, before, rows = rounds + 1, rows, await row_count(hass)


async def let_an_hour_pass(url: str) -> None:
    """Move the simulated account's clock, so that most models have cost something since."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/simulator/clock", json={"seconds": 3600}) as response,
    ):
        response.raise_for_status()


async def poll(entries: list[MockConfigEntry]) -> None:
    """Poll all endpoints of some accounts."""
    for entry in entries:
        await asyncio.gather(*(one.async_refresh() for one in entry.runtime_data.coordinators))


def recorder_time(hass: HomeAssistant) -> float:
    """Return the CPU time of the recorder's thread, which writes what it is handed, in seconds."""
    thread = get_instance(hass).ident
    assert thread
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


async def size_of_whole_month(session: aiohttp.ClientSession, one: Received) -> int:
    """Return how many bytes a request for the costs of the whole month gets."""
    first = (datetime.now(UTC) + SHIFT).date().replace(day=1)
    start = int(datetime.combine(first, wall_time(), UTC).timestamp())
    if "start_date" in one.url.query:
        url = one.url.update_query(start_date=first.isoformat())
    else:
        url = one.url.update_query(start_time=start, limit=31)
    async with session.get(url, headers={"Authorization": one.key}) as response:
        return len(await response.read())


ACCOUNTS = [
    pytest.param(5, (), SESSION, "5", id="5"),
    pytest.param(50, (), SESSION, "50", id="50"),
    pytest.param(300, (), SESSION, "300", id="300"),
    pytest.param(5, (), BOTH, "5, both keys", id="5-both"),
    pytest.param(300, (), BOTH, "300, both keys", id="300-both"),
    pytest.param(300, ("--keys", "20"), BOTH, "300 of 20 API keys, both keys", id="300x20"),
]


@pytest.mark.parametrize(("models", "options", "keys", "title"), ACCOUNTS)
async def test_models(
    hass: HomeAssistant,
    tmp_path: Path,
    received: list[Received],
    models: int,
    options: tuple[str, ...],
    keys: dict[str, str],
    title: str,
) -> None:
    """The first fill, a poll that brings something, and one that brings nothing."""
    simulated_models = ("--models", str(models), *options)
    async with simulated(tmp_path, *simulated_models) as url:
        before = memory()
        with measured() as setup:
            entry = await add(hass, url, keys=keys)
        with measured() as first:
            await fill(hass)
        held = memory() - before
        rows = await row_count(hass)
        tables.setdefault("Import of 12 months", []).append(
            f"| {title} | {setup.cpu:.2f} s | {first.cpu:.2f} s | {first.stop * 1000:.0f} ms "
            f"| {rows:,} | {held:.0f} MiB |"
        )
        news, written = Measure(), 0
        for _ in range(POLLS):
            await let_an_hour_pass(url)
            recorder = recorder_time(hass)
            before_poll = {one.entity_id: one.last_reported for one in hass.states.async_all()}
            with measured() as one:
                await poll([entry])
                await hass.async_block_till_done(wait_background_tasks=True)
                await get_instance(hass).async_block_till_done()
            news.recorder += recorder_time(hass) - recorder
            written += sum(
                before_poll.get(state.entity_id) != state.last_reported
                for state in hass.states.async_all()
            )
            news.cpu += one.cpu
            news.stop = max(news.stop, one.stop)
        print(title, news)
        # Polls rewrite the current day's rows, and add those of names that are new on this day.
        assert await row_count(hass) - rows < rows / 50
        line = (
            f"{(news.cpu - news.recorder) / POLLS * 1000:.1f} ms "
            f"| {news.recorder / POLLS * 1000:.1f} ms | {news.stop * 1000:.1f} ms "
            f"| {written / POLLS:.0f} "
        )
        assert await hass.config_entries.async_remove(entry.entry_id)
    async with simulated(tmp_path, *simulated_models, "--still") as url:
        entry = await add(hass, url, 1, keys)
        await fill(hass)
        states = {one.entity_id: one.last_reported for one in hass.states.async_all()}
        # The first poll after the setup is of other days than the setup.
        await poll([entry])
        received.clear()
        await poll([entry])
        responses = [*received]
        with measured() as still:
            for _ in range(POLLS_WITHOUT_NEWS):
                await poll([entry])
        assert {one.entity_id: one.last_reported for one in hass.states.async_all()} == states
        async with aiohttp.ClientSession() as session:
            floor = await _per_poll(lambda: _ask(session, responses))
            costs = next(
                one for one in responses if "/costs" in str(one.url) or "/usage" in str(one.url)
            )
            whole = await size_of_whole_month(session, costs)
        size = sum(one.size for one in responses)
        tables.setdefault("A poll", []).append(
            f"| {title} | {size / 1000:.1f} kB | {(size - costs.size + whole) / 1000:.1f} kB "
            f"| {still.cpu / POLLS_WITHOUT_NEWS * 1000:.1f} ms | {floor * 1000:.1f} ms "
            f"| {still.cpu / POLLS_WITHOUT_NEWS / floor:.2f} | {still.stop * 1000:.1f} ms | {line}|"
        )
    _write()


@pytest.mark.parametrize("accounts", [1, 10, 100])
async def test_accounts(hass: HomeAssistant, tmp_path: Path, accounts: int) -> None:
    """Several accounts in one Home Assistant."""
    async with simulated(tmp_path) as url:
        before = memory()
        entries = [await add(hass, url, number) for number in range(accounts)]
        await fill(hass)
        held = memory() - before
        steady = Measure()
        for _ in range(POLLS):
            await let_an_hour_pass(url)
            recorder = recorder_time(hass)
            with measured() as one:
                await poll(entries)
                await hass.async_block_till_done(wait_background_tasks=True)
                await get_instance(hass).async_block_till_done()
            steady.recorder += recorder_time(hass) - recorder
            steady.cpu += one.cpu
            steady.stop = max(steady.stop, one.stop)
        print(steady)
        polls = POLLS * accounts
        tables.setdefault("Several accounts", []).append(
            f"| {accounts} | {(steady.cpu - steady.recorder) / polls * 1000:.1f} ms "
            f"| {steady.recorder / polls * 1000:.1f} ms | {steady.stop * 1000:.1f} ms "
            f"| {held / accounts:.1f} MiB |"
        )
    _write()


async def test_others(hass: HomeAssistant, tmp_path: Path, received: list[Received]) -> None:
    """What a person would do without this integration, and the floor below which nothing is."""
    async with simulated(tmp_path, "--still") as url:
        entry = await add(hass, url)
        await fill(hass)
        await poll([entry])
        received.clear()
        await poll([entry])
        responses = [*received]
        ours = await _per_poll(lambda: poll([entry]))
        assert await hass.config_entries.async_unload(entry.entry_id)
        await _set_up_rest(hass, url)

        async def rest() -> None:
            for one in hass.data["rest"]["coordinator"]:
                await one.async_refresh()

        theirs = await _per_poll(rest)
        bare = [_bare_coordinator(hass, one) for one in responses]

        async def coordinators() -> None:
            await asyncio.gather(*(one.async_refresh() for one in bare))

        least = await _per_poll(coordinators)
        async with aiohttp.ClientSession() as session:
            floor = await _per_poll(lambda: _ask(session, responses))
    tables["Comparison"] = [
        f"| {who} | {time * 1000:.2f} ms | {time / floor:.1f} |"
        for who, time in (
            ("three aiohttp requests and `orjson.loads`", floor),
            ("the same in three of Home Assistant's coordinators", least),
            ("this integration", ours),
            ("the `rest` integration, templates", theirs),
        )
    ]
    _write()


async def _per_poll(work: Callable[[], Coroutine[None, None, None]]) -> float:
    await work()
    with measured() as result:
        for _ in range(POLLS_WITHOUT_NEWS):
            await work()
    return result.cpu / POLLS_WITHOUT_NEWS


def _days() -> str:
    today = (datetime.now(UTC) + SHIFT).date()
    return f"start_date={today.replace(day=1)}&end_date={today + timedelta(days=1)}"


async def _ask(session: aiohttp.ClientSession, responses: list[Received]) -> None:
    """Request what a poll has requested, and parse it."""
    for one in responses:
        await _repeat(session, one)


async def _repeat(session: aiohttp.ClientSession, one: Received) -> object:
    """Send the request of a response again, and return its parsed body."""
    headers = {"Authorization": one.key, "Accept": "application/json"}
    async with session.get(one.url, headers=headers) as response:
        return orjson.loads(await response.read())


def _bare_coordinator(hass: HomeAssistant, one: Received) -> DataUpdateCoordinator[object]:
    """Return a coordinator that does nothing but request what a poll has requested."""
    coordinator = DataUpdateCoordinator[object](
        hass,
        logging.getLogger(__name__),
        config_entry=None,
        name=one.url.path,
        update_method=partial(_repeat, async_get_clientsession(hass), one),
        update_interval=timedelta(minutes=5),
        always_update=False,
    )
    coordinator.async_add_listener(lambda: None)
    return coordinator


async def _set_up_rest(hass: HomeAssistant, url: str) -> None:
    """Set up the three endpoints with the values of the entities that are on by default."""
    base = f"{url}/dashboard/billing"
    credit = {
        key: f"{{{{ value_json.{key} }}}}"
        for key in ("total_granted", "total_used", "total_available", "total_paid_available")
    }
    cents = "{{% set ns = namespace(sum=0) %}}{{% for day in value_json.daily_costs %}}"
    items = (
        "{{% for item in day.line_items {} %}}{{% set ns.sum = ns.sum + item.cost %}}{{% endfor %}}"
    )
    end = "{{% endfor %}}{{{{ ns.sum / 100 }}}}"
    models = ("gpt-5.5", "gpt-5-mini", "gpt-image-2", "text-embedding-3-large", "web search")
    costs = {"cost_this_month": (cents + items.format("") + end)} | {
        f"cost {model}": cents + items.format(f"if item.name.startswith('{model}')") + end
        for model in models
    }
    costs = {key: text.replace("{{%", "{%").replace("%}}", "%}") for key, text in costs.items()}
    costs = {key: text.replace("{{{{", "{{").replace("}}}}", "}}") for key, text in costs.items()}
    plan = {
        key: f"{{{{ value_json.{key} }}}}"
        for key in ("hard_limit_usd", "soft_limit_usd", "delinquent", "has_payment_method")
    }
    config = [
        {
            "resource": f"{base}/{path}",
            "headers": HEADERS,
            "scan_interval": 86400,
            "sensor": [
                {"name": key, "unique_id": key, "value_template": text}
                for key, text in templates.items()
            ],
        }
        for path, templates in (
            ("credit_grants", credit),
            (f"usage?{_days()}", costs),
            (f"subscription?{_days()}", plan),
        )
    ]
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "rest", {"rest": config})
    await hass.async_block_till_done()
    state = hass.states.get("sensor.cost_this_month")
    assert state
    assert float(state.state) > 0


def _write() -> None:
    """Write the page."""
    heads = {
        "Import of 12 months": (
            "| models | setup, CPU | import, CPU | longest block | rows written | memory |\n"
            "|---:|---:|---:|---:|---:|---:|"
        ),
        "A poll": (
            "| models | received | with the whole month | without news: CPU | bare requests "
            "| ratio | longest block | with news: CPU | the recorder's thread | longest block "
            "| states written |\n"
            "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        ),
        "Several accounts": (
            "| accounts | CPU per poll with news and account | the recorder's thread "
            "| longest block | memory per account |\n"
            "|---:|---:|---:|---:|---:|"
        ),
        "Comparison": "| without news | CPU per poll | ratio |\n|---|---:|---:|",
    }
    about = f"""# Benchmark

Measured by `scripts/benchmark`: Home Assistant {__version__}, Python {platform.python_version()},
{os.cpu_count()} processors, SQLite in memory, the simulator in a separate process. CPU time is
for all threads. The longest block is the longest single callback of the event loop; Home Assistant
itself warns at 100 ms. The setup includes the first days of the history.

The clock is on the last day of the month. A poll is one request to each endpoint that the keys
open: of the costs, the current day and the three days before it, with three rows per model and
day. The whole month is requested once per day. Bare requests are the same ones sent with
`aiohttp`, one after the other, and parsed with `orjson`.
"""
    parts = [
        f"## {title}\n\n{heads[title]}\n" + "\n".join(tables[title])
        for title in heads
        if title in tables
    ]
    PAGE.write_text("\n\n".join([about.rstrip(), *parts]) + "\n")
    print("\n" + PAGE.read_text())
