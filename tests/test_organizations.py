"""Keys that open several organizations."""

from __future__ import annotations

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_DEFAULT_PROJECT,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    DOMAIN,
)
from simulator import Organization
from simulator.account import Account

from .common import RunningSimulator, poll, setup_entry, start_user_flow, submit_form
from .const import ADMIN_KEY, KEY, NOW, OTHER_KEY

ORGANIZATIONS = [
    Organization("org-a", "First"),
    Organization("org-b", "Second", is_default=True),
    Organization("org-c", "Third"),
]


@pytest.fixture(autouse=True)
def organizations(simulator: RunningSimulator) -> None:
    """Let the session key open three organizations."""
    simulator.account.organizations = list(ORGANIZATIONS)


def entry_of(simulator: RunningSimulator, organization: str) -> MockConfigEntry:
    """Return an entry for an organization."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=f"Account {organization}",
        unique_id=organization,
        data={
            CONF_HOST: simulator.url,
            CONF_SESSION_KEY: KEY,
            CONF_ORGANIZATION: organization,
        },
    )


async def test_flow_asks_which_organization(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """The flow asks which organization; the default one comes first and is preselected."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "organization"
    assert result["data_schema"]
    (field,) = result["data_schema"].schema
    assert field.default() == ["org-b"]
    selector = result["data_schema"].schema[field]
    labels = [option["label"] for option in selector.config["options"]]
    assert labels == ["Second", "First", "Third"]

    result = await submit_form(hass, result["flow_id"], organization=["org-c"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Third"
    assert result["data"][CONF_ORGANIZATION] == "org-c"
    assert result["result"].unique_id == "org-c"
    entries = hass.config_entries.async_entries(DOMAIN)
    assert [one.unique_id for one in entries] == ["org-c"]


async def test_each_chosen_organization_becomes_an_account(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """Each chosen organization becomes an account, whose requests name it in a header."""
    freezer.move_to(NOW)
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY, name="Mine"
    )
    result = await submit_form(hass, result["flow_id"], organization=["org-a", "org-b"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entries = {one.unique_id: one for one in hass.config_entries.async_entries(DOMAIN)}
    assert set(entries) == {"org-a", "org-b"}
    assert sorted(one.title for one in entries.values()) == ["First", "Mine"]
    for identity, entry in entries.items():
        assert entry.state is ConfigEntryState.LOADED
        assert entry.data[CONF_SESSION_KEY] == KEY
        assert entry.data[CONF_ORGANIZATION] == identity

    # The simulator refuses requests that name an organization it does not know.
    simulator.account.organizations = [ORGANIZATIONS[0], ORGANIZATIONS[2]]
    await poll(hass, freezer)
    available = {
        entry.title: state.state != STATE_UNAVAILABLE
        for entry in entries.values()
        if (state := hass.states.get(f"sensor.{entry.title.lower()}_credit_available"))
    }
    assert available == {"First": True, "Mine": False}


async def test_only_new_organizations_are_offered(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Organizations that are set up already are not offered; the flow aborts if all are."""
    entry_of(simulator, "org-b").add_to_hass(hass)
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    assert [option["value"] for option in selector.config["options"]] == ["org-a", "org-c"]
    with pytest.raises(InvalidData):
        await submit_form(hass, result["flow_id"], organization=["org-b"])
    result = await submit_form(hass, result["flow_id"], organization=[])
    assert result["errors"] == {"organization": "no_organization"}
    result = await submit_form(hass, result["flow_id"], organization=["org-a", "org-c"])
    assert result["type"] is FlowResultType.CREATE_ENTRY

    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_admin_key_fits_one_organization_only(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """With an admin key a single organization is chosen, which must be the key's own."""
    simulator.account.organizations = [ORGANIZATIONS[1], ORGANIZATIONS[0]]
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY, admin_key=ADMIN_KEY
    )
    assert result["step_id"] == "organization"
    result = await submit_form(hass, result["flow_id"], organization="org-a")
    assert result["errors"] == {"organization": "other_organization"}
    simulator.fault("costs", "rate_limited", times=1)
    result = await submit_form(hass, result["flow_id"], organization="org-b")
    assert result["errors"] == {"base": "rate_limited"}
    result = await submit_form(hass, result["flow_id"], organization="org-b")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "org-b"


async def test_new_key_can_be_used_for_sibling_accounts(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """A new key is offered to the other accounts with the old one; their reauth then ends."""
    freezer.move_to(NOW)
    entries = [entry_of(simulator, one.id) for one in ORGANIZATIONS]
    other_host = MockConfigEntry(
        domain=DOMAIN,
        title="Other host",
        unique_id="org-x",
        data={CONF_HOST: "https://gateway.example", CONF_SESSION_KEY: KEY},
        disabled_by=ConfigEntryDisabler.USER,
    )
    other_host.add_to_hass(hass)
    for entry in entries:
        entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entries[0].entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 3
    simulator.key = OTHER_KEY
    await poll(hass, freezer)
    flows = hass.config_entries.flow.async_progress()
    assert len(flows) == 3
    flow = next(one for one in flows if one["context"].get("entry_id") == entries[0].entry_id)

    result = await submit_form(hass, flow["flow_id"], session_key=OTHER_KEY)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "siblings"
    assert result["data_schema"]
    (field,) = result["data_schema"].schema
    assert field.default() == [entries[1].entry_id, entries[2].entry_id]
    result = await submit_form(hass, flow["flow_id"], accounts=[entries[2].entry_id])
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)

    assert [entry.data[CONF_SESSION_KEY] for entry in entries] == [OTHER_KEY, KEY, OTHER_KEY]
    assert other_host.data[CONF_SESSION_KEY] == KEY
    assert entries[2].state is ConfigEntryState.LOADED
    left = {one["context"].get("entry_id") for one in hass.config_entries.flow.async_progress()}
    assert left == {entries[1].entry_id}


async def test_sibling_accounts_can_keep_their_key(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """The offer to use the new key for other accounts can be declined."""
    entries = [entry_of(simulator, one.id) for one in ORGANIZATIONS[:2]]
    entries[1].add_to_hass(hass)
    await setup_entry(hass, entries[0])
    simulator.key = OTHER_KEY
    result = await entries[0].start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=OTHER_KEY)
    assert result["step_id"] == "siblings"
    result = await submit_form(hass, result["flow_id"], accounts=[])
    assert result["reason"] == "reconfigure_successful"
    assert [entry.data[CONF_SESSION_KEY] for entry in entries] == [OTHER_KEY, KEY]


async def test_only_accounts_that_the_new_key_opens_are_offered(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Not offered: another host, an organization that the key does not open, no key or the same."""

    def other(title: str, organization: str, **data: str | None) -> MockConfigEntry:
        values = {
            CONF_HOST: simulator.url,
            CONF_SESSION_KEY: KEY,
            CONF_ORGANIZATION: organization,
            **data,
        }
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=title,
            unique_id=title,
            data={name: value for name, value in values.items() if value},
            disabled_by=ConfigEntryDisabler.USER,
        )
        entry.add_to_hass(hass)
        return entry

    simulator.session_keys = {OTHER_KEY}
    offered = other("Sibling", "org-b")
    others = [
        other("Other host", "org-b", **{CONF_HOST: "https://gateway.example"}),
        other("Other organization", "org-z"),
        other("Admin key alone", "org-b", **{CONF_SESSION_KEY: None, CONF_ADMIN_KEY: ADMIN_KEY}),
        other("New key already", "org-c", **{CONF_SESSION_KEY: OTHER_KEY}),
    ]
    before = [dict(one.data) for one in others]
    entry = entry_of(simulator, "org-a")
    await setup_entry(hass, entry)
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=OTHER_KEY)
    assert result["step_id"] == "siblings"
    assert result["data_schema"]
    (selector,) = result["data_schema"].schema.values()
    assert selector.config["options"] == [{"value": offered.entry_id, "label": "Sibling"}]
    result = await submit_form(hass, result["flow_id"], accounts=[offered.entry_id])
    assert result["reason"] == "reconfigure_successful"
    assert offered.data[CONF_SESSION_KEY] == OTHER_KEY
    assert [dict(one.data) for one in others] == before


async def test_new_admin_key_is_not_offered_to_others(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Where the session key stays the same, nothing is asked about other accounts."""
    entry_of(simulator, "org-b").add_to_hass(hass)
    entry = entry_of(simulator, "org-a")
    await setup_entry(hass, entry)
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_form(hass, result["flow_id"], host=simulator.url, admin_key=ADMIN_KEY)
    assert result["reason"] == "reconfigure_successful"


ADMIN_KEY_OF_B = "sk-admin-of-organization-b"


@pytest.fixture
async def account_of_b(hass: HomeAssistant, simulator: RunningSimulator) -> MockConfigEntry:
    """Set up an admin key of the second of the two organizations that a session key opens."""
    simulator.account.organizations = [
        Organization("org-a", "First", is_default=True),
        Organization("org-b", "Second"),
    ]
    simulator.others["org-b"] = Account(
        organizations=[Organization("org-b", "Second")], undocumented_fields=False
    )
    simulator.admin_keys[ADMIN_KEY_OF_B] = "org-b"
    # Added in a month without costs, so that only the oldest project was known
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Mine",
        unique_id="proj_default",
        data={
            CONF_HOST: simulator.url,
            CONF_ADMIN_KEY: ADMIN_KEY_OF_B,
            CONF_DEFAULT_PROJECT: "proj_default",
        },
    )
    await setup_entry(hass, entry)
    return entry


async def choose(
    hass: HomeAssistant, simulator: RunningSimulator, *organizations: str
) -> ConfigFlowResult:
    """Add a session key, and choose some of its organizations."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["step_id"] == "organization"
    return await submit_form(hass, result["flow_id"], organization=[*organizations])


@pytest.mark.parametrize("reports_organization", [True, False])
@pytest.mark.parametrize("chosen", [("org-a", "org-b"), ("org-b",)])
async def test_each_chosen_organization_is_compared(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account_of_b: MockConfigEntry,
    chosen: tuple[str, ...],
    reports_organization: bool,
) -> None:
    """No organization that an admin key has set up already is added again."""
    if reports_organization:
        simulator.others["org-b"].undocumented_fields = True
        await hass.config_entries.async_reload(account_of_b.entry_id)
    result = await choose(hass, simulator, *chosen)
    if not reports_organization:
        # The account's key may read the second organization, but is not known to be of it.
        assert result["description_placeholders"]
        assert result["description_placeholders"]["organization"] == "**Second**\n\n"
        result = await submit_form(hass, result["flow_id"], account=account_of_b.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    ids = {one.unique_id for one in hass.config_entries.async_entries(DOMAIN)}
    assert ids == {"proj_default", *chosen} - {"org-b"}
    if len(chosen) == 1:
        assert result["reason"] == "already_configured"


@pytest.mark.parametrize("is_known", [True, False])
async def test_user_says_which_organization_is_set_up(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    account_of_b: MockConfigEntry,
    is_known: bool,
) -> None:
    """Where an account's own key does not tell, the dialog asks for each organization by name."""
    del simulator.admin_keys[ADMIN_KEY_OF_B]
    result = await choose(hass, simulator, "org-a", "org-b")
    for name in ("First", "Second"):
        assert result["step_id"] == "known_account"
        assert result["description_placeholders"]
        assert result["description_placeholders"]["organization"] == f"**{name}**\n\n"
        account = account_of_b.entry_id if is_known or name == "Second" else None
        result = await submit_form(
            hass, result["flow_id"], **({"account": account} if account else {})
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    ids = {one.unique_id for one in hass.config_entries.async_entries(DOMAIN)}
    if is_known:
        assert result["reason"] == "already_configured"
        assert ids == {"proj_default"}
    else:
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert ids == {"proj_default", "org-a"}
