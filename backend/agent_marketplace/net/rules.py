"""What both clients hold requests and answers to, before either touches a socket."""

import asyncio
import re
from collections.abc import Mapping

from agent_marketplace.net.errors import InvalidRequest, ProtocolError, Redirected
from agent_marketplace.net.http import OutboundRequest
from agent_marketplace.net.inflate import SUPPORTED
from agent_marketplace.net.ssrf import Target, parse_url

USER_AGENT = "ai-agent-marketplace"
MAX_FIELDS = 100

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # token, RFC 9110 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OWNED = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "upgrade", "te", "trailer",
     "keep-alive", "proxy-connection", "proxy-authorization", "cookie"}
)  # fmt: skip
_MOST_NAMES = 512
_good_names: set[str] = set()
_BODILESS = frozenset({204, 304})


class Targets:
    """Parsed URLs, kept because the same few are called again and again. Bounded."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._known: dict[tuple[str, bool], Target] = {}

    def of(self, request: OutboundRequest) -> Target:
        """Raises InvalidRequest or AddressRefused."""
        key = (request.url, request.allow_private)
        target = self._known.get(key)
        if target is None:
            target = parse_url(request.url, allow_private=request.allow_private)
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[key] = target
        return target


def share(until: float, left: int) -> float:
    """Seconds for the next of `left` addresses to connect, so that each has its turn before loop time `until`."""
    return max((until - asyncio.get_running_loop().time()) / left, 0.001)


def check_request(request: OutboundRequest) -> None:
    """Raises InvalidRequest: bad method, a header name that is no token or is ours, a control character in a value."""
    if request.method not in _METHODS:
        raise InvalidRequest("not a method that providers use")
    headers = request.headers
    for name in headers:
        if name not in _good_names:
            _check_name(name)
    if not _VALUE.fullmatch("".join(headers.values())):
        name = next(name for name, value in headers.items() if not _VALUE.fullmatch(value))
        raise InvalidRequest(f"the value of header {name.lower()} holds a character that is not allowed")


def _check_name(name: str) -> None:
    """Providers' headers have a few names, each of which is looked over once."""
    if not _NAME.fullmatch(name) or name.lower() in _OWNED:
        raise InvalidRequest("a header's name is not allowed")
    if len(_good_names) < _MOST_NAMES:
        _good_names.add(name)


def check_status(status: int) -> None:
    """Raises Redirected on 3xx, ProtocolError on 101 and on what is no final status."""
    if 300 <= status < 400:
        raise Redirected(status)
    if not 200 <= status <= 599:
        raise ProtocolError(f"the provider answered with status {status}, which no request of ours asks for")


def framing(status: int, headers: Mapping[str, str], *, closes: bool) -> bool:
    """Whether the body's end is marked by its framing rather than by the connection's end (RFC 9112 6.3).

    Raises ProtocolError where it isn't certain: both or repeated lengths, other codings than chunked, or a body without
    either on a connection that was to stay open.
    """
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if length is not None and (coding is not None or not (length.isascii() and length.isdigit())):
        raise ProtocolError("the length of the provider's answer is ambiguous")
    if coding is not None and coding.strip().lower() != "chunked":
        raise ProtocolError("the provider's answer has an unknown transfer coding")
    if length is not None or coding is not None or status in _BODILESS:
        return True
    if not closes:
        raise ProtocolError("the provider's answer has no length")
    return False


def content_coding(headers: dict[str, str]) -> str | None:
    """The coding to undo, and its headers removed; None for identity. Raises ProtocolError on one we can't undo."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return None
    if coding not in SUPPORTED:
        raise ProtocolError("the provider compressed its answer in a way that was not asked for")
    del headers["content-encoding"]
    headers.pop("content-length", None)
    return coding
