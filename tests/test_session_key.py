"""How long session keys last: what is learned, and the repair that announces the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    DOMAIN,
)

from .common import RunningSimulator, poll, set_options, setup_entry, submit_form
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_KEY

DAY = timedelta(days=1)


def entry_added(
    simulator: RunningSimulator, added: datetime | str | None, **data: str
) -> MockConfigEntry:
    """Return an entry whose session key was entered at a time."""
    if isinstance(added, datetime):
        added = added.isoformat()
    return MockConfigEntry(
        domain=DOMAIN,
        title="Example Home",
        unique_id=ORGANIZATION,
        data={CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY, CONF_ORGANIZATION: ORGANIZATION}
        | ({CONF_SESSION_KEY_ADDED: added} if added else {})
        | data,
    )


def reminder(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the repair of an entry."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"session_key_expiring_{entry.entry_id}")


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, time: datetime) -> None:
    """Move the clock to a time, and poll there."""
    freezer.move_to(time)
    await poll(hass, freezer, 0)
    await poll(hass, freezer)


async def replace_key(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry, key: str
) -> None:
    """Enter another session key in the open dialog, or by reconfiguring."""
    simulator.key = key
    flows = list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    if flows:
        result = await submit_form(hass, flows[0]["flow_id"], session_key=key)
    else:
        result = await entry.start_reconfigure_flow(hass)
        result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=key)
    assert result["type"] is FlowResultType.ABORT
    await hass.async_block_till_done(wait_background_tasks=True)


async def expire(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory, days: float
) -> None:
    """Let the current key work for some days, and then no more."""
    freezer.tick(timedelta(days=days))
    await poll(hass, freezer, 0)
    simulator.key = "sess-no-longer"
    await poll(hass, freezer)


# ---- When the repair is there ------------------------------------------------------------------


async def test_end_is_announced_two_days_before(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """From the twelfth day a repair names the account, the day and the page, until a new key."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW)
    await setup_entry(hass, entry)
    await wait(hass, freezer, NOW + 12 * DAY - timedelta(hours=1))
    assert reminder(hass, entry) is None
    await wait(hass, freezer, NOW + 12 * DAY)
    issue = reminder(hass, entry)
    assert issue
    assert not issue.is_fixable
    assert issue.severity is ir.IssueSeverity.WARNING
    assert issue.translation_placeholders == {
        "account": "Example Home",
        "account_text": "Example Home",
        "date": "2026-12-08",
        "usage_url": "https://platform.openai.com/usage",
        "integration_url": "/config/integrations/integration/openai_account",
    }
    # A key that lasts longer than expected is still likely to end soon.
    await wait(hass, freezer, NOW + 20 * DAY)
    assert reminder(hass, entry)

    await replace_key(hass, simulator, entry, OTHER_KEY)
    assert reminder(hass, entry) is None
    added = datetime.fromisoformat(entry.data[CONF_SESSION_KEY_ADDED])
    assert NOW + 20 * DAY <= added <= NOW + 21 * DAY


