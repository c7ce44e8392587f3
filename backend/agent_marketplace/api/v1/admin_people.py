"""Administrators' routes of other people's access and calls: sessions, keys, credit for many, and everybody's calls, without a prompt."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from agent_marketplace.admin import credit_terms
from agent_marketplace.api import account_views, present
from agent_marketplace.api import admin_schemas as schemas
from agent_marketplace.api import usage_replies as replies
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.activity import Filters, Moment, Zone, call_shown, heard_out, wanted
from agent_marketplace.api.v1.admin import By, prove
from agent_marketplace.ledger import nano
from agent_marketplace.usage_log.activity import MOST_ON_A_PAGE, write_place

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])


@router.get(
    "/people/{user_id}/access",
    summary="An account's live sessions and keys",
    responses={200: {"model": schemas.Access}},
)
async def get_access(market: The, user_id: str) -> Response:
    sessions, keys = await market.people_desk.access(user_id)
    return success(
        sessions=[account_views.session(row, current=False) for row in sessions],
        keys=[account_views.key(key) for key in keys],
    )


@router.post(
    "/people/{user_id}/sessions/{session_id}/end",
    summary="End one session of somebody",
    responses={200: {"model": schemas.Acted}},
)
async def end_session(
    market: The, by: By, user_id: str, session_id: str, body: schemas.EndTheirSessions
) -> Response:
    await market.people_desk.end_session(by, user_id, session_id, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/people/{user_id}/keys/{key_id}/revoke",
    summary="Revoke one key of somebody",
    responses={200: {"model": schemas.Acted}},
)
async def revoke_key(
    market: The, by: By, user_id: str, key_id: str, body: schemas.EndTheirSessions
) -> Response:
    await market.people_desk.revoke_key(by, user_id, key_id, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/credits", summary="Give credit to many, all or none of them", responses={200: {"model": schemas.Acted}}
)
async def give_credits(
    market: The, principal: AdminPerson, by: By, body: schemas.GiveCredits, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    await market.people_desk.credit(
        by,
        body.users,
        nano(body.amount),
        reason=body.reason,
        terms=credit_terms(market.clock.now_ms(), gift=body.gift, days=body.days),
        idempotency_key=body.idempotency_key,
    )
    return success(request_id=by.request_id)


@router.get(
    "/activity",
    summary="Every call of everybody, or of one account, newest first; never what was asked or answered",
    responses={200: {"model": replies.EverybodysActivity}},
)
async def get_activity(
    market: The,
    request: Request,
    chosen: Filters,
    user_id: Annotated[str | None, Query(max_length=36)] = None,
    tz: Zone = "UTC",
    since: Moment = None,
    until: Moment = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 50,
) -> Response:
    asked = wanted(user_id, chosen, tz, since, until, cursor, limit, frozenset())
    page = await heard_out(request, market.usage_log.page(asked))
    emails = await market.payments.orders.emails(call.user_id for call in page.calls)
    calls: list[dict[str, Any]] = [
        call_shown(call) | {"user_id": call.user_id, "email": emails.get(call.user_id)} for call in page.calls
    ]
    return success(
        calls=calls,
        next_cursor=None if page.after is None else write_place(page.after),
        as_of=present.iso(market.clock.now_ms()),
    )
