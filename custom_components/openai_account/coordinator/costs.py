"""The costs: what each poll requests of them, and the months and days before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..api import (
    MAX_DAYS,
    CostReport,
    InvalidResponseError,
    OpenAIAccountClient,
    OpenAIAccountError,
    sum_by_name,
    window,
)
from ..const import SETTLED_DAYS
from ..store import AccountStore
from .base import AccountCoordinator
from .spans import LongSpans
from .window import WholeOnceADay, replaced

if TYPE_CHECKING:
    from . import OpenAIAccountConfigEntry

_DAY = timedelta(days=1)
_SETTLED = SETTLED_DAYS * _DAY

# What was spent in a longer absence is not requested.
_LONGEST_ABSENCE = 366 * _DAY


class CostCoordinator(AccountCoordinator[CostReport]):
    """Polls the days whose costs can still change; once a day, the whole current month.

    The report of a poll holds all that is known, whatever the poll has requested.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        client: OpenAIAccountClient,
        store: AccountStore,
        endpoint: str,
    ) -> None:
        """Prepare; nothing is requested yet."""
        super().__init__(hass, entry, client, store, endpoint)
        self._whole = WholeOnceADay()
        self._spans = LongSpans(client)
        # The last response, of which `data` is made
        self._response: CostReport | None = None
        # The month before the current one, and the day on which it was requested
        self._past: CostReport | None = None
        self._past_requested = date.min

    @property
    @override
    def continues(self) -> bool:
        """Whether the last poll has received some of the days that it requested."""
        return self._spans.continues

    @override
    async def _fetch(self) -> CostReport:
        today = dt_util.utcnow().date()
        self._spans.start_poll()
        response = await self._fetch_whole(today) if self._whole.is_due(today) else None
        is_whole = response is not None
        if response is None:
            response = await self.client.costs_between(today - _SETTLED, today + _DAY)
        if not response.complete:
            # Whatever the host reported before is not what it reports now.
            self._whole.forget()
            if self.data is not None and self.data.complete:
                # Not a gateway then: that no day is listed does not mean that none cost anything.
                raise InvalidResponseError("The response has no days")
            return response
        if is_whole:
            report = response
            if self._past is not None and self._past.start == report.last_month_start:
                report = _updated(self._past, report)
        elif response is self._response:
            report = self.data
        else:
            report = _updated(self.data, response)
            self._keep_corrections(response)
        past = self._past
        report = await self._add_last_month(report)
        if self._past is not past:
            self._note_names(report, report)
        elif response is not self._response:
            # All other days were noted before.
            self._note_names(response, report)
        report = await self._reach_back(report)
        # Not before: a poll can be canceled while it waits, and then nothing is known of it.
        if is_whole:
            self._whole.note_success(response.today)
        self._response = response
        return report

    async def _fetch_whole(self, today: date) -> CostReport | None:
        """Fetch the current month.

        None where the next poll continues, and what is known has no gap until then.
        """
        try:
            return await self._spans.fetch(*window(today))
        except OpenAIAccountError:
            known: CostReport | None = self.data
            if not self.continues:
                raise
            self.store.note_answer(self.endpoint)
            if known is not None and known.complete and today - _SETTLED <= known.today <= today:
                return None
            raise

    def _keep_corrections(self, response: CostReport) -> None:
        """Keep what a poll reports of last month, for a day on which the month's request fails."""
        past = self._past
        if past is None or past.today < response.start:
            return
        days = {day: costs for day, costs in response.days.items() if day <= past.today}
        kept = replaced(past.days, days, response.start, past.today + _DAY)
        self._past = replace(past, days=kept)

    async def _add_last_month(self, report: CostReport) -> CostReport:
        """Request the last month if that is due: at first, and while it can still change."""
        start, end = report.last_month_start, report.month_start
        if self._past is not None and self._past.start == start:
            requested = self._past_requested
            is_settled = end + _SETTLED <= requested <= report.today
            if is_settled or requested == report.today:
                return report
        past = await self._fetch_optional(partial(self._spans.fetch, start, end))
        if past is None or not past.complete:
            return report
        self._past, self._past_requested = past, report.today
        return _updated(report, past)

    async def _reach_back(self, report: CostReport) -> CostReport:
        """Add the days since the last known credit that a long absence left out."""
        if (anchor := self.store.anchor) is None:
            return report
        known_until = date.fromisoformat(anchor["known_until"])
        if known_until < report.today - _LONGEST_ABSENCE:
            # This is a clock that was wrong, or an account that nobody has looked at for long.
            return report
        while known_until < report.start:
            start = max(known_until - _SETTLED, report.start - MAX_DAYS * _DAY)
            part = await self._fetch_optional(partial(self._spans.fetch, start, report.start))
            if part is None or not part.complete:
                break
            report = _updated(report, part)
        return report

    def _note_names(self, part: CostReport, report: CostReport) -> None:
        """Record which models, projects and API keys had costs in a part of a report.

        Where there are too many, the costs in the whole report tell which matter most.
        """
        today, days = report.today, report.days.values()
        self.store.models.note(
            today, part.last_days_of_models, lambda: sum_by_name(day.models for day in days)
        )
        self.store.projects.note(
            today,
            part.last_days_of_projects,
            lambda: sum_by_name(day.projects for day in days),
            part.project_names,
        )
        self.store.api_keys.note(
            today, part.last_days_of_api_keys, lambda: sum_by_name(day.api_keys for day in days)
        )
        self.store.api_keys.note_projects(part.key_projects)


def _updated(report: CostReport, part: CostReport) -> CostReport:
    """Return a report in which the days of another one replace what was known of them."""
    # The later days have the current names.
    earlier, later = sorted((report, part), key=lambda one: one.today)
    return replace(
        report,
        start=min(report.start, part.start),
        today=later.today,
        days=replaced(report.days, part.days, part.start, part.today + _DAY),
        project_names={**earlier.project_names, **later.project_names},
        key_projects={**earlier.key_projects, **later.key_projects},
        organization=report.organization or part.organization,
    )
