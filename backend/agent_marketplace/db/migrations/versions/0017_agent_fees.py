"""fees of agents, payouts, outcomes of runs"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_outcomes",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.String(length=36), nullable=False),
        sa.Column("payer_id", sa.String(length=36), nullable=False),
        sa.Column("own", sa.SmallInteger(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered", sa.SmallInteger(), nullable=False),
        sa.Column("error_class", sa.String(length=60), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("model_nano", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.Column("fee_nano", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_agent_outcomes")),
    )
    op.create_index(
        "ix_agent_outcomes_agent_id_ended_at", "agent_outcomes", ["agent_id", "ended_at"], unique=False
    )
    op.create_index(
        "ix_agent_outcomes_payer_id_agent_id", "agent_outcomes", ["payer_id", "agent_id"], unique=False
    )
    op.create_table(
        "ledger_fees",
        sa.Column("fee_id", sa.String(length=100), nullable=False),
        sa.Column("author_id", sa.String(length=36), nullable=False),
        sa.Column("payer_id", sa.String(length=36), nullable=False),
        sa.Column("fee_nano", sa.BigInteger(), nullable=False),
        sa.Column("author_nano", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("swept_at", sa.BigInteger(), nullable=True),
        sa.Column("refunded_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fee_id", name=op.f("pk_ledger_fees")),
    )
    op.create_index("ix_ledger_fees_author_id_at", "ledger_fees", ["author_id", "at"], unique=False)
    op.create_index(
        "ix_ledger_fees_pending",
        "ledger_fees",
        ["author_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("swept_at IS NULL"),
        postgresql_where=sa.text("swept_at IS NULL"),
    )
    op.create_table(
        "ledger_payouts",
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("author_id", sa.String(length=36), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_ledger_payouts")),
    )
    op.create_index(op.f("ix_ledger_payouts_author_id"), "ledger_payouts", ["author_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
