"""The tables of the usage sensors: tokens and requests, and what single endpoints count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfInformation, UnitOfTime

from .api import USAGE_ENDPOINTS, Usage, UsageReport
from .coordinator import (
    COMPLETIONS,
    USAGE,
    Endpoint,
    OpenAIAccountData,
    UsageSum,
)
from .sensor_description import AccountSensorDescription, DerivedSensorDescription

MODEL_TOKENS_PREFIX: Final = "model_tokens_"

TOKENS: Final = "tokens"
REQUESTS: Final = "requests"

type Count = Callable[[Usage], int]

# ---- Tokens and requests of all endpoints ------------------------------------------------------


def _sum_of(account: OpenAIAccountData, unit: str) -> UsageSum:
    """Return the endpoints that count tokens, or requests."""
    return account.usage.tokens if unit == TOKENS else account.usage.requests


def _sum_sensor(
    key: str,
    unit: str,
    value_fn: Callable[[UsageReport], int | None],
    last_reset_fn: Callable[[UsageReport], date],
    *,
    translation_key: str | None = None,
    placeholders: dict[str, str] | None = None,
    enabled: bool = True,
) -> DerivedSensorDescription:
    """Describe a count that several endpoints report together."""

    def value(account: OpenAIAccountData) -> int | None:
        report = _sum_of(account, unit).data
        return value_fn(report) if report else None

    def last_reset(account: OpenAIAccountData) -> date | None:
        report = _sum_of(account, unit).data
        return last_reset_fn(report) if report else None

    return DerivedSensorDescription(
        key=key,
        translation_key=translation_key or key,
        translation_placeholders=placeholders,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=unit,
        entity_registry_enabled_default=enabled,
        depends_on=_ENDPOINTS[unit],
        possible_fn=lambda account: account.opens(COMPLETIONS),
        exists_fn=lambda account: _sum_of(account, unit).data is not None,
        available_fn=lambda account: _sum_of(account, unit).last_update_success,
        value_fn=value,
        last_reset_fn=last_reset,
    )


_ENDPOINTS = {
    TOKENS: tuple(USAGE[one.name] for one in USAGE_ENDPOINTS if one.has_tokens),
    REQUESTS: tuple(USAGE[one.name] for one in USAGE_ENDPOINTS if one.has_requests),
}


def _of_month(count: Count) -> Callable[[UsageReport], int | None]:
    """Return what picks a count of the current month; None where not all of it is known."""
    return lambda report: None if (usage := report.usage_this_month) is None else count(usage)


def _today_and_month(name: str, unit: str, count: Count) -> tuple[DerivedSensorDescription, ...]:
    return (
        _sum_sensor(
            f"{name}_today",
            unit,
            lambda report: count(report.usage_today),
            lambda report: report.today,
        ),
        _sum_sensor(
            f"{name}_this_month", unit, _of_month(count), lambda report: report.month_start
        ),
    )


def _last_24_hours(key: str, unit: str, count: Count) -> AccountSensorDescription[UsageReport]:
    return AccountSensorDescription[UsageReport](
        key=key,
        translation_key=key,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=unit,
        entity_registry_enabled_default=False,
        value_fn=lambda report: (
            None if report.last_24_hours is None else count(report.last_24_hours)
        ),
    )


USAGE_SENSORS = (
    *_today_and_month("input_tokens", TOKENS, lambda usage: usage.input_tokens),
    *_today_and_month("cached_input_tokens", TOKENS, lambda usage: usage.cached_input_tokens),
    *_today_and_month("output_tokens", TOKENS, lambda usage: usage.output_tokens),
    *_today_and_month("requests", REQUESTS, lambda usage: usage.requests),
)


def model_tokens_sensor(slug: str, model: str) -> DerivedSensorDescription:
    """Describe the sensor of a model: its input and output tokens this month."""

    def value(report: UsageReport) -> int | None:
        if report.start > report.month_start:
            return None
        usage = report.models_this_month.get(model)
        return usage.tokens if usage else 0

    return _sum_sensor(
        f"{MODEL_TOKENS_PREFIX}{slug}",
        TOKENS,
        value,
        lambda report: report.month_start,
        translation_key="model_tokens",
        placeholders={"model": model},
        enabled=False,
    )


# ---- What single endpoints count ---------------------------------------------------------------


def _counted(
    name: str,
    count: Count,
    unit: str | None = None,
    device_class: SensorDeviceClass | None = None,
) -> tuple[AccountSensorDescription[UsageReport], ...]:
    """Describe the count of today and of this month; both exist once there is one."""

    def describe(
        key: str,
        value_fn: Callable[[UsageReport], int | None],
        last_reset_fn: Callable[[UsageReport], date],
        *,
        enabled: bool,
    ) -> AccountSensorDescription[UsageReport]:
        return AccountSensorDescription[UsageReport](
            key=key,
            translation_key=key,
            device_class=device_class,
            state_class=SensorStateClass.TOTAL,
            native_unit_of_measurement=unit or name,
            entity_registry_enabled_default=enabled,
            exists_fn=lambda report: not report.is_empty,
            value_fn=value_fn,
            last_reset_fn=last_reset_fn,
        )

    return (
        describe(
            f"{name}_today",
            lambda report: count(report.usage_today),
            lambda report: report.today,
            enabled=False,
        ),
        describe(
            f"{name}_this_month", _of_month(count), lambda report: report.month_start, enabled=True
        ),
    )


ENDPOINT_USAGE_SENSORS: tuple[
    tuple[Endpoint[UsageReport], tuple[AccountSensorDescription[UsageReport], ...]], ...
] = (
    (
        COMPLETIONS,
        (
            _last_24_hours("tokens_last_24_hours", TOKENS, lambda usage: usage.tokens),
            _last_24_hours("requests_last_24_hours", REQUESTS, lambda usage: usage.requests),
        ),
    ),
    (USAGE["images"], _counted("images", lambda usage: usage.images)),
    (
        USAGE["audio_speeches"],
        _counted("speech_characters", lambda usage: usage.characters, "characters"),
    ),
    (
        USAGE["audio_transcriptions"],
        _counted(
            "transcription_seconds",
            lambda usage: usage.seconds,
            UnitOfTime.SECONDS,
            SensorDeviceClass.DURATION,
        ),
    ),
    (
        USAGE["web_search_calls"],
        _counted("web_searches", lambda usage: usage.web_searches, "searches"),
    ),
    (
        USAGE["file_search_calls"],
        _counted("file_searches", lambda usage: usage.file_searches, "searches"),
    ),
    (
        USAGE["code_interpreter_sessions"],
        _counted(
            "code_interpreter_sessions",
            lambda usage: usage.code_interpreter_sessions,
            "sessions",
        ),
    ),
    (
        USAGE["vector_stores"],
        (
            AccountSensorDescription[UsageReport](
                key="vector_store_bytes",
                translation_key="vector_store_bytes",
                device_class=SensorDeviceClass.DATA_SIZE,
                state_class=SensorStateClass.MEASUREMENT,
                native_unit_of_measurement=UnitOfInformation.BYTES,
                suggested_unit_of_measurement=UnitOfInformation.MEBIBYTES,
                suggested_display_precision=1,
                exists_fn=lambda report: not report.is_empty,
                value_fn=lambda report: report.vector_store_bytes,
            ),
        ),
    ),
)
