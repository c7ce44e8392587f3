"""Money in and back: orders, redeem codes, transfers, notices of processors, refunds, disputes. Money itself moves in the ledger."""

from agent_marketplace.payments.payments import Payments
from agent_marketplace.payments.types import Batch, Dispute, Event, Order, Outcome, Plan, Return

__all__ = ["Batch", "Dispute", "Event", "Order", "Outcome", "Payments", "Plan", "Return"]
