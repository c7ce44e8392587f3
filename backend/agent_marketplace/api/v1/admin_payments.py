"""Administrators' routes of money in: orders, what processors said, codes."""

from typing import Annotated

from fastapi import Depends, Query, Response

from agent_marketplace.api import paid
from agent_marketplace.api import payment_schemas as schemas
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.admin import MOST, By, Word, prove
from agent_marketplace.ledger import nano

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])
CENTS = 100


@router.get("/orders", summary="Orders, newest first", responses={200: {"model": schemas.AdminOrders}})
async def find_orders(
    market: The,
    state: Word = None,
    method: Word = None,
    user_id: Word = None,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    wanted = {"state": state, "method": method, "user_id": user_id}
    where = {name: value for name, value in wanted.items() if value is not None}
    found = await market.payments.orders.find(where, cursor, limit + 1)
    emails = await market.payments.orders.emails(found)
    more = found[limit - 1].id if len(found) > limit else None
    shown = [paid.admin_order(market, o, emails.get(o.user_id)) for o in found[:limit]]
    return success(orders=shown, next_cursor=more)


@router.post(
    "/orders/{order_id}/received", summary="A transfer has arrived", responses={200: {"model": Acted}}
)
async def mark_received(
    market: The, principal: AdminPerson, by: By, order_id: str, body: schemas.Received, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    await market.payments.orders.received(
        by,
        order_id,
        int(body.amount * CENTS),
        body.currency.upper(),
        reference=body.reference,
        reason=body.reason,
    )
    return success(request_id=by.request_id)


@router.post(
    "/orders/{order_id}/cancel",
    summary="End an order that will not be paid",
    responses={200: {"model": Acted}},
)
async def cancel_order(market: The, by: By, order_id: str, body: schemas.CancelOrder) -> Response:
    await market.payments.orders.refuse(by, order_id, reason=body.reason)
    return success(request_id=by.request_id)


@router.get(
    "/payment-events",
    summary="What processors said, newest first",
    responses={200: {"model": schemas.Events}},
)
async def find_events(
    market: The,
    outcome: Word = None,
    order_id: Word = None,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    wanted = {"outcome": outcome, "order_id": order_id}
    where = {name: value for name, value in wanted.items() if value is not None}
    found = await market.payments.orders.events(where, cursor, limit + 1)
    more = found[limit - 1].id if len(found) > limit else None
    return success(events=[paid.event(e) for e in found[:limit]], next_cursor=more)


@router.get("/codes", summary="Batches of codes, newest first", responses={200: {"model": schemas.Batches}})
async def find_batches(market: The) -> Response:
    return success(batches=[paid.batch(b) for b in await market.payments.codes.batches()])


@router.post("/codes", summary="Make a batch of codes", responses={200: {"model": schemas.MadeCodes}})
async def make_codes(
    market: The, principal: AdminPerson, by: By, body: schemas.MakeCodes, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    batch, codes = await market.payments.codes.make(
        by,
        body.name,
        body.count,
        nano(body.amount),
        paid=body.sold,
        per_account=body.per_account,
        days=body.days,
        credit_days=body.credit_days,
        reason=body.reason,
    )
    return success(batch=paid.batch(batch), codes=codes, request_id=by.request_id)


@router.post(
    "/codes/{batch_id}/revoke", summary="End what is left of a batch", responses={200: {"model": Acted}}
)
async def revoke_codes(market: The, by: By, batch_id: str, body: schemas.RevokeCodes) -> Response:
    await market.payments.codes.revoke(by, batch_id, reason=body.reason)
    return success(request_id=by.request_id)
