"""Mail that is to be sent, single-use links of accounts, and what people wish to be told. `*_at`: ms since the epoch.

No link and no token is in here: a link is made of its row's id and a secret outside the database, when it is needed.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

outbox = sa.Table(
    "mail_outbox",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False),  # whose address it goes to; empty = `recipient`
    sa.Column("recipient", sa.String(254), nullable=False),
    sa.Column("facts", sa.Text, nullable=False),  # JSON: what the letter says
    sa.Column("link_id", sa.String(40)),
    sa.Column("once", sa.String(120)),  # of what happens again and is told once
    sa.Column("state", sa.String(10), nullable=False),  # waiting, sent, failed, shown (no mail: to the admin)
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("words", sa.String(300), nullable=False),  # what the mail server said last
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.UniqueConstraint("once"),
    sa.Index("ix_mail_outbox_user_id", "user_id"),
    sa.Index("ix_mail_outbox_state", "state", "due_at"),
)

links = sa.Table(
    "account_links",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),  # empty: asked for an address that has no account
    sa.Column("kind", sa.String(10), nullable=False),  # reset, confirm
    sa.Column("made_by", sa.String(80), nullable=False),  # an administrator, or empty
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("used_at", sa.BigInteger),
)  # fmt: skip

wishes = sa.Table(
    "mail_wishes",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column("low_nano", sa.BigInteger),  # told when less is left
    sa.Column("low_armed", sa.SmallInteger, nullable=False),  # 0: told, until there is more again
)
