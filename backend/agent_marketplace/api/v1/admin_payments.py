"""Administrators' routes of money in: orders, what processors said, codes."""

from typing import Annotated

from fastapi import Depends, Query, Response

from agent_marketplace.api import paid
from agent_marketplace.api import payment_schemas as schemas
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.admin import MOST, By, Word, prove
from agent_marketplace.api.v1.billing import shown
from agent_marketplace.ledger import dollars, nano

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
    emails = await market.payments.orders.emails(o.user_id for o in found)
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
        one_buyer=body.one_buyer,
    )
    return success(batch=paid.batch(batch), codes=codes, request_id=by.request_id)


@router.post(
    "/codes/{batch_id}/revoke", summary="End what is left of a batch", responses={200: {"model": Acted}}
)
async def revoke_codes(market: The, by: By, batch_id: str, body: schemas.RevokeCodes) -> Response:
    await market.payments.codes.revoke(by, batch_id, reason=body.reason)
    return success(request_id=by.request_id)


@router.get(
    "/refunds",
    summary="Refunds and chargebacks, newest first",
    responses={200: {"model": schemas.AdminReturns}},
)
async def find_returns(
    market: The,
    state: Word = None,
    kind: Word = None,
    order_id: Word = None,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    wanted = {"state": state, "kind": kind, "order_id": order_id}
    where = {name: value for name, value in wanted.items() if value is not None}
    found = await market.payments.returns.find(where, cursor, limit + 1)
    emails = await market.payments.orders.emails(r.user_id for r in found)
    more = found[limit - 1].id if len(found) > limit else None
    rows = [paid.admin_returned(r, emails.get(r.user_id)) for r in found[:limit]]
    return success(returns=rows, next_cursor=more)


@router.post(
    "/refunds/{return_id}/close",
    summary="A refund was paid back, or can't be",
    responses={200: {"model": Acted}},
)
async def close_refund(
    market: The, principal: AdminPerson, by: By, return_id: str, body: schemas.CloseRefund, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    await market.payments.returns.close(
        by, return_id, sent=body.sent, reference=body.reference, reason=body.reason
    )
    return success(request_id=by.request_id)


@router.post(
    "/orders/{order_id}/chargeback",
    summary="A bank took a payment back",
    responses={200: {"model": schemas.Taken}},
)
async def charge_back(
    market: The, principal: AdminPerson, by: By, order_id: str, body: schemas.ChargeBack, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    taken = await market.payments.returns.charge_back(
        by, order_id, int(body.amount * CENTS), reference=body.reference, reason=body.reason
    )
    return success(taken=dollars(0 if taken is None else taken.nano), request_id=by.request_id)


@router.post(
    "/orders/{order_id}/reinstate",
    summary="A bank gave back what it had taken",
    responses={200: {"model": Acted}},
)
async def reinstate(
    market: The, principal: AdminPerson, by: By, order_id: str, body: schemas.Reinstate, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    await market.payments.returns.reinstate(by, order_id, reference=body.reference, reason=body.reason)
    return success(request_id=by.request_id)


@router.get(
    "/disputes", summary="Disputed answers, newest first", responses={200: {"model": schemas.AdminDisputes}}
)
async def find_disputes(
    market: The,
    state: Word = None,
    cursor: Annotated[str | None, Query(pattern="^[0-9]{1,15}$")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    where = {} if state is None else {"state": state}
    found = await market.payments.disputes.find(where, None if cursor is None else int(cursor), limit + 1)
    emails = await market.payments.orders.emails(d.user_id for d in found)
    more = str(found[limit - 1].created_at) if len(found) > limit else None
    rows = [paid.admin_dispute(d, emails.get(d.user_id)) for d in found[:limit]]
    return success(disputes=rows, next_cursor=more)


@router.get(
    "/disputes/{request_id}",
    summary="A disputed answer's receipt",
    responses={200: {"model": schemas.AdminDisputeReply}},
)
async def get_dispute(market: The, request_id: str) -> Response:
    found = await market.payments.disputes.get(None, request_id)
    emails = await market.payments.orders.emails([found.user_id])
    record = await market.ledger.receipt(request_id, found.user_id)
    dispute = paid.admin_dispute(found, emails.get(found.user_id))
    return success(dispute=dispute, generation=shown(market, record))


@router.post(
    "/disputes/{request_id}", summary="Give an answer's money back, or not", responses={200: {"model": Acted}}
)
async def decide(
    market: The, principal: AdminPerson, by: By, request_id: str, body: schemas.Decide, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    await market.payments.disputes.decide(by, request_id, grant=body.grant, reason=body.reason)
    return success(request_id=by.request_id)
