"""The dashboard that makes itself, added and looked at in a real browser."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from playwright.async_api import Page, ViewportSize, expect
import pytest

from scripts.home import DOMAIN, Home
from scripts.process import Json, until

from .conftest import KEY, Service
from .test_browser import NARROW, WIDE, log_in, page, picture

__all__ = ["page"]

DESKTOP: ViewportSize = {"width": 1440, "height": 1000}
PHONE: ViewportSize = {"width": 412, "height": 1900}
HEADINGS = ("Credit", "Costs", "Daily costs by model", "Models this month", "Subscription")
HEADINGS_DE = ("Guthaben", "Kosten", "Tägliche Kosten nach Modell", "Abonnement")

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

type Statistic = dict[str, Json]


@pytest.fixture
async def account(home: Home, service: Service) -> None:
    """Add the simulated account and wait until its daily costs have been read."""
    flow = await home.start_flow()
    result = await home.send_flow(flow, {"host": service.url, "session_key": KEY})
    assert result["type"] == "create_entry"

    async def has_history() -> bool:
        known = cast("list[Statistic]", await home.command("recorder/list_statistic_ids"))
        return sum(one["source"] == DOMAIN for one in known) > 1

    await until(has_history, "The daily costs have been read", 120)


async def add_dashboard(page: Page, home: Home) -> None:
    """Add the dashboard where people add dashboards, and open it."""
    await page.goto(f"{home.url}/config/lovelace/dashboards")
    await page.get_by_role("button", name="Add dashboard").click()
    offer = page.locator("dashboard-card").filter(has_text="OpenAI Account")
    await expect(offer).to_contain_text("The credit, costs and subscription")
    await offer.click()
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_text("OpenAI", exact=True).first).to_be_visible()


async def dashboard_path(home: Home) -> str:
    """Return the address of the dashboard that was added."""

    async def find() -> str | None:
        known = cast("list[dict[str, Json]]", await home.command("lovelace/dashboards/list"))
        return next((str(one["url_path"]) for one in known if one["title"] == "OpenAI"), None)

    return await until(find, "The dashboard exists", 30)


async def check_view(page: Page, headings: tuple[str, ...]) -> None:
    """Check that the view is whole: its headings, its chart and its table, and no error."""
    for heading in headings:
        title = page.locator("hui-heading-card").filter(has_text=heading).first
        await expect(title).to_be_visible()
    await expect(page.locator("hui-gauge-card")).to_be_visible()
    await expect(page.locator("hui-statistics-graph-card canvas").first).to_be_visible()
    await expect(page.locator("hui-markdown-card td").first).to_be_visible()
    assert await page.evaluate(ERRORS) == []


async def test_dashboard(page: Page, home: Home, account: None, artifacts: Path) -> None:
    await log_in(page, home)
    await add_dashboard(page, home)
    path = await dashboard_path(home)
    config = await home.command("lovelace/config", url_path=path)
    assert config == {"strategy": {"type": "custom:openai-account"}}
    for name, size, scheme in (
        ("desktop-light", DESKTOP, "light"),
        ("desktop-dark", DESKTOP, "dark"),
        ("phone-light", PHONE, "light"),
        ("phone-dark", PHONE, "dark"),
    ):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size(size)
        await page.goto(f"{home.url}/{path}")
        await check_view(page, HEADINGS)
        await picture(page, artifacts / f"dashboard-{name}.png")
