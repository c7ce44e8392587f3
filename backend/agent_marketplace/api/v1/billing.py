"""Balance, statement, usage, plans and receipts."""

from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response

from agent_marketplace.api import present, replies, schemas
from agent_marketplace.api.deps import Person, Reader, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.activity import heard_out
from agent_marketplace.app import Market
from agent_marketplace.catalog.models import prices_dict
from agent_marketplace.errors import Conflict
from agent_marketplace.ledger import PLANS, UsageRecord, dollars
from agent_marketplace.usage_log.query import MOST_ROWS, ask

router = Router(prefix="/api/v1/marketplace", tags=["money"])
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]


@router.get(
    "/billing/balance",
    summary="My balance, what is held of it, what is available",
    responses={200: {"model": schemas.BalanceOut}},
)
async def get_balance(market: The, principal: Reader) -> Response:
    wallet = await market.ledger.balance(principal.user_id)
    return success(
        balance=dollars(wallet.balance),
        available=dollars(wallet.available),
        held=dollars(wallet.held),
        paid=dollars(wallet.paid),
        promotional=dollars(wallet.promo),
        frozen=dollars(wallet.restricted),
        currency="USD",
    )


@router.get(
    "/billing/lots",
    summary="What my balance consists of: paid, promotional, granted, in the order in which it is spent",
    responses={200: {"model": replies.Lots}},
)
async def get_lots(market: The, principal: Reader) -> Response:
    lots = await market.ledger.lots(principal.user_id)
    return success(lots=[present.lot(lot) for lot in lots if lot.left])


@router.get(
    "/billing/statement",
    summary="Every movement of my wallet, newest first",
    responses={200: {"model": replies.Statement}},
)
async def get_statement(market: The, principal: Reader, cursor: Cursor = None, limit: Limit = 50) -> Response:
    page = await market.ledger.statement(principal.user_id, cursor, limit)
    veiled = await market.comparisons.veiled(principal.user_id)
    entries = [present.statement_entry(entry, veiled) for entry in page.entries]
    return success(entries=entries, next_cursor=page.next_cursor)


@router.get(
    "/billing/usage", summary="Usage by model or by day", responses={200: {"model": replies.UsageReply}}
)
async def get_usage(
    market: The,
    principal: Reader,
    request: Request,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
    by: Literal["model", "day"] = "model",
) -> Response:
    return success(**await heard_out(request, usage_sums(market, principal.user_id, days, by)))


async def usage_sums(market: Market, user_id: str, days: int, by: Literal["model", "day"]) -> dict[str, Any]:
    """A user's sums of the last days, as the answer shows them."""
    asked = ask(
        user_id=user_id, metrics=("requests", "tokens", "input_tokens", "output_tokens", "spend"),
        by=("time" if by == "day" else by,), filters={}, tz="UTC", granularity="day", since=None, until=None,
        days=days, now=market.clock.now_ms(), limit=MOST_ROWS,
    )  # fmt: skip
    found = await market.usage_log.query(asked)
    rows = [present.usage_sum(by, row) for row in found.rows]
    total = {
        "requests": found.totals["requests"],
        "tokens": found.totals["tokens"],
        "cost": found.totals["spend"],
    }
    return {"usage": rows[::-1] if by == "day" else rows, "total": total, "days": days}


@router.get("/billing/plans", summary="Plans and what they cost", responses={200: {"model": replies.Plans}})
async def get_plans() -> Response:
    return success(plans=[present.plan(plan) for plan in PLANS])


@router.post(
    "/billing/subscribe",
    summary="Pay for a plan from the wallet",
    responses={200: {"model": replies.Subscribed}},
)
async def subscribe(
    market: The,
    principal: Person,
    body: schemas.Subscribe,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    key = idempotency_key or body.idempotency_key
    user = await market.accounts.auth.subscribe(
        principal.user_id, body.plan, idempotency_key=f"{principal.user_id}:{key}" if key else None
    )
    return success(
        tier=user.subscription_tier,
        expires_at=present.iso_of(user.subscription_expires),
        balance=user.balance,
    )


@router.get(
    "/generations/{request_id}",
    summary="What happened on one call: attempts, price, usage, cost",
    responses={200: {"model": replies.Receipt}},
)
async def get_generation(market: The, principal: Reader, request_id: str) -> Response:
    record = await market.ledger.receipt(request_id, principal.user_id)
    if request_id in await market.comparisons.veiled(principal.user_id):
        raise Conflict(
            "This answer is one of a blind comparison: its receipt is shown after the vote", code="veiled"
        )
    thumb = await market.learner.thumb(principal.user_id, request_id)
    said = None if thumb is None else {"kind": thumb[0], "reason": thumb[1] or None}
    return success(generation={**shown(market, record), "thumb": said})


def shown(market: Market, record: UsageRecord) -> dict[str, Any]:
    """A receipt with its offer's prices."""
    prices: dict[str, Any] | None = None
    for offer in market.registry.offers(record.model):
        if offer.provider == record.provider and offer.price is not None:
            prices = prices_dict(offer.price)
    return present.generation(record, prices)
