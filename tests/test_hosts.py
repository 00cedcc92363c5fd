"""Hosts that mean no good, or cannot help it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
import threading
from typing import Any
from unittest.mock import patch

import aiohttp
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.openai_account.api import CreditGrants
from custom_components.openai_account.const import CONF_ADMIN_KEY, CONF_SESSION_KEY, DOMAIN
from simulator import LineItem
from simulator.ledger import JSON
from simulator.query import Query

from .common import (
    RunningSimulator,
    count_requests,
    get_costs,
    poll,
    setup_entry,
    start_user_flow,
    state,
    submit_form,
)
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION

TODAY = NOW.date()


def endless_pages(
    simulator: RunningSimulator, freezer: FrozenDateTimeFactory, seconds: float
) -> None:
    """Let costs have ever more pages, each of which takes some seconds."""

    def page(_: Query) -> JSON:
        freezer.tick(seconds)
        count = count_requests(simulator, "costs")
        return {"object": "page", "data": [], "has_more": True, "next_page": f"page_{count}"}

    simulator.account.costs_override = page


@pytest.mark.parametrize("seconds", [2, 29])
async def test_pages_without_end_do_not_hold_up_the_setup(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    seconds: float,
) -> None:
    """The setup ends after half a minute, and the entry can be disabled."""
    freezer.move_to(NOW)
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=ORGANIZATION,
        data={CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY},
    )
    simulator.fault("spend_limit", "not_found")
    simulator.fault("usage/*", "not_found")
    endless_pages(simulator, freezer, seconds)
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    # The oldest version does not tell why.
    assert entry.error_reason_translation_key in ("cannot_connect", None)
    assert datetime.now(UTC) - NOW <= timedelta(seconds=60)
    assert await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert entry.state is ConfigEntryState.NOT_LOADED


async def test_pages_without_end_take_a_minute_at_most(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """All pages of a response share one deadline; the other endpoints are not affected."""
    freezer.move_to(NOW)
    await setup_entry(hass, full_entry)
    endless_pages(simulator, freezer, 2)
    started = datetime.now(UTC)
    with pytest.raises(HomeAssistantError) as caught:
        await get_costs(hass, full_entry, start_date="2026-11-01", end_date="2026-11-02")
    assert caught.value.translation_key == "cannot_connect"
    assert datetime.now(UTC) - started < timedelta(seconds=70)
    await poll(hass, freezer)
    assert state(hass, "cost_today") == "unavailable"
    assert state(hass, "total_available") != "unavailable"


async def test_the_current_month_is_kept_where_the_past_takes_too_long(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The setup's deadline ends what takes too long, not what came in time."""
    freezer.move_to(NOW)
    costs: JSON = {"name": "o3, input", "cost": 150.0}

    def usage(_: Query) -> JSON:
        if count_requests(simulator, "usage") > 1:
            freezer.tick(40)
        return {
            "daily_costs": [
                {"timestamp": NOW.replace(hour=0, minute=0).timestamp(), "line_items": [costs]}
            ]
        }

    simulator.account.usage_override = usage
    await setup_entry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "cost_today") == "1.5"


