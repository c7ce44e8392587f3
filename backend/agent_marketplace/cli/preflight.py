"""What must be true of a PostgreSQL before anything is served from it. Asked once by the parent, so that no worker starts in vain."""

import logging

from agent_marketplace.cli.common import fail
from agent_marketplace.db import durability, migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.settings import Settings
from agent_marketplace.vault import load_secrets

log = logging.getLogger(__name__)


def check(settings: Settings) -> None:
    """Ends with words unless the database answers, has this version's tables and keeps what it commits, and the secrets are good."""
    load_secrets(settings)
    database = Database.open(settings.database_url)
    try:
        off = database.read_sync(durability.switched_off)
        if off:
            fail(
                f"PostgreSQL runs with {' and '.join(f'{name}=off' for name in off)}: money would not survive a power cut",
                2,
            )
        for doubt in database.read_sync(durability.replication_doubts):
            log.warning("%s", doubt)
        migrate.check(database.engine)
    finally:
        database.close()
