"""tool_servers: MCP servers of users, and the definitions of their tools as they were approved"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tool_pins",
        sa.Column("server_id", sa.String(length=40), nullable=False),
        sa.Column("tool", sa.String(length=128), nullable=False),
        sa.Column("seen_sha256", sa.String(length=64), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("pin_sha256", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=8), nullable=False),
        sa.Column("read_only", sa.SmallInteger(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("server_id", "tool", name=op.f("pk_tool_pins")),
    )
    op.create_table(
        "tool_servers",
        sa.Column("server_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("header", sa.String(length=80), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("server_id", name=op.f("pk_tool_servers")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_tool_servers_user_id_name")),
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
