"""`/a2a/<publisher>/<slug>`: JSON-RPC at the address itself, HTTP+JSON below it, the card beside them. A key is the bearer."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import Path, Request, Response
from starlette.responses import StreamingResponse

from agent_marketplace import json
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.a2a import card, legacy, protocol, shapes, tasks
from agent_marketplace.api.a2a.protocol import LEGACY, MODERN, Fault
from agent_marketplace.api.a2a.tasks import Asker
from agent_marketplace.api.asgi import read_headers
from agent_marketplace.api.deps import Router, Runner, The, caller
from agent_marketplace.api.envelope import NOT_KEPT, ExactJSON, note_failure
from agent_marketplace.api.mcp.endpoint import refuse_strange_pages
from agent_marketplace.api.screen import aside
from agent_marketplace.api.v1.agent_body import read_bytes
from agent_marketplace.api.v1.answers import caller_check
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError, NotFound, Unauthorized
from agent_marketplace.ids import new_id
from agent_marketplace.runs.types import OVER, Head

router = Router(tags=["a2a"])
CARD = "/.well-known/agent-card.json"
AGENT = "/a2a/{publisher}/{slug}"
_JSON, _A2A = "application/json", "application/a2a+json"
_BODY = {"requestBody": {"required": True, "content": {_JSON: {"schema": {"type": "object"}}}}}
_FRESH = {"cache-control": "public, max-age=60", "vary": "host", "access-control-allow-origin": "*"}
_MOST_SKILLS = 100
Publisher = Annotated[str, Path(max_length=64)]
Slug = Annotated[str, Path(max_length=64)]
Wrap = Callable[[Any], bytes]


def base_of(market: Market, request: Request) -> str:
    """The address that clients know this installation by."""
    return (market.settings.site or str(request.base_url)).rstrip("/")


# -- cards -------------------------------------------------------------------------------------------------------------


@router.get(CARD, summary="The installation's A2A card: every listed agent is a skill")
async def market_card(request: Request, market: The) -> Response:
    found = sorted(await market.listings.finding.listed(), key=lambda one: one[0].path)[:_MOST_SKILLS]
    shown = card.market(found, base_of(market, request), legacy=market.settings.a2a_legacy)
    return ExactJSON(shown, headers=_FRESH)


@router.get(AGENT + CARD, summary="An agent's A2A card; one's own preset's (own/agt_…) with a credential")
async def agent_card(request: Request, market: The, publisher: Publisher, slug: Slug) -> Response:
    base, old = base_of(market, request), market.settings.a2a_legacy
    if publisher == "own" and slug.startswith("agt_"):
        principal = await caller(request)
        return ExactJSON(
            card.own(await market.runs.kit.agents.spec(principal.user_id, slug), base, legacy=old)
        )
    head, versions = await market.listings.finding.page(publisher, slug, None)
    live = next((v for v in versions if v.version == head.live), None)
    if live is None:
        raise NotFound("No such agent")
    return ExactJSON(card.offered(head, live, market.clock.now_ms(), base, legacy=old), headers=_FRESH)


# -- JSON-RPC ----------------------------------------------------------------------------------------------------------


@router.post("/a2a", summary="A2A JSON-RPC; `tenant` names the agent (publisher/slug)", openapi_extra=_BODY)
async def serve_market(request: Request, market: The, principal: Runner) -> Response:
    return await _rpc(request, market, principal, None)


@router.post(AGENT, summary="A2A JSON-RPC to one agent", openapi_extra=_BODY)
async def serve(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug
) -> Response:
    return await _rpc(request, market, principal, f"{publisher}/{slug}")


async def _rpc(request: Request, market: Market, principal: Principal, path: str | None) -> Response:
    """An error of the protocol is an answer like any other: HTTP's 200."""
    refuse_strange_pages(request, market.settings.cors_origins)
    data, number = await read_bytes(request), None
    try:
        number = protocol.id_in(data) if len(data) < 65_536 else None
        version = protocol.version_of(read_headers(request.scope), legacy=market.settings.a2a_legacy)
        asked = await aside(len(data), lambda: protocol.rpc_of(data))
        number, method, params = asked.id, asked.method, asked.params
        if version == LEGACY:
            method, params = legacy.METHODS.get(method, ""), legacy.params(params)
        path = path or str(params.get("tenant") or "")[:140]
        if path.count("/") != 1:
            raise Fault(
                "INVALID_PARAMS", "tenant must name an agent: publisher/slug (the card's skills list them)"
            )
        asker = Asker(market, principal, path, base_of(market, request))

        def wrap(result: Any) -> bytes:
            return protocol.rpc_result(number, legacy.result(result) if version == LEGACY else result)

        return await _answer(
            request,
            asker,
            method,
            params,
            wrap,
            lambda f: protocol.rpc_failure(number, f),
            bare=version == LEGACY,
        )
    except Fault as fault:
        return Response(protocol.rpc_failure(number, fault), 200, NOT_KEPT, _JSON)
    except MarketplaceError as error:
        note_failure(new_id("req"), error)
        return Response(protocol.rpc_failure(number, protocol.fault_of(error)), 200, NOT_KEPT, _JSON)


