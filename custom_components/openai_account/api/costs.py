"""What each UTC day cost, in US dollars, from either of two endpoints.

The dashboard's `usage` is not documented and reports US cents; `organization/costs`
is part of OpenAI's documented administration API and reports US dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
import math
from typing import Self

from .errors import InvalidResponseError
from .parsing import CENTS, JSON, JsonObject, cents, decimal, identifier, moment, text

# Prices go down to a hundred-millionth of a dollar per token. What is smaller is
# noise of the dashboard's floats, which the documented endpoint does not have.
_DIGITS = 10
_ZERO = Decimal()


@dataclass(frozen=True, slots=True)
class DayCosts:
    """The cost of one UTC day in US dollars: in total, by model, project id and API key id.

    A cost without a project or key is in the total and the models alone; only the
    documented endpoint names keys. `line_items` splits each model's cost, where that
    was requested.
    """

    cost: float = 0.0
    models: Mapping[str, float] = field(default_factory=dict)
    projects: Mapping[str, float] = field(default_factory=dict)
    api_keys: Mapping[str, float] = field(default_factory=dict)
    line_items: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __add__(self, other: DayCosts) -> DayCosts:
        """Add other costs of the same day."""
        return DayCosts(
            cost=math.fsum((self.cost, other.cost)),
            models=sum_by_name((self.models, other.models)),
            projects=sum_by_name((self.projects, other.projects)),
            api_keys=sum_by_name((self.api_keys, other.api_keys)),
            line_items={
                model: sum_by_name(
                    (self.line_items.get(model, {}), other.line_items.get(model, {}))
                )
                for model in {**self.line_items, **other.line_items}
            },
        )


@dataclass(slots=True)
class _Sums:
    """What the rows of a day add up to, in their currency unit."""

    line_items: dict[str | None, Decimal] = field(default_factory=dict)
    projects: dict[str, Decimal] = field(default_factory=dict)
    api_keys: dict[str, Decimal] = field(default_factory=dict)


class Ledger:
    """Adds up the rows of a response, of which there is one per line item, project and key."""

    def __init__(self, unit: int, *, line_items: bool) -> None:
        """Start empty; `unit` is how many of the rows' currency units make a US dollar.

        `line_items` tells whether the days keep them, of which there can be thousands.
        """
        self._unit = unit
        self._keeps_line_items = line_items
        self._days: dict[date, _Sums] = {}
        self.project_names: dict[str, str] = {}
        self.key_projects: dict[str, str] = {}
        self.organization: tuple[str, str | None] | None = None
        # The same few names occur in thousands of rows.
        self._texts: dict[str, str | None] = {}
        # Whether there was something to read, and whether some of it could be read
        self._has_content = False
        self._is_readable = False

    @property
    def is_unreadable(self) -> bool:
        """Whether there were days or rows, none of which could be read."""
        return self._has_content and not self._is_readable

    def _note(self, *, is_readable: bool) -> None:
        """Record whether a day, or a row's amount, could be read."""
        self._has_content = True
        self._is_readable |= is_readable

    def rows(
        self, data: JsonObject, days: str, time: str, rows: str
    ) -> Iterator[tuple[date, JsonObject]]:
        """Yield the rows of a response with their UTC days, by the names of its fields."""
        found = data.rows(days)
        if len(found) < data.count(days):
            self._note(is_readable=False)
        for day in found:
            moment_of_day, rows_of_day = day.read(time, moment), day.rows(rows)
            if moment_of_day is None or not day.holds_list(rows):
                self._note(is_readable=False)
                continue
            for row in rows_of_day:
                yield moment_of_day.date(), row

    def text(self, value: JSON) -> str | None:
        """Do what `text` of `parsing` does, once per distinct value."""
        if not isinstance(value, str):
            return None
        if value not in self._texts:
            self._texts[value] = text(value)
        return self._texts[value]

    def add(self, day: date, row: JsonObject, name: str, amount: Decimal | None) -> None:
        """Add a row whose line item is in the field `name`."""
        if self.organization is None and (organization := row.read("organization_id", identifier)):
            self.organization = organization, row.read("organization_name", text)
        project = row.read("project_id", self.text)
        api_key = row.read("api_key_id", self.text)
        if project:
            if project_name := row.read("project_name", self.text):
                self.project_names[project] = project_name
            if api_key:
                self.key_projects[api_key] = project
        self._note(is_readable=amount is not None)
        if not amount:
            return
        if (sums := self._days.get(day)) is None:
            sums = self._days[day] = _Sums()
        line_item = row.read(name, self.text)
        sums.line_items[line_item] = sums.line_items.get(line_item, _ZERO) + amount
        if project:
            sums.projects[project] = sums.projects.get(project, _ZERO) + amount
        if api_key:
            sums.api_keys[api_key] = sums.api_keys.get(api_key, _ZERO) + amount

    def days(self) -> dict[date, DayCosts]:
        """Return the days that have costs, in order."""
        return {day: self._day(sums) for day, sums in sorted(self._days.items())}

    def _day(self, sums: _Sums) -> DayCosts:
        models: dict[str, Decimal] = {}
        items: dict[str, dict[str, Decimal]] = {}
        for line_item, amount in sums.line_items.items():
            model = model_of(line_item)
            models[model] = models.get(model, _ZERO) + amount
            if self._keeps_line_items:
                of_model = items.setdefault(model, {})
                item = item_of(line_item)
                of_model[item] = of_model.get(item, _ZERO) + amount
        return DayCosts(
            self._dollars(sum(models.values(), _ZERO)),
            self._all_dollars(models),
            self._all_dollars(sums.projects),
            self._all_dollars(sums.api_keys),
            {model: self._all_dollars(of_model) for model, of_model in items.items()},
        )

    def _all_dollars(self, amounts: Mapping[str, Decimal]) -> dict[str, float]:
        return {name: self._dollars(amount) for name, amount in amounts.items()}

    def _dollars(self, amount: Decimal) -> float:
        return round(float(amount / self._unit), _DIGITS) + 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The costs of the UTC days from `start` to `today`, both included.

    A day that the response does not list has no costs. `complete` is False where
    the host reports no days at all: gateways report only what a token has spent
    over its whole life (`lifetime`, US dollars), which says nothing about a day. A
    total without any day to it says nothing either.
    `project_names` are the current names of projects by id, and `key_projects` the
    project of each API key, both by their ids; `organization` is the id and name of the
    organization that the costs belong to. All three are there where rows have them.
    """

    start: date
    today: date
    days: Mapping[date, DayCosts] = field(default_factory=dict)
    project_names: Mapping[str, str] = field(default_factory=dict)
    key_projects: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True
    lifetime: float | None = None
    organization: tuple[str, str | None] | None = None
    # Added up once, since the sensors of hundreds of models need it.
    models_this_month: Mapping[str, float] = field(init=False, compare=False)
    projects_this_month: Mapping[str, float] = field(init=False, compare=False)
    api_keys_this_month: Mapping[str, float] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Add up the costs of each model, project and API key in the current UTC month."""
        month = [self.days[day] for day in self._month()]
        object.__setattr__(self, "models_this_month", sum_by_name(day.models for day in month))
        object.__setattr__(self, "projects_this_month", sum_by_name(day.projects for day in month))
        object.__setattr__(self, "api_keys_this_month", sum_by_name(day.api_keys for day in month))

    @classmethod
    def read(cls, data: JsonObject, start: date, today: date, *, line_items: bool = False) -> Self:
        """Read the response of `usage`, whose amounts are US cents.

        Days outside the requested ones are left out, and what cannot be read. Where that is
        everything, it is an `InvalidResponseError`.
        """
        total = data.read("total_usage", cents)
        if not data.holds_list("daily_costs"):
            if not data.names() & {"daily_costs", "total_usage"}:
                raise InvalidResponseError("The response has no costs")
            return cls(start=start, today=today, complete=False, lifetime=total)
        if total and not data.rows("daily_costs"):
            return cls(start=start, today=today, complete=False)
        ledger = Ledger(CENTS, line_items=line_items)
        for day, item in ledger.rows(data, "daily_costs", "timestamp", "line_items"):
            if start <= day <= today:
                ledger.add(day, item, "name", item.read("cost", decimal))
        return cls.of(ledger, start, today)

    @classmethod
    def of(cls, ledger: Ledger, start: date, today: date) -> Self:
        """Return what a ledger has added up; raises `InvalidResponseError` where that is nothing.

        What nobody can read is not a cost of 0.
        """
        if ledger.is_unreadable:
            raise InvalidResponseError("No cost in the response can be read")
        return cls(
            start=start,
            today=today,
            days=ledger.days(),
            project_names=ledger.project_names,
            key_projects=ledger.key_projects,
            organization=ledger.organization,
        )

    @classmethod
    def read_official(
        cls, data: JsonObject, start: date, today: date, *, line_items: bool = False
    ) -> Self:
        """Read a response of the documented `costs`, whose amounts are US dollars.

        Days outside the requested ones are left out, and what cannot be read. Where that is
        everything, it is an `InvalidResponseError`; so is an amount in another currency, since
        it cannot be added up.
        """
        ledger = Ledger(1, line_items=line_items)
        if not data.holds_list("data"):
            raise InvalidResponseError("The response has no costs")
        for day, row in ledger.rows(data, "data", "start_time", "results"):
            if start <= day <= today:
                ledger.add(day, row, "line_item", _amount(row, ledger))
        return cls.of(ledger, start, today)

    @staticmethod
    def joined(parts: Sequence[CostReport]) -> CostReport:
        """Return one report of all parts of a response, which are in order."""
        if len(parts) == 1:
            return parts[0]
        days: dict[date, DayCosts] = {}
        names: dict[str, str] = {}
        key_projects: dict[str, str] = {}
        for part in parts:
            for day, costs in part.days.items():
                days[day] = days[day] + costs if day in days else costs
            names |= part.project_names
            key_projects |= part.key_projects
        return replace(
            parts[-1],
            start=parts[0].start,
            days=days,
            project_names=names,
            key_projects=key_projects,
            complete=all(part.complete for part in parts),
            organization=next((one.organization for one in parts if one.organization), None),
        )

    @property
    def last_days_of_models(self) -> dict[str, date]:
        """The last UTC day on which each model had costs."""
        return {name: day for day in sorted(self.days) for name in self.days[day].models}

    @property
    def last_days_of_projects(self) -> dict[str, date]:
        """The last UTC day on which each project, by its id, had costs."""
        return {name: day for day in sorted(self.days) for name in self.days[day].projects}

    @property
    def last_days_of_api_keys(self) -> dict[str, date]:
        """The last UTC day on which each API key, by its id, had costs."""
        return {name: day for day in sorted(self.days) for name in self.days[day].api_keys}

    @property
    def month_start(self) -> date:
        """The first day of the current UTC month."""
        return self.today.replace(day=1)

    def cost_of(self, day: date) -> float:
        """Return the cost of a requested UTC day in US dollars."""
        return self.days.get(day, DayCosts()).cost

    @property
    def cost_today(self) -> float:
        """The cost of the current UTC day so far, in US dollars."""
        return self.cost_of(self.today)

    @property
    def cost_this_month(self) -> float:
        """The cost of the current UTC month so far, in US dollars."""
        return math.fsum(self.days[day].cost for day in self._month())

    @property
    def cost_yesterday(self) -> float | None:
        """The cost of the last completed UTC day in US dollars; None if not requested."""
        return self._sum(1)

    @property
    def cost_last_7_days(self) -> float | None:
        """The cost of the last 7 completed UTC days in US dollars; None if not all requested."""
        return self._sum(7)

    @property
    def last_month_start(self) -> date:
        """The first day of the UTC month before the current one."""
        return (self.month_start - timedelta(days=1)).replace(day=1)

    @property
    def cost_last_month(self) -> float | None:
        """The cost of the last completed UTC month in US dollars; None if not all requested."""
        if self.start > self.last_month_start:
            return None
        days = (day for day in self.days if self.last_month_start <= day < self.month_start)
        return math.fsum(self.days[day].cost for day in days)

    @property
    def forecast_this_month(self) -> float | None:
        """The expected cost of the current UTC month in US dollars.

        That is the cost so far, plus the average of the last 7 completed days for
        each day that is left; today counts as an average day until it costs more.
        """
        if (week := self.cost_last_7_days) is None:
            return None
        average = max(week / 7, 0.0)
        next_month = (self.month_start + timedelta(days=31)).replace(day=1)
        rest = max(average - self.cost_today, 0.0)
        return self.cost_this_month + rest + average * ((next_month - self.today).days - 1)

    def _sum(self, days: int) -> float | None:
        first = self.today - timedelta(days=days)
        if self.start > first:
            return None
        return math.fsum(self.days[day].cost for day in self.days if first <= day < self.today)

    def _month(self) -> list[date]:
        return [day for day in self.days if day >= self.month_start]


def _amount(row: JsonObject, ledger: Ledger) -> Decimal | None:
    """Return the amount of a documented row in US dollars."""
    amount = row.inside("amount")
    if amount is None:
        return None
    if (amount.read("currency", ledger.text) or "usd").lower() != "usd":
        raise InvalidResponseError("The costs are not in US dollars")
    return amount.read("value", decimal)


def sum_by_name(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the sums of several mappings of names to costs."""
    rows: dict[str, list[float]] = {}
    for day in costs:
        for name, cost in day.items():
            rows.setdefault(name, []).append(cost)
    return {name: math.fsum(amounts) for name, amounts in rows.items()}


def model_of(line_item: str | None) -> str:
    """Return the model of a line item: its name up to the first comma."""
    return ((line_item or "").partition(",")[0].strip() or "unknown")[:200]


def item_of(line_item: str | None) -> str:
    """Return what a line item is within its model, such as `input`; its whole name without one."""
    model, _, item = (line_item or "").partition(",")
    return (item.strip() or model.strip() or "unknown")[:200]
