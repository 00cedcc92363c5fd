"""The dashboard that generates itself: what is served, and the views that it generates."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
import re
import shutil
from typing import Any, cast

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.openai_account import dashboard
from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.dashboard import FOLDER, SCRIPT

from .common import setup_entry
from .frontend import VIEW, Account, Card, Frontend, Json, cards, headings, walk

DASHBOARD = "ll-strategy-dashboard-openai-account"
LANGUAGES = ("en", "de", "es", "fr", "ja", "zh-Hans", "zh-Hant")


@pytest.fixture
def onboarded(hass_storage: dict[str, Any]) -> None:
    """Home Assistant's onboarding is done."""
    done = ["user", "core_config", "analytics", "integration"]
    hass_storage["onboarding"] = {
        "version": 4,
        "minor_version": 1,
        "key": "onboarding",
        "data": {"done": done},
    }


async def loaded_scripts(client: TestClient[Any, Any]) -> set[str]:
    """Return the addresses of this integration's scripts that the frontend's page loads."""
    page = await (await client.get("/")).text()
    return set(re.findall(rf'import\("(/{DOMAIN}/[^"]+)"\)', page))


async def test_scripts_are_served(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    onboarded: None,
) -> None:
    """The frontend loads the script, and that one everything that it imports."""
    assert await async_setup_component(hass, "frontend", {})
    await setup_entry(hass, entry)
    client = await hass_client_no_auth()
    [address] = await loaded_scripts(client)
    folder, _, script = address.rpartition("/")
    assert script == SCRIPT

    served = {SCRIPT}
    waiting = [SCRIPT]
    while waiting:
        response = await client.get(f"{folder}/{waiting.pop()}")
        assert response.status == HTTPStatus.OK
        assert response.content_type == "text/javascript"
        assert "max-age" in response.headers["Cache-Control"]
        text = await response.text()
        imported = set(re.findall(r'(?:from|import\()\s*"\./([^"]+)"', text))
        waiting += imported - served
        served |= imported
    assert served == {path.name for path in FOLDER.iterdir()}


