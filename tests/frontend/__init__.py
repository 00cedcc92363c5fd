"""The dashboard's scripts, run by Node.js on what this Home Assistant tells its frontend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
import json
from pathlib import Path
import shutil
from typing import TypedDict, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openai_account.const import DOMAIN
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
    measure: str


class Account(TypedDict):
    """An account as the integration lists it."""

    config_entry_id: str
    device_id: str | None
    title: str
    failed_keys: list[str]
    last_update: str | None
    low_balance_threshold: float | None
    monthly_budget: float | None
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
        self.hass = hass
        self.accounts = accounts
        self.language = "en"
        self.number_format = "language"
        self.time_zone = "UTC"
        self.is_admin = False
        self.path = "/dashboard-openai"
        self.entities: dict[str, dict[str, Json]] = {
            one.entity_id: {"entity_id": one.entity_id, "name": one.name or one.original_name}
            for one in er.async_get(hass).entities.values()
            if not one.disabled
        }
        self.states: dict[str, dict[str, Json]] = {
            one.entity_id: {"state": one.state, "attributes": {"friendly_name": one.name}}
            for one in hass.states.async_all()
        }
        self._rows: dict[str, list[Json]] = {}

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

    def remove_entity(self, key: str) -> None:
        """Let the first account have no entity with a key."""
        entities = self.account["entities"]
        entities[:] = [one for one in entities if one["key"] != key]

    def add_account(self, title: str) -> Account:
        """Add an account that reports nothing, and return it."""
        account: Account = {
            "config_entry_id": title.lower(),
            "device_id": None,
            "title": title,
            "failed_keys": [],
            "last_update": None,
            "low_balance_threshold": None,
            "monthly_budget": None,
            "entities": [],
            "statistics": [],
        }
        self.accounts.append(account)
        return account

    def record(
        self, account: Account, total: Mapping[datetime, float], **models: Mapping[datetime, float]
    ) -> None:
        """Let an account's costs be recorded, and those of its models; each row by its start."""
        prefix = f"openai_account:{account['config_entry_id']}_cost"
        series = {"": total, **models}
        statistics: list[Statistic] = []
        for name, costs in series.items():
            id_ = f"{prefix}_{name}" if name else prefix
            kind = "model" if name else None
            statistics.append(
                {"statistic_id": id_, "measure": "cost", "kind": kind, "name": name or None}
            )
            self._rows[id_] = [
                {"start": start.timestamp() * 1000, "change": cost} for start, cost in costs.items()
            ]
        account["statistics"] = statistics

    def record_usage(
        self, account: Account, measure: str, name: str | None, values: Mapping[datetime, float]
    ) -> None:
        """Let something else than costs be recorded, of an account or of one of its models."""
        id_ = f"openai_account:{account['config_entry_id']}_{measure}" + (
            f"_{name}" if name else ""
        )
        kind = "model" if name else None
        statistic: Statistic = {
            "statistic_id": id_,
            "kind": kind,
            "name": name,
            "measure": measure,
        }
        account["statistics"] = [*(account["statistics"] or []), statistic]
        self._rows[id_] = [
            {"start": start.timestamp() * 1000, "change": value} for start, value in values.items()
        ]

    async def call(self, *calls: Sequence[Json]) -> Generated:
        """Call methods of elements or modules: each call is one, its method and its arguments."""
        translations = await async_get_translations(self.hass, self.language, "entity", {DOMAIN})
        given: Json = {
            "hass": {
                "states": cast("Json", self.states),
                "entities": cast("Json", self.entities),
                "devices": {},
                "config": {"time_zone": self.time_zone},
                "locale": {"language": self.language, "number_format": self.number_format},
                "user": {"is_admin": self.is_admin},
                "panelUrl": "dashboard-openai",
            },
            "language": self.language,
            "path": self.path,
            "calls": cast("Json", list(calls)),
            "responses": {
                "openai_account/account/list": {"accounts": cast("Json", self.accounts)},
                "frontend/get_translations": {"resources": cast("Json", translations)},
                "recorder/statistics_during_period": cast("Json", self._rows),
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

    async def alerts(self) -> list[Card]:
        """Return what is wrong with the first account."""
        [alerts] = (await self.call(["alerts.js", "alertsOf", "hass", "@account", "@texts"]))[
            "results"
        ]
        return cast("list[Card]", alerts)

    async def view(self, **config: Json) -> Card:
        """Return an account's view, having checked that each card shows something that exists."""
        generated = await self.call([VIEW, "generate", dict(config), "hass"])
        [view] = generated["results"]
        for card in walk(view):
            entity = card.get("entity")
            if isinstance(entity, str):
                assert entity in self.states
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
