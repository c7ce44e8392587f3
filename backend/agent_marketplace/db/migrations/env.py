"""Alembic's entry: runs on the connection that `db/migrate.py` hands over, all in its transaction."""

from alembic import context

from agent_marketplace.db.base import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's too: `db/engine.py` begins transactions itself
)
context.run_migrations()
