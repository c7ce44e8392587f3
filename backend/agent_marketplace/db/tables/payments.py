"""Money that comes in and goes back. `*_nano`: 10^-9 USD of credit; `*_minor`: the smallest unit of `currency`; `*_at`: ms.

The rows say what was asked for and what became of it; the money itself is the ledger's. An order's credit is the lot whose
`reference` is the order's id.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

_ON_ITS_WAY = sa.text("method = 'auto' AND state = 'pending'")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

orders = sa.Table(
    "payment_orders",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(80), nullable=False),
    sa.Column(
        "method", sa.String(20), nullable=False
    ),  # transfer, webhook, stripe, auto (a saved card), code
    sa.Column("state", sa.String(12), nullable=False),  # pending, paid, cancelled, failed
    sa.Column("credit_nano", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column(
        "minor", sa.BigInteger, nullable=False
    ),  # what is asked for; 0 for codes, which were paid for elsewhere
    sa.Column("paid", sa.SmallInteger, nullable=False),  # 0: a code that nobody paid for
    sa.Column("ends_at", sa.BigInteger),  # when its credit ends; None = never
    sa.Column("external_id", sa.String(200)),  # of the payment, as its processor or bank names it
    sa.Column("attempt", sa.String(200)),  # the browser's key of its attempt
    sa.Column("session", sa.String(200)),  # where the processor keeps the attempt to pay
    sa.Column("batch_id", sa.String(40)),
    sa.Column(
        "receipt", sa.BigInteger
    ),  # the number of its receipt, without gaps; None = nothing was paid here
    sa.Column(
        "returned_nano", sa.BigInteger, nullable=False
    ),  # refunds and chargebacks, less what came back of them
    sa.Column(
        "disputed", sa.SmallInteger, nullable=False
    ),  # 1: its bank disputes it, what is left of it is frozen
    sa.Column("words", sa.String(500), nullable=False),  # why it failed or was cancelled
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("source", sa.String(64)),  # SHA-256 of what was paid with; None = that is not known
    sa.UniqueConstraint("method", "external_id"),
    sa.UniqueConstraint("user_id", "attempt"),
    sa.UniqueConstraint("receipt"),
    sa.CheckConstraint("returned_nano >= 0 AND returned_nano <= credit_nano", name="returned_of_it"),
    sa.Index("ix_payment_orders_user_id", "user_id", "created_at"),
    sa.Index("ix_payment_orders_state", "state", "created_at"),
    sa.Index("ix_payment_orders_source", "source"),
    sa.Index(
        "uq_payment_orders_auto",
        "user_id",
        unique=True,
        sqlite_where=_ON_ITS_WAY,
        postgresql_where=_ON_ITS_WAY,
    ),  # one recharge at a time
)

recharges = sa.Table(
    "auto_recharges",
    metadata,
    sa.Column(
        "user_id", sa.String(240), primary_key=True
    ),  # `gone:<customer>` where only Stripe is still to be told
    sa.Column("state", sa.String(12), nullable=False),  # waiting (for a card), on, off, leaving
    sa.Column("threshold_nano", sa.BigInteger, nullable=False),  # recharges when less than this is left
    sa.Column("amount_nano", sa.BigInteger, nullable=False),
    sa.Column("monthly_nano", sa.BigInteger, nullable=False),  # at most so much in a calendar month (UTC)
    sa.Column("customer", sa.String(200)),  # at the processor
    sa.Column("card", sa.String(200)),  # the saved card, as the processor names it; no number is ever here
    sa.Column("card_words", sa.String(80), nullable=False),  # visa 4242, 12/2030
    sa.Column("session", sa.String(200)),  # the page where a card is being saved
    sa.Column("consented_at", sa.BigInteger, nullable=False),  # when its owner agreed to these amounts
    sa.Column("words", sa.String(300), nullable=False),  # why it is off
    sa.Column("told_month", sa.String(7), nullable=False),  # YYYY-MM in which the limit was told of
    sa.Column("next_at", sa.BigInteger, nullable=False),  # not before then
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Index("ix_auto_recharges_state", "state", "next_at"),
)

events = sa.Table(
    "payment_events",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("method", sa.String(20), nullable=False),
    sa.Column("external_id", sa.String(200), nullable=False),
    sa.Column("order_id", sa.String(40), nullable=False),  # as the event names it: perhaps none of ours
    sa.Column("outcome", sa.String(12), nullable=False),  # credited, refused, noted
    sa.Column("why", sa.String(200), nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # what was sent, at most 4,000 characters
    sa.Index("ix_payment_events_order_id", "order_id"),
    sa.Index("ix_payment_events_outcome", "outcome", "id"),
)

batches = sa.Table(
    "code_batches",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("credit_nano", sa.BigInteger, nullable=False),  # of each code
    sa.Column("paid", sa.SmallInteger, nullable=False),  # 1: the codes are sold
    sa.Column("codes", sa.BigInteger, nullable=False),  # how many were made
    sa.Column(
        "per_account", sa.BigInteger, nullable=False
    ),  # how many of them one account may redeem; 0 = any
    sa.Column("expires_at", sa.BigInteger),  # until when a code can be redeemed; None = for ever
    sa.Column("credit_days", sa.BigInteger),  # how long its credit is good for; None = for ever
    sa.Column("made_by", sa.String(80), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("one_buyer", sa.SmallInteger),  # 1: one customer bought all of them
)

codes = sa.Table(
    "redeem_codes",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),  # SHA-256 of the code, which is 80 random bits
    sa.Column("batch_id", sa.String(40), nullable=False),
    sa.Column("redeemed_by", sa.String(80)),
    sa.Column("redeemed_at", sa.BigInteger),
    sa.Column("order_id", sa.String(40)),
    sa.Index("ix_redeem_codes_batch_id", "batch_id", "redeemed_by"),
)

returns = sa.Table(
    "payment_returns",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("order_id", sa.String(40), nullable=False),
    sa.Column("user_id", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),  # refund, chargeback, reinstated
    sa.Column("state", sa.String(12), nullable=False),  # asked, done, failed
    sa.Column("nano", sa.BigInteger, nullable=False),
    sa.Column("minor", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),  # its posting on the user's account
    sa.Column("external_id", sa.String(200)),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.UniqueConstraint("user_id", "seq"),
    sa.UniqueConstraint("kind", "external_id"),
    sa.Index("ix_payment_returns_order_id", "order_id"),
    sa.Index("ix_payment_returns_state", "state", "created_at"),
)

disputes = sa.Table(
    "answer_disputes",
    metadata,
    sa.Column("request_id", sa.String(80), primary_key=True),
    sa.Column("user_id", sa.String(80), nullable=False),
    sa.Column("why", sa.String(20), nullable=False),  # wrong, empty, other_model, not_asked
    sa.Column("words", sa.String(1000), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # open, granted, refused
    sa.Column(
        "rule", sa.String(20), nullable=False
    ),  # the written rule that decided it; empty = a person did
    sa.Column("nano", sa.BigInteger, nullable=False),  # what the answer cost
    sa.Column("decided_by", sa.String(80), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.Index("ix_answer_disputes_user_id", "user_id", "created_at"),
    sa.Index("ix_answer_disputes_state", "state", "created_at"),
)
