"""Administrators' figures: the overview, and usage of everybody."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from agent_marketplace.api import payment_schemas as schemas
from agent_marketplace.api import usage_replies as replies
from agent_marketplace.api.deps import Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.activity import AskedFor, heard_out, usage_shown
from agent_marketplace.ledger import dollars
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.usage_log.query import ask

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])
_FIGURES = ("spend", "provider_cost", "margin", "absorbed", "requests", "error_share")
_TO_DO = ("transfers", "refunds", "disputes", "refused", "disputed")


@router.get(
    "/overview",
    summary="Money, use, and what waits for an administrator",
    responses={200: {"model": schemas.Overview}},
)
async def get_overview(
    market: The, request: Request, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> Response:
    now = market.clock.now_ms()
    asked = ask(
        user_id=None, metrics=_FIGURES, by=(), filters={}, tz="UTC", granularity="day", since=now - days * DAY_MS, until=None,
        days=days, now=now, limit=1,
    )  # fmt: skip
    used = (await heard_out(request, market.usage_log.query(asked))).totals
    money = await market.payments.overview(now - days * DAY_MS)
    standing = ("paid_in", "given_back", "owed_paid", "owed_promotional", "frozen", "debt", "held")
    figures: dict[str, Any] = {name: dollars(money[name]) for name in standing}
    figures |= {name: used[name] for name in _FIGURES}
    figures["went_back"] = dollars(money["went_back"] - money["came_again"])
    figures["in_flight"] = (await market.ledger.totals()).open_holds
    agents, reports = await market.agent_desk.to_do()
    to_do = {name: money[name] for name in _TO_DO} | {"agents": agents, "reports": reports}
    return success(days=days, to_do=to_do | {"prices": len(await market.catalog.reviews())}, **figures)


@router.get(
    "/usage/query",
    summary="What everybody used: also by user, and with provider_cost, absorbed, margin",
    responses={200: {"model": replies.UsageFound}},
)
async def query_everybody(market: The, request: Request, asked_for: AskedFor) -> Response:
    now = market.clock.now_ms()
    asked = asked_for.about(None, now)
    found = await heard_out(request, market.usage_log.query(asked))
    emails = await market.payments.orders.emails(row["user_id"] for row in found.rows if row.get("user_id"))
    rows = [row | {"email": emails.get(row["user_id"])} if "user_id" in row else row for row in found.rows]
    return success(**usage_shown(asked, asked_for, found, now) | {"rows": rows})
