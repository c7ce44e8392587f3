"""Giving the room of deleted rows back to the disk, on SQLite with its server stopped."""

from agent_marketplace.cli.common import database_file, fail, load_settings
from agent_marketplace.cli.lock import AlreadyServed, sole_server
from agent_marketplace.cli.progress import progress
from agent_marketplace.db import copies


def shrunk() -> tuple[int, int]:
    """The file's size in bytes before and after."""
    settings = load_settings()
    if not settings.embedded:
        fail(
            "PostgreSQL gives the room to new rows by itself (autovacuum); `VACUUM FULL` gives it to the disk"
        )
    path = database_file(settings)
    before = path.stat().st_size
    try:
        with sole_server(settings), progress("Shrinking the file"):
            copies.shrink(path)
    except (AlreadyServed, copies.CopyError) as error:
        fail(str(error))
    return before, path.stat().st_size
