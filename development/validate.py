"""Checks what Home Assistant and HACS read of this repository, as far as their own checks ask.

`.venv/test/bin/python -m development.validate [ROOT]` prints one line per check and, below it, each
fault by its file and key; it exits with 1 if there is one. hassfest is in no package, so the rules
are stated here, on top of the validators that Home Assistant ships.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import util
from pathlib import Path
import sys
from typing import Any, cast

import hass_frontend
from homeassistant import components as core_components
from homeassistant.components.brands.const import ALLOWED_IMAGES
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import recursive_flatten
from homeassistant.util.json import load_json_array, load_json_object
from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import voluptuous as vol

from development.validation_rules import (
    HACS,
    ICONS,
    MANIFEST,
    SERVICES,
    STATUS,
    TIERS,
    TRANSLATIONS,
    placeholders,
)

DOMAIN = "openai_account"
EN = "translations/en.json"
DESCRIBED = ("services", "triggers", "conditions")


def at(data: object, *path: str) -> dict[str, object]:
    """Return the object at a path, or an empty one where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return dict(data) if isinstance(data, Mapping) else {}


def flat(data: Mapping[str, object]) -> dict[str, str]:
    """Return the texts of nested objects by their dotted path."""
    texts = recursive_flatten("", cast("dict[str, Any]", dict(data)))
    return {key: str(value) for key, value in texts.items()}


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
    # services.yaml, triggers.yaml and conditions.yaml, by these names
    described: Mapping[str, Mapping[str, object]]

    @property
    def english(self) -> Mapping[str, object]:
        """The texts that the other languages are held to."""
        return self.languages["en"]


def read(path: Path) -> dict[str, object]:
    """Read a JSON or YAML object; raises HomeAssistantError, which names the file."""
    load_file = load_json_object if path.suffix == ".json" else load_yaml_dict
    if not path.is_file():
        raise HomeAssistantError(f"{path.parent.name}/{path.name}: missing")
    try:
        return dict(load_file(path))
    except (HomeAssistantError, TypeError, UnicodeDecodeError) as err:
        raise HomeAssistantError(f"{path.parent.name}/{path.name}: {err}") from err


def load(root: Path) -> Integration:
    """Read the integration of a repository; raises HomeAssistantError on a file it cannot read."""
    folder = root / "custom_components" / DOMAIN
    icons = folder / "icons.json"
    described = {kind: folder / f"{kind}.yaml" for kind in DESCRIBED}
    paths = {"en": folder / EN} | {p.stem: p for p in (folder / "translations").glob("*.json")}
    return Integration(
        folder=folder,
        manifest=read(folder / "manifest.json"),
        languages={name: read(path) for name, path in sorted(paths.items())},
        icons=read(icons) if icons.exists() else {},
        described={
            kind: {
                # What begins with a dot is there to be referred to.
                name: content
                for name, content in (read(path) if path.exists() else {}).items()
                if not name.startswith(".")
            }
            for kind, path in described.items()
        },
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
    for language, content in it.languages.items():
        for check in (partial(faults, TRANSLATIONS), undescribed, partial(differences, it.english)):
            yield from (f"{language}.json: {fault}" for fault in check(content))


def undescribed(content: Mapping[str, object]) -> Iterator[str]:
    """Yield the descriptions of form fields that do not exist."""
    for section in ("config", "options"):
        for step in at(content, section, "step"):
            fields = at(content, section, "step", step, "data")
            for key in (
                at(content, section, "step", step, "data_description").keys() - fields.keys()
            ):
                yield f"{section}.step.{step}.data_description.{key}: is not in data"


def differences(english: Mapping[str, object], content: Mapping[str, object]) -> Iterator[str]:
    """Yield where a language has other keys or placeholders than English."""
    expected, texts = flat(english), flat(content)
    for key in expected.keys() ^ texts.keys():
        yield f"{key}: {'missing' if key in expected else 'not in English'}"
    for key in expected.keys() & texts.keys():
        try:
            ours, theirs = placeholders(texts[key]), placeholders(expected[key])
        except ValueError:
            continue  # already a fault of the text
        if ours != theirs:
            yield f"{key}: placeholders {sorted(ours)}, in English {sorted(theirs)}"


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
                yield f"{path.name}:{node.lineno}: {EN} has no {section}.{key.value!s}"


def with_device_class(it: Integration) -> Iterator[tuple[str, str]]:
    """Yield platform and translation key of each description at a module's top that has a class."""
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
                # Home Assistant makes descriptions without a common class: go by their fields.
                names = getattr(type(item), "__dataclass_fields__", ())
                if {"key", "translation_key", "device_class"} <= set(names) and item.device_class:
                    yield platform, item.translation_key or item.key


def check_icons(it: Integration) -> Iterator[str]:
    """Check icons.json, and that each entity has an icon there or one by its device class."""
    yield from faults(ICONS, it.icons)
    icons = hass_frontend.where() / "static" / "mdi" / "iconList.json"
    known = {icon["name"] for icon in load_json_array(icons) if isinstance(icon, dict)}
    for key, icon in flat(it.icons).items():
        if icon.startswith("mdi:") and icon.removeprefix("mdi:") not in known:
            yield f"{key}: Home Assistant has no icon {icon}"
    by_class = set(with_device_class(it))
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


def check_described(it: Integration, kind: str) -> Iterator[str]:
    """Check services.yaml or its like, and that each part of it has texts and an icon."""
    content, file = it.described[kind], f"{kind}.yaml"
    yield from faults(SERVICES, content)
    texts = at(it.english, kind)
    for name in content.keys() ^ texts.keys():
        yield f"{name}: is not in {EN if name in content else file}"
    for name in content:
        if name not in at(it.icons, kind):
            yield f"{name}: is not in icons.json"
        fields, sections = dict[str, object](), set[str]()
        for key, field in at(content, name, "fields").items():
            if inner := at(field, "fields"):
                sections.add(key)
                fields |= inner
            else:
                fields[key] = field
        for part, used in (("fields", fields.keys()), ("sections", sections)):
            for key in used ^ at(texts, name, part).keys():
                yield f"{name}.{part}.{key}: is not in {EN if key in used else file}"
        for key, field in fields.items():
            choice = at(field, "selector", "select").get("translation_key")
            if choice is not None and choice not in at(it.english, "selector"):
                yield f"{name}.fields.{key}: {EN} has no selector.{choice}"


def check_quality_scale(it: Integration) -> Iterator[str]:
    """Check quality_scale.yaml: every rule is answered, and those of the tier claimed are met."""
    content = read(it.folder / "quality_scale.yaml")
    every = {rule for rules in TIERS.values() for rule in rules}
    rules = at(content, "rules")
    yield from faults({"rules": {vol.In(every): STATUS}}, content)
    yield from (f"rules.{rule}: missing" for rule in sorted(every - rules.keys()))
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
    hacs = read(root / "hacs.json")
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
    **{f"{kind}.yaml": partial(check_described, kind=kind) for kind in DESCRIBED},
    "quality_scale.yaml": check_quality_scale,
    "brand": check_brand,
}


def run(check: Iterator[str]) -> list[str]:
    """Return a check's faults; a file of its own that cannot be read is one."""
    try:
        return sorted(check)
    except HomeAssistantError as err:
        return [str(err)]


def validate(root: Path) -> dict[str, list[str]]:
    """Return each check's faults; raises HomeAssistantError on a file that cannot be read."""
    integration = load(root)
    result = {name: run(check(integration)) for name, check in CHECKS.items()}
    return result | {"hacs.json": run(check_hacs(root, integration))}


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
