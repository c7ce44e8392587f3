"""chat library: folders and tags of chats, shared links, kept prompts"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("labels_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "shared_chats",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        sa.Column("leaf_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_shared_chats")),
        sa.UniqueConstraint("conversation_id", name=op.f("uq_shared_chats_conversation_id")),
    )
    op.create_index(op.f("ix_shared_chats_user_id"), "shared_chats", ["user_id"], unique=False)
    op.create_table(
        "prompts",
        sa.Column("prompt_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("prompt_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prompt_id", name=op.f("pk_prompts")),
    )
    op.create_index(op.f("ix_prompts_user_id"), "prompts", ["user_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
