"""The repository's own checks: they pass here, and they catch what they are for."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import shutil

from homeassistant import components
from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import pytest

from development import validate
from development.validation_rules import TIERS

ROOT = Path(__file__).parent.parent
type Json = dict[str, object]


def component(root: Path) -> Path:
    return root / "custom_components" / validate.DOMAIN


def write(path: Path, content: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2), "utf-8")


MANIFEST: Json = {
    "domain": "openai_account",
    "name": "Example",
    "codeowners": ["@example"],
    "config_flow": True,
    "dependencies": ["recorder"],
    "documentation": "https://example.com/example",
    "integration_type": "service",
    "iot_class": "cloud_polling",
    "issue_tracker": "https://example.com/example/issues",
    "quality_scale": "platinum",
    "requirements": ["example==1.2.3"],
    "version": "1.2.3",
}
ENGLISH: Json = {
    "config": {
        "step": {
            "user": {
                "description": "Make a key at {url}.",
                "data": {"key": "Key"},
                "data_description": {"key": "The key of the account"},
            }
        },
        "error": {"invalid_key": "The key is wrong"},
    },
    "entity": {
        "sensor": {"balance": {"name": "Balance"}, "plan": {"name": "Plan"}},
        "binary_sensor": {"primary": {"name": "Primary", "state": {"on": "Yes", "off": "No"}}},
    },
    "exceptions": {"no_answer": {"message": "{host} did not answer"}},
    "issues": {"no_credit": {"title": "No credit", "description": "Nothing is left"}},
    "selector": {"unit": {"options": {"day": "Day"}}},
    "services": {
        "get_costs": {
            "name": "Get costs",
            "description": "Asks what was spent",
            "fields": {"unit": {"name": "Unit", "description": "The length of a row"}},
        }
    },
    "triggers": {"low": {"name": "Low balance", "description": "When little is left"}},
}
GERMAN: Json = json.loads(
    json.dumps(ENGLISH)
    .replace("did not answer", "antwortet nicht")
    .replace("Make a key at", "Einen Schlüssel gibt es bei")
)
ICONS: Json = {
    "entity": {
        "sensor": {"plan": {"default": "mdi:receipt-text"}},
        "binary_sensor": {"primary": {"default": "mdi:check", "state": {"off": "mdi:close"}}},
    },
    "services": {"get_costs": {"service": "mdi:cash"}},
    "triggers": {"low": {"trigger": "mdi:cash"}},
}
SERVICES: Json = {
    "get_costs": {
        "fields": {
            "unit": {
                "required": True,
                "selector": {"select": {"options": ["day"], "translation_key": "unit"}},
            }
        }
    }
}
TRIGGERS: Json = {
    ".target": {"entity": {"domain": "binary_sensor"}},
    "low": {"target": {"entity": {"domain": "binary_sensor"}}},
}
QUALITY: Json = {
    "rules": {rule: "done" for rules in TIERS.values() for rule in rules}
    | {"discovery": {"status": "exempt", "comment": "A service in the cloud"}}
}
SENSOR = """
from homeassistant.components.sensor import SensorEntityDescription

SENSORS = (SensorEntityDescription(key="balance", device_class="monetary"),)
"""
INIT = """
def fail(error, create_issue):
    create_issue(translation_key="no_credit")
    raise error(translation_domain="openai_account", translation_key="no_answer")
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Make a repository with a small integration that has nothing wrong."""
    folder = component(tmp_path)
    write(folder / "manifest.json", MANIFEST)
    write(folder / "translations" / "en.json", ENGLISH)
    write(folder / "translations" / "de.json", GERMAN)
    write(folder / "icons.json", ICONS)
    # JSON is YAML, too.
    write(folder / "services.yaml", SERVICES)
    write(folder / "triggers.yaml", TRIGGERS)
    write(folder / "quality_scale.yaml", QUALITY)
    write(tmp_path / "hacs.json", {"name": "Example", "homeassistant": "2026.3.0"})
    (folder / "sensor.py").write_text(SENSOR, "utf-8")
    (folder / "__init__.py").write_text(INIT, "utf-8")
    shutil.copytree(component(ROOT) / "brand", folder / "brand")
    return tmp_path


@pytest.mark.parametrize("check", [*validate.CHECKS, "hacs.json"])
def test_the_repository_passes(check: str) -> None:
    assert validate.validate(ROOT)[check] == []


def test_the_example_passes(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.main(example) == 0
    assert [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()] == [
        ["ok", check] for check in [*validate.CHECKS, "hacs.json"]
    ]


def put(name: str, *path: str, value: object) -> Callable[[Path], None]:
    """Return a change of one value in a file of the integration; None takes it out."""

    def change(root: Path) -> None:
        file = component(root) / name
        content = inner = json.loads(file.read_text("utf-8"))
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        write(file, content)

    return change


def code(text: str) -> Callable[[Path], None]:
    """Return an addition to the integration's code."""

    def change(root: Path) -> None:
        (component(root) / "more.py").write_text(text, "utf-8")

    return change


