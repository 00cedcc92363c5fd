"""The action get_costs, as automations call it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import RunningSimulator, setup_entry
from .const import NOW

TODAY = NOW.date()


async def call(
    hass: HomeAssistant, entry_id: str, start: str | datetime, end: str | datetime
) -> dict[str, Any]:
    """Call the action and return its answer."""
    answer = await hass.services.async_call(
        DOMAIN,
        "get_costs",
        {"config_entry_id": entry_id, "start_date": start, "end_date": end},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return dict(answer)


async def test_get_costs(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Every day of the span, both ends included, with its models, and totals that add up."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        date(2026, 10, 31): [LineItem("o3, input", 1000.0)],
        date(2026, 11, 1): [LineItem("gpt-5.5, input", 150.0), LineItem("gpt-5.5, output", 50.0)],
        date(2026, 11, 3): [LineItem("gpt-5.5, input", 30.0), LineItem("o3, input", 0.01)],
        date(2026, 11, 4): [LineItem("o3, input", 1000.0)],
    }
    await setup_entry(hass, entry)
    assert await call(hass, entry.entry_id, "2026-11-01", "2026-11-03") == {
        "currency": "USD",
        "total": 2.3001,
        "days": [
            {"date": "2026-11-01", "cost": 2.0, "models": {"gpt-5.5": 2.0}},
            {"date": "2026-11-02", "cost": 0.0, "models": {}},
            {"date": "2026-11-03", "cost": 0.3001, "models": {"gpt-5.5": 0.3, "o3": 0.0001}},
        ],
        "models": {"gpt-5.5": 2.3, "o3": 0.0001},
    }


async def test_a_year(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A year is asked for in windows that the API takes, without a day lost or doubled."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        TODAY - timedelta(days=days): [LineItem("o3, input", 100.0)] for days in range(500)
    }
    await setup_entry(hass, entry)
    simulator.requests.clear()
    answer = await call(hass, entry.entry_id, "2025-11-24", "2026-11-24")
    assert answer["total"] == 366.0
    assert len({day["date"] for day in answer["days"]}) == len(answer["days"]) == 366
    assert len(simulator.requests) == 4


@pytest.mark.parametrize(
    ("start", "end", "key"),
    [
        ("2026-11-03", "2026-11-01", "dates_reversed"),
        ("2026-11-03", "2026-11-25", "dates_in_future"),
        ("2025-11-23", "2026-11-24", "too_many_days"),
        ("0001-01-01", "2026-11-24", "too_many_days"),
    ],
)
async def test_dates(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    start: str,
    end: str,
    key: str,
) -> None:
    """Days that make no sense are refused, and nothing is asked."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.requests.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, entry.entry_id, start, end)
    assert caught.value.translation_key == key
    assert not simulator.requests
    for wrong in ("yesterday", NOW, NOW.replace(tzinfo=None), "2026-11-01T10:00:00"):
        with pytest.raises(vol.Invalid):
            await call(hass, entry.entry_id, wrong, end)
        with pytest.raises(vol.Invalid):
            await call(hass, entry.entry_id, "2026-11-01", wrong)


async def test_entries(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An account that is not there, or not loaded, is told apart."""
    await setup_entry(hass, entry)
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "nonsense", "2026-11-01", "2026-11-01")
    assert caught.value.translation_key == "service_config_entry_not_found"
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, entry.entry_id, "2026-11-01", "2026-11-01")
    assert caught.value.translation_key == "service_config_entry_not_loaded"


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ("html_wall", "blocked"),
        ("expired_key", "invalid_auth"),
        ("rate_limited", "rate_limited"),
        ("cut", "cannot_connect"),
        ("other_shape", "invalid_response"),
    ],
)
async def test_faults(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    fault: str,
    key: str,
) -> None:
    """What the API said is told by name."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.fault("usage", fault)
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry.entry_id, "2026-11-01", "2026-11-02")
    assert caught.value.translation_key == key
    assert not isinstance(caught.value, ServiceValidationError)


async def test_gateway(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A host that names no days does not answer with a lifetime's total."""
    simulator.kind = "new-api"
    await setup_entry(hass, entry)
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry.entry_id, "2026-11-01", "2026-11-02")
    assert caught.value.translation_key == "endpoint_missing"


async def test_gateway_whose_costs_are_not_known(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Nor does it where the costs have never been fetched."""
    simulator.kind = "new-api"
    simulator.fault("usage", "bad_gateway")
    await setup_entry(hass, entry)
    simulator.clear_faults()
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry.entry_id, "2026-11-01", "2026-11-02")
    assert caught.value.translation_key == "endpoint_missing"


async def test_days_that_are_missing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A host that named days before has sent an invalid response if it names none."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    simulator.account.usage_override = {"object": "list", "total_usage": 7500.0}
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry.entry_id, "2026-11-01", "2026-11-02")
    assert caught.value.translation_key == "invalid_response"


@pytest.mark.parametrize(
    ("start", "days", "requests"),
    [
        pytest.param("2026-11-24", 1, 1, id="a day"),
        pytest.param("2026-08-17", 100, 1, id="as many as a request takes"),
        pytest.param("2026-08-16", 101, 2, id="one more"),
    ],
)
async def test_days_of_a_request(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    start: str,
    days: int,
    requests: int,
) -> None:
    """Up to 100 days take a single request; the last day of it is there, too."""
    freezer.move_to(NOW)
    simulator.account.ledger = {
        TODAY - timedelta(days=back): [LineItem("o3, input", 100.0)] for back in range(200)
    }
    await setup_entry(hass, entry)
    simulator.requests.clear()
    answer = await call(hass, entry.entry_id, start, "2026-11-24")
    assert answer["total"] == days
    assert [day["cost"] for day in answer["days"]] == [1.0] * days
    assert len(simulator.requests) == requests
