"""Accounts: users, sessions, marketplace keys, sign-ins by device code, invites, and marks of what happens once.

`*_at`: ms since the epoch.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),  # normalised
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),  # user, admin
    sa.Column("tier", sa.String(32), nullable=False),
    sa.Column("tier_expires_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("suspended_at", sa.BigInteger),  # by an administrator: no session and no key works
)

trusted_accounts = sa.Table(
    "trusted_accounts",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),  # an administrator vouches for it
    sa.Column("trusted_at", sa.BigInteger, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column(
        "address_digest", sa.String(64), nullable=False
    ),  # keyed hash: tells a known device, not where it is
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
)

marketplace_keys = sa.Table(
    "marketplace_keys",
    metadata,
    sa.Column("key_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column(
        "digest", sa.String(64), nullable=False, unique=True
    ),  # HMAC-SHA256 under the installation's pepper
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("prefix", sa.String(16), nullable=False),  # what lists show
    sa.Column("scopes", sa.String(200), nullable=False),  # space-separated
    sa.Column("cap_nano", sa.BigInteger),
    sa.Column("cap_period", sa.String(10)),
    sa.Column("time_zone", sa.String(60)),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("last_used_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("max_in_flight", sa.Integer),  # calls at once; none: as many as its user may have
)

# A program that asks for a key by a code that its user types into our page (RFC 8628). No key is in here: it is made when the
# program fetches it.
device_grants = sa.Table(
    "device_grants",
    metadata,
    sa.Column("device_digest", sa.String(64), primary_key=True),  # keyed hash of the program's code
    sa.Column("user_digest", sa.String(64), nullable=False, unique=True),  # keyed hash of the user's code
    sa.Column("client", sa.String(100), nullable=False),  # what the program calls itself
    sa.Column("wanted", sa.String(200), nullable=False),  # scopes that it asked for, space-separated
    sa.Column("address_digest", sa.String(64), nullable=False),  # keyed hash: the same network, or another
    sa.Column("state", sa.String(10), nullable=False),  # pending, approved, denied, taken
    sa.Column("interval_s", sa.Integer, nullable=False),
    sa.Column("polled_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("user_id", sa.String(36), index=True),  # who answered
    sa.Column("name", sa.String(100)),  # from here on: the key as it was approved
    sa.Column("scopes", sa.String(200)),
    sa.Column("cap_nano", sa.BigInteger),
    sa.Column("cap_period", sa.String(10)),
    sa.Column("time_zone", sa.String(60)),
    sa.Column("expires_in_days", sa.Integer),
)

invites = sa.Table(
    "invites",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),  # keyed hash of the code
    sa.Column("created_by", sa.String(36)),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_by", sa.String(36)),
    sa.Column("used_at", sa.BigInteger),
)

# Uniqueness decides races that a count can't: which sign-up was first, whether an address had its credit before.
sign_up_marks = sa.Table(
    "sign_up_marks",
    metadata,
    sa.Column(
        "mark", sa.String(80), primary_key=True
    ),  # `first_admin`; `credit:`, `plan:` + keyed hash of what had its effect
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
