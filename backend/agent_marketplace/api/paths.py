"""Paths as clients see them: whose wire a path belongs to, and which methods it takes."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import Scope

from agent_marketplace.api.doors import DOORS, door_above, door_at
from agent_marketplace.wires.base import WireName

_OUR_PROMPTS = frozenset(f"/api/v1/agents/{name}" for name in ("completion", "chat", "estimate", "import"))
CATCH_ALL = "/{path:path}"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_PARTS = frozenset({"a2a", "api", "v1", "v1beta", "mcp", "openapi.json", "metrics", "healthz", "readyz"})
_GEMINI_CALL = re.compile(r"^/v1/models/.+:[a-zA-Z]+$")


def is_api(path: str) -> bool:
    """Whether a path belongs to programs: whatever is asked for there, the web UI's page is no answer."""
    return path[1:].partition("/")[0] in _PARTS


def wire_of(path: str, headers: Mapping[str, str]) -> WireName | None:
    """The wire of a path, None for our own API and the UI. `/v1/models` is three wires': the header of the key tells them apart."""
    if path == "/v1beta" or path.startswith("/v1beta/") or _GEMINI_CALL.match(path):
        return "gemini"
    if (door := door_above(path)) is not None:
        return door.codec.name
    if path == "/v1" or path.startswith("/v1/"):
        return _by_header(headers) if path.startswith("/v1/models") else "openai"
    if path.startswith("/api/") and not path.startswith("/api/v1/"):
        return "ollama"
    return None


def _by_header(headers: Mapping[str, str]) -> WireName:
    if "anthropic-version" in headers:
        return "anthropic"
    return "gemini" if "x-goog-api-key" in headers else "openai"


def paths_of(wire: WireName | None) -> str:
    """What a wire has, as the end of a sentence that says no such path; nothing for our own API."""
    if wire is None:
        return ""
    served = ", ".join(dict.fromkeys(door.path for door in DOORS if door.codec.name == wire))
    base = "ends in /v1" if wire in ("openai", "responses") else "has no path"
    return f": served here are {served}; the base URL of such clients {base}"


def takes_prompts(path: str) -> bool:
    """Whether bodies at a path may be as long as a model's input; elsewhere they are forms."""
    return path in _OUR_PROMPTS or (
        path.startswith(("/v1/", "/v1beta/", "/api/", "/a2a")) and not path.startswith("/api/v1/")
    )


def query_keys(scope: Scope, headers: Mapping[str, str]) -> Sequence[str]:
    """Every `?key=`, on Gemini's wire only: elsewhere a key in a URL, which proxies log, is no credential."""
    if not scope["query_string"] or wire_of(scope["path"], headers) != "gemini":
        return ()
    return parse_qs(scope["query_string"].decode("latin-1")).get("key", ())


def methods_at(request: Request) -> Sequence[str]:
    """The methods that something other than the web UI answers at this path; none = no such path."""
    path: str = request.scope["path"]
    if door_at(path) is not None:
        return ("POST",)
    routes = [r for r in request.app.router.routes if getattr(r, "path", None) != CATCH_ALL]
    found = [
        m for m in _METHODS if any(r.matches({**request.scope, "method": m})[0] is Match.FULL for r in routes)
    ]
    if not found and not is_api(path):
        return ("GET", "HEAD")
    if "GET" in found and "HEAD" not in found:
        found.insert(found.index("GET") + 1, "HEAD")
    return found
