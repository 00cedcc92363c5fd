"""Sensors: the credit, the costs and the subscription of an account."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import override

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN, SensorEntity
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import CostReport, CreditGrants, KeyKind, SpendLimit, Subscription, round_usd
from .const import CONF_MONTHLY_BUDGET
from .coordinator import CostCoordinator, OpenAIAccountConfigEntry, keys_of
from .entity import AccountEntity, add_reported_entities, remove_entities
from .sensor_descriptions import (
    BUDGET_USED,
    COST_SENSORS,
    CREDIT_SENSORS,
    DAYS_LEFT,
    MODEL_COST_PREFIX,
    PROJECT_COST_PREFIX,
    SPEND_LIMIT,
    SUBSCRIPTION_SENSORS,
    AccountSensorDescription,
    model_sensor,
    project_sensor,
)

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an account."""
    data = entry.runtime_data
    store = data.store

    def cost_sensors(report: CostReport) -> list[AccountSensorDescription[CostReport]]:
        if not report.complete:
            return []
        return [
            *COST_SENSORS,
            *(model_sensor(*item) for item in store.models.recent(report.today).items()),
            *(
                project_sensor(slug, project, store.projects.label(slug))
                for slug, project in store.projects.recent(report.today).items()
            ),
        ]

    def days_left(report: CostReport) -> list[AccountSensorDescription[CostReport]]:
        credit = data.credits.data
        known = report.complete and credit and "total_available" in credit.reported
        return [DAYS_LEFT] if known else []

    def budget_used(report: CostReport) -> list[AccountSensorDescription[CostReport]]:
        limit = data.spend_limit.data
        known = CONF_MONTHLY_BUDGET in entry.options or (limit and limit.amount)
        return [BUDGET_USED] if report.complete and known else []

    remove_entities(hass, entry, SENSOR_DOMAIN, _impossible(entry))
    add_reported_entities(
        data.credits,
        lambda grants: [one for one in CREDIT_SENSORS if (one.field or one.key) in grants.reported],
        AccountSensor[CreditGrants],
        async_add_entities,
    )
    add_reported_entities(data.costs, cost_sensors, AccountSensor[CostReport], async_add_entities)
    add_reported_entities(data.costs, days_left, DaysLeftSensor, async_add_entities, data.credits)
    add_reported_entities(
        data.costs, budget_used, BudgetUsedSensor, async_add_entities, data.spend_limit
    )
    add_reported_entities(
        data.spend_limit, lambda _: [SPEND_LIMIT], AccountSensor[SpendLimit], async_add_entities
    )
    add_reported_entities(
        data.subscription,
        lambda plan: [one for one in SUBSCRIPTION_SENSORS if one.key in plan.reported],
        AccountSensor[Subscription],
        async_add_entities,
    )
    _remove_gone(hass, entry, data.costs)


def _impossible(entry: OpenAIAccountConfigEntry) -> set[str]:
    """Return the keys of sensors that an entry cannot have, as its keys and options are now."""
    keys = keys_of(entry)
    gone: set[str] = set()
    if KeyKind.SESSION not in keys:
        gone |= {one.key for one in CREDIT_SENSORS} | {one.key for one in SUBSCRIPTION_SENSORS}
        gone.add(DAYS_LEFT.key)
    if KeyKind.ADMIN not in keys:
        gone.add(SPEND_LIMIT.key)
        if CONF_MONTHLY_BUDGET not in entry.options:
            gone.add(BUDGET_USED.key)
    return gone


@callback
def _remove_gone(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, costs: CostCoordinator
) -> None:
    """Remove the sensors of what cost nothing for long, now and with each poll."""
    identity = entry.unique_id or entry.entry_id
    prefixes = (f"{identity}_{MODEL_COST_PREFIX}", f"{identity}_{PROJECT_COST_PREFIX}")

    @callback
    def remove() -> None:
        if not costs.data or not costs.data.complete:
            return
        registry = er.async_get(hass)
        books = (costs.store.models, costs.store.projects)
        keep = {
            prefix + slug
            for prefix, book in zip(prefixes, books, strict=True)
            for slug in book.recent(costs.data.today)
        }
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            if entity.unique_id.startswith(prefixes) and entity.unique_id not in keep:
                registry.async_remove(entity.entity_id)

    entry.async_on_unload(costs.async_add_listener(remove))
    remove()


class AccountSensor[DataT](AccountEntity[DataT], SensorEntity):
    """One value of an account."""

    entity_description: AccountSensorDescription[DataT]

    @property
    @override
    def native_value(self) -> float | str | datetime | None:
        """The value, as the API gave it; money to a millionth of a dollar."""
        value = self.entity_description.value_fn(self.coordinator.data)
        if isinstance(value, float):
            # Units are counted; only money has parts.
            whole = self.native_unit_of_measurement is None and value.is_integer()
            return int(value) if whole else round_usd(value)
        if isinstance(value, str):
            return value[:MAX_LENGTH_STATE_STATE]
        return value

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of the UTC day or month that a cost is of."""
        if (last_reset_fn := self.entity_description.last_reset_fn) is None:
            return None
        return datetime.combine(last_reset_fn(self.coordinator.data), time.min, UTC)


class DaysLeftSensor(AccountSensor[CostReport]):
    """For how many days the credit lasts at the pace of the last 7 full days."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow all that the value is made of."""
        await super().async_added_to_hass()
        data = self.coordinator.config_entry.runtime_data
        for other in (data.credits, data.subscription):
            self.async_on_remove(other.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        """Whether both the costs and the credit are there."""
        data = self.coordinator.config_entry.runtime_data
        return super().available and data.credits.last_update_success

    @property
    @override
    def native_value(self) -> float | None:
        """The credit by the mean cost of a day; None without cost, or if credit refills itself."""
        data = self.coordinator.config_entry.runtime_data
        week = self.coordinator.data.cost_last_7_days
        credit = data.credits.data.total_available
        refills = data.subscription.data and data.subscription.data.auto_recharge_enabled
        if refills or credit is None or not week or week < 0:
            return None
        return round(max(credit, 0.0) / (week / 7), 1)


class BudgetUsedSensor(AccountSensor[CostReport]):
    """How much of the month's budget is spent: the user's own, or else the limit at OpenAI."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the limit too."""
        await super().async_added_to_hass()
        limit = self.coordinator.config_entry.runtime_data.spend_limit
        self.async_on_remove(limit.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def native_value(self) -> float | None:
        """The cost of this month in percent of the budget; None without one."""
        entry = self.coordinator.config_entry
        limit = entry.runtime_data.spend_limit.data
        budget = entry.options.get(CONF_MONTHLY_BUDGET) or (limit and limit.amount)
        return round(100 * self.coordinator.data.cost_this_month / budget, 2) if budget else None
