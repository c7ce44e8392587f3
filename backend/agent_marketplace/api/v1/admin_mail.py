"""Administrators' routes of mail: what waits, was sent and failed, a test, and links to hand on."""

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from agent_marketplace.api import mail_schemas as schemas
from agent_marketplace.api import present
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.admin import MOST, By, prove
from agent_marketplace.mail import Row

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])


@router.get("/mail", summary="The outbox, newest first", responses={200: {"model": schemas.Outbox}})
async def get_outbox(
    market: The,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    found = await market.mail.find(cursor, limit + 1)
    settings, now = market.mail.settings, market.clock.now_ms()
    return success(
        mode=settings.mode,
        sender=settings.sender,
        confirm=settings.confirm,
        counts=await market.mail.counts(),
        mails=[_mail(row, now) for row in found[:limit]],
        next_cursor=found[limit - 1].id if len(found) > limit else None,
    )


@router.post(
    "/mail/test",
    summary="Send a mail now, and say what the mail server said",
    responses={200: {"model": schemas.TestSent}},
)
async def send_test(market: The, principal: AdminPerson, body: schemas.TestMail) -> Response:
    own = (await market.accounts.auth.get_user(principal.user_id)).email
    await market.mail.test(body.to or own, own)
    return success(to=body.to or own)


@router.post("/mail/{mail_id}/again", summary="Try a failed mail anew", responses={200: {"model": Acted}})
async def send_again(market: The, by: By, mail_id: str, body: schemas.SendAgain) -> Response:
    await market.mail_desk.again(by, mail_id, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/mail/{mail_id}/link",
    summary="The link of a mail that was not sent, to hand on",
    responses={200: {"model": schemas.LinkShown}},
)
async def show_link(
    market: The, principal: AdminPerson, by: By, mail_id: str, body: schemas.ShowLink, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    made = await market.mail_desk.link(by, mail_id, reason=body.reason)
    return success(link=made.url, ends_at=present.iso(made.ends_at), request_id=by.request_id)


@router.post(
    "/people/{user_id}/reset-link",
    summary="A link by which somebody chooses a new password, to hand on",
    responses={200: {"model": schemas.LinkShown}},
)
async def make_reset_link(
    market: The, principal: AdminPerson, by: By, user_id: str, body: schemas.ShowLink, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    made = await market.mail_desk.reset_link(by, user_id, reason=body.reason)
    return success(link=made.url, ends_at=present.iso(made.ends_at), request_id=by.request_id)


def _mail(row: Row, now: int) -> dict[str, Any]:
    open_link = row.link_id is not None and row.link_used_at is None and (row.link_ends_at or 0) > now
    return {
        "id": row.id, "kind": row.kind, "to": row.recipient, "user_id": row.user_id or None, "state": row.state,
        "attempts": row.attempts, "words": row.words, "link": open_link and row.state != "sent",
        "created_at": present.iso(row.created_at), "closed_at": present.iso(row.closed_at),
        "next_try_at": present.iso(row.due_at) if row.state == "waiting" else None,
    }  # fmt: skip
