"""The leaderboard of this installation's own blind votes."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Query, Response

from agent_marketplace.api import arena_replies as replies
from agent_marketplace.api import present, spreadsheets
from agent_marketplace.api.deps import Caller, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.arena.leaderboard import LEAST_VOTES, Row, Share
from agent_marketplace.ledger import dollars
from agent_marketplace.recommend.estimate import TYPICAL_INPUT
from agent_marketplace.recommend.quality import TASK_MEASURES

Task = Literal[
    "code_generation", "debugging", "code_review", "documentation", "explain_concept", "brainstorming", "summarisation",
    "translation", "data_extraction", "maths", "vision", "tool_use", "quick_task",
]  # fmt: skip
router = Router(prefix="/api/v1/marketplace", tags=["comparisons"])


@router.get(
    "/leaderboard",
    summary="Models by this installation's own blind votes",
    responses={
        200: {"model": replies.Leaderboard, "content": {"text/csv": {}}},
    },
)
async def get_leaderboard(
    market: The,
    principal: Caller,  # noqa: ARG001  who may call it
    task: Annotated[str | None, Query(max_length=40)] = None,
    days: Annotated[int, Query(ge=1, le=3_660)] = 365,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    found = await market.learner.leaderboard(days=days, task=task)
    rows = [_row(row) for row in found.rows]
    if form == "csv":
        return _csv(rows)
    return success(
        models=rows,
        votes=found.votes,
        users=found.users,
        least_votes=LEAST_VOTES,
        longer_won=_share(found.longer_won),
        first_won=_share(found.first_won),
        tasks=found.tasks,
        task=task,
        days=days,
        as_of=present.iso(market.clock.now_ms()),
    )


@router.get(
    "/price-quality",
    summary="Price of a typical call against quality at a type of task",
    responses={200: {"model": replies.PriceQuality}},
)
async def get_price_quality(
    market: The, task: Annotated[Task, Query(description="As Q Assistant reads tasks")] = "quick_task"
) -> Response:
    placed = await asyncio.to_thread(market.engine.placed, task)
    return success(
        models=[
            {
                "model": one.model.id,
                "name": one.model.name,
                "provider": one.model.provider,
                "quality": round(one.points, 1),
                "basis": one.level,
                "cost": dollars(one.cost_nano),
                "is_available": one.model.is_available,
            }
            for one in placed
        ],
        task=task,
        tasks=list(TASK_MEASURES),
        input_tokens=TYPICAL_INPUT,
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "model": row.model,
        "rank": row.rank,
        "rating": row.rating,
        "low": row.low,
        "high": row.high,
        "votes": row.votes,
        "users": row.users,
        "wins": row.wins,
        "losses": row.losses,
        "ties": row.ties,
        "cost": None if row.cost_nano is None else dollars(row.cost_nano),
        "cost_per_win": None if row.cost_per_win_nano is None else dollars(row.cost_per_win_nano),
        "characters": row.characters,
        "why": row.why or None,
    }


def _share(share: Share) -> dict[str, Any]:
    return {"share": None if share.share is None else round(share.share, 4), "of": share.of}


def _csv(rows: list[dict[str, Any]]) -> Response:
    names = list(replies.LeaderboardRow.model_fields)
    body = spreadsheets.head(names, "csv") + spreadsheets.lines(rows, names, "csv")
    return Response(body, media_type="text/csv", headers=spreadsheets.headers("leaderboard.csv"))
