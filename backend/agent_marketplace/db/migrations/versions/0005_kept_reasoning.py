"""kept reasoning: thinking that clients drop between the steps of a tool loop is put back"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_reasoning",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("call_key", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "call_key", name=op.f("pk_kept_reasoning")),
    )
    op.create_index(op.f("ix_kept_reasoning_expires_at"), "kept_reasoning", ["expires_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
