"""Binary sensors: what is so with an account, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    DOMAIN as BINARY_SENSOR_DOMAIN,
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import CostReport, CreditGrants, KeyKind, Subscription
from .const import (
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    DEFAULT_LOW_BALANCE_THRESHOLD,
)
from .coordinator import OpenAIAccountConfigEntry, keys_of
from .entity import AccountEntity, add_reported_entities, remove_entities

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AccountBinaryDescription[DataT](BinarySensorEntityDescription):
    """Describes a binary sensor and what it takes out of the data."""

    value_fn: Callable[[DataT], bool | None]


SUBSCRIPTION_BINARY_SENSORS = (
    AccountBinaryDescription[Subscription](
        key="has_payment_method",
        translation_key="has_payment_method",
        value_fn=lambda subscription: subscription.has_payment_method,
    ),
    AccountBinaryDescription[Subscription](
        key="primary",
        translation_key="primary",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.primary,
    ),
    AccountBinaryDescription[Subscription](
        key="auto_recharge_enabled",
        translation_key="auto_recharge_enabled",
        value_fn=lambda subscription: subscription.auto_recharge_enabled,
    ),
    AccountBinaryDescription[Subscription](
        key="auto_recharge_eligible",
        translation_key="auto_recharge_eligible",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.auto_recharge_eligible,
    ),
    AccountBinaryDescription[Subscription](
        key="is_arrears_eligible",
        translation_key="is_arrears_eligible",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.is_arrears_eligible,
    ),
    AccountBinaryDescription[Subscription](
        key="canceled",
        translation_key="canceled",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.canceled,
    ),
    AccountBinaryDescription[Subscription](
        key="delinquent",
        translation_key="delinquent",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda subscription: subscription.delinquent,
    ),
)


LOW_BALANCE = "low_balance"
OVER_BUDGET = "over_budget"


def _low_balance(threshold: float) -> AccountBinaryDescription[CreditGrants]:
    """Describe whether the credit is under a threshold in US dollars."""
    return AccountBinaryDescription[CreditGrants](
        key=LOW_BALANCE,
        translation_key=LOW_BALANCE,
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda grants: (
            None if grants.total_available is None else grants.total_available < threshold
        ),
    )


def _over_budget(budget: float) -> AccountBinaryDescription[CostReport]:
    """Describe whether this month has cost more than a budget in US dollars."""
    return AccountBinaryDescription[CostReport](
        key=OVER_BUDGET,
        translation_key=OVER_BUDGET,
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda report: report.cost_this_month > budget,
    )


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an account."""
    data = entry.runtime_data
    gone: set[str] = set()
    if KeyKind.SESSION not in keys_of(entry):
        gone = {one.key for one in SUBSCRIPTION_BINARY_SENSORS} | {LOW_BALANCE}
    add_reported_entities(
        data.subscription,
        lambda subscription: [
            description
            for description in SUBSCRIPTION_BINARY_SENSORS
            if description.key in subscription.reported
        ],
        AccountBinarySensor[Subscription],
        async_add_entities,
    )
    # What people set automations off with comes last, when all that these ask is up to date.
    if budget := entry.options.get(CONF_MONTHLY_BUDGET):
        add_reported_entities(
            data.costs,
            lambda report: [_over_budget(budget)] if report.complete else [],
            AccountBinarySensor[CostReport],
            async_add_entities,
        )
    else:
        gone.add(OVER_BUDGET)
    if threshold := entry.options.get(CONF_LOW_BALANCE_THRESHOLD, DEFAULT_LOW_BALANCE_THRESHOLD):
        add_reported_entities(
            data.credits,
            lambda grants: (
                [_low_balance(threshold)] if "total_available" in grants.reported else []
            ),
            AccountBinarySensor[CreditGrants],
            async_add_entities,
        )
    else:
        gone.add(LOW_BALANCE)
    remove_entities(hass, entry, BINARY_SENSOR_DOMAIN, gone)


class AccountBinarySensor[DataT](AccountEntity[DataT], BinarySensorEntity):
    """Something about an account that is so or not."""

    entity_description: AccountBinaryDescription[DataT]

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is so; None where the account does not tell."""
        return self.entity_description.value_fn(self.coordinator.data)
