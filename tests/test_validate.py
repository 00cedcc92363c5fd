"""The checks of the repository find the mistakes that they are for; its guides name what exists."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import re
import shutil

from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import pytest

from development import validate
from development.process import REPOSITORY

DE, EN = "translations/de.json", validate.EN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the integration to make mistakes in."""
    return shutil.copytree(validate.INTEGRATION, tmp_path / validate.DOMAIN)


def test_the_repository_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.main(validate.INTEGRATION) == 0
    assert capsys.readouterr().out.splitlines() == [f"ok     {check}" for check in validate.CHECKS]


type Change = Callable[[Path], None]


def put(name: str, *path: str, value: object) -> Change:
    """Return a change of one value in a file; None removes it."""

    def change(folder: Path) -> None:
        file = folder / name
        content = inner = dict(load_yaml_dict(file))  # JSON is YAML, too
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        file.write_text(json.dumps(content), "utf-8")

    return change


def write(name: str, text: str) -> Change:
    """Return a change that writes a file."""

    def change(folder: Path) -> None:
        (folder / name).write_text(text, "utf-8")

    return change


def remove(name: str) -> Change:
    """Return a change that removes a file."""
    return lambda folder: (folder / name).unlink()


def image(name: str, width: int, height: int, margin: int = 0, form: str = "PNG") -> Change:
    """Return a change that draws a brand image: a rectangle within a transparent margin."""

    def change(folder: Path) -> None:
        new = Image.new("RGBA", (width, height))
        new.paste((0, 0, 0, 255), (margin, margin, width - margin, height - margin))
        new.save(folder / "brand" / name, form)

    return change


def reverse_order(folder: Path) -> None:
    """Reverse the sections of the German texts."""
    content = json.loads((folder / DE).read_text("utf-8"))
    (folder / DE).write_text(json.dumps(dict(reversed(content.items()))), "utf-8")


