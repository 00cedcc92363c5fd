"""The dashboard that makes itself, added and looked at in a real browser."""

import contextlib
from pathlib import Path
from typing import Literal, cast

from playwright.async_api import Locator, Page, ViewportSize, expect
import pytest

from development.home import DOMAIN, Home
from development.process import HomeError, Json, until
from simulator import Fault

from .browser import log_in, page, picture
from .common import ADMIN_KEY, KEY, Service

__all__ = ["page"]

DESKTOP: ViewportSize = {"width": 1440, "height": 1150}
PHONE: ViewportSize = {"width": 412, "height": 2000}
CONFIG: Json = {"strategy": {"type": "custom:openai-account"}}
HEADINGS = ("Credit", "Costs", "Daily costs by model", "Models this month", "Subscription")
GERMAN = ("Guthaben", "Kosten", "Tägliche Kosten nach Modell", "Modelle", "Abonnement")

# Whatever of the page tells of an error, wherever in its shadow roots, by its tag and text.
ERRORS = """() => {
  const found = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const tag = element.localName;
      const shown = element.checkVisibility?.() ?? true;
      const alert = tag === "ha-alert" && element.alertType !== "info";
      if (shown && (tag === "hui-error-card" || tag === "hui-warning" || alert)) {
        found.push(`${tag}: ${(element.shadowRoot ?? element).textContent.trim()}`);
      }
      if (tag === "hui-markdown-card" && /Error loading/.test(element._config?.content ?? "")) {
        found.push(element._config.content);
      }
      if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  return found;
}"""

# Two frames in a row in which the chart's canvas stays the same.
SETTLED = """async () => {
  const find = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.localName === "canvas") return element;
      const inner = element.shadowRoot && find(element.shadowRoot);
      if (inner) return inner;
    }
  };
  const frame = async () => {
    await new Promise(requestAnimationFrame);
    return find(document)?.toDataURL();
  };
  return (await frame()) === (await frame()) && (await frame()) !== undefined;
}"""

type Statistic = dict[str, Json]


@pytest.fixture
async def account(home: Home, service: Service) -> None:
    """Add the simulated account and wait until its daily costs have been read."""
    flow = await home.start_flow()
    keys = {"session_key": KEY, "admin_key": ADMIN_KEY}
    result = await home.send_flow(flow, {"host": service.url, **keys})
    assert result["type"] == "create_entry"
    options = {"update_interval": 300, "low_balance_threshold": 5, "monthly_budget": 100}
    [entry] = await home.entries()
    assert (await home.set_options(entry, options))["type"] == "create_entry"

    async def has_history() -> bool:
        known = cast("list[Statistic]", await home.command("recorder/list_statistic_ids"))
        return sum(one["source"] == DOMAIN for one in known) > 1

    await until(has_history, "The daily costs have been read", 120)


def seen(page: Page, cards: str) -> Locator:
    """Return those of the cards that are not hidden by a condition."""
    return page.locator(cards).filter(visible=True)


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
    await page.get_by_role("link", name="OpenAI", exact=True).click()
    await expect(seen(page, "hui-gauge-card").first).to_be_visible()


async def dashboard_path(home: Home) -> str:
    """Return the address of the dashboard that was added, once it was told what to be."""

    async def find() -> str | None:
        known = cast("list[dict[str, Json]]", await home.command("lovelace/dashboards/list"))
        path = next((str(one["url_path"]) for one in known if one["title"] == "OpenAI"), None)
        # The frontend makes a dashboard first, and fills it then.
        with contextlib.suppress(HomeError):
            if path and await home.command("lovelace/config", url_path=path) == CONFIG:
                return path
        return None

    return await until(find, "The dashboard exists, and is by the strategy alone", 30)


async def check_view(page: Page, headings: tuple[str, ...]) -> None:
    """Check that the view is whole: its headings, its chart and its table, and no error."""
    for heading in headings:
        title = page.locator("hui-heading-card").filter(has_text=heading).first
        await expect(title).to_be_visible()
    await expect(seen(page, "hui-gauge-card").first).to_be_visible()
    await expect(page.locator("hui-statistics-graph-card canvas").first).to_be_visible()
    await expect(page.locator("hui-markdown-card td").first).to_be_visible()
    assert await page.evaluate(ERRORS) == []


async def test_dashboard(
    page: Page, home: Home, service: Service, account: None, artifacts: Path
) -> None:
    await log_in(page, home)
    await add_dashboard(page, home, artifacts)
    path = await dashboard_path(home)
    assert path in page.url
    looks: tuple[tuple[str, ViewportSize, Literal["light", "dark"]], ...] = (
        ("desktop-light", DESKTOP, "light"),
        ("desktop-dark", DESKTOP, "dark"),
        ("phone-light", PHONE, "light"),
        ("phone-dark", PHONE, "dark"),
    )
    for name, size, scheme in looks:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(size)
        await page.goto(f"{home.url}/{path}")
        await check_view(page, HEADINGS)
        # The bars grow for a moment, which no event tells the end of.
        await page.wait_for_function(SETTLED)
        await picture(page, artifacts / f"dashboard-{name}.png")

    await page.evaluate("localStorage.setItem('selectedLanguage', JSON.stringify('de'))")
    await page.reload()
    await check_view(page, GERMAN)

    # What is on the page survives that nothing answers any more, and shows nothing as wrong.
    service.simulator.fault("*", Fault(status=500))
    entities = [one["entity_id"] for one in await home.entities() if one["disabled_by"] is None]
    await home.post("/api/services/homeassistant/update_entity", {"entity_id": [*entities]})
    await expect(seen(page, "hui-gauge-card")).to_have_count(0)
    await expect(seen(page, "hui-markdown-card")).to_have_count(0)
    assert await page.evaluate(ERRORS) == []
    await page.reload()
    await expect(page.locator("hui-tile-card").first).to_be_visible()
    assert await page.evaluate(ERRORS) == []
