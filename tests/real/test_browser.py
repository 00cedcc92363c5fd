"""An account that is added in a real browser, and its pages."""

import json
from pathlib import Path
import re
from typing import cast

from playwright.async_api import Page, ViewportSize, expect

from development.home import DOMAIN, Home
from development.process import REPOSITORY, Json, until

from .browser import CLOSED, WIDE, choose_language, log_in, page, picture, visit
from .common import ADMIN_KEY, KEY, WRONG_KEY, Service

__all__ = ["page"]

LOW: ViewportSize = {"width": 1280, "height": 580}
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
    "Subscription canceled",
    "Problem",
    "Credit low",
    "Spend limit",
    "Budget used",
    "Auto-recharge",
)
TEXTS = json.loads(
    (REPOSITORY / "custom_components" / DOMAIN / "translations/en.json").read_text()
)["config"]


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
    await page.get_by_role("textbox", name="Admin key").fill(ADMIN_KEY)
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_role("button", name="Skip and finish")).to_be_visible()
    await expect(page.get_by_text("There is also a dashboard.")).to_be_visible()
    await picture(page, artifacts / "dialog-done.png")
    await page.get_by_role("button", name="Skip and finish").click()
    await page.wait_for_function(CLOSED)


async def test_account_in_the_browser(
    page: Page, home: Home, service: Service, artifacts: Path
) -> None:
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
    available = (await service.fetch("credit_grants"))["total_available"]
    sensors = page.locator("ha-device-entities-card").first
    await expect(sensors).to_contain_text(f"${available:,.2f}")
    await expect(page.get_by_text("Unavailable")).to_have_count(0)
    for looks, size in (("light", WIDE), ("dark", WIDE), ("narrow", NARROW)):
        await page.emulate_media(color_scheme="dark" if looks == "dark" else "light")
        await page.set_viewport_size(size)
        await page.reload()
        await expect(page.get_by_text("Cost today", exact=True)).to_be_visible()
        await picture(page, artifacts / f"device-{looks}.png")

    await set_options(page, home, artifacts)
    await watch_credit(page, home, service, artifacts)


async def set_options(page: Page, home: Home, artifacts: Path) -> None:
    """Set a budget by the options' dialog; its sensor appears without a restart."""
    await page.set_viewport_size(WIDE)
    await page.emulate_media(color_scheme="light")
    await page.goto(f"{home.url}/config/integrations/integration/{DOMAIN}")
    await page.get_by_role("button", name="Configure").first.click()
    budget = page.get_by_role("spinbutton", name="Monthly budget")
    await budget.fill("0.5")
    await picture(page, artifacts / "options.png")
    await page.get_by_role("button", name="Submit").click()
    await page.get_by_role("button", name="Finish").click()
    await expect(budget).to_be_hidden()
    await page.wait_for_function(CLOSED)

    async def is_over() -> bool:
        states = await home.states()
        return any(
            entity.endswith("_over_budget") and state["state"] == "on"
            for entity, state in states.items()
        )

    await until(is_over, "The budget is exceeded", 30)


async def watch_credit(page: Page, home: Home, service: Service, artifacts: Path) -> None:
    """An automation by the account's own trigger and condition: its editor, and that it runs."""
    [entry] = await home.entries()
    device = await home.device(entry)
    target: Json = {"device_id": [device["id"]]}
    config: dict[str, Json] = {
        "alias": "Watch the credit",
        "triggers": [{"trigger": f"{DOMAIN}.credit_became_low", "target": target}],
        "conditions": [{"condition": f"{DOMAIN}.is_over_budget", "target": target}],
        "actions": [{"action": "persistent_notification.create", "data": {"message": "Low"}}],
    }
    await home.post("/api/config/automation/config/watch", config)
    name = "automation.watch_the_credit"

    async def is_on() -> bool:
        return (await home.states()).get(name, {"state": ""})["state"] == "on"

    await until(is_on, "The automation is there", 30)
    await visit(page, f"{home.url}/config/automation/edit/watch")
    for shown in ("credit became low", "over budget"):
        await expect(page.get_by_text(re.compile(shown, re.IGNORECASE)).first).to_be_visible()
    # The account's entities that can be meant are found.
    await expect(page.get_by_text(re.compile(rf"{entry['title']}.*\([1-9]"))).to_have_count(2)
    await page.set_viewport_size(LOW)
    await picture(page, artifacts / "automation.png")

    known = cast(
        "dict[str, dict[str, Json]]", await home.command("blueprint/list", domain="automation")
    )
    ours = {path: one for path, one in known.items() if path.startswith(f"{DOMAIN}/")}
    assert len(ours) == 6
    assert [path for path, one in ours.items() if "error" in one] == []

    # The credit is low once the threshold is above it.
    before = (await home.states())[name]["attributes"]["last_triggered"]
    assert before is None
    options = {"update_interval": 300, "low_balance_threshold": 1_000_000, "monthly_budget": 0.5}
    assert (await home.set_options(entry, options))["type"] == "create_entry"

    async def has_run() -> bool:
        return (await home.states())[name]["attributes"]["last_triggered"] is not None

    await until(has_run, "The automation has run", 30)


async def test_pictures_in_chinese(
    page: Page, home: Home, service: Service, artifacts: Path
) -> None:
    """The dialog, the device and an automation in Chinese, whose README shows them."""
    # Entities are named in the server's language.
    await home.command("config/core/update", language="zh-Hans")
    await log_in(page, home)
    await choose_language(page, "zh-Hans")
    await page.goto(f"{home.url}/config/integrations/dashboard/add?domain={DOMAIN}")
    await page.get_by_role("button", name="确定").click()
    host = page.locator("input[name=host]")
    await expect(host).to_have_value("api.openai.com")
    await picture(page, artifacts / "zh-dialog.png")

    keys = {"session_key": KEY, "admin_key": ADMIN_KEY}
    flow = await home.start_flow()
    result = await home.send_flow(flow, {"host": service.url, **keys})
    assert result["type"] == "create_entry"
    [entry] = await home.entries()
    device = await home.device(entry)
    await page.goto(f"{home.url}/config/devices/device/{device['id']}")
    await expect(page.get_by_text("今日费用", exact=True)).to_be_visible()
    await picture(page, artifacts / "zh-device.png")

    target: Json = {"device_id": [device["id"]]}
    config: dict[str, Json] = {
        "alias": "监视额度",
        "triggers": [{"trigger": f"{DOMAIN}.credit_became_low", "target": target}],
        "conditions": [{"condition": f"{DOMAIN}.credit_is_low", "target": target}],
        "actions": [{"action": "persistent_notification.create", "data": {"message": "额度不足"}}],
    }
    await home.post("/api/config/automation/config/watch", config)
    await visit(page, f"{home.url}/config/automation/edit/watch")
    await expect(page.get_by_text(re.compile(rf"{entry['title']}.*\([1-9]")).first).to_be_visible()
    await page.set_viewport_size(LOW)
    await picture(page, artifacts / "zh-automation.png")
