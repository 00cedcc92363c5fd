"""Where requests may go, and with which key."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import re

from yarl import URL

from .errors import InsecureHostError, InvalidHostError, InvalidKeyError

DEFAULT_HOST = "api.openai.com"

# Networks that no stranger sits on: loopback, private, link-local, unique-local.
_NEAR = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_KEY_PREFIX = re.compile(r"^(?:authorization\s*:\s*)?(?:bearer(?:\s+|$))?", re.IGNORECASE)
_KEY = re.compile(r"[!-~]{1,4096}")


def base_url(host: str) -> URL:
    """Return the URL that requests to a host start with, without a slash at its end.

    `host` is a name or an address, with a port or without, or a URL; without a
    scheme it is asked by https. Raises `InvalidHostError`, or
    `InsecureHostError` where plain http would leave the private network.
    """
    host = host.strip()
    if not host or len(host) > 2000 or any(not char.isprintable() for char in host):
        raise InvalidHostError("No usable host")
    try:
        url = URL(host if "://" in host else f"https://{_bracketed(host)}")
        port = url.port
    except ValueError as err:
        raise InvalidHostError("No usable host") from err
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
        raise InvalidHostError("No usable host")
    if url.scheme == "http" and not may_be_near(url.raw_host):
        raise InsecureHostError("Plain http to a public host")
    path = url.path.rstrip("/").removesuffix("/v1")
    # A path of dots could be normalized away by some server on the way.
    if ".." in path:
        raise InvalidHostError("No usable host")
    return url.with_path(path).with_host(url.raw_host.lower().removesuffix("."))


def _bracketed(host: str) -> str:
    """Return a bare IPv6 address as URLs write it, anything else as it is."""
    address = literal(host)
    return f"[{host}]" if isinstance(address, IPv6Address) else host


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is written as, None where it is a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_near(address: str) -> bool:
    """Return whether an address is of this machine or of a private network."""
    ip = literal(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip is not None and any(ip in network for network in _NEAR)


def may_be_near(host: str) -> bool:
    """Return whether a host is one that can belong to a private network.

    What a name stands for is decided anew at each connection (see the client).
    """
    if literal(host):
        return is_near(host)
    name = host.lower().removesuffix(".")
    return "." not in name or name.endswith((".local", ".localhost"))


def clean_key(key: str) -> str:
    """Return a key without what comes along when a header is copied.

    Raises `InvalidKeyError` where the rest is empty or cannot stand in a header.
    """
    key = _KEY_PREFIX.sub("", key.strip())
    if not _KEY.fullmatch(key):
        raise InvalidKeyError("No usable key")
    return key
