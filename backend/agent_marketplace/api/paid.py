"""Orders, events and batches of codes as our API shows them."""

from decimal import Decimal
from typing import Any

from agent_marketplace.api import present
from agent_marketplace.app import Market
from agent_marketplace.ledger import dollars
from agent_marketplace.payments import Batch, Dispute, Event, Order, Plan, Return


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


def recharge(found: Plan | None, used: int) -> dict[str, Any]:
    """How an account is recharged. used: nano-dollars of this month's limit."""
    shown = None
    if found is not None:
        shown = {
            "state": found.state,
            "threshold": dollars(found.threshold_nano),
            "amount": dollars(found.amount_nano),
            "monthly": dollars(found.monthly_nano),
            "card": found.card_words or None,
            "consented_at": present.iso(found.consented_at),
            "words": found.words,
        }
    return {"recharge": shown, "used": dollars(used)}


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
        "one_buyer": bool(found.one_buyer),
        "expires_at": present.iso(found.expires_at),
        "credit_days": found.credit_days,
        "created_at": present.iso(found.created_at),
        "revoked_at": present.iso(found.revoked_at),
    }


def returned(found: Return) -> dict[str, Any]:
    """A refund or chargeback."""
    return {
        "id": found.id,
        "order_id": found.order_id,
        "kind": found.kind,
        "state": found.state,
        "amount": dollars(found.nano),
        "external_id": found.external_id,
        "words": found.words,
        "created_at": present.iso(found.created_at),
        "closed_at": present.iso(found.closed_at),
    }


def admin_returned(found: Return, email: str | None) -> dict[str, Any]:
    """The same, for administrators."""
    return returned(found) | {"user_id": found.user_id, "email": email, "actor": found.actor}


def dispute(found: Dispute) -> dict[str, Any]:
    """A dispute of an answer."""
    return {
        "request_id": found.request_id,
        "why": found.why,
        "words": found.words,
        "state": found.state,
        "rule": found.rule,
        "amount": dollars(found.nano),
        "reason": found.reason,
        "created_at": present.iso(found.created_at),
        "closed_at": present.iso(found.closed_at),
    }


def admin_dispute(found: Dispute, email: str | None) -> dict[str, Any]:
    """The same, for administrators."""
    return dispute(found) | {"user_id": found.user_id, "email": email, "decided_by": found.decided_by}
