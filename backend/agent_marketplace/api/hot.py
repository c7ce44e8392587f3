"""The hot path: completions on every wire, as a bare ASGI function in front of FastAPI. Its routes stand in OpenAPI by hand."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from agent_marketplace.api import agents_on_wires, items, keyless, taken_up
from agent_marketplace.api.asgi import (
    ClientGone,
    Receive,
    Scope,
    Send,
    fly,
    read_body,
    read_headers,
    respond,
)
from agent_marketplace.api.doors import door_at
from agent_marketplace.api.envelope import error_headers, note_failure
from agent_marketplace.api.framing import sink_of
from agent_marketplace.api.loading import loaded
from agent_marketplace.api.paths import query_keys, takes_prompts
from agent_marketplace.api.screen import FORM, PROMPT, SMALL, aside, screened
from agent_marketplace.app import Market
from agent_marketplace.errors import BadRequest, Forbidden, MarketplaceError
from agent_marketplace.gateway import betas
from agent_marketplace.gateway.record import GatewayRequest
from agent_marketplace.ids import new_id
from agent_marketplace.runs.presets import names_agent
from agent_marketplace.wires.base import Codec

log = logging.getLogger(__name__)

_ALWAYS_JSON = frozenset({"/api/show", "/api/embed", "/api/embeddings"})

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Hot:
    """Takes completions itself and hands everything else on."""

    def __init__(self, market: Market, cold: App) -> None:
        self._market = market
        self.cold = cold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if (
                peers := scope.get("peers")
            ) is not None:  # the lifespan begins: the limits are those of all workers
                self._market.limits.share(peers.memory, peers.token.encode())
            await self.cold(scope, receive, send)
            return
        if _is_large(scope):
            receive = screened(receive, PROMPT if takes_prompts(scope["path"]) else FORM)
        found = door_at(scope["path"]) if scope["method"] == "POST" else None
        if found is None:
            await self.cold(_as_json(scope), receive, send)
        else:
            door, fixed = found
            await self._complete(scope, receive, send, door.codec, fixed)

    async def _complete(
        self, scope: Scope, receive: Receive, send: Send, codec: Codec, fixed: Mapping[str, Any]
    ) -> None:
        request_id = new_id("gen")
        try:
            with self._market.drain.call():
                await self._fly(scope, receive, send, codec, request_id, fixed)
        except ClientGone:
            return
        except MarketplaceError as error:
            note_failure(request_id, error)
            await _refuse(send, codec, error, request_id)
        except Exception:  # the last line: a fault of ours is a typed 500 in the wire's shape
            log.exception("unexpected failure %s at %s", request_id, scope["path"])
            fault = MarketplaceError("Something went wrong on our side", code="server")
            await _refuse(send, codec, fault, request_id)

    async def _fly(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        codec: Codec,
        request_id: str,
        fixed: Mapping[str, Any],
    ) -> None:
        market = self._market
        headers = keyless.with_key(market, scope, read_headers(scope))
        keys = query_keys(scope, headers)
        principal = await market.authenticator.authenticate(headers, keys)
        principal.require("inference")
        market.limits.request(principal.user_id)
        body = await read_body(receive, headers)
        if codec.name == "ollama" and (told := await loaded(market, codec, body)) is not None:
            await respond(send, 200, told)
            return
        if codec.name == "responses":
            send = items.keeping(market, principal.user_id, body, send)
            body = taken_up.unlinked(await items.resolved(market, principal.user_id, body))
        if len(body) <= SMALL:
            call = codec.parse_request(body, **fixed)
        else:
            call = await aside(len(body), lambda: codec.parse_request(body, **fixed))
        if not call.model:
            raise BadRequest("model is required")
        if names_agent(call.model):
            if keyless.free_only(market, scope):
                raise Forbidden("Without a key only free models are served here")
            await agents_on_wires.answer(market, scope, send, codec, call, principal, request_id)
            return
        if free := keyless.free_only(market, scope):
            call = msgspec.structs.replace(call, routing=keyless.routed(call.routing, free=free))
        flight = market.router.flight(
            GatewayRequest(
                request_id=request_id,
                user_id=principal.user_id,
                key_id=principal.key_id,
                mouth=codec,
                call=call,
                raw=body if codec.fast is not None else None,
                betas=betas.parse(headers.get(betas.HEADER)) if codec.name == "anthropic" else (),
                traceparent=headers.get("traceparent"),
                still_valid=lambda: market.authenticator.still(headers, keys),
                known_valid=market.authenticator.known(headers, keys) if call.stream else None,
            )
        )
        if free:
            with keyless.explained(free=free):
                await flight.open()
        else:
            await flight.open()
        await fly(flight, scope, send, sink_of(flight, scope, send))


def _as_json(scope: Scope) -> Scope:
    """Ollama reads every body as JSON, and its own examples for curl name no type."""
    if scope["method"] != "POST" or scope["path"] not in _ALWAYS_JSON:
        return scope
    others = [h for h in scope["headers"] if h[0] != b"content-type"]
    return {**scope, "headers": [*others, (b"content-type", b"application/json")]}


def _is_large(scope: Scope) -> bool:
    """Whether a body may hold enough to stop everybody else: also one that does not say how long it is."""
    if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
        return False
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return not length.isdigit() or int(length) > SMALL


async def _refuse(send: Send, codec: Codec, error: MarketplaceError, request_id: str) -> None:
    try:
        await respond(
            send,
            error.status,
            codec.render_error(error, request_id),
            headers=error_headers(error, request_id),
        )
    except RuntimeError:
        log.warning("%s failed after its answer had begun", request_id)
