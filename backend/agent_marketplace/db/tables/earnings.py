"""What authors of agents earn: one row a fee that was posted, or taken back again; payouts. Money in nano-dollars.

The rows that are not swept sum, for each author, to what stands on the account `earnings:<author>:pending`.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

fees = sa.Table(
    "ledger_fees",
    metadata,
    sa.Column(
        "fee_id", sa.String(100), primary_key=True
    ),  # the run's id; `...:back` for what was taken back later
    sa.Column("author_id", sa.String(36), nullable=False),
    sa.Column("payer_id", sa.String(36), nullable=False),
    sa.Column("fee_nano", sa.BigInteger, nullable=False),
    sa.Column("author_nano", sa.BigInteger, nullable=False),  # of the fee; negative in a row that takes back
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),  # when it may go to the author's own account
    sa.Column("swept_at", sa.BigInteger),
    sa.Column("refunded_at", sa.BigInteger),
)
_WAITS = sa.text("swept_at IS NULL")
sa.Index(
    "ix_ledger_fees_pending", fees.c.author_id, fees.c.due_at, sqlite_where=_WAITS, postgresql_where=_WAITS
)
sa.Index("ix_ledger_fees_author_id_at", fees.c.author_id, fees.c.at)

payouts = sa.Table(
    "ledger_payouts",
    metadata,
    sa.Column("reference", sa.String(120), primary_key=True),  # of the transfer that was made outside
    sa.Column("author_id", sa.String(36), nullable=False, index=True),
    sa.Column("amount_nano", sa.BigInteger, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
