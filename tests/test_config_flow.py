"""The form that adds an account."""

from __future__ import annotations

import socket
from unittest.mock import patch

import aiohttp
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    DOMAIN,
)
from simulator import Fault, Organization

from .common import RunningSimulator, start_user_flow, submit_form, suggested_values
from .const import ADMIN_KEY, KEY, NOW, ORGANIZATION, OTHER_ADMIN_KEY, OTHER_KEY

LONG = "x" * 10_000


async def test_account_is_named_after_its_organization(
    hass: HomeAssistant, simulator: RunningSimulator, freezer: FrozenDateTimeFactory
) -> None:
    """An account is set up from a host and a key, with blanks and prefixes removed."""
    freezer.move_to(NOW)
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
        CONF_SESSION_KEY_ADDED: NOW.isoformat(),
        CONF_ORGANIZATION: ORGANIZATION,
    }
    assert result["result"].unique_id == ORGANIZATION
    assert result["result"].state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("name", "orgs", "account_name", "title"),
    [
        pytest.param(
            " My \t account ", "Example Home", "Erika Beispiel", "My account", id="typed name"
        ),
        pytest.param("", "Example Home", "Erika Beispiel", "Example Home", id="organization"),
        pytest.param("", None, "Erika Beispiel", "OpenAI", id="not the owner's name"),
        pytest.param("n" * 300, None, None, "n" * 100, id="long name"),
    ],
)
async def test_title_is_the_first_name_known(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    name: str,
    orgs: str | None,
    account_name: str | None,
    title: str,
) -> None:
    """The title is the typed name, else the organization's, but never a person's."""
    simulator.account.organizations = [Organization(ORGANIZATION, orgs)] if orgs else []
    simulator.account.subscription["account_name"] = account_name
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY, **{CONF_NAME: name}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == title


async def test_unknown_organization_is_identified_by_a_digest(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """Without an organization the unique id is a digest that does not reveal the key."""
    simulator.fault("me", "not_found")
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"].keys() == {CONF_HOST, CONF_SESSION_KEY, CONF_SESSION_KEY_ADDED}
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
        ("*", "not_json", "base", "invalid_response"),
        ("credit_grants", "empty", "base", "invalid_response"),
        ("credit_grants", "other_shape", "base", "invalid_response"),
        ("credit_grants", "other_object", "base", "invalid_response"),
        ("credit_grants", "deep", "base", "invalid_response"),
        ("credit_grants", "error_under_200", "base", "invalid_response"),
        ("*", "redirect", "base", "invalid_response"),
        ("credit_grants", "huge", "base", "invalid_response"),
        ("credit_grants", "bomb", "base", "invalid_response"),
        ("*", "not_found", "base", "invalid_response"),
    ],
)
async def test_fault_is_shown_on_the_form(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    endpoint: str,
    fault: str,
    field: str,
    error: str,
) -> None:
    """Each fault has its own error, and the form can be submitted again."""
    flow_id = await start_user_flow(hass)
    simulator.fault(endpoint, fault)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {field: error}
    assert not hass.config_entries.async_entries(DOMAIN)

    simulator.clear_faults()
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_rate_limit_error_names_the_minutes(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """The form says how many minutes to wait."""
    simulator.fault("credit_grants", Fault(status=429, headers={"Retry-After": "130"}))
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=KEY
    )
    assert result["errors"] == {"base": "rate_limited"}
    assert (result["description_placeholders"] or {})["minutes"] == "3"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("Bearer ", id="prefix only"),
        pytest.param("sess-a b", id="blank"),
        pytest.param("sess-a\nb", id="line break"),
        pytest.param("sess-ключ", id="Cyrillic"),
        pytest.param("sess-\x00", id="control character"),
        pytest.param(LONG, id="too long"),
        pytest.param("“sess-a”", id="quotation marks"),
    ],
)
async def test_malformed_key_is_not_sent(
    hass: HomeAssistant, simulator: RunningSimulator, key: str
) -> None:
    """A key that cannot be one is refused without a request."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=key)
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_key"}
    assert not simulator.requests
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("key", ["sk-proj-0000", "sk-0000", "sk-admin-0000"])
async def test_wrong_kind_of_key_is_refused(
    hass: HomeAssistant, simulator: RunningSimulator, key: str
) -> None:
    """Other kinds of keys are refused, going by the response to them."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=key
    )
    assert result["errors"] == {CONF_SESSION_KEY: "wrong_key_type"}


