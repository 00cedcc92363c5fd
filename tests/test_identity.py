"""Which account a key belongs to, and what only the user knows."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_DEFAULT_PROJECT,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    DOMAIN,
)
from simulator import Account, Organization
from simulator.organization import Project

from .common import RunningSimulator, poll, setup_entry, start_user_flow, submit_form
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_ADMIN_KEY, OTHER_KEY

# An admin key of the same organization, and one of another
SECOND_ADMIN_KEY = "sk-admin-5555555555SECONDADMINKEY"
OTHER_ORGANIZATION = "org-other"

PROJECT = "proj_default"


@pytest.fixture(autouse=True)
def keys(simulator: RunningSimulator, freezer: FrozenDateTimeFactory) -> None:
    """Let costs not name their organization; a second key is its, a third another one's."""
    freezer.move_to(NOW)
    simulator.account.undocumented_fields = False
    simulator.admin_keys = {
        SECOND_ADMIN_KEY: ORGANIZATION,
        OTHER_ADMIN_KEY: OTHER_ORGANIZATION,
    }
    simulator.others[OTHER_ORGANIZATION] = Account(
        organizations=[Organization(OTHER_ORGANIZATION, "Other")],
        projects=[Project("proj_of_other", "Default project", 1_600_000_000)],
        undocumented_fields=False,
    )


async def add(hass: HomeAssistant, simulator: RunningSimulator, **keys: str) -> Any:
    """Submit the form that adds an account."""
    return await submit_form(hass, await start_user_flow(hass), host=simulator.url, **keys)


async def start(hass: HomeAssistant, entry: ConfigEntry, source: str) -> ConfigFlowResult:
    """Open the form that asks for other keys of an account."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": source, "entry_id": entry.entry_id, "unique_id": entry.unique_id},
        data=entry.data if source == SOURCE_REAUTH else None,
    )


async def reconfigure(
    hass: HomeAssistant, simulator: RunningSimulator, entry: Any, **keys: Any
) -> Any:
    """Submit the form that gives an account other keys."""
    result = await start(hass, entry, SOURCE_RECONFIGURE)
    return await submit_form(hass, result["flow_id"], host=simulator.url, **keys)


def admin_entry(simulator: RunningSimulator, **data: str) -> MockConfigEntry:
    """Return an entry of an admin key from before the oldest project was known."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Earlier",
        unique_id="0123456789abcdef0123456789abcdef",
        data={CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY, **data},
    )


def offered(result: ConfigFlowResult) -> list[str]:
    """Return the values that a form with a single list offers."""
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    return [one["value"] for one in selector.config["options"]]


# ---- By the oldest project ---------------------------------------------------------------------