async def test_same_key_entered_again_is_no_younger(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Entering the same key again, or an admin key, does not make the session key younger."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY)
    await setup_entry(hass, entry)
    await replace_key(hass, simulator, entry, KEY)
    assert entry.data[CONF_SESSION_KEY_ADDED] == (NOW - 13 * DAY).isoformat()
    assert reminder(hass, entry)


@pytest.mark.parametrize(
    ("added", "data"),
    [
        pytest.param(None, {}, id="unknown age"),
        pytest.param("yesterday", {}, id="unreadable age"),
        pytest.param("2026-11-11T12:00:00", {}, id="no time zone"),
        pytest.param(NOW + 400 * DAY, {}, id="of the future"),
        pytest.param(NOW - 400 * DAY, {}, id="entered with a wrong clock"),
        pytest.param(NOW - 13 * DAY, {CONF_SESSION_KEY: "token"}, id="token of a gateway"),
        pytest.param(NOW - 13 * DAY, {CONF_ADMIN_KEY: ADMIN_KEY}, id="admin key and estimate"),
    ],
)
async def test_no_end_is_announced(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    added: datetime | str | None,
    data: dict[str, str],
) -> None:
    """Nothing is announced where nothing is known, and where nobody needs it."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, added, **data)
    simulator.key = entry.data[CONF_SESSION_KEY]
    await setup_entry(hass, entry)
    await poll(hass, freezer)
    assert reminder(hass, entry) is None


async def test_end_is_announced_with_an_admin_key_but_no_estimate(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Without an estimate the session key is needed, whatever other key there is."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY, **{CONF_ADMIN_KEY: ADMIN_KEY})
    simulator.fault("credit_grants", "unavailable")
    await setup_entry(hass, entry)
    assert reminder(hass, entry)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert reminder(hass, entry) is None


async def test_reminder_can_be_switched_off(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """The option removes the repair, and brings it back."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY)
    await setup_entry(hass, entry)
    assert reminder(hass, entry)
    await set_options(hass, entry, session_key_reminder=False)
    assert reminder(hass, entry) is None
    await poll(hass, freezer)
    assert reminder(hass, entry) is None
    await set_options(hass, entry, session_key_reminder=True)
    assert reminder(hass, entry)


async def test_option_is_for_session_keys_alone(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Without a session key the option is not shown; what was chosen is kept for the next one."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY)
    await setup_entry(hass, entry)
    await set_options(hass, entry, session_key_reminder=False)
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(
        hass,
        result["flow_id"],
        host=simulator.url,
        admin_key=ADMIN_KEY,
        remove_session_key=True,
    )
    assert result["reason"] == "reconfigure_successful"
    assert CONF_SESSION_KEY_ADDED not in entry.data
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["data_schema"]
    assert "session_key_reminder" not in {str(key) for key in result["data_schema"].schema}
    hass.config_entries.options.async_abort(result["flow_id"])
    await set_options(hass, entry)
    assert entry.options["session_key_reminder"] is False


@pytest.mark.parametrize("end", ["rejected", "removed key", "disabled", "removed"])
async def test_end_of_the_key_ends_the_repair(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    end: str,
) -> None:
    """The repair goes with the key or the account, and when the reauthentication takes over."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY)
    await setup_entry(hass, entry)
    assert reminder(hass, entry)
    # An outage says nothing about the key.
    simulator.fault("*", "unavailable")
    await poll(hass, freezer)
    assert reminder(hass, entry)
    simulator.clear_faults()
    match end:
        case "rejected":
            simulator.key = OTHER_KEY
            await poll(hass, freezer)
            assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
        case "removed key":
            result = await entry.start_reconfigure_flow(hass)
            await submit_form(
                hass,
                result["flow_id"],
                host=simulator.url,
                admin_key=ADMIN_KEY,
                remove_session_key=True,
            )
        case "disabled":
            await hass.config_entries.async_set_disabled_by(
                entry.entry_id, ConfigEntryDisabler.USER
            )
        case "removed":
            await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert reminder(hass, entry) is None


async def test_rejected_key_at_a_restart_has_no_repair(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """A key that is found dead is asked for, and nothing is announced."""
    freezer.move_to(NOW)
    simulator.key = OTHER_KEY
    entry = entry_added(simulator, NOW - 13 * DAY)
    await setup_entry(hass, entry)
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert reminder(hass, entry) is None


# ---- What is learned ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifetimes", "expected"),
    [
        pytest.param([7], 7, id="one"),
        pytest.param([7, 20, 9], 9, id="median"),
        pytest.param([30, 30, 30, 8, 8, 8, 8, 30], 8, id="the last five"),
        pytest.param([1.9, 0.1], 14, id="signed out"),
    ],
)
async def test_lifetime_is_learned(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    lifetimes: list[float],
    expected: float,
) -> None:
    """The expected lifetime is the median of the last five; it outlives a restart."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW)
    await setup_entry(hass, entry)
    for number, days in enumerate(lifetimes):
        await expire(hass, simulator, freezer, days)
        # Rejected again, which is no second end
        await poll(hass, freezer, 4000)
        await replace_key(hass, simulator, entry, f"sess-number-{number}")
    # Written to disk, and read again
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    added = datetime.fromisoformat(entry.data[CONF_SESSION_KEY_ADDED])
    await wait(hass, freezer, added + (expected - 2) * DAY - timedelta(hours=1))
    assert reminder(hass, entry) is None
    await wait(hass, freezer, added + (expected - 2) * DAY + timedelta(hours=1))
    assert reminder(hass, entry)


async def test_key_that_works_again_has_not_ended(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """A rejection that turns out to be a mistake teaches nothing."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW)
    await setup_entry(hass, entry)
    await expire(hass, simulator, freezer, 5)
    simulator.key = KEY
    await poll(hass, freezer, 4000)
    await hass.config_entries.async_unload(entry.entry_id)
    assert hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]["session_keys"] == []


@pytest.mark.parametrize(
    ("added", "pause"),
    [
        pytest.param(NOW + 100 * DAY, timedelta(), id="key of the future"),
        pytest.param(NOW - 4000 * DAY, timedelta(), id="entered with a wrong clock"),
        pytest.param(NOW - 5 * DAY, 9 * DAY, id="ended during a long outage"),
        pytest.param(NOW - 5 * DAY, -2 * DAY, id="clock set back"),
        pytest.param(None, timedelta(), id="unknown age"),
    ],
)
async def test_what_is_uncertain_teaches_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    added: datetime | None,
    pause: timedelta,
) -> None:
    """A lifetime is not learned from a wrong clock, or if the end was not seen."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, added)
    await setup_entry(hass, entry)
    await poll(hass, freezer)
    simulator.key = OTHER_KEY
    freezer.tick(pause)
    if pause < timedelta():
        # Home Assistant's timers wait until it is later than it was.
        await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass, freezer)
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    await hass.config_entries.async_unload(entry.entry_id)
    assert "session_keys" not in hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]


async def test_wrong_kind_of_key_teaches_nothing(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """Only a key that was rejected as expired has ended."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 5 * DAY)
    await setup_entry(hass, entry)
    for endpoint in ("credit_grants", "usage", "subscription"):
        simulator.fault(endpoint, "wrong_key_type")
    await poll(hass, freezer)
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    await hass.config_entries.async_unload(entry.entry_id)
    assert "session_keys" not in hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]


async def test_new_key_of_a_sibling_is_as_young(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """A key that is used for another account too was entered there at the same time."""
    freezer.move_to(NOW)
    entry = entry_added(simulator, NOW - 13 * DAY)
    sibling = MockConfigEntry(
        domain=DOMAIN,
        title="Sibling",
        unique_id="org-b",
        data={**entry.data, CONF_ORGANIZATION: "org-b"},
    )
    first, *_ = simulator.account.organizations
    simulator.account.organizations = [first, type(first)("org-b", "Sibling")]
    sibling.add_to_hass(hass)
    await setup_entry(hass, entry)
    assert reminder(hass, entry)
    assert reminder(hass, sibling)
    simulator.key = OTHER_KEY
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=OTHER_KEY)
    assert result["step_id"] == "siblings"
    await submit_form(hass, result["flow_id"], accounts=[sibling.entry_id])
    await hass.async_block_till_done(wait_background_tasks=True)
    for one in (entry, sibling):
        assert one.data[CONF_SESSION_KEY_ADDED] == NOW.isoformat()
        assert reminder(hass, one) is None
