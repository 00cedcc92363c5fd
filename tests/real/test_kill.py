"""A Home Assistant that is killed again and again, during polls and writes."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

import aiohttp
import pytest

from development.home import Home
from development.process import until

from .common import Service, add_account, check_states, entities_by_key, every_entity_has_a_state

KILLS = 10
STATISTIC = "openai_account:org_simulatedexamplehome01_cost"


async def test_killed_home_assistant_loses_nothing(home: Home, service: Service) -> None:
    """Killed ten times, it starts again each time with nothing lost and nothing doubled."""
    entry = await add_account(home, service)
    await until(lambda: every_entity_has_a_state(home), "Every entity has a state")
    entities = entities_by_key(await home.entities())
    stored = home.folder / ".storage" / "core.config_entries"

    async def is_stored() -> bool:
        return "openai_account" in stored.read_text()

    await until(is_stored, "The entry is on disk")
    available = entities["total_available"]["entity_id"]
    for round_ in range(KILLS):
        # In odd rounds while a request waits for its response, in even ones right after new states.
        if round_ % 2:
            service.simulator.fault("*", "slow")
        else:
            service.simulator.account.subscription["hard_limit_usd"] = 120.0 + round_
        seen = len(service.simulator.requests)
        poll = asyncio.create_task(
            home.post("/api/services/homeassistant/update_entity", {"entity_id": available})
        )

        async def has_asked(seen: int = seen) -> bool:
            return len(service.simulator.requests) > seen

        await until(has_asked, "A poll is under way")
        if round_ % 2 == 0:
            await poll
        home.process.kill()
        await home.process.wait()
        with suppress(aiohttp.ClientError):
            await poll
        await home.stop()
        service.simulator.clear_faults()
        await home.start()
        await until(lambda: every_entity_has_a_state(home), "Every entity has a state again")
        assert [one["entry_id"] for one in await home.entries()] == [entry["entry_id"]]
        after = entities_by_key(await home.entities())
        assert {key: one["entity_id"] for key, one in after.items()} == {
            key: one["entity_id"] for key, one in entities.items()
        }
        await check_states(home, service)
    assert "Traceback" not in home.process.output()
    await until(lambda: check_history(home, service), "The history is whole", 60)


async def check_history(home: Home, service: Service) -> bool:
    """Return whether the past year stands in the statistics; no row may be wrong meanwhile."""
    today = service.now.date()
    first = today - timedelta(days=365)
    found = await home.command(
        "recorder/statistics_during_period",
        start_time=f"{first.isoformat()}T00:00:00+00:00",
        statistic_ids=[STATISTIC],
        period="hour",
        types=["state", "sum"],
    )
    rows = cast("dict[str, list[dict[str, float]]]", found).get(STATISTIC, [])
    total, days = 0.0, set()
    for row in rows:
        # A completed day has a second row, with the same cost and sum.
        day = datetime.fromtimestamp(row["start"] / 1000, UTC).date()
        cents = service.simulator.account.cents(day, service.now)
        total += 0 if day in days else row["state"]
        days.add(day)
        assert row["state"] == pytest.approx(cents / 100, abs=1e-6), day
        assert row["sum"] == pytest.approx(total, abs=1e-6), day
    return len(days) == 366
