"""The costs: the window that is polled, and what came before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
import logging
from typing import override

from ..api import MAX_DAYS, CostReport, OpenAIAccountError
from ..const import SETTLED_DAYS
from .base import AccountCoordinator

_LOGGER = logging.getLogger(__package__)


class CostCoordinator(AccountCoordinator[CostReport]):
    """Polls the costs of the current month."""

    # The month before the current one, and the day on which it was requested
    _past: CostReport | None = None
    _past_requested: date | None = None

    @override
    async def _fetch(self) -> CostReport:
        report = await self.client.costs()
        if not report.complete:
            return report
        if self._past_is_due(report):
            try:
                self._past = await self.client.costs_between(report.last_month_start, report.start)
                self._past_requested = report.today
            except OpenAIAccountError as err:
                # The current month is there all the same; the next poll tries again.
                _LOGGER.debug("The costs of last month are not available now (%s)", err.code)
        if self._past is not None and self._past.today >= report.start - timedelta(days=1):
            report = _with_earlier_days(self._past, report)
        self.store.models.note(
            report.today,
            report.last_days_of_models,
            (day.models for day in report.days.values()),
        )
        self.store.projects.note(
            report.today,
            report.last_days_of_projects,
            (day.projects for day in report.days.values()),
            report.project_names,
        )
        return await self._reach_back(report)

    async def _reach_back(self, report: CostReport) -> CostReport:
        """Add the days since the last known credit that a long absence left out."""
        if (anchor := self.store.anchor) is None:
            return report
        known_until = date.fromisoformat(anchor["known_until"])
        while known_until < report.start:
            start = max(
                known_until - timedelta(days=SETTLED_DAYS), report.start - timedelta(days=MAX_DAYS)
            )
            try:
                part = await self.client.costs_between(start, report.start)
            except OpenAIAccountError as err:
                _LOGGER.debug(
                    "The costs since the last known credit are not available now (%s)", err.code
                )
                break
            report = _with_earlier_days(part, report)
        return report

    def _past_is_due(self, report: CostReport) -> bool:
        """Return whether to request the last month: at first, and while it can still change."""
        if self._past is None or self._past_requested is None:
            return True
        if self._past.start != report.last_month_start:
            return True
        return report.today.day <= SETTLED_DAYS + 1 and self._past_requested != report.today


def _with_earlier_days(past: CostReport, report: CostReport) -> CostReport:
    """Return a report that begins with the days of another one."""
    return replace(
        report,
        start=past.start,
        days={**past.days, **report.days},
        project_names={**past.project_names, **report.project_names},
    )
