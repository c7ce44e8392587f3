"""What runs beside the requests: ending lost holds, rolling up shared accounts, signing checkpoints."""

import hashlib
import hmac
import logging
from functools import partial

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import accounts, checkpoints, holds, postings, shared
from agent_marketplace.ledger import acts, earnings, store
from agent_marketplace.ledger.types import Settlement
from agent_marketplace.ledger.writer import AGENT_FEE, Writer, close
from agent_marketplace.usage import Usage

BATCH = 500
_LOCK = 7_202_611_220_002  # PostgreSQL: one process at a time numbers the checkpoints
log = logging.getLogger(__name__)


class _Signed(msgspec.Struct, frozen=True, array_like=True):
    account: int
    seq: int
    head: str
    since: int | None = None


async def end_lost_holds(
    database: Database, writer: Writer, *, everything: bool, running: frozenset[str] = frozenset()
) -> int:
    """Ends holds as `lost`, charged their last progress: expired ones, or `everything` that another process left open.

    running: requests that are not lost, however late their heartbeats are
    """
    total = 0
    while ended := await database.write(
        lambda c: end_lost_holds_in(writer, c, everything=everything, running=running)
    ):
        total += ended
    if total:
        log.warning("%d open holds ended as lost", total)
    return total


def end_lost_holds_in(
    writer: Writer, connection: sa.Connection, *, everything: bool, running: frozenset[str] = frozenset()
) -> int:
    """One batch of `end_lost_holds`. Returns how many."""
    book = writer.book(connection)
    foreign = sa.and_(
        holds.c.owner != writer.owner, holds.c.price_version != AGENT_FEE
    )  # runs outlive processes
    over = foreign if everything else holds.c.expires_at <= book.now
    found = (
        sa.select(holds.c.request_id)
        .where(holds.c.state == "open", over)
        .order_by(holds.c.expires_at, holds.c.request_id)
        .limit(BATCH + len(running))  # so that those that run can't fill the batch and hide what is lost
    )
    names = [row.request_id for row in connection.execute(found) if row.request_id not in running]
    book.load(requests=names)
    ended = 0
    for name in names:
        hold = book.hold(name)
        if hold.state != "open" or not (everything or hold.expires_at <= book.now):
            continue  # settled or kept alive while we waited for its lock
        settlement = Settlement(
            request_id=hold.request_id,
            user_id=book.account_of(hold).user_id,
            charge_nano=hold.progress_nano,
            usage=Usage(estimated=True),
            provider=hold.provider,
            model=hold.model,
            status="lost",
            detail={"reason": "the process ended or the hold expired before settlement"},
        )
        close(book, hold, settlement, "expired")
        ended += 1
    book.flush()
    return ended


async def end_credit(database: Database, writer: Writer, clock: Clock) -> None:
    """Posts the end of credit that is over, of accounts that nobody uses meanwhile."""
    after = 0
    while users := await database.read(partial(store.due, now=clock.now_ms(), after=after, limit=BATCH)):
        await database.write(partial(_end_credit_in, writer, users=[user for _, user in users]))
        after = users[-1][0]


async def sweep_earnings(database: Database, writer: Writer, clock: Clock) -> int:
    """Moves earnings that are 14 days old to their authors' accounts. Returns how many authors."""
    authors = await database.read(
        partial(earnings.due_authors, now=clock.now_ms(), limit=earnings.SWEPT_AT_ONCE)
    )
    for author in authors:
        await database.write(partial(earnings.sweep_in, writer, author_id=author))
    return len(authors)


def _end_credit_in(writer: Writer, connection: sa.Connection, users: list[str]) -> None:
    book = writer.book(connection)
    book.load(users=users)
    book.flush()


async def checkpoint(database: Database, now_ms: int, secret: bytes) -> int:
    """Rolls up what moved since the last time and signs the heads of those chains, and of the administrators' log. Returns how many
    accounts moved."""
    total = 0
    while moved := await database.write(lambda c: checkpoint_in(c, now_ms, secret)):
        total += moved
    return total


def checkpoint_in(connection: sa.Connection, now_ms: int, secret: bytes) -> int:
    """One batch of `checkpoint`: how many accounts, 1 where only the administrators' log went on; 0 also where another process is
    at it."""
    if connection.dialect.name == "postgresql" and not connection.scalar(
        sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))
    ):
        return 0
    moved = connection.execute(
        sa.select(accounts.c.id, accounts.c.seq, accounts.c.head, accounts.c.rolled_seq)
        .where(accounts.c.seq > accounts.c.rolled_seq)
        .order_by(accounts.c.id)
        .limit(BATCH)
        .with_for_update()
    ).all()
    last = connection.execute(sa.select(checkpoints).order_by(checkpoints.c.id.desc()).limit(1)).one_or_none()
    log_signed = 0 if last is None else _log_signed(last.heads)
    log_now = acts.newest(connection)
    if not moved and log_now[0] <= log_signed:
        return 0
    if moved:
        _roll_up(connection, [row.id for row in moved])
    number, previous = (1, "") if last is None else (last.id + 1, last.signature)
    parts = [[row.id, row.seq, row.head, row.rolled_seq] for row in moved]
    heads = msgspec.json.encode([*parts, [acts.OWNER, *log_now, log_signed]]).decode()
    signature = sign(secret, previous, number, now_ms, heads)
    connection.execute(sa.insert(checkpoints).values(id=number, at=now_ms, heads=heads, signature=signature))
    return max(len(moved), 1)


def _log_signed(heads: str) -> int:
    """Up to which line the administrators' log was signed by a checkpoint; 0 in those from before it was."""
    return next((seq for owner, seq, _, _ in heads_of(heads) if owner == acts.OWNER), 0)


def heads_of(text: str) -> list[tuple[int, int, str, int | None]]:
    """(account, sequence number, hash, the number that was signed before) of each head in a checkpoint; the last is None in
    checkpoints from before it was said. Raises msgspec.DecodeError."""
    heads = msgspec.json.decode(text, type=list[_Signed])
    return [(h.account, h.seq, h.head, h.since) for h in heads]


def sign(secret: bytes, previous: str, number: int, at: int, heads: str) -> str:
    """HMAC-SHA-256 (hex) over the previous checkpoint's signature, this one's number, time and heads."""
    return hmac.new(secret, msgspec.json.encode((previous, number, at, heads)), hashlib.sha256).hexdigest()


def _roll_up(connection: sa.Connection, ids: list[int]) -> None:
    sums = connection.execute(
        sa.select(postings.c.account, sa.func.sum(postings.c.amount_nano).label("amount"))
        .join(accounts, accounts.c.id == postings.c.owner_id)
        .where(
            accounts.c.id.in_(ids), postings.c.seq > accounts.c.rolled_seq, postings.c.seq <= accounts.c.seq
        )
        .group_by(postings.c.account)
        .order_by(postings.c.account)
    ).all()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for row in sums:
        statement = insert(shared).values(account=row.account, balance_nano=int(row.amount))
        total = shared.c.balance_nano + int(row.amount)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["account"], set_={"balance_nano": total})
        )
    connection.execute(sa.update(accounts).where(accounts.c.id.in_(ids)).values(rolled_seq=accounts.c.seq))
