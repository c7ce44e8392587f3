"""Runs of agents: runs, their steps, approvals and events. `*_sealed`: encrypted by the vault under the user's data key."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

runs = sa.Table(
    "agent_runs",
    metadata,
    sa.Column("run_id", sa.String(80), primary_key=True),
    sa.Column("root_run_id", sa.String(80), nullable=False),  # the run whose cap and sums count for the tree
    sa.Column("parent_run_id", sa.String(80)),
    sa.Column("depth", sa.SmallInteger, nullable=False),  # 0: asked for by a person or a program
    sa.Column("kind", sa.String(8), nullable=False),  # agent, chat
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("key_id", sa.String(40)),
    sa.Column("agent_id", sa.String(200), nullable=False),
    sa.Column("agent_version", sa.Integer, nullable=False),
    sa.Column("pin", sa.String(64), nullable=False),  # hash over all of the version that matters
    sa.Column("wire", sa.String(16), nullable=False),
    sa.Column("idem_key", sa.String(255)),
    sa.Column("input_hash", sa.String(64), nullable=False),
    sa.Column("cap_nano", sa.BigInteger),  # null: a chat answer, bounded by its own hold
    sa.Column("spent_nano", sa.BigInteger, nullable=False),  # a root's: of its tree
    sa.Column("reserved_nano", sa.BigInteger, nullable=False),  # likewise, the last answers' reserves in it
    sa.Column("own_nano", sa.BigInteger, nullable=False),  # this run's own steps
    sa.Column("final_nano", sa.BigInteger, nullable=False),  # kept for its last answer
    sa.Column("fee_nano", sa.BigInteger, nullable=False),  # kept for the author; once over: what was posted
    sa.Column("tool_bytes", sa.BigInteger, nullable=False),
    sa.Column("active_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("stop_reason", sa.String(40), nullable=False),
    sa.Column("attended", sa.SmallInteger, nullable=False),
    sa.Column("cancel_asked", sa.SmallInteger, nullable=False),
    sa.Column("context_sealed", sa.LargeBinary, nullable=False),  # JSON: the pinned version, what was asked
    sa.Column("result_sealed", sa.LargeBinary),
    sa.Column(
        "epoch", sa.Integer, nullable=False
    ),  # how many workers have driven it: events are numbered in it
    sa.Column("lease_owner", sa.String(80)),
    sa.Column("lease_until", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger),  # of a paused or waiting run
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.UniqueConstraint("user_id", "idem_key"),
    sa.CheckConstraint("cap_nano IS NULL OR spent_nano + reserved_nano <= cap_nano", name="within_cap"),
    sa.Index("ix_agent_runs_user_id_created_at", "user_id", "created_at"),
    sa.Index("ix_agent_runs_state_lease_until", "state", "lease_until"),
    sa.Index("ix_agent_runs_root_run_id", "root_run_id"),
)

steps = sa.Table(
    "agent_run_steps",
    metadata,
    sa.Column("run_id", sa.String(80), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),  # model, tool, subrun, final, input
    sa.Column("name", sa.String(200), nullable=False),  # the model, the tool or the agent
    sa.Column("asked_by", sa.Integer),  # the model step that asked for this tool
    sa.Column("call_id", sa.String(200), nullable=False),
    sa.Column("args_hash", sa.String(64), nullable=False),
    sa.Column("args_sealed", sa.LargeBinary),
    sa.Column("result_sealed", sa.LargeBinary),
    sa.Column("request_id", sa.String(80)),  # a model step's receipt; a sub-run's run
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("reserved_nano", sa.BigInteger, nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("payee", sa.String(120), nullable=False),
    sa.Column("error_class", sa.String(60), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.PrimaryKeyConstraint("run_id", "n"),
)

approvals = sa.Table(
    "agent_approvals",
    metadata,
    sa.Column("approval_id", sa.String(40), primary_key=True),
    sa.Column("run_id", sa.String(80), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column(
        "subject_hash", sa.String(64), nullable=False
    ),  # of pin, tool, arguments and the most it can cost
    sa.Column("most_nano", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # pending, approved, denied, expired
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("decided_at", sa.BigInteger),
    sa.UniqueConstraint("run_id", "n"),
    sa.Index("ix_agent_approvals_user_id_state", "user_id", "state"),
    sa.Index("ix_agent_approvals_state_expires_at", "state", "expires_at"),
)

events = sa.Table(
    "agent_run_events",
    metadata,
    sa.Column("run_id", sa.String(80), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),  # of the first event in it
    sa.Column("events_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "seq"),
    sa.Index("ix_agent_run_events_created_at", "created_at"),
)
