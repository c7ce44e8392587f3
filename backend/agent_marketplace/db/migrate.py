"""Brings a database to this version's tables, and refuses to serve on any other.

Forward only, all revisions of an upgrade in one transaction: it either arrives or leaves the old state. Revision 0001 is what
the first published code made, and is frozen: every change of a table is a revision of its own (`revision "words"`).
"""

import sys
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import agent_marketplace.db.tables  # noqa: F401  registers the tables
from agent_marketplace.db.engine import Database

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
        if found is not None and found == _scripts().get_current_head():
            return found
        if found is None and (others := sa.inspect(connection).get_table_names()):
            raise MigrationError(
                f"The database is another program's: it has tables ({', '.join(others[:3])}), but no revision of ours. "
                "Name an empty one, or the right one, in DATABASE_URL"
            )
        command.upgrade(_config(connection), "head")
    return check(engine)


def check(engine: sa.Engine) -> str:
    """Returns the database's revision. Raises MigrationError unless it is the newest that this version knows."""
    with engine.connect() as connection:
        found = _known(connection)
    head = _scripts().get_current_head()
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
    if revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise MigrationError(
            f"The database is at revision {revision}, which this version does not know: install the newer version"
        )


def revise(engine: sa.Engine, words: str) -> None:
    """Writes a revision that takes `engine`'s database (at the last revision) to the tables; read it before committing."""
    number = f"{len(list((FOLDER / 'versions').glob('*.py'))) + 1:04d}"
    with engine.begin() as connection:
        command.revision(_config(connection), words, autogenerate=True, rev_id=number)


def _known(connection: sa.Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None:
        require_known(found)
    return found


def _config(connection: sa.Connection | None = None, *, folder: Path | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder or FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    for option, value in (
        ("hooks", "ruff"),
        ("ruff.type", "module"),
        ("ruff.module", "ruff"),
        ("ruff.options", "format REVISION_SCRIPT_FILENAME"),
    ):
        config.set_section_option("post_write_hooks", option, value)
    return config


def _scripts() -> ScriptDirectory:
    return _read(FOLDER)


@cache
def _read(folder: Path) -> ScriptDirectory:
    """The revisions in a folder, read once a process."""
    return ScriptDirectory.from_config(_config(folder=folder))


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
