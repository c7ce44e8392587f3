"""Evaluations: a file of prompts in, one to four models asked within a budget, results out."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from starlette.responses import StreamingResponse

from agent_marketplace.api import arena_replies as replies
from agent_marketplace.api import present, spreadsheets
from agent_marketplace.api.deps import Reader, Router, Runner, The
from agent_marketplace.api.envelope import success
from agent_marketplace.api.schemas import Reply
from agent_marketplace.api.screen import aside
from agent_marketplace.api.v1 import comparing, evaluating
from agent_marketplace.api.v1.agent_body import read_bytes
from agent_marketplace.api.v1.answers import caller_check
from agent_marketplace.app import Market
from agent_marketplace.arena.sets.evaluations import Evaluation
from agent_marketplace.arena.sets.item_files import read_items
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import dollars, nano

router = Router(prefix="/api/v1/marketplace/evaluations", tags=["comparisons"])
ONE: dict[int | str, dict[str, Any]] = {200: {"model": replies.OneEvaluation}}
_PAGE = 50
_DEFAULT_TOKENS = 1_024
_MOST_TOKENS = 8_192
_COLUMNS = (
    "n", "id", "asked", "model", "status", "answer", "expected", "as_expected", "cost", "input_tokens", "output_tokens",
    "first_token_ms", "total_ms", "error", "request_id",
)  # fmt: skip
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "prompt,expected\nWhat is 2+2?,4\n"},
            "application/jsonl": {"schema": {"type": "string"}},
        },
    }
}
Budget = Annotated[float, Query(gt=0, le=100_000, description="Dollars, for all answers together")]


@router.post("", summary="Put a file of prompts to one to four models", openapi_extra=_FILE, responses=ONE)
async def evaluate(
    request: Request,
    market: The,
    principal: Runner,
    model: Annotated[list[str], Query(min_length=1, max_length=4)],
    budget: Budget,
    form: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv",
    name: Annotated[str, Query(max_length=100)] = "",
    max_tokens: Annotated[int, Query(ge=1, le=_MOST_TOKENS)] = _DEFAULT_TOKENS,
    temperature: Annotated[float | None, Query(ge=0, le=2)] = None,
) -> Response:
    data = await read_bytes(request)
    items = await aside(len(data), lambda: read_items(data, form))
    params: dict[str, Any] = {"max_tokens": max_tokens}
    if temperature is not None:
        params["temperature"] = temperature
    question = comparing.Question(
        names=model, blind=False, messages=items[0].messages, before={}, params=params
    )
    await comparing.calls_for(
        market, principal.user_id, question
    )  # what can't be asked is said before anything is stored
    made = await market.evaluations.create(
        principal.user_id, name=name, models=model, parameters=params, budget_nano=_nano(budget), items=items
    )
    evaluating.start(
        market, _caller(market, request, principal.user_id, principal.key_id), made.evaluation_id
    )
    return success(evaluation=shown(made))


@router.get("", summary="My evaluations, newest first", responses={200: {"model": replies.Evaluations}})
async def list_evaluations(market: The, principal: Reader) -> Response:
    return success(evaluations=[shown(e) for e in await market.evaluations.of(principal.user_id)])


@router.get("/{evaluation_id}", summary="How far it is, and what it came to", responses=ONE)
async def get_evaluation(market: The, principal: Reader, evaluation_id: str) -> Response:
    return success(evaluation=shown(await market.evaluations.get(principal.user_id, evaluation_id)))


@router.get(
    "/{evaluation_id}/results",
    summary="Every answer as CSV or JSON lines, sent while it is read",
    responses={200: {"content": {"text/csv": {}, "application/jsonl": {}}}},
)
async def get_results(
    market: The,
    principal: Reader,
    evaluation_id: str,
    form: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv",
) -> Response:
    found = await market.evaluations.get(principal.user_id, evaluation_id)
    return StreamingResponse(
        _lines(market, principal.user_id, found, form),
        media_type=spreadsheets.KINDS[form],
        headers=spreadsheets.headers(f"evaluation.{form}"),
    )


@router.post("/{evaluation_id}/stop", summary="Ask nothing more", responses=ONE)
async def stop_evaluation(market: The, principal: Runner, evaluation_id: str) -> Response:
    await market.evaluations.get(principal.user_id, evaluation_id)
    await market.evaluations.end(principal.user_id, evaluation_id, "stopped", "stopped")
    return success(evaluation=shown(await market.evaluations.get(principal.user_id, evaluation_id)))


@router.post("/{evaluation_id}/resume", summary="Ask what is left, with more budget if given", responses=ONE)
async def resume_evaluation(
    request: Request,
    market: The,
    principal: Runner,
    evaluation_id: str,
    budget: Annotated[float | None, Query(gt=0, le=100_000)] = None,
) -> Response:
    more = None if budget is None else _nano(budget)
    await market.evaluations.resume(principal.user_id, evaluation_id, more)
    evaluating.start(market, _caller(market, request, principal.user_id, principal.key_id), evaluation_id)
    return success(evaluation=shown(await market.evaluations.get(principal.user_id, evaluation_id)))


@router.delete("/{evaluation_id}", summary="Delete it with its results", responses={200: {"model": Reply}})
async def delete_evaluation(market: The, principal: Runner, evaluation_id: str) -> Response:
    await market.evaluations.delete(principal.user_id, evaluation_id)
    return success()


def _caller(market: Market, request: Request, user_id: str, key_id: str | None) -> comparing.Caller:
    return comparing.Caller(user_id=user_id, key_id=key_id, still_valid=caller_check(market, request))


def _nano(budget: float) -> int:
    """The shortest decimal that reads as this number is what was written."""
    found = nano(repr(budget))
    if found <= 0:
        raise BadRequest("budget must be more than 0", extra={"field": "budget"})
    return found


def shown(found: Evaluation) -> dict[str, Any]:
    """An evaluation without its lines."""
    models = []
    for place, asked in enumerate(found.models):
        answers, failed, cost = found.by_model.get(place, (0, 0, 0))
        models.append({"asked": asked, "answers": answers, "failed": failed, "cost": dollars(cost)})
    return {
        "id": found.evaluation_id,
        "name": found.name,
        "state": found.state,
        "reason": found.reason or None,
        "items": found.items,
        "expected_answers": found.items * len(found.models),
        "answers": found.answers,
        "failed": found.failed,
        "budget": dollars(found.budget_nano),
        "cost": dollars(found.spent_nano),
        "models": models,
        "parameters": found.parameters,
        "created_at": present.iso(found.created_at),
    }


async def _lines(market: Market, user_id: str, found: Evaluation, form: str) -> AsyncIterator[bytes]:
    yield spreadsheets.head(_COLUMNS, form)
    for after in range(0, found.items, _PAGE):
        rows = [_flat(row) for row in await market.evaluations.results(user_id, found, after, _PAGE)]
        yield spreadsheets.lines(rows, _COLUMNS, form)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    usage, timings, error = row["usage"], row["timings"], row["error"] or {}
    values = {
        **row,
        "cost": dollars(row["cost_nano"]),
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "first_token_ms": timings.get("first_token_ms"),
        "total_ms": timings.get("total_ms"),
        "error": error.get("error"),
    }
    return {name: values[name] for name in _COLUMNS}
