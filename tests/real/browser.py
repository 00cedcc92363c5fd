"""A real browser for the tests, which connects to nothing but this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
from urllib.parse import urlsplit

from playwright.async_api import Browser, Error, Page, ViewportSize, async_playwright, expect
import pytest

from development.home import DOMAIN, USER, Home
from development.process import LOOPBACK

from .common import PASSWORD, failed

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

# A dialog that closes goes back in the browser's history: nothing may be opened before.
CLOSED = "() => !history.state?.open"

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
    """Return whether a URL is outside, or makes Home Assistant fetch a picture from outside."""
    parts = urlsplit(url)
    return parts.hostname != LOOPBACK or (
        parts.path.startswith("/api/brands/") and DOMAIN not in parts.path
    )


@pytest.fixture
async def page(home: Home, artifacts: Path, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Open a browser that reaches nothing but Home Assistant; fail on errors in its console."""
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


async def visit(page: Page, url: str) -> None:
    """Open a page, again if a dialog that was still closing went back in the history."""
    while True:
        try:
            await page.goto(url)
        except Error as err:
            # It went back while the page was on its way.
            if "ERR_ABORTED" not in err.message:
                raise
        await page.wait_for_load_state("networkidle")
        if page.url.split("?")[0] == url:
            return


async def choose_language(page: Page, language: str) -> None:
    """Have the frontend use a language from the next page on."""
    await page.evaluate(
        "language => localStorage.setItem('selectedLanguage', JSON.stringify(language))", language
    )


async def log_in(page: Page, home: Home) -> None:
    """Log in on the login page."""
    await page.goto(home.url)
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(lambda url: "/auth/authorize" not in url and "auth_callback" not in url)
    await expect(page.locator("home-assistant-main")).to_be_visible()
