"""The WebSocket command that tells the dashboard which accounts, entities and statistics exist.

Any user may send it, as those that list entities and statistics: dashboards are for all users. Its
response holds no key, no address, and no state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal, TypedDict

from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.recorder import get_instance

from .api import KeyKind
from .const import DOMAIN
from .coordinator import AccountOptions, OpenAIAccountConfigEntry
from .names import distinct_account_name
from .sensor import monthly_budget
from .statistic_ids import has_statistics, statistic_id
from .status import failed_keys
from .store import AccountStore
from .titles import api_key_titles

type Kind = Literal["model", "project", "api_key"]

type ListedMeasure = Literal[
    "cost", "input_tokens", "cached_input_tokens", "output_tokens", "requests", "tokens"
]

# The entities of which an account has one per model, project or API key, by their translation keys
KINDS: Mapping[str, Kind] = {
    "model_cost": "model",
    "project_cost": "project",
    "key_cost": "api_key",
    "model_tokens": "model",
}

_TOTALS: tuple[ListedMeasure, ...] = (
    "cost",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "requests",
)

# The statistics of which an account has one per name: the keys of their measures, what they
# show, and the entities with the same names
_NAMED: tuple[tuple[str, ListedMeasure, str], ...] = (
    ("cost", "cost", "model_cost"),
    ("project_cost", "cost", "project_cost"),
    ("key_cost", "cost", "key_cost"),
    ("tokens", "tokens", "model_tokens"),
)


class ListedEntity(TypedDict):
    """An entity that is enabled and not hidden.

    `key` is its translation key. Where it belongs to a model, project or API key, `kind` says
    which of them and `name` is its name. `custom_name` is the user's own name of the entity.
    """

    entity_id: str
    key: str
    kind: Kind | None
    name: str | None
    custom_name: str | None


class ListedStatistic(TypedDict):
    """A statistic of daily values, of the account or of one of what `kind` says.

    `measure` says what the values are: costs in US dollars, or numbers of tokens or requests.
    """

    statistic_id: str
    measure: ListedMeasure
    kind: Kind | None
    name: str | None


class ListedAccount(TypedDict):
    """An account: a config entry that is not disabled.

    `device_id` is None until the entry was loaded for the first time, `statistics` where there is
    no recorder. `last_update` is the time (ISO 8601, UTC) up to which every endpoint was fetched.
    `low_balance_threshold` and `monthly_budget` are US dollars.
    """

    config_entry_id: str
    device_id: str | None
    title: str
    failed_keys: list[KeyKind]
    last_update: str | None
    low_balance_threshold: float | None
    monthly_budget: float | None
    entities: list[ListedEntity]
    statistics: list[ListedStatistic] | None


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register the command, also where no WebSocket API is set up yet."""
    websocket_api.async_register_command(hass, ws_list_accounts)


@websocket_api.websocket_command({"type": f"{DOMAIN}/account/list"})
@websocket_api.async_response
async def ws_list_accounts(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """List the accounts by title."""
    existing = await _async_existing_statistics(hass)
    accounts = [
        await _async_list_account(hass, entry, existing)
        for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    ]
    accounts.sort(key=lambda account: account["title"].casefold())
    connection.send_result(msg["id"], {"accounts": accounts})


async def _async_existing_statistics(hass: HomeAssistant) -> set[str] | None:
    """Return the ids of the statistics in the database; None without a recorder."""
    if not has_statistics(hass):
        return None
    # Without a recorder, its modules need not be installed.
    from homeassistant.components.recorder.statistics import get_metadata  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        return set(
            await get_instance(hass).async_add_executor_job(
                partial(get_metadata, hass, statistic_source=DOMAIN)
            )
        )
    except SQLAlchemyError:
        # The recorder says so itself; the accounts and their entities are there all the same.
        return None


async def _async_list_account(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, existing: set[str] | None
) -> ListedAccount:
    """Return what there is of an account; `existing` are the statistics in the database."""
    options = AccountOptions.of(entry)
    if entry.state is ConfigEntryState.LOADED:
        store = entry.runtime_data.store
        budget = monthly_budget(entry.runtime_data)
    else:
        store = AccountStore(hass, entry.entry_id)
        await store.async_load()
        budget = options.monthly_budget
    projects, api_keys = store.projects.labels(), api_key_titles(store)
    names = {
        "model_cost": store.models.all(),
        "project_cost": {slug: projects[one] for slug, one in store.projects.all().items()},
        "key_cost": {slug: api_keys[one] for slug, one in store.api_keys.all().items()},
        "model_tokens": store.usage_models.all(),
    }
    identity = entry.unique_id or entry.entry_id
    device = next(iter(dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)), None)
    return {
        "config_entry_id": entry.entry_id,
        "device_id": device.id if device else None,
        "title": distinct_account_name(hass, entry),
        "failed_keys": sorted(failed_keys(hass, entry.entry_id)),
        "last_update": _last_update(entry),
        "low_balance_threshold": options.low_balance_threshold or None,
        "monthly_budget": budget or None,
        "entities": [
            _list_entity(entity, identity, names)
            for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
            if not entity.disabled and not entity.hidden
        ],
        "statistics": (
            None
            if existing is None
            else [one for one in _all_statistics(entry, names) if one["statistic_id"] in existing]
        ),
    }


def _last_update(entry: OpenAIAccountConfigEntry) -> str | None:
    if entry.state is not ConfigEntryState.LOADED:
        return None
    update = entry.runtime_data.last_update
    return update.isoformat() if update else None


def _all_statistics(
    entry: OpenAIAccountConfigEntry, names: Mapping[str, Mapping[str, str]]
) -> Iterator[ListedStatistic]:
    """Yield the statistics that an account can have; `names` are by entity's key and slug."""
    for total in _TOTALS:
        yield {
            "statistic_id": statistic_id(entry, total),
            "measure": total,
            "kind": None,
            "name": None,
        }
    for key, measure, entities in _NAMED:
        for slug, name in names[entities].items():
            yield {
                "statistic_id": statistic_id(entry, key, slug),
                "measure": measure,
                "kind": KINDS[entities],
                "name": name,
            }


def _list_entity(
    entity: er.RegistryEntry, identity: str, names: Mapping[str, Mapping[str, str]]
) -> ListedEntity:
    """Return an entity; `names` are by entity's key and slug."""
    key = entity.translation_key or ""
    kind = KINDS.get(key)
    name = None
    if kind is not None:
        slug = entity.unique_id.removeprefix(f"{identity}_{key}_")
        name = names[key].get(slug, slug)
    return {
        "entity_id": entity.entity_id,
        "key": key,
        "kind": kind,
        "name": name,
        "custom_name": entity.name,
    }
