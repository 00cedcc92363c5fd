"""OpenAI Account: what an OpenAI account costs, and what it has left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from homeassistant.const import CONF_HOST, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.helpers.typing import ConfigType
from homeassistant.loader import async_get_integration

from .api import KeyKind, OpenAIAccountClient, OpenAIAccountError
from .const import CONF_ORGANIZATION, DOMAIN
from .coordinator import (
    FAILED_KEYS,
    AnyCoordinator,
    CostCoordinator,
    CreditCoordinator,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
    SpendLimitCoordinator,
    SubscriptionCoordinator,
    clear_pauses,
    delete_issues,
    end_needless_reauth,
    keys_of,
)
from .dashboard import async_register_dashboard
from .services import async_register_actions
from .store import AccountStore
from .websocket_api import async_register_commands

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [Platform.SENSOR, Platform.BINARY_SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all accounts share."""
    async_register_actions(hass)
    async_register_commands(hass)
    await async_register_dashboard(hass)
    return True


async def async_create_client(
    hass: HomeAssistant, host: str, keys: Mapping[KeyKind, str], organization: str | None = None
) -> OpenAIAccountClient:
    """Return a client on Home Assistant's own session; raises the client's errors."""
    integration = await async_get_integration(hass, DOMAIN)
    return OpenAIAccountClient(
        async_get_clientsession(hass),
        host,
        keys.get(KeyKind.SESSION),
        admin_key=keys.get(KeyKind.ADMIN),
        organization=organization,
        user_agent=f"HomeAssistant-OpenAIAccount/{integration.version}",
    )


async def async_setup_entry(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> bool:
    """Set up an account: it is ready when one of its endpoints is."""
    try:
        client = await async_create_client(
            hass,
            entry.data[CONF_HOST],
            keys_of(entry),
            entry.data.get(CONF_ORGANIZATION),
        )
    except OpenAIAccountError as err:
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key=err.code) from err
    store = AccountStore(hass, entry.entry_id)
    await store.async_load()
    if KeyKind.SESSION not in keys_of(entry):
        store.forget_endpoints((CreditCoordinator.endpoint, SubscriptionCoordinator.endpoint))
    if KeyKind.ADMIN not in keys_of(entry):
        store.forget_endpoints((SpendLimitCoordinator.endpoint,))
    data = OpenAIAccountData(
        client=client,
        store=store,
        credits=CreditCoordinator(hass, entry, client, store),
        costs=CostCoordinator(hass, entry, client, store),
        subscription=SubscriptionCoordinator(hass, entry, client, store),
        spend_limit=SpendLimitCoordinator(hass, entry, client, store),
    )
    await _async_first_refresh(hass, entry, data)
    entry.runtime_data = data
    _keep_device_true(hass, entry)
    # One after the other, so that an automation which a binary sensor sets off finds the
    # sensors up to date.
    for platform in PLATFORMS:
        await hass.config_entries.async_forward_entry_setups(entry, [platform])
    if DATA_INSTANCE in hass.data:
        # Not where nobody records: the recorder's modules need not even be there.
        from .history import CostHistory  # noqa: PLC0415

        CostHistory(hass, entry, client, store).async_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> bool:
    """Unload an account."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.store.async_save()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Forget an account; its history is the recorder's and stays."""
    clear_pauses(hass, entry.entry_id)
    hass.data.get(FAILED_KEYS, {}).pop(entry.entry_id, None)
    delete_issues(hass, entry.entry_id)
    await AccountStore(hass, entry.entry_id).async_remove()


async def _async_first_refresh(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, data: OpenAIAccountData
) -> None:
    """Ask every endpoint; raise only where none answers."""
    failures: dict[str, ConfigEntryNotReady] = {}

    async def refresh(coordinator: AnyCoordinator) -> None:
        try:
            await coordinator.async_config_entry_first_refresh()
        except ConfigEntryNotReady as err:
            failures[coordinator.endpoint] = err

    await asyncio.gather(*(refresh(coordinator) for coordinator in data.coordinators))
    failed = [one for one in data.coordinators if one.endpoint in failures]
    # Where nothing answers, what needs a user comes first, then what once worked.
    failed.sort(key=lambda one: (not one.auth_failed, not one.served))
    if len(failed) == len(data.coordinators):
        hass.data.setdefault(FAILED_KEYS, {})[entry.entry_id] = {
            one.failed_key for one in failed if one.failed_key is not None
        }
        cause = failures[failed[0].endpoint]
        if failed[0].auth_failed:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key=failed[0].last_error
            ) from cause
        raise cause
    for coordinator in failed:
        if coordinator.served:
            # The first refresh leaves the logging to the setup, which goes on here.
            coordinator.logger.error(
                "Error fetching %s data: %s", coordinator.name, failures[coordinator.endpoint]
            )


@callback
def _keep_device_true(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Keep what the device says of the plan, and the question for a key, up to date."""
    data = entry.runtime_data

    @callback
    def update_device() -> None:
        registry = dr.async_get(hass)
        subscription = data.subscription.data
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
            if subscription and device.model != subscription.plan:
                registry.async_update_device(device.id, model=subscription.plan)

    @callback
    def update_reauth() -> None:
        end_needless_reauth(hass, entry)

    entry.async_on_unload(data.subscription.async_add_listener(update_device))
    for coordinator in data.coordinators:
        entry.async_on_unload(coordinator.async_add_listener(update_reauth))
    update_reauth()