async def test_address_follows_content(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    onboarded: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script that changes is served from another address, since browsers cache the old one."""
    folder = tmp_path / "frontend"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr(dashboard, "FOLDER", folder)
    assert await async_setup_component(hass, "frontend", {})
    await setup_entry(hass, entry)
    with (folder / "texts.js").open("a") as script:
        script.write("// Changed\n")
    await dashboard.async_register_dashboard(hass)
    await hass.async_block_till_done()
    client = await hass_client_no_auth()
    assert len(await loaded_scripts(client)) == 2


async def test_frontend_later(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    onboarded: None,
) -> None:
    """A frontend that is set up after the integration loads the script too."""
    await setup_entry(hass, entry)
    assert await async_setup_component(hass, "frontend", {})
    await hass.async_block_till_done()
    client = await hass_client_no_auth()
    assert SCRIPT in await (await client.get("/")).text()


async def test_without_frontend(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """An account needs no frontend."""
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert "frontend" not in hass.config.components
    assert "http" not in hass.config.components


@pytest.fixture
async def frontend(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    tmp_path: Path,
) -> Frontend:
    """A frontend, after the account was set up."""
    await setup_entry(hass, entry)
    return await Frontend.create(hass, hass_ws_client, tmp_path)


async def test_offered(frontend: Frontend) -> None:
    """The dashboard is offered once, in the language of the page."""
    frontend.language = "de"
    generated = await frontend.call([DASHBOARD, "getCreateSuggestions", "hass"])
    [offer] = generated["offered"]
    assert offer["type"] == "openai-account"
    assert offer["strategyType"] == "dashboard"
    assert offer["description"].startswith("Guthaben")
    assert generated["results"] == [{"title": "OpenAI", "icon": "mdi:creation"}]


async def test_dashboard(frontend: Frontend) -> None:
    """Each account has a view, at an address that stays the same when the account is renamed."""
    frontend.accounts.append(
        {
            "config_entry_id": "other",
            "device_id": None,
            "title": "2026",
            "entities": [],
            "statistics": [],
        }
    )
    generated = await frontend.call([DASHBOARD, "generate", {}, "hass"])
    [dashboard] = generated["results"]
    assert dashboard["views"] == [
        {
            "title": account["title"],
            "path": account["config_entry_id"],
            "strategy": {
                "type": "custom:openai-account",
                "config_entry_id": account["config_entry_id"],
            },
        }
        for account in frontend.accounts
    ]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_account(frontend: Frontend, language: str) -> None:
    """Without an account the view says so, in every language, and links to where one is added."""
    frontend.accounts.clear()
    frontend.language = language
    generated = await frontend.call(
        [DASHBOARD, "generate", {}, "hass"], [VIEW, "generate", {}, "hass"]
    )
    dashboard, view = generated["results"]
    assert dashboard["views"] == [
        {"title": "OpenAI", "icon": "mdi:creation", "strategy": {"type": "custom:openai-account"}}
    ]
    [notice] = cards(view, "markdown")
    assert f"/config/integrations/dashboard/add?domain={DOMAIN}" in str(notice["content"])
    assert ("There is no" in str(notice["content"])) == (language == "en")


async def test_view(frontend: Frontend) -> None:
    """Everything that an account reports has its place; the most expensive model comes first."""
    frontend.record(gpt_image_2=3.0, gpt_5_5=9.5, idle=0.0)
    for model in frontend.of_kind("model"):
        model["name"] = str(model["name"]).replace(".", "-")
    view = await frontend.view()
    assert headings(view) == [
        *("Credit", "Costs", "Daily costs by model", "Models this month", "Subscription")
    ]
    [gauge] = cards(view, "gauge")[:1]
    assert gauge["entity"] == frontend.find("total_available")
    assert gauge["max"] == float(str(frontend.states[frontend.find("total_granted")]["state"]))
    tiles = [one["entity"] for one in cards(view, "tile")]
    assert frontend.find("cost_today") in tiles
    assert frontend.find("cost_this_month") in tiles

    [chart] = cards(view, "statistics-graph")
    assert chart["chart_type"] == "bar-stack"
    assert chart["stat_types"] == ["change"]
    assert chart["period"] == "day"
    assert chart["entities"] == [
        {"entity": "openai_account:account_cost_gpt_5_5", "name": "gpt-5-5"},
        {"entity": "openai_account:account_cost_gpt_image_2", "name": "gpt-image-2"},
    ]
    [bar] = cards(view, "distribution")
    first, second, *_ = cast("list[dict[str, str]]", bar["entities"])
    assert (first["name"], second["name"]) == ("gpt-5-5", "gpt-image-2")

    shown = {str(one.get("entity")) for one in walk(view)}
    assert {one["entity_id"] for one in frontend.account["entities"]} - shown == set()


async def test_account_of_the_view(frontend: Frontend) -> None:
    """A view is that of the account it names, or else of the first one."""
    silent: Account = {
        "config_entry_id": "silent",
        "device_id": None,
        "title": "A",
        "entities": [],
        "statistics": [],
    }
    [account] = frontend.accounts
    frontend.accounts.insert(0, silent)
    assert cards(await frontend.view(config_entry_id=account["config_entry_id"]), "gauge")
    for config in ({"config_entry_id": "silent"}, {}):
        [notice] = cards(await frontend.view(**config), "markdown")
        assert notice["content"] == "This account reports nothing at the moment."
    [notice] = cards(await frontend.view(config_entry_id="removed"), "markdown")
    assert str(notice["content"]).startswith("There is no OpenAI account")


async def test_renamed_entity(frontend: Frontend) -> None:
    """A card finds its entity by what it shows, whatever the user has renamed it to."""
    [entity] = [one for one in frontend.account["entities"] if one["key"] == "cost_today"]
    frontend.states["sensor.money"] = frontend.states.pop(entity["entity_id"])
    frontend.entities["sensor.money"] = frontend.entities.pop(entity["entity_id"]) | {
        "name": "Money"
    }
    entity["entity_id"] = "sensor.money"
    view = await frontend.view()
    [tile] = [one for one in cards(view, "tile") if one["entity"] == "sensor.money"]
    assert tile["name"] == "Money"


async def test_view_omits_missing_cards(frontend: Frontend) -> None:
    """What an account does not have gets no card and no heading."""
    for key in ("total_granted", "cost_this_month", "plan"):
        frontend.remove_entity(key)
    view = await frontend.view()
    assert not cards(view, "gauge")
    assert frontend.find("total_available") in [one["entity"] for one in cards(view, "tile")]
    assert not cards(view, "distribution")
    assert not cards(view, "statistics-graph")
    assert headings(view) == ["Credit", "Costs", "Models this month", "Subscription"]


async def test_view_of_one_entity(frontend: Frontend) -> None:
    """A single entity still makes a view."""
    entities = frontend.account["entities"]
    entities[:] = [one for one in entities if one["key"] == "plan"]
    assert headings(await frontend.view()) == ["Subscription"]


async def test_projects(frontend: Frontend) -> None:
    """Costs of projects are not among the subscription, but have a section of their own."""
    for model, name in zip(frontend.of_kind("model"), ("Attic", "Cellar"), strict=False):
        model["kind"], model["key"], model["name"] = "project", "project_cost", name
    view = await frontend.view()
    assert headings(view) == [
        *("Credit", "Costs", "Models this month", "Projects this month", "Subscription")
    ]
    projects = {one["entity_id"] for one in frontend.of_kind("project")}
    *_, by_project, subscription = cast("list[Card]", view["sections"])
    assert not projects & {one.get("entity") for one in walk(subscription)}
    [bar] = cards(by_project, "distribution")
    assert [one["name"] for one in cast("list[Card]", bar["entities"])] == ["Attic", "Cellar"]
    [table] = cards(by_project, "markdown")
    assert '<th align="left">Project</th>' in str(table["content"])


async def test_problems(frontend: Frontend) -> None:
    """A problem is a badge at the top as long as it lasts; low credit colors the gauge."""
    if "low_balance" not in {one["key"] for one in frontend.account["entities"]}:
        frontend.add_entity("low_balance", "off")
    frontend.add_entity("over_budget", "off")
    budget = frontend.add_entity("budget_used", "40")
    view = await frontend.view()
    badges = {one["entity"]: one for one in cast("list[Card]", view["badges"])}
    for key, state in (
        ("delinquent", "on"),
        ("has_payment_method", "off"),
        ("low_balance", "on"),
        ("over_budget", "on"),
    ):
        badge = badges[frontend.find(key)]
        [condition] = cast("list[Card]", badge["visibility"])
        assert condition == {"condition": "state", "entity": badge["entity"], "state": state}
    fine, low = cards(view, "gauge")
    assert fine["segments"] != low["segments"]
    assert budget in [one["entity"] for one in cards(view, "tile") if "features" in one]


async def test_gauge_without_number(frontend: Frontend) -> None:
    """While the credit is unavailable, a tile takes the place of the gauge."""
    frontend.states[frontend.find("total_available")]["state"] = "unavailable"
    view = await frontend.view()
    [gauge] = cards(view, "gauge")[:1]
    [shown] = cast("list[Card]", gauge["visibility"])[:1]
    assert shown["state_not"] == ["unavailable", "unknown"]
    [tile] = [one for one in cards(view, "tile") if one["entity"] == gauge["entity"]]
    assert tile["visibility"] == [{"condition": "not", "conditions": [shown]}]


async def test_before_stacked_bars(frontend: Frontend) -> None:
    """A frontend that cannot stack bars shows them side by side."""
    frontend.record(gpt_5_5=1.0)
    frontend.version = "2026.3.4"
    [chart] = cards(await frontend.view(), "statistics-graph")
    assert chart["chart_type"] == "bar"


@pytest.mark.parametrize(
    ("language", "number_format", "cost", "share"),
    [
        ("en", "language", "$1,234.50", "100%"),
        ("de", "language", "1.234,50 $", "100 %"),
        ("en", "decimal_comma", "1.234,50 $", "100 %"),
        ("de", "comma_decimal", "$1,234.50", "100%"),
        ("en", "none", "$1234.50", "100%"),
        ("ja", "language", "$1,234.50", "100%"),
    ],
)
async def test_table(
    hass: HomeAssistant,
    frontend: Frontend,
    language: str,
    number_format: str,
    cost: str,
    share: str,
) -> None:
    """The table sorts itself, in the user's number format."""
    frontend.language = language
    frontend.number_format = number_format
    models = [one["entity_id"] for one in frontend.of_kind("model")]
    for number, id_ in enumerate(models):
        hass.states.async_set(id_, {0: "1.5", 1: "1234.5", 2: "unavailable"}.get(number, "0"))
    [table] = cards(await frontend.view(), "markdown")[-1:]
    text = Template(str(table["content"]), hass).async_render(parse_result=False)
    rows = re.findall(r'<tr><td>(.*?)</td><td align="right">(.*?)</td><td[^>]*>(.*?)</td>', text)
    assert len(rows) == 2
    assert [one.replace("\xa0", " ") for one in rows[0][1:]] == [cost, share]
    assert rows[1][2].startswith("0")

    for id_ in models:
        hass.states.async_set(id_, "0")
    assert "<table" not in Template(str(table["content"]), hass).async_render(parse_result=False)


@pytest.mark.parametrize(
    "name",
    [
        "{{ 1/0 }} {% raw %}",
        "<img src=x onerror=alert(1)>",
        "a|b *c* _d_ [e](javascript:f) `g`",
        '") }}{{ states("sensor.plan") }}',
        "back\\slash \\u0022",
        "模型 🤖\n\n# heading",
    ],
)
async def test_hostile_name(hass: HomeAssistant, frontend: Frontend, name: str) -> None:
    """A model's name is displayed as it is, whatever it contains."""
    model = frontend.of_kind("model")[0]
    model["name"] = name
    hass.states.async_set(model["entity_id"], "5")
    [table] = cards(await frontend.view(), "markdown")[-1:]
    text = Template(str(table["content"]), hass).async_render(parse_result=False)
    cells = re.findall(r"<tr><td>(.*?)</td>", text)
    shown = [re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), one) for one in cells]
    assert " ".join(name.split()) in shown
    assert all(re.fullmatch(r"[^!-\"$%'-/:<-@\[-`{-~]*", one) for one in cells)


