"""Comparisons: one question to several models, its answers by side, and the vote. `*_sealed`: encrypted by the vault."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("comparison_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column(
        "task", sa.String(40), nullable=False
    ),  # type of the task as Q Assistant reads it; "" = unknown
    sa.Column("after_id", sa.String(40)),  # the comparison that this one goes on with
    sa.Column("prompt_sealed", sa.LargeBinary, nullable=False),  # JSON: messages, parameters
    sa.Column("vote", sa.String(10)),  # a side, tie or both_bad
    sa.Column("criteria", sa.String(120), nullable=False),  # space-separated
    sa.Column("reason_sealed", sa.LargeBinary),
    sa.Column("named", sa.Boolean, nullable=False),  # an answer said whose it is: the vote was not blind
    sa.Column("voted_at", sa.BigInteger),
    sa.Column("revealed_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("ix_comparisons_user_id_created_at", "user_id", "created_at", "comparison_id"),
    sa.Index("ix_comparisons_voted_at", "voted_at"),
)

comparison_answers = sa.Table(
    "comparison_answers",
    metadata,
    sa.Column("comparison_id", sa.String(40), nullable=False),
    sa.Column("side", sa.String(1), nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("run_id", sa.String(80), nullable=False),
    sa.Column("request_id", sa.String(80), nullable=False),
    sa.Column("asked", sa.String(200), nullable=False),  # a model or one of the user's agents
    sa.Column("model", sa.String(200), nullable=False),  # what answered, or would have
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("content_sealed", sa.LargeBinary, nullable=False),  # JSON: content, and what belongs to it
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("characters", sa.Integer, nullable=False),  # of the answer: what length bias is read from
    sa.Column("charge_nano", sa.BigInteger),  # from the vote on, as the usage row says: that may be archived
    sa.Column("list_cost_nano", sa.BigInteger),
    sa.PrimaryKeyConstraint("comparison_id", "side"),
)
