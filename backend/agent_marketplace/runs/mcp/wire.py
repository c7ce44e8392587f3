"""PURE: what is said to an MCP server and what its answers mean; definitions of tools, vetted one by one, and their hash.

Sources: modelcontextprotocol.io/specification/2025-11-25 (basic/transports, server/tools) and 2026-07-28 (basic,
"Per-request protocol fields"; basic/transports/streamable-http).
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import __version__, json
from agent_marketplace.runs.sanity import stripped
from agent_marketplace.runs.types import Got

MODERN, LEGACY = "2026-07-28", "2025-11-25"
OLDER = frozenset({LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"})
UNSUPPORTED = -32022
MOST_TOOLS = 256
MOST_DESCRIPTION = 8_192
MOST_SCHEMA = 32_768
MOST_DEFINITION = 65_536
"""Bytes of all that a definition says, which is kept as it was approved."""
DEEPEST = 64
MOST_OF_ALL = 1_048_576
"""Bytes of all definitions of a server."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_PLAIN = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "ai-agent-marketplace", "version": __version__},
}
_canonical = msgspec.json.Encoder(order="sorted")


class Refused(Exception):
    """The server answered, but with no result. sure: it says itself that it has not done what it was asked; else nobody knows."""

    def __init__(self, words: str, *, sure: bool = False) -> None:
        super().__init__(words)
        self.words = stripped(words, 500)
        self.sure = sure


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as its server describes it. sha256: over everything that a reviewer sees; size: bytes of it."""

    name: str
    description: str
    schema: dict[str, Any]
    output_schema: Any = None
    annotations: dict[str, Any] = {}
    sha256: str = ""
    size: int = 0

    @property
    def destructive(self) -> bool:
        """Whether the server itself says so: it can only make a policy stricter."""
        return self.annotations.get("destructiveHint") is True


def _head(revision: str) -> dict[str, str]:
    return {
        "content-type": "application/json", "accept": "application/json, text/event-stream", "mcp-protocol-version": revision,
    }  # fmt: skip


def request(
    method: str, params: Mapping[str, Any], number: int, revision: str
) -> tuple[dict[str, str], bytes]:
    """(headers, body) of one request."""
    modern = revision == MODERN
    given = {**params, "_meta": _META} if modern else dict(params)
    headers = _head(revision)
    if modern:
        headers["mcp-method"] = method
        if method == "tools/call":
            headers["mcp-name"] = _header(str(params["name"]))
    return headers, json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": given})


def notification(method: str, revision: str) -> tuple[dict[str, str], bytes]:
    """Of an older revision, which ends its beginning with one."""
    return _head(revision), json.encode({"jsonrpc": "2.0", "method": method})


def reply(asked: Mapping[str, Any], revision: str) -> tuple[dict[str, str], bytes]:
    """Our answer to what a server asks in its stream: we are here, and have nothing to ask a user or a model for it (sampling,
    elicitation, roots)."""
    error = {"code": -32601, "message": "This client offers no such thing"}
    said: dict[str, Any] = {"result": {}} if asked["method"] == "ping" else {"error": error}
    return _head(revision), json.encode({"jsonrpc": "2.0", "id": asked["id"], **said})


def negotiated(result: Mapping[str, Any]) -> str:
    """The revision that a server chose in its answer to `initialize`. Raises Refused for one that is not spoken here."""
    chosen = result.get("protocolVersion")
    if not isinstance(chosen, str) or chosen not in OLDER:
        raise Refused(f"the server speaks another revision of MCP: {str(chosen)[:40]}", sure=True)
    return chosen


def _header(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f"=?base64?{base64.b64encode(text.encode()).decode()}?="


BEGIN: Mapping[str, Any] = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "ai-agent-marketplace", "version": __version__},
}


def message_in(data: bytes) -> dict[str, Any]:
    """The JSON-RPC message of a text, {} where it is none. Raises Refused where it is not even JSON."""
    try:
        value = json.decode(data)
    except ValueError:
        raise Refused("the server's answer is not valid JSON") from None
    return value if isinstance(value, dict) else {}


def asked_in(message: Mapping[str, Any]) -> bool:
    """Whether the server asks us something. Its numbers are its own: they mean none of our requests."""
    return isinstance(message.get("method"), str) and isinstance(message.get("id"), str | int)


def result_in(message: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """The result, where a message answers request `number`; None where it is about something else. Raises Refused."""
    if "method" in message or type(message.get("id")) is not int or message["id"] != number:
        return None  # also `true` and `1.0`, which Python takes for 1
    if isinstance(error := message.get("error"), dict):
        raise Refused(str(error.get("message", "the server refused"))[:500], sure=True)
    result = message.get("result")
    if not isinstance(result, dict):
        raise Refused("the server's answer has no result")
    return result


def definitions(result: Mapping[str, Any]) -> tuple[list[Definition], str | None]:
    """(tools of a page, where the next page is). What is malformed is left out; the others stay."""
    found: list[Definition] = []
    listed = result.get("tools")
    for value in listed[:MOST_TOOLS] if isinstance(listed, list) else []:
        made = definition(value)
        if made is not None and all(made.name != other.name for other in found):
            found.append(made)
    following = result.get("nextCursor")
    return found, following if isinstance(following, str) and 0 < len(following) <= 4_096 else None


def definition(value: Any) -> Definition | None:
    """A tool that a model can be offered; None for what is none."""
    if (
        not isinstance(value, dict)
        or not isinstance(name := value.get("name"), str)
        or not _NAME.fullmatch(name)
    ):
        return None
    schema, description = value.get("inputSchema"), value.get("description", "")
    if not isinstance(schema, dict) or schema.get("type") != "object" or not isinstance(description, str):
        return None
    matters = {k: value.get(k) for k in ("name", "description", "inputSchema", "outputSchema", "annotations")}
    try:
        seen = _canonical.encode(matters)
        clean = _clean(json.decode(stripped(json.encode(schema).decode(), MOST_SCHEMA)))
        annotations = _clean(value.get("annotations"))
    except (ValueError, TypeError, RecursionError, UnicodeEncodeError):
        return None
    if not isinstance(clean, dict) or len(seen) > MOST_DEFINITION:
        return None
    return Definition(
        name=name, description=stripped(description, MOST_DESCRIPTION), schema=clean, output_schema=value.get("outputSchema"),
        annotations=annotations if isinstance(annotations, dict) else {}, sha256=hashlib.sha256(seen).hexdigest(),
        size=len(seen),
    )  # fmt: skip


def _clean(value: Any, left: int = DEEPEST) -> Any:
    """Without characters that hide or turn what a reviewer reads: a JSON text has them as they are, or spelt as numbers. Raises
    ValueError for what is nested deeper than `left`: no wire's codec has to walk it."""
    if isinstance(value, str):
        return stripped(value)
    if not isinstance(value, dict | list):
        return value
    if not left:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {stripped(str(k)): _clean(v, left - 1) for k, v in value.items()}
    return [_clean(v, left - 1) for v in value]


def got(result: Mapping[str, Any]) -> Got:
    """What a call came to, as text. Raises Refused where the server asks back instead of answering."""
    if result.get("resultType") not in (None, "complete"):
        raise Refused("the tool asks for input, which cannot be given here", sure=True)
    pieces = []
    content = result.get("content")
    for part in content[:256] if isinstance(content, list) else []:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            pieces.append(part["text"])
        elif part.get("type") == "resource" and isinstance(inner := part.get("resource"), dict):
            pieces.append(
                inner["text"] if isinstance(inner.get("text"), str) else "[a resource was left out]"
            )
        else:
            pieces.append(f"[{stripped(str(part.get('type')), 20)} was left out]")
    if not pieces and result.get("structuredContent") is not None:
        pieces.append(json.encode(result["structuredContent"]).decode())
    return Got(text="\n".join(pieces), is_error=result.get("isError") is True)
