"""The dashboard that generates itself, added and looked at in a real browser."""

from collections import defaultdict
from collections.abc import AsyncIterator
import contextlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
import re
from typing import Literal, TypedDict, cast

from playwright.async_api import Locator, Page, ViewportSize, expect
import pytest

from development.home import DOMAIN, Entry, Home
from development.process import HomeError, Json, until
from simulator import Fault, Organization, Simulator

from .browser import CLOSED, choose_language, log_in, page, picture
from .common import ADMIN_KEY, KEY, Service, run_simulator
from .page_checks import check_page, errors_on

__all__ = ["page"]

DESKTOP: ViewportSize = {"width": 1440, "height": 1250}
TABLET: ViewportSize = {"width": 1000, "height": 1800}
PHONE: ViewportSize = {"width": 412, "height": 2400}
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

type Look = tuple[str, ViewportSize, Literal["light", "dark"]]
LOOKS: tuple[Look, ...] = (
    ("desktop", DESKTOP, "light"),
    ("desktop-dark", DESKTOP, "dark"),
    ("tablet", TABLET, "light"),
    ("phone-dark", PHONE, "dark"),
)
LANGUAGES = ("en", "de", "zh-Hans")


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
    # A dialog that closes goes back in the browser's history: nothing may be opened before.
    await expect(create).to_be_hidden()
    await dashboard_path(home)
    await page.get_by_role("link", name="OpenAI", exact=True).click()
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
    text = str(await locator.evaluate(TEXT))
    return [float(one.replace(",", "")) for one in re.findall(r"\$([\d,]+\.\d+)", text)]


async def tile_amount(page: Page, name: str) -> float:
    """Return the amount on a tile."""
    [amount] = await amounts(page.locator("hui-tile-card").filter(has_text=name))
    return amount


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
    rows = card.locator("li")
    shown = {
        (await row.locator(".name").inner_text()): (await amounts(row))[0]
        for row in await rows.all()
    }
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
    assert await amounts(facts) == [
        cents(cast("float", grants[key]))
        for key in ("total_granted", "total_used", "total_paid_available")
    ]
    day = timedelta(days=1)
    for name, first, last in (
        ("Today", today, today),
        ("Yesterday", today - day, today - day),
        ("Last 7 completed days", today - 7 * day, today - day),
    ):
        expected = sum(costs_between(service, first, last).values())
        assert await tile_amount(page, name) == cents(expected)
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
        shown = await amounts(month.locator(".row").filter(has_text=name).first)
        assert shown == [cents(amount) for amount in expected_amounts]
    await expect(page.locator("openai-account-status")).to_contain_text("Updated")

    # The chart goes back in time, and has every period.
    card = page.locator("openai-account-costs")
    await check_period(page, costs_between(service, today - 29 * day))
    await card.get_by_role("button", name="7 days").click()
    await check_period(page, costs_between(service, today - 6 * day))
    await card.get_by_role("button", name="Earlier").click()
    await expect(card.locator(".pager")).to_contain_text(f"{today - 7 * day:%-d, %Y}")
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
    await expect(page.locator("ha-more-info-dialog")).to_contain_text("Cost of gpt-5.5 this month")
    await page.keyboard.press("Escape")
    await page.wait_for_function(CLOSED)
    await check_page(page)

    # What is on the page survives that nothing answers any more, and shows nothing as wrong.
    service.simulator.fault("*", Fault(status=500))
    entities = [one["entity_id"] for one in await home.entities() if one["disabled_by"] is None]
    await home.post("/api/services/homeassistant/update_entity", {"entity_id": [*entities]})
    await expect(page.locator("hui-distribution-card").filter(visible=True)).to_have_count(0)
    assert await errors_on(page) == []
    await page.goto(f"{home.url}/{path}")
    await expect(page.locator("openai-account-costs .chart")).to_be_visible()
    assert await errors_on(page) == []


@pytest.fixture
async def accounts(home: Home, service: Service) -> AsyncIterator[dict[str, Entry]]:
    """Add accounts in different states, each at a simulator of its own; return them by name."""
    entries = {"Healthy": await add_account(home, service, BOTH, "Healthy")}
    async with contextlib.AsyncExitStack() as stack:
        for name, scenario, keys in (
            ("Troubled", "low-credit", BOTH),
            ("Admin key", "healthy", {"admin_key": ADMIN_KEY}),
            ("Expired", "healthy", SESSION),
            ("Empty", "new-account", SESSION),
        ):
            simulator = Simulator(key=KEY, admin_key=ADMIN_KEY, now=lambda: service.now)
            simulator.play(scenario)
            account = simulator.account
            account.organizations = [Organization(f"org-{name}", name, is_default=True)]
            if name == "Troubled":
                account.subscription |= {"delinquent": True, "has_payment_method": False}
                first, *others = account.streams
                account.streams = [replace(first, name=LONG_NAME), *others]
            running = await stack.enter_async_context(run_simulator(simulator))
            entries[name] = await add_account(home, running, keys, name)
            if name == "Troubled":
                options = {"low_balance_threshold": 5, "monthly_budget": 1}
                assert (await home.set_options(entries[name], options))["type"] == "create_entry"
            if name == "Expired":
                simulator.play("expired-session-key")
                entities = [
                    one["entity_id"]
                    for one in await home.entities()
                    if one["disabled_by"] is None and one["entity_id"].startswith("sensor.expired")
                ]
                data: dict[str, Json] = {"entity_id": [*entities]}
                await home.post("/api/services/homeassistant/update_entity", data)
        yield entries


@pytest.mark.parametrize("language", LANGUAGES)
async def test_looks(
    page: Page, home: Home, accounts: dict[str, Entry], artifacts: Path, language: str
) -> None:
    """Every state of an account looks right, in light and dark, on each size, in each script."""
    await create_dashboard(home, "open-ai", CONFIG)
    await log_in(page, home)
    alerts = {
        "Troubled": (
            "A payment is overdue.",
            "The credit is low:",
            "Over budget:",
            "There is no payment method on file.",
        ),
        "Expired": ("The session key has expired",),
        "Empty": ("The credit is low: $0.00 left.",),
    }
    views = {"All accounts": "all", **{name: one["entry_id"] for name, one in accounts.items()}}
    await choose_language(page, language)
    for look, size, scheme in LOOKS:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        for name, path in views.items():
            await page.goto(f"{home.url}/open-ai/{path}")
            await expect(page.locator("openai-account-costs ha-card")).to_be_visible()
            await expect(page.locator("openai-account-month ha-card")).to_be_visible()
            status = page.locator("openai-account-status")
            expected = [
                one for key in alerts if name in (key, "All accounts") for one in alerts[key]
            ]
            await expect(status.locator("ha-alert")).to_have_count(len(expected))
            if language == "en":
                for text in expected:
                    await expect(status).to_contain_text(text)
            state = name.lower().replace(" ", "-")
            await picture(page, artifacts / f"dashboard-{language}-{look}-{state}.png")
            await check_page(page)

    await page.goto(f"{home.url}/open-ai/{accounts['Expired']['entry_id']}")
    await page.locator("openai-account-status a").click()
    await expect(page).to_have_url(re.compile("/config/integrations/integration/openai_account"))
    if language == "en":
        await expect(page.get_by_role("button", name="Reconfigure").first).to_be_visible()


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
