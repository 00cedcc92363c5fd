"""The action get_usage, as automations call it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import RunningSimulator, setup_entry, state
from .const import NOW
from .usage import USAGE, requests_of, tokens_of, total, used_days

TODAY = NOW.date()
DAY = timedelta(days=1)


async def get_usage(
    hass: HomeAssistant, entry: MockConfigEntry, start: object, end: object, **data: Any
) -> dict[str, Any]:
    """Call the action and return its response."""
    response = await hass.services.async_call(
        DOMAIN,
        "get_usage",
        {"config_entry_id": entry.entry_id, "start_date": start, "end_date": end, **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    return dict(response)


def counts(
    input_tokens: int = 0, cached_input_tokens: int = 0, output_tokens: int = 0, requests: int = 0
) -> dict[str, int]:
    """Return the counts as the action names them."""
    return {
        "input_tokens": input_tokens,
        "cached_input_tokens": cached_input_tokens,
        "output_tokens": output_tokens,
        "requests": requests,
    }


async def test_groups(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days and sums are broken down by model, project or API key; the rest is unknown."""
    freezer.move_to(NOW)
    one = ("proj_a", "Attic", "key_One")
    simulator.account.ledger = {
        TODAY - 2 * DAY: [LineItem("o3, input", 1, *one, quantity=9, requests=9)],
        TODAY - DAY: [
            LineItem("o3, input", 1, *one, quantity=100, requests=4),
            LineItem("o3, cached input", 1, *one, quantity=20, requests=4),
            LineItem("o3, output", 1, *one, quantity=7, requests=4),
            LineItem("gpt-5.5, input", 1, None, None, None, quantity=50, requests=2),
            LineItem("gpt-image-2, output", 1, *one, quantity=3, requests=3),
        ],
        TODAY: [LineItem("o3, output", 1, *one, quantity=1, requests=1)],
    }
    await setup_entry(hass, full_entry)
    for group_by, plural, name, other in (
        ("model", "models", "o3", "gpt-5.5-2026-03-01"),
        ("project", "projects", "Attic", "unknown"),
        ("api_key", "api_keys", "…ey_One", "unknown"),
    ):
        response = await get_usage(hass, full_entry, TODAY - DAY, TODAY, group_by=group_by)
        images = {"gpt-image-2": counts(requests=3)} if group_by == "model" else {}
        requests = 4 if group_by == "model" else 7
        assert response == {
            "days": [
                {
                    "date": "2026-11-23",
                    **counts(170, 20, 7, 9),
                    plural: {
                        name: counts(120, 20, 7, requests),
                        other: counts(50, 0, 0, 2),
                        **images,
                    },
                },
                {
                    "date": "2026-11-24",
                    **counts(0, 0, 1, 1),
                    plural: {name: counts(0, 0, 1, 1)},
                },
            ],
            **counts(170, 20, 8, 10),
            plural: {
                name: counts(120, 20, 8, requests + 1),
                other: counts(50, 0, 0, 2),
                **images,
            },
        }


async def test_a_year_by_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Every day of a year, in pages of 31 days, is as the ledger has it."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.requests.clear()
    response = await get_usage(hass, full_entry, "2025-11-24", "2026-11-24")
    used = used_days(simulator, NOW)
    days = [TODAY - back * DAY for back in reversed(range(366))]
    assert [date.fromisoformat(day["date"]) for day in response["days"]] == days
    for day in response["days"]:
        items = used[date.fromisoformat(day["date"])]
        expected = counts(
            tokens_of(items, "input"),
            total(items, "input_cached_tokens"),
            total(items, "output_tokens"),
            requests_of(items),
        )
        assert {key: day[key] for key in expected} == expected
        for key, count in expected.items():
            assert sum(model[key] for model in day["models"].values()) == count
    for key in counts():
        assert response[key] == sum(day[key] for day in response["days"])
    counting = {f"usage/{one}" for one in USAGE[:7]}
    assert {request.endpoint for request in simulator.requests} == counting
    assert all(request.query["limit"] == "31" for request in simulator.requests)
    assert len(simulator.requests) == 7 * 12


@pytest.mark.parametrize(
    ("start", "end", "key"),
    [
        ("2026-11-03", "2026-11-01", "dates_reversed"),
        ("2026-11-03", "2026-11-25", "dates_in_future"),
        ("2025-11-23", "2026-11-24", "too_many_days"),
    ],
)
async def test_dates(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    start: str,
    end: str,
    key: str,
) -> None:
    """Days that make no sense are refused, and nothing is requested."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.requests.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await get_usage(hass, full_entry, start, end)
    assert caught.value.translation_key == key
    with pytest.raises(vol.Invalid):
        await get_usage(hass, full_entry, NOW, end)
    with pytest.raises(vol.Invalid):
        await get_usage(hass, full_entry, start, end, group_by="user")
    assert not simulator.requests


async def test_session_key_alone(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Without an admin key, the error says that one is needed."""
    await setup_entry(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await get_usage(hass, entry, "2026-11-01", "2026-11-02")
    assert caught.value.translation_key == "no_admin_key"


@pytest.mark.parametrize(
    ("endpoint", "fault", "key"),
    [
        ("usage/completions", "rate_limited", "rate_limited"),
        ("usage/embeddings", "expired_key", "invalid_auth"),
        ("usage/images", "cut", "cannot_connect"),
        ("usage/moderations", "other_object", "invalid_response"),
        ("usage/audio_speeches", "no_permission", "endpoint_missing"),
        ("usage/vector_stores", "cut", None),
    ],
)
async def test_faults(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    endpoint: str,
    fault: str,
    key: str | None,
) -> None:
    """What an endpoint that counts tokens or requests says is told by name."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    simulator.fault(endpoint, fault)
    if key is None:
        assert (await get_usage(hass, full_entry, "2026-11-01", "2026-11-02"))["requests"]
        return
    with pytest.raises(HomeAssistantError) as caught:
        await get_usage(hass, full_entry, "2026-11-01", "2026-11-02")
    assert caught.value.translation_key == key


async def test_waits_as_the_host_asks(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While polls or earlier calls are paused, the action sends nothing and says until when."""
    freezer.move_to(NOW)
    await hass.config.async_set_time_zone("Europe/Berlin")
    await setup_entry(hass, full_entry)
    used = state(hass, "requests_today")
    days = ("2026-11-01", "2026-11-02")

    async def is_refused(key: str) -> None:
        with pytest.raises(HomeAssistantError) as caught:
            await get_usage(hass, full_entry, *days)
        assert caught.value.translation_key == key
        if key == "paused":
            assert caught.value.translation_placeholders == {"time": "2026-11-24 16:32:00"}

    simulator.fault("usage/images", "rate_limited_120", times=1)
    await is_refused("rate_limited")
    simulator.requests.clear()
    for _ in range(10):
        await is_refused("paused")
    assert not simulator.requests
    assert state(hass, "requests_today") == used, "polls are not paused by an action"
    freezer.tick(120)
    assert await get_usage(hass, full_entry, *days)

    freezer.move_to(NOW)
    simulator.fault("usage/completions", "rate_limited_120", times=1)
    coordinator = full_entry.runtime_data.usage.requests.coordinators[0]
    await coordinator.async_refresh()
    assert state(hass, "requests_today") == STATE_UNAVAILABLE
    simulator.requests.clear()
    await is_refused("paused")
    assert not simulator.requests
