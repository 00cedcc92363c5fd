"""Checks what Home Assistant and HACS read of this repository, as far as their own checks ask.

`.venv/test/bin/python scripts/validate.py [ROOT]` prints a line a check and, below it, each fault
by its file and key; it ends with 1 if there is one. hassfest itself is in no package, so the rules
are stated here, on top of the validators that Home Assistant ships.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path
import re
from string import Formatter
import sys

from awesomeversion import AwesomeVersion, AwesomeVersionException
import hass_frontend
from homeassistant import components as core_components
from homeassistant.components.brands.const import ALLOWED_IMAGES
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, selector
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.translation import recursive_flatten
from homeassistant.util.json import load_json_array, load_json_object
from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import voluptuous as vol

DOMAIN = "openai_account"
EN = "translations/en.json"

TIERS = {
    "bronze": """action-setup appropriate-polling brands common-modules config-flow
        config-flow-test-coverage dependency-transparency docs-actions docs-conditions
        docs-high-level-description docs-installation-instructions docs-removal-instructions
        docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data
        test-before-configure test-before-setup unique-config-entry""".split(),
    "silver": """action-exceptions config-entry-unloading docs-configuration-parameters
        docs-installation-parameters entity-unavailable integration-owner log-when-unavailable
        parallel-updates reauthentication-flow test-coverage""".split(),
    "gold": """devices diagnostics discovery discovery-update-info docs-data-update docs-examples
        docs-known-limitations docs-supported-devices docs-supported-functions
        docs-troubleshooting docs-use-cases dynamic-devices entity-category entity-device-class
        entity-disabled-by-default entity-translations exception-translations icon-translations
        reconfiguration-flow repair-issues stale-devices""".split(),
    "platinum": "async-dependency inject-websession strict-typing".split(),
}
RULES = frozenset(rule for rules in TIERS.values() for rule in rules)

# ---- Values ------------------------------------------------------------------------------------


def matching(pattern: str, message: str) -> Callable[[object], str]:
    """Return a validator of texts that match the whole pattern."""

    def validate(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise vol.Invalid(message)
        return value

    return validate


def version(value: object) -> str:
    """Validate a version as Home Assistant's loader reads it."""
    try:
        text = vol.Schema(str)(value)
        if not AwesomeVersion(text).valid:
            raise vol.Invalid(f"{text!r} is not a version")
    except AwesomeVersionException as err:
        raise vol.Invalid(f"{value!r} is not a version") from err
    return str(text)


