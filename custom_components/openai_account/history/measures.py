"""What the history holds: a new series of daily values is a new measure in this table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from homeassistant.core import CALLBACK_TYPE

from ..api import MAX_DAILY_BUCKETS, MAX_DAYS, MODEL, DayCosts, DayUsage
from ..const import CURRENCY_USD
from ..coordinator import OpenAIAccountData
from ..daily_usage import async_fetch_usage
from ..entity import always
from ..slugs import SlugRegistry
from ..store import AccountStore
from ..titles import api_key_titles


class DailyReport[DayT](Protocol):
    """A response: the values of the UTC days from `start` to `today`, both included.

    A day that is not in `days` is an empty one. If `complete` is False, nothing is known of
    any day.
    """

    @property
    def start(self) -> date: ...  # noqa: D102
    @property
    def today(self) -> date: ...  # noqa: D102
    @property
    def days(self) -> Mapping[date, DayT]: ...  # noqa: D102
    @property
    def complete(self) -> bool: ...  # noqa: D102


class Poller[DayT](Protocol):
    """The part of a coordinator that the history needs."""

    @property
    def last_update_success(self) -> bool: ...  # noqa: D102
    @property
    def data(self) -> DailyReport[DayT] | None: ...  # noqa: D102
    def async_add_listener(self, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE: ...  # noqa: D102


def _no_titles(_: AccountStore) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure[DayT]:
    """A statistic of the account, and one for each name (a model, a project, ...).

    `key` follows the account's identity in the statistic id, and the slug of a name
    follows `key`; `label` is in the statistic's name. `unit` and `unit_class` are the
    recorder's. `total` picks the account's value of a day, `by_name` those of the names,
    whose slugs are in a registry of the store. `titles` returns what to call the names now,
    where that is not the name. The values are reported where `is_reported` is True of the
    account; where it is not, the statistics stay as they are.
    """

    key: str
    label: str
    unit: str
    unit_class: str | None = None
    total: Callable[[DayT], float] | None = None
    by_name: Callable[[DayT], Mapping[str, float]] | None = None
    registry: Callable[[AccountStore], SlugRegistry] | None = None
    titles: Callable[[AccountStore], Mapping[str, str]] = _no_titles
    is_reported: Callable[[OpenAIAccountData], bool] = always


@dataclass(frozen=True, slots=True, kw_only=True)
class Source[DayT]:
    """An endpoint with daily values: how they are polled and requested, and what is kept.

    The account's statistic of the first measure has a row for every day that is known: it
    is written last and tells what is missing. `empty` is a day of which nothing is reported.
    Past days are requested up to `max_days` at a time.
    """

    poller: Callable[[OpenAIAccountData], Poller[DayT]]
    request: Callable[[OpenAIAccountData, date, date], Awaitable[DailyReport[DayT]]]
    empty: DayT
    max_days: int
    measures: tuple[Measure[DayT], ...]


COST = "cost"
PROJECT_COST = "project_cost"
KEY_COST = "key_cost"

COSTS = Source(
    poller=lambda data: data.costs,
    request=lambda data, start, end: data.client.costs_between(start, end),
    empty=DayCosts(),
    max_days=MAX_DAYS,
    measures=(
        Measure(
            key=COST,
            label="cost",
            unit=CURRENCY_USD,
            total=lambda day: day.cost,
            by_name=lambda day: day.models,
            registry=lambda store: store.models,
        ),
        Measure(
            key=PROJECT_COST,
            label="project cost",
            unit=CURRENCY_USD,
            by_name=lambda day: day.projects,
            registry=lambda store: store.projects,
            titles=lambda store: store.projects.labels(),
        ),
        Measure(
            key=KEY_COST,
            label="API key cost",
            unit=CURRENCY_USD,
            by_name=lambda day: day.api_keys,
            registry=lambda store: store.api_keys,
            titles=api_key_titles,
            is_reported=lambda data: data.reports_api_keys,
        ),
    ),
)

TOKENS = "tokens"

USAGE = Source(
    poller=lambda data: data.usage.requests,
    request=lambda data, start, end: async_fetch_usage(data, start, end, MODEL),
    empty=DayUsage(),
    max_days=MAX_DAILY_BUCKETS,
    measures=(
        Measure[DayUsage](
            key="input_tokens",
            label="input tokens",
            unit=TOKENS,
            total=lambda day: day.total.input_tokens,
        ),
        Measure[DayUsage](
            key="cached_input_tokens",
            label="cached input tokens",
            unit=TOKENS,
            total=lambda day: day.total.cached_input_tokens,
        ),
        Measure[DayUsage](
            key="output_tokens",
            label="output tokens",
            unit=TOKENS,
            total=lambda day: day.total.output_tokens,
        ),
        Measure[DayUsage](
            key="requests",
            label="requests",
            unit="requests",
            total=lambda day: day.total.requests,
        ),
        Measure[DayUsage](
            key=TOKENS,
            label="tokens",
            unit=TOKENS,
            by_name=lambda day: {
                name: usage.tokens for name, usage in day.models.items() if usage.tokens
            },
            registry=lambda store: store.usage_models,
        ),
    ),
)
