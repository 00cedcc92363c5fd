"""The README is true.

With UPDATE_README=1 in the environment the table of entities is rewritten.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import re
from typing import Any, cast

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import automation
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.openai_account.condition import CONDITIONS
from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.trigger import TRIGGERS

from .common import (
    RunningSimulator,
    entity_id,
    poll,
    set_available_credit,
    setup_entry,
)
from .const import NOW, ORGANIZATION

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- entities -->\n).*?(?=<!-- /entities -->)", re.DOTALL)

languages = pytest.mark.parametrize(
    ("name", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh-Hans")]
)


def translations(language: str) -> dict[str, Any]:
    """Return the texts of the integration in a language."""
    path = ROOT / "custom_components" / DOMAIN / "translations" / f"{language}.json"
    return cast("dict[str, Any]", json.loads(path.read_text()))


async def test_table_of_entities_matches_the_registry(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The table lists every entity with its key, kind, unit and default."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    rows = {}
    enabled = set()
    names = translations("en")["entity"]
    for entity in er.async_entries_for_config_entry(er.async_get(hass), full_entry.entry_id):
        key = entity.unique_id.removeprefix(f"{ORGANIZATION}_")
        kind = kind_of(key)
        name = names[entity.domain][kind]["name"]
        name = name.replace("{model}", "*a model*").replace("{project}", "*a project*")
        name = name.replace("{api_key}", "*an API key*")
        device_class = entity.original_device_class or ""
        what = " ".join(
            filter(None, [entity.domain.replace("_", " "), device_class and f"({device_class})"])
        )
        if not entity.disabled_by:
            enabled.add(kind)
        rows[kind] = (
            f"| {name} | `{kind if kind == key else f'{kind}_…'}` | {what} "
            f"| {entity.unit_of_measurement or ''} | {'off' if entity.disabled_by else 'on'} |"
        )
    order = list(dict.fromkeys([*names["sensor"], *names["binary_sensor"]]))
    lines = [
        "| entity | key | what it is | unit | default |",
        "|---|---|---|---|---|",
        *(
            rows[key]
            for key in sorted(rows, key=lambda key: (key not in enabled, order.index(key)))
        ),
    ]
    table = "\n".join(lines) + "\n"
    text = README.read_text()
    if os.environ.get("UPDATE_README"):
        text = TABLE.sub(lambda _: table, text)
        README.write_text(text)
    assert TABLE.findall(text) == [table]


def kind_of(key: str) -> str:
    """Return the key without the model, project or API key that it ends with."""
    kinds = ("model_cost", "model_tokens", "project_cost", "key_cost")
    return next((one for one in kinds if key.startswith(f"{one}_")), key)


def test_named_files_and_commands_exist() -> None:
    """Every file and command that the README names exists."""
    text = README.read_text()
    paths = re.findall(r"(?:\]\(|src=\")((?!https?://|#)[^)\"\s]+)", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    commands = re.findall(r"scripts/\w+", text)
    assert [one for one in commands if not os.access(ROOT / one, os.X_OK)] == []


@languages
def test_links_within_a_readme_lead_to_headings(name: str, language: str) -> None:
    """Every link within a README leads to a heading, and its contents list each section."""
    text = (ROOT / name).read_text()
    headings = re.findall(r"^(##+) (.+)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for _, title in headings]
    linked = re.findall(r"\]\(#([^)]+)\)", text)
    assert set(linked) <= set(slugs)
    sections = [slug for (level, _), slug in zip(headings, slugs, strict=True) if level == "##"]
    contents = re.findall(r"^- \[[^]]+\]\(#([^)]+)\)$", text, re.MULTILINE)
    # The contents do not list themselves.
    assert contents == sections[1:]


def test_oldest_version_is_the_tested_one() -> None:
    """The oldest supported Home Assistant is the one that is tested."""
    oldest = re.search(
        r"^homeassistant==(\S+)", (ROOT / "requirements/oldest.in").read_text(), re.MULTILINE
    )
    assert oldest
    month = oldest[1].rpartition(".")[0]
    assert f"Home Assistant {month} or later" in README.read_text()
    required = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    assert month == required.rpartition(".")[0]


def examples(text: str) -> list[dict[str, Any]]:
    """Return the YAML examples."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [cast("dict[str, Any]", parse_yaml(block)) for block in blocks]


