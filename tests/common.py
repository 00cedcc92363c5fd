"""Helpers that tests share: time, entities, flows, options, requests and history."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import (
    async_list_statistic_ids,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigFlowResult
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.openai_account.const import DOMAIN
from simulator import Simulator

from .const import DEFAULT_OPTIONS, ORGANIZATION, SENSOR_OF_ENDPOINT


class RunningSimulator(Simulator):
    """A simulator, and the URL at which it listens."""

    url: str = ""


# ---- Time --------------------------------------------------------------------------------------


async def setup_entry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Add an entry and wait until it is set up."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float = 301) -> None:
    """Move the clock forward and wait for the polls that are due by then.

    Without `seconds` it moves just past the default update interval.
    """
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await settle(hass, freezer)


async def settle(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Wait until nothing is running; a request that gets no response times out.

    The event loop reads the frozen clock, too, so a timeout needs the clock to be moved.
    """
    waiting = asyncio.ensure_future(hass.async_block_till_done(wait_background_tasks=True))
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0)
        turns += 1
        if turns % 100 == 0 and DATA_INSTANCE in hass.data:
            # While the recorder writes, turning in circles only takes its time.
            await get_instance(hass).async_block_till_done()
        if turns % 60_000 == 0:
            freezer.tick(31)
            async_fire_time_changed(hass)
    await waiting


# ---- Entities ----------------------------------------------------------------------------------


def entity_id(hass: HomeAssistant, key: str, platform: str = "sensor") -> str:
    """Return the entity id of one of the account's entities by its key."""
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{ORGANIZATION}_{key}")
    assert found, f"no entity {key}"
    return found


def state(hass: HomeAssistant, key: str, platform: str = "sensor") -> str:
    """Return the state of one of the account's entities by its key."""
    found = hass.states.get(entity_id(hass, key, platform))
    assert found
    return found.state


def has_entity(hass: HomeAssistant, key: str, platform: str = "sensor") -> bool:
    """Return whether the account has an entity with this key."""
    unique_id = f"{ORGANIZATION}_{key}"
    return er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id) is not None


def entity_keys(hass: HomeAssistant, entry: ConfigEntry, *, enabled_only: bool = False) -> set[str]:
    """Return the keys of an account's entities, of all platforms."""
    return {
        entity.unique_id.removeprefix(f"{entry.unique_id}_")
        for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if not (enabled_only and entity.disabled_by)
    }


def unavailable_endpoints(hass: HomeAssistant) -> set[str]:
    """Return the dashboard endpoints whose sensor is unavailable."""
    return {
        endpoint
        for endpoint, key in SENSOR_OF_ENDPOINT.items()
        if state(hass, key) == STATE_UNAVAILABLE
    }


# ---- Flows and options -------------------------------------------------------------------------


async def start_user_flow(hass: HomeAssistant) -> str:
    """Open the form that adds an account and return the flow's id."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    assert not result["errors"]
    return result["flow_id"]


async def submit_form(hass: HomeAssistant, flow_id: str, **values: Any) -> ConfigFlowResult:
    """Fill in a flow's open form, submit it and return what comes next."""
    result = await hass.config_entries.flow.async_configure(flow_id, values)
    await hass.async_block_till_done()
    return result


def suggested_values(result: ConfigFlowResult) -> dict[str, Any]:
    """Return the values that a form suggests, by field."""
    assert result["data_schema"]
    return {
        str(key): key.description["suggested_value"]
        for key in result["data_schema"].schema
        if key.description and "suggested_value" in key.description
    }


async def set_options(hass: HomeAssistant, entry: MockConfigEntry, **options: Any) -> None:
    """Submit the options form and wait until the entry is reloaded."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {**DEFAULT_OPTIONS, **options}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)


# ---- The simulated account ---------------------------------------------------------------------


def set_available_credit(simulator: RunningSimulator, available: float | None) -> None:
    """Set the account's available credit, in US dollars; `None` is reported as null."""
    simulator.account.credit_grants_override = {
        "total_granted": 50.0,
        "total_used": 10.0,
        "total_available": available,
    }


def requested_endpoints(simulator: RunningSimulator) -> set[str]:
    """Return the endpoints that have received a request."""
    return {request.endpoint for request in simulator.requests}


def count_requests(simulator: RunningSimulator, endpoint: str) -> int:
    """Return how many requests an endpoint has received."""
    return sum(request.endpoint == endpoint for request in simulator.requests)


async def get_costs(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> dict[str, Any]:
    """Call the action `get_costs` and return its response."""
    response = await hass.services.async_call(
        DOMAIN,
        "get_costs",
        {"config_entry_id": entry.entry_id, **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    return dict(response)


# ---- History -----------------------------------------------------------------------------------


async def fill_history(hass: HomeAssistant, freezer: FrozenDateTimeFactory, times: int = 8) -> None:
    """Let the history fill in the background, one window each time."""
    for _ in range(times):
        await poll(hass, freezer, 3)


async def recorder_is_done(hass: HomeAssistant) -> None:
    """Wait until the recorder has done all that it was handed so far.

    Its own `async_block_till_done` does not wait for a task that it has begun, once none is queued.
    """
    done = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(done))
    await done


async def history_rows(hass: HomeAssistant) -> dict[str, dict[date, tuple[float, float]]]:
    """Return the statistics in the database: each UTC day's cost and sum, by statistic id.

    A day's last row is that of its local date; all rows of a date must agree.
    """
    result: dict[str, dict[date, tuple[float, float]]] = {}
    for statistic_id, rows in (await hourly_rows(hass)).items():
        days = result[statistic_id] = {}
        for row in rows:
            if row["state"] is None:
                # Nothing is known of this day; the next one is.
                assert row["last_reset"] is None
                continue
            day = dt_util.as_local(dt_util.utc_from_timestamp(row["start"])).date()
            value = (round(row["state"], 9), round(row["sum"], 9))
            assert days.setdefault(day, value) == value
            # Rows of former releases have no last reset.
            assert row["last_reset"] in {None, datetime.combine(day, time.min, UTC).timestamp()}
    return result


async def hourly_rows(hass: HomeAssistant) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of this integration's statistics, in their order, by statistic id."""
    await recorder_is_done(hass)
    ids = {one["statistic_id"] for one in await async_list_statistic_ids(hass)}
    found: Mapping[str, Any] = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass,
            datetime(2020, 1, 1, tzinfo=UTC),
            None,
            {one for one in ids if one.startswith(f"{DOMAIN}:")},
            "hour",
            None,
            {"state", "sum", "last_reset"},
        )
    )
    return dict(found)
