"""Sensors: the credit, the costs and the subscription of an account.

The tables describe all sensors but those of models, projects and API keys, which are in
`named_sensor.py`. Those of the subscription and of the usage are in modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import cast, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import (
    MAX_LENGTH_STATE_STATE,
    PERCENTAGE,
    EntityCategory,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import CostReport, CreditGrants, SpendLimit, Subscription, UsageReport, round_usd
from .const import CURRENCY_USD
from .coordinator import (
    COMPLETIONS,
    COSTS,
    CREDIT,
    SPEND_LIMIT,
    SUBSCRIPTION,
    AnyCoordinator,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
)
from .entity import AccountEntity, DerivedEntity, EntityAdder
from .estimate import (
    credit_attributes,
    credit_left,
    estimated_credit,
    is_credit_known,
    knows_credit,
)
from .named_sensor import add_named_sensors
from .sensor_description import AccountSensorDescription, DerivedSensorDescription, Value
from .subscription_sensor import SUBSCRIPTION_SENSORS
from .usage_sensor import (
    ENDPOINT_USAGE_SENSORS,
    MODEL_TOKENS_PREFIX,
    USAGE_SENSORS,
    model_tokens_sensor,
)

PARALLEL_UPDATES = 0

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
        attributes_fn=lambda credit: {"expiries": [one.isoformat() for one in credit.expiries]},
        value_fn=lambda credit: credit.next_grant_expiry,
    ),
)

# ---- Costs -------------------------------------------------------------------------------------


def _cost_sensor(
    key: str,
    value_fn: Callable[[CostReport], float | None],
    last_reset_fn: Callable[[CostReport], date] | None = None,
    *,
    attributes_fn: Callable[[CostReport], dict[str, object]] | None = None,
    enabled: bool = True,
) -> AccountSensorDescription[CostReport]:
    """Describe an amount; one that has no last reset is of no use to statistics."""
    return AccountSensorDescription[CostReport](
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL if last_reset_fn else None,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        exists_fn=lambda report: report.complete,
        attributes_fn=attributes_fn,
        value_fn=value_fn,
        last_reset_fn=last_reset_fn,
    )


def _daily_average(report: CostReport) -> dict[str, object]:
    """Return what a day costs on average, by the last 7 completed days."""
    week = report.cost_last_7_days
    return {"daily_average": None if week is None else round_usd(week / 7)}


COST_SENSORS = (
    _cost_sensor(
        "cost_today",
        lambda report: report.cost_today,
        lambda report: report.today,
        attributes_fn=_daily_average,
    ),
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


# ---- Spend limit -------------------------------------------------------------------------------

SPEND_LIMIT_SENSORS = (
    AccountSensorDescription[SpendLimit](
        key="spend_limit",
        translation_key="spend_limit",
        entity_category=EntityCategory.DIAGNOSTIC,
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


def budget_left(account: OpenAIAccountData) -> float | None:
    """Return what is left of the budget in US dollars, negative when it is exceeded."""
    report, budget = account.last(COSTS), monthly_budget(account)
    return budget - report.cost_this_month if report and budget else None


def _has_budget(account: OpenAIAccountData) -> bool:
    return _reports_days(account) and monthly_budget(account) is not None


def _can_have_budget(account: OpenAIAccountData) -> bool:
    return account.options.monthly_budget is not None or account.opens(SPEND_LIMIT)


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
        possible_fn=_can_have_budget,
        exists_fn=_has_budget,
        available_fn=lambda account: account.current(COSTS) is not None,
        attributes_fn=lambda account: {"budget": monthly_budget(account)},
        value_fn=budget_used,
    ),
    DerivedSensorDescription(
        key="budget_left",
        translation_key="budget_left",
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement=CURRENCY_USD,
        suggested_display_precision=2,
        depends_on=(COSTS, SPEND_LIMIT),
        possible_fn=_can_have_budget,
        exists_fn=_has_budget,
        available_fn=lambda account: account.current(COSTS) is not None,
        value_fn=lambda account: round_usd(budget_left(account)),
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
    adder = EntityAdder(hass, entry, SENSOR_DOMAIN, async_add_entities)
    adder.add_reported(CREDIT, CREDIT_SENSORS, AccountSensor[CreditGrants])
    adder.add_reported(COSTS, COST_SENSORS, AccountSensor[CostReport])
    add_named_sensors(adder, account)
    adder.add_reported(SPEND_LIMIT, SPEND_LIMIT_SENSORS, AccountSensor[SpendLimit])
    adder.add_reported(SUBSCRIPTION, SUBSCRIPTION_SENSORS, AccountSensor[Subscription])
    for endpoint, descriptions in ENDPOINT_USAGE_SENSORS:
        adder.add_reported(endpoint, descriptions, AccountSensor[UsageReport], keep=True)
    adder.add_derived((*USAGE_SENSORS, *DERIVED_SENSORS), DerivedSensor)
    completions = account.coordinator(COMPLETIONS)
    adder.add_named(
        completions,
        MODEL_TOKENS_PREFIX,
        account.store.usage_models,
        lambda slug, model: DerivedSensor(
            cast(AnyCoordinator, completions), model_tokens_sensor(slug, model)
        ),
    )


class AccountSensor[DataT](AccountEntity[DataT], SensorEntity):
    """A sensor that shows a value of one endpoint."""

    entity_description: AccountSensorDescription[DataT]
    _unrecorded_attributes = frozenset({"daily_average", "expiries"})

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
    def extra_state_attributes(self) -> dict[str, object] | None:
        """What else there is to say about the value."""
        attributes_fn = self.entity_description.attributes_fn
        return attributes_fn(self.coordinator.data) if attributes_fn else None

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of the UTC day or month that a cost belongs to."""
        last_reset_fn = self.entity_description.last_reset_fn
        return midnight(last_reset_fn(self.coordinator.data)) if last_reset_fn else None

    @override
    def _shown(self) -> tuple[object, ...]:
        return self.native_value, self.last_reset, self.extra_state_attributes


class DerivedSensor(DerivedEntity, SensorEntity):
    """A sensor whose value is derived from the account's data."""

    entity_description: DerivedSensorDescription
    _unrecorded_attributes = frozenset({"budget"})

    @property
    @override
    def native_value(self) -> Value:
        """The derived value."""
        return self.entity_description.value_fn(self.account)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of the UTC day or month that a value belongs to."""
        last_reset_fn = self.entity_description.last_reset_fn
        return midnight(last_reset_fn(self.account)) if last_reset_fn else None

    @override
    def _shown(self) -> tuple[object, ...]:
        return *super()._shown(), self.last_reset


def midnight(day: date | None) -> datetime | None:
    """Return the start of a UTC day."""
    return datetime.combine(day, time.min, UTC) if day else None
