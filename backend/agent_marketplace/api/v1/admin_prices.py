"""Administrators' routes of prices: changes of public price lists that wait for a person."""

from typing import Any

from fastapi import Depends, Response

from agent_marketplace.api import admin_schemas as schemas
from agent_marketplace.api import present
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.admin import By, prove
from agent_marketplace.catalog.models import prices_dict
from agent_marketplace.catalog.store import Review
from agent_marketplace.ledger import Price

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])


@router.get(
    "/price-reviews",
    summary="Price changes that wait for a person: by more than a factor of three, to zero or from zero",
    responses={200: {"model": schemas.PriceReviews}},
)
async def find_reviews(market: The) -> Response:
    found = await market.catalog.reviews()
    return success(
        reviews=[
            {
                "id": review.review_id,
                "offer": review.offer_id,
                "reason": review.reason,
                "old": _shown(review.old_price),
                "new": _shown(review.new_price),
                "source": review.source,
                "seen_at": present.iso(review.seen_at),
            }
            for review in found
        ]
    )


@router.post(
    "/price-reviews/{review_id}",
    summary="Take a changed price, or keep the old one",
    responses={200: {"model": schemas.Acted}},
)
async def decide(
    market: The, principal: AdminPerson, by: By, review_id: str, body: schemas.DecidePrice, address: Address
) -> Response:
    await prove(market, principal, body.password, address)

    def note(connection: Any, review: Review) -> None:
        before, after = _shown(review.old_price) or {}, _shown(review.new_price) or {}
        act = "accept price" if body.accept else "reject price"
        market.admin.record_in(connection, by, act, review.offer_id[:120], before, after, body.reason)

    await market.catalog.decide(review_id, accept=body.accept, note=note)
    return success(request_id=by.request_id)


def _shown(price: Price | None) -> dict[str, Any] | None:
    return None if price is None else prices_dict(price)
