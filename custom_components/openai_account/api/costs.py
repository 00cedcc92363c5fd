"""What each UTC day cost, from either of the two endpoints that tell it, in US dollars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
import math
from typing import Self

from .errors import InvalidResponseError
from .parsing import CENTS, JSON, JsonObject, cents, decimal, moment, text

# Prices go down to a hundred-millionth of a dollar a token; what is smaller is
# the noise of the dashboard's floats, which the official endpoint does not have.
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class DayCosts:
    """What one UTC day cost, in US dollars: in all, for each model, and for each project's id.

    Costs that belong to no project are in none.
    """

    cost: float = 0.0
    models: Mapping[str, float] = field(default_factory=dict)
    projects: Mapping[str, float] = field(default_factory=dict)


class Ledger:
    """Adds up the rows of an answer: input, output and cached input, each once a project."""

    def __init__(self, unit: int) -> None:
        """Start empty; `unit` of what the rows count in make a US dollar."""
        self._unit = unit
        self._days: dict[date, tuple[dict[str, Decimal], dict[str, Decimal]]] = {}
        self.project_names: dict[str, str] = {}
        self.organization: tuple[str, str | None] | None = None
        # The same few names stand in thousands of rows.
        self._texts: dict[str, str | None] = {}
        self._models: dict[str | None, str] = {}

    def _text(self, value: JSON) -> str | None:
        """Do what `text` does, once a text."""
        if not isinstance(value, str):
            return None
        if value not in self._texts:
            self._texts[value] = text(value)
        return self._texts[value]

    def add(self, day: date, row: JsonObject, name: str, amount: Decimal | None) -> None:
        """Take in a row whose `name` field tells the line item."""
        if self.organization is None and (organization := row.read("organization_id", text)):
            self.organization = organization, row.read("organization_name", text)
        project = row.read("project_id", self._text)
        if project and (project_name := row.read("project_name", self._text)):
            self.project_names[project] = project_name
        if not amount:
            return
        models, projects = self._days.setdefault(day, ({}, {}))
        line_item = row.read(name, self._text)
        if (model := self._models.get(line_item)) is None:
            model = self._models[line_item] = model_of(line_item)
        models[model] = models.get(model, Decimal()) + amount
        if project:
            projects[project] = projects.get(project, Decimal()) + amount

    def days(self) -> dict[date, DayCosts]:
        """Return the days that cost something, in order."""
        return {
            day: DayCosts(
                self._dollars(sum(models.values(), Decimal())),
                {model: self._dollars(amount) for model, amount in models.items()},
                {project: self._dollars(amount) for project, amount in projects.items()},
            )
            for day, (models, projects) in sorted(self._days.items())
        }

    def _dollars(self, amount: Decimal) -> float:
        return round(float(amount / self._unit), _DIGITS) + 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The costs of the UTC days from `start` to `today`, both included.

    A day that the answer does not name cost nothing. `complete` is False where
    the host names no days at all: gateways tell only what was spent over a
    token's whole life (`lifetime`, US dollars), which says nothing about any day.
    `project_names` are the names that projects bear now, by id; `organization` is
    the id and name of the one that the costs are of, where rows tell it.
    """

    start: date
    today: date
    days: Mapping[date, DayCosts] = field(default_factory=dict)
    project_names: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True
    lifetime: float | None = None
    organization: tuple[str, str | None] | None = None
    # Added up once: a sensor for each of hundreds of models asks for it.
    models_this_month: Mapping[str, float] = field(init=False, compare=False)
    projects_this_month: Mapping[str, float] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Add up what each model and project has cost in the running UTC month, in US dollars."""
        month = [self.days[day] for day in self._month()]
        object.__setattr__(self, "models_this_month", sum_by_name(day.models for day in month))
        object.__setattr__(self, "projects_this_month", sum_by_name(day.projects for day in month))

    @classmethod
    def read(cls, data: JsonObject, start: date, today: date) -> Self:
        """Read the answer of `usage`, whose amounts are US cents.

        Days outside the asked ones are left out.
        """
        if not data.holds_list("daily_costs"):
            if not data.names() & {"daily_costs", "total_usage"}:
                raise InvalidResponseError("The answer holds no costs")
            return cls(
                start=start,
                today=today,
                complete=False,
                lifetime=data.read("total_usage", cents),
            )
        ledger = Ledger(CENTS)
        for day in data.rows("daily_costs"):
            timestamp = day.read("timestamp", moment)
            if timestamp is None or not start <= timestamp.date() <= today:
                continue
            for item in day.rows("line_items"):
                ledger.add(timestamp.date(), item, "name", item.read("cost", decimal))
        return cls.of(ledger, start, today)

    @classmethod
    def of(cls, ledger: Ledger, start: date, today: date) -> Self:
        """Return what a ledger has added up."""
        return cls(
            start=start,
            today=today,
            days=ledger.days(),
            project_names=ledger.project_names,
            organization=ledger.organization,
        )

    @classmethod
    def read_pages(cls, pages: Iterable[JsonObject], start: date, today: date) -> Self:
        """Read all pages of the official `costs`, whose amounts are US dollars.

        Days outside the asked ones are left out. An amount in another currency
        is an error: no sum of it would be one.
        """
        ledger = Ledger(1)
        for page in pages:
            if not page.holds_list("data"):
                raise InvalidResponseError("The answer holds no costs")
            for bucket in page.rows("data"):
                time = bucket.read("start_time", moment)
                if time is None or not start <= time.date() <= today:
                    continue
                for row in bucket.rows("results"):
                    ledger.add(time.date(), row, "line_item", _amount(row))
        return cls.of(ledger, start, today)

    @property
    def last_days_of_models(self) -> dict[str, date]:
        """The last UTC day on which each model had costs."""
        return {name: day for day in sorted(self.days) for name in self.days[day].models}

    @property
    def last_days_of_projects(self) -> dict[str, date]:
        """The last UTC day on which each project, by its id, had costs."""
        return {name: day for day in sorted(self.days) for name in self.days[day].projects}

    @property
    def month_start(self) -> date:
        """The first day of the running UTC month."""
        return self.today.replace(day=1)

    @property
    def cost_today(self) -> float:
        """What the running UTC day has cost so far, in US dollars."""
        return self.days.get(self.today, DayCosts()).cost

    @property
    def cost_this_month(self) -> float:
        """What the running UTC month has cost so far, in US dollars."""
        return math.fsum(self.days[day].cost for day in self._month())

    @property
    def cost_yesterday(self) -> float | None:
        """What the last full UTC day cost, in US dollars; None where it was not asked for."""
        return self._sum(1)

    @property
    def cost_last_7_days(self) -> float | None:
        """What the last 7 full UTC days cost, in US dollars; None where one was not asked for."""
        return self._sum(7)

    @property
    def last_month_start(self) -> date:
        """The first day of the UTC month before the running one."""
        return (self.month_start - timedelta(days=1)).replace(day=1)

    @property
    def cost_last_month(self) -> float | None:
        """What the last full UTC month cost, in US dollars; None where it was not asked for."""
        if self.start > self.last_month_start:
            return None
        days = (day for day in self.days if self.last_month_start <= day < self.month_start)
        return math.fsum(self.days[day].cost for day in days)

    @property
    def forecast_this_month(self) -> float | None:
        """What the running UTC month will have cost, in US dollars.

        That is what it has cost so far, and for each day that is left the mean of
        the last 7 full days; today counts as such a day until it has cost more.
        """
        if (week := self.cost_last_7_days) is None:
            return None
        mean = max(week / 7, 0.0)
        next_month = (self.month_start + timedelta(days=31)).replace(day=1)
        rest = max(mean - self.cost_today, 0.0)
        return self.cost_this_month + rest + mean * ((next_month - self.today).days - 1)

    def _sum(self, days: int) -> float | None:
        first = self.today - timedelta(days=days)
        if self.start > first:
            return None
        return math.fsum(self.days[day].cost for day in self.days if first <= day < self.today)

    def _month(self) -> list[date]:
        return [day for day in self.days if day >= self.month_start]


def _amount(row: JsonObject) -> Decimal | None:
    """Return the amount of an official row in US dollars."""
    amount = row.inside("amount")
    if amount is None:
        return None
    if (amount.read("currency", text) or "usd").lower() != "usd":
        raise InvalidResponseError("The costs are not in US dollars")
    return amount.read("value", decimal)


def sum_by_name(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the sums of some days' costs, by the name of what they are of."""
    rows: dict[str, list[float]] = {}
    for day in costs:
        for name, cost in day.items():
            rows.setdefault(name, []).append(cost)
    return {name: math.fsum(amounts) for name, amounts in rows.items()}


def model_of(line_item: str | None) -> str:
    """Return the model that a line item belongs to: its name up to the first comma."""
    return ((line_item or "").partition(",")[0].strip() or "unknown")[:200]
