"""The names of projects and API keys, which the costs know by their ids alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
import logging
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import (
    CostReport,
    EndpointMissingError,
    InvalidResponseError,
    NamedObject,
    OpenAIAccountClient,
    OpenAIAccountError,
    RateLimitedError,
    ServerError,
    WrongAdminKeyError,
)
from ..const import DOMAIN, MISSING_PERIOD
from ..status import endpoint_status
from ..store import AccountStore
from .base import AccountCoordinator

if TYPE_CHECKING:
    from . import OpenAIAccountConfigEntry

_LOGGER = logging.getLogger(__package__)

_INTERVAL = timedelta(days=1)
# After a failure at least twice as long.
_RETRY_INTERVAL = timedelta(minutes=5)

# A new account's entities wait so many seconds for their names.
_PATIENCE = 10

_PROJECTS = "projects"


@dataclass(slots=True)
class Names:
    """The names of projects and API keys, and the project of each key, by their ids."""

    projects: dict[str, str] = field(default_factory=dict)
    api_keys: dict[str, str] = field(default_factory=dict)
    key_projects: dict[str, str] = field(default_factory=dict)


class NameCoordinator(DataUpdateCoordinator[Names]):
    """Requests the names once a day, and when there is an id that has none.

    The store keeps those of what has had costs, over a restart and after a key was deleted.
    Whatever fails, everything keeps the name that it had. Only projects that have had costs
    are requested for their keys.
    """

    config_entry: OpenAIAccountConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        client: OpenAIAccountClient,
        store: AccountStore,
        costs: AccountCoordinator[CostReport],
    ) -> None:
        """Prepare; nothing is requested yet."""
        super().__init__(
            hass, _LOGGER, config_entry=entry, name=f"{DOMAIN} names", update_interval=_INTERVAL
        )
        self.data = Names()
        self.status = endpoint_status(hass, entry.entry_id, "names")
        self._client = client
        self._store = store
        self._costs = costs
        # When each list was last requested (UTC), by its project
        self._requested: dict[str, date] = {}
        self._may_not_read_until = date.min
        # Ids without a name that is being requested, or was in vain
        self._awaited: set[str] = set()
        self._tried: set[str] = set()

    async def async_start(self) -> None:
        """Request names from now on; what has none yet waits for it, but not for long."""
        self.config_entry.async_on_unload(self._costs.async_add_listener(self._async_costs_updated))
        request = self._async_request()
        if self._nameless():
            await asyncio.wait({request}, timeout=_PATIENCE)

    @callback
    def _async_request(self) -> asyncio.Task[None]:
        # It waits for a request under way, which `async_request_refresh` may take for its own.
        return self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{DOMAIN} names"
        )

    def is_tried(self, api_key: str) -> bool:
        """Return whether an API key's name is known, or was requested in vain."""
        return api_key in self._tried or api_key not in self._nameless()

    def _nameless(self) -> set[str]:
        """Return the ids of projects and API keys whose name is not known."""
        labels = self._store.projects.labels() | self._store.api_keys.labels()
        return {one for one, label in labels.items() if one == label}

    @callback
    def _async_costs_updated(self) -> None:
        """Name what has costs for the first time."""
        if self._nameless() - self._awaited:
            self._async_request()

    @callback
    def _note_names(self) -> None:
        """Record the names of what has had costs."""
        report = self._costs.data
        # What the costs call a project is newer.
        in_rows = report.project_names if report else {}
        self._store.projects.relabel(
            {one: name for one, name in self.data.projects.items() if one not in in_rows}
        )
        self._store.api_keys.relabel(self.data.api_keys)
        self._store.api_keys.note_projects(self.data.key_projects)

    @override
    async def _async_update_data(self) -> Names:
        """Request the lists that are due; keep the names that there are where one fails."""
        nameless = self._nameless()
        for one in nameless - self._awaited:
            project = self._store.api_keys.projects().get(one)
            self._requested.pop(project or _PROJECTS, None)
        self._awaited |= nameless
        self.update_interval = _INTERVAL
        if left := self.status.seconds_left:
            self.update_interval = timedelta(seconds=left)
        else:
            try:
                await self._request_all()
                self.status.note_success()
            except OpenAIAccountError as err:
                self._note_failure(err)
        self._note_names()
        self._tried |= nameless
        return self.data

    async def _request_all(self) -> None:
        """Request the projects, and the keys of each one that has had costs.

        A list that cannot be read keeps no other one from being requested; the first error is
        raised in the end.
        """
        failures: list[OpenAIAccountError] = []
        for one in await self._attempt(_PROJECTS, self._client.projects, failures):
            if one.name:
                self.data.projects[one.id] = one.name
        for project in sorted(self._store.projects.labels()):
            api_keys = partial(self._client.api_keys, project)
            for one in await self._attempt(project, api_keys, failures):
                if one.name:
                    self.data.api_keys[one.id] = one.name
                self.data.key_projects[one.id] = project
        if failures:
            raise failures[0]

    async def _attempt(
        self,
        name: str,
        request: Callable[[], Awaitable[tuple[NamedObject, ...]]],
        failures: list[OpenAIAccountError],
    ) -> tuple[NamedObject, ...]:
        """Request a list that is due; note a failure that may be of this list alone."""
        try:
            return await self._request(name, request)
        except (InvalidResponseError, ServerError) as err:
            failures.append(err)
            return ()

    async def _request(
        self, name: str, request: Callable[[], Awaitable[tuple[NamedObject, ...]]]
    ) -> tuple[NamedObject, ...]:
        """Request a list, unless it was today; return nothing where there is no such list."""
        today = dt_util.utcnow().date()
        if self._requested.get(name) == today or self._may_not_read_until > today:
            return ()
        found: tuple[NamedObject, ...] = ()
        try:
            found = await request()
        except EndpointMissingError:
            pass
        except WrongAdminKeyError:
            # A key that may not read one of the lists may not read the others.
            self._may_not_read_until = today + MISSING_PERIOD
        self._requested[name] = today
        return found

    def _note_failure(self, err: OpenAIAccountError) -> None:
        """Try again later. Nothing is unavailable, and a rejected key is the costs' to report."""
        _LOGGER.debug("Some names of projects and API keys are not available now (%s)", err.code)
        self.status.last_error = err.code
        retry_after = err.retry_after if isinstance(err, RateLimitedError) else None
        self.update_interval = timedelta(seconds=self.status.pause(retry_after, _RETRY_INTERVAL))
