"""comparisons: one question to several models, answers by side, votes"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparisons",
        sa.Column("comparison_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("task", sa.String(length=40), nullable=False),
        sa.Column("after_id", sa.String(length=40)),
        sa.Column("prompt_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("vote", sa.String(length=10)),
        sa.Column("criteria", sa.String(length=120), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary()),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("voted_at", sa.BigInteger()),
        sa.Column("revealed_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("comparison_id", name=op.f("pk_comparisons")),
    )
    op.create_index(
        "ix_comparisons_user_id_created_at",
        "comparisons",
        ["user_id", "created_at", "comparison_id"],
        unique=False,
    )
    op.create_index("ix_comparisons_voted_at", "comparisons", ["voted_at"], unique=False)
    op.create_table(
        "comparison_answers",
        sa.Column("comparison_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=1), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("asked", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("comparison_id", "side", name=op.f("pk_comparison_answers")),
    )
    op.create_index(op.f("ix_comparison_answers_user_id"), "comparison_answers", ["user_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
