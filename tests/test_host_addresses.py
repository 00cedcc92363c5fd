"""Hosts: which addresses a key may travel to without encryption, and how each is connected to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
import socket
from typing import Any, cast
from unittest.mock import patch

import aiohttp
from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
import pytest
from yarl import URL

from custom_components.openai_account.api import CannotConnectError, KeyKind, OpenAIAccountClient

from .common import start_user_flow, submit_form
from .const import KEY
from .host import SUBSCRIPTION, Connect, Host, fails, turn

type Connections = list[tuple[URL, str]]


@pytest.fixture
def connections() -> Generator[Connections]:
    """Refuse all connections; return what was to be connected to, and the header Host."""
    found: Connections = []

    async def refuse(
        connector: aiohttp.BaseConnector, request: aiohttp.ClientRequest, *_: object, **__: object
    ) -> None:
        found.append((request.url, request.headers["Host"]))
        raise aiohttp.ClientConnectionError

    with patch.object(aiohttp.BaseConnector, "connect", refuse):
        yield found


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("api.openai.com", "api.openai.com"),
        ("gateway.example:8443", "gateway.example:8443"),
        ("https://gateway.lan", "gateway.lan"),
        ("https://8.8.8.8", "8.8.8.8"),
    ],
)
async def test_https_connects_by_name(
    hass: HomeAssistant, connections: Connections, host: str, authority: str
) -> None:
    """Whatever a name resolves to, https goes to the name: the certificate tells who that is."""
    with patch.object(hass.loop, "getaddrinfo", side_effect=OSError):
        result = await submit_form(hass, await start_user_flow(hass), host=host, session_key=KEY)
    assert result["errors"] == {"base": "cannot_connect"}
    assert connections
    for url, header in connections:
        assert url.scheme == "https"
        assert url.host_port_subcomponent == header == authority


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "10.0.0.0", "10.255.255.255", "172.16.0.0"),
        *("172.31.255.255", "192.168.0.0", "192.168.255.255", "169.254.0.0", "169.254.255.255"),
        *("100.64.0.0", "100.127.255.255", "[::1]", "[fc00::]", "[fdff:ffff::1]"),
        *("[fe80::]", "[febf:ffff::1]", "[::ffff:10.0.0.1]", "[::ffff:192.168.1.2]"),
    ],
)
async def test_private_address_is_connected_to(
    hass: HomeAssistant, connections: Connections, address: str
) -> None:
    """An address of a private network may get a key over plain HTTP, up to the last one."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=f"http://{address}:8080", session_key=KEY
    )
    assert result["errors"] == {"base": "cannot_connect"}
    assert {url.host for url, _ in connections} == {URL(f"http://{address}").host}


@pytest.mark.parametrize(
    "address",
    [
        *("126.255.255.255", "128.0.0.0", "9.255.255.255", "11.0.0.0", "172.15.255.255"),
        *("172.32.0.0", "192.167.255.255", "192.169.0.0", "169.253.255.255", "169.255.0.0"),
        *("100.63.255.255", "100.128.0.0", "[::2]", "[fbff:ffff::1]", "[fe00::]"),
        *("[fec0::]", "[2001:4860:4860::8888]", "[::ffff:8.8.8.8]", "[::ffff:11.0.0.1]"),
    ],
)
async def test_public_address_is_not_connected_to(
    hass: HomeAssistant, connections: Connections, address: str
) -> None:
    """The addresses next to private networks are anybody's: no key goes there over plain HTTP."""
    result = await submit_form(
        hass, await start_user_flow(hass), host=f"http://{address}", session_key=KEY
    )
    assert result["errors"] == {CONF_HOST: "insecure_host"}
    assert not connections


async def test_name_is_connected_to_at_the_address_that_was_checked(
    hass: HomeAssistant, connections: Connections
) -> None:
    """Over plain HTTP a name is resolved once; the request still names it, with its port."""
    found = [(10, 1, 6, "", ("2001:db8::1", 8080)), (2, 1, 6, "", ("192.168.1.5", 8080))]
    with patch.object(hass.loop, "getaddrinfo", return_value=found):
        result = await submit_form(
            hass, await start_user_flow(hass), host="http://gateway.lan:8080", session_key=KEY
        )
    assert result["errors"] == {"base": "cannot_connect"}
    assert {(str(url.origin()), header) for url, header in connections} == {
        ("http://192.168.1.5:8080", "gateway.lan:8080")
    }


@pytest.mark.parametrize(
    ("host", "stored"),
    [
        ("{host}/v1", ""),
        ("{host}/proxy/v1/", "/proxy"),
        ("{host}/proxy", "/proxy"),
        ("{host}//", ""),
    ],
)
async def test_path_of_a_host_is_kept(
    hass: HomeAssistant, connections: Connections, host: str, stored: str
) -> None:
    """A host behind a path of a proxy is requested there; /v1 at its end is added anyway."""
    await submit_form(
        hass,
        await start_user_flow(hass),
        host=host.format(host="https://gateway.example"),
        session_key=KEY,
    )
    assert {url.path for url, _ in connections} >= {f"{stored}/dashboard/billing/credit_grants"}
    assert all(url.path.startswith(stored) for url, _ in connections)


