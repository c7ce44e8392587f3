"""What the operation of the servers itself needs: the row that readiness writes, and the check values of secrets."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

probes = sa.Table(
    "probes",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)

secret_checks = sa.Table(
    "secret_checks",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),  # jwt_secret, ..., or lost:<id of a master key>
    sa.Column("value", sa.String(64), nullable=False),  # HMAC of a constant under the secret
    sa.Column("made_at", sa.BigInteger, nullable=False),
)
