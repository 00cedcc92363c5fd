"""Every language is translated, and the READMEs keep step.

`development/validate.py` checks that the languages have the same texts and placeholders.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN

from .common import RunningSimulator, entity_id, setup_entry

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "custom_components/openai_account/translations"
LANGUAGES = ("de", "es", "fr", "ja", "zh-Hans", "zh-Hant")

# What is the same in other languages too
SAME = {
    "Budget",
    "Host",
    "Name",
    "No",
    "Plan",
    "Options",
    "Problem",
    "Source",
}

# What the users of the monitor that went before know the fields by, shortened where Home
# Assistant's style would
CHINESE = {
    "sensor": {
        "total_granted": "总授予额度",
        "total_used": "总使用额度",
        "total_available": "总可用额度",
        "total_paid_available": "总付费可用额度",
        "soft_limit_usd": "软限制费用",
        "hard_limit_usd": "硬限制费用",
        "system_hard_limit_usd": "系统硬限制费用",
        "soft_limit": "一定时间内最大使用量限制",
        "hard_limit": "最大使用量限制",
        "system_hard_limit": "系统硬限制使用量",
        "plan": "订阅计划",
        "canceled_at": "订阅取消时间",
        "billing_mechanism": "结算机制",
        "max_balance": "最大余额",
        "auto_recharge_threshold": "自动充值阈值",
        "auto_recharge_to_balance": "自动充值金额",
        "trust_tier": "信用等级",
        "account_name": "账户名称",
        "po_number": "采购号",
        "billing_email": "账单邮箱",
        "tax_ids": "税务 ID",
        "billing_address": "结算地址",
        "business_address": "业务地址",
    },
    "binary_sensor": {
        "has_payment_method": "支付方式",
        "canceled": "订阅已取消",
        "delinquent": "订阅拖欠",
        "primary": "主要订阅",
        "is_arrears_eligible": "符合拖欠资格",
        "auto_recharge_eligible": "符合自动充值资格",
        "auto_recharge_enabled": "自动充值",
    },
}


def texts(language: str) -> dict[str, str]:
    """Return all texts of a language by their path."""

    def walk(value: object, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(inner, f"{path}.{key}")
        else:
            yield path, str(value)

    return dict(walk(json.loads((FOLDER / f"{language}.json").read_text()), ""))


def test_seven_languages_are_shipped() -> None:
    """English and six other languages are shipped."""
    assert {path.stem for path in FOLDER.glob("*.json")} == {"en", *LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_left_in_english(language: str) -> None:
    """No text is the English one, except for words that both languages share."""
    english, other = texts("en"), texts(language)
    left = {text for path, text in english.items() if other[path] == text}
    assert left <= SAME


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_options_name_entities_as_they_are_called(language: str) -> None:
    """Where the options mention an entity, they use its name."""
    found = texts(language)
    for option, kind, key in (
        ("low_balance_threshold", "binary_sensor", "low_balance"),
        ("monthly_budget", "binary_sensor", "over_budget"),
        ("monthly_budget", "sensor", "budget_used"),
    ):
        text = found[f".options.step.init.data_description.{option}"]
        assert found[f".entity.{kind}.{key}.name"] in text


def test_chinese_names_are_the_known_ones() -> None:
    """The Chinese names of the fields are those that users of the former monitor know."""
    found = json.loads((FOLDER / "zh-Hans.json").read_text())["entity"]
    for kind, names in CHINESE.items():
        assert {key: found[kind][key]["name"] for key in names} == names


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("de", "Example Home Verfügbares Guthaben"),
        ("zh-Hans", "Example Home 总可用额度"),
        ("ja", "Example Home 利用可能クレジット"),
    ],
)
async def test_home_assistant_loads_each_language(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    language: str,
    name: str,
) -> None:
    """Entities, the automation editor and errors use the language of the home."""
    hass.config.language = language
    await setup_entry(hass, entry)
    found = hass.states.get(entity_id(hass, "total_available"))
    assert found
    assert found.name == name
    for category in ("triggers", "conditions", "exceptions", "config", "options", "services"):
        translated = await async_get_translations(hass, language, category, {DOMAIN})
        english = await async_get_translations(hass, "en", category, {DOMAIN})
        assert translated.keys() == english.keys()
        assert translated != english


def test_chinese_readme_keeps_step() -> None:
    """The Chinese README has the headings, tables, examples and pictures of the English one."""
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    # Its pictures are in Chinese.
    chinese = chinese.replace("docs/images/zh-Hans/", "docs/images/")

    def outline(text: str) -> list[str]:
        code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        return re.findall(r"^(#+) ", code, re.MULTILINE)

    assert outline(chinese) == outline(english)
    for what in (r"\]\((docs/[^)]+)\)", r"```(\w+)\n", r"\]\((https://my[^)]+)\)", r"`(\w+_…?)`"):
        assert re.findall(what, english), what
        assert re.findall(what, chinese) == re.findall(what, english)
    rows = r"^\| [^|]+ \| `(\w+…?)` \|"
    assert re.findall(rows, english, re.MULTILINE)
    assert re.findall(rows, chinese, re.MULTILINE) == re.findall(rows, english, re.MULTILINE)
