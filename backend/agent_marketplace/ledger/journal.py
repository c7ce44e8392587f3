"""Settlements that the database did not take: kept in a file, synced, until it does.

One file a process, `<folder>/<owner>.jsonl`, locked by the process for its life. Whoever finds one that nobody holds takes
its entries over, so that a process that died is not forgotten either. Posting is idempotent by request id, so an entry may
be posted twice without harm, and is only let go of once the database has it.

Room is laid out when the file is made: a disk that is full is one of the reasons why a database can't commit, and then
writing over bytes that are there is all that still works.
"""

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from agent_marketplace import json
from agent_marketplace.ledger.types import KeptReply, Receipt, Settlement, Status
from agent_marketplace.locking import lock
from agent_marketplace.usage import Usage

ROOM = 1 << 20  # bytes laid out: about a thousand settlements
MOST = 64 << 20  # bytes; beyond it a settlement is lost, with words
log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement as it is kept. reply: what repeats of an idempotency key get, rendered (and sealed) beforehand.

    Everything else has the meaning that it has in `Settlement`; no prompt, no answer, no secret is among it.
    """

    request_id: str
    user_id: str
    charge_nano: int
    usage: Usage
    provider: str
    model: str
    status: Status
    provider_cost_nano: int
    list_cost_nano: int | None
    price_version: str
    detail: dict[str, Any]
    held_nano: int | None = None
    key_id: str | None = None
    reply: tuple[str, str, str] | None = None

    @classmethod
    def of(cls, settlement: Settlement, receipt: Receipt) -> "Entry":
        """receipt: what the caller is told now, which its kept reply repeats."""
        values = {name: getattr(settlement, name) for name in Settlement.__struct_fields__ if name != "kept"}
        kept = settlement.kept
        reply = None if kept is None else (kept.scope, kept.key, kept.render(receipt))
        return cls(**values, reply=reply)

    def settlement(self) -> Settlement:
        """What is to be posted."""
        values = {name: getattr(self, name) for name in Settlement.__struct_fields__ if name != "kept"}
        kept = None
        if self.reply is not None:
            scope, key, text = self.reply
            kept = KeptReply(scope, key, lambda _receipt: text)
        return Settlement(**values, kept=kept)


class JournalFull(RuntimeError):
    """No room is left, on the disk or by our own bound."""


class Journal:
    """This process's file. Entries are in memory as well: `pending` is what still has to be posted."""

    def __init__(self, folder: Path, owner: str, *, room: int = ROOM, most: int = MOST) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._path, self._most, self._used = folder, folder.joinpath(f"{owner}.jsonl"), most, 0
        self.pending: dict[str, Entry] = {}
        self._turn = threading.Lock()  # settlements end in several threads
        made = self._path.with_suffix(".new")
        self._file: BinaryIO = os.fdopen(os.open(made, os.O_CREAT | os.O_RDWR, 0o600), "r+b", buffering=0)
        lock(self._file)
        self._file.write(bytes(room))
        os.fsync(self._file.fileno())
        made.rename(self._path)  # not before it is locked: an unlocked file is taken for a dead process's

    def keep(self, entry: Entry) -> None:
        """Returns once it is on disk. Raises JournalFull."""
        line = json.encode(entry) + b"\n"
        with self._turn:
            if self._used + len(line) > self._most:
                raise JournalFull(f"its {self._most} bytes are used up")
            try:
                os.pwrite(self._file.fileno(), line, self._used)
                os.fsync(self._file.fileno())
            except OSError as error:
                raise JournalFull(error.strerror or str(error)) from error
            self._used += len(line)
            self.pending[entry.request_id] = entry

    def posted(self, request_id: str) -> None:
        """Lets go of an entry that the database has. Once none is left the file is as new."""
        with self._turn:
            self.pending.pop(request_id, None)
            if not self.pending:
                os.pwrite(self._file.fileno(), bytes(self._used), 0)
                os.fsync(self._file.fileno())
                self._used = 0

    def orphans(self) -> Iterator[tuple[BinaryIO, Path, list[Entry]]]:
        """Files that no living process holds, locked for the caller, who hands each to `bury` once its entries are posted."""
        for path in sorted(set(self._folder.glob("*.jsonl")) - {self._path}):
            file = path.open("r+b", buffering=0)
            try:
                lock(file)
            except BlockingIOError:  # its process lives
                file.close()
                continue
            yield file, path, list(_entries(file.read()))

    @staticmethod
    def bury(file: BinaryIO, path: Path, *, posted: bool) -> None:
        """Removes a file whose entries are posted; another waits for the next process."""
        if posted:
            path.unlink(missing_ok=True)
        file.close()

    def close(self) -> None:
        """Ends the process's part: an empty file goes, one with entries waits for the next process."""
        if not self.pending:
            self._path.unlink(missing_ok=True)
        self._file.close()


def _entries(data: bytes) -> Iterator[Entry]:
    """Every whole line; what was being written when its process died was never acknowledged."""
    for line in data.split(b"\0", 1)[0].split(b"\n")[:-1]:
        try:
            yield msgspec.json.decode(line, type=Entry)
        except msgspec.DecodeError:
            log.exception("a kept settlement of %d bytes can't be read", len(line))
