"""What people did with answers: thumbs, regenerations, model switches. Stars are the catalogue's (`catalog_ratings`)."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

answer_signals = sa.Table(
    "answer_signals",
    metadata,
    sa.Column("request_id", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),  # thumb_up, thumb_down, regenerate, switch, abandon
    sa.Column("user_id", sa.String(80), nullable=False, index=True),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),  # ms since the epoch
    sa.Column("reason", sa.String(20)),  # of a thumb: one of `learning.REASONS`
    sa.PrimaryKeyConstraint("request_id", "kind"),
    sa.Index("ix_answer_signals_at", "at"),
)
