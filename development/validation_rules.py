"""What Home Assistant and HACS accept in the files that they read of an integration.

Voluptuous schemas of the documented keys, and the rules of the integration quality scale.
"""

from collections.abc import Callable
import re
from string import Formatter

from awesomeversion import AwesomeVersion, AwesomeVersionException
from homeassistant.helpers import config_validation as cv, selector
import voluptuous as vol

_RULES = {
    "bronze": """action-setup appropriate-polling brands common-modules config-flow
        config-flow-test-coverage dependency-transparency docs-actions docs-conditions
        docs-high-level-description docs-installation-instructions docs-removal-instructions
        docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data
        test-before-configure test-before-setup unique-config-entry""",
    "silver": """action-exceptions config-entry-unloading docs-configuration-parameters
        docs-installation-parameters entity-unavailable integration-owner log-when-unavailable
        parallel-updates reauthentication-flow test-coverage""",
    "gold": """devices diagnostics discovery discovery-update-info docs-data-update docs-examples
        docs-known-limitations docs-supported-devices docs-supported-functions
        docs-troubleshooting docs-use-cases dynamic-devices entity-category entity-device-class
        entity-disabled-by-default entity-translations exception-translations icon-translations
        reconfiguration-flow repair-issues stale-devices""",
    "platinum": "async-dependency inject-websession strict-typing",
}
TIERS = {tier: rules.split() for tier, rules in _RULES.items()}

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
FORM: dict[object, object] = {"description": text, "data": TEXTS, "data_description": TEXTS}
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
