"""One run of `ledger verify`: what was counted, summed and found wrong, and how its rows are read without keeping them."""

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.segments import Archive, Segments, listed
from agent_marketplace.ledger.acts import Signed

MAX_PROBLEMS = 100
_FETCH = 5_000
Tell = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """For who does not want to know how far it is."""


class Chain:
    """One owner's chain while it is walked."""

    __slots__ = ("at_lots", "balance", "head", "promo", "reversed", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.balance = 0
        self.promo = 0  # since there are lots
        self.at_lots = (0, 0)  # balance and promo up to where lots were last apportioned
        self.head = ""
        self.reversed = False


class AccountLots:
    """Lots by account, and by the transaction that brought them."""

    def __init__(self) -> None:
        self.left: dict[int, list[int]] = {}  # account -> [promotional, paid, frozen]
        self.opening: dict[int, int] = {}  # account -> promotional credit from before there were lots
        self.brought: dict[tuple[int, int], int] = {}
        self.free: dict[
            int, list[tuple[int, int, int, int]]
        ] = {}  # account -> the orders of what may be spent


class Audit:
    """One run: what was counted, summed and found wrong."""

    def __init__(
        self, connection: sa.Connection, secret: bytes, tell: Tell, segments: Segments | None = None
    ) -> None:
        self.connection = connection
        self.secret = secret
        self.segments = segments
        self.archives: list[Archive] = listed(connection)
        self.tell = tell
        self.read = self.to_read = self._cursors = 0
        self.problems: list[str] = []
        self.chains: dict[int, Chain] = {}
        self.hashes: dict[tuple[int, int], str] = {}
        self.signed: dict[int, int] = {}  # account -> the last sequence number that a checkpoint signed
        self.rolled: dict[int, int] = {}
        self.lots_seq: dict[int, int] = {}
        self.acts = Signed()
        self.lots = AccountLots()
        self.shared: dict[str, int] = {}
        self.disputed: set[int] = set()  # accounts with paid credit that is frozen
        self.earned: dict[str, int] = {}  # accounts of authors' fees and payouts, of all postings
        self.names: dict[int, str] = {}  # account -> its name
        self.counts = dict.fromkeys(
            ("accounts", "transactions", "postings", "holds", "usage_records", "checkpoints"), 0
        )

    def wrong(self, words: str) -> None:
        """Notes a disagreement; the first hundred are told."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(words)

    def rows(self, query: sa.Select[Any]) -> Iterator[Any]:
        """The query's rows as the driver's tuples: SQLAlchemy's rows would take half of the time of a large audit.

        On PostgreSQL through a cursor of the server's, or the driver would first fetch them all into memory.
        """
        compiled = query.compile(self.connection, compile_kwargs={"literal_binds": True})
        driver = self.connection.connection.driver_connection
        assert driver is not None
        self._cursors += 1
        server = self.connection.dialect.name == "postgresql"
        cursor = driver.cursor(name=f"verify{self._cursors}") if server else driver.cursor()
        try:
            cursor.execute(str(compiled))
            while rows := cursor.fetchmany(_FETCH):
                self.read += len(rows)
                self.tell(min(self.read, self.to_read), self.to_read)
                yield from rows
        finally:
            cursor.close()