def placeholders(text: str) -> set[str]:
    """Return the names in braces of a text; raises ValueError on a lone brace."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def text(value: object) -> str:
    """Validate a text that is shown to people."""
    result: str = cv.string_with_no_html(vol.Schema(str)(value))
    try:
        names = placeholders(result)
    except ValueError as err:
        raise vol.Invalid(f"braces do not match: {err}") from err
    for wrong, message in (
        (not result, "is empty"),
        (result != result.strip(), "has a space at its start or end"),
        (re.search(r"\w+://|\bwww\.", result), "has a URL: use a placeholder"),
        (re.search(r"'\{\w+\}'", result), "has a placeholder in single quotes"),
        ("[%" in result, "has a reference, which custom integrations cannot have"),
        (not all(map(str.isidentifier, names)), "has a placeholder that is no identifier"),
    ):
        if wrong:
            raise vol.Invalid(message)
    return result


def plain_text(value: object) -> str:
    """Validate a shown text that nothing is filled into."""
    if placeholders(result := text(value)):
        raise vol.Invalid("has a placeholder, which are not filled in here")
    return result


KEY = matching(r"[a-z0-9]+([_-][a-z0-9]+)*", "is no translation key")
URL = matching(r"https://\S+", "is no https URL")
ICON = matching(r"mdi:[a-z0-9-]+", "is no mdi: icon")
TEXTS = {KEY: text}
PLAIN_TEXTS = {KEY: plain_text}

# ---- Files -------------------------------------------------------------------------------------

MANIFEST = {
    vol.Required("domain"): str,
    vol.Required("name"): str,
    vol.Required("codeowners"): vol.All(
        [matching(r"@\S+", "does not start with @")], vol.Length(1)
    ),
    vol.Required("documentation"): URL,
    vol.Required("integration_type"): vol.In(
        ["device", "entity", "hardware", "helper", "hub", "service", "system"]
    ),
    vol.Required("iot_class"): vol.In(
        [
            "assumed_state",
            "calculated",
            "cloud_polling",
            "cloud_push",
            "local_polling",
            "local_push",
        ]
    ),
    vol.Required("issue_tracker"): URL,
    vol.Required("version"): version,
    "after_dependencies": [cv.slug],
    "config_flow": bool,
    "dependencies": [cv.slug],
    "import_executor": bool,
    "loggers": [str],
    "quality_scale": vol.In([*TIERS, "custom"]),
    "requirements": [matching(r"[^=\s]+==[^=\s]+", "is not pinned to a version with ==")],
    "single_config_entry": bool,
}
HACS = {
    vol.Required("name"): str,
    "content_in_root": bool,
    "country": vol.Any(str, [str]),
    "filename": str,
    "hacs": version,
    "hide_default_branch": bool,
    "homeassistant": version,
    "persistent_directory": str,
    "zip_release": bool,
}
FORM = {"description": text, "data": TEXTS, "data_description": TEXTS}
FLOW = {
    vol.Required("step"): {
        KEY: {
            **FORM,
            "title": text,
            "menu_options": TEXTS,
            "menu_option_descriptions": TEXTS,
            "sections": {KEY: {**FORM, "name": text}},
            "submit": text,
        }
    },
    "flow_title": text,
    "initiate_flow": {vol.Required("user"): text, KEY: text},
    "abort": TEXTS,
    "create_entry": {vol.Any("default", KEY): text},
    "error": TEXTS,
    "progress": TEXTS,
}
NAMED = {vol.Required("name"): text, vol.Required("description"): text}
ACTION = {**NAMED, "fields": {KEY: {**NAMED, "example": text}}, "sections": {KEY: NAMED}}
TRANSLATIONS = {
    "title": text,
    "config": FLOW,
    "options": FLOW,
    "common": TEXTS,
    "conditions": {cv.underscore_slug: ACTION},
    "device": {KEY: {"name": text}},
    "entity": {
        cv.slug: {
            KEY: {
                "name": text,
                "state": PLAIN_TEXTS,
                "state_attributes": {KEY: {"name": plain_text, "state": PLAIN_TEXTS}},
                "unit_of_measurement": plain_text,
            }
        }
    },
    "exceptions": {cv.slug: {vol.Required("message"): text}},
    "issues": {
        KEY: vol.All(
            {vol.Required("title"): text, "description": text, "fix_flow": FLOW},
            cv.has_at_least_one_key("description", "fix_flow"),
        )
    },
    "selector": {
        cv.slug: {
            "choices": TEXTS,
            "fields": {KEY: NAMED},
            "options": TEXTS,
            "unit_of_measurement": TEXTS,
        }
    },
    "services": {cv.slug: ACTION},
    "system_health": {"info": TEXTS},
    "triggers": {cv.underscore_slug: ACTION},
}
ICONS = {
    "conditions": {cv.underscore_slug: {vol.Required("condition"): ICON}},
    "entity": {
        cv.slug: {
            KEY: {
                "default": ICON,
                "range": {str: ICON},
                "state": {KEY: ICON},
                "state_attributes": {KEY: {"default": ICON, "state": {KEY: ICON}}},
            }
        }
    },
    "issues": {KEY: ICON},
    "services": {cv.slug: vol.Any(ICON, {"service": ICON, "sections": {KEY: ICON}})},
    "triggers": {cv.underscore_slug: {vol.Required("trigger"): ICON}},
}
FIELD = {
    "advanced": bool,
    "default": object,
    "example": object,
    "filter": dict,
    "required": bool,
    "selector": selector.validate_selector,
}
FIELDS = {KEY: vol.Any(FIELD, {"collapsed": bool, vol.Required("fields"): {KEY: FIELD}}, None)}
SERVICES = {
    cv.slug: vol.Any({"target": selector.TargetSelector.CONFIG_SCHEMA, "fields": FIELDS}, None)
}
STATUS = vol.Any(
    "done",
    {
        vol.Required("status"): vol.In(["done", "exempt", "todo"]),
        vol.Required("comment"): vol.All(str, vol.Length(1)),
    },
    msg="must be 'done', or a status (done, exempt, todo) with a comment",
)

# ---- Checks ------------------------------------------------------------------------------------


def at(data: object, *path: str) -> dict[str, object]:
    """Return the object at a path, or an empty one where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return dict(data) if isinstance(data, Mapping) else {}


