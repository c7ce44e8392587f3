"""`ledger verify`, authors' earnings: pending fees, the platform's share and payouts are what their rows say."""

import sqlalchemy as sa

from agent_marketplace.db.tables.earnings import fees, payouts
from agent_marketplace.db.tables.ledger import holds
from agent_marketplace.ledger.audit import Audit
from agent_marketplace.ledger.earnings import AGENT_FEES, WORLD_PAYOUT, fee_request, pending_account
from agent_marketplace.ledger.postings import user_account
from agent_marketplace.ledger.writer import AGENT_FEE

EARNED = (AGENT_FEES, WORLD_PAYOUT)


def check_earnings(audit: Audit) -> None:
    """Every account of earnings sums to what the rows of fees and payouts say, and each fee is what its hold was charged."""
    f = fees.c
    want = dict.fromkeys(EARNED, 0)
    query = sa.select(f.fee_id, f.author_id, f.payer_id, f.fee_nano, f.author_nano, f.swept_at, f.refunded_at)
    taken: dict[str, tuple[int, str]] = {}
    for fee_id, author_id, payer_id, fee, share, swept_at, refunded_at in audit.rows(query):
        account = pending_account(author_id)
        want[account] = want.get(account, 0) + (share if swept_at is None else 0)
        if not fee:
            continue  # takes back what was swept
        want[AGENT_FEES] += fee - share if refunded_at is None else 0
        taken[fee_request(fee_id)] = (fee, user_account(payer_id))
    want[WORLD_PAYOUT] = sum(row[0] for row in audit.rows(sa.select(payouts.c.amount_nano)))
    for account in sorted(want.keys() | audit.earned.keys()):
        if (have := audit.earned.get(account, 0)) != want.get(account, 0):
            audit.wrong(f"{account}: postings sum to {have}, its rows to {want.get(account, 0)}")
    columns = (holds.c.request_id, holds.c.charged_nano, holds.c.account_id)
    held = sa.select(*columns).where(holds.c.price_version == AGENT_FEE)
    charged = {row[0]: (row[1], audit.names.get(row[2], "")) for row in audit.rows(held) if row[1]}
    for request_id in sorted(charged.keys() | taken.keys()):
        if charged.get(request_id) != taken.get(request_id):
            audit.wrong(f"request {request_id}: its fee is not what was posted")
