"""Evaluations: a set of prompts put to one to four models within a budget. `*_sealed`: encrypted by the vault."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("evaluation_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("asked_sealed", sa.LargeBinary, nullable=False),  # JSON: models, parameters
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("budget_nano", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # running, done, stopped, failed
    sa.Column("reason", sa.String(40), nullable=False),  # why it stopped: a stable code
    sa.Column("beat_at", sa.BigInteger, nullable=False),  # when somebody last worked on it, ms
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("ix_evaluations_user_id_created_at", "user_id", "created_at"),
)

evaluation_items = sa.Table(
    "evaluation_items",
    metadata,
    sa.Column("evaluation_id", sa.String(40), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),  # from 1, in the order of the file
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("item_sealed", sa.LargeBinary, nullable=False),  # JSON: id, messages, expected
    sa.PrimaryKeyConstraint("evaluation_id", "n"),
)

evaluation_results = sa.Table(
    "evaluation_results",
    metadata,
    sa.Column("evaluation_id", sa.String(40), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),  # of the model, from 0
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("request_id", sa.String(80), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("result_sealed", sa.LargeBinary, nullable=False),  # JSON: content, usage, timings, error
    sa.PrimaryKeyConstraint("evaluation_id", "n", "place"),
)
