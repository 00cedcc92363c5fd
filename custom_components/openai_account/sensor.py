"""Sensors: the credit, the costs and the subscription of an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import CostReport, CreditGrants, Subscription, micro
from .const import CURRENCY_USD
from .coordinator import CostCoordinator, OpenAIAccountConfigEntry
from .entity import AccountEntity, add_as_reported

PARALLEL_UPDATES = 0

MODEL_COST_PREFIX = "model_cost_"


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription[DataT](SensorEntityDescription):
    """Describes a sensor and the value that it shows.

    `field` is the API's field that must be reported for the sensor to exist;
    without it, it is the one that the sensor is named for.
    """

    value_fn: Callable[[DataT], float | str | datetime | None]
    field: str | None = None
    last_reset_fn: Callable[[DataT], date] | None = None
    model: str | None = None


def _balance[DataT](
    key: str, value_fn: Callable[[DataT], float | None]
) -> AccountSensorDescription[DataT]:
    return AccountSensorDescription[DataT](
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        value_fn=value_fn,
    )


def _limit_usd(
    key: str, value_fn: Callable[[Subscription], float | None], *, enabled: bool = False
) -> AccountSensorDescription[Subscription]:
    return AccountSensorDescription[Subscription](
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


def _subscription(
    key: str,
    value_fn: Callable[[Subscription], float | str | datetime | None],
    *,
    enabled: bool = False,
    device_class: SensorDeviceClass | None = None,
    category: EntityCategory | None = None,
    precision: int | None = None,
) -> AccountSensorDescription[Subscription]:
    return AccountSensorDescription[Subscription](
        key=key,
        translation_key=key,
        device_class=device_class,
        entity_category=category,
        suggested_display_precision=precision,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


def _cost(
    key: str,
    value_fn: Callable[[CostReport], float],
    last_reset_fn: Callable[[CostReport], date],
    *,
    translation_key: str | None = None,
    model: str | None = None,
) -> AccountSensorDescription[CostReport]:
    return AccountSensorDescription[CostReport](
        key=key,
        translation_key=translation_key or key,
        translation_placeholders={"model": model} if model else None,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=4,
        value_fn=value_fn,
        last_reset_fn=last_reset_fn,
        model=model,
    )


def _figure(
    key: str, value_fn: Callable[[CostReport], float | None], *, enabled: bool = True
) -> AccountSensorDescription[CostReport]:
    """Describe an amount that is no running total, and so nothing for statistics."""
    return AccountSensorDescription[CostReport](
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


CREDIT_SENSORS: tuple[AccountSensorDescription[CreditGrants], ...] = (
    _balance("total_granted", lambda grants: grants.total_granted),
    _balance("total_used", lambda grants: grants.total_used),
    _balance("total_available", lambda grants: grants.total_available),
    _balance("total_paid_available", lambda grants: grants.total_paid_available),
    AccountSensorDescription[CreditGrants](
        key="next_grant_expiry",
        translation_key="next_grant_expiry",
        device_class=SensorDeviceClass.TIMESTAMP,
        field="grants",
        value_fn=lambda grants: grants.next_grant_expiry,
    ),
)

COST_SENSORS: tuple[AccountSensorDescription[CostReport], ...] = (
    _cost("cost_today", lambda report: report.cost_today, lambda report: report.today),
    _cost(
        "cost_this_month",
        lambda report: report.cost_this_month,
        lambda report: report.month_start,
    ),
    _figure("cost_yesterday", lambda report: report.cost_yesterday),
    _figure("cost_last_7_days", lambda report: report.cost_last_7_days),
    _figure("cost_last_month", lambda report: report.cost_last_month, enabled=False),
    _figure("forecast_this_month", lambda report: report.forecast_this_month),
)

DAYS_LEFT = AccountSensorDescription[CostReport](
    key="days_left",
    translation_key="days_left",
    device_class=SensorDeviceClass.DURATION,
    native_unit_of_measurement=UnitOfTime.DAYS,
    suggested_display_precision=0,
    value_fn=lambda report: report.cost_last_7_days,
)

SUBSCRIPTION_SENSORS: tuple[AccountSensorDescription[Subscription], ...] = (
    _limit_usd("soft_limit_usd", lambda plan: plan.soft_limit_usd, enabled=True),
    _limit_usd("hard_limit_usd", lambda plan: plan.hard_limit_usd, enabled=True),
    _limit_usd("system_hard_limit_usd", lambda plan: plan.system_hard_limit_usd),
    _limit_usd("max_balance", lambda plan: plan.max_balance),
    _limit_usd("auto_recharge_threshold", lambda plan: plan.auto_recharge_threshold),
    _limit_usd("auto_recharge_to_balance", lambda plan: plan.auto_recharge_to_balance),
    _subscription("soft_limit", lambda plan: plan.soft_limit, precision=0),
    _subscription("hard_limit", lambda plan: plan.hard_limit, precision=0),
    _subscription("system_hard_limit", lambda plan: plan.system_hard_limit, precision=0),
    _subscription("plan", lambda plan: plan.plan, enabled=True),
    _subscription("billing_mechanism", lambda plan: plan.billing_mechanism),
    _subscription("trust_tier", lambda plan: plan.trust_tier),
    _subscription(
        "canceled_at",
        lambda plan: plan.canceled_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
    _subscription(
        "access_until",
        lambda plan: plan.access_until,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
    *(
        _subscription(key, value_fn, category=EntityCategory.DIAGNOSTIC)
        for key, value_fn in (
            ("account_name", lambda plan: plan.account_name),
            ("po_number", lambda plan: plan.po_number),
            ("billing_email", lambda plan: plan.billing_email),
            ("tax_ids", lambda plan: plan.tax_ids),
            ("billing_address", lambda plan: plan.billing_address),
            ("business_address", lambda plan: plan.business_address),
        )
    ),
)


def _model_sensor(slug: str, model: str) -> AccountSensorDescription[CostReport]:
    return _cost(
        f"{MODEL_COST_PREFIX}{slug}",
        lambda report: report.models_this_month.get(model, 0.0),
        lambda report: report.month_start,
        translation_key="model_cost",
        model=model,
    )


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an account."""
    data = entry.runtime_data

    def cost_sensors(report: CostReport) -> list[AccountSensorDescription[CostReport]]:
        if not report.complete:
            return []
        models = data.memory.models(report.today)
        return [*COST_SENSORS, *(_model_sensor(*item) for item in models.items())]

    add_as_reported(
        data.credits,
        lambda grants: [one for one in CREDIT_SENSORS if (one.field or one.key) in grants.reported],
        AccountSensor[CreditGrants],
        async_add_entities,
    )
    add_as_reported(data.costs, cost_sensors, AccountSensor[CostReport], async_add_entities)
    add_as_reported(
        data.costs,
        lambda report: (
            [DAYS_LEFT]
            if report.complete
            and data.credits.data
            and "total_available" in data.credits.data.reported
            else []
        ),
        DaysLeftSensor,
        async_add_entities,
    )
    add_as_reported(
        data.subscription,
        lambda plan: [one for one in SUBSCRIPTION_SENSORS if one.key in plan.reported],
        AccountSensor[Subscription],
        async_add_entities,
    )
    _remove_gone_models(hass, entry, data.costs)


@callback
def _remove_gone_models(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, costs: CostCoordinator
) -> None:
    """Remove the sensors of models that cost nothing for long, now and with each poll."""
    prefix = f"{entry.unique_id or entry.entry_id}_{MODEL_COST_PREFIX}"

    @callback
    def remove() -> None:
        if not costs.data or not costs.data.complete:
            return
        registry = er.async_get(hass)
        keep = {prefix + slug for slug in costs.memory.models(costs.data.today)}
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            if entity.unique_id.startswith(prefix) and entity.unique_id not in keep:
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
            return int(value) if whole else micro(value)
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
