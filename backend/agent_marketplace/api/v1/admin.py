"""Administrators' routes: people, credit, roles, and the log of such acts. Money and roles ask for the password again."""

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.admin import Actor, AuditLine, credit_terms
from agent_marketplace.admin.store import Found
from agent_marketplace.api import admin_schemas as schemas
from agent_marketplace.api import present, spreadsheets
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import NOT_KEPT, success
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars, nano

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])
Word = Annotated[str | None, Query(max_length=120)]
MOST = 100


def acting(principal: AdminPerson) -> Actor:
    """The administrator as the audit log names them."""
    return Actor(principal.user_id, new_id("req"))


By = Annotated[Actor, Depends(acting)]


async def prove(market: The, principal: Principal, password: str, address: str | None) -> None:
    """Step-up: the administrator's own password, again. Raises InvalidCredentials, RateLimited."""
    await market.accounts.auth.prove(principal.user_id, password, address=address)


@router.get("/people", summary="Find accounts", responses={200: {"model": schemas.People}})
async def find_people(
    market: The,
    q: Annotated[str, Query(max_length=254)] = "",
    cursor: Annotated[str | None, Query(max_length=254)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    found = await market.admin.people(q, cursor, limit + 1)
    more = found[limit - 1].email if len(found) > limit else None
    return success(people=[_person(p) for p in found[:limit]], next_cursor=more)


@router.get(
    "/people/{user_id}",
    summary="One account and what its balance consists of",
    responses={200: {"model": schemas.PersonShown}},
)
async def get_person(market: The, user_id: str) -> Response:
    found = await market.people_desk.person(user_id)
    lots = await market.ledger.lots(user_id)
    return success(person=_person(found), lots=[present.lot(lot) for lot in lots if lot.left])


@router.post("/people/{user_id}/credit", summary="Give credit", responses={200: {"model": schemas.Credited}})
async def give_credit(
    market: The, principal: AdminPerson, by: By, user_id: str, body: schemas.GiveCredit, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    terms = credit_terms(market.clock.now_ms(), gift=body.gift, days=body.days)
    balance = await market.admin.credit(
        by,
        user_id,
        nano(body.amount),
        reason=body.reason,
        terms=terms,
        idempotency_key=body.idempotency_key,
    )
    return success(balance=dollars(balance.balance), request_id=by.request_id)


@router.post(
    "/people/{user_id}/role", summary="Make an administrator", responses={200: {"model": schemas.Acted}}
)
async def set_role(
    market: The, principal: AdminPerson, by: By, user_id: str, body: schemas.SetRole, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    await market.admin.set_role(by, user_id, body.role, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/people/{user_id}/signout",
    summary="Sign somebody out everywhere",
    responses={200: {"model": schemas.SessionsEnded}},
)
async def sign_out(market: The, by: By, user_id: str, body: schemas.EndTheirSessions) -> Response:
    ended = await market.admin.end_sessions(by, user_id, reason=body.reason)
    return success(ended=ended, request_id=by.request_id)


@router.post(
    "/people/{user_id}/trust",
    summary="Let an account's free and own-key calls count in ratings and votes",
    responses={200: {"model": schemas.Acted}},
)
async def trust(market: The, by: By, user_id: str, body: schemas.Trust) -> Response:
    await market.admin.trust(by, user_id, trusted=body.trusted, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/suspensions", summary="Stop accounts, or let them in again", responses={200: {"model": schemas.Acted}}
)
async def suspend(market: The, by: By, body: schemas.Suspend) -> Response:
    await market.admin.suspend(by, body.users, suspended=body.suspended, reason=body.reason)
    return success(request_id=by.request_id)


@router.get("/audit", summary="Who did what, newest first", responses={200: {"model": schemas.AuditLog}})
async def get_audit(
    market: The,
    actor: Word = None,
    act: Word = None,
    object: Word = None,  # noqa: A002  the log's own column
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    wanted = {"actor": actor, "act": act, "object": object}
    where = {name: value for name, value in wanted.items() if value is not None}
    lines = await market.admin.audit(where, cursor, limit + 1)
    more = lines[limit - 1].id if len(lines) > limit else None
    return success(lines=[_line(line) for line in lines[:limit]], next_cursor=more)


@router.get(
    "/audit.csv", summary="The whole audit log, oldest first", responses={200: {"content": {"text/csv": {}}}}
)
async def export_audit(market: The) -> Response:
    names, log = AuditLine.__struct_fields__, await market.admin.whole_audit()
    body = spreadsheets.head(names, "csv") + spreadsheets.lines(map(_line, log), names, "csv")
    return Response(body, media_type="text/csv", headers=NOT_KEPT)


def _line(line: AuditLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in AuditLine.__struct_fields__} | {"at": present.iso(line.at)}


def _person(found: Found) -> dict[str, Any]:
    return {
        "user_id": found.user_id,
        "email": found.email,
        "role": found.role,
        "tier": found.tier,
        "balance": dollars(found.balance_nano),
        "held": dollars(found.held_nano),
        "promotional": dollars(found.promo_nano),
        "created_at": present.iso(found.created_at),
        "suspended_at": present.iso(found.suspended_at),
        "trusted_at": present.iso(found.trusted_at),
    }
