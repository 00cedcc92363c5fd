"""Helpers of the tests of history: ledgers, and what the readers of statistics show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
import random
from typing import Literal, cast, override

from aiohttp import web
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
    StatisticPeriod,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    statistic_during_period,
    statistics_during_period,
)
from homeassistant.components.recorder.util import resolve_period, session_scope
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
from simulator import Fault, LineItem

from .common import RunningSimulator, hourly_rows, recorder_is_done
from .const import NOW

ACCOUNT = "openai_account:org_simulatedexamplehome01_cost"
MODEL = f"{ACCOUNT}_o3"
PROJECT = f"{ACCOUNT.removesuffix('_cost')}_project_cost_proj_default"
REQUESTS = ACCOUNT.replace("_cost", "_requests")
TODAY = NOW.date()
DAY = timedelta(days=1)

type Ledger = dict[date, Sequence[LineItem]]
type Rows = dict[str, dict[date, tuple[float, float]]]


def ledger(days: int, models: Sequence[str] = ("gpt-5.5", "o3"), end: date = TODAY) -> Ledger:
    """Return costs, in cents, that differ by day and model."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    return {
        end - offset * DAY: [
            LineItem(f"{model}, {direction}", round(chance.uniform(0.01, 90), 6))
            for model in models
            for direction in ("input", "output")
        ]
        for offset in range(days)
    }


def dollars(book: Mapping[date, Sequence[LineItem]], day: date) -> float:
    """Return what a day costs by a ledger, in US dollars."""
    return sum(item.cost for item in book.get(day, ())) / 100


def check_rows(found: Rows, expected: Ledger, account: str = ACCOUNT) -> None:
    """Hold the database to a ledger: each day's cost, sums of costs, models adding up."""
    total = 0.0
    for day, (cost, running) in sorted(found[account].items()):
        total += cost
        assert cost == pytest.approx(dollars(expected, day), abs=1e-6), day
        assert running == pytest.approx(total, abs=1e-6), day
        models = [
            one[day][0]
            for key, one in found.items()
            if key.startswith(f"{account}_") and day in one
        ]
        assert sum(models) == pytest.approx(cost, abs=1e-6), day
    assert set(found[account]) >= {day for day, items in expected.items() if items}
    for one in found.values():
        running = 0.0
        for _, (cost, sum_) in sorted(one.items()):
            running += cost
            assert sum_ == pytest.approx(running, abs=1e-6)


async def most_rows_of_a_day(hass: HomeAssistant) -> int:
    """Return how many rows a statistic has for a UTC day at most."""
    counts: dict[tuple[str, float], int] = {}
    for statistic_id, rows in (await hourly_rows(hass)).items():
        for row in rows:
            key = statistic_id, row["last_reset"]
            counts[key] = counts.get(key, 0) + 1
    return max(counts.values())


def requested_windows(simulator: RunningSimulator) -> list[tuple[date, date]]:
    """Return the first days, and the days after the last, of the requests for costs."""
    return [
        (date.fromisoformat(one.query["start_date"]), date.fromisoformat(one.query["end_date"]))
        for one in simulator.requests
        if one.endpoint == "usage"
    ]


def past_windows(simulator: RunningSimulator) -> list[tuple[date, date]]:
    """Return those of the requests for costs that are for days before the polls'."""
    polled = TODAY.replace(month=TODAY.month - 1, day=1)
    return [(start, end) for start, end in requested_windows(simulator) if end <= polled]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Fault):
    """Fails only for some requested days: from the first to the one before the last."""

    is_refused: Callable[[date, date], bool]

    @override
    async def respond(self, request: web.Request) -> web.StreamResponse | None:
        start = date.fromisoformat(request.query["start_date"])
        end = date.fromisoformat(request.query["end_date"])
        return await Fault.respond(self, request) if self.is_refused(start, end) else None


async def card(
    hass: HomeAssistant, period: str, offset: int = 0, statistic_id: str = ACCOUNT
) -> float | None:
    """Return what a Statistic card shows for a calendar period."""
    await recorder_is_done(hass)
    start, end = resolve_period(
        cast("StatisticPeriod", {"calendar": {"period": period, "offset": offset}})
    )
    result = await get_instance(hass).async_add_executor_job(
        statistic_during_period, hass, start, end, statistic_id, {"change"}, None
    )
    change: float | None = result["change"]
    return change


