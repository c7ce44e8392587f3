"""The vault on a real database: nothing readable on disk, nothing movable between rows, rotation under reads."""

import asyncio
import base64
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.db.tables.vault import vault_secrets, vault_user_keys
from agent_marketplace.errors import NotFound
from agent_marketplace.vault import CannotOpen, Keyring, Secret, SecretUnreadable, Vault, store
from agent_marketplace.vault import vault as module
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases


def a_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def test_a_stored_key_comes_back_and_its_plaintext_is_nowhere_on_disk(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        stored = await home.vault.put("u1", "openai", Secret("sk-canary-0123456789"), status="verified")
        assert (stored.masked, stored.status) == ("…6789", "verified")
        assert (await home.vault.get("u1", "openai")).reveal() == "sk-canary-0123456789"
        text = await home.vault.seal_text("u1", "m1", "canary prompt text")
        assert await home.vault.open_text("u1", "m1", text) == "canary prompt text"
        disk = home.stored()
        for plain in (b"sk-canary-0123456789", b"canary prompt", home.secrets.jwt, home.secrets.key_pepper):
            assert plain not in disk
            assert base64.b64encode(plain)[:-4] not in disk

    at_home(tmp_path, test)


def test_replacing_and_deleting_a_key_take_effect_at_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.vault.put("u1", "openai", Secret("first"))
        await home.vault.get("u1", "openai")
        await home.vault.put("u1", "openai", Secret("second"))
        assert (await home.vault.get("u1", "openai")).reveal() == "second"
        assert await home.vault.configured("u1") == {"openai"}
        assert await home.vault.delete("u1", "openai")
        assert not await home.vault.delete("u1", "openai")
        with pytest.raises(NotFound):
            await home.vault.get("u1", "openai")
        assert await home.vault.configured("u1") == frozenset()

    at_home(tmp_path, test)


def test_a_key_that_its_provider_refused_shows_so_at_once_and_an_erased_user_leaves_nothing(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        await home.vault.put("u1", "openai", Secret("first"), status="verified")
        sealed = await home.vault.seal_text("u1", "m1", "a text")
        assert await home.vault.mark("u1", "openai", "unverified")
        assert [key.status for key in await home.vault.list("u1")] == ["unverified"]
        assert not await home.vault.mark("u1", "anthropic", "verified")
        await home.db.write(lambda connection: home.vault.erase_user_in(connection, "u1"))
        home.vault.forget("u1")
        assert await home.vault.list("u1") == []
        with pytest.raises(CannotOpen):
            await home.vault.open_text("u1", "m1", sealed)

    at_home(tmp_path, test)


def test_another_process_sees_a_deleted_key_go_within_a_second(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        other = Vault(home.db, home.secrets.keyring, home.clock)
        await home.vault.put("u1", "openai", Secret("first"))
        assert (await other.get("u1", "openai")).reveal() == "first"
        await home.vault.delete("u1", "openai")
        home.clock.advance(1)
        with pytest.raises(NotFound):
            await other.get("u1", "openai")

    at_home(tmp_path, test)


def test_a_ciphertext_copied_to_another_user_or_provider_is_refused_and_breaks_nothing_else(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        for user, provider in (
            ("thief", "openai"),
            ("thief", "anthropic"),
            ("owner", "openai"),
            ("owner", "anthropic"),
        ):
            await home.vault.put(user, provider, Secret(f"key of {user} for {provider}"))
        rows = vault_secrets

        def steal(connection: sa.Connection) -> None:
            of_owner = (
                sa.select(rows.c.sealed)
                .where(rows.c.user_id == "owner", rows.c.provider == "openai")
                .scalar_subquery()
            )
            connection.execute(
                sa.update(rows)
                .where(rows.c.user_id == "thief", rows.c.provider == "openai")
                .values(sealed=of_owner)
            )

        await home.db.write(steal)
        home.vault.forget("thief")
        with pytest.raises(SecretUnreadable, match="enter it again"):
            await home.vault.get("thief", "openai")
        shown = {key.provider: key.status for key in await home.vault.list("thief")}
        assert shown == {"openai": "needs_reentry", "anthropic": "unverified"}
        assert (await home.vault.get("thief", "anthropic")).reveal() == "key of thief for anthropic"

    at_home(tmp_path, test)


def test_a_lost_master_key_shows_as_needs_reentry_and_new_texts_still_work(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.vault.put("u1", "openai", Secret("first"))
        old_text = await home.vault.seal_text("u1", "m1", "before")
        later = Vault(home.db, Keyring([a_key()]), home.clock)
        assert [key.status for key in await later.list("u1")] == ["needs_reentry"]
        with pytest.raises(CannotOpen):
            await later.open_text("u1", "m1", old_text)
        new_text = await later.seal_text("u1", "m2", "after")
        assert await later.open_text("u1", "m2", new_text) == "after"
        await later.put("u1", "openai", Secret("entered again"))
        assert (await later.get("u1", "openai")).reveal() == "entered again"
        rotation = await later.rotate()
        assert (rotation.rewrapped, rotation.unreadable) == (0, 1)

    at_home(tmp_path, test)


def test_rotation_under_reads_fails_none_and_leaves_no_row_on_the_old_key(tmp_path: Path) -> None:
    old, new = a_key(), a_key()

    async def test(home: Home) -> None:
        users = [f"u{i}" for i in range(120)]
        for user in users:
            await home.vault.put(user, "openai", Secret(f"key of {user}"))
        texts = {user: await home.vault.seal_text(user, "m", f"text of {user}") for user in users[:20]}
        vault = Vault(home.db, Keyring([new, old]), home.clock)
        readers = [Vault(home.db, Keyring([new, old]), home.clock) for _ in range(3)]
        reads, done = 0, asyncio.Event()
        told: list[tuple[int, ...]] = []

        async def read(reader: Vault, shift: int) -> None:
            nonlocal reads
            for i in range(400):
                user = users[(i * 7 + shift) % len(users)]
                reader.forget(user)
                assert (await reader.get(user, "openai")).reveal() == f"key of {user}"
                reads += 1
                if done.is_set() and i >= 40:
                    return

        async def rotate() -> None:
            rotation = await vault.rotate(batch=7, tell=lambda *progress: told.append(progress))
            assert (rotation.rewrapped, rotation.unreadable) == (140, 0)
            done.set()

        await asyncio.gather(rotate(), *(read(reader, i) for i, reader in enumerate(readers)))
        assert reads >= 120
        assert told == sorted(set(told))
        assert told[-1] == (140, 140)
        assert await vault.count_by_key() == {Keyring([new]).primary: 140}
        alone = Vault(home.db, Keyring([new]), home.clock)
        for user in users:
            assert (await alone.get(user, "openai")).reveal() == f"key of {user}"
        for user, sealed in texts.items():
            assert await alone.open_text(user, "m", sealed) == f"text of {user}"

    at_home(tmp_path, test, encryption_keys=(old,))


def test_a_text_opens_only_for_its_user_in_its_place_and_unchanged(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        sealed = await home.vault.seal_text("u1", "m1", "hello \ud800 wörld")
        assert await home.vault.open_text("u1", "m1", sealed) == "hello \ud800 wörld"
        for user, place, body in (
            ("u2", "m1", sealed),
            ("u1", "m2", sealed),
            ("u1", "m1", sealed[:-1]),
            ("u1", "m1", b""),
            ("u1", "m1", b"\x02" + sealed[1:]),
            ("u1", "m1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
            ("u1", "m1", sealed[:10]),
        ):
            with pytest.raises(CannotOpen):
                await home.vault.open_text(user, place, body)

    at_home(tmp_path, test)


def test_two_processes_make_one_data_key_for_a_user(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        vaults = [Vault(home.db, home.secrets.keyring, home.clock) for _ in range(6)]
        sealed = await asyncio.gather(*(vault.seal_text("u1", "m", str(i)) for i, vault in enumerate(vaults)))
        for i, text in enumerate(sealed):
            assert [await vault.open_text("u1", "m", text) for vault in vaults] == [str(i)] * 6
        count = sa.select(sa.func.count()).select_from(vault_user_keys)
        assert await home.db.read(lambda c: c.execute(count).scalar_one()) == 1

    at_home(tmp_path, test)


def test_the_caches_stay_bounded_and_what_they_forget_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CACHED_USERS", 3)

    async def test(home: Home) -> None:
        sealed = []
        for i in range(8):
            await home.vault.put(f"u{i}", "openai", Secret(f"key {i}"))
            sealed.append(await home.vault.seal_text(f"u{i}", "m", f"text {i}"))
        for i in range(8):
            assert (await home.vault.get(f"u{i}", "openai")).reveal() == f"key {i}"
            assert await home.vault.open_text(f"u{i}", "m", sealed[i]) == f"text {i}"
        assert (len(home.vault._rows), len(home.vault._texts)) == (3, 3)

    at_home(tmp_path, test)


def test_a_re_wrap_does_not_overwrite_a_row_that_changed_meanwhile(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.vault.put("u1", "openai", Secret("key"))

        def work(connection: sa.Connection) -> tuple[bool, bool]:
            (row,) = store.not_under(connection, vault_secrets, "another key", "", 10)
            first = store.swap_wrapping(connection, vault_secrets, row, "wrapped by another process", "k2")
            return first, store.swap_wrapping(connection, vault_secrets, row, "wrapped by us", "k3")

        assert await home.db.write(work) == (True, False)

    at_home(tmp_path, test)
