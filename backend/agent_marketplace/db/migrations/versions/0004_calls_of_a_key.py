"""calls of a key: how many it may have running at once"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("marketplace_keys", sa.Column("max_in_flight", sa.Integer()))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
