"""The config flow, from the dialog's side."""

from __future__ import annotations

import socket
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import CONF_ORGANIZATION, CONF_SESSION_KEY, DOMAIN
from simulator import Fault, Organization

from .common import RunningSimulator, setup_entry, start_user_flow, submit_form
from .const import KEY, ORGANIZATION, OTHER_KEY

LONG = "x" * 10_000


async def test_user(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """An account is set up, named for its organization."""
    result = await submit_form(
        hass,
        await start_user_flow(hass),
        host=f" {simulator.url}/v1/ ",
        session_key=f"  Bearer {KEY}\n",
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Example Home"
    assert result["data"] == {
        CONF_HOST: simulator.url,
        CONF_SESSION_KEY: KEY,
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert result["result"].unique_id == ORGANIZATION
    assert result["result"].state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("name", "orgs", "account_name", "title"),
    [
        (" My \t account ", "Example Home", "Erika Beispiel", "My account"),
        ("", "Example Home", "Erika Beispiel", "Example Home"),
        ("", None, "Household Ltd", "Household Ltd"),
        ("", None, None, "OpenAI"),
        ("n" * 300, None, None, "n" * 100),
    ],
)
async def test_user_title(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    name: str,
    orgs: str | None,
    account_name: str | None,
    title: str,
) -> None:
    """The entry is called by the first name that there is."""
    simulator.account.organizations = [Organization(ORGANIZATION, orgs)] if orgs else []
    simulator.account.subscription["account_name"] = account_name
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY, **{CONF_NAME: name}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == title


async def test_user_unknown_organization(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """Without an organization the identity is a digest, which keeps the key to itself."""
    simulator.fault("me", "not_found")
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY}
    identity = result["result"].unique_id
    assert identity
    assert len(identity) == 32
    assert KEY not in identity

    again = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"


@pytest.mark.parametrize(
    ("endpoint", "fault", "field", "error"),
    [
        ("credit_grants", "expired_key", CONF_SESSION_KEY, "invalid_auth"),
        ("credit_grants", "wrong_key_type", CONF_SESSION_KEY, "wrong_key_type"),
        ("credit_grants", "country", "base", "unsupported_country"),
        ("credit_grants", "html_wall", "base", "blocked"),
        ("credit_grants", "rate_limited", "base", "rate_limited"),
        ("me", "rate_limited", "base", "rate_limited"),
        ("credit_grants", "quota", "base", "rate_limited"),
        ("credit_grants", "server_error", "base", "cannot_connect"),
        ("credit_grants", "bad_gateway", "base", "cannot_connect"),
        ("credit_grants", "unavailable", "base", "cannot_connect"),
        ("credit_grants", "cut", "base", "cannot_connect"),
        ("credit_grants", "reset", "base", "cannot_connect"),
        ("me", "reset", "base", "cannot_connect"),
        ("credit_grants", "not_json", "base", "invalid_response"),
        ("credit_grants", "empty", "base", "invalid_response"),
        ("credit_grants", "other_shape", "base", "invalid_response"),
        ("credit_grants", "other_object", "base", "invalid_response"),
        ("credit_grants", "deep", "base", "invalid_response"),
        ("credit_grants", "error_under_200", "base", "invalid_response"),
        ("credit_grants", "redirect", "base", "invalid_response"),
        ("credit_grants", "huge", "base", "invalid_response"),
        ("credit_grants", "bomb", "base", "invalid_response"),
        ("*", "not_found", "base", "invalid_response"),
    ],
)
async def test_user_faults(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    endpoint: str,
    fault: str,
    field: str,
    error: str,
) -> None:
    """Each fault comes back on the form by its own name, and the form can be sent again."""
    flow_id = await start_user_flow(hass)
    simulator.fault(endpoint, fault)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {field: error}
    assert not hass.config_entries.async_entries(DOMAIN)

    simulator.clear_faults()
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_user_rate_limited_minutes(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """The form says how long the server wants to be left alone."""
    simulator.fault("credit_grants", Fault(status=429, headers={"Retry-After": "130"}))
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["errors"] == {"base": "rate_limited"}
    assert (result["description_placeholders"] or {})["minutes"] == "3"


@pytest.mark.parametrize(
    "key",
    ["Bearer ", "sess-a b", "sess-a\nb", "sess-ключ", "sess-\x00", LONG, "“sess-a”"],
)
async def test_user_invalid_key(hass: HomeAssistant, simulator: RunningSimulator, key: str) -> None:
    """What cannot be a key is not sent."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=key)
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_key"}
    assert not simulator.requests
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("key", ["sk-proj-0000", "sk-0000", "sk-admin-0000"])
async def test_user_wrong_kind_of_key(
    hass: HomeAssistant, simulator: RunningSimulator, key: str
) -> None:
    """A key for programs is refused by what the account says of it."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=key
    )
    assert result["errors"] == {CONF_SESSION_KEY: "wrong_key_type"}


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("", "invalid_host"),
        ("  ", "invalid_host"),
        ("not a host", "invalid_host"),
        ("https://", "invalid_host"),
        ("ftp://127.0.0.1", "invalid_host"),
        ("https://user:password@127.0.0.1", "invalid_host"),
        ("http://user@127.0.0.1", "invalid_host"),
        ("127.0.0.1:0", "invalid_host"),
        ("127.0.0.1:65536", "invalid_host"),
        ("127.0.0.1:port", "invalid_host"),
        ("https://127.0.0.1/?query=1", "invalid_host"),
        ("https://127.0.0.1/#fragment", "invalid_host"),
        ("https://127.0.0.1/../../x", "cannot_connect"),
        ("[::1", "invalid_host"),
        ("127.0.0.1\x00.example", "invalid_host"),
        ("a\u202eb", "invalid_host"),
        ("-.example", "invalid_host"),
        (LONG, "invalid_host"),
        ("x" * 64, "invalid_host"),
        ("https://例え テスト", "invalid_host"),
        ("http://api.openai.com", "insecure_host"),
        ("http://8.8.8.8", "insecure_host"),
        ("http://[2001:4860:4860::8888]", "insecure_host"),
        ("http://[::ffff:8.8.8.8]", "insecure_host"),
        ("http://gateway.example", "insecure_host"),
        ("http://printer.local.example", "insecure_host"),
    ],
)
async def test_user_hosts(
    hass: HomeAssistant, simulator: RunningSimulator, host: str, error: str
) -> None:
    """A host that cannot or must not be asked is told so, and the form can be sent again."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=host, session_key=KEY)
    assert result["type"] is FlowResultType.FORM
    assert list((result["errors"] or {}).values()) == [error]
    assert not simulator.requests
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_user_near_name(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """A name of the private network may be asked by plain http, by the address that it has."""
    url = simulator.url.replace("127.0.0.1", "localhost")
    result = await submit_form(hass, await start_user_flow(hass), host=url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_HOST] == url


@pytest.mark.parametrize("name", ["gateway.local", "gateway", "134744072"])
async def test_user_near_name_with_public_address(
    hass: HomeAssistant, simulator: RunningSimulator, name: str
) -> None:
    """A private name that leads out of the private network gets no key."""
    public = [(2, 1, 6, "", ("203.0.113.7", 80))]
    with patch.object(hass.loop, "getaddrinfo", return_value=public):
        result = await submit_form(
            hass, await start_user_flow(hass), host=f"http://{name}", session_key=KEY
        )
    assert result["errors"] == {CONF_HOST: "insecure_host"}


async def test_user_unresolved_name(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """A name that stands for nothing is told, and the form can be sent again."""
    flow_id = await start_user_flow(hass)
    with patch.object(hass.loop, "getaddrinfo", side_effect=socket.gaierror):
        result = await submit_form(hass, flow_id, host="http://nowhere.local", session_key=KEY)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_user_nobody_listens(
    hass: HomeAssistant, simulator: RunningSimulator, unused_tcp_port: int
) -> None:
    """A refused connection is told, and the form can be sent again."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(
        hass, flow_id, host=f"http://127.0.0.1:{unused_tcp_port}", session_key=KEY
    )
    assert result["errors"] == {"base": "cannot_connect"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_user_unexpected(
    hass: HomeAssistant, simulator: RunningSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody thought of is logged with its place, but without its text."""
    with patch(
        "custom_components.openai_account.api.client.OpenAIAccountClient.credit_grants",
        side_effect=RuntimeError(f"surprise with {KEY}"),
    ):
        result = await submit_form(
            hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
        )
    assert result["errors"] == {"base": "unknown"}
    assert "Unexpected RuntimeError" in caplog.text
    assert "Traceback" in caplog.text


async def test_user_twice(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """The same account, by whichever key, is refused."""
    entry.add_to_hass(hass)
    simulator.key = OTHER_KEY
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=OTHER_KEY
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_user_gateway(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """Where there are no credit grants, the subscription tells whether the key works."""
    simulator.kind = "new-api"
    simulator.fault("subscription", "expired_key", times=1)
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_auth"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "OpenAI"


async def test_form_keeps_what_was_typed(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """After an error the host stands there as typed; the key does not come back."""
    result = await submit_form(
        hass,
        await start_user_flow(hass),
        host="not a host",
        session_key=KEY,
        **{CONF_NAME: "My name"},
    )
    assert result["data_schema"]
    suggested = {
        str(key): key.description.get("suggested_value")
        for key in result["data_schema"].schema
        if key.description
    }
    assert suggested == {CONF_HOST: "not a host", CONF_NAME: "My name"}


def entity_ids(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the entity ids of an entry by unique id."""
    registry = er.async_get(hass)
    return {
        entity.unique_id: entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


@pytest.mark.parametrize(
    ("fault", "field", "error"),
    [
        ("expired_key", CONF_SESSION_KEY, "invalid_auth"),
        ("html_wall", "base", "blocked"),
        ("rate_limited", "base", "rate_limited"),
    ],
)
async def test_reauth(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    fault: str,
    field: str,
    error: str,
) -> None:
    """A new key of the same account takes the place of the old one; entities stay."""
    await setup_entry(hass, entry)
    before = entity_ids(hass, entry)
    registry = er.async_get(hass)
    available = before[f"{ORGANIZATION}_total_available"]
    registry.async_update_entity(available, name="Mine", new_entity_id="sensor.mine")

    simulator.key = OTHER_KEY
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    simulator.fault("credit_grants", fault, times=1)
    result = await submit_form(hass, result["flow_id"], session_key=OTHER_KEY)
    assert result["errors"] == {field: error}
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_auth"}

    result = await submit_form(hass, result["flow_id"], session_key=f"Bearer {OTHER_KEY}")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_SESSION_KEY] == OTHER_KEY
    assert entry.state is ConfigEntryState.LOADED
    assert entity_ids(hass, entry) == before | {f"{ORGANIZATION}_total_available": "sensor.mine"}
    state = hass.states.get("sensor.mine")
    assert state
    assert state.name == "Mine"
    assert float(state.state) > 0


async def test_reauth_other_account(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A key of another organization is refused."""
    await setup_entry(hass, entry)
    result = await entry.start_reauth_flow(hass)
    simulator.account.organizations = [Organization("org-other", "Other")]
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["errors"] == {"base": "wrong_account"}
    assert entry.data[CONF_SESSION_KEY] == KEY

    simulator.account.organizations.append(Organization(ORGANIZATION, "Example Home"))
    result = await submit_form(hass, result["flow_id"], session_key=KEY)
    assert result["reason"] == "reauth_successful"


async def test_reconfigure(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """Host and key can change; the account cannot, and nothing of it is lost."""
    await setup_entry(hass, entry)
    before = entity_ids(hass, entry)
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure"

    result = await submit_form(hass, result["flow_id"], host="http://8.8.8.8", session_key=KEY)
    assert result["errors"] == {CONF_HOST: "insecure_host"}

    simulator.account.organizations = [Organization("org-other", "Other")]
    result = await submit_form(hass, result["flow_id"], host=simulator.url, session_key=KEY)
    assert result["errors"] == {"base": "wrong_account"}

    simulator.account.organizations = [Organization(ORGANIZATION, "Renamed")]
    simulator.key = OTHER_KEY
    url = simulator.url.replace("127.0.0.1", "localhost")
    result = await submit_form(hass, result["flow_id"], host=url, session_key=OTHER_KEY)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {
        CONF_HOST: url,
        CONF_SESSION_KEY: OTHER_KEY,
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert entry.unique_id == ORGANIZATION
    assert entity_ids(hass, entry) == before
    assert entry.state is ConfigEntryState.LOADED
