"""The chain of administrators' acts: each line is hashed together with the one before it, under a key that is not in the database.

Whoever can edit rows can't make a line that fits. Checkpoints sign how far the log is, so lines that are cut off its end are missed as
well. Lines from before there was a key have a plain hash; they count only up to the first checkpoint that signed the log.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.admin import admin_audit as t

OWNER = 0  # under which checkpoints sign the log, where accounts have their id
NO_LINES = (0, "")
_FETCH = 1_000


def key_of(secret: bytes) -> bytes:
    """The key of the lines, from the secret that signs checkpoints."""
    return hmac.digest(secret, b"administrators' acts", hashlib.sha256)


def line_hash(key: bytes, previous: str, values: Sequence[Any]) -> str:
    """HMAC-SHA-256 (hex) over the hash before it and a line's other columns in table order."""
    return hmac.digest(key, msgspec.json.encode((previous, *values)), hashlib.sha256).hex()


def newest(connection: sa.Connection) -> tuple[int, str]:
    """(number, hash) of the last line; `NO_LINES` where there is none."""
    row = connection.execute(sa.select(t.c.id, t.c.hash).order_by(t.c.id.desc()).limit(1)).one_or_none()
    return NO_LINES if row is None else (row.id, row.hash)


class Signed:
    """What checkpoints say of the log: the hash of some lines, how far it was, and up to where lines may be without a key."""

    def __init__(self) -> None:
        self.hashes: dict[int, str] = {}
        self.last = 0
        self.plain_until: int | None = None  # None: no checkpoint has signed the log yet

    def add(self, number: int, hash_: str) -> None:
        """One checkpoint's word, in their order."""
        if self.plain_until is None:
            self.plain_until = number
        self.last = max(self.last, number)
        if number:
            self.hashes[number] = hash_


def problems(connection: sa.Connection, secret: bytes, signed: Signed, after: int = 0) -> Iterator[str]:
    """Every line behind this one that was edited, added or taken out behind the log's back."""
    key, keyed = key_of(secret), after > 0
    before = connection.execute(sa.select(t.c.id, t.c.hash).where(t.c.id == after)).one_or_none()
    number, previous = NO_LINES if before is None else (before.id, before.hash)
    if after and before is None:
        yield f"audit line {after}: signed in a checkpoint, but missing"
    rows = connection.execution_options(yield_per=_FETCH).execute(
        sa.select(t).where(t.c.id > after).order_by(t.c.id)
    )
    for row in rows:
        values = tuple(row)[:-1]
        fits = hmac.compare_digest(row.hash, line_hash(key, previous, values))
        keyed = keyed or fits
        plain = not keyed and (signed.plain_until is None or row.id <= signed.plain_until)
        if row.id != number + 1 or not (fits or (plain and row.hash == _plain_hash(previous, values))):
            yield f"audit line {row.id}: its hash does not fit"
        elif signed.hashes.get(row.id, row.hash) != row.hash:
            yield f"audit line {row.id}: differs from its signed checkpoint"
        number, previous = row.id, row.hash
    if number < signed.last:
        yield f"audit line {number + 1}: signed in a checkpoint, but missing"


def _plain_hash(previous: str, values: Sequence[Any]) -> str:
    return hashlib.sha256(msgspec.json.encode((previous, *values))).hexdigest()
