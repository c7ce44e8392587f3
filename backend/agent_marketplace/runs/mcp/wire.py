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
OLDER = frozenset({LEGACY, "2025-06-18", "2025-03-26"})
UNSUPPORTED = -32022
MOST_TOOLS = 256
MOST_DESCRIPTION = 8_192
MOST_SCHEMA = 32_768
MOST_DEFINITION = 65_536
"""Bytes of all that a definition says, which is kept as it was approved."""
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
    """The server answered with an error of the protocol. code: JSON-RPC's, 0 = it was no JSON-RPC."""

    def __init__(self, words: str, code: int = 0) -> None:
        super().__init__(words)
        self.words = stripped(words, 500)
        self.code = code


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


def request(
    method: str, params: Mapping[str, Any], number: int, *, modern: bool
) -> tuple[dict[str, str], bytes]:
    """(headers, body) of one request."""
    given = {**params, "_meta": _META} if modern else dict(params)
    headers = {
        "content-type": "application/json", "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN if modern else LEGACY,
    }  # fmt: skip
    if modern:
        headers["mcp-method"] = method
        if method == "tools/call":
            headers["mcp-name"] = _header(str(params["name"]))
    return headers, json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": given})


def notification(method: str) -> tuple[dict[str, str], bytes]:
    """Of the older revision, which ends its beginning with one."""
    headers = {
        "content-type": "application/json", "accept": "application/json, text/event-stream", "mcp-protocol-version": LEGACY,
    }  # fmt: skip
    return headers, json.encode({"jsonrpc": "2.0", "method": method})


def _header(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f"=?base64?{base64.b64encode(text.encode()).decode()}?="


BEGIN: Mapping[str, Any] = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "ai-agent-marketplace", "version": __version__},
}


def answer_in(data: bytes, number: int) -> dict[str, Any] | None:
    """The result in a JSON text, where it answers request `number`; None where it is about something else. Raises Refused."""
    try:
        value = json.decode(data)
    except ValueError:
        raise Refused("the server's answer is not valid JSON") from None
    if not isinstance(value, dict) or type(value.get("id")) is not int or value["id"] != number:
        return None  # also `true` and `1.0`, which Python takes for 1
    if isinstance(error := value.get("error"), dict):
        code = error.get("code")
        raise Refused(
            str(error.get("message", "the server refused"))[:500], code if isinstance(code, int) else 0
        )
    result = value.get("result")
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
    except (ValueError, TypeError, RecursionError, UnicodeEncodeError):
        return None
    if not isinstance(clean, dict) or len(seen) > MOST_DEFINITION:
        return None
    annotations = _clean(value.get("annotations"))
    return Definition(
        name=name, description=stripped(description, MOST_DESCRIPTION), schema=clean, output_schema=value.get("outputSchema"),
        annotations=annotations if isinstance(annotations, dict) else {}, sha256=hashlib.sha256(seen).hexdigest(),
        size=len(seen),
    )  # fmt: skip


def _clean(value: Any) -> Any:
    """Without characters that hide or turn what a reviewer reads: a JSON text has them as they are, or spelt as numbers."""
    if isinstance(value, str):
        return stripped(value)
    if isinstance(value, dict):
        return {stripped(str(k)): _clean(v) for k, v in value.items()}
    return [_clean(v) for v in value] if isinstance(value, list) else value


def got(result: Mapping[str, Any]) -> Got:
    """What a call came to, as text. Raises Refused where the server asks back instead of answering."""
    if result.get("resultType") not in (None, "complete"):
        raise Refused("the tool asks for input, which cannot be given here")
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