@languages
def test_each_trigger_and_condition_has_an_example(name: str, language: str) -> None:
    """Each trigger and condition has a section of its own, with an example."""
    text = (ROOT / name).read_text()
    texts = translations(language)
    for category, known in (("triggers", TRIGGERS), ("conditions", CONDITIONS)):
        places = {key: text.find(f"\n### {texts[category][key]['name']}\n") for key in known}
        assert -1 not in places.values()
        shown = [example[category] for example in examples(text) if list(example) == [category]]
        types = [one[category.removesuffix("s")] for [one] in shown]
        assert types == [f"{DOMAIN}.{key}" for key in sorted(places, key=lambda key: places[key])]


@languages
def test_explained_messages_are_the_shown_ones(name: str, language: str) -> None:
    """The messages that the README explains are those that people see."""
    texts = translations(language)
    messages = json.dumps([texts["config"]["error"], texts["issues"]], ensure_ascii=False)
    troubleshooting = (ROOT / name).read_text().rpartition("|---|---|\n")[2]
    explained = re.findall(r"^\|[^|*]*\*([^|*]+)\* \|", troubleshooting, re.MULTILINE)
    assert len(explained) == 11
    for message in explained:
        assert re.search(re.sub("\\W*…+\\W*", ".*", message), messages), message


@asynccontextmanager
async def automate(hass: HomeAssistant, config: list[dict[str, Any]]) -> AsyncGenerator[None]:
    """Set automations up, and turn them off in the end."""
    await async_setup_component(hass, "labs", {})
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})
    await hass.async_block_till_done()
    states = hass.states.async_all(automation.DOMAIN)
    assert [state.state for state in states] == ["on"] * len(config)
    yield
    await hass.services.async_call(
        automation.DOMAIN, "turn_off", {"entity_id": "all"}, blocking=True
    )


async def test_examples_are_accepted(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """Home Assistant accepts each example of an automation."""
    await setup_entry(hass, full_entry)
    entity = er.async_get(hass).async_get(entity_id(hass, "total_available"))
    assert entity
    text = README.read_text().replace("0123456789abcdef" * 2, entity.device_id or "")
    config = [
        {"alias": f"Example {number}", "triggers": [], "actions": [], **example}
        for number, example in enumerate(examples(text))
        if example.keys() & {"triggers", "conditions"}
    ]
    assert len(config) == len(TRIGGERS) + len(CONDITIONS) + 2
    async with automate(hass, config):
        pass


async def test_example_not_at_night(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Credit that becomes low at 23:00 is reported at 08:00, and not before."""
    await hass.config.async_set_time_zone("UTC")
    night = datetime(2026, 11, 24, 23, tzinfo=UTC)
    freezer.move_to(night)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    sent = async_mock_service(hass, "notify", "notify")
    entity = er.async_get(hass).async_get(entity_id(hass, "total_available"))
    assert entity
    assert entity.device_id
    text = README.read_text()
    [example] = [one for one in examples(text) if {"triggers", "conditions"} <= one.keys()]
    config = json.loads(json.dumps(example).replace("0123456789abcdef" * 2, entity.device_id))
    async with automate(hass, [config]):
        set_available_credit(simulator, 2)
        await poll(hass, freezer)
        assert not sent
        freezer.move_to(night.replace(hour=8, second=1) + timedelta(days=1))
        await poll(hass, freezer, 0)
        assert [call.data["message"] for call in sent] == ["OpenAI credit: 2.00 USD left"]
