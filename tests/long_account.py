"""An account with so many rows of costs that a month takes several polls to fetch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_ADMIN_KEY, CONF_SESSION_KEY, DOMAIN
from custom_components.openai_account.coordinator import OpenAIAccountConfigEntry
from simulator.query import Query

from .common import RunningSimulator
from .const import ADMIN_KEY, KEY, ORGANIZATION
from .history import DAY, Ledger, ledger

API = "custom_components.openai_account.api"
KEYS = {"session key": {CONF_SESSION_KEY: KEY}, "admin key": {CONF_ADMIN_KEY: ADMIN_KEY}}

# A response holds three days, and all responses of a fetch together are 200 kB.
MAX_BODY = 45_000
BYTES_A_DAY = 13_500

NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
SOON = 11


class LongAccount:
    """An account whose response to a request for four days is too large to read."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self.book: Ledger = ledger(70)
        self.requests: list[tuple[date, date]] = []
        self.on_request: Callable[[], object] = lambda: None
        # The bytes of a day that is larger than others
        self.bytes: dict[date, int] = {}
        simulator.account.usage_override = self.usage
        simulator.account.costs_override = self.costs

    def requested(self) -> list[tuple[int, int]]:
        """Return the first and the last day of each request since the last call, by number."""
        found = [(start.day, (end - DAY).day) for start, end in self.requests]
        self.requests.clear()
        return found

    def cost(self, start: date, end: date) -> Any:
        """Return the cost of some days, `end` excluded, in US dollars."""
        cents = [
            one.cost for day, items in self.book.items() if start <= day < end for one in items
        ]
        return pytest.approx(sum(cents) / 100, abs=1e-6)

    def _answer(self, start: date, end: date, answer: dict[str, Any]) -> dict[str, Any]:
        self.requests.append((start, end))
        self.on_request()
        days = [start + number * DAY for number in range((end - start).days)]
        size = sum(self.bytes.get(day, BYTES_A_DAY) for day in days)
        return {"padding": "x" * MAX_BODY} if size > MAX_BODY else {**answer, "padding": "x" * size}

    def usage(self, query: Query) -> dict[str, Any]:
        start, end = query.dates["start_date"], query.dates["end_date"]
        days = [
            {
                "timestamp": datetime.combine(day, time(), UTC).timestamp(),
                "line_items": [{"name": one.name, "cost": one.cost} for one in items],
            }
            for day, items in sorted(self.book.items())
            if start <= day < end
        ]
        return self._answer(start, end, {"daily_costs": days})

    def costs(self, query: Query) -> dict[str, Any]:
        start, end = (
            datetime.fromtimestamp(query.integers[name], UTC).date()
            for name in ("start_time", "end_time")
        )
        buckets = [
            {
                "start_time": datetime.combine(day, time(), UTC).timestamp(),
                "results": [
                    {
                        "amount": {"value": one.cost / 100, "currency": "usd"},
                        "line_item": one.name,
                        "organization_id": ORGANIZATION,
                    }
                    for one in items
                ],
            }
            for day, items in sorted(self.book.items())
            if start <= day < end
        ]
        return self._answer(start, end, {"data": buckets, "has_more": False})


def entry_of(hass: HomeAssistant) -> OpenAIAccountConfigEntry:
    """Return the only account's entry."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    return entry


def new_entry(simulator: RunningSimulator, keys: str) -> MockConfigEntry:
    """Return an account's entry with some keys."""
    data = {CONF_HOST: simulator.url, **KEYS[keys]}
    return MockConfigEntry(domain=DOMAIN, unique_id=ORGANIZATION, data=data)
