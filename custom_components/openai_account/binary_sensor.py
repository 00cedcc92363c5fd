"""Binary sensors: the state of the subscription, and the limits that the user sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import override

from homeassistant.components.binary_sensor import (
    DOMAIN as BINARY_SENSOR_DOMAIN,
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.sensor import ATTR_LAST_RESET
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import SpendLimit, Subscription, round_usd
from .coordinator import (
    COSTS,
    CREDIT,
    ENDPOINTS,
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
from .estimate import credit_attributes, credit_left, is_credit_known, knows_credit
from .problems import problems_of

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AccountBinarySensorDescription[DataT](
    ReportedDescription[DataT], BinarySensorEntityDescription
):
    """Describes a binary sensor that shows a value of one endpoint."""

    value_fn: Callable[[DataT], bool | None]


@dataclass(frozen=True, kw_only=True)
class DerivedBinarySensorDescription(DerivedDescription, BinarySensorEntityDescription):
    """Describes a binary sensor whose value is derived from the account's data."""

    value_fn: Callable[[OpenAIAccountData], bool | None]


def _subscription_sensor(
    key: str,
    value_fn: Callable[[Subscription], bool | None],
    *,
    enabled: bool = True,
    device_class: BinarySensorDeviceClass | None = None,
) -> AccountBinarySensorDescription[Subscription]:
    return AccountBinarySensorDescription[Subscription](
        key=key,
        translation_key=key,
        device_class=device_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        exists_fn=lambda subscription: key in subscription.reported,
        value_fn=value_fn,
    )


SUBSCRIPTION_BINARY_SENSORS = (
    _subscription_sensor("has_payment_method", lambda plan: plan.has_payment_method),
    _subscription_sensor("primary", lambda plan: plan.primary, enabled=False),
    _subscription_sensor("auto_recharge_enabled", lambda plan: plan.auto_recharge_enabled),
    _subscription_sensor(
        "auto_recharge_eligible", lambda plan: plan.auto_recharge_eligible, enabled=False
    ),
    _subscription_sensor(
        "is_arrears_eligible", lambda plan: plan.is_arrears_eligible, enabled=False
    ),
    _subscription_sensor("canceled", lambda plan: plan.canceled),
    _subscription_sensor(
        "delinquent", lambda plan: plan.delinquent, device_class=BinarySensorDeviceClass.PROBLEM
    ),
)

SPEND_LIMIT_BINARY_SENSORS = (
    AccountBinarySensorDescription[SpendLimit](
        key="spend_limit_reached",
        translation_key="spend_limit_reached",
        device_class=BinarySensorDeviceClass.PROBLEM,
        exists_fn=lambda limit: limit.is_enforcing is not None,
        value_fn=lambda limit: limit.is_enforcing,
    ),
)


def low_balance(account: OpenAIAccountData) -> bool | None:
    """Return whether the credit is below the user's threshold; None where it is not known."""
    credit = credit_left(account)
    return None if credit is None else credit.amount < account.options.low_balance_threshold


def over_budget(account: OpenAIAccountData) -> bool | None:
    """Return whether the current month has cost more than the user's budget."""
    report, budget = account.last(COSTS), account.options.monthly_budget
    return None if report is None or budget is None else report.cost_this_month > budget


def _month_attributes(account: OpenAIAccountData) -> dict[str, object]:
    """Return when the current UTC month began, which the costs are those of."""
    if (report := account.last(COSTS)) is None:
        return {ATTR_LAST_RESET: None}
    return {ATTR_LAST_RESET: datetime.combine(report.month_start, time.min, UTC).isoformat()}


def _credit_attributes(account: OpenAIAccountData) -> dict[str, object]:
    """Return the credit that is compared with the threshold."""
    credit = credit_left(account)
    return {"credit": credit and round_usd(credit.amount), **credit_attributes(account)}


DERIVED_BINARY_SENSORS = (
    DerivedBinarySensorDescription(
        key="over_budget",
        translation_key="over_budget",
        device_class=BinarySensorDeviceClass.PROBLEM,
        depends_on=(COSTS,),
        possible_fn=lambda account: account.options.monthly_budget is not None,
        exists_fn=lambda account: (report := account.last(COSTS)) is not None and report.complete,
        available_fn=lambda account: account.current(COSTS) is not None,
        attributes_fn=_month_attributes,
        value_fn=over_budget,
    ),
    DerivedBinarySensorDescription(
        key="low_balance",
        translation_key="low_balance",
        device_class=BinarySensorDeviceClass.PROBLEM,
        depends_on=(CREDIT, COSTS, SUBSCRIPTION),
        possible_fn=lambda account: account.options.low_balance_threshold > 0,
        exists_fn=knows_credit,
        available_fn=is_credit_known,
        attributes_fn=_credit_attributes,
        value_fn=low_balance,
    ),
    DerivedBinarySensorDescription(
        key="problem",
        translation_key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        depends_on=ENDPOINTS,
        attributes_fn=lambda account: {"problems": problems_of(account)},
        value_fn=lambda account: bool(problems_of(account)),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an account."""
    adder = EntityAdder(hass, entry, BINARY_SENSOR_DOMAIN, async_add_entities)
    adder.add_reported(SUBSCRIPTION, SUBSCRIPTION_BINARY_SENSORS, AccountBinarySensor[Subscription])
    adder.add_reported(SPEND_LIMIT, SPEND_LIMIT_BINARY_SENSORS, AccountBinarySensor[SpendLimit])
    # What triggers automations comes last, when the states that these read are up to date.
    adder.add_derived(DERIVED_BINARY_SENSORS, DerivedBinarySensor)


class AccountBinarySensor[DataT](AccountEntity[DataT], BinarySensorEntity):
    """A binary sensor that shows a value of one endpoint."""

    entity_description: AccountBinarySensorDescription[DataT]

    @property
    @override
    def is_on(self) -> bool | None:
        """The value as the API reports it; None where it does not."""
        return self.entity_description.value_fn(self.coordinator.data)

    @override
    def _shown(self) -> tuple[object, ...]:
        return (self.is_on,)


class DerivedBinarySensor(DerivedEntity, BinarySensorEntity):
    """A binary sensor whose value is derived from the account's data."""

    entity_description: DerivedBinarySensorDescription
    _unrecorded_attributes = frozenset({"credit"})

    @property
    @override
    def is_on(self) -> bool | None:
        """The derived value."""
        return self.entity_description.value_fn(self.account)
