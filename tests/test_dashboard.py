"""The dashboard that generates itself: what is served, and the views that it generates."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
import re
import shutil
from typing import Any, cast
from zoneinfo import ZoneInfo

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
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
from .const import NOW
from .frontend import VIEW, Card, Frontend, Json, cards, headings, walk

TYPE = "custom:openai-account"

# What the dashboard knows how to show, as its scripts say it
COSTS: Json = {
    "totals": ["cost"],
    "named": "cost",
    "sensor": "cost_this_month",
    "sensors": {"model": "model_cost", "project": "project_cost", "api_key": "key_cost"},
}
TOKENS: Json = {
    "totals": ["input_tokens", "output_tokens"],
    "named": "tokens",
    "sensor": "input_tokens_this_month",
    "sensors": {"model": "model_tokens"},
}
DASHBOARD = "ll-strategy-dashboard-openai-account"
SECTION = "ll-strategy-section-openai-account"
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
    assert served == {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.js")}


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
    full_entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    tmp_path: Path,
) -> Frontend:
    """A frontend, after an account with both keys and a budget of 100 dollars was set up."""
    await setup_entry(hass, full_entry)
    frontend = await Frontend.create(hass, hass_ws_client, tmp_path)
    frontend.account["statistics"] = []
    return frontend


async def test_offered(frontend: Frontend) -> None:
    """A dashboard and a section are offered once, in the language of the page."""
    frontend.language = "de"
    generated = await frontend.call([DASHBOARD, "getCreateSuggestions", "hass"])
    assert [(one["type"], one["strategyType"]) for one in generated["offered"]] == [
        ("openai-account", "dashboard"),
        ("openai-account", "section"),
    ]
    assert generated["offered"][0]["description"].startswith("Guthaben")
    assert generated["results"] == [{"title": "OpenAI", "icon": "mdi:creation"}]


async def test_dashboard_of_one_account(frontend: Frontend) -> None:
    """The view's address stays the same when the account is renamed."""
    generated = await frontend.call([DASHBOARD, "generate", {"type": TYPE}, "hass"])
    [dashboard] = generated["results"]
    entry_id = frontend.account["config_entry_id"]
    assert dashboard["views"] == [
        {
            "title": "Example Home",
            "path": entry_id,
            "strategy": {"type": TYPE, "config_entry_id": entry_id},
        }
    ]


async def test_dashboard_of_several_accounts(frontend: Frontend) -> None:
    """A view of all accounts comes first; which accounts and what of them can be chosen."""
    frontend.add_account("Work")
    frontend.add_account("Other")
    chosen: Json = {
        "type": TYPE,
        "config_entry_ids": ["work", "other"],
        "parts": ["costs"],
    }
    generated = await frontend.call(
        [DASHBOARD, "generate", {"type": TYPE}, "hass"], [DASHBOARD, "generate", chosen, "hass"]
    )
    everything, some = (cast("list[Card]", one["views"]) for one in generated["results"])
    assert [one["title"] for one in everything] == [
        *("All accounts", "Example Home", "Work", "Other")
    ]
    assert [one["strategy"] for one in some] == [
        {"type": TYPE, "config_entry_ids": ["work", "other"]},
        {"type": TYPE, "config_entry_id": "work", "parts": ["costs"]},
        {"type": TYPE, "config_entry_id": "other", "parts": ["costs"]},
    ]


