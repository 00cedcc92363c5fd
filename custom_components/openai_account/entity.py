"""What all entities of an account share, and how they come and go."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
import logging
from typing import Protocol, override

from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from yarl import URL

from .api import DEFAULT_HOST
from .const import BILLING_URL, DOMAIN, MANUFACTURER, MAX_NAMES
from .coordinator import (
    SUBSCRIPTION,
    AccountCoordinator,
    AnyCoordinator,
    AnyEndpoint,
    Endpoint,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
)
from .slugs import SlugRegistry

_LOGGER = logging.getLogger(__name__)


def always(_: object) -> bool:
    """Return True: the condition of a description that has none."""
    return True


class NamedReport(Protocol):
    """A response that reports values by name, up to a UTC day; nothing unless it is complete."""

    @property
    def today(self) -> date: ...  # noqa: D102
    @property
    def complete(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class ReportedDescription[DataT](EntityDescription):
    """Describes a value of one endpoint; it exists once `exists_fn` finds it in a response."""

    exists_fn: Callable[[DataT], bool] = always


@dataclass(frozen=True, kw_only=True)
class DerivedDescription(EntityDescription):
    """Describes a value that is derived from several endpoints, or from the options.

    All functions take the account's data. `depends_on` are the endpoints that can
    change the value. Where keys or options rule it out, `possible_fn` is False
    and the entity is removed. `exists_fn` is True once the account reports what
    the value is derived from, and `available_fn` while that is up to date.
    `attributes_fn` returns the extra state attributes.
    """

    depends_on: tuple[AnyEndpoint, ...]
    value_fn: Callable[[OpenAIAccountData], object]
    possible_fn: Callable[[OpenAIAccountData], bool] = always
    exists_fn: Callable[[OpenAIAccountData], bool] = always
    available_fn: Callable[[OpenAIAccountData], bool] = always
    attributes_fn: Callable[[OpenAIAccountData], dict[str, object]] | None = None

    def coordinators(self, account: OpenAIAccountData) -> list[AnyCoordinator]:
        """Return the coordinators that the value depends on."""
        return [
            account.by_endpoint[one.name]
            for one in self.depends_on
            if one.name in account.by_endpoint
        ]


class AccountEntity[DataT](CoordinatorEntity[AccountCoordinator[DataT]]):
    """An entity of an account's device."""

    _attr_has_entity_name = True
    # What the state was last written for; None until the first poll after that
    _written: tuple[object, ...] | None = None

    def __init__(
        self, coordinator: AccountCoordinator[DataT], description: EntityDescription
    ) -> None:
        """Prepare the entity that a description describes."""
        super().__init__(coordinator)
        self.entity_description = description
        entry = coordinator.config_entry
        self._attr_unique_id = _unique_id(entry, description.key)
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, entry.unique_id or entry.entry_id)},
            manufacturer=MANUFACTURER,
            name=entry.title,
            configuration_url=(
                BILLING_URL if URL(entry.data[CONF_HOST]).host == DEFAULT_HOST else None
            ),
        )
        if subscription := entry.runtime_data.last(SUBSCRIPTION):
            # Without a response, the device keeps the plan that it has.
            self._attr_device_info["model"] = subscription.plan

    @abstractmethod
    def _shown(self) -> tuple[object, ...]:
        """Return all that a poll can change in the state, while the entity is available."""

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if something in it is new: most news concern few entities."""
        shown = self._shown() if self.available else ()
        if shown != self._written:
            self._written = shown
            super()._handle_coordinator_update()


class DerivedEntity(AccountEntity[object]):
    """An entity whose value is derived from the account's data."""

    entity_description: DerivedDescription

    @property
    def account(self) -> OpenAIAccountData:
        """The data that the value is derived from."""
        return self.coordinator.config_entry.runtime_data

    @override
    async def async_added_to_hass(self) -> None:
        """Follow all endpoints that the value depends on."""
        await super().async_added_to_hass()
        for coordinator in self.entity_description.coordinators(self.account):
            if coordinator is not self.coordinator:
                self.async_on_remove(
                    coordinator.async_add_listener(self._handle_coordinator_update)
                )

    @property
    @override
    def available(self) -> bool:
        """Whether the value is up to date."""
        return self.entity_description.available_fn(self.account)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object] | None:
        """What else there is to say about the value."""
        attributes_fn = self.entity_description.attributes_fn
        return attributes_fn(self.account) if attributes_fn else None

    @override
    def _shown(self) -> tuple[object, ...]:
        return self.entity_description.value_fn(self.account), self.extra_state_attributes


@dataclass(frozen=True, slots=True)
class Others:
    """The entity of all names that have none of their own, since there are too many."""

    key: str
    create: Callable[[], Entity]


