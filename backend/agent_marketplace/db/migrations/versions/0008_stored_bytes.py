"""stored bytes: a running total per account of what its chats and agents take, counted here once for what is there"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# 1,000 bytes a row besides its contents, as the code of this revision counts on.
COUNT = """
INSERT INTO stored_bytes (user_id, bytes)
SELECT user_id, SUM(size) FROM (
    SELECT user_id, 1000 AS size FROM conversations
    UNION ALL SELECT user_id, 1000 + LENGTH(content_sealed) FROM messages
    UNION ALL SELECT user_id, 1000 + LENGTH(instructions_sealed) + LENGTH(parameters) FROM agent_versions
) AS kept GROUP BY user_id
"""


def upgrade() -> None:
    op.create_table(
        "stored_bytes",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_stored_bytes")),
    )
    op.execute(COUNT)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