async def _answer(
    request: Request, asker: Asker, method: str, params: Mapping[str, Any], wrap: Wrap, failed: Callable[[Fault], bytes], *,
    bare: bool = False, media: str = _JSON,
) -> Response:  # fmt: skip
    """Does what a method asks. bare: a message's task is answered without its wrapper (0.3). Raises Fault, MarketplaceError."""
    if method in ("SendStreamingMessage", "SubscribeToTask"):
        begun = await (
            _subscribed(asker, params) if method == "SubscribeToTask" else tasks.send(asker, params)
        )
        events = _events(asker, begun, caller_check(asker.market, request), wrap, failed)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={**NOT_KEPT, "x-accel-buffering": "no"}
        )
    if method == "SendMessage":
        head = (await tasks.send(asker, params)).head
        chosen = params.get("configuration")
        given = chosen if isinstance(chosen, dict) else {}
        if given.get("returnImmediately") is not True:
            head = await tasks.settled(asker, head)
        shown = await _task(asker, head, given)
        return Response(wrap(shown if bare else {"task": shown}), 200, NOT_KEPT, media)
    if method == "GetTask":
        found: Any = await _task(asker, await tasks.head_of(asker, params.get("id")), params)
    elif method == "CancelTask":
        found = await _task(asker, await tasks.cancel(asker, params), {})
    elif method == "ListTasks" and not bare:
        found = await tasks.listing(asker, params)
    else:
        raise _refused(method)
    return Response(wrap(found), 200, NOT_KEPT, media)


def _refused(method: str) -> Fault:
    if method.endswith(("PushNotificationConfig", "PushNotificationConfigs")):
        return Fault(
            "PUSH_NOTIFICATION_NOT_SUPPORTED", "Push notifications are not sent: stream, subscribe or ask"
        )
    if method == "GetExtendedAgentCard":
        return Fault("EXTENDED_AGENT_CARD_NOT_CONFIGURED", "The card is the same for everybody")
    return Fault("METHOD_NOT_FOUND", "No such method in this revision of A2A")


async def _task(asker: Asker, head: Head, params: Mapping[str, Any]) -> dict[str, Any]:
    given = params.get("historyLength")
    if isinstance(given, str) and given.isdigit():
        given = int(given[:9])
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 0):
        raise Fault("INVALID_PARAMS", "historyLength must be a whole number from 0")
    return shapes.task(await tasks.opened(asker, head), given)


async def _subscribed(asker: Asker, params: Mapping[str, Any]) -> tasks.Begun:
    head = await tasks.head_of(asker, params.get("id"))
    if head.state in OVER:
        raise Fault("UNSUPPORTED_OPERATION", "This task is over: ask for it with GetTask")
    return tasks.Begun(head)


