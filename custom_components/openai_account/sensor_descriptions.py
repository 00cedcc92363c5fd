"""The table of sensors: each one's key, kind, and the value that it takes out of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime

from .api import CostReport, CreditGrants, SpendLimit, Subscription
from .const import CURRENCY_USD

MODEL_COST_PREFIX = "model_cost_"
PROJECT_COST_PREFIX = "project_cost_"


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription[DataT](SensorEntityDescription):
    """Describes a sensor and the value that it shows.

    `field` is the API's field that must be reported for the sensor to exist;
    without it, it is the one that the sensor is named for.
    """

    value_fn: Callable[[DataT], float | str | datetime | None]
    field: str | None = None
    last_reset_fn: Callable[[DataT], date] | None = None


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
    placeholders: dict[str, str] | None = None,
    enabled: bool = True,
) -> AccountSensorDescription[CostReport]:
    return AccountSensorDescription[CostReport](
        key=key,
        translation_key=translation_key or key,
        translation_placeholders=placeholders,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=4,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        last_reset_fn=last_reset_fn,
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


SPEND_LIMIT = AccountSensorDescription[SpendLimit](
    key="spend_limit",
    translation_key="spend_limit",
    device_class=SensorDeviceClass.MONETARY,
    native_unit_of_measurement=CURRENCY_USD,
    suggested_display_precision=2,
    value_fn=lambda limit: limit.amount,
)

BUDGET_USED = AccountSensorDescription[CostReport](
    key="budget_used",
    translation_key="budget_used",
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=PERCENTAGE,
    suggested_display_precision=0,
    value_fn=lambda report: report.cost_this_month,
)


def model_sensor(slug: str, model: str) -> AccountSensorDescription[CostReport]:
    """Describe the cost of a model in the running UTC month."""
    return _cost(
        f"{MODEL_COST_PREFIX}{slug}",
        lambda report: report.models_this_month.get(model, 0.0),
        lambda report: report.month_start,
        translation_key="model_cost",
        placeholders={"model": model},
    )


def project_sensor(slug: str, project: str, name: str) -> AccountSensorDescription[CostReport]:
    """Describe the cost of a project in the running UTC month."""
    return _cost(
        f"{PROJECT_COST_PREFIX}{slug}",
        lambda report: report.projects_this_month.get(project, 0.0),
        lambda report: report.month_start,
        translation_key="project_cost",
        placeholders={"project": name},
        enabled=False,
    )
