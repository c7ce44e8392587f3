"""HTTP as clients do it, mended before anything else looks at a request: paths that were nearly right, and HEAD."""

import re

from agent_marketplace.api.asgi import Receive, Scope, Send
from agent_marketplace.api.doors import DOORS
from agent_marketplace.api.hot import App
from agent_marketplace.api.paths import is_api

_SLASHES = re.compile(r"/{2,}")
# A base URL that carries the version, in front of a path that carries it too.
_TWICE = re.compile(r"^/v1(?:beta)?(?=/(?:v1|v1beta|api)/)")
_WITHOUT_VERSION = frozenset(d.path.removeprefix("/v1") for d in DOORS if d.path.startswith("/v1/")) | {
    "/completions", "/embeddings", "/messages/count_tokens", "/models",
}  # fmt: skip
_OPENROUTER = "/api/v1"  # where OpenRouter's clients look for what is under /v1 here
_ASKED_THERE = frozenset({"/key", "/auth/key", "/credits", "/generation"})
_HEALTH = "/health"  # what other servers of models call it


def meant(path: str) -> str:
    """The path that a client means: no doubled or closing slash, the version once, and not forgotten; OpenRouter's base URL too.

    Paths that are right, and those of the web UI, are returned as they are.
    """
    found = _SLASHES.sub("/", path) if "//" in path else path
    while _TWICE.match(found):
        found = _TWICE.sub("", found, count=1)
    closed = found.rstrip("/")
    if closed.startswith(_OPENROUTER):
        asked = closed.removeprefix(_OPENROUTER)
        if asked in _ASKED_THERE:
            return f"/v1{asked}"
        closed = asked if asked in _WITHOUT_VERSION or asked.startswith("/models/") else closed
    if closed in _WITHOUT_VERSION:
        return f"/v1{closed}"
    if closed.startswith(
        "/models/"
    ):  # only Google's clients have a model's name, and then a method, in the path
        return f"/v1beta{closed}" if ":" in closed else f"/v1{closed}"
    if closed == _HEALTH:
        return "/healthz"
    return closed if is_api(closed) else found


_RIGHT = frozenset(door.path for door in DOORS if meant(door.path) == door.path)
"""Paths of completions, nearly all that are asked for, need no second look."""


class Manners:
    """Stands before the application, so that what counts, limits and answers sees the path that was meant."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] not in _RIGHT and (path := meant(scope["path"])) != scope["path"]:
                scope = {**scope, "path": path}
            if scope["method"] == "HEAD":  # the server sends no body to who asked for none
                scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
