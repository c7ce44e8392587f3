"""Vault: provider keys and per-user data keys, both as envelopes (vault/envelope.py). No column holds a plain secret."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

vault_secrets = sa.Table(
    "vault_secrets",
    metadata,
    sa.Column("row_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("key_id", sa.String(12), nullable=False, index=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("masked", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_tested_at", sa.BigInteger),
    sa.UniqueConstraint("user_id", "provider"),
)

vault_user_keys = sa.Table(
    "vault_user_keys",
    metadata,
    sa.Column("row_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("key_id", sa.String(12), nullable=False, index=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("user_id", "version"),
)
