"""The dashboard that makes itself: what is served, and the views that it makes."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
import re
from typing import Any, cast

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.dashboard import FOLDER, SCRIPT

from .common import setup_entry
from .frontend import NODE, VIEW, Card, Frontend, Json, cards, headings, walk

needs_node = pytest.mark.skipif(NODE is None, reason="runs the dashboard's scripts by Node.js")

DASHBOARD = "ll-strategy-dashboard-openai-account"
LANGUAGES = ("en", "de", "es", "fr", "ja", "zh-Hans", "zh-Hant")


@pytest.fixture
def onboarded(hass_storage: dict[str, Any]) -> None:
    """Home Assistant's first page was left behind."""
    done = ["user", "core_config", "analytics", "integration"]
    hass_storage["onboarding"] = {
        "version": 4,
        "minor_version": 1,
        "key": "onboarding",
        "data": {"done": done},
    }


async def test_served(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    onboarded: None,
) -> None:
    """The frontend loads the script from an address of this version, with all that it imports."""
    assert await async_setup_component(hass, "frontend", {})
    await setup_entry(hass, entry)
    client = await hass_client_no_auth()

    version = (await async_get_integration(hass, DOMAIN)).version
    page = await (await client.get("/")).text()
    [address] = re.findall(rf'import\("(/{DOMAIN}/[^"]+)"\)', page)
    assert address == f"/{DOMAIN}/{version}/{SCRIPT}"

    served = {SCRIPT}
    waiting = [SCRIPT]
    while waiting:
        name = waiting.pop()
        response = await client.get(f"/{DOMAIN}/{version}/{name}")
        assert response.status == HTTPStatus.OK
        assert response.content_type == "text/javascript"
        assert "max-age" in response.headers["Cache-Control"]
        text = await response.text()
        imported = set(re.findall(r'(?:from|import\()\s*"\./([^"]+)"', text))
        waiting += imported - served
        served |= imported
    assert served == {path.name for path in FOLDER.iterdir()}


async def test_frontend_later(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    onboarded: None,
) -> None:
    """The order does not matter: a frontend that comes later loads it too."""
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
async def frontend(hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path) -> Frontend:
    """A frontend, after the account was set up."""
    await setup_entry(hass, entry)
    return Frontend(hass, entry, tmp_path)


@needs_node
async def test_offered(frontend: Frontend) -> None:
    """It announces itself once, in the language that the page is in."""
    frontend.language = "de"
    answer = await frontend.call([DASHBOARD, "getCreateSuggestions", "hass"])
    [offer] = answer["offered"]
    assert offer["type"] == "openai-account"
    assert offer["strategyType"] == "dashboard"
    assert offer["description"].startswith("Guthaben")
    assert answer["results"] == [{"title": "OpenAI", "icon": "mdi:creation"}]


@needs_node
async def test_dashboard(frontend: Frontend) -> None:
    """Each account has a view, at an address of its own that stays."""
    [device] = frontend.devices.values()
    for id_, name in (("b", "example home"), ("c", "账户"), ("d", "2026")):
        frontend.devices[id_] = device | {"id": id_, "name": name}
    frontend.devices["gone"] = device | {"id": "gone", "disabled_by": "user"}
    frontend.devices["lamp"] = device | {"id": "lamp", "identifiers": [["hue", "lamp"]]}
    answer = await frontend.call([DASHBOARD, "generate", {}, "hass"])
    [dashboard] = answer["results"]
    views = cast("list[Card]", dashboard["views"])
    assert {one["path"] for one in views} == {"example-home", "b", "c", "d"} or {
        one["path"] for one in views
    } == {"example-home", device["id"], "c", "d"}
    strategies = [cast("Card", one["strategy"]) for one in views]
    assert {one["type"] for one in strategies} == {"custom:openai-account"}
    assert {one["device_id"] for one in strategies} == {device["id"], "b", "c", "d"}


@needs_node
@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_account(frontend: Frontend, language: str) -> None:
    """Without an account it says so, in every language, and where to add one."""
    frontend.devices = {}
    frontend.locale["language"] = frontend.language = language
    answer = await frontend.call(
        [DASHBOARD, "generate", {}, "hass"], [VIEW, "generate", {}, "hass"]
    )
    dashboard, view = answer["results"]
    assert dashboard["views"] == [
        {"title": "OpenAI", "icon": "mdi:creation", "strategy": {"type": "custom:openai-account"}}
    ]
    [notice] = cards(view, "markdown")
    assert f"/config/integrations/dashboard/add?domain={DOMAIN}" in str(notice["content"])
    assert ("There is no" in str(notice["content"])) == (language == "en")


@needs_node
async def test_view(frontend: Frontend) -> None:
    """All that an account tells has its place; what costs most comes first."""
    frontend.remember(gpt_image_2=3.0, gpt_5_5=9.5, idle=0.0)
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
        {"entity": f"{frontend.statistic}_gpt_5_5", "name": "gpt-5-5"},
        {"entity": f"{frontend.statistic}_gpt_image_2", "name": "gpt-image-2"},
    ]
    [bar] = cards(view, "distribution")
    first = cast("list[dict[str, str]]", bar["entities"])[0]["entity"]
    assert str(cast("Card", frontend.unique_ids[first])["unique_id"]).endswith("_gpt_5_5")

    # Every entity that can be seen is somewhere.
    placed = {str(one.get("entity")) for one in walk(view)}
    assert set(frontend.entities) - placed == set()


