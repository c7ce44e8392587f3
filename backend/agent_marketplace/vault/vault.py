"""The vault: provider keys (write-only for people) and the sealing of texts at rest."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.vault import store
from agent_marketplace.vault.envelope import CannotOpen, Context, rewrap, seal, unseal
from agent_marketplace.vault.keyring import Keyring
from agent_marketplace.vault.secret import Secret
from agent_marketplace.vault.texts import TextCipher

SecretStatus = Literal["verified", "unverified", "needs_reentry"]

_CACHED_USERS = 10_000
_ROWS_MAX_AGE_S = 1.0


class SecretUnreadable(BadRequest):
    """A stored provider key can't be decrypted any more; the user must enter it again (400)."""

    code = "needs_reentry"


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """What may be shown of a provider key. Times in ms since the epoch."""

    provider: str
    masked: str
    status: SecretStatus
    created_at: int
    last_tested_at: int | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """What `rotate` did, in rows: wrapped anew, and left because they don't open."""

    rewrapped: int
    unreadable: int


class Vault:
    """Stores secrets as envelopes bound to user, provider and row; keeps only ciphertext in its caches."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock) -> None:
        self._db = db
        self._ring = keyring
        self._clock = clock
        self._rows: OrderedDict[str, tuple[float, dict[str, store.SecretRow]]] = OrderedDict()
        self._texts: OrderedDict[str, TextCipher] = OrderedDict()

    async def put(
        self,
        user_id: str,
        provider: str,
        secret: Secret,
        *,
        status: SecretStatus = "unverified",
        note: Callable[[sa.Connection], None] | None = None,
    ) -> StoredSecret:
        """Stores a key in the place of the user's earlier one for this provider; note is done in the same transaction."""
        row_id, now = new_id("sec"), self._clock.now_ms()
        sealed = seal(
            self._ring, secret.reveal().encode(), _context("vault_secrets", user_id, provider, row_id, 1)
        )
        row = store.SecretRow(
            row_id, user_id, provider, 1, self._ring.primary, sealed, secret.masked, status, now,
            now if status == "verified" else None,
        )  # fmt: skip

        def work(connection: sa.Connection) -> None:
            store.replace_secret(connection, row)
            if note is not None:
                note(connection)

        await self._db.write(work)
        self._rows.pop(user_id, None)
        return self._shown(row)

    async def get(self, user_id: str, provider: str) -> Secret:
        """Raises NotFound (no such key) or SecretUnreadable (its master key is gone, or the row was changed)."""
        row = (await self._rows_of(user_id)).get(provider)
        if row is None:
            raise NotFound(f"No API key for {provider}", code="no_provider_key")
        try:
            return self._open(row)
        except CannotOpen:
            raise SecretUnreadable(
                f"The stored API key for {provider} can't be read any more: enter it again"
            ) from None

    async def configured(self, user_id: str) -> frozenset[str]:
        """The providers for which the user has stored a key: at most 1 s old."""
        return frozenset(await self._rows_of(user_id))

    async def list(self, user_id: str) -> list[StoredSecret]:
        """All of a user's keys, masked; a row that doesn't open has the status `needs_reentry`."""
        return [self._shown(row) for row in (await self._rows_of(user_id)).values()]

    async def delete(
        self, user_id: str, provider: str, *, note: Callable[[sa.Connection], None] | None = None
    ) -> bool:
        """Removes a key; False if there was none. note is done in the same transaction."""

        def work(connection: sa.Connection) -> bool:
            there = store.delete_secret(connection, user_id, provider)
            if there and note is not None:
                note(connection)
            return there

        done = await self._db.write(work)
        self._rows.pop(user_id, None)
        return done

    async def mark(self, user_id: str, provider: str, status: SecretStatus) -> bool:
        """Records the outcome of a test made now; False if there is no such key."""
        now = self._clock.now_ms()
        done = await self._db.write(
            lambda connection: store.set_status(connection, user_id, provider, status, now)
        )
        self._rows.pop(user_id, None)
        return done

    async def rotate(self, *, batch: int = 200, tell: Callable[[int, int], None] | None = None) -> Rotation:
        """Wraps every row by the ring's first key, in batches, with reads going on. Plaintext is never touched.

        tell: rows done, of how many.
        """
        rewrapped = unreadable = 0
        total = sum(
            rows for key_id, rows in (await self.count_by_key()).items() if key_id != self._ring.primary
        )
        for table in store.TABLES:
            after = ""
            while True:
                find = partial(
                    store.not_under, table=table, key_id=self._ring.primary, after=after, limit=batch
                )
                rows = await self._db.read(find)
                if not rows:
                    break
                after = rows[-1].row_id
                done, failed = await self._db.write(partial(self._rewrap_in, table=table, rows=rows))
                rewrapped, unreadable = rewrapped + done, unreadable + failed
                if tell is not None:
                    tell(rewrapped + unreadable, total)
        self._rows.clear()
        return Rotation(rewrapped, unreadable)

    async def count_by_key(self) -> dict[str, int]:
        """Rows per master key id."""
        return await self._db.read(store.counts_by_key)

    async def texts(self, user_id: str) -> TextCipher:
        """The cipher for a user's texts; makes the user's data key on first use."""
        cached = self._texts.get(user_id)
        if cached is None:
            cached = await self._load_texts(user_id)
            self._texts[user_id] = cached
            if len(self._texts) > _CACHED_USERS:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(user_id)
        return cached

    async def seal_text(self, user_id: str, context: str, text: str) -> bytes:
        """Encrypts a text of a user; `context` is authenticated with it."""
        return (await self.texts(user_id)).seal(context, text)

    async def open_text(self, user_id: str, context: str, sealed: bytes) -> str:
        """Decrypts a text. Raises CannotOpen."""
        return (await self.texts(user_id)).open(context, sealed)

    def erase_user_in(self, connection: sa.Connection, user_id: str) -> None:
        """Deletes a user's keys; without the data key, texts that a backup still holds stay closed. Then call `forget`."""
        store.erase_user(connection, user_id)

    def forget(self, user_id: str) -> None:
        """Drops what this process holds of a user."""
        self._rows.pop(user_id, None)
        self._texts.pop(user_id, None)

    async def _rows_of(self, user_id: str) -> dict[str, store.SecretRow]:
        now = self._clock.monotonic()
        cached = self._rows.get(user_id)
        if cached is not None and now - cached[0] < _ROWS_MAX_AGE_S:
            return cached[1]
        return self._keep(user_id, await self._db.read(lambda c: store.secrets_of(c, user_id)), now)

    def catch_up(self, user_id: str, rows: Iterable[store.SecretRow]) -> Sequence[StoredSecret]:
        """As `list`, where a user's rows (`store.secrets_of`) have just been read; from here on they are what is known."""
        return [self._shown(row) for row in self._keep(user_id, rows, self._clock.monotonic()).values()]

    def _keep(self, user_id: str, found: Iterable[store.SecretRow], now: float) -> dict[str, store.SecretRow]:
        rows = {row.provider: row for row in found}
        self._rows[user_id] = (now, rows)
        self._rows.move_to_end(user_id)
        if len(self._rows) > _CACHED_USERS:
            self._rows.popitem(last=False)
        return rows

    def _open(self, row: store.SecretRow) -> Secret:
        context = _context("vault_secrets", row.user_id, row.provider, row.row_id, row.version)
        return Secret(unseal(self._ring, row.sealed, context).decode())

    def _shown(self, row: store.SecretRow) -> StoredSecret:
        status: SecretStatus = "verified" if row.status == "verified" else "unverified"
        try:
            self._open(row)
        except CannotOpen:
            status = "needs_reentry"
        return StoredSecret(row.provider, row.masked, status, row.created_at, row.last_tested_at)

    def _rewrap_in(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[store.WrappedRow]
    ) -> tuple[int, int]:
        done = failed = 0
        for row in rows:
            context = _context(table.name, row.user_id, row.purpose, row.row_id, row.version)
            try:
                sealed = rewrap(self._ring, row.sealed, context)
            except CannotOpen:
                failed += 1
            else:
                done += store.swap_wrapping(connection, table, row, sealed, self._ring.primary)
        return done, failed

    async def _load_texts(self, user_id: str) -> TextCipher:
        while True:
            rows = await self._db.read(lambda c: store.user_keys(c, user_id))
            ciphers = self._readable(rows)
            if rows and rows[-1].row_id in ciphers:
                return TextCipher(user_id, rows[-1].row_id, ciphers)
            row = self._new_user_key(user_id, rows[-1].version + 1 if rows else 1)
            try:
                await self._db.write(partial(store.insert_user_key, row=row))
            except sa.exc.IntegrityError:
                continue  # another task or process made this version first: use theirs

    def _readable(self, rows: Sequence[store.UserKeyRow]) -> dict[str, AESGCM]:
        ciphers = {}
        for row in rows:
            try:
                raw = unseal(
                    self._ring,
                    row.sealed,
                    _context("vault_user_keys", row.user_id, "text", row.row_id, row.version),
                )
            except CannotOpen:
                continue  # texts under this key stay closed; the others, and new ones, are not affected
            ciphers[row.row_id] = AESGCM(raw)
        return ciphers

    def _new_user_key(self, user_id: str, version: int) -> store.UserKeyRow:
        row_id = new_id("dek")
        sealed = seal(
            self._ring, os.urandom(32), _context("vault_user_keys", user_id, "text", row_id, version)
        )
        return store.UserKeyRow(row_id, user_id, version, self._ring.primary, sealed, self._clock.now_ms())


def _context(table: str, user_id: str, purpose: str, row_id: str, version: int) -> Context:
    return Context(table, user_id, purpose, row_id, version)
