"""Where requests may go."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import re

from yarl import URL

from .errors import InsecureHostError, InvalidHostError, ZonedHostError

DEFAULT_HOST = "api.openai.com"

# Networks without strangers: loopback, private, carrier-grade NAT (which VPNs of one's own
# use), link-local, unique local
_PRIVATE = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
# Names that public DNS never resolves, or whose addresses are those of a home's router
_PRIVATE_NAMES = (".local", ".localhost", ".lan", ".fritz.box", ".home.arpa", ".internal")

_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)


def base_url(host: str) -> URL:
    """Return the URL that requests to a host start with, without a trailing slash.

    `host` is a host name or an IP address, with or without a port, or a URL. The
    scheme defaults to https. Raises `InvalidHostError`, `ZonedHostError` for an IPv6
    address with a zone, or `InsecureHostError` for plain http to a public host.
    """
    host = host.strip()
    if not host or len(host) > 2000 or any(not char.isprintable() for char in host):
        raise InvalidHostError("Not a valid host")
    try:
        url = URL(host if "://" in host else f"https://{_bracketed(host)}")
        port = url.port
    except ValueError as err:
        raise InvalidHostError("Not a valid host") from err
    if "%" in (url.raw_host or "") and literal(url.raw_host or ""):
        raise ZonedHostError("An IPv6 address with a zone")
    if (
        url.scheme not in ("http", "https")
        or not url.raw_host
        or not port
        or url.raw_user is not None
        or url.raw_password is not None
        or url.raw_query_string
        or url.raw_fragment
        or not (literal(url.raw_host) or _HOST_NAME.fullmatch(url.raw_host))
        or len(url.raw_host) > 253
    ):
        raise InvalidHostError("Not a valid host")
    if url.scheme == "http" and not may_be_private(url.raw_host):
        raise InsecureHostError("Plain http to a public host")
    path = url.path.rstrip("/").removesuffix("/v1")
    # A server or proxy on the way could resolve the dots.
    if ".." in path:
        raise InvalidHostError("Not a valid host")
    return url.with_path(path).with_host(url.raw_host.lower().removesuffix("."))


def _bracketed(host: str) -> str:
    """Return a bare IPv6 address in brackets, anything else unchanged."""
    address = literal(host)
    return f"[{host}]" if isinstance(address, IPv6Address) else host


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return a host's IP address, None where the host is a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_private(address: str) -> bool:
    """Return whether an IP address belongs to this machine or a private network."""
    ip = literal(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip is not None and any(ip in network for network in _PRIVATE)


def may_be_private(host: str) -> bool:
    """Return whether a host can belong to a private network.

    What a name resolves to is checked at each connection (see the client).
    """
    if literal(host):
        return is_private(host)
    name = host.lower().removesuffix(".")
    return "." not in name or name.endswith(_PRIVATE_NAMES)
