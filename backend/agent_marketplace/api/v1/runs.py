"""Runs: begun, listened to, answered, capped, cancelled, accounted for. A chat answer that outlives its connection is one too."""

import asyncio
import re
from typing import Annotated, Any

from fastapi import Header, Query, Request, Response
from starlette.responses import StreamingResponse

from agent_marketplace.api import replies, run_replies, run_schemas, run_views, schemas
from agent_marketplace.api.deps import Reader, Router, Runner, The
from agent_marketplace.api.envelope import success
from agent_marketplace.api.peers import answer_elsewhere, asked_by_peer
from agent_marketplace.api.run_events import stored
from agent_marketplace.api.run_views import wanted_of
from agent_marketplace.api.v1.agent_body import flag, read_object
from agent_marketplace.api.v1.answers import RunResponse, caller_check
from agent_marketplace.app import Market
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ledger import nano
from agent_marketplace.runs.chatting import BLIND
from agent_marketplace.runs.receipts import receipt
from agent_marketplace.runs.store import listed, pending
from agent_marketplace.runs.types import Head

router = Router(prefix="/api/v1/agents", tags=["runs"])
_WAIT_S = 300.0
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/RunBody"},
                "example": {
                    "model": "gpt-4o-mini",
                    "input": "What is 17 % of 2,349.50?",
                    "agent": {"tools": ["calculator"]},
                    "cap": 0.05,
                    "wait": True,
                },
            }
        },
    }
}
_EVENT = re.compile(r"-?[0-9]{1,15}", re.ASCII)
After = Annotated[int, Query(ge=-1, le=10**15, description="the last event's id that was heard")]


@router.post(
    "/runs",
    summary="Run an agent, or a model with tools, within a cap",
    openapi_extra=_BODY,
    responses={200: {"model": run_replies.Run}},
)
async def start_run(request: Request, market: The, principal: Runner) -> Response:
    body = await read_object(request)
    wanted = await wanted_of(market, principal, body, request.headers.get("idempotency-key"))
    head, live = await market.runs.start(wanted)
    if flag(body, "stream"):
        return await _heard(market, request, head, -1)
    if flag(body, "wait") and live is not None:
        try:
            async with asyncio.timeout(_WAIT_S):
                await live.over()
        except TimeoutError:
            pass
    return await _shown(market, head.run_id)


