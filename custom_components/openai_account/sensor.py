"""Sensors: the credit, the costs and the subscription of an account.

The tables describe all sensors but those of models and projects, which exist
for as long as something was spent on them lately.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
import math
from typing import override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import CostReport, CreditGrants, SpendLimit, Subscription, round_usd
from .const import CURRENCY_USD
from .coordinator import (
    COSTS,
    CREDIT,
    SPEND_LIMIT,
    SUBSCRIPTION,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
)
from .entity import (
    AccountEntity,
    DerivedDescription,
    DerivedEntity,
    EntityAdder,
    ReportedDescription,
)
from .estimate import (
    credit_attributes,
    credit_left,
    estimated_credit,
    is_credit_known,
    knows_credit,
)
from .store import SlugRegistry

PARALLEL_UPDATES = 0

MODEL_COST_PREFIX = "model_cost_"
PROJECT_COST_PREFIX = "project_cost_"

type Value = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription[DataT](ReportedDescription[DataT], SensorEntityDescription):
    """Describes a sensor that shows a value of one endpoint."""

    value_fn: Callable[[DataT], Value]
    last_reset_fn: Callable[[DataT], date] | None = None


@dataclass(frozen=True, kw_only=True)
class DerivedSensorDescription(DerivedDescription, SensorEntityDescription):
    """Describes a sensor whose value is derived from the account's data."""

    value_fn: Callable[[OpenAIAccountData], Value]


# ---- Credit ------------------------------------------------------------------------------------


def _credit_sensor(
    key: str, value_fn: Callable[[CreditGrants], float | None]
) -> AccountSensorDescription[CreditGrants]:
    return AccountSensorDescription[CreditGrants](
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        exists_fn=lambda credit: key in credit.reported,
        value_fn=value_fn,
    )


CREDIT_SENSORS = (
    _credit_sensor("total_granted", lambda credit: credit.total_granted),
    _credit_sensor("total_used", lambda credit: credit.total_used),
    _credit_sensor("total_available", lambda credit: credit.total_available),
    _credit_sensor("total_paid_available", lambda credit: credit.total_paid_available),
    AccountSensorDescription[CreditGrants](
        key="next_grant_expiry",
        translation_key="next_grant_expiry",
        device_class=SensorDeviceClass.TIMESTAMP,
        exists_fn=lambda credit: "grants" in credit.reported,
        value_fn=lambda credit: credit.next_grant_expiry,
    ),
)

# ---- Costs -------------------------------------------------------------------------------------


def _cost_sensor(
    key: str,
    value_fn: Callable[[CostReport], float | None],
    last_reset_fn: Callable[[CostReport], date] | None = None,
    *,
    translation_key: str | None = None,
    placeholders: dict[str, str] | None = None,
    enabled: bool = True,
) -> AccountSensorDescription[CostReport]:
    """Describe an amount; one that has no last reset is of no use to statistics."""
    return AccountSensorDescription[CostReport](
        key=key,
        translation_key=translation_key or key,
        translation_placeholders=placeholders,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL if last_reset_fn else None,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        exists_fn=lambda report: report.complete,
        value_fn=value_fn,
        last_reset_fn=last_reset_fn,
    )


COST_SENSORS = (
    _cost_sensor("cost_today", lambda report: report.cost_today, lambda report: report.today),
    _cost_sensor(
        "cost_this_month",
        lambda report: report.cost_this_month,
        lambda report: report.month_start,
    ),
    _cost_sensor("cost_yesterday", lambda report: report.cost_yesterday),
    _cost_sensor("cost_last_7_days", lambda report: report.cost_last_7_days),
    _cost_sensor("cost_last_month", lambda report: report.cost_last_month, enabled=False),
    _cost_sensor("forecast_this_month", lambda report: report.forecast_this_month),
)


def _model_sensor(slug: str, model: str) -> AccountSensorDescription[CostReport]:
    return _cost_sensor(
        f"{MODEL_COST_PREFIX}{slug}",
        lambda report: report.models_this_month.get(model, 0.0),
        lambda report: report.month_start,
        translation_key="model_cost",
        placeholders={"model": model},
    )


def _project_sensor(slug: str, project: str, name: str) -> AccountSensorDescription[CostReport]:
    return _cost_sensor(
        f"{PROJECT_COST_PREFIX}{slug}",
        lambda report: report.projects_this_month.get(project, 0.0),
        lambda report: report.month_start,
        translation_key="project_cost",
        placeholders={"project": name},
        enabled=False,
    )


