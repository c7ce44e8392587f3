"""Administrators' routes for agents: the queue of versions that wait, and what is decided about any version."""

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from agent_marketplace.api import listing_replies as replies
from agent_marketplace.api import listing_schemas as schemas
from agent_marketplace.api import listing_views as views
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.present import iso
from agent_marketplace.api.v1.admin import MOST, By, prove
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.runs.mcp.store import ServerRow

router = Router(prefix="/api/v1/admin/agents", tags=["administration"], dependencies=[Depends(admin)])


Words = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=60)]
Limit = Annotated[int, Query(ge=1, le=MOST)]


@router.get("/queue", summary="Versions that wait for a person", responses={200: {"model": replies.Queue}})
async def get_queue(market: The) -> Response:
    now, entries = market.clock.now_ms(), []
    waiting = await market.agent_desk.queue()
    emails = await market.payments.orders.emails(v.user_id for v in waiting)
    for version in waiting:
        head, base = await market.agent_desk.compared(version)
        entries.append(
            {
                "id": version.agent_id,
                "author": version.user_id,
                "email": emails.get(version.user_id),
                "model": f"agent/{head.path}",
                "version": views.version(version, now, instructions=True),
                "base": base and base.version,
                "changes": {} if base is None else views.changes(base, version),
            }
        )
    return success(versions=entries)


@router.get(
    "/found", summary="Every agent with its versions", responses={200: {"model": replies.AgentsFound}}
)
async def find_agents(market: The, q: Words = "", cursor: Cursor = None, limit: Limit = 50) -> Response:
    now = market.clock.now_ms()
    found = await market.agent_desk.agents(q, cursor, limit + 1)
    emails = await market.payments.orders.emails(head.user_id for head, _ in found)
    shown = [
        {
            "agent": views.head(head),
            "versions": [views.version(v, now) for v in versions],
            "email": emails.get(head.user_id),
        }
        for head, versions in found[:limit]
    ]
    return success(agents=shown, next_cursor=found[limit - 1][0].agent_id if len(found) > limit else None)


@router.get(
    "/authors", summary="Who earned what, and what was paid out", responses={200: {"model": replies.Authors}}
)
async def get_authors(market: The) -> Response:
    authors, payouts = await market.agent_desk.authors(), await market.agent_desk.payouts()
    users = {a.user_id for a, _ in authors} | {p.author_id for p in payouts}
    emails = await market.payments.orders.emails(users)
    return success(
        authors=[
            {"user_id": a.user_id, "email": emails.get(a.user_id), "handle": a.handle, **views.earned(sums)}
            for a, sums in authors
        ],
        payouts=[views.payout(p, emails.get(p.author_id)) for p in payouts],
    )


@router.get(
    "/tool-servers", summary="Everybody's tool servers", responses={200: {"model": replies.ServersFound}}
)
async def find_servers(market: The, q: Words = "", cursor: Cursor = None, limit: Limit = 50) -> Response:
    found = await market.runs.servers.everybodys(q, cursor, limit + 1)
    emails = await market.payments.orders.emails(row.user_id for row in found)
    shown = [
        {
            "server_id": row.server_id,
            "user_id": row.user_id,
            "email": emails.get(row.user_id),
            "name": row.name,
            "url": row.url,
            "problem": row.problem,
            "stopped_at": iso(row.stopped_at),
        }
        for row in found[:limit]
    ]
    return success(servers=shown, next_cursor=found[limit - 1].server_id if len(found) > limit else None)


@router.post(
    "/tool-servers/{server_id}/stop",
    summary="The kill switch of a tool server, on or off",
    responses={200: {"model": Acted}},
)
async def stop_server(
    market: The, principal: AdminPerson, by: By, server_id: str, body: schemas.StopServer, address: Address
) -> Response:
    if not body.stopped:
        await prove(market, principal, body.password, address)

    def note(connection: Any, row: ServerRow) -> None:
        act = "stop tool server" if body.stopped else "restore tool server"
        was, now = {"stopped": row.stopped_at is not None}, {"stopped": body.stopped, "url": row.url}
        market.admin.record_in(connection, by, act, server_id, was, now, body.reason)

    await market.runs.servers.stop(server_id, stopped=body.stopped, note=note)
    return success(request_id=by.request_id)


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
