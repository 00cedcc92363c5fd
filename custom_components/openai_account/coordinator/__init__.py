"""Coordinators: one per endpoint, so that a failure of one stays its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..api import (
    USAGE_ENDPOINTS,
    CostReport,
    CreditGrants,
    EndpointMissingError,
    KeyKind,
    NotPermittedError,
    OpenAIAccountClient,
    SpendLimit,
    Subscription,
    UsageReport,
)
from ..const import (
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    DEFAULT_LOW_BALANCE_THRESHOLD,
)
from ..store import AccountStore
from .base import ENDPOINT_GONE, AccountCoordinator
from .costs import CostCoordinator
from .names import NameCoordinator
from .usage import (
    PREFIX,
    AccountUsage,
    CompletionsCoordinator,
    OccasionalUsageCoordinator,
    UsageCoordinator,
    UsageSum,
)

__all__ = [
    "COMPLETIONS",
    "COSTS",
    "CREDIT",
    "ENDPOINTS",
    "ENDPOINT_GONE",
    "SPEND_LIMIT",
    "SUBSCRIPTION",
    "USAGE",
    "AccountCoordinator",
    "AccountOptions",
    "AccountUsage",
    "AnyCoordinator",
    "AnyEndpoint",
    "CostCoordinator",
    "Endpoint",
    "NameCoordinator",
    "OpenAIAccountConfigEntry",
    "OpenAIAccountData",
    "UsageSum",
    "keys_of",
]

type OpenAIAccountConfigEntry = ConfigEntry[OpenAIAccountData]


def keys_of(entry: OpenAIAccountConfigEntry) -> dict[KeyKind, str]:
    """Return the keys that an entry has."""
    return {kind: key for kind in KeyKind if (key := entry.data.get(kind))}


class CreditCoordinator(AccountCoordinator[CreditGrants]):
    """Polls the prepaid credit."""

    @override
    async def _fetch(self) -> CreditGrants:
        return await self.client.credit_grants()


class SubscriptionCoordinator(AccountCoordinator[Subscription]):
    """Polls the plan and its limits."""

    @override
    async def _fetch(self) -> Subscription:
        return await self.client.subscription()


class SpendLimitCoordinator(AccountCoordinator[SpendLimit]):
    """Polls the organization's own monthly limit."""

    @override
    async def _fetch(self) -> SpendLimit:
        try:
            return await self.client.spend_limit()
        except NotPermittedError:
            raise
        except EndpointMissingError:
            # This is how the endpoint reports that no limit is set anymore.
            if self.store.has_answered(self.endpoint):
                return SpendLimit()
            raise


class AnyEndpoint(Protocol):
    """An endpoint, whatever it reports."""

    @property
    def name(self) -> str:
        """The name."""


@dataclass(frozen=True, slots=True)
class Endpoint[DataT]:
    """Something that an account can be polled for: its name, the keys that open it, and who polls.

    One of the keys is enough.
    """

    name: str
    keys: frozenset[KeyKind]
    coordinator: type[AccountCoordinator[DataT]]


CREDIT = Endpoint("credit_grants", frozenset({KeyKind.SESSION}), CreditCoordinator)
COSTS = Endpoint("costs", frozenset(KeyKind), CostCoordinator)
SUBSCRIPTION = Endpoint("subscription", frozenset({KeyKind.SESSION}), SubscriptionCoordinator)
SPEND_LIMIT = Endpoint("spend_limit", frozenset({KeyKind.ADMIN}), SpendLimitCoordinator)

# The usage endpoints by the last part of their paths
USAGE: Mapping[str, Endpoint[UsageReport]] = {
    one.name: Endpoint(
        f"{PREFIX}{one.name}",
        frozenset({KeyKind.ADMIN}),
        CompletionsCoordinator if one.name == "completions" else OccasionalUsageCoordinator,
    )
    for one in USAGE_ENDPOINTS
}
COMPLETIONS = USAGE["completions"]

