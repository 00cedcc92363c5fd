"""What describes a sensor: a value of one endpoint, or one that is derived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from homeassistant.components.sensor import SensorEntityDescription

from .coordinator import OpenAIAccountData
from .entity import DerivedDescription, ReportedDescription

type Value = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription[DataT](ReportedDescription[DataT], SensorEntityDescription):
    """Describes a sensor that shows a value of one endpoint."""

    value_fn: Callable[[DataT], Value]
    last_reset_fn: Callable[[DataT], date] | None = None
    attributes_fn: Callable[[DataT], dict[str, object]] | None = None


@dataclass(frozen=True, kw_only=True)
class DerivedSensorDescription(DerivedDescription, SensorEntityDescription):
    """Describes a sensor whose value is derived from the account's data."""

    value_fn: Callable[[OpenAIAccountData], Value]
    last_reset_fn: Callable[[OpenAIAccountData], date | None] | None = None
