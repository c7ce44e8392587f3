"""sketches of offered texts"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "offered_sketches",
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sketch", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "version", name=op.f("pk_offered_sketches")),
    )
    op.add_column("offered_agents", sa.Column("last_live", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
