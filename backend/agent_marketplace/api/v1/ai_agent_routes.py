"""The guide's agent routes: completion, chat, history; and estimates (runs: v1/runs; conversations, presets: v1/conversations)."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from agent_marketplace.api import present, replies, schemas
from agent_marketplace.api.deps import Reader, Router, Runner, The
from agent_marketplace.api.envelope import success
from agent_marketplace.api.screen import aside
from agent_marketplace.api.v1 import chats
from agent_marketplace.api.v1.agent_body import flag, read_object, size_of, text
from agent_marketplace.api.v1.answers import FlightResponse, RunResponse, caller_check
from agent_marketplace.api.v1.idempotent import claim
from agent_marketplace.gateway.agent_wire import AgentMouth

router = Router(prefix="/api/v1/agents", tags=["agents"])
_PER_MESSAGE = 1_000  # bytes: about what a message of the history takes as long as

_COMPLETION_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/CompletionBody"},
                "example": {
                    "model": "smollm2-135m",
                    "prompt": "Write a Python function that reverses a text",
                    "max_tokens": 200,
                },
            }
        },
    }
}
_CHAT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ChatBody"},
                "example": {"model": "smollm2-135m", "message": "Hello!", "stream": True},
            }
        },
    }
}


@router.post(
    "/completion",
    summary="One answer, billed exactly",
    openapi_extra=_COMPLETION_BODY,
    responses={200: {"model": schemas.Completion}},
)
async def get_completion(request: Request, market: The, principal: Runner) -> Response:
    body = await read_object(request)
    size = size_of(request)
    call = await chats.completion_call(market, principal.user_id, body, size, stream=flag(body, "stream"))
    run_id = text(body, "run_id", limit=80) or chats.new_run_id()
    still_valid = caller_check(market, request)
    parent = request.headers.get("traceparent")
    gateway_request = chats.request_of(
        principal.user_id, principal.key_id, call, {"run_id": run_id}, None, still_valid, traceparent=parent
    )
    chats.note_agent(gateway_request, text(body, "agent_id", limit=200) or text(body, "model", limit=200))
    flight = market.router.flight(gateway_request)
    once = await claim(market, request, principal.user_id, body)
    if isinstance(once, Response):
        return once
    gateway_request.once = once
    try:
        await flight.open()
    except BaseException:  # whatever it was, the idempotency key must not outlive the request
        if once is not None:
            await once.give_back()
        raise
    return FlightResponse(flight, once)


@router.post(
    "/chat",
    summary="A turn of a conversation",
    openapi_extra=_CHAT_BODY,
    responses={200: {"model": replies.Turn}},
)
async def chat(request: Request, market: The, principal: Runner) -> Response:
    body = await read_object(request)
    turn = await chats.read_turn(market, principal.user_id, body)
    resumable = flag(body, "resumable") and turn.stream
    run_id = text(body, "run_id", limit=80) or chats.new_run_id()
    if resumable:
        await market.runs.chats.check(run_id, principal.user_id)
    history = await chats.history_of(market, turn)
    size = size_of(request) + _PER_MESSAGE * len(history)
    call = await aside(size, lambda: chats.call_for(market, turn, history))
    keeper = chats.Keeper(market, turn, run_id)
    gateway_request = chats.request_of(
        principal.user_id, principal.key_id, call, keeper.fields, keeper, caller_check(market, request),
        traceparent=request.headers.get("traceparent"),
    )  # fmt: skip
    chats.note_agent(gateway_request, turn.agent_id)
    flight = market.router.flight(gateway_request)
    once = await claim(market, request, principal.user_id, body)
    if isinstance(once, Response):
        return once
    gateway_request.once = once
    try:
        await flight.open()
        await keeper.take_off(flight.record)
        gateway_request.mouth = AgentMouth(keeper.fields)  # the ids are known only now
    except BaseException:  # neither the hold nor the idempotency key may outlive the request
        await flight.abandon()
        if once is not None:
            await once.give_back()
        raise
    gateway_request.detail |= keeper.fields
    if not resumable:
        return FlightResponse(flight, once)
    try:
        live = await market.runs.chats.start(
            run_id, principal.user_id, flight, agent_id=turn.agent_id, temporary=turn.temporary
        )
    except BaseException:  # this run_id was taken meanwhile
        await flight.abandon()
        raise
    await market.runs.lives.first(live)
    return RunResponse(
        live,
        await market.runs.lives.listen(live),
        caller_check(market, request),
        check_s=flight.parts.rhythm.check_s,
        request_id=gateway_request.request_id,
    )


@router.post(
    "/estimate",
    summary="What a call will cost, before it is made",
    responses={200: {"model": replies.Estimated}},
)
async def estimate(request: Request, market: The, principal: Runner) -> Response:
    body = await read_object(request)
    if body.get("message") is not None or body.get("conversation_id") is not None:
        turn = await chats.read_turn(market, principal.user_id, body)
        history = await chats.history_of(market, turn)
        size = size_of(request) + _PER_MESSAGE * len(history)
        call = await aside(size, lambda: chats.call_for(market, turn, history))
    else:
        call = await chats.completion_call(market, principal.user_id, body, size_of(request), stream=True)
    return success(**await market.router.estimate(principal.user_id, call))


@router.get(
    "/{agent_id:path}/history",
    summary="Messages with an agent or model",
    responses={200: {"model": schemas.History}},
)
@router.get(
    "/agents/{agent_id:path}/history",
    summary="Messages with an agent or model (the guide's path)",
    responses={200: {"model": schemas.History}},
)
async def get_history(
    market: The,
    principal: Reader,
    agent_id: str,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    if agent_id.startswith("agt_"):
        await market.agents.get(principal.user_id, agent_id)
    else:
        agent_id = market.targets.resolve(agent_id).id
    page = await market.conversations.history(principal.user_id, agent_id, cursor=cursor, limit=limit)
    messages: list[dict[str, Any]] = [present.history_message(m) for m in page.messages]
    return success(messages=messages, next_cursor=page.next_cursor)
