"""Sensors of what the costs are broken down by: models, projects and API keys.

Each of them exists for as long as something was spent on it lately. Where there are too many,
the most expensive have sensors, and one more has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
import math
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er

from .api import CostReport, round_usd
from .const import CURRENCY_USD
from .coordinator import AccountCoordinator, OpenAIAccountData
from .entity import AccountEntity, EntityAdder, Others
from .slugs import SlugRegistry
from .store import AccountStore
from .titles import ApiKeyTitles

MODEL_COST_PREFIX: Final = "model_cost_"
PROJECT_COST_PREFIX: Final = "project_cost_"
KEY_COST_PREFIX: Final = "key_cost_"
OTHER_KEYS: Final = "other_api_keys_cost"


@dataclass(frozen=True, kw_only=True)
class NamedCostDescription(SensorEntityDescription):
    """Describes the cost of each model, project, or API key in the current month (UTC).

    `key` is a prefix, which the slug of a name follows; `registry_fn` returns the slugs, and
    `costs_fn` the costs by name. `title_fn` returns what to call a name now, which stands for
    `placeholder` in the entity's name. `others_key` is the key of the sensor of all names that
    have none of their own.
    """

    placeholder: str
    others_key: str
    registry_fn: Callable[[AccountStore], SlugRegistry]
    costs_fn: Callable[[CostReport], Mapping[str, float]]
    title_fn: Callable[[AccountStore, str], str]


def _description(
    prefix: str,
    placeholder: str,
    others_key: str,
    registry_fn: Callable[[AccountStore], SlugRegistry],
    costs_fn: Callable[[CostReport], Mapping[str, float]],
    title_fn: Callable[[AccountStore, str], str],
    *,
    enabled: bool = True,
) -> NamedCostDescription:
    return NamedCostDescription(
        key=prefix,
        translation_key=prefix.rstrip("_"),
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        placeholder=placeholder,
        others_key=others_key,
        registry_fn=registry_fn,
        costs_fn=costs_fn,
        title_fn=title_fn,
    )


MODEL_SENSOR = _description(
    MODEL_COST_PREFIX,
    "model",
    "other_models_cost",
    lambda store: store.models,
    lambda report: report.models_this_month,
    lambda _, model: model,
)
PROJECT_SENSOR = _description(
    PROJECT_COST_PREFIX,
    "project",
    "other_projects_cost",
    lambda store: store.projects,
    lambda report: report.projects_this_month,
    lambda store, project: store.projects.label(project),
    enabled=False,
)


def _key_sensor() -> NamedCostDescription:
    """Describe the sensors of an account's API keys."""
    return _description(
        KEY_COST_PREFIX,
        "api_key",
        OTHER_KEYS,
        lambda store: store.api_keys,
        lambda report: report.api_keys_this_month,
        ApiKeyTitles().get,
    )


def add_named_sensors(adder: EntityAdder, account: OpenAIAccountData) -> None:
    """Add the sensors of what has had costs lately, now and with each poll."""

    def add(
        description: NamedCostDescription, is_ready: Callable[[str], bool] | None = None
    ) -> None:
        adder.add_named(
            account.costs,
            description.key,
            description.registry_fn(account.store),
            lambda slug, name: NamedCostSensor(account.costs, description, slug, name),
            is_ready,
            Others(description.others_key, lambda: OtherCostSensor(account.costs, description)),
        )

    add(MODEL_SENSOR)
    add(PROJECT_SENSOR)
    if account.names:
        # The entity id is made of the first name, so that it waits for it.
        add(_key_sensor(), account.names.is_tried)
    else:
        # Without an admin key, costs do not say which key they are of.
        adder.remove_named(KEY_COST_PREFIX, OTHER_KEYS)


class _MonthCostSensor(AccountEntity[CostReport], SensorEntity):
    """A cost in the current month."""

    entity_description: NamedCostDescription

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of the current UTC month."""
        return datetime.combine(self.coordinator.data.month_start, time.min, UTC)

    @override
    def _shown(self) -> tuple[object, ...]:
        return self.native_value, self.last_reset


class OtherCostSensor(_MonthCostSensor):
    """The cost of all models, projects, or API keys that have no sensor of their own."""

    def __init__(
        self, coordinator: AccountCoordinator[CostReport], description: NamedCostDescription
    ) -> None:
        """Prepare the sensor of what a description describes."""
        key = description.others_key
        super().__init__(coordinator, replace(description, key=key, translation_key=key))

    @property
    @override
    def native_value(self) -> float | None:
        """The cost so far, to a millionth of a dollar."""
        report, description = self.coordinator.data, self.entity_description
        slugs = description.registry_fn(self.coordinator.store)
        named = set(slugs.recent(report.today).values())
        costs = description.costs_fn(report).items()
        return round_usd(math.fsum(cost for name, cost in costs if name not in named))


class NamedCostSensor(_MonthCostSensor):
    """The cost of a model, project, or API key in the current month, under its current title."""

    def __init__(
        self,
        coordinator: AccountCoordinator[CostReport],
        description: NamedCostDescription,
        slug: str,
        name: str,
    ) -> None:
        """Prepare the sensor of a name that has a slug."""
        super().__init__(coordinator, replace(description, key=f"{description.key}{slug}"))
        self._costs_of = name
        self._attr_translation_placeholders = self._placeholders()

    def _placeholders(self) -> dict[str, str]:
        description = self.entity_description
        return {
            description.placeholder: description.title_fn(self.coordinator.store, self._costs_of)
        }

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the names, too."""
        await super().async_added_to_hass()
        if names := self.coordinator.config_entry.runtime_data.names:
            self.async_on_remove(names.async_add_listener(self._update_title))

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show the costs, and a title that came with them."""
        self._update_title()
        super()._handle_coordinator_update()

    @callback
    def _update_title(self) -> None:
        """Show another title; the entity's id stays."""
        if self.registry_entry is None:
            # The poll that removed the entity still comes here; its name may be forgotten.
            return
        if (placeholders := self._placeholders()) == self._attr_translation_placeholders:
            return
        self._attr_translation_placeholders = placeholders
        # Home Assistant keeps the name that it has made of the placeholders.
        self.__dict__.pop("name", None)
        name = self.name if isinstance(self.name, str) else None
        # Its listeners write the state.
        er.async_get(self.hass).async_update_entity(self.entity_id, original_name=name)

    @property
    @override
    def native_value(self) -> float | None:
        """The cost so far, to a millionth of a dollar."""
        costs = self.entity_description.costs_fn(self.coordinator.data)
        return round_usd(costs.get(self._costs_of, 0.0))
