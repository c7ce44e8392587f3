"""Comparisons: the same question to two to four models, blind or open, and the vote."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from agent_marketplace.api import arena_replies as replies
from agent_marketplace.api import present
from agent_marketplace.api.deps import Reader, Router, Runner, The, Writer
from agent_marketplace.api.envelope import success
from agent_marketplace.api.schemas import Reply
from agent_marketplace.api.v1 import comparing
from agent_marketplace.api.v1.agent_body import flag, read_object
from agent_marketplace.api.v1.answers import caller_check
from agent_marketplace.app import Market
from agent_marketplace.arena import Comparison
from agent_marketplace.conversations.cursors import pack, unpack
from agent_marketplace.conversations.types import NewMessage
from agent_marketplace.errors import BadRequest, Conflict

router = Router(prefix="/api/v1/marketplace/comparisons", tags=["comparisons"])
ONE: dict[int | str, dict[str, Any]] = {200: {"model": replies.OneComparison}}


@router.post(
    "",
    summary="Ask two to four models the same, blind or open",
    openapi_extra=replies.BODY,
    responses=ONE,
)
async def compare(request: Request, market: The, principal: Runner) -> Response:
    body = await read_object(request)
    wait = flag(body, "wait")
    question = await comparing.read_question(market, principal.user_id, body)
    caller = _caller(market, request, principal.user_id, principal.key_id)
    found, runs = await comparing.begin(market, caller, question)
    if wait:
        await comparing.ended(market, runs)
        found = await comparing.found_of(market, principal.user_id, found.comparison_id)
    return success(comparison=present.comparison(found))


@router.post(
    "/estimate",
    summary="What asking them all will cost, before it is done",
    openapi_extra=replies.BODY,
    responses={200: {"model": replies.ComparisonEstimate}},
)
async def estimate_comparison(request: Request, market: The, principal: Runner) -> Response:
    body = await read_object(request)
    question = await comparing.read_question(market, principal.user_id, {**body, "blind": False})
    columns = await comparing.calls_for(market, principal.user_id, question, runs=True)
    return success(**await comparing.summed_up(market, principal.user_id, columns))


@router.get("", summary="My comparisons, newest first", responses={200: {"model": replies.Comparisons}})
async def list_comparisons(
    market: The,
    principal: Reader,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    before = unpack(cursor, int, str) if cursor else None
    found = await market.comparisons.list(principal.user_id, before, limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return success(
        comparisons=[present.comparison(c) for c in page],
        next_cursor=pack(page[-1].created_at, page[-1].comparison_id) if more else None,
    )


@router.get("/{comparison_id}", summary="One comparison", responses=ONE)
async def get_comparison(market: The, principal: Reader, comparison_id: str) -> Response:
    return success(
        comparison=present.comparison(await comparing.found_of(market, principal.user_id, comparison_id))
    )


@router.delete(
    "/{comparison_id}", summary="Delete a comparison with its vote", responses={200: {"model": Reply}}
)
async def delete_comparison(market: The, principal: Writer, comparison_id: str) -> Response:
    await market.comparisons.delete(principal.user_id, comparison_id)
    return success()


@router.post("/{comparison_id}/vote", summary="My one vote; it tells whose answer is whose", responses=ONE)
async def vote(market: The, principal: Writer, comparison_id: str, body: replies.Vote) -> Response:
    found = await comparing.found_of(market, principal.user_id, comparison_id)
    voted = await market.comparisons.vote(
        principal.user_id, comparison_id, body.vote, criteria=body.criteria, reason=body.reason,
        names={a.model: _names(market, a.model) for a in found.answers},
    )  # fmt: skip
    return success(comparison=present.comparison(voted))


@router.post("/{comparison_id}/reveal", summary="Tell whose answer is whose, without a vote", responses=ONE)
async def reveal(market: The, principal: Writer, comparison_id: str) -> Response:
    return success(
        comparison=present.comparison(await market.comparisons.reveal(principal.user_id, comparison_id))
    )


@router.post(
    "/{comparison_id}/answers/{side}/retry",
    summary="Ask one side again; of a blind comparison only one that failed",
    responses=ONE,
)
async def retry_answer(
    request: Request, market: The, principal: Runner, comparison_id: str, side: str, body: replies.Retry
) -> Response:
    found = await comparing.found_of(market, principal.user_id, comparison_id)
    market.comparisons.may_restart(found, side)
    caller = _caller(market, request, principal.user_id, principal.key_id)
    runs = await comparing.again(market, caller, found, side)
    if body.wait:
        await comparing.ended(market, runs)
    return success(
        comparison=present.comparison(await comparing.found_of(market, principal.user_id, comparison_id))
    )


@router.post(
    "/{comparison_id}/continue",
    summary="Go on with one of the answers as a conversation",
    responses={200: {"model": replies.Continued}},
)
async def continue_with_one(
    market: The, principal: Writer, comparison_id: str, body: replies.ContinueWith
) -> Response:
    chain = await comparing.chain_of(market, principal.user_id, comparison_id)
    found = chain[-1]
    if found.veiled:
        raise Conflict("Vote first, or have it revealed", code="not_revealed")
    answer = found.answer(body.side)
    if answer is None or not answer.content:
        raise BadRequest("There is no such answer to go on with")
    head, _ = await market.conversations.create(
        principal.user_id,
        model=answer.model,
        agent_id=answer.asked if answer.request_id else answer.model,  # an agent that is run has no chat
        messages=_as_messages(chain, body.side),
    )
    return success(conversation_id=head.conversation_id)


def _caller(market: Market, request: Request, user_id: str, key_id: str | None) -> comparing.Caller:
    return comparing.Caller(
        user_id=user_id, key_id=key_id, still_valid=caller_check(market, request),
        traceparent=request.headers.get("traceparent"),
    )  # fmt: skip


def _names(market: Market, model_id: str) -> list[str]:
    model = market.registry.resolve(model_id)
    return [] if model is None else [model.name, model.maker, model.id, *model.family.split("-")[:1]]


def _as_messages(chain: list[Comparison], side: str) -> list[NewMessage]:
    messages: list[NewMessage] = []
    for step in chain:
        answer = step.answer(side)
        asked = "" if answer is None else answer.asked if answer.request_id else answer.model
        for turn in step.messages:
            if isinstance(turn, dict) and turn.get("role") in ("user", "assistant"):
                content, images = _content(turn.get("content"))
                extra = {"images": images} if images else {}
                messages.append(NewMessage(role=turn["role"], content=content, agent_id=asked, extra=extra))
        if answer is not None and answer.content:
            messages.append(
                NewMessage(
                    role="assistant", content=answer.content, agent_id=asked, model=answer.model,
                    provider=answer.provider, cost_nano=answer.cost_nano, request_id=answer.request_id,
                    usage=answer.extra.get("usage"), extra={"timings": answer.extra.get("timings")},
                )
            )  # fmt: skip
    return messages


def _content(content: Any) -> tuple[str, list[str]]:
    """The text of a turn, and its pictures as data: URLs."""
    if isinstance(content, str):
        return content, []
    parts = [part for part in content or () if isinstance(part, dict)]
    words = "\n\n".join(str(part["text"]) for part in parts if part.get("type") == "text" and "text" in part)
    urls = [(part.get("image_url") or {}).get("url") for part in parts if part.get("type") == "image_url"]
    return words, [url for url in urls if isinstance(url, str) and url.startswith("data:image/")]