@needs_node
async def test_device_of_the_view(frontend: Frontend) -> None:
    """A view is of the account that it names, and says so where that one tells nothing."""
    [device] = frontend.devices.values()
    frontend.devices["a"] = device | {"id": "a", "name": "A", "identifiers": [[DOMAIN, "a"]]}
    assert cards(await frontend.view(device_id=str(device["id"])), "gauge")
    for config in ({"device_id": "a"}, {}):
        [notice] = cards(await frontend.view(**config), "markdown")
        assert notice["content"] == "This account reports nothing at the moment."


@needs_node
async def test_less(frontend: Frontend) -> None:
    """Without grants, history or models there is no card for them, and no error."""
    frontend.recorder = False
    for key in ("total_granted", "cost_this_month"):
        del frontend.entities[frontend.find(key)]
    frontend.entities[frontend.find("plan")]["hidden"] = True
    view = await frontend.view()
    assert not cards(view, "gauge")
    assert frontend.find("total_available") in [one["entity"] for one in cards(view, "tile")]
    assert not cards(view, "distribution")
    assert not cards(view, "statistics-graph")
    assert headings(view) == ["Credit", "Costs", "Models this month", "Subscription"]
    assert frontend.find("plan") not in {one.get("entity") for one in walk(view)}

    frontend.entities = {
        id_: one for id_, one in frontend.entities.items() if one["translation_key"] == "plan"
    }
    frontend.entities[frontend.find("plan")]["hidden"] = False
    assert headings(await frontend.view()) == ["Subscription"]


@needs_node
async def test_problems(frontend: Frontend) -> None:
    """What is wrong shows at the top while it is, and colours the gauge."""
    available = frontend.entities[frontend.find("total_available")]
    for key in ("low_balance", "over_budget", "budget_used"):
        if key not in {one["translation_key"] for one in frontend.entities.values()}:
            id_ = f"sensor.{key}"
            frontend.entities[id_] = available | {"entity_id": id_, "translation_key": key}
            frontend.states[id_] = {"state": "off", "attributes": {}}
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
    assert frontend.find("budget_used") in [
        one["entity"] for one in cards(view, "tile") if "features" in one
    ]


@needs_node
async def test_unknown(frontend: Frontend) -> None:
    """A gauge that loses its number gives way to a tile."""
    frontend.states[frontend.find("total_available")]["state"] = "unavailable"
    view = await frontend.view()
    [gauge] = cards(view, "gauge")[:1]
    [shown] = cast("list[Card]", gauge["visibility"])[:1]
    assert shown["state_not"] == ["unavailable", "unknown"]
    [tile] = [one for one in cards(view, "tile") if one["entity"] == gauge["entity"]]
    assert tile["visibility"] == [{"condition": "not", "conditions": [shown]}]


@needs_node
async def test_before_stacked_bars(frontend: Frontend) -> None:
    """A frontend that cannot stack bars gets plain ones."""
    frontend.remember(gpt_5_5=1.0)
    frontend.version = "2026.3.4"
    [chart] = cards(await frontend.view(), "statistics-graph")
    assert chart["chart_type"] == "bar"


@needs_node
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
    frontend.locale = {"language": language, "number_format": number_format}
    models = [
        id_ for id_, one in frontend.entities.items() if one["translation_key"] == "model_cost"
    ]
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


@needs_node
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
    """A model's name is nothing but text, whatever it holds."""
    [id_, *_] = [
        id_ for id_, one in frontend.entities.items() if one["translation_key"] == "model_cost"
    ]
    frontend.entities[id_]["name"] = name
    hass.states.async_set(id_, "5")
    [table] = cards(await frontend.view(), "markdown")[-1:]
    text = Template(str(table["content"]), hass).async_render(parse_result=False)
    cells = re.findall(r"<tr><td>(.*?)</td>", text)
    shown = [re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), one) for one in cells]
    assert " ".join(name.split()) in shown
    assert all(re.fullmatch(r"[^!-\"$%'-/:<-@\[-`{-~]*", one) for one in cells)


@needs_node
async def test_made_anew(frontend: Frontend) -> None:
    """The view is made anew when what it is made of changes, not with every state."""
    gone: Json = {"entities": {}, "devices": {}, "states": {}}
    answer = await frontend.call(
        [VIEW, "shouldRegenerate", {}, "hass", "hass"],
        [VIEW, "shouldRegenerate", {}, gone, "hass"],
        [VIEW, "shouldRegenerate", {}, {"change": [frontend.find("total_granted")]}, "hass"],
        [VIEW, "shouldRegenerate", {}, {"change": [frontend.find("cost_today")]}, "hass"],
    )
    assert [bool(one) for one in answer["results"]] == [False, True, True, False]


@needs_node
async def test_history_to_come(frontend: Frontend) -> None:
    """Until daily costs were read the view says so, and each new cost has it look again."""
    poll: Json = {"change": [frontend.find("cost_today")]}
    frontend.history = False
    answer = await frontend.call(
        [VIEW, "generate", {}, "hass"], [VIEW, "shouldRegenerate", {}, poll, "hass"]
    )
    view, anew = answer["results"]
    assert "as soon as they have been read" in str(cards(view, "markdown")[0]["content"])
    assert anew

    frontend.history = True
    answer = await frontend.call(
        [VIEW, "generate", {}, "hass"], [VIEW, "shouldRegenerate", {}, poll, "hass"]
    )
    view, anew = answer["results"]
    [chart] = cards(view, "statistics-graph")
    assert chart["entities"] == [frontend.statistic]
    assert not anew
