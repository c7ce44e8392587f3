"""Counts answers by kind of path and status (a dictionary entry a request, read by /metrics), and gives each what every answer has:
it is what it says it is, and a page of ours is framed by nobody else.
"""

from collections import Counter
from collections.abc import Iterable

from agent_marketplace.api.asgi import Message, Receive, Scope, Send
from agent_marketplace.api.doors import door_at
from agent_marketplace.api.hot import App
from agent_marketplace.api.paths import wire_of

Answered = Counter[tuple[str, int]]
# A page without scripts, whose styles stand in it (/docs).
_OTHER_PAGES = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'self'"
)
_PARTS = (
    ("/api/v1/agents", "agents"), ("/api/v1/", "rest"),
    ("/healthz", "operations"), ("/readyz", "operations"), ("/metrics", "operations"),
)  # fmt: skip


def kind_of(path: str) -> str:
    """The wire or part that a path belongs to: a label from a short list, whatever the path says."""
    if (found := door_at(path)) is not None:
        return found[0].label
    part = next((kind for start, kind in _PARTS if path.startswith(start)), None)
    return part or wire_of(path, {}) or "web"


def _guarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    made = list(headers)
    typed = page = policed = False
    for name, value in made:
        if name == b"content-type":
            page = value.startswith(b"text/html")
        elif name == b"x-content-type-options":
            typed = True
        elif name == b"content-security-policy":
            policed = True
    if not typed:
        made.append((b"x-content-type-options", b"nosniff"))
    if page and not policed:
        made.append((b"content-security-policy", _OTHER_PAGES))
    return made


class Counting:
    """Stands in front of the application."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.answered: Answered = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answered[kind_of(path), message["status"]] += 1
                message["headers"] = _guarded(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, counted)
