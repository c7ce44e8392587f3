"""usage seals: a keyed hash over what no posting covers, of requests that end from now on"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("usage_records", sa.Column("seal", sa.String(length=32)))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
