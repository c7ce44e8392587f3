"""Old requests leave the database: their holds and usage rows are moved to files that `ledger verify` reads like the tables.

A file is written, read again and signed before the first of its rows is deleted; a process that dies in between leaves rows in both
places, which is told apart from nothing, and the next run goes on. Postings, sums of usage and whatever else counts money stay.
"""

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.segments import Archive, Segments, begin, listed
from agent_marketplace.db.tables.ledger import archives, holds, usage_records
from agent_marketplace.db.tables.payments import disputes
from agent_marketplace.db.tables.usage_log import SUMMING, usage_unrolled
from agent_marketplace.ledger.book import HOLD, USAGE_SEALED
from agent_marketplace.ledger.seals import seal, seal_key
from agent_marketplace.ledger.writer import AGENT_FEE
from agent_marketplace.locking import lock

LEAST_DAYS = 60
"""Younger requests may still be disputed, given back, or read by those who learn from them."""
_FILE = 100_000  # requests a file
_READ = 500
_BATCH = 500  # requests a transaction that deletes them
_PAUSE_S = 0.01  # between two of them: what waits for the writer goes first
Tell = Callable[[int, int], None]
Request = tuple[tuple[Any, ...], tuple[Any, ...] | None, str | None]
"""Hold, usage row, seal."""
_u, _h = usage_records.c, holds.c


class ArchiveError(RuntimeError):
    """Nothing (more) is moved; the message says why."""


class Archiver:
    """secret: signs the list of files, as it signs checkpoints."""

    def __init__(self, database: Database, segments: Segments, clock: Clock, secret: bytes) -> None:
        self._database = database
        self._segments = segments
        self._clock = clock
        self._secret = secret

    async def run(self, days: int, tell: Tell = lambda _done, _total: None) -> int:
        """Moves requests that ended more than `days` days ago. Returns how many; 0 also where another process is at it.

        tell: how many are moved, of how many. Raises ArchiveError, Unavailable, OSError.
        """
        if days < LEAST_DAYS:
            raise ArchiveError(f"Only what is {LEAST_DAYS} days old or older can be archived")
        cut = self._clock.now_ms() - days * 86_400_000
        folder, done = self._segments.folder, 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with folder.joinpath(".lock").open("w") as file:
            try:
                lock(file)
            except BlockingIOError:
                return 0
            for half in await self._database.read(lambda c: [a for a in listed(c) if a.moved_at is None]):
                await self._delete(half)
            total = await self._database.read(partial(_count, cut=cut))
            while done < total:
                tell(done, total)
                made = await self._database.read(partial(self._write, cut=cut))
                if made is None:
                    break
                await self._database.write(partial(_list, secret=self._secret, made=made))
                await self._delete(made)
                done += made.requests
            tell(total, total)
        return done

    def _write(self, connection: sa.Connection, cut: int) -> Archive | None:
        """One file, complete and on the disk; None = there is nothing left to move."""
        names = [row[0] for row in connection.execute(_movable(_u.request_id, cut).limit(_FILE))]
        if not names:
            return None
        before = listed(connection)
        number = before[-1].id + 1 if before else 1
        name = f"{number:06}-{secrets.token_hex(4)}.db"
        part = self._segments.folder.joinpath(f"{name}.part")
        key = seal_key(self._secret)
        with contextlib.closing(begin(part)) as new:
            new.execute("BEGIN")
            for start in range(0, len(names), _READ):
                _copy(connection, new, names[start : start + _READ], key)
            new.execute("COMMIT")
            (low, high) = new.execute("SELECT min(created_at), max(created_at) FROM usage_records").fetchone()
        path = self._segments.folder.joinpath(name)
        _keep(part, path)
        with self._segments.open(name) as again:
            digest = Digest(rows_of(again))
            for _ in digest:
                pass
        found, count = digest.found
        if count != len(names):
            raise ArchiveError(f"{path} holds {count} requests, not {len(names)}")
        made = Archive(number, name, count, low, high, self._clock.now_ms(), found, "", None)
        previous = before[-1].signature if before else ""
        return msgspec.structs.replace(made, signature=sign(self._secret, previous, made))

    async def _delete(self, moved: Archive) -> None:
        """What a file holds goes from the tables, where it still is what the file says."""
        with self._segments.open(moved.name) as segment:
            query = sa.select(_u.request_id, _u.seal)
            rows = [(row[0], row[1]) for row in segment.execute(query)]
        for start in range(0, len(rows), _BATCH):
            await self._database.write(
                partial(_forget, some=dict(rows[start : start + _BATCH])), durable=False
            )
            await asyncio.sleep(_PAUSE_S)
        now = self._clock.now_ms()
        mark = sa.update(archives).where(archives.c.id == moved.id).values(moved_at=now)
        await self._database.write(lambda c: c.execute(mark))