async def bars(
    hass: HomeAssistant,
    period: Literal["day", "week", "month", "year"],
    statistic_id: str = ACCOUNT,
) -> dict[date, float]:
    """Return the bars of a statistics graph, by the local date on which they begin."""
    await recorder_is_done(hass)
    result = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass, datetime(2020, 1, 1, tzinfo=UTC), None, {statistic_id}, period, None, {"change"}
        )
    )
    return {
        dt_util.as_local(dt_util.utc_from_timestamp(row["start"])).date(): row["change"] or 0.0
        for row in result.get(statistic_id, ())
    }


async def clear(hass: HomeAssistant, *statistic_ids: str) -> None:
    """Clear statistics, as the developer tools do; without ids, all of this integration."""
    ids = [*statistic_ids] or [*await hourly_rows(hass)]
    get_instance(hass).async_clear_statistics(ids)
    await recorder_is_done(hass)


async def delete_rows_since(
    hass: HomeAssistant, since: datetime, end: datetime = datetime(3000, 1, 1, tzinfo=UTC)
) -> None:
    """Delete rows from a time on, so that the database is what an older one would be."""

    def delete() -> None:
        with session_scope(hass=hass) as session:
            session.query(Statistics).filter(
                Statistics.start_ts >= since.timestamp(), Statistics.start_ts < end.timestamp()
            ).delete()

    await recorder_is_done(hass)
    await get_instance(hass).async_add_executor_job(delete)


def former_store(entry_id: str, models: Mapping[str, str]) -> dict[str, object]:
    """Return what a former release stored; the slugs of models by their names."""
    records = {
        slug: {"name": name, "last_seen": TODAY.isoformat()} for name, slug in models.items()
    }
    return {
        "version": 1,
        "minor_version": 1,
        "key": f"{DOMAIN}.{entry_id}",
        "data": {
            "models": records,
            "endpoints": {"usage": {"missing_since": None}},
            "covered": [("2025-11-24", TODAY.isoformat())],
        },
    }


def metadata_of(statistic_id: str, name: str | None) -> StatisticMetaData:
    """Return the metadata of a statistic of costs."""
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=DOMAIN,
        statistic_id=statistic_id,
        unit_class=None,
        unit_of_measurement="USD",
    )


async def add_former_rows(hass: HomeAssistant, book: Ledger, models: Mapping[str, str]) -> None:
    """Write a ledger as a former release did: a row at 10:00 UTC for each day with costs."""

    def add(statistic_id: str, name: str, costs: Mapping[date, float]) -> None:
        metadata = metadata_of(statistic_id, name)
        total = 0.0
        rows = []
        for day, cost in sorted(costs.items()):
            if cost:
                total += cost
                start = datetime.combine(day, time(10), UTC)
                rows.append(StatisticData(start=start, state=cost, sum=total))
        async_add_external_statistics(hass, metadata, rows)

    add(ACCOUNT, "OpenAI cost", {day: dollars(book, day) for day in book})
    for name, slug in models.items():
        costs = {
            day: sum(item.cost for item in items if item.name.startswith(f"{name},")) / 100
            for day, items in book.items()
        }
        add(f"{ACCOUNT}_{slug}", f"OpenAI cost, {name}", costs)
    await recorder_is_done(hass)


def book_of(costs: Mapping[int, float], model: str = "o3") -> Ledger:
    """Return a ledger with a model's costs in US dollars, by how many days ago they were."""
    return {TODAY - back * DAY: [LineItem(f"{model}, input", 100 * costs[back])] for back in costs}


def windows(*backs: tuple[int, int]) -> list[tuple[date, date]]:
    """Return windows by how many days ago their first days, and the days after their last, were."""
    return [(TODAY - first * DAY, TODAY - end * DAY) for first, end in backs]


async def delete_days(hass: HomeAssistant, *backs: int) -> None:
    """Delete all rows of some days, by how many days ago they were."""
    for back in backs:
        day = TODAY - back * DAY
        start, end = (dt_util.start_of_local_day(one) for one in (day, day + DAY))
        await delete_rows_since(hass, start, end)


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up again after it was unloaded."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def costs_of(found: Rows, key: str) -> dict[int, float]:
    """Return a statistic's values but 0, by how many days ago they were."""
    return {(TODAY - day).days: cost for day, (cost, _) in found[key].items() if cost}
