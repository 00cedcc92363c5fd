"""Checks the mistakes that adding an entity, a text or a language invites.

`.venv/test/bin/python -m development.validate` prints one line per check and one per mistake below
it; it exits with 1 if there is any.

`.github/workflows/validate.yml` runs Home Assistant's hassfest and HACS' action for real. They
check manifest.json, hacs.json, the English texts and the form of icons.json, services.yaml and
the like, so none of that is checked here. What is left is what they skip in a custom integration:

- translations: hassfest reads English alone. A text, placeholder or link that is missing in
  another language shows up only in front of somebody who uses it.
- texts named in code: an error or repair whose text is missing shows its bare key.
- icons: hassfest does not know which icons exist, nor which entities have none.
- services, triggers and conditions: hassfest asks for their texts and icons in core only.
- quality scale: hassfest ignores the file outside of core.
- brand: HACS looks for icon.png alone, and nobody at the images' sizes.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
import re
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

from .process import REPOSITORY

DOMAIN = "openai_account"
INTEGRATION = REPOSITORY / "custom_components" / DOMAIN
EN = "translations/en.json"
ICONS = "icons.json"

# What a translation must keep as it is in English
KEPT = {
    "placeholders": re.compile(r"\{\w+\}"),
    "links": re.compile(r"\]\(\{\w+\}\)"),
    "paragraphs": re.compile(r"\n\n"),
    "literal words": re.compile(r"sk-admin-|Bearer"),
}


def read(path: Path) -> dict[str, object]:
    """Return the JSON or YAML object in a file; raises HomeAssistantError, which names the file."""
    load = load_json_object if path.suffix == ".json" else load_yaml_dict
    if not path.is_file():
        raise HomeAssistantError(f"{path.name}: is missing")
    try:
        return dict(load(path))
    except (HomeAssistantError, TypeError, UnicodeDecodeError) as err:
        raise HomeAssistantError(f"{path.name}: {err}") from err


def at(data: object, *path: str) -> dict[str, object]:
    """Return the object at a path, an empty one if there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return dict(data) if isinstance(data, Mapping) else {}


def flat(data: Mapping[str, object]) -> dict[str, str]:
    """Return the texts of nested objects by their dotted path."""
    texts = recursive_flatten("", cast("dict[str, Any]", dict(data)))
    return {key: str(value) for key, value in texts.items()}


def check_translations(folder: Path) -> Iterator[str]:
    """Check that each language has English's texts, in its order, with what must stay the same."""
    english = flat(read(folder / EN))
    for path in sorted((folder / "translations").glob("*.json")):
        texts = flat(read(path))
        for key in english.keys() ^ texts.keys():
            yield f"{path.name}: {key}: is {'missing' if key in english else 'not in English'}"
        common = [key for key in english if key in texts]
        if common != [key for key in texts if key in english]:
            yield f"{path.name}: has another order than en.json"
        for key in common:
            for what, pattern in KEPT.items():
                ours, theirs = (sorted(pattern.findall(text[key])) for text in (texts, english))
                if ours != theirs:
                    yield f"{path.name}: {key}: {what} are {ours}, in English {theirs}"