async def test_views_keep_their_places(frontend: Frontend) -> None:
    """A view that is open stays what it is when accounts are removed and added."""
    entry_id = frontend.account["config_entry_id"]
    frontend.add_account("Work")
    first, work = frontend.accounts
    added = {**work, "config_entry_id": "added", "title": "Added"}
    generate: list[Json] = [DASHBOARD, "generate", {"type": TYPE}, "hass"]

    def respond(*accounts: object) -> list[Json]:
        return ["@respond", {"openai_account/account/list": {"accounts": cast("Json", accounts)}}]

    generated = await frontend.call(
        *(generate, respond(work), generate),
        *(respond(added, first, work), generate),
    )
    before, _, removed, _, back = (
        [one["path"] for one in cast("list[Card]", dashboard["views"]) if "visible" not in one]
        if dashboard
        else []
        for dashboard in generated["results"]
    )
    assert before == ["all", entry_id, "work"]
    assert removed == ["work"]
    assert back == ["all", entry_id, "work", "added"]
    views = cast("list[Card]", generated["results"][2]["views"])
    assert [one["path"] for one in views] == before
    assert views[1] == {
        "title": "Example Home",
        "path": entry_id,
        "strategy": {"type": TYPE, "config_entry_id": entry_id},
        "visible": False,
        "subview": True,
    }


async def test_address_of_a_removed_account(frontend: Frontend) -> None:
    """The address of an account that is not there says so, and shows no other account."""
    removed = "01JABCDEFGHJKMNPQRSTVWXYZ0"
    entry_id = frontend.account["config_entry_id"]
    for path, paths in (
        (f"/dashboard-openai/{removed}", [entry_id, removed]),
        (f"/dashboard-openai/{entry_id}", [entry_id]),
        ("/dashboard-openai/0", [entry_id]),
        (f"/lovelace/{removed}", [entry_id]),
    ):
        frontend.path = path
        generated = await frontend.call([DASHBOARD, "generate", {"type": TYPE}, "hass"])
        views = cast("list[Card]", generated["results"][0]["views"])
        assert [one["path"] for one in views] == paths
        for view in views[1:]:
            assert (view["visible"], view["subview"]) == (False, True)
            strategy = cast("dict[str, Json]", view["strategy"])
            [notice] = cards(await frontend.view(**strategy), "markdown")
            assert notice["content"] == "The account that is chosen here does not exist."


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_account(frontend: Frontend, language: str) -> None:
    """Without an account the view says so in every language; administrators can add one."""
    frontend.accounts.clear()
    frontend.language = language
    frontend.is_admin = True
    generated = await frontend.call(
        [DASHBOARD, "generate", {"type": TYPE}, "hass"],
        [VIEW, "generate", {}, "hass"],
        [SECTION, "generate", {}, "hass"],
    )
    dashboard, view, section = generated["results"]
    assert dashboard["views"] == [
        {"title": "OpenAI", "icon": "mdi:creation", "strategy": {"type": TYPE}}
    ]
    [notice] = cards(view, "markdown")
    assert f"/config/integrations/dashboard/add?domain={DOMAIN}" in str(notice["content"])
    assert ("There is no" in str(notice["content"])) == (language == "en")
    [notice] = cards(section, "markdown")
    assert notice["content"]

    frontend.is_admin = False
    [notice] = cards(await frontend.view(), "markdown")
    assert notice["content"] == cards(section, "markdown")[0]["content"]


async def test_view(frontend: Frontend) -> None:
    """Everything that an account reports is somewhere, in the order of the parts."""
    view = await frontend.view()
    assert headings(view) == [
        *("Credit", "Costs", "Costs over time", "Models this month"),
        *("API keys this month", "Usage", "Subscription"),
    ]
    shown = {one.get("entity") for one in walk(view) if "name" in one}
    summed_up = {"cost_this_month", "forecast_this_month", "budget_used", "budget_left"}
    problems = {"low_balance", "over_budget", "problem", "spend_limit_reached"}
    usage = {
        f"{kind}_{period}"
        for kind in ("requests", "input_tokens", "cached_input_tokens", "output_tokens")
        for period in ("today", "this_month")
    }
    others = {
        one["key"] for one in frontend.account["entities"] if one["entity_id"] not in shown
    } - {"estimated_credit"}
    assert usage <= others
    rest = others - usage - summed_up - problems
    assert all(key.endswith("_this_month") or key == "vector_store_bytes" for key in rest)
    assert summed_up | problems <= others
    for card in ("status", "month", "costs", "usage"):
        [own] = cards(view, f"custom:openai-account-{card}")
        assert own["config_entry_ids"] == [frontend.account["config_entry_id"]]


