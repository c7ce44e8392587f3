"""Whether a database file is whole."""

import sqlalchemy as sa

RESTORE = (
    "stop the server and put a backup back: `agent-marketplace restore FILE --force` (docs/operations.md)"
)


def quick_check(connection: sa.Connection) -> str | None:
    """What is damaged, with the way out; None = nothing was found. PostgreSQL checks its pages itself as it reads them."""
    if connection.dialect.name != "sqlite":
        return None
    try:
        verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    except sa.exc.DatabaseError as error:
        verdict = str(error.orig)
    return None if verdict == "ok" else f"The database is damaged ({verdict}): {RESTORE}"