def faults(schema: object, data: Mapping[str, object]) -> Iterator[str]:
    """Yield what a schema finds wrong, as 'key: message'."""
    try:
        vol.Schema(schema)(dict(data))
    except vol.MultipleInvalid as err:
        for error in err.errors:
            yield f"{'.'.join(map(str, error.path)) or 'the file'}: {error.msg}"


@dataclass(frozen=True, kw_only=True)
class Integration:
    """What stands in an integration's folder; files that may be absent are empty then."""

    folder: Path
    manifest: Mapping[str, object]
    languages: Mapping[str, Mapping[str, object]]
    icons: Mapping[str, object]
    services: Mapping[str, object]

    @property
    def english(self) -> Mapping[str, object]:
        """The texts that the other languages are held to."""
        return self.languages["en"]


def load(root: Path) -> Integration:
    """Read the integration of a repository; raises HomeAssistantError on a file it cannot read."""
    folder = root / "custom_components" / DOMAIN
    icons, services = folder / "icons.json", folder / "services.yaml"
    paths = {"en": folder / EN} | {p.stem: p for p in (folder / "translations").glob("*.json")}
    for path in (folder / "manifest.json", folder / EN):
        if not path.is_file():
            raise HomeAssistantError(f"{path.relative_to(folder)}: missing")
    return Integration(
        folder=folder,
        manifest=load_json_object(folder / "manifest.json"),
        languages={name: load_json_object(path) for name, path in sorted(paths.items())},
        icons=load_json_object(icons) if icons.exists() else {},
        services=load_yaml_dict(services) if services.exists() else {},
    )


def check_manifest(it: Integration) -> Iterator[str]:
    """Check manifest.json by the keys documented for custom integrations."""
    yield from faults(MANIFEST, it.manifest)
    keys = list(it.manifest)
    for key, other in zip(
        keys, sorted(keys, key=lambda k: (k != "domain", k != "name", k)), strict=True
    ):
        if key != other:
            yield f"{key}: {other} belongs here: domain, name, then by the alphabet"
            break
    if it.manifest.get("domain") != it.folder.name:
        yield f"domain: must be the folder's name, {it.folder.name}"
    core = Path(next(iter(core_components.__path__)))
    for kind in ("dependencies", "after_dependencies"):
        names = it.manifest.get(kind)
        for name in names if isinstance(names, list) else []:
            if not (core / str(name) / "manifest.json").exists():
                yield f"{kind}: Home Assistant has no integration {name}"
    if it.manifest.get("config_flow") is True and "config" not in it.english:
        yield f"config_flow: {EN} has no config"


def check_translations(it: Integration) -> Iterator[str]:
    """Check each language by itself, and against English: the same keys, the same placeholders."""
    english = recursive_flatten("", dict(it.english))
    for language, content in it.languages.items():
        texts = recursive_flatten("", dict(content))
        found = list(faults(TRANSLATIONS, content))
        for section in ("config", "options"):
            for step in at(content, section, "step"):
                where = (section, "step", step)
                for key in at(content, *where, "data_description"):
                    if key not in at(content, *where, "data"):
                        found.append(f"{'.'.join(where)}.data_description.{key}: is not in data")
        for key in english.keys() ^ texts.keys():
            found.append(f"{key}: {'missing' if key in english else 'not in English'}")
        for key in english.keys() & texts.keys():
            try:
                names, expected = placeholders(str(texts[key])), placeholders(str(english[key]))
            except ValueError:
                continue  # already a fault of the text
            if names != expected:
                found.append(f"{key}: placeholders {sorted(names)}, in English {sorted(expected)}")
        yield from (f"{language}.json: {fault}" for fault in sorted(found))