async def test_models_have_one_color(frontend: Frontend) -> None:
    """The most expensive model comes first, in the color that it has in the chart."""
    models = frontend.of_kind("model")
    for cost, model in enumerate(models):
        frontend.states[model["entity_id"]]["state"] = str(float(cost))
        frontend.record(frontend.account, {}, **{str(one["name"]): {NOW: 1.0} for one in models})
    generated = await frontend.call(
        [VIEW, "generate", {}, "hass"],
        ["series.js", "fetchSeries", "hass", "@accounts", COSTS, "model", ["2026-11-24"]],
    )
    view, costs = generated["results"]
    bar = cards(view, "distribution")[0]
    shown = cast("list[dict[str, str]]", bar["entities"])
    assert [one["name"] for one in shown] == [one["name"] for one in reversed(models)]
    colors = {one["name"]: one["color"] for one in shown}
    groups = cast("list[dict[str, str]]", costs["groups"])
    assert {one["name"]: one["color"] for one in groups if one["name"]} == colors
    assert len(set(colors.values())) == len(models)


async def test_names_in_the_users_language(frontend: Frontend) -> None:
    """Entities are called as the integration does in the user's language, unless renamed."""
    frontend.language = "de"
    renamed = next(one for one in frontend.account["entities"] if one["key"] == "plan")
    renamed["custom_name"] = "My plan"
    view = await frontend.view()
    names = {one.get("entity"): one.get("name") for one in walk(view) if "name" in one}
    assert names[frontend.find("total_available")] == "Verfügbares Guthaben"
    assert names[frontend.find("delinquent")] == "Zahlung überfällig"
    assert names[frontend.find("plan")] == "My plan"
    # The heading says that it is a cost.
    assert names[frontend.find("cost_today")] == "Heute"


async def test_account_of_the_view(frontend: Frontend) -> None:
    """A view is that of the account it names, or else of the first one."""
    account = frontend.account
    frontend.add_account("Silent")
    frontend.accounts.reverse()
    assert cards(await frontend.view(config_entry_id=account["config_entry_id"]), "gauge")
    for config in ({"config_entry_id": "silent"}, {}):
        [notice] = cards(await frontend.view(**config), "markdown")
        assert notice["content"] == "This account reports nothing at the moment."
    [notice] = cards(await frontend.view(config_entry_id="removed"), "markdown")
    assert notice["content"] == "The account that is chosen here does not exist."


async def test_view_of_several_accounts(frontend: Frontend) -> None:
    """Several accounts are summed up, and each has the gist of its own with a link to more."""
    frontend.add_account("Work")
    ids: list[Json] = [one["config_entry_id"] for one in frontend.accounts]
    view = await frontend.view(config_entry_ids=ids)
    assert headings(view) == ["All accounts", "Costs over time", "Example Home", "Work"]
    for card in ("status", "totals", "month", "costs"):
        [own] = cards(view, f"custom:openai-account-{card}")
        assert own["config_entry_ids"] == ids
    [link] = [one["tap_action"] for one in cards(view, "heading") if one["heading"] == "Work"]
    assert cast("Card", link)["navigation_path"] == "/dashboard-openai/work"


async def test_parts(frontend: Frontend) -> None:
    """A view has the parts that are chosen; a mistyped one is an error that names the others."""
    view = await frontend.view(parts=["subscription", "costs"])
    assert headings(view) == ["Subscription", "Costs"]
    with pytest.raises(AssertionError, match=r"Unknown parts: cost\. There are: credit, costs,"):
        await frontend.view(parts=["cost"])


