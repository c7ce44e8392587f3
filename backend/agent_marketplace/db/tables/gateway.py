"""What the gateway has to remember beyond one process. `*_at`: ms since the epoch, UTC; money in nano-dollars."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

broken_bounds = sa.Table(  # a row until the operator clears it
    "gateway_broken_bounds",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    sa.Column("upstream_id", sa.String(200), primary_key=True),
    sa.Column("shape", sa.String(120), primary_key=True),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("held_nano", sa.BigInteger, nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("broken_at", sa.BigInteger, nullable=False),
)