def _others_sensor(
    key: str,
    slugs: SlugRegistry,
    costs_fn: Callable[[CostReport], Mapping[str, float]],
    *,
    enabled: bool = True,
) -> AccountSensorDescription[CostReport]:
    """Describe the sum of the names that have no sensor of their own."""

    def cost(report: CostReport) -> float:
        named = set(slugs.recent(report.today).values())
        return math.fsum(cost for name, cost in costs_fn(report).items() if name not in named)

    return _cost_sensor(key, cost, lambda report: report.month_start, enabled=enabled)


# ---- Subscription ------------------------------------------------------------------------------


def _subscription_sensor(
    key: str,
    value_fn: Callable[[Subscription], Value],
    *,
    enabled: bool = False,
    device_class: SensorDeviceClass | None = None,
    unit: str | None = None,
    category: EntityCategory | None = None,
    precision: int | None = None,
) -> AccountSensorDescription[Subscription]:
    return AccountSensorDescription[Subscription](
        key=key,
        translation_key=key,
        device_class=device_class,
        native_unit_of_measurement=unit,
        entity_category=category,
        suggested_display_precision=precision,
        entity_registry_enabled_default=enabled,
        exists_fn=lambda subscription: key in subscription.reported,
        value_fn=value_fn,
    )


_usd_limit = partial(
    _subscription_sensor,
    device_class=SensorDeviceClass.MONETARY,
    unit=CURRENCY_USD,
    precision=2,
)
_personal = partial(_subscription_sensor, category=EntityCategory.DIAGNOSTIC)
_time = partial(_subscription_sensor, device_class=SensorDeviceClass.TIMESTAMP)

SUBSCRIPTION_SENSORS = (
    _usd_limit("soft_limit_usd", lambda plan: plan.soft_limit_usd, enabled=True),
    _usd_limit("hard_limit_usd", lambda plan: plan.hard_limit_usd, enabled=True),
    _usd_limit("system_hard_limit_usd", lambda plan: plan.system_hard_limit_usd),
    _usd_limit("max_balance", lambda plan: plan.max_balance),
    _usd_limit("auto_recharge_threshold", lambda plan: plan.auto_recharge_threshold),
    _usd_limit("auto_recharge_to_balance", lambda plan: plan.auto_recharge_to_balance),
    _subscription_sensor("soft_limit", lambda plan: plan.soft_limit, precision=0),
    _subscription_sensor("hard_limit", lambda plan: plan.hard_limit, precision=0),
    _subscription_sensor("system_hard_limit", lambda plan: plan.system_hard_limit, precision=0),
    _subscription_sensor("plan", lambda plan: plan.plan, enabled=True),
    _subscription_sensor("billing_mechanism", lambda plan: plan.billing_mechanism),
    _subscription_sensor("trust_tier", lambda plan: plan.trust_tier),
    _time("canceled_at", lambda plan: plan.canceled_at),
    _time("access_until", lambda plan: plan.access_until),
    _personal("account_name", lambda plan: plan.account_name),
    _personal("po_number", lambda plan: plan.po_number),
    _personal("billing_email", lambda plan: plan.billing_email),
    _personal("tax_ids", lambda plan: plan.tax_ids),
    _personal("billing_address", lambda plan: plan.billing_address),
    _personal("business_address", lambda plan: plan.business_address),
)

SPEND_LIMIT_SENSORS = (
    AccountSensorDescription[SpendLimit](
        key="spend_limit",
        translation_key="spend_limit",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        value_fn=lambda limit: limit.amount,
    ),
)

# ---- Derived values ----------------------------------------------------------------------------


def _reports_days(account: OpenAIAccountData) -> bool:
    report = account.last(COSTS)
    return report is not None and report.complete


def days_left(account: OpenAIAccountData) -> float | None:
    """Return how many days the credit lasts at the pace of the last 7 completed days.

    None without costs, or while the credit recharges by itself.
    """
    credit, report, recharge = credit_left(account), account.last(COSTS), account.store.recharge
    week = report.cost_last_7_days if report else None
    if credit is None or not week or week < 0 or (recharge and recharge["enabled"]):
        return None
    return round(max(credit.amount, 0.0) / (week / 7), 1)


def monthly_budget(account: OpenAIAccountData) -> float | None:
    """Return the budget of the current month in US dollars: the user's, or else OpenAI's limit."""
    limit = account.last(SPEND_LIMIT)
    return account.options.monthly_budget or (limit.amount if limit else None)


