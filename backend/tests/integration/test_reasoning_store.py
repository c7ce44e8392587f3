"""Kept thinking on a real database: whose it is, for how long, how much of it, and that nobody can read it on disk."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.db.tables.reasoning import kept_reasoning
from agent_marketplace.db.tables.vault import vault_user_keys
from agent_marketplace.reasoning import KeptReasoning, Thought, kept
from agent_marketplace.wires.base import ReasoningPart
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
ARGUMENTS = '{"path": "a", "line": 1}'
THOUGHT = Thought(
    "c1", ARGUMENTS, (ReasoningPart("canary thinking", "anthropic#canary-signature"),), "gemini#own"
)
ASKED = [("c1", ARGUMENTS)]


async def rows(home: Home) -> int:
    count = sa.select(sa.func.count()).select_from(kept_reasoning)
    return await home.db.read(lambda c: int(c.scalar(count) or 0))


def test_any_worker_finds_it_and_its_plaintext_is_nowhere_on_disk(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await KeptReasoning(home.db, home.vault, home.clock).keep("u1", "anthropic", [THOUGHT])
        disk = home.stored()
        assert b"canary" not in disk
        async with Home(tmp_path, home.clock) as other:
            found = await KeptReasoning(other.db, other.vault, other.clock).of("u1", "anthropic", ASKED)
        assert found == {("c1", ARGUMENTS): THOUGHT}

    at_home(tmp_path, test)


def test_nobody_else_gets_it(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        store = KeptReasoning(home.db, home.vault, home.clock)
        await store.keep("u1", "anthropic", [THOUGHT])
        assert not await store.of("u2", "anthropic", ASKED)
        assert not await store.of("u1", "gemini", ASKED)  # never another family than the one that minted it
        assert not await store.of("u1", "anthropic", [("c1", '{"path": "b"}')])  # ids alone are not unique
        same = ("c1", '{"line":1,"path":"a"}')  # clients write arguments anew
        assert await store.of("u1", "anthropic", [same]) == {same: THOUGHT}

    at_home(tmp_path, test)


def test_an_hour_later_it_is_gone_and_housekeeping_deletes_it(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        store = KeptReasoning(home.db, home.vault, home.clock)
        await store.keep("u1", "anthropic", [THOUGHT])
        home.clock.advance(3599)
        await store.forget_expired()
        assert await store.of("u1", "anthropic", ASKED)
        home.clock.advance(2)
        assert not await store.of("u1", "anthropic", ASKED)
        await store.forget_expired()
        assert await rows(home) == 0

    at_home(tmp_path, test)


def test_a_user_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(home: Home) -> None:
        store = KeptReasoning(home.db, home.vault, home.clock)
        monkeypatch.setattr(kept, "MOST_ROWS", 3)
        for number in range(5):
            home.clock.advance(1)
            await store.keep("u1", "anthropic", [Thought(f"c{number}", "{}", THOUGHT.parts)])
        await store.keep("u2", "anthropic", [THOUGHT])
        assert set(await store.of("u1", "anthropic", [(f"c{n}", "{}") for n in range(5)])) == {
            ("c2", "{}"), ("c3", "{}"), ("c4", "{}"),
        }  # fmt: skip
        monkeypatch.setattr(kept, "MOST_BYTES", 300)
        home.clock.advance(1)
        await store.keep("u1", "anthropic", [Thought("last", "{}", THOUGHT.parts)])
        assert list(await store.of("u1", "anthropic", [("c4", "{}"), ("last", "{}")])) == [("last", "{}")]
        monkeypatch.setattr(kept, "_LARGEST", 10)
        await store.keep("u1", "anthropic", [THOUGHT, Thought("empty", "{}")])
        assert await rows(home) == 2

    at_home(tmp_path, test)


def test_a_lost_key_or_account_leaves_nothing_to_read(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        store = KeptReasoning(home.db, home.vault, home.clock)
        await store.keep("u1", "anthropic", [THOUGHT])
        await home.db.write(lambda c: c.execute(sa.delete(vault_user_keys)))
        home.vault.forget("u1")
        assert not await store.of("u1", "anthropic", ASKED)
        await store.keep("u1", "anthropic", [THOUGHT])  # the same call again takes the old one's place
        assert await store.of("u1", "anthropic", ASKED)
        await home.db.write(lambda c: KeptReasoning.erase_user_in(c, "u1"))
        assert await rows(home) == 0

    at_home(tmp_path, test)
