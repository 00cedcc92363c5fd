"""The dashboard's scripts, run by Node.js on what a Home Assistant knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import shutil
from typing import TypedDict, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import DOMAIN
from custom_components.openai_account.dashboard import FOLDER

NODE = shutil.which("node")
VIEW = "ll-strategy-view-openai-account"

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None
type Card = dict[str, Json]


class Generated(TypedDict):
    """What the strategies answered."""

    offered: list[dict[str, str]]
    results: list[Card]


class Frontend:
    """A frontend that knows what this Home Assistant knows."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, folder: Path) -> None:
        """Copy the scripts to where Node.js takes them for modules."""
        self.hass = hass
        self.entry = entry
        self.folder = folder / "frontend"
        shutil.copytree(FOLDER, self.folder)
        (self.folder / "package.json").write_text('{"type": "module"}')
        self.language = "en"
        self.version = "2026.11.0"
        self.locale: dict[str, Json] = {"language": "en", "number_format": "language"}
        self.entities: dict[str, dict[str, Json]] = {}
        self.unique_ids: dict[str, Json] = {}
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
            if one.disabled_by is None:
                self.entities[one.entity_id] = {
                    "entity_id": one.entity_id,
                    "name": one.name or one.original_name,
                    "platform": one.platform,
                    "translation_key": one.translation_key,
                    "device_id": one.device_id,
                    "hidden": one.hidden_by is not None,
                }
                self.unique_ids[one.entity_id] = {"unique_id": one.unique_id}
        self.devices: dict[str, dict[str, Json]] = {
            one.id: {
                "id": one.id,
                "name": one.name,
                "name_by_user": one.name_by_user,
                "identifiers": [list(pair) for pair in one.identifiers],
                "disabled_by": None,
            }
            for one in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        }
        self.states: dict[str, dict[str, Json]] = {
            one.entity_id: {"state": one.state, "attributes": {"friendly_name": one.name}}
            for one in hass.states.async_all()
        }
        self.costs: dict[str, tuple[str, float]] = {}
        self.recorder = True
        self.history = True

    @property
    def statistic(self) -> str:
        """The id of the account's own history."""
        return f"{DOMAIN}:{str(self.entry.unique_id).lower().replace('-', '_')}_cost"

    def find(self, key: str) -> str:
        """Return the entity of a key."""
        [found] = [id_ for id_, one in self.entities.items() if one["translation_key"] == key]
        return found

    def remember(self, **costs: float) -> None:
        """Have the recorder know daily costs: of the account, and these of its models."""
        self.costs = {f"{self.statistic}_{slug}": (slug, cost) for slug, cost in costs.items()}

    async def call(self, *calls: list[Json]) -> Generated:
        """Run calls of the strategies."""
        known: list[Json] = [
            {"statistic_id": id_, "name": f"OpenAI cost, {name.replace('_', '-')}"}
            for id_, (name, _) in self.costs.items()
        ]
        if self.history:
            known.append({"statistic_id": self.statistic, "name": "OpenAI cost"})
        known.append({"statistic_id": f"{DOMAIN}:other_cost_gpt", "name": "Another account's"})
        known.append({"statistic_id": "sensor.energy", "name": None})
        rows: dict[str, Json] = {
            id_: [{"change": cost / 2}, {"change": None}, {"change": cost / 2}]
            for id_, (_, cost) in self.costs.items()
        }
        given: Json = {
            "hass": {
                "states": cast("Json", self.states),
                "entities": cast("Json", self.entities),
                "devices": cast("Json", self.devices),
                "config": {"version": self.version},
                "language": self.language,
                "locale": self.locale,
            },
            "language": self.language,
            "calls": cast("Json", list(calls)),
            "answers": {
                "recorder/list_statistic_ids": known if self.recorder else None,
                "recorder/statistics_during_period": rows if self.recorder else None,
                "config/entity_registry/get_entries": self.unique_ids,
            },
        }
        process = await asyncio.create_subprocess_exec(
            str(NODE),
            Path(__file__).parent / "generate.mjs",
            self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        answer, errors = await process.communicate(json.dumps(given).encode())
        assert process.returncode == 0, errors.decode()
        return cast("Generated", json.loads(answer))

    async def view(self, **config: str) -> Card:
        """Return an account's view, having checked that each card shows what exists."""
        answer = await self.call([VIEW, "generate", dict(config), "hass"])
        [view] = answer["results"]
        for card in walk(view):
            entity = card.get("entity")
            if isinstance(entity, str):
                assert entity in self.states or entity.startswith(f"{self.statistic}_")
        return view


def walk(of: Json) -> Iterator[Card]:
    """Yield all objects within an object."""
    if isinstance(of, dict):
        yield of
    for one in of.values() if isinstance(of, dict) else of if isinstance(of, list) else ():
        yield from walk(one)


def cards(view: Mapping[str, Json], kind: str) -> list[Card]:
    """Return a view's cards of a type."""
    return [one for one in walk(dict(view)) if one.get("type") == kind]


def headings(view: Mapping[str, Json]) -> list[Json]:
    """Return the headings of a view's sections."""
    return [one["heading"] for one in cards(view, "heading")]