async def test_a_dialog_waits_a_minute_at_most(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """All requests that check an account's keys share one deadline; nothing typed is lost."""
    freezer.move_to(NOW)

    def costs(_: Query) -> JSON:
        freezer.tick(seconds)
        has_more = count_requests(simulator, "costs") % 2 == 1
        return {"object": "page", "data": [], "has_more": has_more, "next_page": "page_2"}

    simulator.account.costs_override = costs
    seconds = 25
    flow_id = await start_user_flow(hass)
    typed = {CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY, CONF_ADMIN_KEY: ADMIN_KEY}
    result = await submit_form(hass, flow_id, **typed)
    assert result["errors"] == {"base": "cannot_connect"}
    assert datetime.now(UTC) - NOW < timedelta(seconds=100)
    seconds = 5
    simulator.requests.clear()
    result = await submit_form(hass, flow_id, **typed)
    assert not result.get("errors")


async def test_parts_of_a_large_response_share_one_bound(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Days that are too large together are requested in parts, but not without end."""
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    large, small = "x" * (9 * 1024 * 1024), "x" * (7 * 1024 * 1024)

    def usage(query: Query) -> JSON:
        days = query.dates["end_date"] - query.dates["start_date"]
        return {"daily_costs": [], "padding": small if days == timedelta(days=1) else large}

    simulator.account.usage_override = usage
    simulator.requests.clear()
    with pytest.raises(HomeAssistantError) as caught:
        await get_costs(hass, entry, start_date="2026-08-17", end_date="2026-11-24")
    assert caught.value.translation_key == "too_much_data"
    assert count_requests(simulator, "usage") < 12


async def test_the_next_private_address_is_tried(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A name has several addresses, and the host listens at the last one."""
    port = URL(simulator.url).port
    addresses = ("203.0.113.7", "10.0.0.5", "127.0.0.1")
    found = [(2, 1, 6, "", (address, port)) for address in addresses]
    tried: list[str | None] = []
    connect = aiohttp.BaseConnector.connect

    async def refuse(
        connector: aiohttp.BaseConnector, request: aiohttp.ClientRequest, *args: Any, **kwargs: Any
    ) -> aiohttp.connector.Connection:
        tried.append(request.url.host)
        if request.url.host != "127.0.0.1":
            raise aiohttp.ClientConnectorError(request.connection_key, OSError("Refused"))
        return await connect(connector, request, *args, **kwargs)

    with (
        patch.object(hass.loop, "getaddrinfo", return_value=found),
        patch.object(aiohttp.BaseConnector, "connect", refuse),
    ):
        result = await submit_form(
            hass,
            await start_user_flow(hass),
            host=f"http://gateway.lan:{port}",
            session_key=KEY,
        )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(tried) == {"10.0.0.5", "127.0.0.1"}
    # What worked once comes first.
    assert tried.count("10.0.0.5") < tried.count("127.0.0.1")


async def test_cookies_of_other_hosts_are_not_sent(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Cookies that Home Assistant's shared session holds stay there."""
    async_get_clientsession(hass).cookie_jar.update_cookies({"of": "another"})
    await setup_entry(hass, entry)
    assert simulator.requests
    assert not any("cookie" in request.headers for request in simulator.requests)


async def test_long_texts(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    all_entities_enabled: None,
) -> None:
    """A text of megabytes enters neither the registries nor the states."""
    freezer.move_to(NOW)
    long = "x" * 3_000_000
    simulator.account.subscription["plan"] = {"title": long, "id": long}
    simulator.account.subscription["tax_ids"] = [{"value": long}] * 2
    simulator.account.subscription["po_number"] = long
    simulator.account.ledger = {
        TODAY: [LineItem(f"gpt-{long}, input", 100.0, "proj_1", f"Kitchen {long}")]
    }
    await setup_entry(hass, entry)
    assert state(hass, "cost_today") == "1.0"
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        assert len(str(device.dict_repr)) < 5000
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        assert len(str(entity.as_partial_dict)) < 5000


async def test_an_impossible_organization_is_none(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """The organization of cost rows is checked as that of the key's owner is."""
    freezer.move_to(NOW)
    simulator.account.costs_override = {
        "object": "page",
        "has_more": False,
        "data": [
            {
                "start_time": int(NOW.replace(hour=0, minute=0).timestamp()),
                "results": [
                    {
                        "amount": {"value": 1, "currency": "usd"},
                        "line_item": "o3",
                        "organization_id": "org-" + "x" * 5000,
                    }
                ],
            }
        ],
    }
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, admin_key=ADMIN_KEY
    )
    for entry in hass.config_entries.async_entries(DOMAIN):
        assert len(str(entry.data)) < 1000
        assert len(entry.unique_id or "") <= 100
    assert len(str(result)) < 20_000


async def test_many_grants_are_read_in_the_executor(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A large response does not hold the event loop, whatever it is of."""
    grant = {"grant_amount": 5.0, "used_amount": 0.0, "expires_at": 1_900_000_000}
    simulator.account.credit_grants_override = {
        "total_available": 5.0,
        "grants": {"data": [grant] * 20_000},
    }
    threads: list[threading.Thread] = []
    read = CreditGrants.read

    def note_thread(*args: object) -> CreditGrants:
        threads.append(threading.current_thread())
        return read(*args)  # type: ignore[arg-type]

    with patch.object(CreditGrants, "read", note_thread):
        await setup_entry(hass, entry)
    assert threads
    assert threading.main_thread() not in threads
    assert state(hass, "total_available") == "5.0"


async def test_get_costs_waits_as_the_host_asks(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While polls or earlier calls are paused, the action sends nothing and says until when."""
    freezer.move_to(NOW)
    await hass.config.async_set_time_zone("Europe/Berlin")
    await setup_entry(hass, entry)
    days = {"start_date": "2026-11-01", "end_date": "2026-11-02"}

    simulator.fault("usage", "rate_limited_120", times=1)
    with pytest.raises(HomeAssistantError) as caught:
        await get_costs(hass, entry, **days)
    assert caught.value.translation_key == "rate_limited"
    simulator.requests.clear()
    for _ in range(10):
        with pytest.raises(HomeAssistantError) as caught:
            await get_costs(hass, entry, **days)
        assert caught.value.translation_key == "paused"
    assert caught.value.translation_placeholders == {"time": "2026-11-24 16:32:00"}
    assert not simulator.requests
    assert state(hass, "cost_today") != "unavailable", "polls are not paused by an action"
    freezer.tick(120)
    assert await get_costs(hass, entry, **days)

    simulator.fault("usage", "rate_limited_120", times=1)
    await poll(hass, freezer)
    assert state(hass, "cost_today") == "unavailable"
    simulator.requests.clear()
    with pytest.raises(HomeAssistantError) as caught:
        await get_costs(hass, entry, **days)
    assert caught.value.translation_key == "paused"
    assert not simulator.requests
    assert CONF_SESSION_KEY in entry.data
