"""Thinking kept between the steps of a tool loop. `sealed`: encrypted by the vault under the user's data key."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

kept_reasoning = sa.Table(
    "kept_reasoning",
    metadata,
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("call_key", sa.String(64), nullable=False),  # of the tool call: its id and what it asked for
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),  # bytes of `sealed`
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    sa.PrimaryKeyConstraint("user_id", "call_key"),
)
