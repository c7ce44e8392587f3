"""automatic recharge from a saved card"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_ON_ITS_WAY = sa.text("method = 'auto' AND state = 'pending'")


def upgrade() -> None:
    op.create_table(
        "auto_recharges",
        sa.Column("user_id", sa.String(length=240), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("threshold_nano", sa.BigInteger(), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("monthly_nano", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.String(length=200), nullable=True),
        sa.Column("card", sa.String(length=200), nullable=True),
        sa.Column("card_words", sa.String(length=80), nullable=False),
        sa.Column("session", sa.String(length=200), nullable=True),
        sa.Column("consented_at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("told_month", sa.String(length=7), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_auto_recharges")),
    )
    op.create_index("ix_auto_recharges_state", "auto_recharges", ["state", "next_at"], unique=False)
    op.create_index(
        "uq_payment_orders_auto",
        "payment_orders",
        ["user_id"],
        unique=True,
        sqlite_where=_ON_ITS_WAY,
        postgresql_where=_ON_ITS_WAY,
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
