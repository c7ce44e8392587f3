"""Money: holds, double entry, prices, receipts. Import from here; the modules behind are the ledger's own."""

from agent_marketplace.ledger.earnings import fee_request
from agent_marketplace.ledger.idempotency import (
    Replay,
    abandon_in,
    begin_in,
    digest,
    once_in,
    release_stale_in,
)
from agent_marketplace.ledger.ledger import Ledger
from agent_marketplace.ledger.lots import NEVER, Lot, Terms
from agent_marketplace.ledger.money import Money, dollars, nano
from agent_marketplace.ledger.plans import PLANS, Plan
from agent_marketplace.ledger.pricing import (
    Load,
    Price,
    PriceTier,
    Worst,
    price_usage,
    validate_price,
    worst_case,
)
from agent_marketplace.ledger.types import (
    Balance,
    Earned,
    Fee,
    Hold,
    KeptReply,
    KeySpend,
    OpenHold,
    Payout,
    Receipt,
    Settlement,
    StatementEntry,
    StatementPage,
    UsageRecord,
    VerifyReport,
)

__all__ = [
    "NEVER",
    "PLANS",
    "Balance",
    "Earned",
    "Fee",
    "Hold",
    "KeptReply",
    "KeySpend",
    "Ledger",
    "Load",
    "Lot",
    "Money",
    "OpenHold",
    "Payout",
    "Plan",
    "Price",
    "PriceTier",
    "Receipt",
    "Replay",
    "Settlement",
    "StatementEntry",
    "StatementPage",
    "Terms",
    "UsageRecord",
    "VerifyReport",
    "Worst",
    "abandon_in",
    "begin_in",
    "digest",
    "dollars",
    "fee_request",
    "nano",
    "once_in",
    "price_usage",
    "release_stale_in",
    "validate_price",
    "worst_case",
]
