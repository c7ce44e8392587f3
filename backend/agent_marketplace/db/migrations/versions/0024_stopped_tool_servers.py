"""stopped tool servers: the operator's kill switch"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tool_servers", sa.Column("stopped_at", sa.BigInteger()))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