@router.get("/runs", summary="My runs of agents, newest first", responses={200: {"model": run_replies.Runs}})
async def list_runs(
    market: The,
    principal: Reader,
    before: Annotated[int | None, Query(ge=0, le=10**15, description="created before, ms")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    heads = await market.runs.kit.records.read(lambda c: listed(c, principal.user_id, before, limit))
    following = heads[-1].created_at if len(heads) == limit else None
    return success(runs=[run_views.line(h) for h in heads], next_before=following)


@router.get(
    "/approvals", summary="Calls that wait for my answer", responses={200: {"model": run_replies.Approvals}}
)
async def list_approvals(market: The, principal: Reader) -> Response:
    asked = await market.runs.kit.records.read(lambda c: pending(c, principal.user_id))
    return success(approvals=await run_views.questions(market, principal.user_id, asked))


@router.get("/runs/{run_id}", summary="A run with its steps", responses={200: {"model": run_replies.Run}})
async def get_run(market: The, principal: Reader, run_id: str) -> Response:
    _told(await market.runs.kit.records.head(run_id, principal.user_id))
    return await _shown(market, run_id)


def _told(head: Head) -> Head:
    """Raises NotFound for an answer of which neither name nor price may be told yet."""
    if head.agent_id == BLIND:
        raise NotFound("No such run")
    return head


async def _shown(market: Market, run_id: str) -> Response:
    head = await market.runs.kit.records.head(run_id)
    return success(run=await run_views.whole(market, head))


@router.get("/runs/{run_id}/events", summary="Listen to a run, from any of its events on")
async def run_events(
    request: Request,
    market: The,
    principal: Runner,
    run_id: str,
    after: After = -1,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    if last_event_id is not None and not _EVENT.fullmatch(last_event_id):
        raise BadRequest("Last-Event-ID must be a number")
    heard = max(after, int(last_event_id)) if last_event_id is not None else after
    head = await market.runs.kit.records.head(run_id, principal.user_id)
    return await _heard(market, request, head, heard)


async def _heard(market: Market, request: Request, head: Head, after: int) -> Response:
    """The stream of a run: live where it is driven, from the database where it has ended or waits."""
    runs, check = market.runs, caller_check(market, request)
    check_s = market.router.parts.rhythm.check_s
    if (live := runs.lives.here(head.run_id, head.user_id)) is not None:
        await runs.lives.first(live)
        return RunResponse(live, await runs.lives.listen(live, after), check, check_s=check_s)
    missing = NotFound("No such run")
    if asked_by_peer(request):
        raise missing
    if head.state == "running":
        try:
            return await answer_elsewhere(market, request, missing, after=after)
        except NotFound:
            pass
    return StreamingResponse(
        stored(market, head, after), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


@router.post(
    "/runs/{run_id}/approve",
    summary="Allow or refuse calls that a run asks about",
    responses={200: {"model": run_replies.Run}},
)
async def approve_run(market: The, principal: Runner, run_id: str, body: run_schemas.Approve) -> Response:
    answers = {a.approval_id: (a.subject, a.allow) for a in body.answers}
    await market.runs.may_steer(run_id, principal.user_id, principal.key_id)
    await market.runs.decide(run_id, principal.user_id, answers)
    return await _shown(market, run_id)


@router.post(
    "/runs/{run_id}/input",
    summary="More words for a paused run, which then goes on",
    responses={200: {"model": run_replies.Run}},
)
async def input_run(market: The, principal: Runner, run_id: str, body: run_schemas.RunInput) -> Response:
    await market.runs.may_steer(run_id, principal.user_id, principal.key_id)
    await market.runs.give_input(run_id, principal.user_id, body.text)
    return await _shown(market, run_id)


@router.post(
    "/runs/{run_id}/cap",
    summary="A new cap; a run that is paused goes on",
    responses={200: {"model": run_replies.Run}},
)
async def cap_run(market: The, principal: Runner, run_id: str, body: run_schemas.RunCap) -> Response:
    await market.runs.may_steer(run_id, principal.user_id, principal.key_id)
    await market.runs.raise_cap(run_id, principal.user_id, nano(body.cap))
    return await _shown(market, run_id)


@router.post(
    "/runs/{run_id}/cancel", summary="End a run at once", responses={200: {"model": replies.Stopped}}
)
@router.post(
    "/runs/{run_id}/stop",
    summary="End a run at once (earlier name)",
    responses={200: {"model": replies.Stopped}},
)
async def cancel_run(request: Request, market: The, principal: Runner, run_id: str) -> Response:
    head = await market.runs.kit.records.head(run_id, principal.user_id)
    if market.runs.lives.here(run_id, principal.user_id) is None:
        if asked_by_peer(request):
            raise NotFound("No such run")
        if head.state == "running":
            try:
                return await answer_elsewhere(market, request, NotFound("No such run"))
            except NotFound:
                pass
    return success(stopped=await market.runs.cancel(run_id, principal.user_id))


@router.delete(
    "/runs/{run_id}", summary="Forget a run that is over", responses={200: {"model": schemas.Reply}}
)
async def delete_run(market: The, principal: Runner, run_id: str) -> Response:
    await market.runs.delete(run_id, principal.user_id)
    return success()


@router.get(
    "/runs/{run_id}/receipt",
    summary="What a run cost, step by step",
    responses={200: {"model": run_replies.RunReceipt}},
)
async def run_receipt(market: The, principal: Reader, run_id: str) -> Response:
    records = market.runs.kit.records
    head = _told(await records.head(run_id, principal.user_id))
    found: dict[str, Any] = await receipt(records, market.ledger, head)
    return success(receipt=found)
