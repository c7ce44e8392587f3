"""What administrators did. Rows are only ever added; each is hashed into a chain with the one before it."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

admin_audit = sa.Table(
    "admin_audit",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),  # ms
    sa.Column("actor", sa.String(80), nullable=False),  # a user id, or `command line`
    sa.Column("act", sa.String(40), nullable=False),
    sa.Column(
        "object", sa.String(120), nullable=False
    ),  # whose or what: a user id, an order, a batch of codes
    sa.Column("before", sa.Text, nullable=False),  # JSON
    sa.Column("after", sa.Text, nullable=False),  # JSON
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("request_id", sa.String(80), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_admin_audit_object", "object"),
    sa.Index("ix_admin_audit_actor", "actor"),
)

# What administrators chose while servers run: settings by the name of their variable, `banner`, and `off:<offer id>`.
operator_settings = sa.Table(
    "operator_settings",
    metadata,
    sa.Column("name", sa.String(320), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
