"""An account added by hand in a real browser, and what its pages look like."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect
import pytest

from scripts.home import DOMAIN, USER, Home
from scripts.process import LOOPBACK, REPOSITORY

from .conftest import KEY, PASSWORD, WRONG_KEY, Service, failed

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE: ViewportSize = {"width": 1280, "height": 1150}
NARROW: ViewportSize = {"width": 412, "height": 915}
SHOWN = (
    "Credit available",
    "Credit granted",
    "Credit used",
    "Next credit expiry",
    "Cost today",
    "Cost this month",
    "Hard limit",
    "Plan",
    "Payment overdue",
    "Auto-recharge",
)
TEXTS = json.loads(
    (REPOSITORY / "custom_components" / DOMAIN / "translations/en.json").read_text()
)["config"]


expect.set_options(timeout=30_000)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Run the machine's own Chromium, or else the one that Playwright fetched."""
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


def is_outside(url: str) -> bool:
    """Return whether an address is outside, or makes Home Assistant ask outside for a picture."""
    parts = urlsplit(url)
    return parts.hostname != LOOPBACK or (
        parts.path.startswith("/api/brands/") and DOMAIN not in parts.path
    )


@pytest.fixture
async def page(home: Home, artifacts: Path, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Open a browser that reaches nothing but Home Assistant; check what it complained of."""
    complaints: list[str] = []
    async with running_browser() as browser:
        context = await browser.new_context(viewport=WIDE, locale="en-US", timezone_id="UTC")
        context.set_default_timeout(30_000)
        await context.route(is_outside, lambda route: route.abort())
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{message.text} {message.location.get('url')}")
                if message.type == "error"
                else None
            ),
        )
        page.on(
            "response",
            lambda response: (
                complaints.append(f"{response.status} {response.url}")
                if response.status >= 400
                else None
            ),
        )
        yield page
        if failed(request):
            await page.screenshot(path=artifacts / f"failed-{request.node.name}.png")
    assert [complaint for complaint in complaints if DOMAIN in complaint] == []


async def picture(page: Page, path: Path) -> None:
    """Take a screenshot once the page is at rest."""
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=path, animations="disabled")


async def log_in(page: Page, home: Home) -> None:
    """Log in through the login page."""
    await page.goto(home.url)
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(lambda url: "/auth/authorize" not in url and "auth_callback" not in url)
    await expect(page.locator("home-assistant-main")).to_be_visible()


async def add_account(page: Page, home: Home, service: Service, artifacts: Path) -> None:
    """Add the simulated account by the dialog: with a wrong key first, then with the right one."""
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").click()
    await page.get_by_placeholder("Search for a brand name").fill("OpenAI Account")
    await page.get_by_role("button", name="OpenAI Account").click()
    await expect(page.get_by_text(TEXTS["step"]["user"]["title"])).to_be_visible()
    await expect(page.get_by_role("textbox", name="Host")).to_have_value("api.openai.com")
    await picture(page, artifacts / "dialog.png")

    key = page.get_by_role("textbox", name="Session key")
    await page.get_by_role("textbox", name="Host").fill(service.url)
    await key.fill(WRONG_KEY)
    await expect(key).to_have_attribute("type", "password")
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_text(TEXTS["error"]["invalid_auth"])).to_be_visible()
    await picture(page, artifacts / "dialog-wrong-key.png")

    await key.fill(KEY)
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_role("button", name="Skip and finish")).to_be_visible()
    await picture(page, artifacts / "dialog-done.png")
    await page.get_by_role("button", name="Skip and finish").click()


async def test_account(page: Page, home: Home, service: Service, artifacts: Path) -> None:
    await log_in(page, home)
    await add_account(page, home, service, artifacts)

    await page.goto(f"{home.url}/config/integrations/integration/{DOMAIN}")
    [entry] = await home.entries()
    await expect(page.get_by_text(entry["title"]).first).to_be_visible()
    await picture(page, artifacts / "integration.png")

    device = await home.device(entry)
    await page.goto(f"{home.url}/config/devices/device/{device['id']}")
    for name in SHOWN:
        await expect(page.get_by_text(name, exact=True).first).to_be_visible()
    available = (await service.ask("credit_grants"))["total_available"]
    sensors = page.locator("ha-device-entities-card").first
    await expect(sensors).to_contain_text(f"${available:,.2f}")
    await expect(page.get_by_text("Unavailable")).to_have_count(0)
    for looks, size in (("light", WIDE), ("dark", WIDE), ("narrow", NARROW)):
        await page.emulate_media(color_scheme="dark" if looks == "dark" else "light")
        await page.set_viewport_size(size)
        await page.reload()
        await expect(page.get_by_text("Cost today", exact=True)).to_be_visible()
        await picture(page, artifacts / f"device-{looks}.png")