def check_texts(it: Integration) -> Iterator[str]:
    """Check that the errors and issues whose keys the code spells out have English texts."""
    for path in sorted(it.folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            words = {word.arg: word.value for word in node.keywords}
            key = words.get("translation_key")
            issue = ast.unparse(node.func).endswith("create_issue")
            section = "issues" if issue else "exceptions"
            if (
                isinstance(key, ast.Constant)
                and (issue or "translation_domain" in words)
                and key.value not in at(it.english, section)
            ):
                yield f"{path.name}:{node.lineno}: {EN} has no {section}.{key.value}"


def described(it: Integration) -> Iterator[tuple[str, EntityDescription]]:
    """Yield the platform and description of each entity that the code lists at a module's top."""
    # By a name of its own, so that a copy of the integration is read and not the one imported.
    name = f"{DOMAIN}_{abs(hash(it.folder))}"
    for platform in at(it.english, "entity"):
        if not (it.folder / f"{platform}.py").exists():
            continue
        for module_name, file in ((name, "__init__"), (f"{name}.{platform}", platform)):
            if module_name in sys.modules:
                continue
            spec = util.spec_from_file_location(module_name, it.folder / f"{file}.py")
            if spec is None or spec.loader is None:
                raise HomeAssistantError(f"{file}.py: cannot be imported")
            sys.modules[module_name] = module = util.module_from_spec(spec)
            spec.loader.exec_module(module)
        for value in vars(sys.modules[f"{name}.{platform}"]).values():
            for item in value if isinstance(value, list | tuple) else (value,):
                if isinstance(item, EntityDescription):
                    yield platform, item


def check_icons(it: Integration) -> Iterator[str]:
    """Check icons.json, and that each entity has an icon there or one by its device class."""
    yield from faults(ICONS, it.icons)
    metadata = hass_frontend.where() / "static" / "mdi" / "iconMetadata.json"
    known = {icon["name"] for icon in load_json_array(metadata) if isinstance(icon, dict)}
    for key, icon in recursive_flatten("", dict(it.icons)).items():
        if str(icon).startswith("mdi:") and str(icon).removeprefix("mdi:") not in known:
            yield f"{key}: Home Assistant has no icon {icon}"
    by_class = {
        (platform, item.translation_key or item.key)
        for platform, item in described(it)
        if item.device_class
    }
    for section in ("entity", "services"):
        named, drawn = at(it.english, section), at(it.icons, section)
        pairs = [(n, k) for n in named for k in at(named, n)] if section == "entity" else []
        for platform, key in pairs:
            if key not in at(drawn, platform) and (platform, key) not in by_class:
                yield f"entity.{platform}.{key}: has no icon and no device class"
        for name in drawn.keys() - named.keys():
            yield f"{section}.{name}: is not in {EN}"
        for name in drawn.keys() & named.keys() if section == "entity" else ():
            for key in at(drawn, name).keys() - at(named, name).keys():
                yield f"entity.{name}.{key}: is not in {EN}"


def check_services(it: Integration) -> Iterator[str]:
    """Check services.yaml, and that each action and each of its fields has texts and an icon."""
    yield from faults(SERVICES, it.services)
    texts = at(it.english, "services")
    for name in it.services.keys() ^ texts.keys():
        yield f"{name}: is not in {EN if name in it.services else 'services.yaml'}"
    for name in it.services:
        if name not in at(it.icons, "services"):
            yield f"{name}: is not in icons.json"
        fields, sections = dict[str, object](), set[str]()
        for key, field in at(it.services, name, "fields").items():
            if inner := at(field, "fields"):
                sections.add(key)
                fields |= inner
            else:
                fields[key] = field
        for kind, used in (("fields", fields.keys()), ("sections", sections)):
            for key in used ^ at(texts, name, kind).keys():
                yield f"{name}.{kind}.{key}: is not in {EN if key in used else 'services.yaml'}"
        for key, field in fields.items():
            choice = at(field, "selector", "select").get("translation_key")
            if choice is not None and choice not in at(it.english, "selector"):
                yield f"{name}.fields.{key}: {EN} has no selector.{choice}"


def check_quality_scale(it: Integration) -> Iterator[str]:
    """Check quality_scale.yaml: every rule is answered, and those of the tier claimed are met."""
    path = it.folder / "quality_scale.yaml"
    if not path.exists():
        yield "the file: missing"
        return
    rules = at(load_yaml_dict(path), "rules")
    yield from faults({"rules": {vol.In(RULES, "no such rule"): STATUS}}, load_yaml_dict(path))
    yield from (f"rules.{rule}: missing" for rule in sorted(RULES - rules.keys()))
    tiers, claimed = list(TIERS), it.manifest.get("quality_scale")
    for tier in tiers[: tiers.index(str(claimed)) + 1] if claimed in tiers else []:
        for rule in TIERS[tier]:
            if at(rules, rule).get("status") == "todo":
                yield f"rules.{rule}: is to do, but the manifest claims {claimed}"


def check_brand(it: Integration) -> Iterator[str]:
    """Check the images by the sizes that Home Assistant's brands repository asks for."""
    present = {path.name for path in (it.folder / "brand").glob("*")}
    for name in sorted(present ^ ALLOWED_IMAGES):
        yield f"{name}: {'is no brand image' if name in present else 'missing'}"
    for name in sorted(present & ALLOWED_IMAGES):
        with Image.open(it.folder / "brand" / name) as image:
            size, kind = image.size, image.format
            box = image.convert("RGBA").getchannel("A").getbbox()
        most = 512 if "@2x" in name else 256
        if kind != "PNG":
            yield f"{name}: is {kind}, not PNG"
        if "icon" in name and size != (most, most):
            yield f"{name}: is {size[0]}x{size[1]}, must be {most}x{most}"
        if "logo" in name and not most // 2 <= min(size) <= most:
            yield f"{name}: its shorter side is {min(size)}, must be {most // 2} to {most}"
        if box != (0, 0, *size):
            yield f"{name}: has empty space at its edges"


def check_hacs(root: Path, it: Integration) -> Iterator[str]:
    """Check hacs.json by the keys that HACS takes; others fail its own check."""
    path = root / "hacs.json"
    if not path.exists():
        yield "the file: missing"
        return
    hacs = load_json_object(path)
    yield from faults(HACS, hacs)
    if hacs.get("name") != it.manifest.get("name"):
        yield f"name: must be the manifest's, {it.manifest.get('name')}"
    if hacs.get("zip_release") and not str(hacs.get("filename", "")).endswith(".zip"):
        yield "filename: must be the archive's name, with .zip, since zip_release is set"


CHECKS: dict[str, Callable[[Integration], Iterator[str]]] = {
    "manifest.json": check_manifest,
    "translations": check_translations,
    "texts named in code": check_texts,
    "icons.json": check_icons,
    "services.yaml": check_services,
    "quality_scale.yaml": check_quality_scale,
    "brand": check_brand,
}


def validate(root: Path) -> dict[str, list[str]]:
    """Return each check's faults; raises HomeAssistantError on a file that cannot be read."""
    integration = load(root)
    result = {name: list(check(integration)) for name, check in CHECKS.items()}
    return result | {"hacs.json": list(check_hacs(root, integration))}


def main(root: Path) -> int:
    """Print a line a check and one a fault; return 1 if there are faults."""
    try:
        result = validate(root)
    except HomeAssistantError as err:
        print(f"FAULT  {err}")
        return 1
    for name, found in result.items():
        print(f"{'FAULT' if found else 'ok':<6} {name}")
        for fault in found:
            print(f"       {name}: {fault}")
    return int(any(result.values()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent))
