"""`ledger verify` finds every edit behind the ledger's back: each single bit of each posting, and each derived figure."""

import asyncio
import random

import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.ledger import Ledger, Settlement, heads
from agent_marketplace.usage import Usage
from tests.fakes.examples import examples

DOLLAR = 10**9


async def some_traffic(ledger, database):
    for user in ("ann", "bob"):
        await database.write(lambda c, u=user: ledger.open_account_in(c, u, credit_nano=5 * DOLLAR))
    await database.write(lambda c: ledger.open_key_budget_in(c, "key", "total", DOLLAR))
    for i in range(8):
        user, name = ("ann", "bob")[i % 2], f"r{i}"
        await ledger.hold(name, user, 1000, price_version="v", key_id="key")
        values = {"provider": "openai", "model": "gpt4", "status": "ok", "provider_cost_nano": 300}
        await ledger.settle(
            Settlement(request_id=name, user_id=user, charge_nano=500 + i, usage=Usage(input=9), **values)
        )
        if i == 3:
            await ledger.checkpoint()
    await ledger.hold("voided", "ann", 1000, price_version="v")
    await ledger.void("voided", "why")
    await ledger.hold("open", "ann", 1000, price_version="v", key_id="key")


@pytest.fixture
def ledger(database):
    ledger = Ledger(database, ManualClock(), secret=b"secret")
    asyncio.run(some_traffic(ledger, database))
    assert database.read_sync(ledger.verify_sync).ok
    return ledger


def problems(database, ledger):
    return database.read_sync(ledger.verify_sync).problems


def flipped(value, column, random_):
    """The value with one bit changed."""
    if isinstance(column.type, sa.Integer):
        value = value or 0
        return value ^ (1 << random_.randrange(40))
    raw = bytearray((value or "A").encode())
    position = random_.randrange(len(raw))
    raw[position] ^= 1 << random_.randrange(7)
    return raw.decode().replace("\0", "\1")


TABLES = (
    "ledger_transactions", "ledger_postings", "ledger_checkpoints", "ledger_accounts", "ledger_holds", "ledger_shared", "usage_records",
)  # fmt: skip
HARMLESS = {("ledger_accounts", "created_at")}  # nothing follows from it
OF_OPEN_HOLDS = {"account_id", "key_id", "amount_nano", "state"}  # the rest is sealed when they end


@pytest.mark.parametrize("table", TABLES)
def test_no_single_bit_of_the_books_changes_unseen(database, ledger, table):
    random_ = random.Random()
    t = metadata.tables[table]
    rows = database.read_sync(lambda c: c.execute(sa.select(t)).all())
    for column in t.columns:
        for row in random_.sample(rows, examples(len(rows))):
            still_open = table == "ledger_holds" and row.state == "open"
            if (table, column.name) in HARMLESS or (still_open and column.name not in OF_OPEN_HOLDS):
                continue
            old = getattr(row, column.name)
            here = sa.and_(*(c == getattr(row, c.name) for c in t.primary_key.columns))
            new = flipped(old, column, random_)
            there = sa.and_(
                *(c == (new if c is column else getattr(row, c.name)) for c in t.primary_key.columns)
            )
            taken = database.read_sync(lambda c, there=there: c.execute(sa.select(t).where(there)).first())
            if column.primary_key and taken is not None:
                continue  # the database itself refuses a second row of that name
            database.write_sync(
                lambda c, w=here, n=column.name, v=new: c.execute(sa.update(t).where(w).values({n: v}))
            )
            assert problems(database, ledger), f"{table}.{column.name}: {old!r} -> {new!r} went unseen"
            database.write_sync(
                lambda c, w=there, n=column.name, v=old: c.execute(sa.update(t).where(w).values({n: v}))
            )
    # What an edit moved in the roll-ups (the user or the request of a row) is made anew, not moved back.
    assert [words for words in problems(database, ledger) if "usage rebuild" not in words] == []


