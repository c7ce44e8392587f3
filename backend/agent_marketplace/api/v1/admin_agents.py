"""Administrators' routes for agents: the queue of versions that wait, and what is decided about any version."""

from fastapi import Depends, Response

from agent_marketplace.api import listing_replies as replies
from agent_marketplace.api import listing_schemas as schemas
from agent_marketplace.api import listing_views as views
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.admin import By, prove

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