def rows_of(segment: sa.Connection) -> Iterator[Request]:
    """(hold, usage row, seal) of each request of a file, in the order of the ids' bytes."""
    columns = (*(_h[name] for name in HOLD), *(_u[name] for name in USAGE_SEALED))
    query = sa.select(*columns).join(usage_records, _u.request_id == _h.request_id).order_by(_h.request_id)
    driver = segment.connection.driver_connection
    assert driver is not None
    cursor = driver.cursor()
    cursor.execute(str(query.compile(segment)))
    while rows := cursor.fetchmany(_READ):
        for row in rows:
            yield row[: len(HOLD)], row[len(HOLD) : -1], row[-1]


class Digest:
    """Rows as they pass. found: SHA-256 (hex) over those that did, and how many they were."""

    def __init__(self, rows: Iterator[Request]) -> None:
        self._rows = rows
        self._whole = hashlib.sha256()
        self._count = 0

    def __iter__(self) -> Iterator[Request]:
        for row in self._rows:
            self._whole.update(msgspec.json.encode(row))
            self._count += 1
            yield row

    @property
    def found(self) -> tuple[str, int]:
        return self._whole.hexdigest(), self._count


def sign(secret: bytes, previous: str, made: Archive) -> str:
    """HMAC-SHA-256 (hex) over the previous file's signature and what the list says of this one."""
    key = hmac.digest(secret, b"archive", hashlib.sha256)
    said = (previous, made.id, made.name, made.requests, made.first_at, made.last_at, made.at, made.digest)
    return hmac.digest(key, msgspec.json.encode(said), hashlib.sha256).hex()


def _movable(what: Any, cut: int) -> sa.Select[Any]:
    """Ended requests from before `cut` that are summed up, oldest first. Not those that ended with their process, for a late
    settlement still wins, nor fees of agents, which `ledger.earnings` may give back, nor what is disputed and not decided."""
    waiting = sa.exists().where(
        usage_unrolled.c.user_id == _u.user_id, usage_unrolled.c.request_id == _u.request_id
    )
    open_ = sa.exists().where(disputes.c.request_id == _u.request_id, disputes.c.state == "open")
    ended = _h.state.in_(("settled", "voided"))
    return (
        sa.select(what)
        .select_from(usage_records.join(holds, _h.request_id == _u.request_id))
        .where(_u.created_at < cut, ended, _h.price_version != AGENT_FEE, ~waiting, ~open_)
        .order_by(_u.created_at)
    )


def _count(connection: sa.Connection, cut: int) -> int:
    query = _movable(_u.request_id, cut).order_by(None).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(query)).scalar_one())


def _copy(connection: sa.Connection, new: sqlite3.Connection, names: Sequence[str], key: bytes) -> None:
    """Raises ArchiveError where a row was edited: an archive holds nothing that `ledger verify` would not have passed."""
    columns = (*(_h[name] for name in HOLD), *(_u[name] for name in USAGE_SEALED))
    query = sa.select(*columns).join(usage_records, _u.request_id == _h.request_id)
    rows = [tuple(row) for row in connection.execute(query.where(_h.request_id.in_(names)))]
    for row in rows:
        hold, usage, sealed = row[: len(HOLD)], row[len(HOLD) : -1], row[-1]
        if sealed is not None and not hmac.compare_digest(sealed, seal(key, usage, hold)):
            raise ArchiveError(f"request {hold[0]} was edited: run `agent-marketplace ledger verify`")
    for table, names_, part in (
        ("ledger_holds", HOLD, slice(0, len(HOLD))),
        ("usage_records", USAGE_SEALED, slice(len(HOLD), None)),
    ):
        marks = ", ".join("?" * len(names_))
        statement = f"INSERT INTO {table} ({', '.join(names_)}) VALUES ({marks})"  # noqa: S608  constants
        new.executemany(statement, [row[part] for row in rows])


def _keep(part: Path, path: Path) -> None:
    """Under its name only once every byte is on the disk."""
    for place in (part, None):
        if place is None:
            part.rename(path)
        handle = os.open(place or path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _list(connection: sa.Connection, secret: bytes, made: Archive) -> None:
    """Raises ArchiveError where another process was faster."""
    before = listed(connection)
    if made.signature != sign(secret, before[-1].signature if before else "", made):
        raise ArchiveError("Another process archives the same books")
    connection.execute(sa.insert(archives).values(**msgspec.structs.asdict(made)))


def _forget(connection: sa.Connection, some: dict[str, str | None]) -> None:
    """Raises ArchiveError where a row was edited, or waits to be summed up: sums were made anew since the file was begun."""
    if connection.dialect.name == "postgresql":  # SQLite's writer is alone
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SUMMING)))
    waiting = sa.select(usage_unrolled.c.request_id).where(usage_unrolled.c.request_id.in_(list(some)))
    if connection.execute(waiting.limit(1)).first() is not None:
        raise ArchiveError("some of them are being summed up just now: try again")
    rows = connection.execute(sa.select(_u.request_id, _u.seal).where(_u.request_id.in_(list(some)))).all()
    changed = [name for name, sealed in rows if sealed != some[name]]
    if changed:
        raise ArchiveError(
            f"request {changed[0]} is another than in its archive: run `agent-marketplace ledger verify`"
        )
    here = [row[0] for row in rows]
    connection.execute(sa.delete(usage_records).where(_u.request_id.in_(here)))
    connection.execute(sa.delete(holds).where(_h.request_id.in_(here)))
