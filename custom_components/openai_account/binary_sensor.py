"""Binary sensors: what is so with an account, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api import Subscription
from .coordinator import OpenAIAccountConfigEntry
from .entity import AccountEntity, add_as_reported

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SubscriptionBinaryDescription(BinarySensorEntityDescription):
    """Describes a binary sensor and the field of the subscription that it shows."""

    value_fn: Callable[[Subscription], bool | None]


SUBSCRIPTION_BINARY_SENSORS = (
    SubscriptionBinaryDescription(
        key="has_payment_method",
        translation_key="has_payment_method",
        value_fn=lambda subscription: subscription.has_payment_method,
    ),
    SubscriptionBinaryDescription(
        key="primary",
        translation_key="primary",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.primary,
    ),
    SubscriptionBinaryDescription(
        key="auto_recharge_enabled",
        translation_key="auto_recharge_enabled",
        value_fn=lambda subscription: subscription.auto_recharge_enabled,
    ),
    SubscriptionBinaryDescription(
        key="auto_recharge_eligible",
        translation_key="auto_recharge_eligible",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.auto_recharge_eligible,
    ),
    SubscriptionBinaryDescription(
        key="is_arrears_eligible",
        translation_key="is_arrears_eligible",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.is_arrears_eligible,
    ),
    SubscriptionBinaryDescription(
        key="canceled",
        translation_key="canceled",
        entity_registry_enabled_default=False,
        value_fn=lambda subscription: subscription.canceled,
    ),
    SubscriptionBinaryDescription(
        key="delinquent",
        translation_key="delinquent",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda subscription: subscription.delinquent,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an account."""
    add_as_reported(
        entry.runtime_data.subscription,
        lambda subscription: [
            description
            for description in SUBSCRIPTION_BINARY_SENSORS
            if description.key in subscription.reported
        ],
        SubscriptionBinarySensor,
        async_add_entities,
    )


class SubscriptionBinarySensor(AccountEntity[Subscription], BinarySensorEntity):
    """A field of the subscription that is true or false."""

    entity_description: SubscriptionBinaryDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the field is true; None where the account does not tell."""
        return self.entity_description.value_fn(self.coordinator.data)