async def test_section(frontend: Frontend) -> None:
    """A section of any dashboard shows an account's credit and costs, or the chosen parts."""
    history: Json = {"config_entry_id": frontend.account["config_entry_id"], "parts": ["history"]}
    generated = await frontend.call(
        [SECTION, "generate", {}, "hass"],
        [SECTION, "generate", history, "hass"],
        [SECTION, "generate", {"config_entry_id": "removed"}, "hass"],
        [SECTION, "getStubConfig", "hass"],
    )
    section, chart, unknown, stub = generated["results"]
    assert headings(section) == ["Example Home", "Credit", "Costs"]
    assert cards(section, "gauge")
    assert headings(chart) == ["Example Home"]
    assert cards(chart, "custom:openai-account-costs")
    [notice] = cards(unknown, "markdown")
    assert notice["content"] == "The account that is chosen here does not exist."
    assert stub == {
        "type": TYPE,
        "parts": ["credit", "costs"],
        "config_entry_id": frontend.account["config_entry_id"],
    }


async def test_renamed_entity_id(frontend: Frontend) -> None:
    """A card finds its entity by what it shows, whatever its id is."""
    [entity] = [one for one in frontend.account["entities"] if one["key"] == "cost_today"]
    frontend.states["sensor.money"] = frontend.states.pop(entity["entity_id"])
    entity["entity_id"] = "sensor.money"
    assert "sensor.money" in {one["entity"] for one in cards(await frontend.view(), "tile")}


async def test_view_omits_missing_cards(frontend: Frontend) -> None:
    """What an account does not have gets no card and no heading."""
    for key in ("total_available", "estimated_credit", "cost_this_month", "plan"):
        frontend.remove_entity(key)
    frontend.account["statistics"] = None
    view = await frontend.view()
    assert not cards(view, "gauge")
    assert not cards(view, "custom:openai-account-month")
    assert not cards(view, "custom:openai-account-costs")
    assert headings(view) == [
        *("Credit", "Costs", "Models this month", "API keys this month", "Usage", "Subscription")
    ]

    frontend.account["entities"] = [frontend.of_kind("model")[0]]
    assert headings(await frontend.view()) == ["Models this month"]


async def test_projects(frontend: Frontend) -> None:
    """Costs of projects are not among the subscription, but have a section of their own."""
    for model, name in zip(frontend.of_kind("model"), ("Attic", "Cellar"), strict=False):
        model["kind"], model["key"], model["name"] = "project", "project_cost", name
    view = await frontend.view()
    assert "Models this month" in headings(view)
    assert "Projects this month" in headings(view)
    projects = {one["entity_id"] for one in frontend.of_kind("project")}
    *_, subscription = cast("list[Card]", view["sections"])
    by_project = (await frontend.view(parts=["projects"]))["sections"]
    assert not projects & {one.get("entity") for one in walk(subscription)}
    [bar] = cards({"sections": by_project}, "distribution")
    assert {one["name"] for one in cast("list[Card]", bar["entities"])} == {"Attic", "Cellar"}


@pytest.mark.parametrize(
    ("available", "week", "threshold", "max_", "colors"),
    [
        # A month at the current pace makes it full, a week is enough for green.
        ("52", "11.8", 5, 90, {0: "error", 5: "warning", 20: "success"}),
        ("3.21", "11.8", 5, 90, {0: "error", 5: "warning", 20: "success"}),
        # More credit than for a month
        ("910", "11.8", 5, 1000, {0: "error", 5: "warning", 20: "success"}),
        # Without costs the threshold alone gives the scale.
        ("2", "0", 5, 10, {0: "error", 5: "success"}),
        ("2", "unknown", None, 2, {0: "success"}),
        # A threshold above a week's costs leaves no room for yellow.
        ("52", "1", 5, 60, {0: "error", 5: "success"}),
    ],
)
async def test_gauge(
    frontend: Frontend,
    available: str,
    week: str,
    threshold: float | None,
    max_: float,
    colors: dict[float, str],
) -> None:
    """The gauge's scale is how long the credit lasts, with the threshold as a mark."""
    frontend.states[frontend.find("total_available")]["state"] = available
    frontend.states[frontend.find("cost_last_7_days")]["state"] = week
    frontend.account["low_balance_threshold"] = threshold
    [gauge] = cards(await frontend.view(), "gauge")
    assert gauge["needle"]
    assert gauge["max"] == pytest.approx(max_)
    assert gauge["segments"] == [
        {"from": pytest.approx(start), "color": f"var(--{color}-color)"}
        for start, color in colors.items()
    ]


