"""OpenAI Account: what an OpenAI account costs, and what is left of its credit."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import CONF_HOST, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.typing import ConfigType

from .admin_key import AdminKeyWatch
from .api import OpenAIAccountError
from .client import async_create_client
from .const import CONF_ENTERED_CREDIT, CONF_ORGANIZATION, DOMAIN
from .coordinator import (
    ENDPOINT_GONE,
    ENDPOINTS,
    SUBSCRIPTION,
    AnyCoordinator,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
    keys_of,
)
from .dashboard import async_register_dashboard
from .estimate import EstimateWatch, enter_credit
from .issues import delete_issue, delete_issues
from .services import async_setup_services
from .session_key import update_session_key
from .statistic_ids import has_statistics
from .status import clear_statuses, failed_keys
from .store import AccountStore
from .websocket_api import async_register_commands

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [Platform.SENSOR, Platform.BINARY_SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all accounts share."""
    async_setup_services(hass)
    async_register_commands(hass)
    await async_register_dashboard(hass)

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            return
        if entry.disabled_by:
            delete_issues(hass, entry.entry_id)
        if change is ConfigEntryChange.UPDATED:
            _name_device(hass, entry)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    return True


@callback
def _name_device(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Call the account's device what the account is called, also when that changes.

    Dashboards, which show the name, are generated again when a device changes.
    """
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_update_device(device.id, name=entry.title)


async def async_setup_entry(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> bool:
    """Set up an account: it is ready when one of its endpoints is."""
    try:
        client = await async_create_client(
            hass, entry.data[CONF_HOST], keys_of(entry), entry.data.get(CONF_ORGANIZATION)
        )
    except OpenAIAccountError as err:
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key=err.code) from err
    data = OpenAIAccountData.create(hass, entry, client)
    await data.store.async_load()
    data.store.keep_endpoints(data.by_endpoint.keys())
    for endpoint in ENDPOINTS:
        if not data.opens(endpoint):
            delete_issue(hass, entry.entry_id, ENDPOINT_GONE, endpoint.name)
    estimate, admin_key = EstimateWatch(data), AdminKeyWatch(hass, entry, data)
    for coordinator in data.coordinators:
        coordinator.refresh_finished = partial(
            _refresh_finished, hass, entry, data, estimate, admin_key
        )
    await _async_adopt_slugs(hass, entry, data)
    try:
        try:
            await _async_first_refresh(hass, entry, data)
        finally:
            # Home Assistant does not call the above where the first refresh fails.
            update_session_key(hass, entry, data)
            admin_key.update()
        if data.names:
            await data.names.async_start()
    except Exception:
        await data.store.async_close()
        raise
    entry.runtime_data = data
    await _async_take_entered_credit(hass, entry)
    _update_device_on_change(hass, entry)
    _end_reauth_on_success(hass, entry)
    # One after the other, so that an automation which a binary sensor triggers finds the
    # sensors up to date.
    for platform in PLATFORMS:
        await hass.config_entries.async_forward_entry_setups(entry, [platform])
    if has_statistics(hass):
        # Not where nothing is recorded: the recorder's modules need not even be installed.
        from .history import async_start_history  # noqa: PLC0415

        async_start_history(hass, entry)
    return True


async def _async_adopt_slugs(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, data: OpenAIAccountData
) -> None:
    """Take the slugs of statistics that exist: the account was perhaps removed and added again."""
    if not has_statistics(hass):
        return
    from .history import COST, TOKENS, async_read_slugs  # noqa: PLC0415

    for registry, measure in ((data.store.models, COST), (data.store.usage_models, TOKENS)):
        if not registry.all():
            registry.adopt(await async_read_slugs(hass, entry, measure))


async def async_unload_entry(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> bool:
    """Unload an account."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.store.async_close()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Forget an account; its history belongs to the recorder and stays."""
    clear_statuses(hass, entry.entry_id)
    delete_issues(hass, entry.entry_id)
    await AccountStore(hass, entry.entry_id).async_remove()


@callback
def _refresh_finished(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    data: OpenAIAccountData,
    estimate: EstimateWatch,
    admin_key: AdminKeyWatch,
) -> None:
    """Do what each poll gives cause for."""
    estimate.update()
    update_session_key(hass, entry, data)
    admin_key.update()
    data.usage.async_poll_other_days()


async def _async_first_refresh(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, data: OpenAIAccountData
) -> None:
    """Request every endpoint; raise only where none answers, or has begun to."""
    failures: dict[str, ConfigEntryNotReady] = {}

    async def refresh(coordinator: AnyCoordinator) -> None:
        try:
            await coordinator.async_config_entry_first_refresh()
        except ConfigEntryNotReady as err:
            failures[coordinator.endpoint] = err

    await asyncio.gather(*(refresh(coordinator) for coordinator in data.coordinators))
    failed = [one for one in data.coordinators if one.endpoint in failures]
    if len(failed) == len(data.coordinators) and not any(one.continues for one in failed):
        # What needs the user comes first, then what has worked before.
        first = min(failed, key=lambda one: (one.status.failed_key is None, not one.is_served))
        cause = failures[first.endpoint]
        if first.status.failed_key is not None:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key=first.status.reason
            ) from cause
        raise cause
    for coordinator in failed:
        if coordinator.is_served:
            # The first refresh leaves the logging to the setup, which continues here.
            coordinator.logger.error(
                "Error fetching %s data: %s", coordinator.name, failures[coordinator.endpoint]
            )


async def _async_take_entered_credit(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Move the credit that was entered with a new account from the entry's data to the store."""
    if entered := entry.data.get(CONF_ENTERED_CREDIT):
        account = entry.runtime_data
        enter_credit(account, entered["amount"], datetime.fromisoformat(entered["time"]))
        # It is on disk in one of the two at any time.
        await account.store.async_save()
        data = {key: value for key, value in entry.data.items() if key != CONF_ENTERED_CREDIT}
        hass.config_entries.async_update_entry(entry, data=data)


@callback
def _update_device_on_change(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Keep the device's model, which is the account's plan, up to date."""
    coordinator = entry.runtime_data.coordinator(SUBSCRIPTION)
    if coordinator is None:
        return

    @callback
    def update_device() -> None:
        registry = dr.async_get(hass)
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
            if coordinator.data and device.model != coordinator.data.plan:
                registry.async_update_device(device.id, model=coordinator.data.plan)

    entry.async_on_unload(coordinator.async_add_listener(update_device))


@callback
def _end_reauth_on_success(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Withdraw the request for a new key once every endpoint accepts the old one again."""

    @callback
    def end_reauth() -> None:
        if not failed_keys(hass, entry.entry_id):
            for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
                hass.config_entries.flow.async_abort(flow["flow_id"])

    for coordinator in entry.runtime_data.coordinators:
        entry.async_on_unload(coordinator.async_add_listener(end_reauth))
    end_reauth()
