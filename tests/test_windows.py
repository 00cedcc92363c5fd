"""Which days each poll requests, and that the figures are those of a request for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
import random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_MONTHLY_BUDGET,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    DOMAIN,
)
from simulator import LineItem

from .common import (
    RunningSimulator,
    fill_history,
    history_rows,
    poll,
    setup_entry,
    state,
)
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION
from .history import DAY, Ledger, ledger

TODAY = NOW.date()
KEYS = {
    "session key": {CONF_SESSION_KEY: KEY, CONF_ORGANIZATION: ORGANIZATION},
    "admin key": {CONF_ADMIN_KEY: ADMIN_KEY},
}
# Nothing was used in this week, which the month's turn is in.
DEAD_WEEK = {date(2026, 11, 27) + offset * DAY for offset in range(7)}


class Book:
    """A ledger in which days grow, are corrected, and get refunds."""

    def __init__(self) -> None:
        self.chance = random.Random(14)  # noqa: S311 - the same each time
        self.days: Ledger = dict(ledger(70))

    def item(self) -> LineItem:
        models = ["gpt-5.5", "o3", "gpt-6", "web search tool calls"]
        project = self.chance.choice([None, "proj_default", "proj_voice"])
        return LineItem(
            f"{self.chance.choice(models)}, {self.chance.choice(['input', 'output'])}",
            round(self.chance.uniform(0.001, 90), 6),
            project,
            project and {"proj_default": "Default project", "proj_voice": "Voice"}[project],
        )

    def grow(self, today: date) -> None:
        """Let today cost more."""
        if today not in DEAD_WEEK:
            self.days[today] = [*self.days.get(today, ()), self.item()]

    def correct(self, day: date) -> None:
        """Change a past day: another amount, a refund, a model gone, or nothing at all."""
        items = [*self.days.get(day, ())]
        match self.chance.randrange(4):
            case 0:
                items.append(self.item())
            case 1:
                items.append(LineItem("refund", -round(self.chance.uniform(1, 50), 6)))
            case 2:
                items = items[1:]
            case 3:
                items = []
        self.days[day] = items


def figures(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the states and attributes of all entities of an account, by their keys."""
    found = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        current = hass.states.get(entity.entity_id)
        assert current, entity.entity_id
        key = f"{entity.domain} {entity.unique_id.removeprefix(f'{entry.unique_id}_')}"
        found[key] = (
            current.state,
            {
                # When the credit was last reported is not written where nothing else is new.
                name: value
                for name, value in current.attributes.items()
                if name != "anchor_time"
            },
        )
    return found


async def rows_of(hass: HomeAssistant, identity: str) -> dict[str, Any]:
    """Return an account's rows of costs in the statistics, by what follows its identity."""
    start = f"{DOMAIN}:{identity}_"
    rows = await history_rows(hass)
    return {
        key.removeprefix(start): one
        for key, one in rows.items()
        if key.startswith(start) and "cost" in key
    }


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.freeze_time(NOW)
async def test_every_figure_is_that_of_the_whole_window(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    keys: str,
) -> None:
    """Polled in parts or reloaded each time, an account has the same states and rows.

    A reload forgets what was polled and requests the whole window. This is a month
    with corrections, refunds, a dead week and a month's turn.
    """
    book = Book()
    simulator.account.ledger = book.days
    simulator.account.subscription = {"plan": {"title": "Pay-as-you-go"}}
    polled, reloaded = (
        MockConfigEntry(
            domain=DOMAIN,
            title="Example Home",
            unique_id=identity,
            data={CONF_HOST: simulator.url, **KEYS[keys]},
            options={CONF_MONTHLY_BUDGET: 100},
        )
        for identity in ("polled", "reloaded")
    )
    for entry in (polled, reloaded):
        await setup_entry(hass, entry)
    await fill_history(hass, freezer, 14)
    for offset in range(1, 32):
        today = TODAY + offset * DAY
        for hour in (0, 15):
            freezer.move_to(datetime(today.year, today.month, today.day, hour, 30, tzinfo=UTC))
            if hour:
                book.grow(today)
                book.correct(today - book.chance.randrange(4) * DAY)
            await poll(hass, freezer, 301)
            assert await hass.config_entries.async_reload(reloaded.entry_id)
            await fill_history(hass, freezer, 2)
            assert figures(hass, polled) == figures(hass, reloaded), (today, hour)
            assert await rows_of(hass, "polled") == await rows_of(hass, "reloaded")
        # What is corrected later than usual comes the next day, within the month.
        if today.day > 5:
            book.correct(today - 5 * DAY)
    assert len(await rows_of(hass, "polled")) > 4


@pytest.fixture
def book(simulator: RunningSimulator) -> Ledger:
    """Return the ledger of an account that has had costs every day."""
    book = simulator.account.ledger = ledger(60)
    return book