@pytest.mark.parametrize("length", [2000, 2001])
async def test_long_host(hass: HomeAssistant, connections: Connections, length: int) -> None:
    """A URL as long as browsers allow is a host, a longer one is not."""
    host = "https://gateway.example/".ljust(length, "x")
    result = await submit_form(hass, await start_user_flow(hass), host=host, session_key=KEY)
    error = {CONF_HOST: "invalid_host"} if length > 2000 else {"base": "cannot_connect"}
    assert result["errors"] == error


@pytest.mark.parametrize(
    "host",
    [
        *("https://u@gateway.example", "https://:p@gateway.example", "https://gateway.example?a"),
        *("https://gateway.example/#a", "https://gateway.example:0", "ftp://gateway.example"),
        *("https://gate way.example", "https://-gateway.example", "https://a..example"),
        *(f"https://{'a' * 64}.example", f"https://{'.'.join(['a' * 63] * 4)}.example"),
        *("https://gateway.example/a%2F..%2Fb", "https://gateway.example/a..b", "https://"),
        *("https://gateway.example:65536", "gateway.example\x07", " "),
    ],
)
async def test_host_that_is_none(hass: HomeAssistant, connections: Connections, host: str) -> None:
    """What is no plain host is refused at its field, and nothing is sent."""
    result = await submit_form(hass, await start_user_flow(hass), host=host, session_key=KEY)
    assert result["errors"] == {CONF_HOST: "invalid_host"}
    assert not connections


async def test_ipv6_address_without_brackets(hass: HomeAssistant, connections: Connections) -> None:
    """A bare IPv6 address is a host as it stands."""
    await submit_form(hass, await start_user_flow(hass), host="2001:db8::1", session_key=KEY)
    assert {str(url.origin()) for url, _ in connections} == {"https://[2001:db8::1]"}


# ---- Several addresses -------------------------------------------------------------------------


@pytest.fixture
async def connect_by_name(host: Host, connect: Connect) -> AsyncGenerator[tuple[Any, list[str]]]:
    """Return a client of a host with several addresses, and the list of what was connected to.

    One is public, one silent, and one listens. The silent one refuses while that is in the list.
    """
    loop = asyncio.get_running_loop()
    port = int(host.url.rstrip("/").rpartition(":")[2])
    addresses = ("203.0.113.7", "10.0.0.5", "127.0.0.1")
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]
    tried: list[str] = []
    sock_connect = loop.sock_connect

    async def connect_to(sock: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[0])
        if address[0] != "127.0.0.1":
            if "refuses" in tried:
                raise ConnectionRefusedError
            await asyncio.sleep(3600)
        await sock_connect(sock, address)

    with (
        patch.object(loop, "getaddrinfo", return_value=found),
        patch.object(loop, "sock_connect", connect_to),
    ):
        yield connect(url=f"http://gateway.lan:{port}"), tried


async def test_next_address_is_tried(
    host: Host, connect_by_name: tuple[OpenAIAccountClient, list[str]]
) -> None:
    """Where an address refuses, the next one is tried, and comes first from then on."""
    client, tried = connect_by_name
    tried.append("refuses")
    host.answer = lambda _: SUBSCRIPTION
    await client.subscription()
    assert tried == ["refuses", "10.0.0.5", "127.0.0.1"]
    for one in host.requests:
        assert one.headers["Host"].startswith("gateway.lan:")

    # Its connection is still open, so nothing is connected to.
    await client.subscription()
    assert len(tried) == 3
    assert len(host.requests) == 2


async def test_time_for_a_connection(
    host: Host,
    connect_by_name: tuple[OpenAIAccountClient, list[str]],
    freezer: FrozenDateTimeFactory,
) -> None:
    """A connection may take 10 seconds, then the next address is tried."""
    client, tried = connect_by_name
    host.answer = lambda _: SUBSCRIPTION
    waiting = asyncio.ensure_future(client.subscription())
    await turn(lambda: bool(tried))
    await turn()
    freezer.tick(9.9)
    await turn()
    assert tried == ["10.0.0.5"]
    freezer.tick(0.2)
    await turn(waiting.done, 20_000)
    assert tried == ["10.0.0.5", "127.0.0.1"]
    assert (await waiting).plan == "Pro"


@pytest.mark.parametrize("failure", [OSError, socket.gaierror, UnicodeError])
async def test_name_that_cannot_be_resolved(connect: Connect, failure: type[Exception]) -> None:
    """A name without an address is a failure to connect."""
    client = connect(url="http://gateway.lan")
    with patch.object(asyncio.get_running_loop(), "getaddrinfo", side_effect=failure):
        found = await fails(client.subscription())
    assert (type(found), found.key) == (CannotConnectError, KeyKind.SESSION)


async def test_host_that_closes_the_connection(host: Host, client: OpenAIAccountClient) -> None:
    """A connection that is closed without a response is a failure to connect."""

    async def close(request: web.Request) -> web.Response:
        cast("asyncio.Transport", request.transport).close()
        return web.Response()

    host.answer = close
    assert type(await fails(client.subscription())) is CannotConnectError
