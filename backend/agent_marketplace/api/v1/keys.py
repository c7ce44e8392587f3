"""Marketplace keys for programs: made by a person, shown once, capped, revoked at once."""

from fastapi import Response

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.api import account_views, replies, schemas
from agent_marketplace.api.deps import Person, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.ledger import Money

router = Router(prefix="/api/v1/marketplace/keys", tags=["keys for programs"])


@router.get("", summary="My keys, without their text", responses={200: {"model": replies.Keys}})
async def list_keys(market: The, principal: Person) -> Response:
    keys = await market.accounts.keys.list(principal.user_id)
    return success(keys=[account_views.key(k) for k in keys])


@router.post(
    "", summary="Make a key; its text is shown only now", responses={200: {"model": replies.KeyCreated}}
)
async def create_key(market: The, principal: Person, body: schemas.CreateKey) -> Response:
    cap = None
    if body.cap is not None:
        cap = Cap(Money.of(body.cap.amount).nano, body.cap.period, body.cap.timezone)
    created = await market.accounts.keys.create(
        principal.user_id, body.name, scopes=body.scopes, expires_in_days=body.expires_in_days, cap=cap,
        max_in_flight=body.max_in_flight,
    )  # fmt: skip
    return success(**account_views.created_key(created))


@router.delete("/{key_id}", summary="Revoke a key", responses={200: {"model": schemas.Reply}})
async def revoke_key(market: The, principal: Person, key_id: str) -> Response:
    await market.accounts.keys.revoke(principal.user_id, key_id)
    return success()
