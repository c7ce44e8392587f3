"""CORS: pages of the operator's list of origins may call the API from a browser. Without a list nothing is said, and browsers
keep every other page out. Credentials of the browser's own (cookies, client certificates) are never allowed: keys are sent.
"""

import re
from collections.abc import Sequence

from agent_marketplace.api.asgi import Headers, Message, Receive, Scope, Send
from agent_marketplace.api.hot import App
from agent_marketplace.api.paths import is_api
from agent_marketplace.wires import notes

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_SHOWN = (
    f"retry-after, x-request-id, x-generation-id, request-id, {notes.HEADER}, {notes.LENGTH_HEADER}".encode()
)
_FRESH_S = b"600"
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,4096}")
_ALWAYS = (b"authorization", b"content-type")


class Origins:
    """Answers preflights and marks replies, errors too. allowed: origins in lower case, or `*`."""

    def __init__(self, app: App, allowed: Sequence[str]) -> None:
        self._app = app
        self._everybody = "*" in allowed
        self._allowed = frozenset(origin.encode() for origin in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_api(scope["path"]):
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        given = self._given(asked.get(b"origin", b""))
        if given and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            head = [*given, *_preflight(asked.get(b"access-control-request-headers", b""))]
            await send({"type": "http.response.start", "status": 204, "headers": head})
            await send({"type": "http.response.body", "body": b""})
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._marked(message.get("headers", ()), given)
            await send(message)

        await self._app(scope, receive, marked)

    def _given(self, origin: bytes) -> Headers:
        if not origin:
            return []
        if self._everybody:
            return [(b"access-control-allow-origin", b"*")]
        if origin.lower() not in self._allowed:
            return []
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]

    def _marked(self, headers: Sequence[tuple[bytes, bytes]], given: Headers) -> Headers:
        if given:
            return [*headers, *given, (b"access-control-expose-headers", _SHOWN)]
        # A cache must not give a reply without the mark to a page that is on the list.
        return [*headers] if self._everybody else [*headers, (b"vary", b"Origin")]


def _preflight(names: bytes) -> Headers:
    """SDKs send headers of their own (`x-stainless-os`), so that what is asked for is allowed: none of them grants anything."""
    wanted = names if names and _NAMES.fullmatch(names) else b", ".join(_ALWAYS)
    return [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", wanted),
        (b"access-control-max-age", _FRESH_S),
        (b"vary", b"Access-Control-Request-Headers"),
        (b"content-length", b"0"),
    ]
