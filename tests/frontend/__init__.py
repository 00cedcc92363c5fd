"""The dashboard's scripts, run by Node.js on what this Home Assistant tells its frontend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import shutil
from typing import TypedDict, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openai_account.dashboard import FOLDER

NODE = shutil.which("node")
VIEW = "ll-strategy-view-openai-account"

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None
type Card = dict[str, Json]


class Entity(TypedDict):
    """An entity as the integration lists it."""

    entity_id: str
    key: str
    kind: str | None
    name: str | None
    custom_name: str | None


class Statistic(TypedDict):
    """A statistic as the integration lists it."""

    statistic_id: str
    kind: str | None
    name: str | None


class Account(TypedDict):
    """An account as the integration lists it."""

    config_entry_id: str
    device_id: str | None
    title: str
    entities: list[Entity]
    statistics: list[Statistic] | None


class Generated(TypedDict):
    """What the strategies returned."""

    offered: list[dict[str, str]]
    results: list[Card]


class Frontend:
    """A frontend that knows what this Home Assistant knows, as far as a test leaves it so."""

    def __init__(self, hass: HomeAssistant, accounts: list[Account], folder: Path) -> None:
        """Copy the scripts to where Node.js takes them for modules."""
        assert NODE, "Node.js runs the dashboard's scripts: scripts/setup frontend installs it"
        self.folder = folder / "frontend"
        shutil.copytree(FOLDER, self.folder)
        (self.folder / "package.json").write_text('{"type": "module"}')
        self.accounts = accounts
        self.language = "en"
        self.version = "2026.11.0"
        self.number_format = "language"
        self.entities: dict[str, dict[str, Json]] = {
            one.entity_id: {"entity_id": one.entity_id, "name": one.name or one.original_name}
            for one in er.async_get(hass).entities.values()
            if not one.disabled
        }
        self.states: dict[str, dict[str, Json]] = {
            one.entity_id: {"state": one.state, "attributes": {"friendly_name": one.name}}
            for one in hass.states.async_all()
        }
        self._costs: dict[str, float] = {}

    @classmethod
    async def create(
        cls, hass: HomeAssistant, hass_ws_client: WebSocketGenerator, folder: Path
    ) -> Frontend:
        """Return a frontend that has the accounts of this Home Assistant."""
        client = await hass_ws_client(hass)
        await client.send_json_auto_id({"type": "openai_account/account/list"})
        response = await client.receive_json()
        return cls(hass, response["result"]["accounts"], folder)

    @property
    def account(self) -> Account:
        """The first account."""
        return self.accounts[0]

    def find(self, key: str) -> str:
        """Return the entity of the first account with a key."""
        [found] = [one["entity_id"] for one in self.account["entities"] if one["key"] == key]
        return found

    def of_kind(self, kind: str) -> list[Entity]:
        """Return the entities of the first account's models or projects."""
        return [one for one in self.account["entities"] if one["kind"] == kind]

    def add_entity(self, key: str, state: str) -> str:
        """Let the first account have one more entity; return its id."""
        entity_id = f"sensor.{key}"
        self.account["entities"].append(
            {"entity_id": entity_id, "key": key, "kind": None, "name": None, "custom_name": None}
        )
        self.entities[entity_id] = {"entity_id": entity_id, "name": key}
        self.states[entity_id] = {"state": state, "attributes": {}}
        return entity_id

    def remove_entity(self, key: str) -> None:
        """Let the first account have no entity with a key."""
        entities = self.account["entities"]
        entities[:] = [one for one in entities if one["key"] != key]

    def record(self, **costs: float) -> None:
        """Let daily costs be recorded: the first account's, and these of its models."""
        self.account["statistics"] = [
            {"statistic_id": "openai_account:account_cost", "kind": None, "name": None},
            *(
                Statistic(
                    statistic_id=f"openai_account:account_cost_{slug}",
                    kind="model",
                    name=slug.replace("_", "-"),
                )
                for slug in costs
            ),
        ]
        self._costs = {f"openai_account:account_cost_{slug}": costs[slug] for slug in costs}

    async def call(self, *calls: list[Json]) -> Generated:
        """Call methods of the strategies: each call is an element, a method and its arguments."""
        rows: dict[str, Json] = {
            id_: [{"change": cost / 2}, {"change": None}, {"change": cost / 2}]
            for id_, cost in self._costs.items()
        }
        given: Json = {
            "hass": {
                "states": cast("Json", self.states),
                "entities": cast("Json", self.entities),
                "devices": {},
                "config": {"version": self.version},
                "locale": {"language": self.language, "number_format": self.number_format},
            },
            "language": self.language,
            "calls": cast("Json", list(calls)),
            "responses": {
                "openai_account/account/list": {"accounts": cast("Json", self.accounts)},
                "recorder/statistics_during_period": rows,
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
        output, errors = await process.communicate(json.dumps(given).encode())
        assert process.returncode == 0, errors.decode()
        return cast("Generated", json.loads(output))

    async def view(self, **config: str) -> Card:
        """Return an account's view, having checked that each card shows something that exists."""
        generated = await self.call([VIEW, "generate", dict(config), "hass"])
        [view] = generated["results"]
        statistics = {
            one["statistic_id"] for account in self.accounts for one in account["statistics"] or ()
        }
        for card in walk(view):
            entity = card.get("entity")
            if isinstance(entity, str):
                assert entity in self.states or entity in statistics
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
