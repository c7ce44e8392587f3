"""offered agents, their immutable versions, and consents"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_consents",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("consent_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pinned", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "agent_id", name=op.f("pk_agent_consents")),
    )
    op.create_table(
        "offered_agents",
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("fork_agent_id", sa.String(length=40), nullable=True),
        sa.Column("fork_version", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_offered_agents")),
        sa.UniqueConstraint("user_id", "slug", name=op.f("uq_offered_agents_user_id_slug")),
    )
    op.create_index("ix_offered_agents_visibility", "offered_agents", ["visibility"], unique=False)
    op.create_table(
        "offered_versions",
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("skeleton", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("instructions_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("consent_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked", sa.String(length=10), nullable=False),
        sa.Column("reviewed", sa.SmallInteger(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("price_from", sa.BigInteger(), nullable=False),
        sa.Column("price_before", sa.Text(), nullable=False),
        sa.Column("price_raised", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "version", name=op.f("pk_offered_versions")),
    )
    op.create_index("ix_offered_versions_state", "offered_versions", ["state"], unique=False)
    op.create_table(
        "publishers",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("handle", sa.String(length=40), nullable=False),
        sa.Column("skeleton", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_publishers")),
        sa.UniqueConstraint("handle", name=op.f("uq_publishers_handle")),
        sa.UniqueConstraint("skeleton", name=op.f("uq_publishers_skeleton")),
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
