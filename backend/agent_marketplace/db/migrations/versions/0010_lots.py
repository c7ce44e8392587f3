"""lots: what a balance consists of (paid, promotional, granted), with priority and expiry; filled from what was posted"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NEVER = 1 << 62
_SOME_DAY = sa.text(f"lots_due_at < {NEVER}")

# Sign-up credit was spent first, as it is from now on; what could not be spent of it (restricted) stays frozen.
PROMO = """
UPDATE ledger_accounts SET lots_seq = seq, promo_nano = CASE WHEN restricted_nano > 0 THEN 0 ELSE MAX_OF(0, MIN_OF(
    balance_nano, (SELECT COALESCE(SUM(CASE WHEN kind = 'signup' OR amount_nano < 0 THEN amount_nano ELSE 0 END), 0)
    FROM ledger_transactions WHERE owner_id = ledger_accounts.id))) END
"""
LOT = """
INSERT INTO ledger_lots (account_id, seq, paid, source, nano, left_nano, priority, expires_at, frozen, created_at, reference)
SELECT id, seq, {paid}, '{source}', {nano}, {nano}, 100, {never}, {frozen}, created_at, ''
FROM ledger_accounts WHERE {nano} > 0
"""
FILL = tuple(
    LOT.format(paid=paid, source="opening", nano=nano, never=NEVER, frozen=frozen)
    for paid, nano, frozen in (
        (0, "promo_nano", 0),
        (0, "restricted_nano", 1),
        (1, "(balance_nano - restricted_nano - promo_nano)", 0),
    )
)


def upgrade() -> None:
    for column in (
        sa.Column("promo_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("lots_seq", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("lots_due_at", sa.BigInteger(), nullable=False, server_default=str(NEVER)),
    ):
        op.add_column("ledger_accounts", column)
    op.create_index(
        "ix_ledger_accounts_lots_due_at",
        "ledger_accounts",
        ["lots_due_at"],
        unique=False,
        sqlite_where=_SOME_DAY,
        postgresql_where=_SOME_DAY,
    )
    op.add_column("ledger_transactions", sa.Column("promo_nano", sa.BigInteger()))
    op.add_column("usage_records", sa.Column("promo_nano", sa.BigInteger()))
    op.create_table(
        "ledger_lots",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        sa.Column("left_nano", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("frozen", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.CheckConstraint("left_nano >= 0 AND left_nano <= nano", name=op.f("ck_ledger_lots_left_of_it")),
        sa.PrimaryKeyConstraint("account_id", "seq", "paid", name=op.f("pk_ledger_lots")),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    names = ("MAX", "MIN") if sqlite else ("GREATEST", "LEAST")
    op.execute(PROMO.replace("MAX_OF", names[0]).replace("MIN_OF", names[1]))
    for statement in FILL:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
