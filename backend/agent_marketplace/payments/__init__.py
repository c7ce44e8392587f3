"""Money in: orders, redeem codes, transfers, notices of payment processors. Money itself moves in the ledger."""

from agent_marketplace.payments.payments import Payments
from agent_marketplace.payments.types import Batch, Event, Order, Outcome

__all__ = ["Batch", "Event", "Order", "Outcome", "Payments"]