def check_texts(folder: Path) -> Iterator[str]:
    """Check that each error and repair in the code has its text, and each text its error or repair.

    The code names the key of a text in a call, or as the `code` of one of the client's errors.
    """
    english = read(folder / EN)
    words = set[object]()
    for path in sorted(folder.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        words |= {node.value for node in nodes if isinstance(node, ast.Constant)}
        names = {
            target.id: node.value
            for node in nodes
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in nodes:
            for section, value in named_texts(node):
                key = names.get(value.id, value) if isinstance(value, ast.Name) else value
                if isinstance(key, ast.Constant) and key.value not in at(english, section):
                    yield f"{path.name}:{value.lineno}: {EN} has no {section}.{key.value!s}"
    for section in ("exceptions", "issues"):
        for unused in at(english, section).keys() - words:
            yield f"{EN}: {section}.{unused}: is not in the code"


def named_texts(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the section of a text and the expression for its key, if a node names one."""
    match node:
        case ast.Assign(targets=[ast.Name(id="code")], value=value):
            yield "exceptions", value
        case ast.Call(func=function, args=arguments, keywords=keywords):
            by_name = {keyword.arg: keyword.value for keyword in keywords}
            key = by_name.get("translation_key")
            if ast.unparse(function).endswith("create_issue"):
                # create_issue(hass, entry_id, translation_key), and Home Assistant's by keyword
                yield from (("issues", value) for value in ([key] if key else arguments[2:3]))
            elif key and "translation_domain" in by_name:
                yield "exceptions", key


def check_icons(folder: Path) -> Iterator[str]:
    """Check that each icon exists, and that each entity has one, be it by its device class."""
    icons, english = read(folder / ICONS), read(folder / EN)
    listed = load_json_array(hass_frontend.where() / "static" / "mdi" / "iconList.json")
    existing = {f"mdi:{icon['name']}" for icon in listed if isinstance(icon, dict)}
    for key, icon in flat(icons).items():
        if icon not in existing:
            yield f"{key}: Home Assistant has no icon {icon}"
    for platform, entities in at(english, "entity").items():
        drawn, named = at(icons, "entity", platform).keys(), at(entities).keys()
        for key in named - drawn - with_device_class(platform):
            yield f"entity.{platform}.{key}: has no icon and no device class"
        for key in drawn - named:
            yield f"entity.{platform}.{key}: is not in {EN}"


def with_device_class(platform: str) -> set[str]:
    """Return the translation keys of a platform's descriptions that have a device class."""
    module = import_module(f"custom_components.{DOMAIN}.{platform}")
    return {
        item.translation_key or item.key
        for value in vars(module).values()
        for item in (value if isinstance(value, list | tuple) else (value,))
        # Home Assistant makes descriptions without a common class: go by their fields.
        if {"key", "translation_key", "device_class"}
        <= set(getattr(type(item), "__dataclass_fields__", ()))
        and item.device_class
    }


def check_services(folder: Path) -> Iterator[str]:
    """Check that services, triggers and conditions have texts and icons, and their fields texts."""
    icons, english = read(folder / ICONS), read(folder / EN)
    for kind in ("services", "triggers", "conditions"):
        texts = at(english, kind)
        content = {
            name: value
            for name, value in read(folder / f"{kind}.yaml").items()
            # YAML anchors stand under names with a dot in front.
            if not name.startswith(".")
        }
        for name in content.keys() ^ texts.keys():
            yield f"{kind}.{name}: is not in {EN if name in content else f'{kind}.yaml'}"
        for name in content.keys() ^ at(icons, kind).keys():
            yield f"{kind}.{name}: is not in {ICONS if name in content else f'{kind}.yaml'}"
        for name in content.keys() & texts.keys():
            fields, described = at(content, name, "fields"), at(texts, name, "fields")
            for key in fields.keys() ^ described.keys():
                missing = EN if key in fields else f"{kind}.yaml"
                yield f"{kind}.{name}.fields.{key}: is not in {missing}"
            for key in fields:
                choice = at(fields, key, "selector", "select").get("translation_key")
                if choice is not None and choice not in at(english, "selector"):
                    yield f"{kind}.{name}.fields.{key}: {EN} has no selector.{choice}"


def check_quality_scale(folder: Path) -> Iterator[str]:
    """Check that every rule is done or exempt, as platinum asks, and that exemptions say why."""
    rules = at(read(folder / "quality_scale.yaml"), "rules")
    # hassfest holds core's own integrations to every rule that there is: take the list from one.
    core = Path(next(iter(core_components.__path__)))
    every = at(read(core / "uptime_kuma" / "quality_scale.yaml"), "rules")
    for rule in every.keys() ^ rules.keys():
        yield f"{rule}: {'is missing' if rule in every else 'is no rule'}"
    for rule, status in rules.items():
        if status != "done" and at(rules, rule).get("status") not in ("done", "exempt"):
            yield f"{rule}: must be done or exempt"
        elif status != "done" and not at(rules, rule).get("comment"):
            yield f"{rule}: has no comment"


def check_brand(folder: Path) -> Iterator[str]:
    """Check the images by the sizes that Home Assistant's brands repository asks for."""
    present = {path.name for path in (folder / "brand").glob("*")}
    for name in present ^ ALLOWED_IMAGES:
        yield f"{name}: {'is no brand image' if name in present else 'is missing'}"
    for name in present & ALLOWED_IMAGES:
        with Image.open(folder / "brand" / name) as image:
            size, kind = image.size, image.format
            box = image.convert("RGBA").getchannel("A").getbbox()
        side = 512 if "@2x" in name else 256
        if kind != "PNG":
            yield f"{name}: is {kind}, not PNG"
        if "icon" in name and size != (side, side):
            yield f"{name}: is {size[0]}x{size[1]}, must be {side}x{side}"
        if "logo" in name and not side // 2 <= min(size) <= side:
            yield f"{name}: has a shorter side of {min(size)}, must be {side // 2} to {side}"
        if box != (0, 0, *size):
            yield f"{name}: has empty space at its edges"


CHECKS: dict[str, Callable[[Path], Iterator[str]]] = {
    "translations": check_translations,
    "texts named in code": check_texts,
    "icons": check_icons,
    "services, triggers and conditions": check_services,
    "quality scale": check_quality_scale,
    "brand": check_brand,
}


def validate(check: str, folder: Path) -> list[str]:
    """Return the mistakes that one of `CHECKS` finds; a file that cannot be read is one."""
    try:
        return sorted(CHECKS[check](folder))
    except HomeAssistantError as err:
        return [str(err)]


def main(folder: Path) -> int:
    """Print the result of each check; return 1 if there is a mistake."""
    results = {check: validate(check, folder) for check in CHECKS}
    for check, mistakes in results.items():
        print(f"{'WRONG' if mistakes else 'ok':<6} {check}")
        for mistake in mistakes:
            print(f"       {mistake}")
    return int(any(results.values()))


if __name__ == "__main__":
    sys.exit(main(INTEGRATION))
