"""`POST /mcp`: one request, one answer, no session. A marketplace key is the bearer; pages of other sites are kept out."""

import ipaddress
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers

from agent_marketplace import json
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.asgi import ClientGone, Receive, ResponseSink, Scope, Send
from agent_marketplace.api.deps import Caller, Router, The
from agent_marketplace.api.envelope import NOT_KEPT, note_failure
from agent_marketplace.api.mcp import agents, conversing, protocol, resources, tools
from agent_marketplace.api.mcp.protocol import BAD_PARAMS, NO_METHOD, RpcError
from agent_marketplace.api.mcp.tools import TOOLS, Asker
from agent_marketplace.api.screen import FORM
from agent_marketplace.api.v1.agent_body import read_bytes
from agent_marketplace.errors import Forbidden, MarketplaceError, PayloadTooLarge
from agent_marketplace.ids import new_id
from agent_marketplace.runs.mcp.client import FROM_A_RUN

router = Router(tags=["mcp"])
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_CAPABILITIES: dict[str, Any] = {"tools": {}, "resources": {}}
_INSTRUCTIONS = (
    "Models by price and capability, picks for a task, costs before a call, the account's balance and usage, and answers of any "
    "model. Money is in dollars. Only ask_model and agent_… spend, never more than their max_cost or cap."
)
_FRESH_S = 60


@router.post("/mcp", summary="Model Context Protocol, streamable HTTP", openapi_extra=_BODY)
async def serve(request: Request, market: The, principal: Caller) -> Response:
    refuse_strange_pages(request, market.settings.cors_origins)
    data = await read_bytes(request)
    if len(data) > FORM.size:
        raise PayloadTooLarge(f"the body is over {FORM.size} bytes")
    if not _takes_json(request.headers.get("accept", "")):
        return Response("Accept must allow application/json", 406, NOT_KEPT)
    message: dict[str, Any] = {}
    asked: protocol.Request | None = None
    try:
        value = protocol.value_of(data)
        if (reply := protocol.reply_in(value)) is not None:
            await conversing.answer(Asker(market, principal, request.scope), reply)
            return Response(status_code=202)
        message = protocol.message_of(value)
        asked = protocol.request_of(message, _headers(request))
        if asked.id is None:
            return Response(status_code=202)
        asker = Asker(market, principal, request.scope)
        if _converses(asker, asked):
            return _InStream(asker, asked)
        body, status = await _answer(asker, asked), 200
    except RpcError as error:
        given = message.get("id")
        known = given if isinstance(given, str | int) and not isinstance(given, bool) else None
        body = protocol.failure(error, known)
        # The older revision answers a request that it has understood with 200, whatever came of it.
        status = error.status if asked is None or asked.modern else 200
    except ClientGone:
        return Response(status_code=499)
    session = protocol.session_of(asked) if asked is not None else None
    head = NOT_KEPT if session is None else {**NOT_KEPT, "mcp-session-id": session}
    return Response(body, status, head, "application/json")


class _InStream(Response):
    """The answer to a call on the way to which the client's user is asked."""

    def __init__(self, asker: Asker, asked: protocol.Request) -> None:
        super().__init__(media_type="text/event-stream")
        self._asker, self._asked = asker, asked

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        sink = ResponseSink(send, "text/event-stream")
        await sink.begin({})
        name = str(self._asked.params.get("name"))
        try:
            found = await _told(conversing.call(self._asker, name, self._asked, sink.send))
        except ClientGone:
            return
        await sink.send(protocol.event(protocol.result(self._asked, found)))
        await sink.end()


def _converses(asker: Asker, asked: protocol.Request) -> bool:
    name, accept = asked.params.get("name"), Headers(scope=asker.scope).get("accept", "")
    agent = asked.method == "tools/call" and isinstance(name, str) and name.startswith("agent_")
    asks = not asked.modern and protocol.elicits(asked) and "text/event-stream" in accept.lower()
    return agent and asks and not _from_a_run(asker)


def _headers(request: Request) -> list[tuple[str, str]]:
    return [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.scope["headers"]]


