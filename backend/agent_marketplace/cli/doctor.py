"""`doctor`: what is wrong with an installation, each thing with the way out; and the way on when a secret is lost for good."""

from collections.abc import Iterator

from agent_marketplace.clock import SystemClock
from agent_marketplace.db import durability, migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.health import quick_check
from agent_marketplace.errors import Unavailable
from agent_marketplace.settings import Settings, SettingsError
from agent_marketplace.vault import checks, load_secrets


def examine(settings: Settings) -> list[str]:
    """Every problem, in words; empty = healthy."""
    return list(_problems(settings))


def accept_secrets(settings: Settings) -> None:
    """From here on the secrets that are given now are the right ones. Raises SettingsError, Unavailable."""
    secrets = load_secrets(settings)
    database = Database.open(settings.database_url)
    try:
        database.write_sync(lambda c: checks.accept_in(c, secrets, SystemClock().now_ms()))
    finally:
        database.close()


def _problems(settings: Settings) -> Iterator[str]:
    try:
        secrets = load_secrets(settings)
    except SettingsError as error:
        yield str(error)
        return
    database = Database.open(settings.database_url)
    try:
        damage = database.read_sync(quick_check)
        if damage is not None:
            yield damage
            return
        migrate.check(database.engine)
        if not settings.embedded:
            yield from (
                f"PostgreSQL runs with {name}=off: money would not survive a power cut"
                for name in database.read_sync(durability.switched_off)
            )
            yield from database.read_sync(durability.replication_doubts)
        yield from database.read_sync(lambda c: checks.problems(c, secrets))
    except (migrate.MigrationError, Unavailable) as error:
        yield database.damage or str(error)
    finally:
        database.close()
        for path in secrets.created:  # looking must change nothing
            path.unlink(missing_ok=True)
