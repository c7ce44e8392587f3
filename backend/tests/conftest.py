"""Fixtures for all suites: real databases.

A test runs on SQLite and on PostgreSQL if it is marked `both_databases` or uses `database` or `database_url`, else on SQLite.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from agent_marketplace.db.engine import Database
from tests.fakes import canary
from tests.fakes.databases import KINDS, SUITE, here, using, with_tables
from tests.fakes.postgres import Postgres, running_postgres

# How long an example takes is the machine's affair: on a busy one a property would fail that holds.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each database; module fixtures that keep a server are made anew for the second."""
    whole_module = metafunc.definition.get_closest_marker("both_databases") is not None
    if not whole_module and not {"database", "database_url"} & set(metafunc.fixturenames):
        return
    marks = {
        "sqlite": [],
        "postgresql": [pytest.mark.postgres, *([pytest.mark.repeated] if whole_module else [])],
    }
    kinds = [pytest.param(kind, marks=marks[kind]) for kind in KINDS]
    metafunc.parametrize("database_kind", kinds, indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's server is started once for each database, not once in every worker process as well."""
    for item in items:
        if (
            isinstance(item, pytest.Function)
            and "server" in item.fixturenames
            and "xdist_group" not in item.keywords
        ):
            kind = item.callspec.params.get("database_kind", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{kind}"))


@pytest.fixture(scope="session", autouse=True)
def _databases() -> Iterator[None]:
    yield
    SUITE.close()


@pytest.fixture(scope="session", autouse=True)
def _log() -> Iterator[canary.Log]:
    logger, handler = logging.getLogger("agent_marketplace"), canary.Log()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture(scope="module", autouse=True)
def database_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """`sqlite` or `postgresql`: module fixtures that start a server depend on it."""
    kind: str = getattr(request, "param", "sqlite")
    with using(kind):
        yield kind


@pytest.fixture(autouse=True)
def _swept(database_kind: str, _log: canary.Log) -> Iterator[None]:
    """S10 is held over the whole suite: see tests/fakes/canary.py."""
    with SUITE.swept():
        yield
    _log.check()


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[Postgres]:
    """A PostgreSQL with the settings of production, of the test module's own: it may be stopped and started."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def database_url(tmp_path: Path, database_kind: str) -> str:
    """The URL of an empty database: SQLite, then PostgreSQL."""
    return here().url(tmp_path)


@pytest.fixture
def database(tmp_path: Path, database_kind: str) -> Iterator[Database]:
    """An open database with all tables: SQLite, then PostgreSQL."""
    database = Database.open(with_tables(tmp_path))
    yield database
    database.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An open SQLite database with all tables, for what does not depend on the database."""
    database = Database.open(with_tables(tmp_path))
    yield database
    database.close()


@pytest.fixture
def postgres_url(tmp_path: Path) -> str:
    """The URL of an empty PostgreSQL database, for what SQLite does not have."""
    with using("postgresql"):
        return here().url(tmp_path / "postgres")