@pytest.mark.parametrize(
    ("host", "error"),
    [
        pytest.param("", "invalid_host", id="empty"),
        pytest.param("  ", "invalid_host", id="blank"),
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
        ("[::1", "invalid_host"),
        pytest.param("127.0.0.1\x00.example", "invalid_host", id="control character"),
        pytest.param("a\u202eb", "invalid_host", id="right-to-left override"),
        ("-.example", "invalid_host"),
        pytest.param(LONG, "invalid_host", id="long"),
        pytest.param("x" * 64, "invalid_host", id="long label"),
        pytest.param("https://例え テスト", "invalid_host", id="Japanese with a blank"),
        ("fe80::1%eth0", "zoned_host"),
        ("http://[fe80::1%25eth0]:8080", "zoned_host"),
        ("http://api.openai.com", "insecure_host"),
        ("http://8.8.8.8", "insecure_host"),
        ("http://[2001:4860:4860::8888]", "insecure_host"),
        ("http://[::ffff:8.8.8.8]", "insecure_host"),
        ("http://gateway.example", "insecure_host"),
        ("http://printer.local.example", "insecure_host"),
        ("http://fritz.box.example", "insecure_host"),
        ("http://100.63.255.255", "insecure_host"),
        ("http://100.128.0.0", "insecure_host"),
    ],
)
async def test_unacceptable_host_gets_no_request(
    hass: HomeAssistant, simulator: RunningSimulator, host: str, error: str
) -> None:
    """A host that is malformed or must not get a key is refused without a request."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=host, session_key=KEY)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {CONF_HOST: error}
    assert not simulator.requests
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_host_is_normalized(hass: HomeAssistant, simulator: RunningSimulator) -> None:
    """Dots and a known prefix in the path do not get into the stored host."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=f"{simulator.url}/a/../../v1/", session_key=KEY
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_HOST] == simulator.url