def windows(simulator: RunningSimulator) -> list[tuple[date, date]]:
    """Return the days of all requests for costs since the last call, the last one included."""
    found = []
    for request in simulator.requests:
        query = request.query
        if request.endpoint == "usage":
            start, end = map(date.fromisoformat, (query["start_date"], query["end_date"]))
        elif request.endpoint == "costs":
            start, end = (
                datetime.fromtimestamp(int(query[name]), UTC).date()
                for name in ("start_time", "end_time")
            )
        else:
            continue
        found.append((start, end - DAY))
    simulator.requests.clear()
    return found


def day(number: int, month: int = 11) -> date:
    """Return a day of the year in which these tests are."""
    return date(2026, month, number)


@pytest.mark.parametrize("keys", KEYS)
async def test_requested_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
    keys: str,
) -> None:
    """Only the first poll of a UTC day requests more than the days that can still change."""
    freezer.move_to(NOW)
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id=ORGANIZATION, data={CONF_HOST: simulator.url, **KEYS[keys]}
    )
    await setup_entry(hass, entry)
    assert windows(simulator) == [(day(1), day(24)), (day(1, 10), day(31, 10))]
    for _ in range(2):
        await poll(hass, freezer)
        assert windows(simulator) == [(day(21), day(24))]
    # Nobody polls for three days; then, the whole month comes once.
    freezer.move_to("2026-11-28 00:10:00+00:00")
    await poll(hass, freezer)
    assert windows(simulator) == [(day(1), day(28))]
    await poll(hass, freezer)
    assert windows(simulator) == [(day(25), day(28))]
    # While the last month can change, it is requested once a day.
    last_month = (day(1), day(30))
    for today, first in ((1, day(30)), (2, day(1, 12)), (3, day(1, 12)), (4, day(1, 12))):
        freezer.move_to(f"2026-12-0{today} 00:10:00+00:00")
        await poll(hass, freezer)
        assert windows(simulator) == [(first, day(today, 12)), last_month]
        await poll(hass, freezer)
        assert windows(simulator) == [(day(today, 12) - 3 * DAY, day(today, 12))]
    freezer.move_to("2026-12-05 00:10:00+00:00")
    await poll(hass, freezer)
    assert windows(simulator) == [(day(1, 12), day(5, 12))]
    # A reload knows nothing of what was polled.
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert windows(simulator) == [(day(1, 12), day(5, 12)), last_month]


