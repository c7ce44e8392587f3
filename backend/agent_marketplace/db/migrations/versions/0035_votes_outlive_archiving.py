"""Answers that were voted on keep what they cost, so that votes count after their requests were moved to the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("charge_nano", "list_cost_nano"):
        op.add_column("comparison_answers", sa.Column(name, sa.BigInteger(), nullable=True))
        op.execute(
            f"UPDATE comparison_answers SET {name} = (SELECT u.{name} FROM usage_records u "  # noqa: S608  names of columns
            "WHERE u.request_id = comparison_answers.request_id) WHERE comparison_id IN "
            "(SELECT comparison_id FROM comparisons WHERE voted_at IS NOT NULL)"
        )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
