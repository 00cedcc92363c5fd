"""History as a real Home Assistant shows it, and its database lost and restored."""

from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
import re
import shutil
import sqlite3
from typing import cast
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect
import pytest

from development.home import Home
from development.process import Json, until

from .browser import log_in, page, picture
from .common import LONGEST, Service, add_account, entities_by_key, every_entity_has_a_state

__all__ = ["page"]

STATISTIC = "openai_account:org_simulatedexamplehome01_cost"
DATABASE = "home-assistant_v2.db"
# One of them has been on the same date as UTC for two hours or more, at any time.
ZONES = ("America/Los_Angeles", "Asia/Kolkata", "Europe/Berlin")
DAY = timedelta(days=1)


def zones(now: datetime) -> list[str]:
    """Return the time zones that are on the same date as UTC, for two hours and a test's time."""
    return [
        zone
        for zone in ZONES
        for local in [now.astimezone(ZoneInfo(zone))]
        if local.date() == (local + LONGEST).date() == now.date() and local.hour >= 2
    ]


def cost(service: Service, first: date, last: date | None = None) -> float:
    """Return what some days cost, in US dollars, the last included."""
    last = last or service.now.date()
    days = [first + offset * DAY for offset in range((last - first).days + 1)]
    return sum(service.simulator.account.cents(day, service.now) for day in days) / 100


async def costs(home: Home) -> dict[date, float]:
    """Return the bars of a graph of daily costs, by local date; those that are not 0."""
    found = await home.command(
        "recorder/statistics_during_period",
        start_time="2020-01-01T00:00:00Z",
        statistic_ids=[STATISTIC],
        period="day",
        types=["change"],
    )
    config = cast("dict[str, Json]", await home.get("/api/config"))
    zone = ZoneInfo(str(config["time_zone"]))
    return {
        datetime.fromtimestamp(row["start"] / 1000, zone).date(): row["change"]
        for row in cast("dict[str, list[dict[str, float]]]", found).get(STATISTIC, [])
        if round(row["change"], 9)
    }


async def is_whole(home: Home, service: Service) -> bool:
    """Return whether each day of the past year has its cost."""
    today = service.now.date()
    expected = {day: cost(service, day, day) for day in (today - n * DAY for n in range(366))}
    return await costs(home) == pytest.approx(expected, abs=1e-6)


async def card(home: Home, period: str, offset: int = 0) -> float | None:
    """Return what a Statistic card asks for."""
    result = await home.command(
        "recorder/statistic_during_period",
        statistic_id=STATISTIC,
        types=["change"],
        calendar={"period": period, "offset": offset, "first_weekday": "sun"},
    )
    return cast("dict[str, float | None]", result)["change"]


async def are_right(home: Home, expected: dict[tuple[str, int], float]) -> bool:
    """Return whether Statistic cards show the expected costs of all periods."""
    return {one: await card(home, *one) for one in expected} == pytest.approx(expected, abs=1e-6)