async def test_last_month_is_settled_after_a_time_off(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Corrections of a month's last days come in even if nobody polled in those days."""
    freezer.move_to("2026-12-01 12:00:00+00:00")
    await setup_entry(hass, entry)
    windows(simulator)
    freezer.move_to("2026-12-09 12:00:00+00:00")
    await poll(hass, freezer)
    assert windows(simulator) == [(day(1, 12), day(9, 12)), (day(1), day(30))]


async def test_whole_window_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where the daily request fails, nothing is shown until it succeeds; then all is right."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    book[day(3)] = [LineItem("gpt-5.5, input", 123_456.0)]
    book[day(25)] = [LineItem("gpt-5.5, input", 100.0)]
    simulator.fault("usage", "server_error")
    freezer.move_to("2026-11-25 00:01:00+00:00")
    windows(simulator)
    for _ in range(2):
        await poll(hass, freezer)
        assert set(windows(simulator)) == {(day(1), day(25))}
        assert state(hass, "cost_this_month") == STATE_UNAVAILABLE
    simulator.clear_faults()
    await poll(hass, freezer)
    assert windows(simulator) == [(day(1), day(25))]
    cents = sum(item.cost for one in book for item in book[one] if day(1) <= one <= day(25))
    assert float(state(hass, "cost_this_month")) == pytest.approx(cents / 100, abs=1e-6)


def fail_last_month(simulator: RunningSimulator) -> None:
    """Let requests for November fail, and no others."""
    simulator.account.usage_override = lambda query: (
        {"error": {"message": "no"}} if query.dates["end_date"] == day(1, 12) else None
    )


async def test_last_month_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where last month is not available, each poll tries again; the current month is there."""
    freezer.move_to(NOW)
    simulator.account.usage_override = lambda query: (
        {"error": {"message": "no"}} if query.dates["start_date"] == day(1) else None
    )
    await setup_entry(hass, entry)
    fail_last_month(simulator)
    for moment in ("2026-12-01 00:01:00+00:00", "2026-12-01 00:07:00+00:00"):
        freezer.move_to(moment)
        windows(simulator)
        await poll(hass, freezer)
        assert windows(simulator)[-1] == (day(1), day(30))
        assert state(hass, "cost_last_7_days") == "unknown"
        assert float(state(hass, "cost_this_month")) == 0.0
    simulator.account.usage_override = None
    await poll(hass, freezer)
    cents = sum(item.cost for one in book for item in book[one] if one >= day(24))
    assert float(state(hass, "cost_last_7_days")) == pytest.approx(cents / 100, abs=1e-6)
    await poll(hass, freezer)
    assert windows(simulator)[-1] == (day(28), day(1, 12))


async def test_corrected_last_month_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A correction of last month's end stays, also where last month fails on the next day."""
    for number in range(25, 31):
        book[day(number)] = [LineItem("gpt-5.5, input", 100.0)]
    freezer.move_to("2026-12-02 00:05:00+00:00")
    await setup_entry(hass, entry)
    book[day(29)] = [LineItem("gpt-5.5, input", 5_100.0)]
    await poll(hass, freezer)
    assert float(state(hass, "cost_last_7_days")) == 56.0
    fail_last_month(simulator)
    freezer.move_to("2026-12-03 00:05:00+00:00")
    for _ in range(2):
        await poll(hass, freezer)
        assert float(state(hass, "cost_last_7_days")) == 55.0


async def test_clock_jumps(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After each jump to another day the whole window comes, so that every figure is right."""
    freezer.move_to(NOW)
    book |= ledger(20, ("gpt-5.5",), day(9, 12))
    await setup_entry(hass, entry)
    for today in (day(26), day(24), day(8, 12), day(24), day(23), day(25), day(3, 12), day(2, 12)):
        freezer.move_to(f"{today} 12:00:00+00:00")
        for _ in range(2):
            # The timers of a clock that was set back wait until it has caught up.
            await entry.runtime_data.costs.async_refresh()
            first = today.replace(day=1)
            cents = sum(item.cost for one in book for item in book[one] if first <= one <= today)
            month = float(state(hass, "cost_this_month"))
            assert month == pytest.approx(cents / 100, abs=1e-6), today
            week = sum(
                item.cost for one in book for item in book[one] if today - 7 * DAY <= one < today
            )
            last = float(state(hass, "cost_last_7_days"))
            assert last == pytest.approx(week / 100, abs=1e-6), today


async def test_days_go_and_come_back(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A host that reports no days for a while is asked for all of them afterwards."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    before = state(hass, "cost_this_month")
    simulator.account.usage_override = {"object": "list", "total_usage": 1234.5}
    await poll(hass, freezer)
    simulator.account.usage_override = None
    windows(simulator)
    await poll(hass, freezer)
    assert windows(simulator) == [(day(1), day(24))]
    assert state(hass, "cost_this_month") == before


@pytest.mark.parametrize("models", [2, 51])
async def test_same_bytes_are_not_parsed_again(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    book: Ledger,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    models: int,
) -> None:
    """A response that is the last one again costs nothing but the request; news are read.

    With many models, hours and days of the usage are requested in turn.
    """
    freezer.move_to(NOW)
    # The usage of a day with costs grows with the time.
    del book[TODAY]
    book[TODAY - DAY] = [LineItem(f"model-{one}, input", 1.0) for one in range(models)]
    await setup_entry(hass, full_entry)
    await poll(hass, freezer)
    before = {one.entity_id: one.last_reported for one in hass.states.async_all()}
    with monkeypatch.context() as patch:
        patch.setattr(
            "custom_components.openai_account.api.transport.orjson.loads",
            lambda _: pytest.fail("it was parsed"),
        )
        await poll(hass, freezer)
        assert {one.entity_id: one.last_reported for one in hass.states.async_all()} == before
        # An error is one, whatever was known before, and changes nothing of it.
        simulator.fault("costs", "server_error", 1)
    await poll(hass, freezer)
    assert state(hass, "cost_today") == STATE_UNAVAILABLE
    await poll(hass, freezer)
    book[TODAY] = [LineItem("gpt-5.5, input", 1234.0)]
    await poll(hass, freezer)
    assert float(state(hass, "cost_today")) == 12.34
    del book[TODAY]
    await poll(hass, freezer)
    assert float(state(hass, "cost_today")) == 0.0


async def test_grants_expire_without_news(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A grant expires at its time, also where the response stays the same."""
    freezer.move_to(NOW)
    expiries = [NOW + timedelta(minutes=8), NOW + timedelta(days=9)]
    simulator.account.credit_grants_override = {
        "total_available": 5.0,
        "grants": {
            "data": [{"grant_amount": 5.0, "expires_at": one.timestamp()} for one in expiries]
        },
    }
    await setup_entry(hass, entry)
    for expected in (expiries[0], expiries[0], expiries[1]):
        assert state(hass, "next_grant_expiry") == expected.isoformat()
        await poll(hass, freezer)
