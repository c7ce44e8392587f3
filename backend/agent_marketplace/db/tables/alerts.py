"""Alerts of the operator: rules as they stand, where they are told, and what is on its way there. `*_at`: ms since the epoch."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("armed", sa.SmallInteger, nullable=False),  # 0: switched off
    sa.Column("most", sa.BigInteger, nullable=False),  # told above it, in the rule's unit
    sa.Column("state", sa.String(8), nullable=False),  # quiet, raised
    sa.Column("over", sa.Integer, nullable=False),  # looks in a row that found it over
    sa.Column("value", sa.BigInteger),  # at the last look; None = not looked at yet
    sa.Column("words", sa.String(300), nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

targets = sa.Table(
    "alert_targets",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),  # mail, webhook
    sa.Column("shown", sa.String(254), nullable=False),  # the address, or a webhook's host
    sa.Column("address_sealed", sa.LargeBinary, nullable=False),  # webhooks' addresses are often secrets
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("words", sa.String(300), nullable=False),  # of the last failure
    sa.Column("disabled_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

notices = sa.Table(
    "alert_notices",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("target_id", sa.String(40), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),  # JSON
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
)
