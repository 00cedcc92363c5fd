"""What the history reads from the recorder, whoever wrote it, and when something is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
import threading
from typing import override

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
)
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.core import HomeAssistant
import pytest

from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.history.measures import COSTS
from custom_components.openai_account.history.recorder import (
    async_read_names,
    async_read_tables,
    async_wait_until_written,
    async_write,
)
from custom_components.openai_account.history.rows import Row, Table

from .common import recorder_is_done
from .history import metadata_of

pytestmark = pytest.mark.usefixtures("recorder_mock")

ONE, OTHER = f"{DOMAIN}:one_cost", f"{DOMAIN}:other_cost"
DAY = date(2026, 11, 20)
FIRST = datetime.combine(DAY, time(5), UTC)
HOUR = timedelta(hours=1)


async def add(
    hass: HomeAssistant, rows: Sequence[StatisticData], statistic: str = ONE, name: str | None = ""
) -> None:
    """Write rows by another hand than the history's."""
    async_add_external_statistics(hass, metadata_of(statistic, name), rows)
    await recorder_is_done(hass)


def sums(*values: float | None) -> list[StatisticData]:
    """Return rows of one hour after another, with these sums alone."""
    return [
        StatisticData(start=FIRST + hour * HOUR)
        if value is None
        else StatisticData(start=FIRST + hour * HOUR, sum=value)
        for hour, value in enumerate(values)
    ]


async def test_names(hass: HomeAssistant) -> None:
    """All statistics of the integration have a name, or only the wanted ones are returned."""
    await add(hass, [], name="My cost")
    await add(hass, [], OTHER, name=None)
    assert await async_read_names(hass) == {ONE: "My cost", OTHER: ""}
    assert await async_read_names(hass, [ONE]) == {ONE: "My cost"}
    assert await async_read_names(hass, [OTHER, "nobody:knows"]) == {OTHER: ""}


async def test_tables(hass: HomeAssistant) -> None:
    """A table has the rows from an hour on, and the sum before them."""
    await add(hass, sums(2.0, 5.0, 4.0))
    await add(hass, [], OTHER)
    rows = {
        FIRST + hour * HOUR: Row(None, value, None) for hour, value in enumerate([2.0, 5.0, 4.0])
    }
    assert await async_read_tables(hass, []) == {}
    assert await async_read_tables(hass, [f"{DOMAIN}:nothing_cost"]) == {}
    assert await async_read_tables(hass, [ONE, OTHER]) == {ONE: Table(rows), OTHER: Table({})}
    assert await async_read_tables(hass, [ONE], FIRST) == {ONE: Table(rows)}
    for hour, before in ((1, 2.0), (2, 5.0), (3, 4.0)):
        since = FIRST + hour * HOUR
        later = {start: row for start, row in rows.items() if start >= since}
        assert await async_read_tables(hass, [ONE, OTHER], since) == {
            ONE: Table(later, before),
            OTHER: Table({}),
        }


@pytest.mark.parametrize("value", [0.0, None])
async def test_sum_of_nothing(hass: HomeAssistant, value: float | None) -> None:
    """A sum of 0 before the rows is not the same as no rows; a row without a sum has 0."""
    await add(hass, sums(value, 3.0))
    await add(hass, sums(value), OTHER)
    first, second = Row(None, 0.0, None), Row(None, 3.0, None)
    assert await async_read_tables(hass, [ONE, OTHER]) == {
        ONE: Table({FIRST: first, FIRST + HOUR: second}),
        OTHER: Table({FIRST: first}),
    }
    assert await async_read_tables(hass, [ONE, OTHER], FIRST + HOUR) == {
        ONE: Table({FIRST + HOUR: second}, 0.0),
        OTHER: Table({}, 0.0),
    }


async def test_days_of_rows(hass: HomeAssistant) -> None:
    """The last reset tells a row's day; a former release's row is of the day that it is in."""
    other_day = datetime.combine(DAY - timedelta(days=1), time.min, UTC)
    await add(
        hass,
        [
            StatisticData(start=FIRST, state=1.0, sum=1.0, last_reset=other_day),
            StatisticData(start=FIRST + HOUR, state=0.0, sum=1.0),
            StatisticData(start=FIRST + 2 * HOUR, sum=1.0, last_reset=other_day),
            StatisticData(start=FIRST + 3 * HOUR, sum=1.0),
        ],
    )
    rows = (await async_read_tables(hass, [ONE]))[ONE].rows
    assert [*rows.values()] == [
        Row(1.0, 1.0, other_day.date()),
        Row(0.0, 1.0, DAY),
        Row(None, 1.0, other_day.date()),
        Row(None, 1.0, None),
    ]


@dataclass(slots=True)
class Hold(RecorderTask):
    """Lets the recorder wait before it goes on with its other tasks."""

    go_on: threading.Event = field(default_factory=threading.Event)

    @override
    def run(self, instance: Recorder) -> None:
        self.go_on.wait(10)


async def test_written(hass: HomeAssistant) -> None:
    """What is written can be read again once the recorder has come to it, not earlier."""
    hold = Hold()
    get_instance(hass).queue_task(hold)
    rows = {FIRST: Row(2.5, 7.5, DAY), FIRST + HOUR: Row(None, 7.5, None)}
    async_write(hass, COSTS.measures[0], ONE, "My cost", rows)
    waiting = asyncio.create_task(async_wait_until_written(hass, ONE))
    for _ in range(100):
        await asyncio.sleep(0)
    try:
        assert not waiting.done()
    finally:
        hold.go_on.set()
    await waiting
    assert await async_read_tables(hass, [ONE]) == {ONE: Table(rows)}
    assert await async_read_names(hass) == {ONE: "My cost"}
