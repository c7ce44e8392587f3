"""Orders, events and batches of codes as our API shows them."""

from decimal import Decimal
from typing import Any

from agent_marketplace.api import present
from agent_marketplace.app import Market
from agent_marketplace.ledger import dollars
from agent_marketplace.payments import Batch, Event, Order


def order(market: Market, found: Order) -> dict[str, Any]:
    """An order, for its owner."""
    return {
        "id": found.id,
        "method": found.method,
        "state": found.state,
        "credit": dollars(found.credit_nano),
        "amount": Decimal(found.minor).scaleb(-2),
        "currency": found.currency,
        "paid": bool(found.paid),
        "reference": found.reference,
        "receipt": found.receipt,
        "returned": dollars(found.returned_nano),
        "disputed": bool(found.disputed),
        "words": found.words,
        "created_at": present.iso(found.created_at),
        "closed_at": present.iso(found.closed_at),
        "credit_ends_at": present.iso(found.ends_at),
        "pay_url": market.payments.pay_url(found),
    }


def admin_order(market: Market, found: Order, email: str | None) -> dict[str, Any]:
    """An order, for administrators."""
    more = {
        "user_id": found.user_id,
        "email": email,
        "external_id": found.external_id,
        "batch_id": found.batch_id,
    }
    return order(market, found) | more


def event(found: Event) -> dict[str, Any]:
    """What a processor said."""
    return {name: getattr(found, name) for name in Event.__struct_fields__} | {"at": present.iso(found.at)}


def batch(found: Batch) -> dict[str, Any]:
    """A batch, without its codes."""
    return {
        "id": found.id,
        "name": found.name,
        "amount": dollars(found.credit_nano),
        "sold": bool(found.paid),
        "codes": found.codes,
        "redeemed": found.redeemed,
        "per_account": found.per_account,
        "expires_at": present.iso(found.expires_at),
        "credit_days": found.credit_days,
        "created_at": present.iso(found.created_at),
        "revoked_at": present.iso(found.revoked_at),
    }
