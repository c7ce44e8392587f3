"""reasons of thumbs: why an answer was good or bad"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("answer_signals", sa.Column("reason", sa.String(length=20)))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