EDITS = {
    "a richer wallet": "UPDATE ledger_accounts SET balance_nano = balance_nano + 1 WHERE name = 'user:ann'",
    "a hold forgotten": "UPDATE ledger_accounts SET held_nano = 0 WHERE name = 'user:ann'",
    "another head": "UPDATE ledger_accounts SET head = 'x' WHERE name = 'user:ann'",
    "a wallet deleted": "DELETE FROM ledger_accounts WHERE name = 'user:ann'",
    "the last posting deleted": "DELETE FROM ledger_transactions WHERE owner_id = 1 AND seq = 5",
    "a middle posting deleted": "DELETE FROM ledger_transactions WHERE owner_id = 1 AND seq = 2",
    "what a checkpoint signed deleted": "DELETE FROM ledger_transactions WHERE owner_id = 1 AND seq >= 3",
    "a counter-posting deleted": "DELETE FROM ledger_postings WHERE owner_id = 1 AND seq = 2",
    "a stray counter-posting": "INSERT INTO ledger_postings VALUES (1, 99, 'platform:revenue', 5)",
    "a stray counter-posting at the end": "INSERT INTO ledger_postings VALUES (99, 1, 'platform:revenue', 5)",
    "a roll-up edited": "UPDATE ledger_shared SET balance_nano = balance_nano + 1 WHERE account = 'provider:openai'",
    "a roll-up deleted": "DELETE FROM ledger_shared WHERE account = 'provider:openai'",
    "all checkpoints deleted": "DELETE FROM ledger_checkpoints",
    "a wallet given to somebody else": "UPDATE ledger_accounts SET name = 'user:eve' WHERE name = 'user:ann'",
    "a seal taken away": "UPDATE usage_records SET seal = NULL WHERE request_id = 'r5'",
    "an expiry put off": "UPDATE ledger_accounts SET lots_due_at = lots_due_at - 1",
    "another count of tokens": "UPDATE usage_records SET output = output + 1 WHERE request_id = 'voided'",
    "a hold's charge edited": "UPDATE ledger_holds SET charged_nano = charged_nano - 1 WHERE request_id = 'r1'",
    "a settled hold reopened": "UPDATE ledger_holds SET state = 'open' WHERE request_id = 'r1'",
    "a hold deleted": "DELETE FROM ledger_holds WHERE request_id = 'r1'",
    "a usage row edited": "UPDATE usage_records SET charge_nano = 0 WHERE request_id = 'r1'",
    "a usage row deleted": "DELETE FROM usage_records WHERE request_id = 'voided'",
    "a usage row without a request": "UPDATE usage_records SET request_id = 'x' WHERE request_id = 'voided'",
    "a key's holds forgotten": "UPDATE key_budgets SET held_nano = 0",
    "a lot's rest edited": "UPDATE ledger_lots SET left_nano = left_nano - 1",
    "a lot said to be paid": "UPDATE ledger_lots SET paid = 1",
    "a lot thawed or frozen": "UPDATE ledger_lots SET frozen = 1 - frozen",
    "a lot made bigger": "UPDATE ledger_lots SET nano = nano + 1",
    "a lot deleted": "DELETE FROM ledger_lots",
    "a lot that nothing brought": "INSERT INTO ledger_lots VALUES (1, 99, 1, 'order', 5, 0, 100, 9, 0, 1, '')",
    "a lot of nobody": "INSERT INTO ledger_lots VALUES (99, 1, 1, 'opening', 5, 5, 100, 9, 0, 1, '')",
    "a promotional part edited": "UPDATE ledger_accounts SET promo_nano = 0 WHERE name = 'user:ann'",
    "a usage row's promotional part edited": "UPDATE usage_records SET promo_nano = 0 WHERE request_id = 'r1'",
    "held above the balance": "UPDATE ledger_accounts SET held_nano = 6000000000 WHERE name = 'user:ann'",
}


@pytest.mark.parametrize("edit", EDITS)
def test_no_derived_figure_changes_unseen(database, ledger, edit):
    statement = EDITS[edit]
    owner = database.read_sync(
        lambda c: c.execute(sa.text("SELECT id FROM ledger_accounts WHERE name = 'user:ann'")).scalar_one()
    )
    statement = statement.replace("owner_id = 1", f"owner_id = {owner}").replace("(1, 99,", f"({owner}, 99,")
    changed = database.write_sync(lambda c: c.execute(sa.text(statement)).rowcount)
    assert changed > 0
    assert problems(database, ledger)


def test_a_whole_chain_forged_without_the_secret_is_found(database, ledger):
    impostor = Ledger(database, ManualClock(), secret=b"guess")
    found = problems(database, impostor)
    assert found[0] == "checkpoint 1: signature does not fit"
    assert sum("seal does not fit" in words for words in found) == 9  # the requests that have ended


def test_books_whose_end_was_cut_off_are_found_by_a_head_kept_elsewhere(database, ledger, tmp_path):
    """A write-ahead log without its last transactions is consistent: nothing inside the database tells."""
    file = tmp_path / "head"
    before = asyncio.run(ledger.keep_head(file))
    asyncio.run(ledger.grant("ann", DOLLAR, kind="credit"))
    after = asyncio.run(ledger.keep_head(file))
    assert heads.parse(file.read_text()) == after
    heads.keep(file, before)
    assert heads.parse(file.read_text()) == after, "an older head took the newer one's place"
    assert database.read_sync(lambda c: heads.missing(c, after)) is None
    database.write_sync(
        lambda c: c.execute(sa.text(f"DELETE FROM ledger_checkpoints WHERE id = {after.number}"))
    )
    assert "was cut off" in database.read_sync(lambda c: heads.missing(c, after))
    forged = heads.Head(before.number, before.at + 1, before.signature)
    assert "rewritten" in database.read_sync(lambda c: heads.missing(c, forged))


@pytest.mark.parametrize("text", ["", "7", "7:x:y", "a:b:c:d"])
def test_what_is_no_head_is_refused_not_taken_for_one(text):
    with pytest.raises(ValueError, match="not a head"):
        heads.parse(text)


def test_an_unreadable_checkpoint_is_a_problem_not_a_crash(database, ledger):
    database.write_sync(lambda c: c.execute(sa.text("UPDATE ledger_checkpoints SET heads = 'x'")))
    assert "checkpoint 1: unreadable" in problems(database, ledger)


def test_a_flood_of_problems_is_cut_short(database, ledger, monkeypatch):
    monkeypatch.setattr("agent_marketplace.ledger.audit.MAX_PROBLEMS", 2)
    database.write_sync(lambda c: c.execute(sa.text("UPDATE ledger_transactions SET hash = 'x'")))
    assert len(problems(database, ledger)) == 2
