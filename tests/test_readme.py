"""The README says what is so.

With UPDATE_README=1 in the environment the table of entities is written anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
import re

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .common import RunningSimulator, setup_entry
from .const import NOW, ORGANIZATION

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- entities -->\n).*?(?=<!-- /entities -->)", re.DOTALL)


@pytest.mark.usefixtures("all_entities_enabled")
async def test_entities(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table of entities is that of a run."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    rows = {}
    names = json.loads(
        (ROOT / "custom_components/openai_account/translations/en.json").read_text()
    )["entity"]
    monkeypatch.undo()
    for entity in er.async_entries_for_config_entry(er.async_get(hass), full_entry.entry_id):
        key = entity.unique_id.removeprefix(f"{ORGANIZATION}_")
        kind = kind_of(key)
        name = names[entity.domain][kind]["name"]
        name = name.replace("{model}", "*a model*").replace("{project}", "*a project*")
        device_class = entity.original_device_class or ""
        what = " ".join(
            filter(None, [entity.domain.replace("_", " "), device_class and f"({device_class})"])
        )
        on = kind in ENABLED
        rows[kind] = (
            f"| {name} | `{kind if kind == key else f'{kind}_…'}` | {what} "
            f"| {entity.unit_of_measurement or ''} | {'on' if on else 'off'} |"
        )
    order = list(dict.fromkeys([*names["sensor"], *names["binary_sensor"]]))
    lines = [
        "| entity | key | what it is | unit | default |",
        "|---|---|---|---|---|",
        *(
            rows[key]
            for key in sorted(rows, key=lambda key: (key not in ENABLED, order.index(key)))
        ),
    ]
    table = "\n".join(lines) + "\n"
    text = README.read_text()
    if os.environ.get("UPDATE_README"):
        README.write_text(TABLE.sub(lambda _: table, text))
    else:
        assert TABLE.findall(text) == [table]


def kind_of(key: str) -> str:
    """Return what models, or projects, have in common."""
    return next((one for one in ("model_cost", "project_cost") if key.startswith(f"{one}_")), key)


ENABLED = {
    "total_granted",
    "total_used",
    "total_available",
    "total_paid_available",
    "next_grant_expiry",
    "cost_today",
    "cost_this_month",
    "cost_yesterday",
    "cost_last_7_days",
    "forecast_this_month",
    "days_left",
    "model_cost",
    "hard_limit_usd",
    "soft_limit_usd",
    "plan",
    "spend_limit",
    "budget_used",
    "low_balance",
    "over_budget",
    "has_payment_method",
    "auto_recharge_enabled",
    "delinquent",
}


async def test_enabled(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """What the table calls on is on."""
    await setup_entry(hass, full_entry)
    enabled = {
        kind_of(entity.unique_id.removeprefix(f"{ORGANIZATION}_"))
        for entity in er.async_entries_for_config_entry(er.async_get(hass), full_entry.entry_id)
        if not entity.disabled_by
    }
    assert enabled == ENABLED


def test_files() -> None:
    """Every file and command that the README names is there."""
    text = README.read_text()
    for path in re.findall(r"(?:\]\(|src=\")((?!https?://|#)[^)\"\s]+)", text):
        assert (ROOT / path).exists(), path
    for command in re.findall(r"scripts/\w+", text):
        assert os.access(ROOT / command, os.X_OK), command


def test_versions() -> None:
    """The oldest supported Home Assistant is the one that is tested."""
    oldest = re.search(
        r"^homeassistant==(\S+)", (ROOT / "requirements/oldest.in").read_text(), re.MULTILINE
    )
    assert oldest
    assert oldest[1] in README.read_text()
    required = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    assert oldest[1].rpartition(".")[0] == required.rpartition(".")[0]
