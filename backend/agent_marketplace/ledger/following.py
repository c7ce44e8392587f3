"""What was posted since the last look, proven again while the server runs: each new checkpoint's chains, requests and seals.

It begins where the last one ended (`Verified`, signed, one row), so that it costs what is new and not what is stored. Only the whole
`ledger verify` trusts nothing: an edit of what an earlier look has passed is found by that one.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.segments import Missing, Segments, listed
from agent_marketplace.db.tables.ledger import (
    accounts,
    checkpoints,
    holds,
    postings,
    transactions,
    usage_records,
)
from agent_marketplace.db.tables.ledger import verified as table
from agent_marketplace.ledger import acts
from agent_marketplace.ledger.book import HOLD, USAGE
from agent_marketplace.ledger.housekeeping import heads_of, sign
from agent_marketplace.ledger.postings import ABSORBED, row_hash, user_account
from agent_marketplace.ledger.returns import GIVEN_BACK
from agent_marketplace.ledger.seals import seal, seal_key

_CHUNK = 500
_MOST = 50_000  # transactions a look, for a snapshot is held meanwhile; whole checkpoints, at least one
_SLACK_MS = 60_000  # between the time in a usage row and its commit
_LOCK = 7_202_611_220_023  # PostgreSQL: one process at a time looks
_Row = tuple[Sequence[Any], Sequence[Any] | None, str]  # hold, usage row, seal
_USED, _HELD = ({name: i for i, name in enumerate(names)} for names in (USAGE, HOLD))


class Verified(msgspec.Struct, frozen=True):
    """How far was proven. checkpoint: its number; at: when that was signed, ms; problems: found since the last whole `ledger verify`
    that agreed; first: the first of them, in words."""

    checkpoint: int
    at: int
    problems: int = 0
    first: str = ""


def stored(connection: sa.Connection, secret: bytes) -> Verified | None:
    """How far it is. A row that this secret did not sign is one problem, and proves nothing."""
    row = connection.execute(sa.select(table)).one_or_none()
    if row is None:
        return None
    found = Verified(row.checkpoint, row.at, row.problems, row.first)
    if hmac.compare_digest(row.signature, _sign(secret, found)):
        return found
    return msgspec.structs.replace(
        newest(connection), problems=1, first="the mark of what was proven was edited"
    )


def newest(connection: sa.Connection) -> Verified:
    """As if all that is signed had been proven: where a new installation begins, and what a whole `ledger verify` leaves."""
    c = checkpoints.c
    row = connection.execute(sa.select(c.id, c.at).order_by(c.id.desc()).limit(1)).one_or_none()
    return Verified(0, 0) if row is None else Verified(row.id, row.at)


def keep(connection: sa.Connection, secret: bytes, now: Verified) -> None:
    """Stores how far it is."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {**msgspec.structs.asdict(now), "signature": _sign(secret, now)}
    statement = insert(table).values(id=1, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def look(
    connection: sa.Connection, secret: bytes, pause: Callable[[], None], segments: Segments | None = None
) -> Verified | None:
    """Proves what is signed and new on this connection's snapshot; None where another process is at it.

    pause: called after some hundred rows, for who shares this process; segments: requests may have been archived since.
    """
    if connection.dialect.name == "postgresql" and not connection.scalar(
        sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))
    ):
        return None
    before = stored(connection, secret)
    if before is None:
        return newest(connection)
    look = _Look(connection, secret, pause, segments)
    return look.on_from(before)


def looked(
    connection: sa.Connection, secret: bytes, pause_s: float, segments: Segments | None
) -> tuple[Verified | None, Verified | None]:
    """(how far it was, `look`), with a pause so long now and then."""
    return stored(connection, secret), look(connection, secret, lambda: time.sleep(pause_s), segments)


def _sign(secret: bytes, now: Verified) -> str:
    key = hmac.digest(secret, b"verified", hashlib.sha256)
    return hmac.digest(key, msgspec.json.encode(msgspec.structs.astuple(now)), hashlib.sha256).hex()


