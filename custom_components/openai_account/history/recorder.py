"""The recorder's side of the history: its statistics read, written and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    async_update_statistics_metadata,
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance

from ..const import DOMAIN
from .measures import Measure
from .rows import Row, Table

_EPOCH = datetime.fromtimestamp(0, UTC)


async def async_read_names(
    hass: HomeAssistant, statistic_ids: Collection[str] | None = None
) -> dict[str, str]:
    """Return the names of this integration's statistics by their ids: all, or some."""

    def read() -> dict[str, str]:
        if statistic_ids is None:
            found = get_metadata(hass, statistic_source=DOMAIN)
        else:
            # The recorder has these in memory.
            found = get_metadata(hass, statistic_ids=set(statistic_ids))
        return {statistic_id: one["name"] or "" for statistic_id, (_, one) in found.items()}

    return await get_instance(hass).async_add_executor_job(read)


async def async_read_tables(
    hass: HomeAssistant, statistic_ids: Collection[str], since: datetime | None = None
) -> dict[str, Table]:
    """Return the tables of those statistics that exist, with the rows from an hour on."""
    return await get_instance(hass).async_add_executor_job(
        _read_tables, hass, set(statistic_ids), since or _EPOCH
    )


def _read_tables(hass: HomeAssistant, wanted: set[str], since: datetime) -> dict[str, Table]:
    """Read tables; runs in the executor."""
    existing = set(get_metadata(hass, statistic_ids=wanted)) if wanted else set()
    if not existing:
        return {}
    found = statistics_during_period(
        hass, since, None, existing, "hour", None, {"state", "sum", "last_reset", "change"}
    )
    before = {
        statistic_id: (rows[0].get("sum") or 0.0) - (rows[0].get("change") or 0.0)
        for statistic_id, rows in found.items()
    }
    for statistic_id in existing - found.keys():
        if last := get_last_statistics(hass, 1, statistic_id, False, {"sum"}):
            before[statistic_id] = last[statistic_id][0].get("sum") or 0.0
    # Where the sum before is 0, it is not known yet whether there are rows.
    doubtful = {one for one in found if not before[one]}
    if doubtful:
        earlier = statistics_during_period(hass, _EPOCH, since, doubtful, "hour", None, {"sum"})
        doubtful -= earlier.keys()
    return {
        statistic_id: Table(
            dict(_row(row) for row in found.get(statistic_id, ())),
            None if statistic_id in doubtful else before.get(statistic_id),
        )
        for statistic_id in existing
    }


def _row(row: StatisticsRow) -> tuple[datetime, Row]:
    start = datetime.fromtimestamp(row["start"], UTC)
    state, last_reset = row.get("state"), row.get("last_reset")
    day: date | None = None
    if last_reset is not None:
        day = datetime.fromtimestamp(last_reset, UTC).date()
    elif state is not None:
        # A row of a former release
        day = start.date()
    return start, Row(state, row.get("sum") or 0.0, day)


@callback
def async_write[DayT](
    hass: HomeAssistant,
    measure: Measure[DayT],
    statistic_id: str,
    name: str,
    rows: Mapping[datetime, Row],
) -> None:
    """Hand rows, and the statistic's name, to the recorder, which writes them in one go."""
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=name,
        source=DOMAIN,
        statistic_id=statistic_id,
        unit_class=measure.unit_class,
        unit_of_measurement=measure.unit,
    )
    async_add_external_statistics(hass, metadata, [_data(*item) for item in rows.items()])


def _data(start: datetime, row: Row) -> StatisticData:
    data = StatisticData(start=start, sum=row.sum, last_reset=None)
    if row.state is not None and row.day is not None:
        data["state"] = row.state
        data["last_reset"] = datetime.combine(row.day, time.min, UTC)
    return data


async def async_wait_until_written(hass: HomeAssistant, statistic_id: str) -> None:
    """Wait until the recorder has written all that it was handed so far.

    It works through its tasks in their order. This one changes nothing.
    """
    done = asyncio.Event()

    def is_done() -> None:
        hass.loop.call_soon_threadsafe(done.set)

    async_update_statistics_metadata(hass, statistic_id, on_done=is_done)
    await done.wait()
