"""What payers are mailed, in the transaction of what it tells of."""

import sqlalchemy as sa

from agent_marketplace.mail import Mail
from agent_marketplace.mail.mail import amount
from agent_marketplace.payments.types import CENT, Dispute, Order, Plan, Return

_METHODS = {
    "transfer": "bank transfer",
    "stripe": "card",
    "auto": "saved card, automatically",
    "webhook": "the operator's payment page",
}


def receipt_in(connection: sa.Connection, mail: Mail, order: Order, number: int, issuer: str | None) -> None:
    """A payment was credited."""
    facts = {
        "number": str(number), "credit": amount(order.credit_nano), "paid": f"{amount(order.minor * CENT)} {order.currency}",
        "method": _METHODS.get(order.method, order.method), "order": order.id, "issuer": issuer or "",
    }  # fmt: skip
    mail.post_in(connection, "receipt", order.user_id, facts)


def refund_in(connection: sa.Connection, mail: Mail, found: Return) -> None:
    """A refund was paid back, or could not be."""
    facts = {"state": found.state, "amount": amount(found.nano), "order": found.order_id}
    mail.post_in(connection, "refund", found.user_id, facts)


def dispute_in(connection: sa.Connection, mail: Mail, found: Dispute) -> None:
    """An administrator has decided about an answer."""
    facts = {
        "state": found.state, "amount": amount(found.nano), "request": found.request_id, "reason": found.reason,
    }  # fmt: skip
    mail.post_in(connection, "dispute", found.user_id, facts)


def recharge_in(connection: sa.Connection, mail: Mail, plan: Plan, event: str, words: str) -> None:
    """An automatic recharge was stopped, or the month's limit holds it back."""
    facts = {
        "event": event, "amount": amount(plan.amount_nano), "monthly": amount(plan.monthly_nano), "words": words,
    }  # fmt: skip
    mail.post_in(connection, "recharge", plan.user_id, facts)