async def test_gauge_without_number(frontend: Frontend) -> None:
    """While the credit is unavailable, the estimate takes its place, or else a tile."""
    reported, estimated = frontend.find("total_available"), frontend.find("estimated_credit")
    [gauge] = cards(await frontend.view(), "gauge")
    assert gauge["entity"] == reported
    assert gauge["visibility"] == [
        {"condition": "state", "entity": reported, "state_not": ["unavailable", "unknown"]}
    ]

    frontend.states[reported]["state"] = "unavailable"
    [gauge] = cards(await frontend.view(), "gauge")
    assert (gauge["entity"], gauge["name"]) == (estimated, "Credit available (estimated)")

    frontend.states[estimated]["state"] = "unknown"
    view = await frontend.view()
    assert not cards(view, "gauge")
    assert reported in {one["entity"] for one in cards(view, "tile")}


async def test_alerts(frontend: Frontend) -> None:
    """What is wrong is said in the user's format, the worst first."""
    frontend.account["failed_keys"] = ["admin_key", "session_key"]
    for key, state in (
        ("delinquent", "on"),
        ("low_balance", "on"),
        ("over_budget", "on"),
        ("has_payment_method", "off"),
        ("total_available", "3.21"),
        ("cost_this_month", "1234.5"),
    ):
        frontend.states[frontend.find(key)]["state"] = state
    alerts = await frontend.alerts()
    assert [(one["level"], one["text"]) for one in alerts] == [
        (
            "error",
            "The session key has expired or is no longer valid. Its data is not updated.",
        ),
        ("error", "The admin key is no longer valid. Its data is not updated."),
        ("error", "A payment is overdue."),
        ("warning", "The credit is low: $3.21 left."),
        ("warning", "Over budget: $1,234.50 of $100.00 spent this month."),
        ("warning", "There is no payment method on file."),
    ]
    # Only an administrator can enter a key.
    assert "link" not in alerts[0]
    frontend.is_admin = True
    link = cast("Card", (await frontend.alerts())[0]["link"])
    assert str(link["url"]).endswith(f"#config_entry={frontend.account['config_entry_id']}")


async def test_no_alerts(frontend: Frontend) -> None:
    """While all is well, nothing is wrong."""
    assert await frontend.alerts() == []


@pytest.mark.parametrize(
    ("language", "number_format", "amount", "expected"),
    [
        ("en", "language", 1234.5, "$1,234.50"),
        ("de", "language", 1234.5, "1.234,50 $"),
        ("en", "decimal_comma", 1234.5, "1.234,50 $"),
        ("de", "comma_decimal", 1234.5, "$1,234.50"),
        ("en", "none", 1234.5, "$1234.50"),
        ("en", "language", 0.001, "$0.00"),
        ("en", "language", 0.0004, "$0.0004"),
        ("en", "language", 0, "$0.00"),
        ("en", "language", -2.5, "-$2.50"),
    ],
)
async def test_money(
    frontend: Frontend, language: str, number_format: str, amount: float, expected: str
) -> None:
    """Amounts are in the user's number format, with four decimals only if they are tiny."""
    frontend.language = language
    frontend.number_format = number_format
    [text] = (await frontend.call(["format.js", "money", "hass", amount]))["results"]
    assert str(text).replace("\xa0", " ") == expected


