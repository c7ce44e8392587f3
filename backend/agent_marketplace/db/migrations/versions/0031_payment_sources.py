"""what orders were paid with: accounts that pay with the same are taken for one"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_orders", sa.Column("source", sa.String(64)))
    op.create_index("ix_payment_orders_source", "payment_orders", ["source"])
    op.add_column("code_batches", sa.Column("one_buyer", sa.SmallInteger()))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
