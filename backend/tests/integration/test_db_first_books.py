"""What the first published code wrote opens for ever: its database and its backup, on SQLite and PostgreSQL, to the last nano-dollar.

The copies in golden/ were made by that code itself (fakes/first_books.py says how).
"""

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.app import Market, build
from agent_marketplace.cli import backup
from agent_marketplace.db import copies, migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.settings import Settings, load
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.first_books import (
    ENCRYPTION_KEY,
    JWT_SECRET,
    PASSWORD,
    PROVIDER_KEY,
    QUESTION,
    put_secrets,
)

GOLDEN = Path(__file__).parent.parent / "golden"
Rows = dict[str, list[str]]


class Found:
    """An installation that still has the first tables' copy. facts: what was true when it was made."""

    def __init__(self, folder: Path, url: str, kind: str) -> None:
        self.copy = folder / f"copy.{kind}"
        self.copy.write_bytes(gzip.decompress((GOLDEN / f"first_books.{kind}.gz").read_bytes()))
        self.facts: dict[str, str] = json.loads((GOLDEN / "first_books.json").read_text())[kind]
        env = {"MARKETPLACE_DATA_DIR": str(folder), "MARKETPLACE_LOCAL_MODEL": "off", "DATABASE_URL": url}
        if kind == "sqlite":
            put_secrets(folder)
        else:
            env |= {"JWT_SECRET": JWT_SECRET, "ENCRYPTION_KEY": ENCRYPTION_KEY}
        self.settings: Settings = load(env)

    def put_in_place(self) -> None:
        """As if the new code had been installed over the old one's data."""
        if self.settings.embedded:
            copies.copy_sqlite(self.copy, self.settings.data_dir / "marketplace.db", lambda *_: None)
        else:
            copies.load_postgres(self.settings.database_url, self.copy)


@pytest.fixture
def found(tmp_path: Path, database_url: str, database_kind: str) -> Found:
    return Found(tmp_path, database_url, database_kind)


@pytest.fixture
def opened(found: Found) -> Iterator[Database]:
    database = Database.open(found.settings.database_url)
    yield database
    database.close()


def rows_of(
    database: Database, columns: dict[str, list[str]] | None = None
) -> tuple[dict[str, list[str]], Rows]:
    """(the columns that are there, every value of every row), of the given columns only."""
    with database.engine.connect() as connection:
        inspector = sa.inspect(connection)
        tables = columns or {
            table: [column["name"] for column in inspector.get_columns(table)]
            for table in inspector.get_table_names()
            if table != "alembic_version"
        }
        rows = {}
        for table, names in tables.items():
            query = sa.select(*(sa.column(name) for name in names)).select_from(sa.table(table))
            rows[table] = sorted(repr(tuple(row)) for row in connection.execute(query))
    return tables, rows


def closed(market: Market) -> None:
    market.accounts.close()
    market.db.close()


def test_an_upgrade_of_the_first_tables_changes_no_value_and_the_books_agree(
    found: Found, opened: Database
) -> None:
    found.put_in_place()
    with pytest.raises(migrate.MigrationError, match=r"revision 0001.*agent-marketplace migrate"):
        migrate.check(opened.engine)
    columns, before = rows_of(opened)
    assert sum(map(len, before.values())) > 100
    assert migrate.upgrade(opened.engine) != "0001"
    assert rows_of(opened, columns)[1] == before
    market = build(found.settings)
    assert market.db.read_sync(market.ledger.verify_sync).problems == []
    closed(market)


def test_a_customer_of_the_first_tables_finds_money_keys_and_chats_as_they_were(
    found: Found, opened: Database
) -> None:
    found.put_in_place()
    migrate.upgrade(opened.engine)
    market = build(found.settings)
    user = found.facts["user_id"]

    async def story() -> None:
        assert await market.ledger.recover() + await market.ledger.sweep() == 1  # what ran when it stopped
        await market.accounts.auth.prove(user, PASSWORD)
        principal = await market.authenticator.authenticate({"authorization": f"Bearer {found.facts['key']}"})
        assert principal.user_id == user
        assert (await market.vault.get(user, "openai")).reveal() == PROVIDER_KEY
        messages = await market.conversations.messages(user, found.facts["conversation_id"])
        assert [m.content for m in messages] == [QUESTION]
        counted = await market.conversations.stored(user)  # by the migration
        assert await market.conversations.recount(user) == (counted, counted)
        assert counted > len(QUESTION)
        wallet = await market.ledger.balance(user)
        assert wallet.available == 0
        lots = await market.ledger.lots(user)
        assert sum(lot.left for lot in lots) == wallet.balance
        assert {lot.source for lot in lots} <= {"opening"}
        await market.ledger.grant(user, DOLLAR, kind="topup")
        await market.ledger.hold("req_new", user, DOLLAR, price_version="v2", key_id=principal.key_id)
        receipt = await market.ledger.settle(settlement("req_new", DOLLAR // 4, user=user))
        assert (receipt.charged_nano, receipt.absorbed_nano) == (DOLLAR // 4, 0)
        await market.ledger.checkpoint()

    asyncio.run(story())
    assert market.db.read_sync(market.ledger.verify_sync).problems == []
    closed(market)


def test_a_backup_of_the_first_tables_is_restored_by_todays_command(
    found: Found, opened: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    restored = backup.restore(found.settings, found.copy, force=False)
    assert restored.revision == migrate.check(opened.engine)
    assert (restored.accounts, restored.unreadable) == (2, 0)
    market = build(found.settings)
    report: Any = market.db.read_sync(market.ledger.verify_sync)
    assert (report.problems, report.usage_records, report.checkpoints) == ([], 24, 1)
    closed(market)