async def test_statistic_card_shows_the_figures_of_the_sensors(
    page: Page, home: Home, service: Service, artifacts: Path
) -> None:
    """The Statistic card agrees with the sensors, in a browser, wherever Home Assistant is."""
    await add_account(home, service)
    await until(lambda: every_entity_has_a_state(home), "Every entity has a state")
    await until(lambda: is_whole(home, service), "The history is whole", 120)
    states = await home.states()
    entities = entities_by_key(await home.entities())
    today = service.now.date()
    first = today.replace(day=1)
    last_month = (first - DAY).replace(day=1)
    # The browser is American.
    sunday = today - (today.weekday() + 1) % 7 * DAY

    def sensor(key: str) -> float:
        return float(states[entities[key]["entity_id"]]["state"])

    expected = {
        ("day", 0): sensor("cost_today"),
        ("day", -1): sensor("cost_yesterday"),
        ("week", 0): cost(service, sunday),
        ("week", -1): cost(service, sunday - 7 * DAY, sunday - DAY),
        ("month", 0): sensor("cost_this_month"),
        ("month", -1): cost(service, last_month, first - DAY),
        ("year", 0): cost(service, max(date(today.year, 1, 1), today - 365 * DAY)),
    }
    cards: list[Json] = [
        {
            "type": "statistic",
            "entity": STATISTIC,
            "name": f"{period} {offset}",
            "stat_type": "change",
            "period": {"calendar": {"period": period, "offset": offset}},
        }
        for period, offset in expected
    ]
    await home.command(
        "lovelace/dashboards/create", url_path="cost-cards", title="Costs", mode="storage"
    )
    await home.command(
        "lovelace/config/save", url_path="cost-cards", config={"views": [{"cards": cards}]}
    )
    await log_in(page, home)
    for zone in zones(service.now):
        await home.command("config/core/update", time_zone=zone)
        await until(lambda: are_right(home, expected), f"The cards are right in {zone}", 60)
        await page.goto(f"{home.url}/cost-cards")
        for (period, offset), amount in expected.items():
            shown = page.locator("hui-statistic-card").filter(has_text=f"{period} {offset}")
            await expect(shown.locator(".value")).to_be_visible()
            text = await shown.locator(".info").inner_text()
            value = float(re.sub(r"[^\d.-]", "", text))
            assert value == pytest.approx(amount, abs=0.0051), (zone, period, offset, text)
        await picture(page, artifacts / f"statistic-cards-{zone.replace('/', '-')}.png")


async def test_database_lost_and_restored(home: Home, service: Service) -> None:
    """The past year comes back after the database was lost, and after an older one was restored."""
    await add_account(home, service)
    await until(lambda: is_whole(home, service), "The history is whole", 120)
    assert await home.stop() == 0
    backup = home.folder / "backup.db"
    shutil.copy(home.folder / DATABASE, backup)
    for file in home.folder.glob(f"{DATABASE}*"):
        file.unlink()

    await home.start()
    await until(lambda: is_whole(home, service), "The history is whole again", 120)
    assert await home.stop() == 0

    # The backup is one of half a year ago.
    then = service.now.date() - 180 * DAY
    with closing(sqlite3.connect(backup)) as database:
        start = datetime.combine(then, time(), UTC).timestamp()
        database.execute("DELETE FROM statistics WHERE start_ts >= ?", (start,))
        database.commit()
    for file in home.folder.glob(f"{DATABASE}*"):
        file.unlink()
    shutil.copy(backup, home.folder / DATABASE)
    seen = len(service.simulator.requests)
    await home.start()
    await until(lambda: is_whole(home, service), "The history is whole once more", 120)
    starts = [
        date.fromisoformat(one.query["start_date"])
        for one in service.simulator.requests[seen:]
        if one.endpoint == "usage"
    ]
    assert then - 7 * DAY <= min(starts) < then
    assert "Traceback" not in home.process.output()


async def own_statistics(home: Home) -> list[str]:
    """Return the ids of the integration's statistics."""
    known = cast("list[dict[str, Json]]", await home.command("recorder/list_statistic_ids"))
    return [str(one["statistic_id"]) for one in known if one["source"] == "openai_account"]


async def test_cleared_while_running(home: Home, service: Service) -> None:
    """What the developer tools clear comes back by itself."""
    entry = await add_account(home, service)
    await until(lambda: is_whole(home, service), "The history is whole", 120)
    own = await own_statistics(home)
    assert len(own) > 2
    await home.command("recorder/clear_statistics", statistic_ids=[*own])
    assert await costs(home) == {}
    # Instead of five minutes, it waits for a reload.
    await home.post(f"/api/config/config_entries/entry/{entry['entry_id']}/reload", {})

    async def all_are_back() -> bool:
        return await is_whole(home, service) and {*own} <= {*await own_statistics(home)}

    await until(all_are_back, "The history is whole again", 120)
