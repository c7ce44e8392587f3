"""The ledger's tables. `*_nano`: 10^-9 USD; `*_at`: ms since the epoch, UTC.

A transaction belongs to exactly one user account (its owner, whose chain it is hashed into) and is named by that account
and its sequence number there. Its row is the posting on the owner's account; the counter-postings on shared accounts have
rows of their own, and all of them sum to zero. Shared accounts have no hot row: they are sums, rolled up now and then.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata
from agent_marketplace.usage import COUNTS

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

accounts = sa.Table(
    "ledger_accounts",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),  # user:<id>
    sa.Column("balance_nano", sa.BigInteger, nullable=False),
    sa.Column("held_nano", sa.BigInteger, nullable=False),
    sa.Column(
        "restricted_nano", sa.BigInteger, nullable=False
    ),  # of the balance: frozen lots, which may not be spent
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),  # hash of transaction `seq`
    sa.Column(
        "rolled_seq", sa.BigInteger, nullable=False
    ),  # counter-postings up to here are in `ledger_shared`
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column(
        "promo_nano", sa.BigInteger, nullable=False, server_default="0"
    ),  # of the balance: what was not paid for and may be spent
    sa.Column(
        "lots_seq", sa.BigInteger, nullable=False, server_default="0"
    ),  # postings up to here are taken from `ledger_lots`
    sa.Column(
        "lots_due_at", sa.BigInteger, nullable=False, server_default="4611686018427387904"
    ),  # from then on the lots are read before money moves, see `ledger.lots`; 2**62 = never
    sa.CheckConstraint("held_nano >= 0", name="held_not_negative"),
)
_SOME_DAY = sa.text("lots_due_at < 4611686018427387904")
sa.Index(
    "ix_ledger_accounts_lots_due_at",
    accounts.c.lots_due_at,
    sqlite_where=_SOME_DAY,
    postgresql_where=_SOME_DAY,
)

lots = sa.Table(
    "ledger_lots",
    metadata,
    sa.Column("account_id", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),  # of the transaction that brought it
    sa.Column("paid", sa.SmallInteger, nullable=False),  # 1: somebody gave money for it
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("nano", sa.BigInteger, nullable=False),
    sa.Column("left_nano", sa.BigInteger, nullable=False),  # as of the account's `lots_seq`
    sa.Column("priority", sa.SmallInteger, nullable=False),  # the lowest is spent first
    sa.Column("expires_at", sa.BigInteger, nullable=False),  # 2**62 = never
    sa.Column("frozen", sa.SmallInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("reference", sa.String(80), nullable=False),  # the payment, code or request behind it
    sa.PrimaryKeyConstraint("account_id", "seq", "paid"),
    sa.CheckConstraint("left_nano >= 0 AND left_nano <= nano", name="left_of_it"),
    sqlite_with_rowid=False,
)

transactions = sa.Table(
    "ledger_transactions",
    metadata,
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("request_id", sa.String(80)),
    sa.Column("memo", sa.String(500), nullable=False),
    sa.Column("amount_nano", sa.BigInteger, nullable=False),  # the posting on the owner's account
    sa.Column("balance_after_nano", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("promo_nano", sa.BigInteger),  # of the amount: promotional; None before there were lots
    sa.PrimaryKeyConstraint("owner_id", "seq"),
    sqlite_with_rowid=False,
)

postings = sa.Table(
    "ledger_postings",
    metadata,
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("account", sa.String(100), nullable=False),  # provider:<name>, platform:..., world:...
    sa.Column("amount_nano", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("owner_id", "seq", "account"),
    sqlite_with_rowid=False,
)

shared = sa.Table(
    "ledger_shared",
    metadata,
    sa.Column("account", sa.String(100), primary_key=True),
    sa.Column("balance_nano", sa.BigInteger, nullable=False),  # as of the last roll-up
)

holds = sa.Table(
    "ledger_holds",
    metadata,
    sa.Column("request_id", sa.String(80), primary_key=True),
    sa.Column("account_id", sa.BigInteger, nullable=False),
    sa.Column("key_id", sa.String(80)),
    sa.Column("amount_nano", sa.BigInteger, nullable=False),
    sa.Column("price_version", sa.String(80), nullable=False),
    sa.Column("owner", sa.String(80), nullable=False),  # the process that made it
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("progress_nano", sa.BigInteger, nullable=False),
    sa.Column("charged_nano", sa.BigInteger, nullable=False),
    sa.Column("absorbed_nano", sa.BigInteger, nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount_nano >= 0", name="amount_not_negative"),
    sqlite_with_rowid=False,
)
sa.Index(
    "ix_ledger_holds_open",
    holds.c.expires_at,
    sqlite_where=sa.text("state = 'open'"),
    postgresql_where=sa.text("state = 'open'"),
)

usage_records = sa.Table(
    "usage_records",
    metadata,
    sa.Column("request_id", sa.String(80), primary_key=True),
    sa.Column("user_id", sa.String(80), nullable=False),
    sa.Column("key_id", sa.String(80)),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),  # ok, partial, failed, cancelled, lost
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*COUNTS, "estimated")),
    sa.Column("charge_nano", sa.BigInteger, nullable=False),
    sa.Column("absorbed_nano", sa.BigInteger, nullable=False),
    sa.Column("provider_cost_nano", sa.BigInteger, nullable=False),
    sa.Column("list_cost_nano", sa.BigInteger),
    sa.Column("hold_nano", sa.BigInteger, nullable=False),
    sa.Column("price_version", sa.String(80), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON: attempts, timings, fallback, estimate
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("promo_nano", sa.BigInteger),  # of the charge: from promotional credit; None before there were lots
    sa.Column("seal", sa.String(32)),  # keyed hash of this row and its hold, see `ledger.seals`; None before there were seals
    sa.Index("ix_usage_records_user_id_created_at", "user_id", "created_at"),
    sa.Index("ix_usage_records_created_at", "created_at"),
)  # fmt: skip
_SOMETHING = sa.text("absorbed_nano > 0")
sa.Index(
    "ix_usage_records_absorbed",  # rare rows: what the operator bore, of everybody, newest part first
    usage_records.c.created_at,
    sqlite_where=_SOMETHING,
    postgresql_where=_SOMETHING,
)

key_budgets = sa.Table(
    "key_budgets",
    metadata,
    sa.Column("key_id", sa.String(80), primary_key=True),
    sa.Column("period", sa.String(10), nullable=False),  # total, day, week, month
    sa.Column("timezone", sa.String(60), nullable=False),
    sa.Column("limit_nano", sa.BigInteger),
    sa.Column("window_start", sa.BigInteger, nullable=False),
    sa.Column("spent_nano", sa.BigInteger, nullable=False),
    sa.Column("held_nano", sa.BigInteger, nullable=False),
)

signup_credit_days = sa.Table(
    "signup_credit_days",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("granted_nano", sa.BigInteger, nullable=False),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("scope", sa.String(200), nullable=False),  # whose key, for which operation
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("input_hash", sa.String(64), nullable=False),
    sa.Column("result", sa.Text),  # None while the effect is running
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("scope", "key"),
)

checkpoints = sa.Table(
    "ledger_checkpoints",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column(
        "heads", sa.Text, nullable=False
    ),  # JSON [[account, seq, hash, seq signed before], ...] of accounts that moved since the last
    sa.Column(
        "signature", sa.String(64), nullable=False
    ),  # HMAC-SHA-256 over the previous signature, id, at and heads
)

verified = sa.Table(
    "ledger_verified",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # 1: there is one row
    sa.Column("checkpoint", sa.BigInteger, nullable=False),  # what was signed up to it has been proven again
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("problems", sa.Integer, nullable=False),  # since the last whole `ledger verify` that agreed
    sa.Column("first", sa.String(500), nullable=False),
    sa.Column("signature", sa.String(64), nullable=False),
)

archives = sa.Table(
    "ledger_archives",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(40), nullable=False),  # of the file, see `db.segments`
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column(
        "signature", sa.String(64), nullable=False
    ),  # HMAC-SHA-256 over the previous one and all of the above
    sa.Column("moved_at", sa.BigInteger),  # None: its rows may still be in the tables too
)
