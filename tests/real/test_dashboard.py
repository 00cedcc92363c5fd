"""The dashboard that generates itself, added and looked at in a real browser."""

from collections import defaultdict
import contextlib
from datetime import date, timedelta
from pathlib import Path
import re
from typing import TypedDict, cast

from playwright.async_api import Locator, Page, ViewportSize, expect
import pytest

from development.home import DOMAIN, Entry, Home
from development.process import HomeError, Json, until
from simulator import Fault

from .browser import CLOSED, log_in, page, picture
from .common import ADMIN_KEY, KEY, Service
from .page_checks import check_page, errors_on

__all__ = ["page"]

DESKTOP: ViewportSize = {"width": 1440, "height": 1250}
STRATEGY = "custom:openai-account"
CONFIG: Json = {"strategy": {"type": STRATEGY}}

# The text of an element with that of its shadow roots
TEXT = """(element) => {
  const textOf = (node) =>
    node.nodeType === Node.TEXT_NODE
      ? node.textContent
      : ["STYLE", "SCRIPT"].includes(node.nodeName)
        ? ""
        : [...(node.shadowRoot ?? node).childNodes].map(textOf).join(" ") +
          (node.shadowRoot ? [...node.childNodes].map(textOf).join(" ") : "");
  return textOf(element);
}"""

# Holds back what a new section begins with
NO_STUB = """() => {
  const strategy = customElements.get("ll-strategy-section-openai-account");
  strategy.getStubConfig = () => new Promise(() => {});
}"""


class View(TypedDict):
    """A view of a dashboard."""

    sections: list[Json]


class Dashboard(TypedDict):
    """The configuration of a dashboard."""

    views: list[View]


BOTH = {"session_key": KEY, "admin_key": ADMIN_KEY}
SESSION = {"session_key": KEY}
LONG_NAME = "ft:gpt-4o-mini-2024-07-18:example-organization:customer-support-agent-v17:AbCdEfGh"


async def add_account(home: Home, service: Service, keys: dict[str, str], name: str = "") -> Entry:
    """Add an account; return its entry."""
    known = [one["entry_id"] for one in await home.entries()]
    fields = {"host": service.url, **keys, **({"name": name} if name else {})}
    result = await home.send_flow(await home.start_flow(), fields)
    assert result["type"] == "create_entry", result
    return next(one for one in await home.entries() if one["entry_id"] not in known)


async def recorded(home: Home, service: Service, first: date) -> None:
    """Wait until all that the simulated account has cost since a day is recorded."""
    expected = sum(costs_between(service, first).values())

    async def is_recorded() -> bool:
        known = cast("list[dict[str, Json]]", await home.command("recorder/list_statistic_ids"))
        own = [
            one["statistic_id"]
            for one in known
            if re.fullmatch(rf"{DOMAIN}:.*_cost", str(one["statistic_id"]))
        ]
        if not own:
            return False
        rows = await home.command(
            "recorder/statistics_during_period",
            start_time=f"{first}T00:00:00Z",
            statistic_ids=cast("Json", own),
            period="day",
            types=["change"],
        )
        changes = [
            cast("float", row["change"])
            for days in cast("dict[str, list[dict[str, Json]]]", rows).values()
            for row in days
        ]
        return sum(changes) == pytest.approx(expected, abs=0.01)

    await until(is_recorded, "The daily costs are recorded", 120)


def costs_between(service: Service, first: date, last: date | None = None) -> dict[str, float]:
    """Return what the simulated account has cost from a day to another, in US dollars by model."""
    costs: dict[str, float] = defaultdict(float)
    day = first
    while day <= (last or service.now.date()):
        for item in service.simulator.account.items(day, service.now):
            costs[item.name.split(",")[0]] += item.cost / 100
        day += timedelta(days=1)
    return costs


async def add_dashboard(page: Page, home: Home, artifacts: Path) -> None:
    """Add the dashboard where people add dashboards, and open it."""
    await page.goto(f"{home.url}/config/lovelace/dashboards")
    await page.get_by_role("button", name="Add dashboard").click()
    offer = page.locator("dashboard-card").filter(has_text="OpenAI Account")
    await expect(offer).to_contain_text("The credit, costs and subscription")
    await picture(page, artifacts / "dashboard-add.png")
    await offer.click()
    create = page.get_by_role("button", name="Create")
    await create.click()
    await expect(create).to_be_hidden()
    path = await dashboard_path(home)
    await page.wait_for_function(CLOSED)
    await expect(page.get_by_role("link", name="OpenAI", exact=True)).to_be_visible()
    await page.goto(f"{home.url}/{path}")
    await expect(page.locator("openai-account-costs .chart")).to_be_visible()


async def dashboard_path(home: Home) -> str:
    """Return the address of the dashboard that was added, once it has its configuration."""

    async def find() -> str | None:
        known = cast("list[dict[str, Json]]", await home.command("lovelace/dashboards/list"))
        path = next((str(one["url_path"]) for one in known if one["title"] == "OpenAI"), None)
        # The frontend creates a dashboard first, and fills it then.
        with contextlib.suppress(HomeError):
            if path and await home.command("lovelace/config", url_path=path) == CONFIG:
                return path
        return None

    return await until(find, "The dashboard exists, and is by the strategy alone", 30)


