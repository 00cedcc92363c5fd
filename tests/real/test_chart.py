"""The dashboard's cards in the hand: by finger and keyboard, in every direction, over time."""

from datetime import timedelta

from playwright.async_api import Locator, Page, ViewportSize, expect
import pytest

from development.home import Home
from simulator import Organization, Simulator

from .browser import choose_language, log_in, page
from .common import ADMIN_KEY, KEY, Service, run_simulator
from .test_dashboard import BOTH, CONFIG, SESSION, add_account, create_dashboard, recorded

__all__ = ["page"]

SMALL_PHONE: ViewportSize = {"width": 320, "height": 2400}

# Labels of a chart that touch each other or a bar; a line is a little higher than what is in it.
TOUCHING = """(chart) => {
  const boxOf = (element) => [element.getBoundingClientRect(), element.textContent];
  const labels = [...chart.querySelectorAll("text")].map(boxOf);
  const bars = [...chart.querySelectorAll("rect:not(.marked)")].map(boxOf);
  const touches = ([one], [other]) =>
    one.left < other.right + 2 && other.left < one.right + 2 &&
    one.top < other.bottom - 4 && other.top < one.bottom - 4;
  if (labels.length < 3 || !bars.length) throw new Error("There is nothing to compare");
  return labels.flatMap((label, place) =>
    [...labels.slice(place + 1), ...bars]
      .filter((other) => touches(label, other))
      .map((other) => `${label[1]} / ${other[1] || "bar"}`));
}"""


async def tap(page: Page, locator: Locator) -> None:
    """Tap with a finger in the middle of an element, and lift it."""
    box = await locator.bounding_box()
    assert box
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    session = await page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [point]), ("touchEnd", [])):
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await session.detach()


async def redraw(card: Locator) -> None:
    """Have a card fetch its data again, and draw itself."""
    await card.evaluate("(card) => card.refresh()")


async def test_finger_and_keyboard(page: Page, home: Home, service: Service) -> None:
    """What is chosen stays chosen until another thing is, also when a card is drawn again."""
    entry = await add_account(home, service, BOTH)
    await recorded(home, service, service.now.date() - timedelta(days=29))
    await create_dashboard(home, "open-ai", CONFIG)
    await log_in(page, home)
    await page.goto(f"{home.url}/open-ai/{entry['entry_id']}")
    card = page.locator("openai-account-costs")
    chart, tooltip = card.locator(".chart"), card.locator(".tooltip")
    await tap(page, chart)
    await expect(tooltip).to_be_visible()
    bar = await chart.get_attribute("aria-valuetext")
    assert bar
    await redraw(card)
    await expect(tooltip).to_be_visible()
    await tap(page, card.locator(".summary"))
    await expect(tooltip).to_be_hidden()

    await chart.focus()
    await page.keyboard.press("ArrowLeft")
    earlier = await chart.get_attribute("aria-valuetext")
    assert earlier != bar
    before = await chart.element_handle()
    await redraw(card)
    assert before
    assert not await before.evaluate("(element) => element.isConnected")
    await expect(chart).to_be_focused()
    await expect(chart).to_have_attribute("aria-valuetext", str(earlier))
    await expect(tooltip).to_be_visible()
    row = card.locator("li button").nth(1)
    await row.focus()
    await expect(tooltip).to_be_hidden()
    await redraw(card)
    await expect(row).to_be_focused()
    await expect(tooltip).to_be_hidden()

    # What is wrong is not read out again while nothing about it is new.
    service.simulator.play("expired-session-key")
    entities = [one["entity_id"] for one in await home.entities() if one["disabled_by"] is None]
    await home.post("/api/services/homeassistant/update_entity", {"entity_id": [*entities]})
    status = page.locator("openai-account-status")
    alert, link = status.locator("ha-alert"), status.locator("a")
    await link.focus()
    shown = await alert.element_handle()
    await redraw(status)
    assert shown
    assert await shown.evaluate("(element) => element.isConnected")
    await expect(link).to_be_focused()


@pytest.mark.parametrize("language", ["zh-Hans", "he", "ar"])
async def test_labels(page: Page, home: Home, service: Service, language: str) -> None:
    """The labels of a chart touch nothing, however narrow it is, in either direction."""
    entry = await add_account(home, service, BOTH)
    await recorded(home, service, service.now.date() - timedelta(days=29))
    await create_dashboard(home, "open-ai", CONFIG)
    await page.set_viewport_size(SMALL_PHONE)
    await log_in(page, home)
    await choose_language(page, language)
    await page.goto(f"{home.url}/open-ai/{entry['entry_id']}")
    chart = page.locator("openai-account-costs .chart")
    await expect(chart).to_be_visible()
    for period in ("30d", "7d", "90d", "12m"):
        button = page.locator("openai-account-costs").locator(f"[id='{period}']")
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "true")
        assert await chart.evaluate(TOUCHING) == []


async def test_accounts_come_and_go(page: Page, home: Home, service: Service) -> None:
    """A view says that its account is not there any more, and has the account's new name."""
    await add_account(home, service, SESSION, "Attic")
    simulator = Simulator(key=KEY, admin_key=ADMIN_KEY, now=lambda: service.now)
    simulator.account.organizations = [Organization("org-cellar", "Cellar", is_default=True)]
    async with run_simulator(simulator) as other:
        entry = await add_account(home, other, SESSION, "Cellar")
        third = Simulator(key=KEY, admin_key=ADMIN_KEY, now=lambda: service.now)
        third.account.organizations = [Organization("org-garden", "Garden", is_default=True)]
        async with run_simulator(third) as last:
            await add_account(home, last, SESSION, "Garden")
            await create_dashboard(home, "open-ai", CONFIG)
            await log_in(page, home)
            await page.goto(f"{home.url}/open-ai/{entry['entry_id']}")
            gauge = page.locator("hui-gauge-card").filter(visible=True)
            await expect(gauge).to_be_visible()
            tab = page.locator("ha-tab-group-tab").filter(visible=True)
            await home.command("config_entries/update", entry_id=entry["entry_id"], title="Loft")
            await expect(tab.filter(has_text="Loft")).to_be_visible()
            await expect(tab).to_have_count(4)

            disable = {"entry_id": entry["entry_id"], "disabled_by": "user"}
            await home.command("config_entries/disable", **disable)
            gone = page.get_by_text("The account that is chosen here does not exist.").first
            await expect(gone).to_be_visible()
            await expect(gauge).to_have_count(0)
            await page.reload()
            await expect(gone).to_be_visible()
            await expect(gauge).to_have_count(0)
            await home.command("config_entries/disable", **(disable | {"disabled_by": None}))
            await expect(gauge).to_be_visible()
            await expect(gone).to_be_hidden()
