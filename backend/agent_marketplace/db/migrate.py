"""Brings a database to this version's tables, and refuses to serve on any other.

Forward only, all revisions of an upgrade in one transaction: it either arrives or leaves the old state. Revision 0001 is what
the first published code made, and is frozen: every change of a table is a revision of its own (`revision "words"`).
"""

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

import agent_marketplace.db.tables  # noqa: F401  registers the tables
from agent_marketplace.db.engine import Database

if TYPE_CHECKING:  # loaded where a revision is run: a tenth of what a start would spend on imports
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_202_611_220_001  # PostgreSQL: nodes that start together upgrade one after the other


class MigrationError(RuntimeError):
    """The database's revision is not this version's; the message says what to do."""


def upgrade(engine: sa.Engine) -> str:
    """Runs the missing revisions. Returns the revision reached. Raises MigrationError on a newer or another program's database."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        found = _known(connection)
        if found is not None and found == _revisions()[-1]:
            return found
        if found is None and (others := sa.inspect(connection).get_table_names()):
            raise MigrationError(
                f"The database is another program's: it has tables ({', '.join(others[:3])}), but no revision of ours. "
                "Name an empty one, or the right one, in DATABASE_URL"
            )
        from alembic import command

        command.upgrade(_config(connection), "head")
    return check(engine)


def check(engine: sa.Engine) -> str:
    """Returns the database's revision. Raises MigrationError unless it is the newest that this version knows."""
    with engine.connect() as connection:
        found = _known(connection)
    head = _revisions()[-1]
    if found is None:
        raise MigrationError("The database is empty: run `agent-marketplace migrate`")
    if found != head:
        raise MigrationError(
            f"The database is at revision {found}, this version needs {head}: run `agent-marketplace migrate`"
        )
    return found


def is_empty(engine: sa.Engine) -> bool:
    """Whether no revision of ours was ever run here."""
    with engine.connect() as connection:
        return _known(connection) is None


def require_known(revision: str) -> None:
    """Raises MigrationError on a revision that comes from a newer version."""
    if revision not in _revisions():
        raise MigrationError(
            f"The database is at revision {revision}, which this version does not know: install the newer version"
        )


def revise(engine: sa.Engine, words: str) -> None:
    """Writes a revision that takes `engine`'s database (at the last revision) to the tables; read it before committing."""
    from alembic import command

    number = f"{len(_revisions()) + 1:04d}"
    with engine.begin() as connection:
        command.revision(_config(connection), words, autogenerate=True, rev_id=number)


def _known(connection: sa.Connection) -> str | None:
    """The database's revision; None where it has none of ours. Raises MigrationError on one that this version does not know."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None:
        require_known(found)
    return found


def _config(connection: sa.Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    for option, value in (
        ("hooks", "ruff"),
        ("ruff.type", "module"),
        ("ruff.module", "ruff"),
        ("ruff.options", "format REVISION_SCRIPT_FILENAME"),
    ):
        config.set_section_option("post_write_hooks", option, value)
    return config


def _revisions() -> tuple[str, ...]:
    """All revisions, the first one first."""
    return _read(FOLDER)


@cache
def _read(folder: Path) -> tuple[str, ...]:
    """A revision's number is the head of its file's name, so that a start need not run all of them to know the newest."""
    return tuple(sorted(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py")))


def main(arguments: list[str]) -> None:
    """`revision WORDS`: for developers, on a throw-away SQLite database."""
    import tempfile

    if len(arguments) != 2 or arguments[0] != "revision":
        sys.exit("usage: python -m agent_marketplace.db.migrate revision WORDS")
    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"sqlite:///{directory}/empty.db")
        upgrade(database.engine)
        revise(database.engine, arguments[1])
        database.close()


if __name__ == "__main__":
    main(sys.argv[1:])
