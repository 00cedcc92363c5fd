"""When endpoints are polled, to the second, and how a poll's days join the known ones."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from custom_components.openai_account.coordinator.window import WholeOnceADay, replaced

from .common import RunningSimulator, count_requests, entity_id, poll, setup_entry
from .const import KEY, NOW, ORGANIZATION


async def set_up(
    hass: HomeAssistant, simulator: RunningSimulator, count: int, interval: int
) -> None:
    """Set up some accounts at once, as a start of Home Assistant does."""
    for number in range(count):
        MockConfigEntry(
            domain=DOMAIN,
            unique_id=f"account-{number}",
            data={"host": simulator.url, CONF_SESSION_KEY: KEY},
            options={"update_interval": interval},
        ).add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done(wait_background_tasks=True)
    simulator.requests.clear()


async def test_accounts_share_the_interval(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """The last of three accounts is polled after a third of the interval, the first after all."""
    freezer.move_to(NOW)
    await set_up(hass, simulator, 3, 300)
    elapsed = 0
    for seconds, polls in ((99, 0), (101, 1), (199, 1), (201, 2), (299, 2), (301, 3), (399, 3)):
        await poll(hass, freezer, seconds - elapsed)
        elapsed = seconds
        assert count_requests(simulator, "credit_grants") == polls


async def test_accounts_share_the_minute_after_midnight(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Of two accounts, the second is polled 45 seconds after midnight UTC, the first after 60."""
    freezer.move_to(NOW.replace(hour=23, minute=50))
    await set_up(hass, simulator, 2, 86_400)
    elapsed = 0
    for seconds, polls in ((44, 0), (45, 1), (59, 1), (60, 2)):
        await poll(hass, freezer, 600 + seconds - elapsed)
        elapsed = 600 + seconds
        assert count_requests(simulator, "credit_grants") == polls


async def test_other_usage_comes_every_half_hour(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After the first poll of a day, an endpoint of usage is polled 30 minutes apart."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    polled: list[int] = []
    simulator.requests.clear()
    for minute in range(1, 100):
        await poll(hass, freezer, 60)
        if count_requests(simulator, "usage/embeddings"):
            polled.append(minute)
            simulator.requests.clear()
    assert len(polled) >= 2
    assert {after - before for before, after in pairwise(polled)} == {30}


@pytest.mark.parametrize(
    ("interval", "updated", "following"),
    [(300, 200, 300), (300, 240, 300), (300, 241, 600), (60, 30, 60), (60, 31, 120)],
)
async def test_next_poll_after_a_manual_update(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    interval: int,
    updated: int,
    following: int,
) -> None:
    """An endpoint rejoins the others, but not within a minute or half the interval."""
    freezer.move_to(NOW)
    assert await async_setup_component(hass, HOMEASSISTANT, {})
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=ORGANIZATION,
        data={"host": simulator.url, CONF_SESSION_KEY: KEY, "organization": ORGANIZATION},
        options={"update_interval": interval},
    )
    await setup_entry(hass, entry)
    freezer.tick(updated)
    await hass.services.async_call(
        HOMEASSISTANT,
        "update_entity",
        {"entity_id": entity_id(hass, "total_available")},
        blocking=True,
    )
    simulator.requests.clear()
    await poll(hass, freezer, following - updated - 2)
    assert count_requests(simulator, "credit_grants") == 0
    await poll(hass, freezer, 3)
    assert count_requests(simulator, "credit_grants") == 1


def test_fetched_days_replace_those_of_their_span() -> None:
    """The first day of the span is replaced, its end is not; equal values stay the same."""
    days = [date(2026, 11, number) for number in range(1, 7)]
    known = {day: [day.day] for day in days}
    fetched = {days[3]: [40], days[2]: [3]}
    found = replaced(known, fetched, days[1], days[4])
    assert list(found.items()) == [
        (days[0], [1]),
        (days[2], [3]),
        (days[3], [40]),
        (days[4], [5]),
        (days[5], [6]),
    ]
    assert found[days[2]] is known[days[2]]
    assert replaced({}, fetched, days[1], days[4]) == fetched


def test_whole_is_due_once_a_day() -> None:
    """The whole is due until it is received, on any other day, and once it was of no use."""
    whole, day = WholeOnceADay(), date(2026, 11, 24)
    assert whole.is_due(day)
    whole.note_success(day)
    assert not whole.is_due(day)
    assert whole.is_due(date(2026, 11, 23))
    assert whole.is_due(date(2026, 11, 25))
    whole.forget()
    assert whole.is_due(day)
