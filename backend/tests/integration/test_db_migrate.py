"""The tables that the migrations make are the tables that the code means; a foreign revision is never served."""

import re
import shutil
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from agent_marketplace.db import migrate
from agent_marketplace.db.base import metadata
from agent_marketplace.db.engine import Database


@pytest.fixture
def empty(database_url):
    database = Database.open(database_url)
    yield database
    database.close()


def test_migrated_tables_are_the_tables_of_the_code(empty):
    migrate.upgrade(empty.engine)
    with empty.engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
            == []
        )


def test_migrated_sqlite_file_has_the_very_same_definitions(tmp_path):
    def definitions(name, make):
        database = Database.open(f"sqlite:///{tmp_path / name}")
        make(database)
        query = sa.text(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql IS NOT NULL"
        )
        found = database.read_sync(
            lambda c: {row.name: sorted(row.sql.replace("\t", "").split("\n")) for row in c.execute(query)}
        )
        database.close()
        return {name: sorted(part for line in lines for part in parts(line)) for name, lines in found.items()}

    def parts(line: str) -> list[str]:
        """SQLite writes columns that are added on the line of the one before them."""
        return re.split(
            r", (?=\w+ [A-Z]+(?:\(\d+\))?(?: DEFAULT '\d+' NOT NULL)?(?:,|$))", line.strip().rstrip(",")
        )

    made = definitions("made.db", lambda d: d.create_all())
    assert definitions("migrated.db", lambda d: migrate.upgrade(d.engine)) == made
    assert made


def test_the_revisions_told_by_file_names_are_the_ones_that_run():
    """A start knows the newest revision by the files' names: a wrong name would serve an old database as a new one."""
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    scripts = ScriptDirectory.from_config(config)
    run = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(run)) == migrate._revisions()
    assert [scripts.get_current_head()] == run[:1]


def test_a_start_on_an_up_to_date_database_loads_no_alembic_and_no_aiohttp(tmp_path):
    """They are a fifth of what every command and every start would spend on imports."""
    words = (
        "import sys; from agent_marketplace.db import migrate; from agent_marketplace.db.engine import Database; "
        f"db = Database.open('sqlite:///{tmp_path}/m.db'); migrate.upgrade(db.engine); db.close(); "
        "print('alembic' in sys.modules, 'aiohttp' in sys.modules)"
    )
    told = [
        subprocess.run([sys.executable, "-c", f"import agent_marketplace.app; {words}"], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]  # fmt: skip
    assert [t.stdout.split() for t in told] == [["True", "False"], ["False", "False"]]


def test_upgrading_twice_changes_nothing(empty):
    first = migrate.upgrade(empty.engine)
    assert migrate.upgrade(empty.engine) == first == migrate.check(empty.engine)


def test_an_empty_database_is_not_served(empty):
    with pytest.raises(migrate.MigrationError, match="empty"):
        migrate.check(empty.engine)


def test_another_programs_database_gets_none_of_our_tables(empty):
    with empty.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE bookmarks (url TEXT)"))
    with pytest.raises(migrate.MigrationError, match=r"another program.*bookmarks"):
        migrate.upgrade(empty.engine)
    with empty.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["bookmarks"]


def test_a_newer_database_is_neither_served_nor_touched(empty):
    migrate.upgrade(empty.engine)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for step in (migrate.check, migrate.upgrade):
        with pytest.raises(migrate.MigrationError, match="does not know"):
            step(empty.engine)


def test_a_failed_migration_leaves_the_old_state(empty):
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW usage_records AS SELECT 1 AS in_the_way")
    with pytest.raises(sa.exc.DBAPIError):
        migrate.upgrade(empty.engine)
    with empty.engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
    assert "ledger_accounts" not in tables
    with pytest.raises(migrate.MigrationError):
        migrate.check(empty.engine)


def test_a_new_revision_after_the_newest_changes_nothing_where_the_tables_are_unchanged(
    tmp_path, monkeypatch
):
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder)
    monkeypatch.setattr(migrate, "FOLDER", folder)
    known = sorted(path.name for path in (folder / "versions").glob("*.py"))
    migrate.main(["revision", "nothing new"])
    number = f"{len(known) + 1:04d}"
    assert "pass" in (folder / "versions" / f"{number}_nothing_new.py").read_text()
    with pytest.raises(SystemExit):
        migrate.main(["regenerate"])


def test_an_older_database_is_not_served_and_is_told_what_to_run(empty, monkeypatch, tmp_path):
    migrate.upgrade(empty.engine)
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder)
    head = migrate.check(empty.engine)
    later = (folder / "versions" / "0001_initial.py").read_text().split("def upgrade")[0]
    later = later.replace("down_revision = None", f"down_revision = {head!r}").replace(
        'revision = "0001"', 'revision = "9998"', 1
    )
    (folder / "versions" / "9998_later.py").write_text(later + "def upgrade() -> None:\n    pass\n")
    monkeypatch.setattr(migrate, "FOLDER", folder)
    with pytest.raises(migrate.MigrationError, match="agent-marketplace migrate"):
        migrate.check(empty.engine)
    assert migrate.upgrade(empty.engine) == "9998"
