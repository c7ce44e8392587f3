"""One server on one SQLite database: a second one would take the first one's holds for those of the dead."""

from collections.abc import Iterator
from contextlib import contextmanager

from agent_marketplace.cli.common import database_file
from agent_marketplace.locking import lock
from agent_marketplace.settings import Settings, SettingsError


class AlreadyServed(SettingsError):
    """Another process serves this database, or restores it."""


@contextmanager
def sole_server(settings: Settings) -> Iterator[None]:
    """Holds the database's lock file for a server's life; without effect on PostgreSQL. Raises AlreadyServed, OSError.

    The kernel lets go of it however the process ends; the empty file stays.
    """
    if not settings.embedded:
        yield
        return
    database = database_file(settings).resolve()  # one file is one lock, by whatever link it is reached
    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_name(f"{database.name}.lock").open("w") as file:
        try:
            lock(file)
        except BlockingIOError:
            raise AlreadyServed(
                f"A server is running on {database}: stop it first. For more than one process use PostgreSQL (docs/operations.md)."
            ) from None
        yield
