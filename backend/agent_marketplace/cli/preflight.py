"""What must be true of a PostgreSQL before anything is served from it. Asked once by the parent, so that no worker starts in vain."""

import sqlalchemy as sa

from agent_marketplace.cli.common import fail
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.settings import Settings
from agent_marketplace.vault import load_secrets

_NEEDED = ("fsync", "full_page_writes")  # without them a power cut can lose or tear acknowledged money


def check(settings: Settings) -> None:
    """Ends with words unless the database answers, has this version's tables and keeps what it commits, and the secrets are good."""
    load_secrets(settings)
    database = Database.open(settings.database_url)
    try:
        off = database.read_sync(_switched_off)
        if off:
            fail(
                f"PostgreSQL runs with {' and '.join(f'{name}=off' for name in off)}: money would not survive a power cut", 2
            )
        migrate.check(database.engine)
    finally:
        database.close()


def _switched_off(connection: sa.Connection) -> list[str]:
    found = connection.execute(sa.select(*(sa.func.current_setting(name) for name in _NEEDED))).one()
    return [name for name, value in zip(_NEEDED, found, strict=True) if value == "off"]
