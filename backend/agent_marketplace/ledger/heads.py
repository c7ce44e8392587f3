"""The newest signed checkpoint, kept where the database can't reach it: what is cut off the end of the books is then found.

A copy inside the database is worth nothing against who can delete it, and a write-ahead log that lost its end is consistent.
"""

import os
import tempfile
from pathlib import Path

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import checkpoints


class Head(msgspec.Struct, frozen=True):
    """A signed checkpoint. at: ms since the epoch; signature: over it and, through the one before it, over all before."""

    number: int
    at: int
    signature: str

    def __str__(self) -> str:
        return f"{self.number}:{self.at}:{self.signature}"


def parse(text: str) -> Head:
    """The head that `str` wrote. Raises ValueError."""
    try:
        number, at, signature = text.strip().split(":")
        return Head(int(number), int(at), signature)
    except ValueError:
        raise ValueError(
            "this is not a head: `agent-marketplace ledger head` prints number:time:signature"
        ) from None


def newest(connection: sa.Connection) -> Head | None:
    """The last checkpoint; None where nothing was ever signed."""
    c = checkpoints.c
    row = connection.execute(sa.select(c.id, c.at, c.signature).order_by(c.id.desc()).limit(1)).one_or_none()
    return None if row is None else Head(*row)


def missing(connection: sa.Connection, kept: Head) -> str | None:
    """What is wrong if the books do not hold a head that was kept elsewhere; None if they do."""
    c = checkpoints.c
    row = connection.execute(sa.select(c.at, c.signature).where(c.id == kept.number)).one_or_none()
    if row is None:
        return f"checkpoint {kept.number}, kept elsewhere, is missing: the end of the books was cut off, or they were restored"
    if (row.at, row.signature) != (kept.at, kept.signature):
        return f"checkpoint {kept.number} is another than the one kept elsewhere: the books were rewritten"
    return None


def keep(path: Path, head: Head) -> None:
    """Writes the head, whole or not at all; one that is there and newer stays. Raises OSError."""
    try:
        if parse(path.read_text()).number >= head.number:
            return
    except (FileNotFoundError, ValueError):
        pass
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    with os.fdopen(handle, "w") as file:
        file.write(f"{head}\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
