"""Whether a request comes from this machine itself, straight: from no other host, through no proxy, by no rebound name, and from
no page of another origin. What is let in without a credential rests on all of them.
"""

import ipaddress
import re
from collections.abc import Mapping

from agent_marketplace.api.asgi import Scope

_FORWARDED = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host", "true-client-ip", "cf-connecting-ip"}
)
_FORWARDS = "x-forwarded-"
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?\Z", re.IGNORECASE)
_OWN_SITES = ("same-origin", "none")


def from_here(scope: Scope, headers: Mapping[str, str]) -> bool:
    """A loopback peer, no forwarding header, a loopback Host."""
    peer = scope.get("client")
    if not peer or not _is_loopback(peer[0]):
        return False
    if any(name in _FORWARDED or name.startswith(_FORWARDS) for name in headers):
        return False
    return _LOOPBACK.match(headers.get("host", "")) is not None


def from_no_page(headers: Mapping[str, str]) -> bool:
    """No page of another origin asks. Browsers say where a page is from, and programs say nothing."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
        return False
    return headers.get("sec-fetch-site", "none") in _OWN_SITES


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
