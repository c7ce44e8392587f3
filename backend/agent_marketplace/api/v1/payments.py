"""Adding credit: what this server offers, orders, codes, and the notices of payment processors."""

from typing import Annotated

from fastapi import Header, Query, Request, Response

from agent_marketplace.api import paid
from agent_marketplace.api import payment_schemas as schemas
from agent_marketplace.api.deps import Address, Person, Reader, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.api.schemas import Reply
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.payments.recharge import Wish

router = Router(prefix="/api/v1/marketplace/payments", tags=["money"])


@router.get("", summary="How credit can be added here", responses={200: {"model": schemas.Offered}})
async def get_offered(market: The, _principal: Reader) -> Response:
    s = market.payments.settings
    return success(
        methods=list(s.methods),
        codes=True,
        transfer=s.transfer,
        issuer=s.issuer,
        least=dollars(s.least_nano),
        most=dollars(s.most_nano),
        refund_days=s.refund_days,
        recharge=market.payments.by_card and s.recharge,
    )


@router.get("/orders", summary="My orders, newest first", responses={200: {"model": schemas.Orders}})
async def get_orders(
    market: The,
    principal: Reader,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    found = await market.payments.orders.find({"user_id": principal.user_id}, cursor, limit + 1)
    more = found[limit - 1].id if len(found) > limit else None
    return success(orders=[paid.order(market, o) for o in found[:limit]], next_cursor=more)


@router.post("/orders", summary="Order credit", responses={200: {"model": schemas.OrderReply}})
async def make_order(market: The, principal: Person, body: schemas.MakeOrder) -> Response:
    order = await market.payments.orders.make(
        principal.user_id, body.method, nano(body.amount), attempt=body.attempt
    )
    url = await market.payments.checkout.start(order) if order.method == "stripe" else None
    shown = paid.order(market, order)
    return success(order=shown if url is None else shown | {"pay_url": url})


@router.get("/orders/{order_id}", summary="One of my orders", responses={200: {"model": schemas.OrderReply}})
async def get_order(market: The, principal: Reader, order_id: str) -> Response:
    order = await market.payments.orders.get(principal.user_id, order_id)
    unused = await market.payments.returns.refundable(principal.user_id, order_id)
    return success(order=paid.order(market, order), refundable=dollars(unused))


@router.post(
    "/orders/{order_id}/cancel",
    summary="Give up an order that is not paid",
    responses={200: {"model": schemas.OrderReply}},
)
async def cancel_order(market: The, principal: Person, order_id: str) -> Response:
    order = await market.payments.orders.cancel(principal.user_id, order_id)
    return success(order=paid.order(market, order))


@router.post(
    "/orders/{order_id}/refund",
    summary="Ask for the unused part of a payment back",
    responses={200: {"model": schemas.ReturnReply}},
)
async def ask_refund(market: The, principal: Person, order_id: str) -> Response:
    asked = await market.payments.returns.ask(principal.user_id, order_id)
    return success(refund=paid.returned(await market.payments.checkout.refund(asked)))


@router.get(
    "/recharge",
    summary="How my balance is recharged automatically",
    responses={200: {"model": schemas.RechargeReply}},
)
async def get_recharge(market: The, principal: Reader) -> Response:
    return success(**paid.recharge(*await market.payments.recharge.plan(principal.user_id)))


@router.post(
    "/recharge",
    summary="Agree to automatic recharge; url: where to save a card for it, if there is none",
    responses={200: {"model": schemas.RechargeReply}},
)
async def make_recharge(market: The, principal: Person, body: schemas.MakeRecharge) -> Response:
    _cards(market)
    wish = Wish(threshold=nano(body.threshold), amount=nano(body.amount), monthly=nano(body.monthly))
    room = market.payments.recharge
    _, url = await room.turn_on(principal.user_id, wish, new_card=body.new_card)
    return success(**paid.recharge(*await room.plan(principal.user_id)), url=url)


@router.post(
    "/recharge/off",
    summary="No automatic recharge from now on; the card stays saved",
    responses={200: {"model": schemas.RechargeReply}},
)
async def stop_recharge(market: The, principal: Person) -> Response:
    await market.payments.recharge.turn_off(principal.user_id)
    return success(**paid.recharge(*await market.payments.recharge.plan(principal.user_id)))


@router.delete("/recharge", summary="Forget my saved card", responses={200: {"model": Reply}})
async def forget_card(market: The, principal: Person) -> Response:
    await market.payments.recharge.forget_card(principal.user_id)
    return success()


@router.get(
    "/disputes", summary="Answers I want my money back for", responses={200: {"model": schemas.Disputes}}
)
async def get_disputes(
    market: The,
    principal: Reader,
    cursor: Annotated[str | None, Query(pattern="^[0-9]{1,15}$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    before = None if cursor is None else int(cursor)
    found = await market.payments.disputes.find({"user_id": principal.user_id}, before, limit + 1)
    more = str(found[limit - 1].created_at) if len(found) > limit else None
    return success(disputes=[paid.dispute(d) for d in found[:limit]], next_cursor=more)


@router.post(
    "/disputes/{request_id}",
    summary="This answer was wrong, empty or not what I asked for",
    responses={200: {"model": schemas.DisputeReply}},
)
async def open_dispute(
    market: The, principal: Person, request_id: str, body: schemas.OpenDispute
) -> Response:
    found = await market.payments.disputes.open(principal.user_id, request_id, body.why, body.words)
    return success(dispute=paid.dispute(found))


@router.post("/redeem", summary="Redeem a code", responses={200: {"model": schemas.OrderReply}})
async def redeem(market: The, principal: Person, body: schemas.Redeem, address: Address) -> Response:
    guess = market.limits.redeem(principal.user_id, address)
    order = await market.payments.codes.redeem(principal.user_id, body.code)
    guess.right()
    return success(order=paid.order(market, order))


@router.post(
    "/notice",
    summary="A payment processor's signed notice that an order is paid",
    responses={200: {"model": schemas.Noticed}},
)
async def take_notice(
    market: The,
    request: Request,
    x_marketplace_signature: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    outcome = await market.payments.orders.notice(x_marketplace_signature, await request.body())
    if outcome.result == "refused":
        raise Conflict(f"Not credited: {outcome.why}", code="payment_refused")
    return success(result=outcome.result, order=outcome.order_id)


@router.post("/stripe", summary="Stripe's signed events", responses={200: {"model": Reply}})
async def take_event(
    market: The, request: Request, stripe_signature: Annotated[str, Header(max_length=2000)] = ""
) -> Response:
    _cards(market)
    await market.payments.checkout.event(stripe_signature, await request.body())
    return success()


def _cards(market: The) -> None:
    if not market.payments.by_card:
        raise NotFound("This server takes no card payments")