@pytest.mark.parametrize(
    ("step", "labels"),
    [
        (250, ["$0", "$250", "$500", "$750"]),
        (2.5, ["$0.00", "$2.50", "$5.00", "$7.50"]),
        (0.2, ["$0.00", "$0.20", "$0.40", "$0.60"]),
        (0.025, ["$0.000", "$0.025", "$0.050", "$0.075"]),
        (0.01, ["$0.00", "$0.01", "$0.02", "$0.03"]),
        (0.0025, ["$0.0000", "$0.0025", "$0.0050", "$0.0075"]),
        (2.5 * 10**-7, ["$0.00000000", "$0.00000025", "$0.00000050", "$0.00000075"]),
    ],
)
async def test_axis(frontend: Frontend, step: float, labels: list[str]) -> None:
    """The labels of an axis have as many decimals as each of them needs."""
    calls: list[list[Json]] = [
        ["format.js", "axisMoney", "hass", place * step, step] for place in range(4)
    ]
    assert (await frontend.call(*calls))["results"] == labels


@pytest.mark.parametrize(
    ("language", "number_format", "label"),
    [
        ("en", "language", "1.5M"),
        ("en", "decimal_comma", "1,5M"),
        ("de", "language", "1,5\xa0Mio."),
        ("de", "comma_decimal", "1.5\xa0Mio."),
    ],
)
async def test_axis_of_tokens(
    frontend: Frontend, language: str, number_format: str, label: str
) -> None:
    """The words are of the language, the decimal separator is that of the number format."""
    frontend.language = language
    frontend.number_format = number_format
    generated = await frontend.call(["format.js", "axisCount", "hass", 1_500_000])
    assert generated["results"] == [label]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_labels_of_bars(frontend: Frontend, language: str) -> None:
    """The last bar has a label, and no label touches another, however wide the chart is."""
    frontend.language = language
    days = [str(date(2026, 11, 24) - timedelta(days=number)) for number in range(29, -1, -1)]
    calls: list[list[Json]] = [["format.js", "date", "hass", day, "short"] for day in days]
    texts = (await frontend.call(*calls))["results"]
    bands = [width / len(texts) for width in range(200, 800, 20)]
    generated = await frontend.call(
        *(["chart.js", "placesOf", cast("Json", texts), 40, band] for band in bands)
    )
    for band, places in zip(bands, generated["results"], strict=True):
        end = 0.0
        for place in cast("list[dict[str, Any]]", places):
            # Latin characters at most 7 pixels wide, Chinese and Japanese ones 14
            width = sum(14 if one > "\u2e7f" else 7 for one in place["label"])
            start = place["x"] - width / (2 if place["text-anchor"] == "middle" else 1)
            assert start >= end, (band, place)
            # Between two labels there is a gap.
            end = start + width + 8
        assert place["label"] == texts[-1]
        assert end - 8 <= 40 + band * len(texts) + 1e-6


@pytest.mark.parametrize(
    ("period", "back", "today", "first", "last", "number"),
    [
        ("7d", 0, "2026-11-24", "2026-11-18", "2026-11-24", 7),
        ("7d", 1, "2026-11-24", "2026-11-11", "2026-11-17", 7),
        ("30d", 0, "2028-03-01", "2028-02-01", "2028-03-01", 30),
        ("90d", 4, "2026-11-24", "2025-09-01", "2025-11-29", 90),
        ("12m", 0, "2026-01-31", "2025-02", "2026-01", 12),
        ("12m", 1, "2026-01-31", "2024-02", "2025-01", 12),
    ],
)
async def test_periods(
    frontend: Frontend, period: str, back: int, today: str, first: str, last: str, number: int
) -> None:
    """A period ends today or this month, and the ones before it leave no gap."""
    [buckets] = (await frontend.call(["periods.js", "bucketsOf", period, back, today]))["results"]
    days = cast("list[str]", buckets)
    assert (days[0], days[-1], len(set(days))) == (first, last, number)


