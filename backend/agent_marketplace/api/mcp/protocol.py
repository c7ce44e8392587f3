"""PURE: JSON-RPC and MCP's two ways of speaking over HTTP, from bytes and headers to a request and back.

Sources: modelcontextprotocol.io/specification/2025-11-25 (basic/transports) and 2026-07-28 (basic, "Per-request protocol
fields"; basic/transports/streamable-http). The older one begins with `initialize`; the newer one has no beginning: every
request carries its revision in `_meta`, and headers repeat what intermediaries route by.
"""

import base64
import binascii
import re
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace import __version__, json

LEGACY = ("2025-11-25", "2025-06-18")
MODERN = ("2026-07-28",)
PARSE, INVALID, NO_METHOD, BAD_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
_STATUS = {NO_METHOD: 404, INTERNAL: 200}
_VERSION, _CLIENT = "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"
_SERVER = "io.modelcontextprotocol/serverInfo"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ROUTING = ("mcp-protocol-version", "mcp-method", "mcp-name")
_ELICITS = "elicits-"
_BASE64 = re.compile(r"=\?base64\?([A-Za-z0-9+/]*={0,2})\?=")
Id = str | int


class RpcError(Exception):
    """An error of the protocol (a tool that fails is none). status: of the HTTP answer."""

    def __init__(self, code: int, message: str, data: Any = None, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        self.status = status or _STATUS.get(code, 400)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One message. id None: a notification, which is only taken note of. modern: the revision without a beginning; session: as the
    client of an older one names it."""

    method: str
    id: Id | None = None
    params: Mapping[str, Any] = {}
    modern: bool = False
    session: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A client's answer to a question of ours (older revisions). content: what its user filled in; None: they said no, or nothing."""

    id: str
    content: Mapping[str, Any] | None


def elicits(request: Request) -> bool:
    """Whether the client asks its user what we want to know, by a form. Its answer comes with a retry (2026-07-28), or as a message
    of its own while the call's stream is open."""
    if not request.modern:
        return request.session.startswith(_ELICITS)
    return _forms(request.params.get("_meta", {}).get(_CLIENT))


def _forms(capabilities: Any) -> bool:
    offered = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    return isinstance(offered, dict) and (not offered or "form" in offered)


def session_of(request: Request) -> str | None:
    """The id for a client that has just begun, where it asks its user. Nothing is kept under it and it opens nothing: it only brings
    back what `initialize` said."""
    if request.method != "initialize" or not _forms(request.params.get("capabilities")):
        return None
    return f"{_ELICITS}{secrets.token_hex(16)}"


def reply_in(value: Any) -> Reply | None:
    """A client's answer to a question of ours; None where a body holds something else."""
    if not isinstance(value, dict) or "method" in value or not isinstance(value.get("id"), str):
        return None
    if not value.keys() & {"result", "error"}:
        return None
    return Reply(id=value["id"], content=_filled_in(value.get("result")))


def asked(question_id: str, required: Mapping[str, Any]) -> bytes:
    """The one question of an `input_required`, as an older revision asks it: a request of ours in the call's stream."""
    (request,) = required["inputRequests"].values()
    params = {
        "message": request["params"]["message"],
        "requestedSchema": request["params"]["requestedSchema"],
    }
    return event(
        json.encode({"jsonrpc": "2.0", "id": question_id, "method": "elicitation/create", "params": params})
    )


def event(body: bytes) -> bytes:
    """A message in a stream."""
    return b"event: message\ndata: " + body + b"\n\n"


def input_required(name: str, message: str, properties: Mapping[str, Any], state: str) -> dict[str, Any]:
    """A result that asks the client's user first, by a form of `properties` called `name`; the client sends the call again with the
    answer and with `state`, which it may have changed."""
    schema = {"type": "object", "properties": dict(properties), "required": [*properties]}
    form = {"mode": "form", "message": message, "requestedSchema": schema}
    asked = {name: {"method": "elicitation/create", "params": form}}
    return {"resultType": "input_required", "inputRequests": asked, "requestState": state}


def answered(params: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """What the user filled in; None: they said no, or nothing."""
    given = params.get("inputResponses")
    return _filled_in(given.get(name) if isinstance(given, dict) else None)


def _filled_in(answer: Any) -> Mapping[str, Any] | None:
    if not isinstance(answer, dict) or answer.get("action") != "accept":
        return None
    content = answer.get("content")
    return content if isinstance(content, dict) else {}


def server_info() -> dict[str, str]:
    """Who answers."""
    return {"name": "ai-agent-marketplace", "title": "AI Agent Marketplace", "version": __version__}


def value_of(body: bytes) -> Any:
    """The JSON value of a body. Raises RpcError."""
    try:
        return json.decode(body)
    except ValueError:
        raise RpcError(PARSE, "The body is not valid JSON") from None


def message_of(value: Any) -> dict[str, Any]:
    """The one request that a body holds. Raises RpcError for what is none, and for batches, which no revision served here has."""
    if isinstance(value, list):
        raise RpcError(INVALID, "Batches are not part of this protocol: send one message a request")
    if (
        not isinstance(value, dict)
        or value.get("jsonrpc") != "2.0"
        or not isinstance(value.get("method"), str)
    ):
        raise RpcError(
            INVALID, 'The body must be one JSON-RPC request: {"jsonrpc": "2.0", "id", "method", "params"}'
        )
    return value


def id_of(message: Mapping[str, Any]) -> Id | None:
    """The id, None for a notification. Raises RpcError for one that is neither text nor a whole number."""
    if "id" not in message:
        return None
    found = message["id"]
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise RpcError(INVALID, "id: expected a text or a whole number")
    return found


def request_of(message: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> Request:
    """The request of a message; headers: names in lower case. Raises RpcError."""
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise RpcError(INVALID, "params: expected an object")
    counts, folded = Counter(name for name, _ in headers), dict(headers)
    twice = next((name for name in _ROUTING if counts[name] > 1), None)
    if twice is not None:
        raise RpcError(HEADER_MISMATCH, f"{twice} was sent more than once")
    meta, told = params.get("_meta"), folded.get("mcp-protocol-version")
    modern = message["method"] != "initialize" and (
        told in MODERN
        or (isinstance(meta, dict) and _VERSION in meta)
        or message["method"] == "server/discover"
    )
    made = Request(
        method=message["method"], id=id_of(message), params=params, modern=modern, session=folded.get("mcp-session-id", "")
    )  # fmt: skip
    if modern:
        if made.id is not None:
            _check_envelope(made, folded)
    elif told is not None and told not in LEGACY and made.method != "initialize":
        raise _unsupported(told)
    return made


def _check_envelope(request: Request, headers: Mapping[str, str]) -> None:
    meta = request.params.get("_meta")
    if not isinstance(meta, dict) or (missing := [k for k in (_VERSION, _CLIENT) if k not in meta]):
        lacking = missing if isinstance(meta, dict) else [_VERSION, _CLIENT]
        raise RpcError(BAD_PARAMS, f"params._meta lacks {', '.join(lacking)}")
    version = meta[_VERSION]
    if headers.get("mcp-protocol-version") != version:
        raise RpcError(HEADER_MISMATCH, "MCP-Protocol-Version is not the revision that the request names")
    if headers.get("mcp-method") != request.method:
        raise RpcError(HEADER_MISMATCH, "Mcp-Method is not the request's method")
    named = request.params.get(_NAMED.get(request.method, ""))
    if named is not None and _decoded(headers.get("mcp-name")) != named:
        raise RpcError(HEADER_MISMATCH, "Mcp-Name is not what the request names")
    if version not in MODERN:
        raise _unsupported(str(version))


def _decoded(value: str | None) -> str | None:
    """A header's text; what is not ASCII is sent as `=?base64?…?=`."""
    if value is None or (match := _BASE64.fullmatch(value)) is None:
        return value
    try:
        return base64.b64decode(match[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _unsupported(requested: str) -> RpcError:
    data = {"supported": [*MODERN, *LEGACY], "requested": requested[:80]}
    return RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data)


def initialized(
    params: Mapping[str, Any], capabilities: Mapping[str, Any], instructions: str
) -> dict[str, Any]:
    """The answer to `initialize`: the revision that was asked for where it is served, else the newest that begins so."""
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in LEGACY else LEGACY[0],
        "capabilities": capabilities,
        "serverInfo": server_info(),
        "instructions": instructions,
    }


def discovered(capabilities: Mapping[str, Any], instructions: str) -> dict[str, Any]:
    """The answer to `server/discover`."""
    return {
        "supportedVersions": [*MODERN, *LEGACY],
        "capabilities": capabilities,
        "instructions": instructions,
    }


def result(request: Request, found: Mapping[str, Any], *, fresh_s: int = 0, public: bool = False) -> bytes:
    """The answer's body. fresh_s: seconds for which it may be kept; public: it is the same for everybody."""
    told = dict(found)
    if request.modern:
        told = {"resultType": "complete", **told, "_meta": {_SERVER: server_info()}}
        if request.method not in ("tools/call", "ping"):
            told |= {"ttlMs": fresh_s * 1000, "cacheScope": "public" if public else "private"}
    return json.encode({"jsonrpc": "2.0", "id": request.id, "result": told})


def failure(error: RpcError, request_id: Id | None) -> bytes:
    """The body of an error."""
    said = {
        "code": error.code,
        "message": error.message,
        **({"data": error.data} if error.data is not None else {}),
    }
    return json.encode({"jsonrpc": "2.0", "id": request_id, "error": said})