async def test_second_key_of_an_organization_is_no_second_account(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """The oldest project, archived or not, identifies the organization of an admin key."""
    project = Project("proj_archived", "Old", 1_500_000_000, archived_at=1_700_000_000)
    simulator.account.projects.append(project)
    result = await add(hass, simulator, admin_key=ADMIN_KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "proj_archived"
    assert result["data"][CONF_DEFAULT_PROJECT] == "proj_archived"

    result = await add(hass, simulator, admin_key=SECOND_ADMIN_KEY)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    result = await add(hass, simulator, admin_key=OTHER_ADMIN_KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "proj_of_other"


async def test_projects_are_read_to_the_last_page(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """The oldest of more projects than a page holds is on the last page."""
    simulator.account.projects = [
        Project(f"proj_{number:04}", "Any", 1_600_000_000 + number) for number in range(250)
    ]
    result = await add(hass, simulator, admin_key=ADMIN_KEY)
    assert result["result"].unique_id == "proj_0000"


@pytest.mark.parametrize("field", ["session_key", "admin_key"])
async def test_account_of_an_admin_key_is_found_by_other_keys(
    hass: HomeAssistant, simulator: RunningSimulator, field: str
) -> None:
    """An account without an organization's id is found again once a key tells its id."""
    await add(hass, simulator, admin_key=ADMIN_KEY)
    simulator.account.undocumented_fields = True
    both = {"session_key": KEY} if field == "session_key" else {}
    result = await add(hass, simulator, admin_key=SECOND_ADMIN_KEY, **both)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_key_of_another_organization_is_refused(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A key of another organization would mix two histories; one of the same is accepted."""
    entry = (await add(hass, simulator, admin_key=ADMIN_KEY))["result"]
    identity = entry.unique_id
    result = await reconfigure(hass, simulator, entry, admin_key=OTHER_ADMIN_KEY)
    assert result["errors"] == {"base": "wrong_account"}
    result = await submit_form(
        hass, result["flow_id"], host=simulator.url, admin_key=SECOND_ADMIN_KEY
    )
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_ADMIN_KEY] == SECOND_ADMIN_KEY

    # A session key of the same person, who has both organizations
    simulator.account.organizations.append(Organization(OTHER_ORGANIZATION, "Other"))
    result = await reconfigure(hass, simulator, entry, session_key=KEY)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_ORGANIZATION] == ORGANIZATION
    assert entry.unique_id == identity

    result = await start(hass, entry, SOURCE_REAUTH)
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["reason"] == "reauth_successful"


async def test_earlier_account_is_compared_by_its_own_key(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """An account from before is told apart by its stored key, without having been set up."""
    entry = admin_entry(simulator)
    entry.add_to_hass(hass)
    result = await add(hass, simulator, admin_key=SECOND_ADMIN_KEY)
    assert result["reason"] == "already_configured"
    result = await reconfigure(hass, simulator, entry, admin_key=OTHER_ADMIN_KEY)
    assert result["errors"] == {"base": "wrong_account"}
    result = await submit_form(
        hass, result["flow_id"], host=simulator.url, admin_key=SECOND_ADMIN_KEY
    )
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == "0123456789abcdef0123456789abcdef"
    assert entry.data[CONF_DEFAULT_PROJECT] == PROJECT


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("server_error", "cannot_connect"),
        ("html_wall", "blocked"),
        ("rate_limited", "rate_limited"),
    ],
)
async def test_temporary_error_does_not_give_another_identity(
    hass: HomeAssistant, simulator: RunningSimulator, fault: str, error: str
) -> None:
    """Where only the projects tell the organization, their failure is shown; it can be retried."""
    simulator.fault("projects", fault, times=1)
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, admin_key=ADMIN_KEY)
    assert result["errors"] == {"base": error}
    result = await submit_form(hass, flow_id, host=simulator.url, admin_key=ADMIN_KEY)
    assert result["result"].unique_id == PROJECT


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("html_wall", "blocked"),
        ("country", "unsupported_country"),
        ("other_shape", "invalid_response"),
        ("server_error", "cannot_connect"),
    ],
)
async def test_failing_me_does_not_give_another_identity(
    hass: HomeAssistant, simulator: RunningSimulator, fault: str, error: str
) -> None:
    """A firewall in front of `me` is an error that can be retried."""
    simulator.fault("me", fault, times=1)
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["errors"] == {"base": error}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["result"].unique_id == ORGANIZATION


# ---- What only the user knows ------------------------------------------------------------------


async def test_user_says_whether_an_organization_is_set_up(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Where a key may not read projects, the dialog says so, and the user decides."""
    simulator.fault("projects", "no_permission")
    first = await add(hass, simulator, admin_key=ADMIN_KEY)
    # There is nothing to confuse the first account with.
    assert first["type"] is FlowResultType.CREATE_ENTRY

    result = await add(hass, simulator, admin_key=SECOND_ADMIN_KEY)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "known_account"
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    assert [one["value"] for one in selector.config["options"]] == [first["result"].entry_id]
    result = await submit_form(hass, result["flow_id"], account=first["result"].entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"

    result = await add(hass, simulator, admin_key=OTHER_ADMIN_KEY)
    result = await submit_form(hass, result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {CONF_HOST: simulator.url, CONF_ADMIN_KEY: OTHER_ADMIN_KEY}
    # The same key is known, whatever it may read.
    result = await add(hass, simulator, admin_key=ADMIN_KEY)
    assert result["reason"] == "already_configured"


async def test_nothing_is_asked_where_organizations_differ(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An account whose organization refuses the key is not offered; others are."""
    await setup_entry(hass, entry)
    simulator.fault("projects", "no_permission")
    result = await add(hass, simulator, admin_key=SECOND_ADMIN_KEY)
    assert result["step_id"] == "known_account"
    result = await add(hass, simulator, admin_key=OTHER_ADMIN_KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("source", ["reconfigure", "reauth"])
async def test_user_says_whether_a_key_is_of_the_same_organization(
    hass: HomeAssistant, simulator: RunningSimulator, source: str
) -> None:
    """A new key that cannot be checked is stored only if the user says so."""
    simulator.fault("projects", "no_permission")
    entry = (await add(hass, simulator, admin_key=ADMIN_KEY))["result"]
    identity = entry.unique_id

    async def enter(key: str, flow_id: str) -> Any:
        host = {CONF_HOST: simulator.url} if source == "reconfigure" else {}
        return await submit_form(hass, flow_id, admin_key=key, **host)

    result = await start(hass, entry, source)
    result = await enter(OTHER_ADMIN_KEY, result["flow_id"])
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "unknown_organization"
    assert result["description_placeholders"]
    assert result["description_placeholders"]["account"] == entry.title
    assert entry.data[CONF_ADMIN_KEY] == ADMIN_KEY

    result = await submit_form(hass, result["flow_id"], next_step_id="other_key")
    assert result["type"] is FlowResultType.FORM
    assert not result["errors"]
    assert entry.data[CONF_ADMIN_KEY] == ADMIN_KEY
    result = await enter(SECOND_ADMIN_KEY, result["flow_id"])
    result = await submit_form(hass, result["flow_id"], next_step_id="same_organization")
    assert result["reason"] == f"{source}_successful"
    assert entry.data[CONF_ADMIN_KEY] == SECOND_ADMIN_KEY
    assert entry.unique_id == identity


async def test_key_of_another_account_is_refused(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A key that is known to belong to another account is not offered to be used."""
    simulator.fault("projects", "no_permission")
    first = (await add(hass, simulator, admin_key=ADMIN_KEY))["result"]
    result = await add(hass, simulator, admin_key=OTHER_ADMIN_KEY)
    await submit_form(hass, result["flow_id"])
    result = await reconfigure(hass, simulator, first, admin_key=OTHER_ADMIN_KEY)
    assert result["errors"] == {"base": "key_in_use"}


# ---- Where little is known ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["expired_key", "no_permission", "not_found"])
async def test_session_key_of_a_host_without_organizations_gets_an_admin_key(
    hass: HomeAssistant, simulator: RunningSimulator, fault: str
) -> None:
    """A key that may not read `me` is a good key; an admin key joins it, the identity stays."""
    simulator.fault("me", fault)
    result = await add(hass, simulator, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert set(entry.data) == {CONF_HOST, CONF_SESSION_KEY, CONF_SESSION_KEY_ADDED}
    identity = entry.unique_id
    result = await reconfigure(hass, simulator, entry, admin_key=ADMIN_KEY)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_SESSION_KEY] == KEY
    assert entry.data[CONF_ADMIN_KEY] == ADMIN_KEY
    assert entry.data[CONF_DEFAULT_PROJECT] == PROJECT
    assert CONF_ORGANIZATION not in entry.data
    assert entry.unique_id == identity
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("first", [CONF_SESSION_KEY, CONF_ADMIN_KEY])
async def test_keys_of_different_kinds_cannot_be_compared(
    hass: HomeAssistant, simulator: RunningSimulator, first: str
) -> None:
    """A session key and an admin key that tell no organization may be of the same: it is asked."""
    simulator.fault("me", "no_permission")
    keys = {CONF_SESSION_KEY: KEY, CONF_ADMIN_KEY: ADMIN_KEY}
    entry = (await add(hass, simulator, **{first: keys.pop(first)}))["result"]
    result = await add(hass, simulator, **keys)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "known_account"
    assert offered(result) == [entry.entry_id]
    result = await submit_form(hass, result["flow_id"], account=entry.entry_id)
    assert result["reason"] == "already_configured"


async def test_accounts_of_other_hosts_are_not_offered(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """What cannot be compared is another account where the host is another."""
    simulator.fault("projects", "no_permission")
    admin_entry(simulator, **{CONF_HOST: "https://gateway.example"}).add_to_hass(hass)
    result = await add(hass, simulator, admin_key=SECOND_ADMIN_KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {CONF_HOST: simulator.url, CONF_ADMIN_KEY: SECOND_ADMIN_KEY}


@pytest.mark.parametrize(
    ("stored", "fault", "after", "is_asked"),
    [
        pytest.param(ADMIN_KEY, None, 0, True, id="accepts the organization"),
        pytest.param(OTHER_ADMIN_KEY, None, 0, False, id="refuses the organization"),
        pytest.param("sk-admin-deleted", None, 0, True, id="is refused itself"),
        pytest.param(OTHER_ADMIN_KEY, "rate_limited", 0, True, id="fails at once"),
        pytest.param(OTHER_ADMIN_KEY, "server_error", 1, True, id="fails at the organization"),
    ],
)
async def test_earlier_account_is_asked_whether_it_knows_an_organization(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    stored: str,
    fault: str | None,
    after: int,
    is_asked: bool,
) -> None:
    """An account is offered unless its own key is known to be another organization's."""
    simulator.fault("projects", "no_permission")
    entry = admin_entry(simulator, **{CONF_ADMIN_KEY: stored})
    entry.add_to_hass(hass)
    if fault:
        simulator.fault("costs", fault, times=1, after=after)
    # Costs are requested with the key of the entry alone.
    result = await add(hass, simulator, session_key=KEY)
    if is_asked:
        assert result["step_id"] == "known_account"
        assert offered(result) == [entry.entry_id]
        result = await submit_form(hass, result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == ORGANIZATION
    assert CONF_ADMIN_KEY not in result["data"]


@pytest.mark.parametrize(
    ("key", "fault", "after", "is_asked"),
    [
        pytest.param(SECOND_ADMIN_KEY, None, 0, True, id="accepts the organization"),
        pytest.param(OTHER_ADMIN_KEY, None, 0, False, id="refuses the organization"),
        pytest.param(OTHER_ADMIN_KEY, "rate_limited", 1, True, id="fails at once"),
        pytest.param(OTHER_ADMIN_KEY, "server_error", 2, True, id="fails at the organization"),
    ],
)
async def test_new_key_is_asked_whether_it_knows_an_organization(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    key: str,
    fault: str | None,
    after: int,
    is_asked: bool,
) -> None:
    """An account that is not loaded is offered unless a new key is known to be of another."""
    simulator.fault("projects", "no_permission")
    entry.add_to_hass(hass)
    if fault:
        # The first request checks the key.
        simulator.fault("costs", fault, times=1, after=after)
    result = await add(hass, simulator, admin_key=key)
    if is_asked:
        assert result["step_id"] == "known_account"
        assert offered(result) == [entry.entry_id]
        result = await submit_form(hass, result["flow_id"], account=entry.entry_id)
        assert result["reason"] == "already_configured"
    else:
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["data"] == {CONF_HOST: simulator.url, CONF_ADMIN_KEY: key}


async def test_earlier_account_with_a_deleted_key_is_offered(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Where an account's own key can no longer tell its oldest project, the user decides."""
    entry = admin_entry(simulator, **{CONF_ADMIN_KEY: "sk-admin-deleted"})
    entry.add_to_hass(hass)
    result = await add(hass, simulator, admin_key=ADMIN_KEY)
    assert result["step_id"] == "known_account"
    assert offered(result) == [entry.entry_id]
    result = await submit_form(hass, result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == PROJECT


async def test_costs_of_a_loaded_account_tell_its_organization(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """A key whose costs name another organization than the account's costs do is refused."""
    simulator.fault("projects", "no_permission")
    entry = (await add(hass, simulator, admin_key=ADMIN_KEY))["result"]
    simulator.account.undocumented_fields = True
    simulator.others[OTHER_ORGANIZATION].undocumented_fields = True
    await poll(hass, freezer)
    result = await reconfigure(hass, simulator, entry, admin_key=OTHER_ADMIN_KEY)
    assert result["errors"] == {"base": "wrong_account"}
    assert entry.data[CONF_ADMIN_KEY] == ADMIN_KEY
    result = await submit_form(
        hass, result["flow_id"], host=simulator.url, admin_key=SECOND_ADMIN_KEY
    )
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_ADMIN_KEY] == SECOND_ADMIN_KEY
    assert entry.data[CONF_ORGANIZATION] == ORGANIZATION


async def test_failing_projects_do_not_matter_where_the_organization_is_known(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """With a session key the organization is known, so an account is added without its project."""
    simulator.fault("projects", "server_error", times=1)
    result = await add(hass, simulator, session_key=KEY, admin_key=ADMIN_KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == ORGANIZATION
    assert result["data"][CONF_ORGANIZATION] == ORGANIZATION
    assert CONF_DEFAULT_PROJECT not in result["data"]


# ---- Several organizations of one person -------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        pytest.param(None, {"base": "wrong_account"}, id="another person"),
        pytest.param("rate_limited_120", {"base": "rate_limited"}, id="too many requests"),
    ],
)
async def test_session_key_without_the_organization_of_the_admin_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    fault: str | None,
    errors: dict[str, str],
) -> None:
    """Whoever has several organizations, but not the admin key's, has another account."""
    entry = (await add(hass, simulator, admin_key=ADMIN_KEY))["result"]
    before = dict(entry.data)
    simulator.session_keys = {OTHER_KEY}
    simulator.admin_keys[ADMIN_KEY] = OTHER_ORGANIZATION
    simulator.account.organizations = [
        Organization("org-one", "One", is_default=True),
        Organization("org-two", "Two"),
    ]
    if fault:
        # After the check of the key alone
        simulator.fault("costs", fault, times=1, after=1)
    result = await reconfigure(hass, simulator, entry, session_key=OTHER_KEY)
    assert result["errors"] == errors
    if fault:
        assert result["description_placeholders"]["minutes"] == "2"
    assert entry.data == before


async def test_organization_of_another_account_is_not_learned(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """An account without an organization cannot become the second one of an organization."""
    simulator.fault("me", "no_permission", times=1)
    simulator.session_keys = {OTHER_KEY}
    unknown = (await add(hass, simulator, session_key=OTHER_KEY))["result"]
    entry.add_to_hass(hass)
    result = await reconfigure(hass, simulator, unknown, session_key=KEY)
    assert result["errors"] == {"base": "key_in_use"}
    assert unknown.data[CONF_SESSION_KEY] == OTHER_KEY
    assert CONF_ORGANIZATION not in unknown.data
    simulator.account.organizations = [Organization(OTHER_ORGANIZATION, "Other")]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=KEY)
    assert result["reason"] == "reconfigure_successful"
    assert unknown.data[CONF_ORGANIZATION] == OTHER_ORGANIZATION


# ---- Tokens of gateways ------------------------------------------------------------------------


async def test_identity_of_a_token_stays_with_its_account(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """After a token is replaced, the old one can be added anew, and the new one only once."""
    simulator.kind = "new-api"
    simulator.session_keys = {OTHER_KEY}
    first = (await add(hass, simulator, session_key=KEY))["result"]
    identity = first.unique_id
    result = await reconfigure(hass, simulator, first, session_key=OTHER_KEY)
    assert result["reason"] == "reconfigure_successful"
    assert first.unique_id == identity

    result = await add(hass, simulator, session_key=OTHER_KEY)
    assert result["reason"] == "already_configured"
    result = await add(hass, simulator, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    second = result["result"]
    assert second.unique_id != identity
    assert second.state is ConfigEntryState.LOADED
    assert len(hass.config_entries.async_entries(DOMAIN)) == 2

    result = await reconfigure(hass, simulator, second, session_key=OTHER_KEY)
    assert result["errors"] == {"base": "key_in_use"}
    assert second.data[CONF_SESSION_KEY] == KEY


# ---- Names -------------------------------------------------------------------------------------


async def test_organizations_of_the_same_name_are_told_apart(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """The end of the id is added wherever two organizations have the same name."""
    simulator.account.organizations = [
        Organization("org-00000000aaaaaa", "Same", is_default=True),
        Organization("org-00000000bbbbbb", "same"),
        Organization("org-00000000cccccc", "Another"),
        Organization("org-00000000dddddd", "Last"),
    ]
    result = await add(hass, simulator, session_key=KEY)
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    assert [one["label"] for one in selector.config["options"]] == [
        "Same (aaaaaa)",
        "same (bbbbbb)",
        "Another",
        "Last",
    ]
    await submit_form(
        hass, result["flow_id"], organization=["org-00000000aaaaaa", "org-00000000bbbbbb"]
    )
    result = await add(hass, simulator, session_key=KEY)
    await submit_form(hass, result["flow_id"], organization=["org-00000000cccccc"])
    # One of another person
    simulator.account.organizations = [Organization("org-00000000eeeeee", "Another")]
    result = await add(hass, simulator, session_key=KEY)
    assert result["title"] == "Another (eeeeee)"
    assert sorted(one.title for one in hass.config_entries.async_entries(DOMAIN)) == [
        "Another",
        "Another (eeeeee)",
        "Same (aaaaaa)",
        "same (bbbbbb)",
    ]


async def test_accounts_of_the_same_name_are_told_apart(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Accounts that are called the same are listed with the end of their id."""
    ids = ("org-00000000aaaaaa", "org-00000000bbbbbb", "org-00000000cccccc")
    simulator.account.organizations = [Organization(one, "Same") for one in ids]
    entries = [
        MockConfigEntry(
            domain=DOMAIN,
            title="Same",
            unique_id=one,
            data={CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY, CONF_ORGANIZATION: one},
        )
        for one in ids
    ]
    for entry in entries[1:]:
        entry.add_to_hass(hass)
    await setup_entry(hass, entries[0])
    simulator.key = OTHER_KEY
    await poll(hass, freezer)
    flow = next(iter(entries[0].async_get_active_flows(hass, {"reauth"})))
    result = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert result["description_placeholders"]
    assert result["description_placeholders"]["account"] == "Same (aaaaaa)"
    result = await submit_form(hass, flow["flow_id"], session_key=OTHER_KEY)
    assert result["step_id"] == "siblings"
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    assert [one["label"] for one in selector.config["options"]] == [
        "Same (bbbbbb)",
        "Same (cccccc)",
    ]


async def test_long_ends_of_ids_tell_organizations_apart(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Where ids have the same last characters, more of them are shown."""
    simulator.account.organizations = [
        Organization("org-00000000xaaaaaa", "Same", is_default=True),
        Organization("org-00000000yaaaaaa", "Same"),
    ]
    result = await add(hass, simulator, session_key=KEY)
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    labels = [one["label"] for one in selector.config["options"]]
    assert labels == ["Same (xaaaaaa)", "Same (yaaaaaa)"]
