"""How the dashboard looks: each state of an account, in each look and language."""

from collections.abc import AsyncIterator
import contextlib
from dataclasses import replace
from pathlib import Path
import re
from typing import Literal

from playwright.async_api import Page, ViewportSize, expect
import pytest

from development.home import Entry, Home
from development.process import Json
from simulator import Organization, Simulator

from .browser import choose_language, log_in, page, picture
from .common import ADMIN_KEY, KEY, Service, run_simulator
from .page_checks import check_page
from .test_dashboard import BOTH, CONFIG, DESKTOP, LONG_NAME, SESSION, add_account, create_dashboard

__all__ = ["page"]

TABLET: ViewportSize = {"width": 1000, "height": 1800}
PHONE: ViewportSize = {"width": 412, "height": 2400}

type Look = tuple[str, ViewportSize, Literal["light", "dark"]]
LOOKS: tuple[Look, ...] = (
    ("desktop", DESKTOP, "light"),
    ("desktop-dark", DESKTOP, "dark"),
    ("tablet", TABLET, "light"),
    ("tablet-dark", TABLET, "dark"),
    ("phone", PHONE, "light"),
    ("phone-dark", PHONE, "dark"),
)
LANGUAGES = ("en", "de", "zh-Hans")


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
