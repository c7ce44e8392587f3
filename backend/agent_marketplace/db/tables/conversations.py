"""Conversations, messages, agents, favourites. `*_sealed`: encrypted by the vault under the user's data key."""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("conversation_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("title_sealed", sa.LargeBinary, nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("agent_id", sa.String(200)),
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("messages", sa.Integer, nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("labels_sealed", sa.LargeBinary),  # JSON: folder, tags; null = none
    sa.Index("ix_conversations_user_id_updated_at", "user_id", "updated_at", "conversation_id"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("message_id", sa.String(40), primary_key=True),
    sa.Column("conversation_id", sa.String(40), nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("parent_id", sa.String(40)),
    sa.Column("seq", sa.Integer, nullable=False),  # order within the conversation
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("content_sealed", sa.LargeBinary, nullable=False),  # JSON: content and what belongs to it
    sa.Column("agent_id", sa.String(200), nullable=False),  # what was asked for: an agent or a model
    sa.Column("model", sa.String(200), nullable=False),  # what answered
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("usage", sa.Text),
    sa.Column("request_id", sa.String(80)),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("conversation_id", "seq"),
    sa.Index("ix_messages_user_id_created_at", "user_id", "created_at", "conversation_id", "seq"),
)

conversation_settings = sa.Table(
    "conversation_settings",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column("retention_days", sa.Integer, nullable=False),
)

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("agent_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

agent_versions = sa.Table(
    "agent_versions",
    metadata,
    sa.Column("agent_id", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("instructions_sealed", sa.LargeBinary, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),  # a JSON object, sealed, in base64
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("agent_id", "version"),
)

favourites = sa.Table(
    "favourites",
    metadata,
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("model_id", sa.String(200), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("user_id", "model_id"),
)

shared_chats = sa.Table(
    "shared_chats",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),  # SHA-256 of what stands in the link
    sa.Column("token_sealed", sa.LargeBinary, nullable=False),  # for its owner, to be shown again
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("conversation_id", sa.String(40), nullable=False, unique=True),
    sa.Column("leaf_id", sa.String(40), nullable=False),  # the last message of the branch that is shown
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

prompts = sa.Table(
    "prompts",
    metadata,
    sa.Column("prompt_id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(36), nullable=False, index=True),
    sa.Column("prompt_sealed", sa.LargeBinary, nullable=False),  # JSON: name, text
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

stored_bytes = sa.Table(
    "stored_bytes",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column(
        "bytes", sa.BigInteger, nullable=False
    ),  # of the user's rows above, by the rule of `conversations.store`
)
