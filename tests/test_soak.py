"""Many polls, with faults thrown in: nothing stays behind, and each outcome is what happened.

SOAK_POLLS in the environment tells how many; the ordinary tests do a short form.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from pathlib import Path
import random
import tracemalloc

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import PRESETS, LineItem

from .common import RunningSimulator, poll, setup_entry, state
from .const import NOW, SENSOR_OF_ENDPOINT

POLLS = int(os.environ.get("SOAK_POLLS", "150"))
SEED = 20261124
# What takes long to send, or to wait for, is in the other tests
FAULTS = sorted(set(PRESETS) - {"huge", "bomb", "hang", "slow"})
MEBIBYTE = 1024 * 1024


def sockets() -> int:
    """Return how many sockets this process holds."""
    links = Path("/proc/self/fd").iterdir()
    return sum(str(link.readlink()).startswith("socket:") for link in links if link.is_symlink())


async def test_soak(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Poll after poll, each endpoint shows what the simulator did to it."""
    freezer.move_to(NOW)
    chance = random.Random(SEED)  # noqa: S311 - a fixed seed, no secret
    simulator.account.ledger = {}
    await setup_entry(hass, entry)
    coordinators = {one.endpoint: one for one in entry.runtime_data.coordinators}
    # Records of faults are pytest's to keep, which would be all the memory that grows here.
    logging.disable(logging.CRITICAL)
    tracemalloc.start()
    marks: list[tuple[int, int, int, int]] = []
    for turn in range(POLLS):
        simulator.clear_faults()
        hit = {
            endpoint: chance.choice(FAULTS)
            for endpoint in SENSOR_OF_ENDPOINT
            if chance.random() < 0.3
        }
        for endpoint, fault in hit.items():
            simulator.fault(endpoint, fault)
        cents = float(chance.randrange(1, 10_000))
        # Far enough for every pause to be over
        freezer.tick(3700)
        today = dt_util.utcnow().date()
        simulator.account.ledger = {today: [LineItem("gpt-5.5, input", cents)]}
        simulator.requests.clear()
        await poll(hass, freezer, 1)
        for endpoint, sign in SENSOR_OF_ENDPOINT.items():
            seen = sum(request.path.endswith(endpoint) for request in simulator.requests)
            # Where the credit is not served, the usage is asked whether it tells it.
            derives = endpoint == "usage" and hit.get("credit_grants") == "not_found"
            assert 1 <= seen <= (4 if derives else 2), (turn, endpoint)
            failed = endpoint in hit
            assert (state(hass, sign) == STATE_UNAVAILABLE) is failed, (turn, hit)
            name = "costs" if endpoint == "usage" else endpoint
            assert coordinators[name].last_update_success is not failed
        if "usage" not in hit:
            assert round(float(state(hass, "model_cost_gpt_5_5")) * 100, 4) == cents
        if turn % max(1, POLLS // 5) == POLLS // 5 - 1:
            gc.collect()
            marks.append(
                (
                    len(asyncio.all_tasks()),
                    sockets(),
                    sum(len(one._listeners) for one in coordinators.values()),
                    tracemalloc.get_traced_memory()[0],
                )
            )
    tracemalloc.stop()
    logging.disable(logging.NOTSET)
    print(f"\n{POLLS} polls: tasks, sockets, listeners, bytes: {marks}")  # noqa: T201
    first, last = marks[0], marks[-1]
    assert last[0] <= first[0] + 1
    assert last[1] <= first[1] + 4
    assert last[2] == first[2]
    assert last[3] - first[3] < 4 * MEBIBYTE
