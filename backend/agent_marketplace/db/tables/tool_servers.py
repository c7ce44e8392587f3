"""Tool servers (MCP) of users, and the definitions of their tools as they were approved."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

tool_servers = sa.Table(
    "tool_servers",
    metadata,
    sa.Column("server_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("url", sa.String(500), nullable=False),
    sa.Column("header", sa.String(80), nullable=False),  # that the secret is sent in
    sa.Column("secret_sealed", sa.LargeBinary),  # under its owner's data key
    sa.Column("revision", sa.String(16), nullable=False),  # of the protocol, "" = not known yet
    sa.Column(
        "problem", sa.String(300), nullable=False
    ),  # why its tools could not be listed, "" = they could
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("checked_at", sa.BigInteger),
    sa.Column("stopped_at", sa.BigInteger),  # the operator's kill switch; None = its tools may be used
    sa.UniqueConstraint("user_id", "name"),
)

tool_pins = sa.Table(
    "tool_pins",
    metadata,
    sa.Column("server_id", sa.String(40), nullable=False),
    sa.Column("tool", sa.String(128), nullable=False),
    sa.Column(
        "seen_sha256", sa.String(64), nullable=False
    ),  # of the definition as it was last listed, "" = it is gone
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("pin_sha256", sa.String(64), nullable=False),  # of the definition that was approved, "" = none
    sa.Column("policy", sa.String(8), nullable=False),  # allow, ask, deny
    sa.Column("read_only", sa.SmallInteger, nullable=False),  # 1: said by who approved it
    sa.Column("approved_at", sa.BigInteger),
    sa.PrimaryKeyConstraint("server_id", "tool"),
)