def _takes_json(accept: str) -> bool:
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return not accept.strip() or bool(kinds & {"application/json", "application/*", "*/*"})


def refuse_strange_pages(request: Request, origins: Sequence[str]) -> None:
    """Only browsers name an Origin, and then it has to be one of the operator's list, or this very server under an address
    that no foreign name can point to (DNS rebinding). Raises Forbidden."""
    origin = request.headers.get("origin", "").lower()
    if not origin or "*" in origins or origin in origins:
        return
    place = urlsplit(origin)
    same = place.netloc == request.headers.get("host", "").lower()
    if not same or not _is_address(place.hostname or ""):
        raise Forbidden(
            "This page may not use the marketplace's MCP endpoint (MARKETPLACE_CORS_ORIGINS lists who may)"
        )


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _answer(asker: Asker, asked: protocol.Request) -> bytes:
    method, params = asked.method, asked.params
    if method == "initialize":
        return protocol.result(asked, protocol.initialized(params, _CAPABILITIES, _INSTRUCTIONS))
    if method == "server/discover":
        told = protocol.discovered(_CAPABILITIES, _INSTRUCTIONS)
        return protocol.result(asked, told, fresh_s=_FRESH_S, public=True)
    if method == "ping":
        return protocol.result(asked, {})
    if method == "tools/list":
        known = [*tools.listed(asker.principal), *await agents.listed(asker)]
        return protocol.result(asked, {"tools": known}, fresh_s=_FRESH_S)
    if method == "tools/call":
        return protocol.result(asked, await _call(asker, asked))
    if method == "resources/list":
        return protocol.result(asked, {"resources": resources.LISTED}, fresh_s=_FRESH_S, public=True)
    if method == "resources/templates/list":
        return protocol.result(
            asked, {"resourceTemplates": resources.TEMPLATES}, fresh_s=_FRESH_S, public=True
        )
    if method == "resources/read":
        found = resources.read(asker.market, params.get("uri"))
        return protocol.result(asked, found, fresh_s=_FRESH_S, public=True)
    raise RpcError(NO_METHOD, f"No such method: {method[:100]}")


async def _call(asker: Asker, asked: protocol.Request) -> dict[str, Any]:
    """A tool's result: one that fails says so in words that a model can act upon, as MCP wants it."""
    params = asked.params
    name = params.get("name")
    tool = TOOLS.get(name) if isinstance(name, str) else None
    own_agent = isinstance(name, str) and name.startswith("agent_")
    if _from_a_run(asker) and (own_agent or (tool is not None and not tool.read_only)):
        return await _told(_refused())
    if own_agent:
        return await _told(agents.call(asker, str(name), asked))
    if tool is None:
        raise RpcError(BAD_PARAMS, f"No such tool: {str(name)[:100]}; there are {', '.join(TOOLS)}")
    return await _told(_run(asker, tool, params))


def _from_a_run(asker: Asker) -> bool:
    """Whether a run of an agent here has called its own marketplace as a tool server."""
    return any(name == FROM_A_RUN.encode() for name, _ in asker.scope["headers"])


async def _refused() -> dict[str, Any]:
    raise Forbidden(
        "A run may not spend here: what it costs would stand beside its cap. Use sub-agents",
        code="run_in_run",
    )


async def _run(asker: Asker, tool: tools.Tool, params: Mapping[str, Any]) -> dict[str, Any]:
    _require(asker.principal, tool)
    return await tool.run(asker, tools.arguments(tool, params.get("arguments")))


async def _told(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        found = await work
    except MarketplaceError as error:
        note_failure(new_id("req"), error)
        return {
            "content": [_text({"error": error.message, "code": error.code, **error.extra})],
            "isError": True,
        }
    if "resultType" in found:  # its user is asked first
        return found
    return {"content": [_text(found)], "structuredContent": found, "isError": False}


def _require(principal: Principal, tool: tools.Tool) -> None:
    if tool.scope is not None:
        principal.require(tool.scope)


def _text(value: Any) -> dict[str, str]:
    return {"type": "text", "text": json.encode(value).decode()}
