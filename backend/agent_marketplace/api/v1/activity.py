"""What was used, and every call by itself: sums by any two dimensions, pages of calls, exports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from agent_marketplace.api import present, spreadsheets
from agent_marketplace.api import usage_replies as replies
from agent_marketplace.api.deps import Reader, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.app import Market
from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway.stopping import forgive_cancel
from agent_marketplace.ledger import dollars
from agent_marketplace.net.guard import hangup_of
from agent_marketplace.usage_log import zones
from agent_marketplace.usage_log.activity import MOST_ON_A_PAGE, Call, Wanted, read_place, write_place
from agent_marketplace.usage_log.query import MOST_ROWS, Asked, Found, ask, check_period, checked_filters

T = TypeVar("T")
router = Router(prefix="/api/v1/marketplace", tags=["money"])
Values = Annotated[list[str], Query(max_length=50)]
Moment = Annotated[str | None, Query(max_length=40, description="A date in `tz`, or a moment (RFC 3339)")]
Zone = Annotated[str, Query(max_length=60, description="IANA time zone")]
_COLUMNS = (*(name for name in replies.ActivityCall.model_fields if name != "error"), "error_code", "error")
METHOD = (
    "Percentiles are read off bins (docs/api.md names them) in proportion: exact to the bin, not to the millisecond. "
    "Only whole or partial answers are timed."
)


async def filters(
    model: Values = [],  # noqa: B006  FastAPI reads the default, nobody changes it
    provider: Values = [],  # noqa: B006
    key: Values = [],  # noqa: B006
    agent: Values = [],  # noqa: B006
    conversation: Values = [],  # noqa: B006
    status: Values = [],  # noqa: B006
) -> dict[str, tuple[str, ...]]:
    """Each may be given several times; `none` = calls without a key, agent or conversation. Raises BadRequest."""
    given = {
        "model": model, "provider": provider, "key": key, "agent": agent, "conversation": conversation, "status": status,
    }  # fmt: skip
    return checked_filters(given)


Filters = Annotated[dict[str, tuple[str, ...]], Depends(filters)]


class Question(msgspec.Struct, frozen=True):
    """A question about usage as it came; `about` checks it and says whose usage is meant (None: everybody's)."""

    filters: dict[str, tuple[str, ...]]
    metrics: list[str]
    by: list[str]
    tz: str
    granularity: zones.Granularity
    since: str | None
    until: str | None
    days: int
    limit: int

    def about(self, user_id: str | None, now: int) -> Asked:
        """Raises BadRequest."""
        return ask(
            user_id=user_id, metrics=self.metrics, by=self.by, filters=self.filters, tz=self.tz, granularity=self.granularity,
            since=moment(self.since, self.tz, "since"), until=moment(self.until, self.tz, "until"), days=self.days, now=now,
            limit=self.limit,
        )  # fmt: skip


async def question(
    chosen: Filters,
    metrics: Annotated[list[str], Query(max_length=20)] = ["spend", "requests", "tokens"],  # noqa: B006
    by: Annotated[list[str], Query(max_length=7)] = [],  # noqa: B006
    tz: Zone = "UTC",
    granularity: zones.Granularity = "day",
    since: Moment = None,
    until: Moment = None,
    days: Annotated[int, Query(ge=1, le=3_660)] = 30,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 1_000,
) -> Question:
    """The parameters of a question."""
    return Question(chosen, metrics, by, tz, granularity, since, until, days, limit)


AskedFor = Annotated[Question, Depends(question)]


@router.get(
    "/usage/query",
    summary="What was used: metrics by up to two dimensions, filtered, in a time zone",
    responses={200: {"model": replies.UsageFound}},
)
async def query_usage(market: The, principal: Reader, request: Request, asked_for: AskedFor) -> Response:
    now = market.clock.now_ms()
    asked = asked_for.about(principal.user_id, now)
    found = await heard_out(request, market.usage_log.query(asked))
    return success(**usage_shown(asked, asked_for, found, now))


def usage_shown(asked: Asked, asked_for: Question, found: Found, now: int) -> dict[str, Any]:
    """The answer to a question."""
    return {
        "rows": found.rows,
        "totals": found.totals,
        "truncated": found.truncated,
        "metrics": asked.metrics,
        "by": asked.by,
        "granularity": asked_for.granularity if "time" in asked.by else None,
        "tz": asked_for.tz,
        "since": present.iso(asked.since),
        "until": present.iso(asked.until),
        "as_of": present.iso(now),
        "percentiles": METHOD if {"latency", "first_token"} & set(asked.metrics) else None,
    }


@router.get(
    "/activity",
    summary="Every call of mine, newest first, and those in flight",
    responses={200: {"model": replies.Activity}},
)
async def get_activity(
    market: The,
    principal: Reader,
    request: Request,
    chosen: Filters,
    tz: Zone = "UTC",
    since: Moment = None,
    until: Moment = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 50,
) -> Response:
    veiled = await market.comparisons.veiled(principal.user_id)
    asked = wanted(principal.user_id, chosen, tz, since, until, cursor, limit, veiled)
    page = await heard_out(request, market.usage_log.page(asked))
    running = await market.ledger.running(principal.user_id) if cursor is None else []
    return success(
        calls=[call_shown(call) for call in page.calls],
        in_flight=[
            {
                "request_id": hold.request_id,
                "model": hold.model,
                "provider": hold.provider,
                "key_id": hold.key_id,
                "since": present.iso(hold.since),
                "held": dollars(hold.held_nano),
            }
            for hold in running
            if hold.request_id not in veiled
        ],
        next_cursor=None if page.after is None else write_place(page.after),
        as_of=present.iso(market.clock.now_ms()),
    )


@router.get(
    "/activity/export",
    summary="Every call of mine as CSV or JSON lines, sent while it is read",
    responses={200: {"content": {"text/csv": {}, "application/jsonl": {}}}},
)
async def export_activity(
    market: The,
    principal: Reader,
    request: Request,
    chosen: Filters,
    export_format: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv",
    tz: Zone = "UTC",
    since: Moment = None,
    until: Moment = None,
) -> Response:
    veiled = await market.comparisons.veiled(principal.user_id)
    asked = wanted(principal.user_id, chosen, tz, since, until, None, 1, veiled)
    first = await heard_out(
        request, market.usage_log.page(asked)
    )  # a failure now still has a status of its own
    until_now = first.calls[0].at + 1 if first.calls else 1
    pinned = msgspec.structs.replace(asked, until=min(until_now, asked.until or until_now))
    return StreamingResponse(
        _lines(market, pinned, export_format),
        media_type=spreadsheets.KINDS[export_format],
        headers=spreadsheets.headers(f"activity.{export_format}"),
    )


def moment(text: str | None, tz: str, field: str) -> int | None:
    """ms of a date (its midnight in `tz`) or of an RFC 3339 moment; without an offset it is in `tz`. Raises BadRequest."""
    if text is None:
        return None
    zone = zones.zone_of(tz)
    try:
        read = datetime.fromisoformat(text)
        return round((read if read.tzinfo is not None else read.replace(tzinfo=zone)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        words = f"`{field}` is no date like 2026-11-30 and no moment like 2026-11-30T12:00:00+01:00"
        raise BadRequest(words, extra={"field": field}) from None


async def heard_out(request: Request, work: Awaitable[T]) -> T:
    """Awaits `work` as long as its caller listens; a question whose caller has gone is not worked out."""
    task = asyncio.current_task()
    hangup = hangup_of(request.scope)
    gone = False

    def left() -> None:
        nonlocal gone
        gone = True
        if task is not None:
            task.cancel()

    hangup.listen(left)
    try:
        found = await work
    except asyncio.CancelledError:
        if not gone:
            raise
        forgive_cancel()
        raise BadRequest("Its caller has gone", code="cancelled") from None
    finally:
        hangup.ignore()
    return found


def wanted(
    user_id: str | None,
    chosen: dict[str, tuple[str, ...]],
    tz: str,
    since: str | None,
    until: str | None,
    cursor: str | None,
    limit: int,
    veiled: frozenset[str],
) -> Wanted:
    """A page of calls; user_id None: everybody's. Raises BadRequest."""
    zones.zone_of(tz)
    begin, end = moment(since, tz, "since"), moment(until, tz, "until")
    if begin is not None and end is not None:
        check_period(begin, end)
    place = read_place(cursor)
    return Wanted(
        user_id=user_id, filters=chosen, since=begin, until=end, after=place, limit=limit, without=veiled
    )


def call_shown(call: Call) -> dict[str, Any]:
    """A finished call, without what was asked or answered."""
    usage = call.usage
    return {
        "request_id": call.request_id,
        "at": present.iso(call.at),
        "model": call.model,
        "requested_model": call.requested_model,
        "provider": call.provider,
        "key_id": call.key_id,
        "agent_id": call.agent_id,
        "conversation_id": call.conversation_id,
        "status": call.status,
        "input_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cache_read,
        "output_tokens": usage.completion_tokens,
        "estimated": usage.estimated,
        "cost": dollars(call.charge_nano),
        "list_cost": None if call.list_cost_nano is None else dollars(call.list_cost_nano),
        "own_key": call.own_key,
        "streamed": call.streamed,
        "first_token_ms": call.first_token_ms,
        "total_ms": call.total_ms,
        "tries": call.tries,
        "fallback": call.fallback,
        "error": msgspec.to_builtins(call.error),
    }


async def _lines(market: Market, asked: Wanted, form: str) -> AsyncIterator[bytes]:
    yield spreadsheets.head(_COLUMNS, form)
    async for calls in market.usage_log.export(asked):
        rows = [call_shown(call) for call in calls]
        if form == "csv":
            rows = [_flat(row) for row in rows]
        yield spreadsheets.lines(rows, _COLUMNS, form)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    error = row["error"] or {}
    return {**row, "error_code": error.get("code"), "error": error.get("words")}
