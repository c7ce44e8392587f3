"""absorbed money: what the operator bore for whom today is found without reading everybody's usage"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SOMETHING = sa.text("absorbed_nano > 0")


def upgrade() -> None:
    op.create_index(
        "ix_usage_records_absorbed",
        "usage_records",
        ["created_at"],
        unique=False,
        sqlite_where=_SOMETHING,
        postgresql_where=_SOMETHING,
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
