"""Sums of what all accounts used together, by model, provider and status, made of the sums of each."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_KEY = ("user_id", "conversation_id", "bucket_at", "model", "provider", "key_id", "agent_id", "status")


def upgrade() -> None:
    sums = [
        c["name"] for c in sa.inspect(op.get_bind()).get_columns("usage_rollups") if c["name"] not in _KEY
    ]
    added = ", ".join(f"SUM({name})" for name in sums)
    quarters = ("*", "bucket_at", "conversation_id IN ('', '*')")
    hours = ("*h", "bucket_at - bucket_at % 3600000", "user_id = '*'")
    for user, bucket, of in (quarters, hours):
        op.execute(
            f"INSERT INTO usage_rollups ({', '.join((*_KEY, *sums))}) "  # noqa: S608  names of columns
            f"SELECT '{user}', '', {bucket}, model, provider, '', '', status, {added} FROM usage_rollups WHERE {of} "
            f"GROUP BY {bucket}, model, provider, status"
        )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
