"""Where we may connect to: strict URLs, vetted addresses. Nothing here opens a connection.

Special-purpose ranges: IANA IPv4 and IPv6 Special-Purpose Address Registries; metadata: the clouds' documentation.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from agent_marketplace.net.errors import AddressRefused, ConnectFailed, InvalidRequest

Address = IPv4Address | IPv6Address
Lookup = Callable[[str], list[str]]

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[!-\"$-\[\]-~]*)?(?P<query>\?[!-\"$-\[\]-~]*)?",
    re.IGNORECASE,
)
_ANY_URL = re.compile(r"https?://(?P<host>\[[^\]/?#]*\]|[^/?#:@\[\]]+)(?::\d*)?(?=[/?#]|$)", re.IGNORECASE)
_AMBIGUOUS = re.compile(r"[\\\x00-\x20\x7f]")
_WILDCARD_NAMES = (
    "nip.io",
    "sslip.io",
    "xip.io",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "lacolhost.com",
    "traefik.me",
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_OCTET = re.compile(r"0|[1-9][0-9]{0,2}")
_LOCAL_SUFFIXES = (
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "home.arpa",
    "onion",
)

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_V6_SPECIAL = tuple(
    IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)  # 2001::/23 holds Teredo and ORCHID, 2002::/16 is 6to4
_V4_SPECIAL = tuple(
    IPv4Network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
)  # fmt: skip
_METADATA = frozenset(
    ipaddress.ip_address(a)
    for a in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
)


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. host: lower case, without brackets; path: path and query as they go on the wire."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def tls(self) -> bool:
        """True for https."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The Host header's value; the default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def parse_url(url: str, *, allow_private: bool) -> Target:
    """Accepts one spelling of a URL and no other. Raises InvalidRequest on any doubt, AddressRefused on what is not allowed.

    No userinfo, fragment, backslash, space, control or non-ASCII character, zone, trailing dot or empty port; IPv4 only as
    four plain decimals. Without allow_private: https, a public name or address, port 443 or above 1023.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise InvalidRequest(
            "not a plain http(s) URL (host names in their ASCII form, no user name, no fragment)"
        )
    host = _host(found["host"].lower())
    scheme = found["scheme"].lower()
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if port > 65535:
        raise InvalidRequest("the URL's port is above 65535")
    if not allow_private:
        _only_public(scheme, host, port)
    return Target(scheme, host, port, (found["path"] or "/") + (found["query"] or ""))


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except ValueError:
            raise InvalidRequest("not a valid IPv6 address in the URL") from None
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidRequest("not a valid host name in the URL")
    if _NUMBER.fullmatch(labels[-1]) and not _plain_ipv4(labels):
        raise InvalidRequest("an IPv4 address is written as four decimal numbers")
    return host


def _plain_ipv4(labels: list[str]) -> bool:
    return len(labels) == 4 and all(_OCTET.fullmatch(label) and int(label) < 256 for label in labels)


def _only_public(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise AddressRefused("only https is allowed for hosts that the operator has not set")
    if port != 443 and port < 1024:
        raise AddressRefused("only port 443 and ports above 1023 are allowed")
    literal = literal_address(host)
    if literal is not None:
        vet(literal, allow_private=False)
    elif "." not in host or any(host == suffix or host.endswith("." + suffix) for suffix in _LOCAL_SUFFIXES):
        raise AddressRefused("the host is a local name")


def leads_inside(url: str) -> bool:
    """Whether somebody on a private network who fetches the URL may be led to a neighbour, as far as its text tells.

    True for private, loopback, link-local and metadata addresses in any spelling, for local names, for names that wildcard
    DNS services make of an address, for other schemes, and for what two parsers might read in two ways.
    """
    if url[:5].lower() == "data:":
        return False
    found = _ANY_URL.match(url)
    if found is None or _AMBIGUOUS.search(url):
        return True
    host = found["host"].lower().rstrip(".")
    if any(host == name or host.endswith("." + name) for name in _WILDCARD_NAMES):
        return True
    try:
        parse_url(f"https://{host}/", allow_private=False)
    except (AddressRefused, InvalidRequest):
        return True
    return False


def literal_address(host: str) -> Address | None:
    """The address where the host is one, None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def embedded_ipv4(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped or NAT64 (64:ff9b::/96, RFC 6052) address; any other address as it is."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """True only for ordinary unicast addresses of the internet; 6to4, Teredo and every special range are not."""
    address = embedded_ipv4(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_SPECIAL)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _V6_SPECIAL)


def vet(address: Address, *, allow_private: bool) -> None:
    """Raises AddressRefused. Even the operator's hosts are never a cloud's metadata service, multicast or 'no address'."""
    inner = embedded_ipv4(address)
    if inner in _METADATA or inner.is_multicast or inner.is_unspecified:
        raise AddressRefused("the host's address is a metadata service, multicast or unspecified")
    if not allow_private and not is_public(address):
        raise AddressRefused("the host's address is not public")


def _getaddrinfo(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Resolves off the event loop, vets every address of a name, and keeps the verdict for ttl_s seconds.

    A connection is opened to a vetted address, never to the name, so an answer that changes later changes nothing.
    """

    def __init__(
        self, lookup: Lookup = _getaddrinfo, *, ttl_s: float = 30.0, threads: int = 4, max_names: int = 4096
    ) -> None:
        self._lookup = lookup
        self._ttl = ttl_s
        self._max = max_names
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="dns")
        self._vetted: dict[tuple[str, bool], tuple[float, tuple[str, ...]]] = {}
        self._running: dict[str, asyncio.Future[list[str]]] = {}

    async def resolve(self, target: Target, *, allow_private: bool, timeout_s: float) -> tuple[str, ...]:
        """The addresses to connect to, in the resolver's order. Raises AddressRefused if ANY is refused, ConnectFailed."""
        now = asyncio.get_running_loop().time()
        known = self._vetted.get((target.host, allow_private))
        if known is not None and now < known[0]:
            return known[1]
        literal = literal_address(target.host)
        addresses = (literal,) if literal is not None else await self._addresses(target.host, timeout_s)
        for address in addresses:
            vet(address, allow_private=allow_private)
        vetted = tuple(str(a.ipv4_mapped or a) if isinstance(a, IPv6Address) else str(a) for a in addresses)
        if len(self._vetted) >= self._max:
            self._vetted.pop(next(iter(self._vetted)))
        self._vetted[target.host, allow_private] = (now + self._ttl, vetted)
        return vetted

    async def _addresses(self, host: str, timeout_s: float) -> tuple[Address, ...]:
        future = self._running.get(host)
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host)
            self._running[host] = future
            future.add_done_callback(lambda done: self._ended(host, done))
        try:
            async with asyncio.timeout(timeout_s):
                names = await asyncio.shield(future)
        except TimeoutError:
            raise ConnectFailed("the host's name was not resolved in time") from None
        except OSError:
            raise ConnectFailed("the host's name is unknown") from None
        except UnicodeError:
            raise InvalidRequest("not a valid host name in the URL") from None
        addresses = tuple(a for a in map(literal_address, names) if a is not None)
        if not addresses or len(addresses) != len(names) or any("%" in name for name in names):
            raise AddressRefused("the host has no plain address")
        return addresses

    def _ended(self, host: str, done: asyncio.Future[list[str]]) -> None:
        self._running.pop(host, None)
        if not done.cancelled():
            done.exception()  # read, so that a look-up nobody waits for any more is not reported as forgotten

    def close(self) -> None:
        """Lets the threads end; a look-up under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@cache
def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or later, the system's trust store, host names checked, HTTP/1.1 only. One a process: reading the store is slow."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