@dataclass(frozen=True, slots=True)
class EntityAdder:
    """Adds the entities of one platform and entry: each once the account reports its value."""

    hass: HomeAssistant
    entry: OpenAIAccountConfigEntry
    domain: str
    async_add_entities: AddConfigEntryEntitiesCallback

    @callback
    def add_reported[DataT](
        self,
        endpoint: Endpoint[DataT],
        descriptions: Iterable[ReportedDescription[DataT]],
        entity: Callable[[AccountCoordinator[DataT], EntityDescription], Entity],
        *,
        keep: bool = False,
    ) -> None:
        """Add what an endpoint reports, now and with each poll; remove it where no key opens it.

        With `keep`, an entity that was added once stays, also if its value is no longer reported.
        """
        coordinator = self.entry.runtime_data.coordinator(endpoint)
        if coordinator is None:
            self._remove(one.key for one in descriptions)
            return
        waiting = list(descriptions)

        @callback
        def add_new() -> None:
            if coordinator.data is None:
                return
            found = [
                one
                for one in waiting
                if one.exists_fn(coordinator.data) or (keep and self._is_registered(one.key))
            ]
            waiting[:] = [one for one in waiting if one not in found]
            self.async_add_entities([entity(coordinator, one) for one in found])

        self.entry.async_on_unload(coordinator.async_add_listener(add_new))
        add_new()

    @callback
    def add_derived(
        self,
        descriptions: Sequence[DerivedDescription],
        entity: Callable[[AnyCoordinator, EntityDescription], Entity],
    ) -> None:
        """Add what can be derived, now and with each poll; remove what keys or options rule out."""
        account = self.entry.runtime_data
        waiting = [one for one in descriptions if one.possible_fn(account)]
        self._remove(one.key for one in descriptions if one not in waiting)

        @callback
        def add_new() -> None:
            found = [one for one in waiting if one.exists_fn(account)]
            waiting[:] = [one for one in waiting if one not in found]
            self.async_add_entities([entity(one.coordinators(account)[0], one) for one in found])

        for coordinator in account.coordinators:
            self.entry.async_on_unload(coordinator.async_add_listener(add_new))
        add_new()

    @callback
    def add_named[DataT: NamedReport](
        self,
        coordinator: AccountCoordinator[DataT] | None,
        prefix: str,
        slugs: SlugRegistry,
        entity: Callable[[str, str], Entity],
        is_ready: Callable[[str], bool] | None = None,
        others: Others | None = None,
    ) -> None:
        """Add an entity for each name that has been reported lately; remove the others.

        `prefix` is what their keys start with, before the slug; `entity` takes a
        slug and a name, once `is_ready` returns True for the name. Names for which there is
        no place are together in `others`, which exists once there are some, and until the
        next start without any. Without a coordinator, all are removed.
        """
        known = self._slugs(prefix)
        if coordinator is None:
            self.remove_named(prefix)
            return
        added: set[str] = set()
        update_others = self._others_adder(prefix, slugs, others)

        @callback
        def update() -> None:
            if coordinator.data is None or not coordinator.data.complete:
                return
            update_others()
            recent = slugs.recent(coordinator.data.today)
            self._remove(prefix + slug for slug in known - recent.keys())
            new = recent.keys() - added
            if is_ready:
                new = {slug for slug in new if is_ready(recent[slug])}
            known.clear()
            known.update(recent)
            added.intersection_update(recent)
            added.update(new)
            self.async_add_entities([entity(slug, recent[slug]) for slug in sorted(new)])

        self.entry.async_on_unload(coordinator.async_add_listener(update))
        if names := self.entry.runtime_data.names:
            self.entry.async_on_unload(names.async_add_listener(update))
        update()

    def _others_adder(
        self, prefix: str, slugs: SlugRegistry, others: Others | None
    ) -> Callable[[], None]:
        """Return what adds, with a warning, the entity of the names for which there is no place.

        At first it removes that of an earlier start.
        """
        has_others: bool | None = None

        @callback
        def update_others() -> None:
            nonlocal has_others
            if slugs.has_others and not has_others:
                has_others = True
                _LOGGER.warning(
                    "Only %s of the names have a sensor %s…; the others are in %s",
                    MAX_NAMES,
                    prefix,
                    others.key if others else "the sums alone",
                )
                if others:
                    self.async_add_entities([others.create()])
            elif has_others is None:
                has_others = False
                if others:
                    self._remove([others.key])

        return update_others

    def _is_registered(self, key: str) -> bool:
        unique_id = _unique_id(self.entry, key)
        registry = er.async_get(self.hass)
        return registry.async_get_entity_id(self.domain, DOMAIN, unique_id) is not None

    @callback
    def remove_named(self, prefix: str, others_key: str | None = None) -> None:
        """Remove all entities whose keys start with a prefix, and that of the others."""
        self._remove(prefix + slug for slug in self._slugs(prefix))
        if others_key:
            self._remove([others_key])

    def _slugs(self, prefix: str) -> set[str]:
        """Return what follows a prefix in the keys of the registry's entities."""
        registry = er.async_get(self.hass)
        start = _unique_id(self.entry, prefix)
        return {
            one.unique_id.removeprefix(start)
            for one in er.async_entries_for_config_entry(registry, self.entry.entry_id)
            if one.domain == self.domain and one.unique_id.startswith(start)
        }

    @callback
    def _remove(self, keys: Iterable[str]) -> None:
        """Remove the entities of some keys from the registry."""
        registry = er.async_get(self.hass)
        for key in keys:
            unique_id = _unique_id(self.entry, key)
            if entity_id := registry.async_get_entity_id(self.domain, DOMAIN, unique_id):
                registry.async_remove(entity_id)


def _unique_id(entry: OpenAIAccountConfigEntry, key: str) -> str:
    return f"{entry.unique_id or entry.entry_id}_{key}"
