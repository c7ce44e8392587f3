"""Agents that are offered: publishers, agents, their immutable versions, consents of those who run them.

`*_sealed`: encrypted by the vault under the author's data key. A row of `offered_versions` never changes but for the columns
that say what was decided about it (`state` and those behind it): what a run pins is its `content_hash`.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

publishers = sa.Table(
    "publishers",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column("handle", sa.String(40), nullable=False, unique=True),
    sa.Column("skeleton", sa.String(80), nullable=False, unique=True),  # what it can be taken for
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

offered_agents = sa.Table(
    "offered_agents",
    metadata,
    sa.Column("agent_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("slug", sa.String(40), nullable=False),
    sa.Column("visibility", sa.String(10), nullable=False),  # private, unlisted, listed
    sa.Column("live", sa.Integer),  # the version that is run unless another is named; None = none yet
    sa.Column("newest", sa.Integer, nullable=False),
    sa.Column("fork_agent_id", sa.String(40)),  # what it was made from
    sa.Column("fork_version", sa.Integer),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column(
        "last_live", sa.Integer
    ),  # the version that was offered last: its price is what a new one is compared with
    sa.UniqueConstraint("user_id", "slug"),
    sa.Index("ix_offered_agents_visibility", "visibility"),
)

offered_versions = sa.Table(
    "offered_versions",
    metadata,
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("skeleton", sa.String(200), nullable=False),  # of the name
    sa.Column("category", sa.String(20), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),  # JSON: everything but the instructions
    sa.Column("instructions_sealed", sa.LargeBinary, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("consent_hash", sa.String(64), nullable=False),  # of what a user agrees to
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("asked", sa.String(10), nullable=False),  # the visibility that was asked for
    sa.Column("reviewed", sa.SmallInteger, nullable=False),  # 1: a person approved these tools and scopes
    sa.Column("findings", sa.Text, nullable=False),  # JSON: what the checks found, in words
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("price_from", sa.BigInteger, nullable=False),  # ms; its price is charged from then on
    sa.Column("price_before", sa.Text, nullable=False),  # JSON: the price until then
    sa.Column("price_raised", sa.SmallInteger, nullable=False),  # 1: this version announced a rise
    sa.PrimaryKeyConstraint("agent_id", "version"),
    sa.Index("ix_offered_versions_state", "state"),
)

agent_consents = sa.Table(
    "agent_consents",
    metadata,
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("consent_hash", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # that was shown
    sa.Column("pinned", sa.Integer),  # the version to stay with; None = whichever is live
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("user_id", "agent_id"),
)

offered_sketches = sa.Table(
    "offered_sketches",
    metadata,
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sketch", sa.Text, nullable=False),  # JSON: see `listings.checks`
    sa.PrimaryKeyConstraint("agent_id", "version"),
)

agent_outcomes = sa.Table(
    "agent_outcomes",
    metadata,
    sa.Column("run_id", sa.String(80), primary_key=True),
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("author_id", sa.String(36), nullable=False),
    sa.Column("payer_id", sa.String(36), nullable=False),
    sa.Column("own", sa.SmallInteger, nullable=False),  # 1: run by its author: no fee, and it counts nowhere
    sa.Column("price", sa.Text, nullable=False),  # JSON: the price that it began with
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("delivered", sa.SmallInteger, nullable=False),
    sa.Column("error_class", sa.String(60), nullable=False),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("model_nano", sa.BigInteger, nullable=False),  # models and tools, without the fee
    sa.Column("took_ms", sa.BigInteger, nullable=False),
    sa.Column("fee_nano", sa.BigInteger, nullable=False),
    sa.Index("ix_agent_outcomes_agent_id_ended_at", "agent_id", "ended_at"),
    sa.Index("ix_agent_outcomes_payer_id_agent_id", "payer_id", "agent_id"),
)

agent_ratings = sa.Table(
    "agent_ratings",
    metadata,
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("run_id", sa.String(80), nullable=False),  # the settled run that gives the right to it
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("stars", sa.SmallInteger, nullable=False),
    sa.Column("words", sa.String(2000), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("agent_id", "user_id"),
)

agent_reports = sa.Table(
    "agent_reports",
    metadata,
    sa.Column("report_id", sa.String(40), primary_key=True),
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("why", sa.String(20), nullable=False),
    sa.Column("words", sa.String(2000), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.Index("ix_agent_reports_agent_id_user_id", "agent_id", "user_id"),
)
