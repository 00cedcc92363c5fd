"""The usage: sensors, requests, and the turn of a month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY
from simulator import LineItem

from .common import (
    RunningSimulator,
    count_requests,
    entity_id,
    entity_keys,
    has_entity,
    poll,
    requested_endpoints,
    set_options,
    setup_entry,
    state,
)
from .const import NOW
from .usage import COUNTED, USAGE, requests_of, tokens_of, total, used_days

DAY = timedelta(days=1)


def month_of(now: datetime) -> list[date]:
    """Return the days of a time's UTC month up to that time."""
    return [now.date().replace(day=one) for one in range(1, now.date().day + 1)]


def check_sensors(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """Hold every sensor of usage to the simulator's ledger."""
    now = datetime.now(UTC)
    used = used_days(simulator, now)
    for suffix, days in (("today", [now.date()]), ("this_month", month_of(now))):
        items = [item for day in days for item in used[day]]
        expected = {
            "input_tokens": tokens_of(items, "input"),
            "cached_input_tokens": total(items, "input_cached_tokens"),
            "output_tokens": total(items, "output_tokens"),
            "requests": sum(requests_of(used[day]) for day in days),
            **{key: total(items, count) for key, count in COUNTED.items()},
        }
        shown = {key: int(float(state(hass, f"{key}_{suffix}"))) for key in expected}
        assert shown == expected
        for key in expected:
            found = hass.states.get(entity_id(hass, f"{key}_{suffix}"))
            assert found
            assert found.attributes["last_reset"] == f"{days[0].isoformat()}T00:00:00+00:00"


@pytest.mark.usefixtures("all_entities_enabled")
async def test_sensors_show_the_ledger_over_a_turn_of_the_month(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Today's and this month's counts are those of the ledger, before and after midnight UTC."""
    await hass.config.async_set_time_zone("Pacific/Auckland")
    freezer.move_to("2026-11-30 21:10:00+00:00")
    await setup_entry(hass, full_entry)
    check_sensors(hass, simulator)
    freezer.move_to("2026-11-30 22:30:00+00:00")
    await poll(hass, freezer)
    check_sensors(hass, simulator)
    for hours in (2, 24, 24):
        freezer.tick(hours * 3600)
        await poll(hass, freezer, 1)
        check_sensors(hass, simulator)


@pytest.mark.usefixtures("all_entities_enabled")
async def test_models_and_the_last_24_hours(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A model's tokens are its input and output; the hours are the current one and 23 before."""
    freezer.move_to(NOW)
    today, yesterday = NOW.date(), NOW.date() - DAY
    simulator.account.ledger = {
        NOW.date().replace(day=2): [LineItem("gpt-5.5, input", 1, quantity=700, requests=7)],
        date(2026, 10, 31): [LineItem("gpt-5.5, input", 1, quantity=9_000, requests=9)],
        yesterday: [
            LineItem("gpt-5.5, output", 1, quantity=10, requests=1, hour=15),
            LineItem("gpt-5.5, output", 1, quantity=200, requests=2, hour=16),
            LineItem("gpt-5-mini, cached input", 1, quantity=3_000, requests=3, hour=23),
        ],
        today: [
            LineItem("gpt-5-mini, input", 1, quantity=40_000, requests=4, hour=0),
            LineItem("omni-moderation-latest", 0, quantity=5, requests=5, billed=False),
        ],
    }
    await setup_entry(hass, full_entry)
    assert state(hass, "model_tokens_gpt_5_5_2026_03_01") == "910"
    assert state(hass, "model_tokens_gpt_5_mini") == "43000"
    found = hass.states.get(entity_id(hass, "model_tokens_gpt_5_5_2026_03_01"))
    assert found
    assert found.name == "Example Home Tokens of gpt-5.5-2026-03-01 this month"
    assert found.attributes["unit_of_measurement"] == "tokens"
    assert state(hass, "tokens_last_24_hours") == "43200"
    assert state(hass, "requests_last_24_hours") == "9"
    assert state(hass, "input_tokens_today") == "40005"
    await poll(hass, freezer, 3600)
    assert state(hass, "tokens_last_24_hours") == "43000"
    # Usage spells the model differently from costs, and moderations cost nothing.
    assert not has_entity(hass, "model_cost_gpt_5_5_2026_03_01")
    assert not has_entity(hass, "model_tokens_gpt_5_5")


async def test_counts_appear_with_the_first_use_and_stay(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Images, searches and the like have a sensor from the first count that is not zero."""
    freezer.move_to(NOW)
    simulator.account.ledger = {}
    await setup_entry(hass, full_entry)
    keys = entity_keys(hass, full_entry)
    assert {"input_tokens_today", "requests_this_month", "tokens_last_24_hours"} <= keys
    assert not keys & {f"{key}_this_month" for key in COUNTED} | keys & {"vector_store_bytes"}
    assert state(hass, "input_tokens_today") == "0"

    simulator.account.ledger = {NOW.date() + DAY: [LineItem("gpt-image-2, output", 80.0)]}
    simulator.account.vector_store_bytes = {"proj_a": 3 << 20, "proj_b": 1 << 20}
    await poll(hass, freezer, 86_400)
    assert state(hass, "images_this_month") == "20"
    assert state(hass, "vector_store_bytes") == "4.0"
    entity = er.async_get(hass).async_get(entity_id(hass, "images_today"))
    assert entity
    assert entity.disabled_by

    simulator.account.ledger = {}
    freezer.tick(40 * 86_400)
    await poll(hass, freezer)
    assert await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "images_this_month") == "0"


async def test_session_key_alone_opens_no_usage(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Without an admin key, nothing of the usage is requested or left."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    assert has_entity(hass, "input_tokens_today")
    simulator.requests.clear()
    hass.config_entries.async_update_entry(full_entry, data=entry.data)
    assert await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not requested_endpoints(simulator) & {f"usage/{one}" for one in USAGE}
    left = {key for key in entity_keys(hass, full_entry) if "tokens" in key or "requests" in key}
    assert left == set()
    assert not has_entity(hass, "images_this_month")
    assert not has_entity(hass, "spend_limit_reached", "binary_sensor")
    assert CONF_SESSION_KEY in full_entry.data


# ---- Requests ----------------------------------------------------------------------------------


async def ticks(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, simulator: RunningSimulator, times: int
) -> list[list[str]]:
    """Return the endpoints that are requested within each of some intervals."""
    found = []
    for _ in range(times):
        simulator.requests.clear()
        await poll(hass, freezer, 300)
        found.append([request.endpoint for request in simulator.requests])
    return found


async def test_requests_of_a_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A poll has at most 8 requests; other endpoints come every 30 minutes, idle ones daily."""
    freezer.move_to(NOW)
    book = {NOW.date() - back * DAY: [LineItem("gpt-5.5, input", 50.0)] for back in range(40)}
    book[NOW.date() - 29 * DAY] = [LineItem("text-embedding-3-large", 4.0)]
    book[NOW.date() - 31 * DAY] = [LineItem("whisper-1", 4.0)]
    simulator.account.ledger = book
    await setup_entry(hass, full_entry)
    await poll(hass, freezer)
    polls = await ticks(hass, freezer, simulator, 72)
    assert all(len(requests) <= 8 for requests in polls)
    regular = {"credit_grants", "costs", "subscription", "spend_limit", "usage/completions"}
    assert all(regular <= set(requests) for requests in polls)
    flat = [one for requests in polls for one in requests]
    assert flat.count("usage/completions") == 72
    # In six hours; the first time after start, each endpoint waits for up to an hour.
    assert flat.count("usage/embeddings") == 11
    assert flat.count("usage/audio_transcriptions") == 0
    # All are polled with the day's first poll.
    freezer.move_to("2026-11-25 00:02:00+00:00")
    simulator.requests.clear()
    await poll(hass, freezer, 0)
    assert {f"usage/{one}" for one in USAGE} <= requested_endpoints(simulator)
    for request in simulator.requests:
        if request.endpoint.startswith("usage/"):
            width, limit = request.query["bucket_width"], int(request.query["limit"])
            assert limit <= {"1d": 31, "1h": 168}[width]
    # The earlier days once per day
    assert count_requests(simulator, "usage/completions") == 2


async def test_busy_account_is_requested_every_30_minutes(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Also where every endpoint is in use, a poll has at most 8 requests."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    polls = await ticks(hass, freezer, simulator, 36)
    assert max(map(len, polls)) <= 8
    flat = [one for requests in polls[12:] for one in requests]
    assert {one: flat.count(one) for one in flat if one.startswith("usage/")} == {
        f"usage/{one}": 24 if one == "completions" else 4 for one in USAGE
    }
    await set_options(hass, full_entry, update_interval=3600)
    simulator.requests.clear()
    await poll(hass, freezer, 3700)
    assert count_requests(simulator, "usage/images") <= 1


async def test_the_new_day_comes_in_one_step(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After midnight UTC, no sum is of two days, although the endpoints respond in turn."""
    freezer.move_to("2026-11-24 12:00:00+00:00")
    simulator.account.ledger = {
        NOW.date(): [
            LineItem("gpt-5.5, input", 50.0, hour=9),
            LineItem("text-embedding-3-large", 4.0, hour=20),
        ],
        NOW.date() + DAY: [
            LineItem("gpt-5.5, input", 5.0, hour=0),
            LineItem("text-embedding-3-large", 0.4, hour=0),
        ],
    }
    await setup_entry(hass, full_entry)
    tokens = entity_id(hass, "input_tokens_today")
    before = hass.states.get(tokens)
    assert before
    shown: list[tuple[str, object]] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if new := event.data["new_state"]:
            shown.append((new.state, new.attributes.get("last_reset")))

    stop = async_track_state_change_event(hass, tokens, note)
    freezer.move_to("2026-11-25 00:02:00+00:00")
    await poll(hass, freezer, 0)
    stop()
    after = state(hass, "input_tokens_today")
    assert shown == [(after, "2026-11-25T00:00:00+00:00")]
    assert after != before.state


async def test_nothing_new_writes_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A poll without news writes no state of usage."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 50.0, hour=3)]}
    await setup_entry(hass, full_entry)
    await poll(hass, freezer)

    def reported(keys: Iterable[str]) -> list[datetime]:
        found = [hass.states.get(entity_id(hass, key)) for key in keys]
        return [one.last_reported for one in found if one]

    keys = ("input_tokens_today", "requests_this_month", "output_tokens_this_month")
    before = reported(keys)
    await poll(hass, freezer)
    await poll(hass, freezer)
    assert reported(keys) == before


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize(
    ("models", "expected"),
    [(50, [("1h", True)]), (51, [("1h", False), ("1d", True)])],
)
async def test_many_models(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    models: int,
    expected: list[tuple[str, bool]],
) -> None:
    """Where the hours by model are too large to request, they come without the models."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        NOW.date() - back * DAY: [LineItem(f"model-{one}, input", 3.0) for one in range(models)]
        for back in range(5)
    }
    await setup_entry(hass, full_entry)
    await poll(hass, freezer)
    simulator.requests.clear()
    await poll(hass, freezer)
    requests = [one for one in simulator.requests if one.endpoint == "usage/completions"]
    found = [(one.query["bucket_width"], "group_by" in one.query) for one in requests]
    assert found == expected
    assert state(hass, "model_tokens_model_7") == str(5 * 15_000)
    assert state(hass, "input_tokens_today") == str(models * 15_000)
    assert state(hass, "requests_last_24_hours") != "0"


async def test_budget_left_and_spend_limit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What is left of the budget, or of the limit, can be negative; enforcement is a problem."""
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 10_250.0)]}
    await setup_entry(hass, full_entry)
    assert state(hass, "budget_left") == "-2.5"
    assert state(hass, "spend_limit_reached", "binary_sensor") == "off"
    await set_options(hass, full_entry)
    assert state(hass, "budget_left") == "47.5"
    simulator.account.spend_limit_cents = 10_000
    await poll(hass, freezer)
    assert state(hass, "budget_left") == "-2.5"
    assert state(hass, "spend_limit_reached", "binary_sensor") == "on"
    simulator.account.spend_limit_cents = None
    await poll(hass, freezer)
    assert state(hass, "spend_limit_reached", "binary_sensor") == "unknown"