async def create_dashboard(home: Home, path: str, config: Json) -> None:
    """Create a dashboard."""
    await home.command("lovelace/dashboards/create", url_path=path, title=path, mode="storage")
    await home.command("lovelace/config/save", url_path=path, config=config)


async def amounts(locator: Locator) -> list[float]:
    """Return the amounts of US dollars in an element, wherever in its shadow roots."""
    await expect(locator).to_contain_text("$")
    return amounts_in(str(await locator.evaluate(TEXT)))


def amounts_in(text: str) -> list[float]:
    """Return the amounts of US dollars in a text."""
    return [float(one.replace(",", "")) for one in re.findall(r"\$([\d,]+\.\d+)", text)]


async def check_amounts(locator: Locator, expected: list[float]) -> None:
    """Wait until an element shows these amounts; what is in it may still be drawn."""
    rounded = [cents(one) for one in expected]

    async def are_shown() -> bool:
        return await amounts(locator) == rounded

    await until(are_shown, f"{locator} shows {expected}", 30)


async def check_no_errors(page: Page) -> None:
    """Wait until a page shows no error; while it is drawn anew, cards may lack their entities."""

    async def has_none() -> bool:
        return not await errors_on(page)

    await until(has_none, "The page shows no error", 30)


def cents(expected: float) -> float:
    """Return an amount that is right to the cent."""
    return cast("float", pytest.approx(expected, abs=0.0051))


async def check_period(page: Page, expected: dict[str, float]) -> None:
    """Check the costs that the chart and the list below it show, by model."""
    total = sum(expected.values())
    card = page.locator("openai-account-costs")
    await expect(card.locator(".summary .amount")).to_have_text(f"${total:,.2f}")
    more = card.get_by_role("button", name="more")
    if await more.count():
        await more.click()
    # All at once: the card may be drawn anew between two rows.
    rows = await card.locator("li").evaluate_all(
        "rows => rows.map(row => [row.querySelector('.name'), row.querySelector('.amount')]"
        ".map(element => element.textContent))"
    )
    shown = {name: amounts_in(amount)[0] for name, amount in rows}
    assert shown == {name: cents(cost) for name, cost in expected.items() if cost}


async def test_dashboard(page: Page, home: Home, service: Service, artifacts: Path) -> None:
    entry = await add_account(home, service, BOTH)
    options = {"update_interval": 300, "low_balance_threshold": 5, "monthly_budget": 100}
    assert (await home.set_options(entry, options))["type"] == "create_entry"
    today = service.now.date()
    first_month = (today.replace(day=1) - timedelta(days=330)).replace(day=1)
    await recorded(home, service, first_month)
    await log_in(page, home)
    await add_dashboard(page, home, artifacts)
    path = await dashboard_path(home)
    assert path in page.url
    await page.set_viewport_size(DESKTOP)

    # Every figure is the simulator's.
    grants = await service.fetch("credit_grants")
    gauge = page.locator("hui-gauge-card").filter(visible=True)
    await expect(gauge).to_contain_text(f"${cast('float', grants['total_available']):,.2f}")
    facts = page.locator("hui-entities-card").first
    keys = ("total_granted", "total_used", "total_paid_available")
    await check_amounts(facts, [cast("float", grants[key]) for key in keys])
    day = timedelta(days=1)
    for name, first, last in (
        ("Today", today, today),
        ("Yesterday", today - day, today - day),
        ("Last 7 completed days", today - 7 * day, today - day),
    ):
        expected = sum(costs_between(service, first, last).values())
        await check_amounts(page.locator("hui-tile-card").filter(has_text=name), [expected])
    this_month = sum(costs_between(service, today.replace(day=1)).values())
    last_month = (today.replace(day=1) - day).replace(day=1)
    same_day = min(last_month + (today.day - 1) * day, today.replace(day=1) - day)
    month = page.locator("openai-account-month")
    for name, expected_amounts in (
        ("Budget", [this_month, 100]),
        ("This month", [this_month]),
        (
            "Last month, same days",
            [sum(costs_between(service, last_month, same_day).values())],
        ),
        (
            "Last month in total",
            [sum(costs_between(service, last_month, today.replace(day=1) - day).values())],
        ),
    ):
        await check_amounts(month.locator(".row").filter(has_text=name).first, expected_amounts)
    await expect(page.locator("openai-account-status")).to_contain_text("Updated")

    # The chart goes back in time, and has every period.
    card = page.locator("openai-account-costs")
    await check_period(page, costs_between(service, today - 29 * day))
    await card.get_by_role("button", name="7 days").click()
    await check_period(page, costs_between(service, today - 6 * day))
    await card.get_by_role("button", name="Earlier").click()
    first, last = today - 13 * day, today - 7 * day
    dates = rf"^{first:%b %-d}(, {first:%Y})?\W+({last:%b} )?{last:%-d, %Y}$"
    await expect(card.locator(".pager span")).to_have_text(re.compile(dates))
    await expect(card.get_by_role("button", name="Earlier")).to_be_focused()
    await check_period(page, costs_between(service, today - 13 * day, today - 7 * day))
    await card.get_by_role("button", name="90 days").click()
    await check_period(page, costs_between(service, today - 89 * day))
    await card.get_by_role("button", name="12 months").click()
    await check_period(page, costs_between(service, first_month))
    await card.get_by_role("slider").focus()
    tooltip = card.locator(".tooltip .total")
    await page.keyboard.press("ArrowLeft")
    await expect(tooltip).to_contain_text(f"{last_month:%B %Y}")
    [in_tooltip] = await amounts(tooltip)
    assert in_tooltip == cents(
        sum(costs_between(service, last_month, today.replace(day=1) - day).values())
    )
    await picture(page, artifacts / "dashboard-12-months.png")
    await card.get_by_role("button", name="gpt-5.5").first.click()
    more_info = page.locator("ha-more-info-dialog")
    await expect(more_info).to_contain_text("Cost of gpt-5.5 this month")
    await page.keyboard.press("Escape")
    await expect(more_info.filter(has_text="Cost of gpt-5.5 this month")).to_have_count(0)
    await page.wait_for_function(CLOSED)
    await check_page(page)

    # What is on the page survives that nothing answers any more, and shows nothing as wrong.
    service.simulator.fault("*", Fault(status=500))
    entities = [one["entity_id"] for one in await home.entities() if one["disabled_by"] is None]
    await home.post("/api/services/homeassistant/update_entity", {"entity_id": [*entities]})
    await expect(page.locator("hui-distribution-card").filter(visible=True)).to_have_count(0)
    await check_no_errors(page)
    await page.goto(f"{home.url}/{path}")
    await expect(page.locator("openai-account-costs .chart")).to_be_visible()
    await check_no_errors(page)