def image(name: str, width: int, height: int, margin: int = 0) -> Callable[[Path], None]:
    """Return a replacement of a brand image by a rectangle within a transparent margin."""

    def change(root: Path) -> None:
        new = Image.new("RGBA", (width, height))
        new.paste((0, 0, 0, 255), (margin, margin, width - margin, height - margin))
        new.save(component(root) / "brand" / name)

    return change


def without(name: str) -> Callable[[Path], None]:
    """Return the removal of a file of the integration."""
    return lambda root: (component(root) / name).unlink()


EN, DE = "translations/en.json", "translations/de.json"


@pytest.mark.parametrize(
    ("change", "check", "message"),
    [
        (put("manifest.json", "version", value=None), "manifest.json", "version"),
        (put("manifest.json", "version", value="new"), "manifest.json", "'new' is not a version"),
        (put("manifest.json", "homekit", value=1), "manifest.json", "homekit"),
        (put("manifest.json", "iot_class", value="cloud"), "manifest.json", "iot_class"),
        (put("manifest.json", "after_dependencies", value=[]), "manifest.json", "alphabet"),
        (put("manifest.json", "domain", value="other"), "manifest.json", "domain: must be"),
        (put("manifest.json", "dependencies", value=["nix"]), "manifest.json", "integration nix"),
        (put("manifest.json", "requirements", value=["a>=1"]), "manifest.json", "pinned"),
        (put("manifest.json", "documentation", value="http://a.b"), "manifest.json", "https"),
        (put(EN, "config", value=None), "manifest.json", "en.json has no config"),
        (put(EN, "title", value="See www.example.com"), "translations", "title: has a URL"),
        (put(EN, "title", value="Title "), "translations", "title: has a space"),
        (put(EN, "title", value="<b>Title</b>"), "translations", "en.json: title: "),
        (put(EN, "title", value="{a"), "translations", "title: braces do not match"),
        (put(EN, "title", value="'{a}'"), "translations", "title: has a placeholder in single"),
        (put(EN, "title", value="[%key:a%]"), "translations", "title: has a reference"),
        (put(EN, "titles", value="Title"), "translations", "en.json: titles: "),
        (put(EN, "entity", "sensor", "Plan", value={}), "translations", "entity.sensor.Plan: "),
        (
            put(EN, "entity", "binary_sensor", "primary", "state", "on", value="{a}"),
            "translations",
            "primary.state.on: has a placeholder",
        ),
        (
            put(EN, "config", "step", "user", "data_description", "code", value="A code"),
            "translations",
            "config.step.user.data_description.code: is not in data",
        ),
        (
            put(DE, "config", "error", "invalid_key", value=None),
            "translations",
            "de.json: config.error.invalid_key: missing",
        ),
        (
            put(DE, "config", "error", "other", value="Anders"),
            "translations",
            "de.json: config.error.other: not in English",
        ),
        (
            put(DE, "exceptions", "no_answer", "message", value="{server} antwortet nicht"),
            "translations",
            "de.json: exceptions.no_answer.message: placeholders ['server'], in English ['host']",
        ),
        (
            code("E(translation_domain='a', translation_key='gone')"),
            "texts named in code",
            "more.py:1: translations/en.json has no exceptions.gone",
        ),
        (
            code("ir.async_create_issue(hass, translation_key='gone')"),
            "texts named in code",
            "issues.gone",
        ),
        (
            put("icons.json", "entity", "sensor", value=None),
            "icons.json",
            "entity.sensor.plan: has no icon",
        ),
        (without("sensor.py"), "icons.json", "entity.sensor.balance: has no icon"),
        (
            put("icons.json", "entity", "sensor", "plan", "default", value="fa:plan"),
            "icons.json",
            "entity.sensor.plan.default: is no mdi: icon",
        ),
        (
            put("icons.json", "entity", "sensor", "plan", "default", value="mdi:no-such-icon"),
            "icons.json",
            "no icon mdi:no-such-icon",
        ),
        (
            put("icons.json", "entity", "sensor", "old", value={"default": "mdi:cash"}),
            "icons.json",
            "entity.sensor.old: is not in",
        ),
        (put("icons.json", "services", value=None), "services.yaml", "get_costs: is not in icons"),
        (put("services.yaml", "get_costs", value=None), "services.yaml", "is not in services.yaml"),
        (
            put("services.yaml", "get_costs", "fields", "day", value={}),
            "services.yaml",
            "get_costs.fields.day: is not in translations",
        ),
        (
            put("services.yaml", "get_costs", "fields", "unit", "selector", value={"no": {}}),
            "services.yaml",
            "get_costs",
        ),
        (put(EN, "selector", value=None), "services.yaml", "has no selector.unit"),
        (put("icons.json", "triggers", value=None), "triggers.yaml", "low: is not in icons"),
        (put("triggers.yaml", "low", value=None), "triggers.yaml", "low: is not in triggers.yaml"),
        (put(EN, "triggers", value=None), "triggers.yaml", "low: is not in translations"),
        (
            put("triggers.yaml", "low", "target", value={"entity": {"color": "red"}}),
            "triggers.yaml",
            "low",
        ),
        (without("quality_scale.yaml"), "quality_scale.yaml", "missing"),
        (
            put("quality_scale.yaml", "rules", "brands", value=None),
            "quality_scale.yaml",
            "rules.brands: missing",
        ),
        (
            put("quality_scale.yaml", "rules", "brand", value="done"),
            "quality_scale.yaml",
            "rules.brand: ",
        ),
        (
            put("quality_scale.yaml", "rules", "brands", value="exempt"),
            "quality_scale.yaml",
            "rules.brands: must be 'done'",
        ),
        (
            put("quality_scale.yaml", "rules", "brands", value={"status": "exempt"}),
            "quality_scale.yaml",
            "rules.brands",
        ),
        (
            put("quality_scale.yaml", "rules", "brands", value={"status": "todo", "comment": "x"}),
            "quality_scale.yaml",
            "rules.brands: is to do, but the manifest claims platinum",
        ),
        (without("brand/logo.png"), "brand", "logo.png: missing"),
        (image("icon.png", 255, 256), "brand", "icon.png: is 255x256, must be 256x256"),
        (image("icon@2x.png", 256, 256), "brand", "icon@2x.png: is 256x256, must be 512x512"),
        (image("logo.png", 700, 300), "brand", "logo.png: its shorter side is 300"),
        (image("logo.png", 700, 256, margin=9), "brand", "logo.png: has empty space"),
        (image("symbol.png", 64, 64), "brand", "symbol.png: is no brand image"),
        (put("../../hacs.json", "render_readme", value=True), "hacs.json", "render_readme"),
        (put("../../hacs.json", "zip_release", value=True), "hacs.json", "filename"),
        (put("../../hacs.json", "name", value="Other"), "hacs.json", "name: must be"),
    ],
)
def test_a_fault_is_caught(
    example: Path, change: Callable[[Path], None], check: str, message: str
) -> None:
    change(example)
    assert any(message in fault for fault in validate.validate(example)[check])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", None),
        (EN, None),
        ("manifest.json", "{"),
        (DE, "[]"),
        ("services.yaml", "a: ["),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    example: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None
) -> None:
    without(name)(example)
    if content is not None:
        (component(example) / name).write_text(content, "utf-8")
    assert validate.main(example) == 1
    assert name in capsys.readouterr().out


def test_a_broken_copy_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(component(ROOT), component(tmp_path))
    shutil.copy(ROOT / "hacs.json", tmp_path)
    put("manifest.json", "version", value=None)(tmp_path)
    put(EN, "config", "abort", "broken", value="See https://example.com/help")(tmp_path)
    assert validate.main(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "FAULT  manifest.json" in lines
    assert any("manifest.json: version: " in line for line in lines)
    assert any("en.json: config.abort.broken: has a URL" in line for line in lines)


def test_descriptions_are_read_from_the_copy(example: Path) -> None:
    (component(example) / "sensor.py").write_text(SENSOR.replace("balance", "other"), "utf-8")
    assert list(validate.with_device_class(validate.load(example))) == [("sensor", "other")]


def test_the_rules_are_home_assistants() -> None:
    core = Path(next(iter(components.__path__)))
    rules = load_yaml_dict(core / "uptime_kuma" / "quality_scale.yaml")["rules"]
    assert isinstance(rules, dict)
    assert rules.keys() <= {rule for tier in TIERS.values() for rule in tier}
