"""Administrators' routes for agents: the queue of versions that wait, and what is decided about any version."""

from fastapi import Depends, Response

from agent_marketplace.api import listing_replies as replies
from agent_marketplace.api import listing_schemas as schemas
from agent_marketplace.api import listing_views as views
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.admin import By, prove
from agent_marketplace.ledger import dollars, nano

router = Router(prefix="/api/v1/admin/agents", tags=["administration"], dependencies=[Depends(admin)])


@router.get("/queue", summary="Versions that wait for a person", responses={200: {"model": replies.Queue}})
async def get_queue(market: The) -> Response:
    now = market.clock.now_ms()
    return success(
        versions=[
            {"id": v.agent_id, "author": v.user_id, "version": views.version(v, now, instructions=True)}
            for v in await market.agent_desk.queue()
        ]
    )


@router.post(
    "/{offered_id}/versions/{version}/decision",
    summary="List, refuse, stop or restore a version",
    responses={200: {"model": replies.Decided}},
)
async def decide(
    market: The,
    principal: AdminPerson,
    by: By,
    offered_id: str,
    version: int,
    body: schemas.Decide,
    address: Address,
) -> Response:
    desk = market.agent_desk
    if body.decision in ("approve", "restore"):
        await prove(market, principal, body.password, address)
    acts = {"approve": desk.approve, "reject": desk.reject, "suspend": desk.suspend, "restore": desk.restore}
    decided = await acts[body.decision](by, offered_id, version, reason=body.reason)
    return success(version=views.version(decided, market.clock.now_ms()), request_id=by.request_id)


@router.post(
    "/fees/{run_id}/refund", summary="Give a run's fee back", responses={200: {"model": replies.Refunded}}
)
async def refund_fee(
    market: The, principal: AdminPerson, by: By, run_id: str, body: schemas.RefundFee, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    fee = await market.agent_desk.refund(by, run_id, reason=body.reason)
    return success(fee=dollars(fee), request_id=by.request_id)


@router.post(
    "/authors/{user_id}/payouts",
    summary="Record that earnings were paid out",
    responses={200: {"model": replies.EarnedReply}},
)
async def record_payout(
    market: The, principal: AdminPerson, by: By, user_id: str, body: schemas.RecordPayout, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    left = await market.agent_desk.payout(
        by, user_id, nano(body.amount), reference=body.reference, reason=body.reason
    )
    return success(**views.earned(left))


@router.get("/reports", summary="What users reported", responses={200: {"model": replies.Reports}})
async def get_reports(market: The) -> Response:
    return success(reports=[views.report(r) for r in await market.listings.trust.open_reports()])


@router.post("/reports/{report_id}/close", summary="Close a report", responses={200: {"model": Acted}})
async def close_report(market: The, by: By, report_id: str, body: schemas.CloseReport) -> Response:
    await market.agent_desk.close_report(by, report_id, reason=body.reason)
    return success(request_id=by.request_id)