async def test_editors(page: Page, home: Home, service: Service, artifacts: Path) -> None:
    """What a dashboard shows is chosen in a dialog; a section of any dashboard shows an account."""
    entry = await add_account(home, service, BOTH)
    await recorded(home, service, service.now.date() - timedelta(days=29))
    await create_dashboard(home, "open-ai", CONFIG)
    await create_dashboard(
        home, "my-board", {"views": [{"type": "sections", "sections": [{"cards": []}]}]}
    )
    await log_in(page, home)
    await page.goto(f"{home.url}/open-ai")
    await expect(page.locator("openai-account-costs .chart")).to_be_visible()
    await page.get_by_role("button", name="Edit dashboard").click()
    editor = page.locator("openai-account-dashboard-editor")
    await editor.get_by_text("Subscription", exact=True).click()
    await picture(page, artifacts / "dashboard-editor.png")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("hui-heading-card").filter(has_text="Subscription")).to_have_count(0)
    parts: list[Json] = [
        "credit",
        "costs",
        "history",
        "models",
        "projects",
        "api_keys",
        "usage",
    ]

    async def is_saved() -> bool:
        # The page shows what is chosen before it saves it.
        return await home.command("lovelace/config", url_path="open-ai") == {
            "strategy": {"type": STRATEGY, "parts": parts}
        }

    await until(is_saved, "The dashboard has the parts that were chosen", 30)
    await page.wait_for_function(CLOSED)

    await page.goto(f"{home.url}/my-board?edit=1")
    for number, at_once in enumerate((False, True), start=1):
        await page.get_by_role("button", name="Create section").wait_for()
        if at_once:
            # Home Assistant does not wait for what a section begins with.
            await page.evaluate(NO_STUB)
        await page.get_by_role("button", name="Create section").click()
        await page.locator("ha-list-base").get_by_text("Automatic section").click()
        offer = page.get_by_role("button", name="OpenAI Account")
        if not at_once:
            await expect(offer.locator("hui-gauge-card")).to_be_visible()
        await offer.click()
        editor = page.locator("openai-account-section-editor")
        await editor.get_by_text("Costs over time", exact=True).click()
        await picture(page, artifacts / "section-editor.png")
        await page.get_by_role("button", name="Save").click()
        await expect(editor).to_be_hidden()
        await page.wait_for_function(CLOSED)

        async def sections(count: int = number + 1) -> list[Json] | None:
            config = cast("Dashboard", await home.command("lovelace/config", url_path="my-board"))
            found = config["views"][0]["sections"]
            return found if len(found) == count else None

        assert (await until(sections, "The section is saved", 30))[-1] == {
            "strategy": {
                "type": STRATEGY,
                "config_entry_id": entry["entry_id"],
                "parts": ["credit", "costs", "history"],
            }
        }
    await page.goto(f"{home.url}/my-board")
    await expect(page.locator("openai-account-costs .chart")).to_have_count(2)
    await expect(page.locator("hui-gauge-card")).to_have_count(2)
    await picture(page, artifacts / "section.png")
    await check_page(page)