async def _events(
    asker: Asker,
    begun: tasks.Begun,
    still_valid: Callable[[], Awaitable[object]],
    wrap: Wrap,
    failed: Callable[[Fault], bytes],
) -> AsyncIterator[bytes]:
    """Server-sent events; whoever's key is revoked hears no more."""
    check_s = asker.market.router.parts.rhythm.check_s
    checked = time.monotonic()
    async for told in tasks.told(asker, begun):
        if time.monotonic() - checked > check_s:
            checked = time.monotonic()
            try:
                await still_valid()
            except Unauthorized as error:
                yield b"event: error\ndata: " + failed(protocol.fault_of(error)) + b"\n\n"
                return
            except MarketplaceError:
                pass  # the database is busy: the next look tells
        yield b": still here\n\n" if told is None else b"data: " + wrap(told) + b"\n\n"


# -- HTTP+JSON ---------------------------------------------------------------------------------------------------------


async def _rest(
    request: Request, market: Market, principal: Principal, path: str, method: str, params: Mapping[str, Any]
) -> Response:
    refuse_strange_pages(request, market.settings.cors_origins)
    try:
        if protocol.version_of(read_headers(request.scope), legacy=False) != MODERN:
            raise AssertionError("only 1.0 has passed")
        asker = Asker(market, principal, path, base_of(market, request))
        return await _answer(request, asker, method, params, json.encode, protocol.rest_failure, media=_A2A)
    except Fault as fault:
        return Response(protocol.rest_failure(fault), fault.kind.status, NOT_KEPT, _JSON)
    except MarketplaceError as error:
        note_failure(new_id("req"), error)
        told = protocol.fault_of(error)
        return Response(protocol.rest_failure(told), told.kind.status, NOT_KEPT, _JSON)


async def _object(request: Request) -> Mapping[str, Any]:
    data = await read_bytes(request)
    try:
        value = await aside(len(data), lambda: json.decode(data)) if data else {}
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


@router.post(
    AGENT + "/message:send",
    summary="A2A: a message, and its task once it is over or waits",
    openapi_extra=_BODY,
)
async def send(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug
) -> Response:
    return await _rest(
        request, market, principal, f"{publisher}/{slug}", "SendMessage", await _object(request)
    )


@router.post(AGENT + "/message:stream", summary="A2A: a message, and its task's events", openapi_extra=_BODY)
async def stream(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug
) -> Response:
    return await _rest(
        request, market, principal, f"{publisher}/{slug}", "SendStreamingMessage", await _object(request)
    )


@router.get(AGENT + "/tasks", summary="A2A: my tasks with this agent")
async def list_tasks(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug
) -> Response:
    return await _rest(
        request, market, principal, f"{publisher}/{slug}", "ListTasks", dict(request.query_params)
    )


@router.post(AGENT + "/tasks/{task_id}:cancel", summary="A2A: end a task")
async def cancel(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug, task_id: str
) -> Response:
    return await _rest(request, market, principal, f"{publisher}/{slug}", "CancelTask", {"id": task_id})


@router.get(AGENT + "/tasks/{task_id}:subscribe", summary="A2A: listen to a task")
@router.post(AGENT + "/tasks/{task_id}:subscribe", summary="A2A: listen to a task (as the SDK asks)")
async def subscribe(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug, task_id: str
) -> Response:
    return await _rest(request, market, principal, f"{publisher}/{slug}", "SubscribeToTask", {"id": task_id})


@router.get(AGENT + "/tasks/{task_id}", summary="A2A: a task")
async def get_task(
    request: Request, market: The, principal: Runner, publisher: Publisher, slug: Slug, task_id: str
) -> Response:
    given = {**request.query_params, "id": task_id}
    return await _rest(request, market, principal, f"{publisher}/{slug}", "GetTask", given)
