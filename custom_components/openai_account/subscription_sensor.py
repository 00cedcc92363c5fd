"""The table of the subscription's sensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import EntityCategory

from .api import Subscription
from .const import CURRENCY_USD
from .sensor_description import AccountSensorDescription, Value


def _subscription_sensor(
    key: str,
    value_fn: Callable[[Subscription], Value],
    *,
    enabled: bool = False,
    device_class: SensorDeviceClass | None = None,
    unit: str | None = None,
    precision: int | None = None,
) -> AccountSensorDescription[Subscription]:
    return AccountSensorDescription[Subscription](
        key=key,
        translation_key=key,
        device_class=device_class,
        native_unit_of_measurement=unit,
        entity_category=EntityCategory.DIAGNOSTIC,
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
    _subscription_sensor("account_name", lambda plan: plan.account_name),
    _subscription_sensor("po_number", lambda plan: plan.po_number),
    _subscription_sensor("billing_email", lambda plan: plan.billing_email),
    _subscription_sensor("tax_ids", lambda plan: plan.tax_ids),
    _subscription_sensor("billing_address", lambda plan: plan.billing_address),
    _subscription_sensor("business_address", lambda plan: plan.business_address),
)
