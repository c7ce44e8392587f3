"""broken bounds: offers that billed more than was held for a kind of call, until the operator clears them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway_broken_bounds",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("upstream_id", sa.String(length=200), nullable=False),
        sa.Column("shape", sa.String(length=120), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("held_nano", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("broken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "upstream_id", "shape", name=op.f("pk_gateway_broken_bounds")),
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