async def test_regenerated(frontend: Frontend) -> None:
    """The view is generated again when what it is made from changes, not with every state."""
    gone: Json = {"entities": {}, "devices": {}, "states": {}}
    generated = await frontend.call(
        [VIEW, "generate", {}, "hass"],
        [VIEW, "shouldRegenerate", {}, "hass", "hass"],
        [VIEW, "shouldRegenerate", {}, gone, "hass"],
        [VIEW, "shouldRegenerate", {}, {"change": [frontend.find("total_granted")]}, "hass"],
        [VIEW, "shouldRegenerate", {}, {"change": [frontend.find("cost_today")]}, "hass"],
    )
    assert generated["results"][1:] == [False, True, True, False]


async def test_daily_costs_to_come(frontend: Frontend) -> None:
    """Until daily costs are recorded the view says so, and each new cost generates it again."""
    calls: tuple[list[Json], ...] = (
        [VIEW, "generate", {}, "hass"],
        [VIEW, "shouldRegenerate", {}, {"change": [frontend.find("cost_today")]}, "hass"],
    )
    frontend.account["statistics"] = []
    view, regenerated = (await frontend.call(*calls))["results"]
    assert "as soon as they have been fetched" in str(cards(view, "markdown")[0]["content"])
    assert regenerated

    frontend.record()
    view, regenerated = (await frontend.call(*calls))["results"]
    [chart] = cards(view, "statistics-graph")
    assert chart["entities"] == ["openai_account:account_cost"]
    assert not regenerated
