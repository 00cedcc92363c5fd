"""What all entities of an account share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from yarl import URL

from .api import DEFAULT_HOST
from .const import BILLING_URL, DOMAIN, MANUFACTURER
from .coordinator import AccountCoordinator, AnyCoordinator, OpenAIAccountConfigEntry


class ReportedData(Protocol):
    """Data that tells which fields the account was seen to report."""

    @property
    def reported(self) -> frozenset[str]:
        """The names of the reported fields."""


class AccountEntity[DataT](CoordinatorEntity[AccountCoordinator[DataT]]):
    """An entity of an account's device."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: AccountCoordinator[DataT], description: EntityDescription
    ) -> None:
        """Take the place that the description gives."""
        super().__init__(coordinator)
        self.entity_description = description
        entry = coordinator.config_entry
        identity = entry.unique_id or entry.entry_id
        self._attr_unique_id = f"{identity}_{description.key}"
        subscription = entry.runtime_data.subscription.data
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, identity)},
            manufacturer=MANUFACTURER,
            model=subscription.plan if subscription else None,
            name=entry.title,
            configuration_url=(
                BILLING_URL if URL(entry.data["host"]).host == DEFAULT_HOST else None
            ),
        )


@callback
def add_reported_entities[DataT, DescriptionT: EntityDescription](
    coordinator: AccountCoordinator[DataT],
    descriptions: Callable[[DataT], Iterable[DescriptionT]],
    entity: Callable[[AccountCoordinator[DataT], DescriptionT], AccountEntity[DataT]],
    async_add_entities: AddConfigEntryEntitiesCallback,
    also: AnyCoordinator | None = None,
) -> None:
    """Add an entity for each thing that the account reports, now and with each poll.

    `descriptions` returns those of the things that an answer holds; `also` is
    another endpoint that they depend on.
    """
    known: set[str] = set()

    @callback
    def add_new() -> None:
        if not coordinator.data:
            return
        new = [one for one in descriptions(coordinator.data) if one.key not in known]
        known.update(one.key for one in new)
        async_add_entities(entity(coordinator, one) for one in new)

    for source in (coordinator, also):
        if source is not None:
            coordinator.config_entry.async_on_unload(source.async_add_listener(add_new))
    add_new()


@callback
def remove_entities(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, domain: str, keys: Iterable[str]
) -> None:
    """Remove the entities of some keys from the registry."""
    registry = er.async_get(hass)
    for key in keys:
        unique_id = f"{entry.unique_id or entry.entry_id}_{key}"
        if entity_id := registry.async_get_entity_id(domain, DOMAIN, unique_id):
            registry.async_remove(entity_id)