async def test_local_name_may_use_plain_http(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A local name that resolves to a private address is accepted with plain HTTP."""
    url = simulator.url.replace("127.0.0.1", "localhost")
    result = await submit_form(hass, await start_user_flow(hass), host=url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_HOST] == url


@pytest.mark.parametrize(
    "name",
    [
        "gateway.local",
        "gateway.lan",
        "gateway.fritz.box",
        "gateway.home.arpa",
        "gateway.internal",
        "gateway",
        pytest.param("134744072", id="address as one number"),
    ],
)
async def test_local_name_with_public_address_gets_no_key(
    hass: HomeAssistant, simulator: RunningSimulator, name: str
) -> None:
    """A local name that resolves to a public address is refused with plain HTTP."""
    public = [(2, 1, 6, "", ("203.0.113.7", 80))]
    with patch.object(hass.loop, "getaddrinfo", return_value=public):
        result = await submit_form(
            hass, await start_user_flow(hass), host=f"http://{name}", session_key=KEY
        )
    assert result["errors"] == {CONF_HOST: "insecure_host"}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("gateway.lan", "192.168.1.5"),
        ("gateway.fritz.box", "192.168.178.5"),
        ("gateway.home.arpa", "10.0.0.5"),
        ("gateway.internal", "172.31.255.254"),
        ("gateway.local", "100.64.0.1"),
        ("gateway", "100.127.255.254"),
        ("100.64.0.1", None),
        ("100.127.255.254", None),
    ],
)
async def test_private_address_may_get_a_key_over_plain_http(
    hass: HomeAssistant, host: str, address: str | None
) -> None:
    """Names of home networks and the addresses of VPNs are connected to, not refused."""
    found = [(2, 1, 6, "", (address, 80))]
    connected: list[str | None] = []

    async def refuse(
        connector: aiohttp.BaseConnector, request: aiohttp.ClientRequest, *_: object, **__: object
    ) -> None:
        connected.append(request.url.host)
        raise aiohttp.ClientConnectionError

    with (
        patch.object(hass.loop, "getaddrinfo", return_value=found),
        patch.object(aiohttp.BaseConnector, "connect", refuse),
    ):
        result = await submit_form(
            hass, await start_user_flow(hass), host=f"http://{host}", session_key=KEY
        )
    assert result["errors"] == {"base": "cannot_connect"}
    assert set(connected) == {address or host}


async def test_unresolved_name_is_a_connection_error(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A name that does not resolve is reported, and the form can be submitted again."""
    flow_id = await start_user_flow(hass)
    with patch.object(hass.loop, "getaddrinfo", side_effect=socket.gaierror):
        result = await submit_form(hass, flow_id, host="http://nowhere.local", session_key=KEY)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_refused_connection_is_a_connection_error(
    hass: HomeAssistant, simulator: RunningSimulator, unused_tcp_port: int
) -> None:
    """A refused connection is reported, and the form can be submitted again."""
    flow_id = await start_user_flow(hass)
    result = await submit_form(
        hass, flow_id, host=f"http://127.0.0.1:{unused_tcp_port}", session_key=KEY
    )
    assert result["errors"] == {"base": "cannot_connect"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_unexpected_error_is_logged_without_its_text(
    hass: HomeAssistant, simulator: RunningSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception is logged with its traceback, but without its message."""
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


async def test_account_cannot_be_added_twice(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """The same account is refused, even with another key."""
    entry.add_to_hass(hass)
    simulator.key = OTHER_KEY
    result = await submit_form(
        hass, await start_user_flow(hass), host=simulator.url, session_key=OTHER_KEY
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_gateway_key_is_checked_by_the_subscription(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """On a host without credit grants, the subscription shows whether the key works."""
    simulator.kind = "new-api"
    simulator.fault("subscription", "expired_key", times=1)
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_auth"}
    result = await submit_form(hass, flow_id, host=simulator.url, session_key=KEY)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "OpenAI"


@pytest.mark.parametrize(
    ("typed", "errors", "kept"),
    [
        pytest.param(
            {CONF_HOST: "not a host"},
            {CONF_HOST: "invalid_host"},
            {CONF_HOST: "not a host", CONF_SESSION_KEY: KEY, CONF_ADMIN_KEY: ADMIN_KEY},
            id="host",
        ),
        pytest.param(
            {CONF_HOST: "not a host", CONF_SESSION_KEY: "sess-a b"},
            {CONF_HOST: "invalid_host", CONF_SESSION_KEY: "invalid_key"},
            {CONF_HOST: "not a host", CONF_ADMIN_KEY: ADMIN_KEY},
            id="host and key",
        ),
        pytest.param(
            {CONF_SESSION_KEY: OTHER_KEY},
            {CONF_SESSION_KEY: "invalid_auth"},
            {CONF_ADMIN_KEY: ADMIN_KEY},
            id="session key",
        ),
        pytest.param(
            {CONF_ADMIN_KEY: OTHER_ADMIN_KEY},
            {CONF_ADMIN_KEY: "invalid_auth"},
            {CONF_SESSION_KEY: KEY},
            id="admin key",
        ),
    ],
)
async def test_error_keeps_what_was_entered_correctly(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    typed: dict[str, str],
    errors: dict[str, str],
    kept: dict[str, str],
) -> None:
    """After an error the form suggests what was entered, but not a key that was wrong."""
    entered = {
        CONF_HOST: simulator.url,
        CONF_SESSION_KEY: f'curl -H "Authorization: Bearer {KEY}" -b "a=secret"',
        CONF_ADMIN_KEY: ADMIN_KEY,
        CONF_NAME: "My name",
    }
    flow_id = await start_user_flow(hass)
    result = await submit_form(hass, flow_id, **entered | typed)
    assert result["errors"] == errors
    assert suggested_values(result) == {CONF_HOST: simulator.url, CONF_NAME: "My name"} | kept
    # What is sent to others who follow the flow's progress does not include it.
    assert KEY not in str(hass.config_entries.flow.async_progress())
    again = await hass.config_entries.flow.async_configure(flow_id)
    assert KEY not in str(suggested_values(again))
