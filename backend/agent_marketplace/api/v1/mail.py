"""Forgotten passwords, confirmed addresses, and what one wishes to be told by mail."""

from fastapi import Response

from agent_marketplace.api import mail_schemas as schemas
from agent_marketplace.api.deps import Address, Person, Reader, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.api.schemas import Reply
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.mail import Wishes

router = Router(prefix="/api/v1/marketplace")


@router.post(
    "/auth/forgot",
    tags=["accounts"],
    summary="Mail me a link to choose a new password; the answer is the same for every address",
    responses={200: {"model": Reply}},
)
async def forgot(market: The, body: schemas.Forgot, address: Address) -> Response:
    await market.accounts.by_link.forgot(body.email, address=address)
    return success()


@router.post(
    "/auth/reset",
    tags=["accounts"],
    summary="Choose a new password by a link: once; every session ends",
    responses={200: {"model": Reply}},
)
async def reset(market: The, body: schemas.ResetPassword) -> Response:
    await market.accounts.by_link.reset_password(body.token, body.new_password, revoke_keys=body.revoke_keys)
    return success()


@router.post(
    "/auth/confirm",
    tags=["accounts"],
    summary="Confirm my address by a link: brings the sign-up credit",
    responses={200: {"model": schemas.Confirmed}},
)
async def confirm(market: The, body: schemas.ConfirmAddress, address: Address) -> Response:
    return success(credit=dollars(await market.accounts.by_link.confirm(body.token, address=address)))


@router.post(
    "/auth/confirm/again",
    tags=["accounts"],
    summary="Send me the link to confirm my address again",
    responses={200: {"model": schemas.SentAgain}},
)
async def confirm_again(market: The, principal: Person) -> Response:
    return success(sent=await market.accounts.by_link.confirm_again(principal.user_id))


@router.get(
    "/notices",
    tags=["accounts"],
    summary="What I am told by mail",
    responses={200: {"model": schemas.Wished}},
)
async def get_wishes(market: The, principal: Reader) -> Response:
    return await _wished(market, principal.user_id, await market.mail.wishes(principal.user_id))


@router.put(
    "/notices",
    tags=["accounts"],
    summary="Tell me by mail when my balance is below this",
    responses={200: {"model": schemas.Wished}},
)
async def put_wishes(market: The, principal: Person, body: schemas.Wish) -> Response:
    low = None if body.low_balance is None else nano(body.low_balance)
    return await _wished(market, principal.user_id, await market.mail.wish(principal.user_id, low))


async def _wished(market: The, user_id: str, wishes: Wishes) -> Response:
    low = None if wishes.low_nano is None else dollars(wishes.low_nano)
    unconfirmed = await market.accounts.by_link.unconfirmed(user_id)
    return success(mail=market.mail.works, low_balance=low, unconfirmed=unconfirmed)
