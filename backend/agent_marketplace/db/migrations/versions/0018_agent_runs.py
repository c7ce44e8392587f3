"""agent_runs: runs of agents with their steps, approvals and events, each step a row before its effect"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_approvals",
        sa.Column("approval_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("subject_hash", sa.String(length=64), nullable=False),
        sa.Column("most_nano", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_agent_approvals")),
        sa.UniqueConstraint("run_id", "n", name=op.f("uq_agent_approvals_run_id_n")),
    )
    op.create_index(
        "ix_agent_approvals_state_expires_at", "agent_approvals", ["state", "expires_at"], unique=False
    )
    op.create_index("ix_agent_approvals_user_id_state", "agent_approvals", ["user_id", "state"], unique=False)
    op.create_table(
        "agent_run_events",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("events_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name=op.f("pk_agent_run_events")),
    )
    op.create_index("ix_agent_run_events_created_at", "agent_run_events", ["created_at"], unique=False)
    op.create_table(
        "agent_run_steps",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("args_hash", sa.String(length=64), nullable=False),
        sa.Column("args_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("result_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reserved_nano", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("payee", sa.String(length=120), nullable=False),
        sa.Column("error_class", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "n", name=op.f("pk_agent_run_steps")),
    )
    op.create_table(
        "agent_runs",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("root_run_id", sa.String(length=80), nullable=False),
        sa.Column("parent_run_id", sa.String(length=80), nullable=True),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.Column("agent_id", sa.String(length=200), nullable=False),
        sa.Column("agent_version", sa.Integer(), nullable=False),
        sa.Column("pin", sa.String(length=64), nullable=False),
        sa.Column("wire", sa.String(length=16), nullable=False),
        sa.Column("idem_key", sa.String(length=255), nullable=True),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("cap_nano", sa.BigInteger(), nullable=True),
        sa.Column("spent_nano", sa.BigInteger(), nullable=False),
        sa.Column("reserved_nano", sa.BigInteger(), nullable=False),
        sa.Column("own_nano", sa.BigInteger(), nullable=False),
        sa.Column("final_nano", sa.BigInteger(), nullable=False),
        sa.Column("fee_nano", sa.BigInteger(), nullable=False),
        sa.Column("tool_bytes", sa.BigInteger(), nullable=False),
        sa.Column("active_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stop_reason", sa.String(length=40), nullable=False),
        sa.Column("attended", sa.SmallInteger(), nullable=False),
        sa.Column("cancel_asked", sa.SmallInteger(), nullable=False),
        sa.Column("context_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("result_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "cap_nano IS NULL OR spent_nano + reserved_nano <= cap_nano",
            name=op.f("ck_agent_runs_within_cap"),
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_agent_runs")),
        sa.UniqueConstraint("user_id", "idem_key", name=op.f("uq_agent_runs_user_id_idem_key")),
    )
    op.create_index("ix_agent_runs_root_run_id", "agent_runs", ["root_run_id"], unique=False)
    op.create_index("ix_agent_runs_state_lease_until", "agent_runs", ["state", "lease_until"], unique=False)
    op.create_index("ix_agent_runs_user_id_created_at", "agent_runs", ["user_id", "created_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