class _Look:
    """One look: what was read, and what was found wrong."""

    def __init__(
        self, connection: sa.Connection, secret: bytes, pause: Callable[[], None], segments: Segments | None
    ) -> None:
        self._connection = connection
        self._segments = segments
        self._secret = secret
        self._seal_key = seal_key(secret)
        self._pause = pause
        self._read = 0
        self._problems: list[str] = []

    def on_from(self, before: Verified) -> Verified:
        c = checkpoints.c
        previous = self._connection.scalar(sa.select(c.signature).where(c.id == before.checkpoint))
        if previous is None and before.checkpoint:
            self._problems.append(f"checkpoint {before.checkpoint}: missing, it was there")
        number, at = before.checkpoint, before.at
        log, begin = acts.Signed(), None
        new = sa.select(checkpoints).where(c.id > before.checkpoint).order_by(c.id)
        for id_, signed_at, heads, signature in self._connection.execute(new):
            if id_ != number + 1 or not hmac.compare_digest(
                signature, sign(self._secret, previous or "", id_, signed_at, heads)
            ):
                self._problems.append(f"checkpoint {id_}: signature does not fit")
            for owner, seq, head, since in heads_of(heads):
                if owner == acts.OWNER:
                    log.add(seq, head)
                    begin = since or 0 if begin is None else begin
                elif since is not None:
                    self._account(owner, since, seq, head)
            self._free(at, signed_at)
            number, at, previous = id_, signed_at, signature
            if self._read >= _MOST:
                break
        if begin is not None:
            self._problems += acts.problems(self._connection, self._secret, log, begin)
        return Verified(
            number, at, before.problems + len(self._problems), before.first or "".join(self._problems[:1])
        )

    def _account(self, owner: int, since: int, seq: int, head: str) -> None:
        """One account's postings after `since`, up to the signed `seq`, and what it says of itself now."""
        a, t = accounts.c, transactions.c
        account = self._connection.execute(
            sa.select(a.name, a.balance_nano, a.seq, a.head).where(a.id == owner)
        ).one_or_none()
        name = f"account {owner}" if account is None else account.name
        base = self._connection.execute(
            sa.select(t.hash, t.balance_after_nano).where(t.owner_id == owner, t.seq == since)
        ).one_or_none()
        at, balance = ("", 0) if base is None else (base.hash, base.balance_after_nano)
        if since and base is None:
            self._problems.append(f"{name}: transaction {since} is missing")
        for low in range(since, seq, _CHUNK):
            at, balance = self._chain(owner, name, (low, min(low + _CHUNK, seq)), at, balance)
        if at != head:
            self._problems.append(f"{name}: its chain does not end at what checkpoints signed")
        last = self._connection.execute(
            sa.select(t.hash, t.balance_after_nano).where(t.owner_id == owner).order_by(t.seq.desc()).limit(1)
        ).one_or_none()
        if account is None or last is None or tuple(last) != (account.head, account.balance_nano):
            self._problems.append(f"{name}: its balance is not what its postings come to")

    def _chain(self, owner: int, name: str, part: tuple[int, int], at: str, balance: int) -> tuple[str, int]:
        """Transactions (low, high] of an account. Returns the last hash and balance."""
        t, p, (low, high) = transactions.c, postings.c, part
        legs: dict[int, list[tuple[str, int]]] = {}
        rows = sa.select(p.seq, p.account, p.amount_nano).where(
            p.owner_id == owner, p.seq > low, p.seq <= high
        )
        for seq, account, amount in self._connection.execute(rows):
            legs.setdefault(seq, []).append((account, amount))
        sums: dict[str, list[int]] = {}
        expected = low
        query = sa.select(transactions).where(t.owner_id == owner, t.seq > low, t.seq <= high).order_by(t.seq)
        for row in self._connection.execute(query):
            expected += 1
            counter = tuple(sorted(legs.get(row.seq, ())))
            balance += row.amount_nano
            whole = row.amount_nano + sum(amount for _, amount in counter)
            wrong = row.seq != expected or row.balance_after_nano != balance or whole != 0
            at = row_hash(at, tuple(row), counter)
            if wrong or at != row.hash:
                self._problems.append(f"transaction {owner}/{row.seq}: was edited")
                at = row.hash
            if row.request_id is not None:
                one = sums.setdefault(row.request_id, [0, 0, 0])
                one[0] -= row.amount_nano
                one[1] -= sum(amount for leg, amount in counter if leg == ABSORBED)
                one[2] -= row.promo_nano or 0
        self._requests(owner, name, sums)
        self._step(high - low)
        return at, balance

    def _step(self, rows: int) -> None:
        self._read += rows
        self._pause()

    def _requests(self, owner: int, name: str, sums: dict[str, list[int]]) -> None:
        """Each request with postings has a hold and a usage row that agree with them and with their seal."""
        found = self._named(self._connection, sums)
        if left := sums.keys() - found.keys():
            found |= self._archived(left)
        for request_id, posted in sums.items():
            hold, usage, sealed = found.get(request_id, (None, None, None))
            if hold is None or usage is None:
                self._problems.append(f"request {request_id}: has postings, but no hold or no usage row")
                continue
            self._sealed(hold, usage, sealed)
            if user_account(usage[_USED["user_id"]]) != name:
                self._problems.append(f"request {request_id}: its usage row is another's")
            said = [
                hold[_HELD["charged_nano"]],
                hold[_HELD["absorbed_nano"]],
                usage[_USED["promo_nano"]] or 0,
            ]
            if said != posted and said != self._all_of(owner, request_id):
                self._problems.append(f"request {request_id}: hold, usage row and postings disagree")

    def _archived(self, left: set[str]) -> dict[str, _Row]:
        """Requests that are in files by now. Their seals prove them, as those of the tables."""
        found: dict[str, _Row] = {}
        if self._segments is None:
            return found

        def missing(problem: Missing) -> None:
            self._problems.append(f"{problem}: put it back")

        for segment in self._segments.each(reversed(listed(self._connection)), missing):
            found |= self._named(segment, left - found.keys())
            if len(found) == len(left):
                break
        return found

    def _named(self, where: sa.Connection, names: Collection[str]) -> dict[str, _Row]:
        return {row[0][0]: row for row in self._rows(where, holds.c.request_id.in_(names))}

    def _all_of(self, owner: int, request_id: str) -> list[int]:
        """The sums of a request that was posted more than once (late, or given back), without what was given back."""
        t, p = transactions.c, postings.c
        leg = sa.and_(p.owner_id == t.owner_id, p.seq == t.seq, p.account == ABSORBED)
        sums = [sa.func.sum(-value) for value in (t.amount_nano, sa.func.coalesce(p.amount_nano, 0))]
        query = (
            sa.select(*sums, sa.func.sum(-sa.func.coalesce(t.promo_nano, 0)))
            .select_from(transactions.outerjoin(postings, leg))
            .where(t.owner_id == owner, t.request_id == request_id, t.kind != GIVEN_BACK)
        )
        return [int(value or 0) for value in self._connection.execute(query).one()]

    def _free(self, since: int, until: int) -> None:
        """Requests that cost nothing have no posting: their seals are checked by their time."""
        u = usage_records.c
        where = (
            u.created_at > since - _SLACK_MS,
            u.created_at <= until,
            u.charge_nano == 0,
            u.absorbed_nano == 0,
        )
        for rows, (hold, usage, sealed) in enumerate(self._rows(self._connection, *where)):
            self._sealed(hold, usage, sealed)
            if rows % _CHUNK == 0:
                self._step(_CHUNK)

    @staticmethod
    def _rows(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterator[_Row]:
        h, u = holds.c, usage_records.c
        columns = (*(h[name] for name in HOLD), *(u[name] for name in USAGE), u.seal)
        query = sa.select(*columns).outerjoin(usage_records, u.request_id == h.request_id).where(*where)
        for row in connection.execute(query):
            usage = tuple(row[len(HOLD) : -1])
            yield tuple(row[: len(HOLD)]), None if usage[0] is None else usage, row[-1]

    def _sealed(self, hold: Sequence[Any], usage: Sequence[Any] | None, sealed: str | None) -> None:
        if (
            usage is None
            or sealed is None
            or not hmac.compare_digest(sealed, seal(self._seal_key, usage, hold))
        ):
            self._problems.append(
                f"request {hold[0]}: its hold or usage row was edited (the seal does not fit)"
            )
