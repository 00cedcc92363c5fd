"""A Home Assistant that is killed again and again, in the middle of polls and of writing."""

import asyncio
from contextlib import suppress

import aiohttp

from scripts.home import Home
from scripts.process import until

from .conftest import Service
from .test_process import add_account, by_key, check_states, is_filled

KILLS = 10


async def test_kill(home: Home, service: Service) -> None:
    """Killed ten times, it starts again each time with nothing lost and nothing doubled."""
    entry = await add_account(home, service)
    await until(lambda: is_filled(home), "Every entity has a state")
    entities = by_key(await home.entities())
    stored = home.folder / ".storage" / "core.config_entries"

    async def is_stored() -> bool:
        return "openai_account" in stored.read_text()

    await until(is_stored, "The entry is on disk")
    available = entities["total_available"]["entity_id"]
    for round_ in range(KILLS):
        # In odd rounds while an answer is awaited, in even ones right behind new states.
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
        await until(lambda: is_filled(home), "Every entity has a state again")
        assert [one["entry_id"] for one in await home.entries()] == [entry["entry_id"]]
        after = by_key(await home.entities())
        assert {key: one["entity_id"] for key, one in after.items()} == {
            key: one["entity_id"] for key, one in entities.items()
        }
        await check_states(home, service)
    assert "Traceback" not in home.process.output()