# All endpoints, in the order in which their entities are added.
ENDPOINTS: tuple[
    Endpoint[CreditGrants]
    | Endpoint[CostReport]
    | Endpoint[Subscription]
    | Endpoint[SpendLimit]
    | Endpoint[UsageReport],
    ...,
] = (CREDIT, COSTS, SUBSCRIPTION, SPEND_LIMIT, *USAGE.values())

type AnyCoordinator = AccountCoordinator[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOptions:
    """The options of an entry: US dollars; None or 0 stands for 'not wanted'."""

    low_balance_threshold: float
    monthly_budget: float | None

    @classmethod
    def of(cls, entry: OpenAIAccountConfigEntry) -> AccountOptions:
        """Return an entry's options."""
        return cls(
            low_balance_threshold=entry.options.get(
                CONF_LOW_BALANCE_THRESHOLD, DEFAULT_LOW_BALANCE_THRESHOLD
            ),
            monthly_budget=entry.options.get(CONF_MONTHLY_BUDGET),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIAccountData:
    """What a loaded entry holds: a coordinator for each endpoint that its keys open.

    `names` tells what projects and API keys are called; None without an admin key.
    """

    client: OpenAIAccountClient
    store: AccountStore
    options: AccountOptions
    by_endpoint: Mapping[str, AnyCoordinator]
    names: NameCoordinator | None
    usage: AccountUsage

    @classmethod
    def create(
        cls, hass: HomeAssistant, entry: OpenAIAccountConfigEntry, client: OpenAIAccountClient
    ) -> OpenAIAccountData:
        """Return an entry's data before anything is requested."""
        store = AccountStore(hass, entry.entry_id)
        keys = keys_of(entry).keys()
        by_endpoint = {
            one.name: cast(AnyCoordinator, one.coordinator(hass, entry, client, store, one.name))
            for one in ENDPOINTS
            if one.keys & keys
        }
        costs = cast("AccountCoordinator[CostReport]", by_endpoint[COSTS.name])
        return cls(
            client=client,
            store=store,
            options=AccountOptions.of(entry),
            by_endpoint=by_endpoint,
            names=(
                NameCoordinator(hass, entry, client, store, costs)
                if KeyKind.ADMIN in keys
                else None
            ),
            usage=AccountUsage(
                [one for one in by_endpoint.values() if isinstance(one, UsageCoordinator)]
            ),
        )

    @property
    def coordinators(self) -> tuple[AnyCoordinator, ...]:
        """All coordinators."""
        return tuple(self.by_endpoint.values())

    @property
    def last_update(self) -> datetime | None:
        """When the least recently fetched endpoint was fetched (UTC), of those of each poll."""
        updates = (
            one.status.last_success
            for one in self.coordinators
            if one.is_frequent and one.is_served and one.status.last_success
        )
        return min(updates, default=None)

    def is_rejected(self, key: KeyKind) -> bool:
        """Return whether an endpoint has rejected a key."""
        return any(one.status.failed_key is key for one in self.coordinators)

    @property
    def costs(self) -> AccountCoordinator[CostReport]:
        """The coordinator of the costs, which any key opens."""
        return cast("AccountCoordinator[CostReport]", self.by_endpoint[COSTS.name])

    @property
    def reports_api_keys(self) -> bool:
        """Whether costs say which API key they are of, which takes an admin key."""
        return self.names is not None

    def opens(self, endpoint: AnyEndpoint) -> bool:
        """Return whether one of the account's keys opens an endpoint."""
        return endpoint.name in self.by_endpoint

    def coordinator[DataT](self, endpoint: Endpoint[DataT]) -> AccountCoordinator[DataT] | None:
        """Return the coordinator of an endpoint, None where no key opens it."""
        return cast("AccountCoordinator[DataT] | None", self.by_endpoint.get(endpoint.name))

    def last[DataT](self, endpoint: Endpoint[DataT]) -> DataT | None:
        """Return the last response of an endpoint, however old; None before the first one."""
        coordinator = self.coordinator(endpoint)
        return coordinator.data if coordinator else None

    def current[DataT](self, endpoint: Endpoint[DataT]) -> DataT | None:
        """Return the response of an endpoint's last poll; None if it failed."""
        coordinator = self.coordinator(endpoint)
        return coordinator.data if coordinator and coordinator.last_update_success else None