@pytest.mark.parametrize(
    "time_zone", ["Pacific/Honolulu", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"]
)
async def test_days_in_time_zones(frontend: Frontend, time_zone: str) -> None:
    """A day's costs are that day's in every time zone, also when the clocks change."""
    frontend.time_zone = time_zone
    zone = ZoneInfo(time_zone)
    days = [date(2026, 10, 31) + timedelta(days=number) for number in range(3)]
    frontend.record(
        frontend.account,
        {datetime.combine(day, time.min, zone): day.day for day in days},
    )
    [costs] = (
        await frontend.call(
            [
                *("series.js", "fetchSeries", "hass", "@accounts", COSTS, "model"),
                ["2026-10-31", "2026-11-01", "2026-11-02"],
            ]
        )
    )["results"]
    assert costs["values"] == [31, 1, 2]


async def test_costs_add_up(frontend: Frontend) -> None:
    """What belongs to no model is shown too; models that cost nothing are not."""
    [first, second] = [NOW - timedelta(days=1), NOW]
    frontend.record(
        frontend.account,
        {first: 3.0, second: 5.5},
        **{
            "gpt-5.5": {first: 2.0, second: 1.0},
            "o3": {second: 4.0},
            "idle": {first: 0.0, second: 0.000001},
        },
    )
    [costs] = (
        await frontend.call(
            [
                *("series.js", "fetchSeries", "hass", "@accounts", COSTS, "model"),
                ["2026-11-23", "2026-11-24"],
            ]
        )
    )["results"]
    groups = cast("list[Card]", costs["groups"])
    assert [(one["name"], one["values"], one["total"]) for one in groups] == [
        ("o3", [0, 4.0], 4.0),
        ("gpt-5.5", [2.0, 1.0], 3.0),
        (None, [1.0, 0.5], 1.5),
    ]
    assert (costs["values"], costs["total"]) == ([3.0, 5.5], 8.5)
    [model] = [one["entity_id"] for one in frontend.of_kind("model") if one["name"] == "gpt-5.5"]
    assert groups[1]["entity"] == model


async def test_costs_of_several_accounts(frontend: Frontend) -> None:
    """Costs can be grouped by account, or by model over all accounts."""
    work = frontend.add_account("Work")
    frontend.record(frontend.account, {NOW: 3.0}, o3={NOW: 3.0})
    frontend.record(work, {NOW: 4.0}, o3={NOW: 4.0})
    by: list[list[Json]] = [
        ["series.js", "fetchSeries", "hass", "@accounts", COSTS, grouping, ["2026-11-24"]]
        for grouping in ("account", "model")
    ]
    generated = await frontend.call(["series.js", "groupingsOf", "@accounts", COSTS], *by)
    groupings, by_account, by_model = generated["results"]
    assert groupings == ["account", "model"]
    assert [(one["name"], one["total"]) for one in cast("list[Card]", by_account["groups"])] == [
        ("Work", 4.0),
        ("Example Home", 3.0),
    ]
    assert [(one["name"], one["total"]) for one in cast("list[Card]", by_model["groups"])] == [
        ("o3", 7.0)
    ]


async def test_tokens(frontend: Frontend) -> None:
    """Tokens are input and output, by model; their chart is there once they are recorded."""
    assert not cards(await frontend.view(), "custom:openai-account-tokens")
    frontend.record(frontend.account, {NOW: 3.0}, o3={NOW: 3.0})
    for measure, name, value in (
        ("input_tokens", None, 800),
        ("cached_input_tokens", None, 200),
        ("output_tokens", None, 100),
        ("requests", None, 7),
        ("tokens", "o3", 650),
        ("tokens", "gpt-5.5", 250),
    ):
        frontend.record_usage(frontend.account, measure, name, {NOW: value})
    view = await frontend.view()
    assert "Usage" in headings(view)
    assert len(cards(view, "custom:openai-account-tokens")) == 1
    by = ["series.js", "fetchSeries", "hass", "@accounts"]
    generated = await frontend.call(
        ["series.js", "groupingsOf", "@accounts", TOKENS],
        [*by, TOKENS, "model", ["2026-11-24"]],
        [*by, COSTS, "model", ["2026-11-24"]],
    )
    groupings, tokens, costs = generated["results"]
    assert groupings == ["model"]
    assert tokens["total"] == 900
    assert [(one["name"], one["total"]) for one in cast("list[Card]", tokens["groups"])] == [
        ("o3", 650),
        ("gpt-5.5", 250),
    ]
    assert costs["total"] == 3


async def test_sensor_of_a_name(frontend: Frontend) -> None:
    """A sum over accounts opens the sensor of no account; what one account has opens its own."""
    first, second, *_ = frontend.of_kind("model")
    names = (str(first["name"]), str(second["name"]))
    frontend.record(frontend.account, {}, **{name: {NOW: 1.0} for name in names})
    work = frontend.add_account("Work")
    frontend.record(work, {}, **{names[0]: {NOW: 2.0}})
    [costs] = (
        await frontend.call(
            ["series.js", "fetchSeries", "hass", "@accounts", COSTS, "model", ["2026-11-24"]]
        )
    )["results"]
    groups = cast("list[Card]", costs["groups"])
    assert {one["name"]: (one["total"], one.get("entity")) for one in groups if one["name"]} == {
        names[0]: (3, None),
        names[1]: (1, second["entity_id"]),
    }


async def test_api_keys(frontend: Frontend) -> None:
    """Costs per API key have a section, and can be grouped by."""
    frontend.record(frontend.account, {NOW: 3.0}, o3={NOW: 3.0})
    names = {one["name"] for one in frontend.of_kind("api_key")}
    assert "Voice assistant" in names
    statistics = frontend.account["statistics"]
    assert statistics
    statistics[1]["kind"], statistics[1]["name"] = "api_key", "Voice assistant"
    view = await frontend.view(parts=["api_keys"])
    assert headings(view) == ["API keys this month"]
    [shares] = cards(view, "distribution")
    assert {one["name"] for one in cast("list[Card]", shares["entities"])} == names
    generated = await frontend.call(["series.js", "groupingsOf", "@accounts", COSTS])
    assert generated["results"] == [["api_key"]]


async def test_sum_of_accounts(frontend: Frontend) -> None:
    """A sum says of how many accounts it is; without a number there is none."""
    generated = await frontend.call(
        ["accounts.js", "sumOf", [1.5, None, 2]], ["accounts.js", "sumOf", [None]]
    )
    assert generated["results"] == [{"amount": 3.5, "accounts": 2}, None]


async def test_month_of_accounts(frontend: Frontend) -> None:
    """This month's costs are the sum of all accounts that are in last month's, or none."""
    frontend.states[frontend.find("cost_this_month")]["state"] = "12.5"
    work = frontend.add_account("Work")
    call: list[Json] = ["month-card.js", "sumOfAll", "hass", "@accounts", "cost_this_month"]
    assert (await frontend.call(call))["results"] == [12.5]
    # The sensor is disabled, but the costs are recorded.
    frontend.record(work, {NOW: 3.0})
    assert (await frontend.call(call))["results"] == [None]
    entity_id = "sensor.work_cost_this_month"
    work["entities"] = [
        {
            "entity_id": entity_id,
            "key": "cost_this_month",
            "kind": None,
            "name": None,
            "custom_name": None,
        }
    ]
    frontend.states[entity_id] = {"state": "3", "attributes": {}}
    assert (await frontend.call(call))["results"] == [15.5]


async def test_regenerated(frontend: Frontend) -> None:
    """The view is generated again when what it is made from changes, not with every state."""
    gone: Json = {"entities": {}, "devices": {}, "states": {}, "locale": {}}

    def changed(key: str, state: str) -> list[Json]:
        return [VIEW, "shouldRegenerate", {}, {"change": {frontend.find(key): state}}, "hass"]

    generated = await frontend.call(
        [VIEW, "generate", {}, "hass"],
        [VIEW, "shouldRegenerate", {}, "hass", "hass"],
        [VIEW, "shouldRegenerate", {}, gone, "hass"],
        changed("total_available", "9000"),
        changed("total_available", "unavailable"),
        changed("plan", "unknown"),
        changed("cost_today", "1.5"),
        changed("plan", "unavailable"),
    )
    assert generated["results"][1:] == [False, True, True, True, True, False, False]
