"""evaluations: sets of prompts put to models within a budget"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("asked_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("budget_nano", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", name=op.f("pk_evaluations")),
    )
    op.create_index(
        "ix_evaluations_user_id_created_at", "evaluations", ["user_id", "created_at"], unique=False
    )
    op.create_table(
        "evaluation_items",
        sa.Column("evaluation_id", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("item_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", "n", name=op.f("pk_evaluation_items")),
    )
    op.create_index(op.f("ix_evaluation_items_user_id"), "evaluation_items", ["user_id"], unique=False)
    op.create_table(
        "evaluation_results",
        sa.Column("evaluation_id", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("result_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", "n", "place", name=op.f("pk_evaluation_results")),
    )
    op.create_index(op.f("ix_evaluation_results_user_id"), "evaluation_results", ["user_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