@pytest.mark.parametrize(
    ("check", "change", "mistake"),
    [
        (
            "translations",
            put(DE, "config", "error", "invalid_key", value=None),
            "de.json: config.error.invalid_key: is missing",
        ),
        (
            "translations",
            put(DE, "config", "error", "other", value="Anders"),
            "de.json: config.error.other: is not in English",
        ),
        ("translations", reverse_order, "de.json: has another order than en.json"),
        (
            "translations",
            put(DE, "issues", "endpoint_gone", "title", value="{wrong}"),
            "de.json: issues.endpoint_gone.title: placeholders are ['{wrong}'], in English",
        ),
        (
            "translations",
            put(DE, "issues", "endpoint_gone", "title", value="[x]({wrong})"),
            "de.json: issues.endpoint_gone.title: links are ",
        ),
        (
            "translations",
            put(DE, "issues", "endpoint_gone", "title", value="a\n\nb"),
            "de.json: issues.endpoint_gone.title: paragraphs are ",
        ),
        (
            "translations",
            put(DE, "issues", "endpoint_gone", "title", value="sk-admin-"),
            "de.json: issues.endpoint_gone.title: literal words are ",
        ),
        ("translations", write(DE, "{"), "de.json: "),
        ("translations", write(DE, "[]"), "de.json: "),
        ("translations", remove(EN), "en.json: is missing"),
        (
            "texts named in code",
            write("more.py", "E(translation_domain='a', translation_key='gone')"),
            "more.py:1: translations/en.json has no exceptions.gone",
        ),
        (
            "texts named in code",
            write("more.py", "class E(Exception):\n    code = 'gone'"),
            "more.py:2: translations/en.json has no exceptions.gone",
        ),
        (
            "texts named in code",
            write("more.py", "ir.async_create_issue(hass, translation_key='gone')"),
            "more.py:1: translations/en.json has no issues.gone",
        ),
        (
            "texts named in code",
            write("more.py", "GONE = 'gone'\ncreate_issue(hass, entry.entry_id, GONE, endpoint)"),
            "more.py:2: translations/en.json has no issues.gone",
        ),
        (
            "texts named in code",
            put(EN, "exceptions", "left_over", value={"message": "Nobody says this"}),
            "translations/en.json: exceptions.left_over: is not in the code",
        ),
        (
            "icons",
            put("icons.json", "entity", "sensor", "plan", value=None),
            "entity.sensor.plan: has no icon and no device class",
        ),
        (
            "icons",
            put(EN, "entity", "sensor", "fresh", value={"name": "Fresh"}),
            "entity.sensor.fresh: has no icon and no device class",
        ),
        (
            "icons",
            put("icons.json", "entity", "sensor", "plan", "default", value="mdi:no-such-icon"),
            "entity.sensor.plan.default: Home Assistant has no icon mdi:no-such-icon",
        ),
        (
            "icons",
            put("icons.json", "entity", "sensor", "old", value={"default": "mdi:cash"}),
            "entity.sensor.old: is not in translations/en.json",
        ),
        (
            "services, triggers and conditions",
            put("icons.json", "services", "get_costs", value=None),
            "services.get_costs: is not in icons.json",
        ),
        (
            "services, triggers and conditions",
            put("services.yaml", "get_costs", value=None),
            "services.get_costs: is not in services.yaml",
        ),
        (
            "services, triggers and conditions",
            put("services.yaml", "get_costs", "fields", "fresh", value={}),
            "services.get_costs.fields.fresh: is not in translations/en.json",
        ),
        (
            "services, triggers and conditions",
            put(EN, "services", "get_costs", "fields", "old", value={"name": "Old"}),
            "services.get_costs.fields.old: is not in services.yaml",
        ),
        (
            "services, triggers and conditions",
            put(EN, "selector", "group_by", value=None),
            "services.get_costs.fields.group_by: translations/en.json has no selector.group_by",
        ),
        (
            "services, triggers and conditions",
            put(EN, "triggers", "credit_became_low", value=None),
            "triggers.credit_became_low: is not in translations/en.json",
        ),
        (
            "services, triggers and conditions",
            put("conditions.yaml", "credit_is_low", value=None),
            "conditions.credit_is_low: is not in conditions.yaml",
        ),
        (
            "services, triggers and conditions",
            write("triggers.yaml", "a: ["),
            "triggers.yaml: ",
        ),
        ("quality scale", remove("quality_scale.yaml"), "quality_scale.yaml: is missing"),
        (
            "quality scale",
            put("quality_scale.yaml", "rules", "brands", value=None),
            "brands: is missing",
        ),
        (
            "quality scale",
            put("quality_scale.yaml", "rules", "brand", value="done"),
            "brand: is no rule",
        ),
        (
            "quality scale",
            put("quality_scale.yaml", "rules", "brands", value="todo"),
            "brands: must be done or exempt",
        ),
        (
            "quality scale",
            put("quality_scale.yaml", "rules", "brands", value={"status": "todo", "comment": "x"}),
            "brands: must be done or exempt",
        ),
        (
            "quality scale",
            put("quality_scale.yaml", "rules", "brands", value={"status": "exempt"}),
            "brands: has no comment",
        ),
        ("brand", remove("brand/logo.png"), "logo.png: is missing"),
        ("brand", image("symbol.png", 64, 64), "symbol.png: is no brand image"),
        ("brand", image("icon.png", 256, 256, form="GIF"), "icon.png: is GIF, not PNG"),
        ("brand", image("icon.png", 255, 256), "icon.png: is 255x256, must be 256x256"),
        ("brand", image("icon@2x.png", 256, 256), "icon@2x.png: is 256x256, must be 512x512"),
        ("brand", image("logo.png", 700, 300), "logo.png: has a shorter side of 300"),
        ("brand", image("logo.png", 700, 256, margin=9), "logo.png: has empty space"),
    ],
)
def test_mistake_is_found(folder: Path, check: str, change: Change, mistake: str) -> None:
    change(folder)
    assert any(found.startswith(mistake) for found in validate.validate(check, folder))


def test_mistakes_are_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remove("brand/logo.png")(folder)
    assert validate.main(folder) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "WRONG  brand",
        "       logo.png: is missing",
    ]


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_guides(guide: str) -> None:
    text = (REPOSITORY / guide).read_text("utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings
        elif not target.startswith("https://"):
            assert (REPOSITORY / target).is_file(), target


def test_contributing_names_every_module_test_and_script() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    plan = text.split("```")[1]
    for path in validate.INTEGRATION.rglob("*.py"):
        assert path.name in {"__init__.py", *plan.split()}, path
    tests = REPOSITORY / "tests"
    for path in tests.rglob("test_*.py"):
        assert f"| `{path.relative_to(tests)}` |" in text
    for path in (REPOSITORY / "scripts").iterdir():
        assert f"| `scripts/{path.name}` |" in text
