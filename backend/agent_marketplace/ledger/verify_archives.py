"""`ledger verify`, archives: the files are those that were signed, and hold the rows that were moved to them, each once."""

import heapq
import hmac
from collections.abc import Iterator

import sqlalchemy as sa

from agent_marketplace.db.segments import Archive, Missing
from agent_marketplace.ledger.archive import Digest, Request, rows_of, sign
from agent_marketplace.ledger.audit import Audit


def check_archives(audit: Audit) -> None:
    """The list is whole, and nobody has edited it."""
    previous = ""
    for expected, made in enumerate(audit.archives, 1):
        if made.id != expected or not hmac.compare_digest(made.signature, sign(audit.secret, previous, made)):
            audit.wrong(
                f"archive {made.name}: what the list says of it was edited (its signature does not fit)"
            )
        previous = made.signature


def with_archived(audit: Audit, here: Iterator[Request]) -> Iterator[Request]:
    """The requests of the tables and of all archives, in the order of the ids' bytes. None is kept in memory."""
    if not audit.archives:
        yield from here
        return
    moving = {made.name for made in audit.archives if made.moved_at is None}
    streams = [((row, "") for row in here), *(_of_file(audit, made) for made in audit.archives)]
    last: tuple[Request, str] | None = None
    for found in heapq.merge(*streams, key=lambda item: item[0][0][0]):
        if last is not None and found[0][0][0] == last[0][0][0]:
            # While a file is being made its rows are in the tables too.
            if found[0] != last[0] or not {found[1], last[1]} & moving:
                audit.wrong(f"request {found[0][0][0]}: is in an archive and somewhere else")
            continue
        last = found
        yield found[0]


def _of_file(audit: Audit, made: Archive) -> Iterator[tuple[Request, str]]:
    """One file's requests; when it is read to its end, whether they are what was signed."""
    if audit.segments is None:
        audit.wrong(f"archive {made.name}: is not at hand")
        return
    try:
        with audit.segments.open(made.name) as segment:
            digest = Digest(rows_of(segment))
            for row in digest:
                yield row, made.name
            if digest.found != (made.digest, made.requests):
                audit.wrong(f"archive {made.name}: was edited (its rows are not those that were signed)")
    except Missing as missing:
        audit.wrong(f"{missing}: put it back")
    except sa.exc.DatabaseError as error:
        audit.wrong(f"archive {made.name}: damaged ({error.orig})")
