"""Many polls with random faults: no state is wrong, and neither memory nor sockets leak.

SOAK_POLLS in the environment says how many polls; without it there are few.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
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
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import PRESETS, LineItem

from .common import RunningSimulator, poll, setup_entry, state
from .const import NOW, SENSOR_OF_ENDPOINT

POLLS = int(os.environ.get("SOAK_POLLS", "150"))
SEED = 20261124
# Without the slow ones, which the other tests have
FAULTS = sorted(set(PRESETS) - {"huge", "bomb", "hang", "slow"})
MEBIBYTE = 1024 * 1024


@pytest.fixture
def no_logging() -> Generator[None]:
    """Log nothing: pytest keeps the records, whose memory would hide a leak."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def sockets() -> int:
    """Return how many sockets this process holds."""
    links = Path("/proc/self/fd").iterdir()
    return sum(str(link.readlink()).startswith("socket:") for link in links if link.is_symlink())


@pytest.mark.usefixtures("no_logging")
async def test_many_polls_with_faults(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After every poll each endpoint is available unless it had a fault."""
    freezer.move_to(NOW)
    chance = random.Random(SEED)  # noqa: S311 - a fixed seed, no secret
    simulator.account.ledger = {}
    await setup_entry(hass, entry)
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
        for endpoint, key in SENSOR_OF_ENDPOINT.items():
            seen = sum(request.path.endswith(endpoint) for request in simulator.requests)
            # Without credit grants, the credit is derived from the usage if that allows it.
            derives = endpoint == "usage" and hit.get("credit_grants") == "not_found"
            assert 1 <= seen <= (4 if derives else 2), (turn, endpoint)
            failed = endpoint in hit
            assert (state(hass, key) == STATE_UNAVAILABLE) is failed, (turn, hit)
        if "usage" not in hit:
            assert round(float(state(hass, "model_cost_gpt_5_5")) * 100, 4) == cents
        if turn % max(1, POLLS // 5) == POLLS // 5 - 1:
            gc.collect()
            marks.append(
                (
                    len(asyncio.all_tasks()),
                    sockets(),
                    sum(len(one._listeners) for one in entry.runtime_data.coordinators),
                    tracemalloc.get_traced_memory()[0],
                )
            )
    tracemalloc.stop()
    print(f"\n{POLLS} polls: tasks, sockets, listeners, bytes: {marks}")  # noqa: T201
    first, last = marks[0], marks[-1]
    assert last[0] <= first[0] + 1
    assert last[1] <= first[1] + 4
    assert last[2] == first[2]
    assert last[3] - first[3] < 4 * MEBIBYTE
