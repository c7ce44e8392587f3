"""sign-ins by device code: hashed codes and the terms of a key"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_grants",
        sa.Column("device_digest", sa.String(length=64), nullable=False),
        sa.Column("user_digest", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("wanted", sa.String(length=200), nullable=False),
        sa.Column("address_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("scopes", sa.String(length=200), nullable=True),
        sa.Column("cap_nano", sa.BigInteger(), nullable=True),
        sa.Column("cap_period", sa.String(length=10), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.Column("expires_in_days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("device_digest", name=op.f("pk_device_grants")),
        sa.UniqueConstraint("user_digest", name=op.f("uq_device_grants_user_digest")),
    )
    op.create_index(op.f("ix_device_grants_expires_at"), "device_grants", ["expires_at"], unique=False)
    op.create_index(op.f("ix_device_grants_user_id"), "device_grants", ["user_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
