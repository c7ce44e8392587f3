"""suspended accounts: no session and no key of theirs works"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("suspended_at", sa.BigInteger()))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
