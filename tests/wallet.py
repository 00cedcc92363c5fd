"""A simulated account whose true credit is known, and what tests of the estimate do to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from simulator import LineItem

from .common import RunningSimulator, entity_id, state
from .const import ORGANIZATION

# A moment at which nothing else happens: not the first days of a month
START = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


class Wallet:
    """A simulated account whose credit falls by what its ledger says, to the cent."""

    def __init__(self, simulator: RunningSimulator, bought: float) -> None:
        """Buy credit; nothing is spent yet. Amounts are US dollars."""
        self.simulator = simulator
        self.bought = bought
        self.spent: dict[datetime, float] = {}
        self.grants: list[dict[str, Any]] = []
        self.show()

    @property
    def left(self) -> float:
        """The true credit."""
        return self.bought - sum(self.spent.values())

    def spend(self, time: datetime, amount: float, *, late: bool = False) -> None:
        """Spend an amount; the costs report it at once, or only with the next spending."""
        self.spent[time] = self.spent.get(time, 0.0) + amount
        self.show(but=time if late else None)

    def show(self, but: datetime | None = None) -> None:
        """Let the endpoints report what there is, the costs without those of one time."""
        ledger: dict[Any, list[LineItem]] = {}
        for time, amount in self.spent.items():
            if time != but:
                ledger.setdefault(time.date(), []).append(LineItem("gpt-5.5, input", amount * 100))
        self.simulator.account.ledger = ledger
        self.simulator.account.credit_grants_override = {
            "total_granted": self.bought,
            "total_available": self.left,
            "grants": {"object": "list", "data": self.grants},
        }


def estimate(hass: HomeAssistant) -> float:
    """Return the estimated credit."""
    return float(state(hass, "estimated_credit"))


def attribute(hass: HomeAssistant, key: str, name: str, platform: str = "sensor") -> Any:
    """Return an attribute of an account's entity."""
    found = hass.states.get(entity_id(hass, key, platform))
    assert found
    return found.attributes[name]


def lose_session_key(simulator: RunningSimulator) -> None:
    """Let the session key die; the admin key continues to work."""
    for endpoint in ("credit_grants", "subscription"):
        simulator.fault(endpoint, "expired_key")


def report_subscription(simulator: RunningSimulator, **fields: Any) -> None:
    """Change fields of the subscription."""
    simulator.account.subscription = {**simulator.account.subscription, **fields}


def admin_entry(full_entry: MockConfigEntry) -> MockConfigEntry:
    """Return an entry that has an admin key alone."""
    data = {key: value for key, value in full_entry.data.items() if key != CONF_SESSION_KEY}
    return MockConfigEntry(domain=DOMAIN, title="Home", unique_id=ORGANIZATION, data=data)


async def set_credit(hass: HomeAssistant, entry: MockConfigEntry, amount: object) -> None:
    """Call the action."""
    await hass.services.async_call(
        DOMAIN,
        "set_credit",
        {"config_entry_id": entry.entry_id, "amount": amount},
        blocking=True,
    )
    await hass.async_block_till_done()