def budget_used(account: OpenAIAccountData) -> float | None:
    """Return the cost of the current month in percent of the budget; None without a budget."""
    report, budget = account.last(COSTS), monthly_budget(account)
    return round(100 * report.cost_this_month / budget, 2) if report and budget else None


def _estimated_credit(account: OpenAIAccountData) -> float | None:
    return round_usd(estimated_credit(account))


def _anchor_attributes(account: OpenAIAccountData) -> dict[str, object]:
    """Return what the estimate starts from."""
    anchor = account.store.anchor
    return {
        "anchor_amount": anchor and round_usd(anchor["amount"]),
        "anchor_time": anchor and anchor["time"],
        "source": anchor and anchor["source"],
    }


DERIVED_SENSORS = (
    DerivedSensorDescription(
        key="estimated_credit",
        translation_key="estimated_credit",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        depends_on=(COSTS, CREDIT, SUBSCRIPTION),
        exists_fn=lambda account: _reports_days(account) and knows_credit(account),
        attributes_fn=_anchor_attributes,
        value_fn=_estimated_credit,
    ),
    DerivedSensorDescription(
        key="days_left",
        translation_key="days_left",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=0,
        depends_on=(COSTS, CREDIT, SUBSCRIPTION),
        exists_fn=lambda account: _reports_days(account) and knows_credit(account),
        available_fn=lambda account: (
            account.current(COSTS) is not None and is_credit_known(account)
        ),
        attributes_fn=credit_attributes,
        value_fn=days_left,
    ),
    DerivedSensorDescription(
        key="budget_used",
        translation_key="budget_used",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        depends_on=(COSTS, SPEND_LIMIT),
        possible_fn=lambda account: (
            account.options.monthly_budget is not None or account.opens(SPEND_LIMIT)
        ),
        exists_fn=lambda account: _reports_days(account) and monthly_budget(account) is not None,
        available_fn=lambda account: account.current(COSTS) is not None,
        value_fn=budget_used,
    ),
)

# ---- Entities ----------------------------------------------------------------------------------


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an account."""
    account = entry.runtime_data
    models, projects = account.store.models, account.store.projects
    adder = EntityAdder(hass, entry, SENSOR_DOMAIN, async_add_entities)
    adder.add_reported(CREDIT, CREDIT_SENSORS, AccountSensor[CreditGrants])
    adder.add_reported(COSTS, COST_SENSORS, AccountSensor[CostReport])
    adder.add_named(
        account.costs,
        MODEL_COST_PREFIX,
        models,
        lambda slug, model: AccountSensor(account.costs, _model_sensor(slug, model)),
        _others_sensor("other_models_cost", models, lambda report: report.models_this_month),
        partial(AccountSensor, account.costs),
    )
    adder.add_named(
        account.costs,
        PROJECT_COST_PREFIX,
        projects,
        lambda slug, project: AccountSensor(
            account.costs, _project_sensor(slug, project, projects.label(slug))
        ),
        _others_sensor(
            "other_projects_cost",
            projects,
            lambda report: report.projects_this_month,
            enabled=False,
        ),
        partial(AccountSensor, account.costs),
    )
    adder.add_reported(SPEND_LIMIT, SPEND_LIMIT_SENSORS, AccountSensor[SpendLimit])
    adder.add_reported(SUBSCRIPTION, SUBSCRIPTION_SENSORS, AccountSensor[Subscription])
    adder.add_derived(DERIVED_SENSORS, DerivedSensor)


class AccountSensor[DataT](AccountEntity[DataT], SensorEntity):
    """A sensor that shows a value of one endpoint."""

    entity_description: AccountSensorDescription[DataT]

    @property
    @override
    def native_value(self) -> Value:
        """The value as the API reports it; money to a millionth of a dollar."""
        value = self.entity_description.value_fn(self.coordinator.data)
        if isinstance(value, float):
            # Units are counted; only money has fractions.
            whole = self.native_unit_of_measurement is None and value.is_integer()
            return int(value) if whole else round_usd(value)
        if isinstance(value, str):
            return value[:MAX_LENGTH_STATE_STATE]
        return value

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of the UTC day or month that a cost belongs to."""
        if (last_reset_fn := self.entity_description.last_reset_fn) is None:
            return None
        return datetime.combine(last_reset_fn(self.coordinator.data), time.min, UTC)


class DerivedSensor(DerivedEntity, SensorEntity):
    """A sensor whose value is derived from the account's data."""

    entity_description: DerivedSensorDescription

    @property
    @override
    def native_value(self) -> Value:
        """The derived value."""
        return self.entity_description.value_fn(self.account)
