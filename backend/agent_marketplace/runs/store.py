"""The SQL of runs. Money moves nowhere here: `reserve` and `book` keep a tree of runs within its cap, the ledger does the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.accounts import marketplace_keys, users
from agent_marketplace.db.tables.runs import approvals, events, runs, steps
from agent_marketplace.errors import NotFound
from agent_marketplace.runs.types import OVER, Approval, Head, Step

_COUNTED = 0x52554E53  # PostgreSQL's advisory lock of who counts a user's runs
_HEAD = tuple(runs.c[name] for name in Head.__struct_fields__)
_STEP = tuple(steps.c[name] for name in Step.__struct_fields__ if name in steps.c)
_APPROVAL = tuple(approvals.c[name] for name in Approval.__struct_fields__)


def _head(row: sa.Row[Any]) -> Head:
    return Head(**row._mapping)


def add(connection: sa.Connection, values: Mapping[str, Any]) -> bool:
    """A new run's row; False where its idempotency key has begun one."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(runs).values(**values).on_conflict_do_nothing(index_elements=["user_id", "idem_key"])
    return connection.execute(statement.returning(runs.c.run_id)).one_or_none() is not None


def locked(connection: sa.Connection, run_id: str, user_id: str) -> Head:
    """`find`, and nobody else changes the row until the transaction ends. Raises NotFound."""
    mine = (runs.c.run_id == run_id, runs.c.user_id == user_id)
    connection.execute(sa.select(runs.c.run_id).where(*mine).with_for_update())
    return find(connection, run_id, user_id)


def drives(connection: sa.Connection, run_id: str, owner: str, epoch: int) -> bool:
    """Whether a run is under way and this worker's, as it took it; it then stays so until the transaction ends."""
    mine = (
        runs.c.run_id == run_id,
        runs.c.state == "running",
        runs.c.lease_owner == owner,
        runs.c.epoch == epoch,
    )
    return (
        connection.execute(sa.select(runs.c.run_id).where(*mine).with_for_update()).one_or_none() is not None
    )


def find(connection: sa.Connection, run_id: str, user_id: str | None = None) -> Head:
    """Raises NotFound, also for another user's run. user_id None: whoever's (the loop's own reading)."""
    query = sa.select(*_HEAD).where(runs.c.run_id == run_id)
    if user_id is not None:
        query = query.where(runs.c.user_id == user_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("No such run")
    return _head(row)


def by_key(connection: sa.Connection, user_id: str, idem_key: str) -> Head | None:
    """The run that an idempotency key began."""
    query = sa.select(*_HEAD).where(runs.c.user_id == user_id, runs.c.idem_key == idem_key)
    row = connection.execute(query).one_or_none()
    return None if row is None else _head(row)


def listed(connection: sa.Connection, user_id: str, before: int | None, limit: int) -> list[Head]:
    """A user's runs of agents that stand at the top of their tree, newest first. before: created at, ms."""
    query = sa.select(*_HEAD).where(runs.c.user_id == user_id, runs.c.kind == "agent", runs.c.depth == 0)
    if before is not None:
        query = query.where(runs.c.created_at < before)
    order = (runs.c.created_at.desc(), runs.c.run_id.desc())
    return [_head(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def threaded(connection: sa.Connection, user_id: str, prefix: str) -> list[Head]:
    """A user's runs whose idempotency key begins with `prefix`, in the order in which they began."""
    mine = (runs.c.user_id == user_id, runs.c.idem_key.startswith(prefix, autoescape=True))
    query = sa.select(*_HEAD).where(*mine).order_by(runs.c.created_at, runs.c.run_id)
    return [_head(row) for row in connection.execute(query)]


def page(
    connection: sa.Connection,
    user_id: str,
    before: tuple[int, str] | None,
    limit: int,
    *,
    wire: str = "",
    agent_id: str = "",
) -> list[Head]:
    """As `listed`, over any number that began at once: before is (created at, id) of the last one seen. wire, agent_id: only of
    those."""
    r = runs.c
    query = sa.select(*_HEAD).where(r.user_id == user_id, r.kind == "agent", r.depth == 0)
    for column, wanted in ((r.wire, wire), (r.agent_id, agent_id)):
        query = query.where(column == wanted) if wanted else query
    if before is not None:
        at, name = before
        query = query.where(sa.or_(r.created_at < at, sa.and_(r.created_at == at, r.run_id < name)))
    found = connection.execute(query.order_by(r.created_at.desc(), r.run_id.desc()).limit(limit))
    return [_head(row) for row in found]


def tree(connection: sa.Connection, root_run_id: str) -> list[Head]:
    """A run and the runs below it, in the order in which they began."""
    query = sa.select(*_HEAD).where(runs.c.root_run_id == root_run_id)
    return [_head(row) for row in connection.execute(query.order_by(runs.c.created_at, runs.c.run_id))]


def working(connection: sa.Connection, user_id: str) -> int:
    """How many runs of a user are under way, those below another not counted; until the transaction ends nobody else counts them."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_COUNTED, sa.func.hashtext(user_id))))
    where = (runs.c.user_id == user_id, runs.c.state == "running", runs.c.depth == 0)
    return connection.scalar(sa.select(sa.func.count()).select_from(runs).where(*where)) or 0


def may_spend(connection: sa.Connection, user_id: str, key_id: str | None, now: int) -> bool:
    """Whether who began a run could still begin one: the account is there and not suspended, its key neither revoked nor over."""
    query = sa.select(users.c.user_id).where(users.c.user_id == user_id, users.c.suspended_at.is_(None))
    if key_id is not None:
        k = marketplace_keys.c
        alive = (k.revoked_at.is_(None), sa.or_(k.expires_at.is_(None), k.expires_at > now))
        query = query.where(sa.exists().where(k.key_id == key_id, k.user_id == user_id, *alive))
    return connection.execute(query).first() is not None


def change(connection: sa.Connection, run_id: str, **values: Any) -> None:
    """Sets columns of a run."""
    connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(**values))


# -- the cap -----------------------------------------------------------------------------------------------------------


def reserve(connection: sa.Connection, root_run_id: str, nano: int) -> bool:
    """Keeps `nano` of the cap of a tree; False where that much is not left. One statement: no two can both get the last of it."""
    r = runs.c
    fits = r.spent_nano + r.reserved_nano + nano <= r.cap_nano
    done = connection.execute(
        sa.update(runs).where(r.run_id == root_run_id, fits).values(reserved_nano=r.reserved_nano + nano)
    )
    return done.rowcount == 1


def book(connection: sa.Connection, root_run_id: str, *, released: int, spent: int) -> None:
    """Gives back what was reserved and counts what it became: `spent` <= `released`, so the cap holds as it did."""
    r = runs.c
    connection.execute(
        sa.update(runs)
        .where(r.run_id == root_run_id)
        .values(reserved_nano=r.reserved_nano - released, spent_nano=r.spent_nano + spent)
    )


def raise_cap(connection: sa.Connection, run_id: str, cap_nano: int, now: int) -> bool:
    """Sets a cap that covers what is spent and reserved; False where it does not, or the run is over."""
    r = runs.c
    done = connection.execute(
        sa.update(runs)
        .where(
            r.run_id == run_id,
            r.cap_nano.is_not(None),
            r.spent_nano + r.reserved_nano <= cap_nano,
            r.state.not_in(OVER),
        )
        .values(cap_nano=cap_nano, updated_at=now)
    )
    return done.rowcount == 1


# -- leases ------------------------------------------------------------------------------------------------------------


def lease(
    connection: sa.Connection, run_id: str, owner: str, *, now: int, until: int, states: Sequence[str]
) -> bool:
    """Takes a run that is in one of `states` and that nobody drives now; True for one worker of any number."""
    r = runs.c
    free = sa.or_(r.lease_until.is_(None), r.lease_until < now)
    done = connection.execute(
        sa.update(runs)
        .where(r.run_id == run_id, r.state.in_(states), free)
        .values(
            lease_owner=owner, lease_until=until, epoch=r.epoch + 1, state="running", updated_at=now,
            expires_at=None,
        )
    )  # fmt: skip
    return done.rowcount == 1


def renew(connection: sa.Connection, run_ids: Sequence[str], owner: str, until: int) -> dict[str, bool]:
    """Keeps the leases of runs that a worker drives; {run: whether its end is asked for} of those that are still its own."""
    mine = (runs.c.run_id.in_(run_ids), runs.c.lease_owner == owner, runs.c.state == "running")
    connection.execute(sa.update(runs).where(*mine).values(lease_until=until))
    found = connection.execute(sa.select(runs.c.run_id, runs.c.cancel_asked).where(*mine))
    return {row.run_id: bool(row.cancel_asked) for row in found}


def left_alone(connection: sa.Connection, now: int, *, everything: bool) -> list[Head]:
    """Running runs whose worker is gone. everything: whoever drove them (one process serves, and has just begun)."""
    query = sa.select(*_HEAD).where(runs.c.state == "running")
    if not everything:
        query = query.where(sa.or_(runs.c.lease_until.is_(None), runs.c.lease_until < now))
    return [_head(row) for row in connection.execute(query.order_by(runs.c.depth.desc(), runs.c.created_at))]


def of_suspended(connection: sa.Connection) -> list[Head]:
    """Runs of suspended accounts that nobody has asked to end."""
    theirs = sa.select(users.c.user_id).where(users.c.suspended_at.is_not(None))
    query = sa.select(*_HEAD).where(
        runs.c.state.in_(("running", "paused", "waiting")),
        runs.c.cancel_asked == 0,
        runs.c.user_id.in_(theirs),
    )
    return [_head(row) for row in connection.execute(query)]


def expired(connection: sa.Connection, now: int) -> list[Head]:
    """Paused and waiting runs whose time is over."""
    query = sa.select(*_HEAD).where(runs.c.state.in_(("paused", "waiting")), runs.c.expires_at <= now)
    return [_head(row) for row in connection.execute(query)]


# -- steps -------------------------------------------------------------------------------------------------------------


def steps_of(connection: sa.Connection, run_id: str) -> list[Step]:
    """In their order."""
    rows = connection.execute(sa.select(*_STEP).where(steps.c.run_id == run_id).order_by(steps.c.n))
    return [Step(**row._mapping) for row in rows]


def add_steps(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New steps."""
    if rows:
        connection.execute(sa.insert(steps), [dict(row) for row in rows])


def change_step(connection: sa.Connection, run_id: str, n: int, *, was: str, **values: Any) -> bool:
    """Sets columns of a step that is in state `was`; False where it is not."""
    where = (steps.c.run_id == run_id, steps.c.n == n, steps.c.state == was)
    return connection.execute(sa.update(steps).where(*where).values(**values)).rowcount == 1


def drop_planned(connection: sa.Connection, run_id: str, now: int) -> None:
    """Calls that were never made: their run is over."""
    where = (steps.c.run_id == run_id, steps.c.state == "planned")
    values = {"state": "denied", "error_class": "run_ended", "ended_at": now}
    connection.execute(sa.update(steps).where(*where).values(**values))


# -- approvals ---------------------------------------------------------------------------------------------------------


def add_approvals(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New questions."""
    if rows:
        connection.execute(sa.insert(approvals), [dict(row) for row in rows])


def approvals_of(connection: sa.Connection, run_id: str) -> list[Approval]:
    """Of one run, in the order of their steps."""
    query = sa.select(*_APPROVAL).where(approvals.c.run_id == run_id).order_by(approvals.c.n)
    return [Approval(**row._mapping) for row in connection.execute(query)]


def pending(connection: sa.Connection, user_id: str) -> list[Approval]:
    """What a user is asked, oldest first."""
    query = sa.select(*_APPROVAL).where(approvals.c.user_id == user_id, approvals.c.state == "pending")
    return [Approval(**row._mapping) for row in connection.execute(query.order_by(approvals.c.created_at))]


def decide(connection: sa.Connection, approval_id: str, state: str, subject_hash: str, now: int) -> bool:
    """An answer to a question that is still open, for the subject that was shown; False where either is not so."""
    a = approvals.c
    where = (
        a.approval_id == approval_id,
        a.state == "pending",
        a.subject_hash == subject_hash,
        a.expires_at > now,
    )
    return (
        connection.execute(sa.update(approvals).where(*where).values(state=state, decided_at=now)).rowcount
        == 1
    )


def close_approvals(connection: sa.Connection, run_id: str, now: int) -> None:
    """What was not answered is expired: the run is over, or its time is."""
    where = (approvals.c.run_id == run_id, approvals.c.state == "pending")
    connection.execute(sa.update(approvals).where(*where).values(state="expired", decided_at=now))


# -- events ------------------------------------------------------------------------------------------------------------


def add_events(connection: sa.Connection, run_id: str, seq: int, sealed: bytes, now: int) -> None:
    """A batch of events that begins with number `seq`."""
    row = {"run_id": run_id, "seq": seq, "events_sealed": sealed, "created_at": now}
    connection.execute(sa.insert(events), row)


def events_of(connection: sa.Connection, run_id: str) -> list[tuple[int, bytes]]:
    """Batches of (first number, sealed events), in order."""
    query = sa.select(events.c.seq, events.c.events_sealed).where(events.c.run_id == run_id)
    return [(row.seq, bytes(row.events_sealed)) for row in connection.execute(query.order_by(events.c.seq))]


def forget_events(connection: sa.Connection, before: int) -> int:
    """Events older than `before` (ms) of runs that are over; returns how many batches."""
    over = sa.select(runs.c.run_id).where(runs.c.state.in_(OVER))
    where = (events.c.created_at < before, events.c.run_id.in_(over))
    return connection.execute(sa.delete(events).where(*where)).rowcount


def stored(connection: sa.Connection, user_id: str) -> int:
    """Bytes of what a user's runs of agents keep for good: what they began with, their steps and answers."""
    mine = (runs.c.user_id == user_id, runs.c.kind == "agent")
    whole = sa.func.length(runs.c.context_sealed) + sa.func.coalesce(sa.func.length(runs.c.result_sealed), 0)
    asked = connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(whole), 0)).where(*mine)) or 0
    part = sa.func.coalesce(sa.func.length(steps.c.args_sealed), 0) + sa.func.coalesce(
        sa.func.length(steps.c.result_sealed), 0
    )
    joined = steps.join(runs, runs.c.run_id == steps.c.run_id)
    query = sa.select(sa.func.coalesce(sa.func.sum(part), 0)).select_from(joined).where(*mine)
    return int(asked) + int(connection.scalar(query) or 0)


def delete_tree(connection: sa.Connection, root_run_id: str) -> None:
    """A run with those below it, their steps, questions and events."""
    within = sa.select(runs.c.run_id).where(runs.c.root_run_id == root_run_id)
    for table in (events, steps, approvals):
        connection.execute(sa.delete(table).where(table.c.run_id.in_(within)))
    connection.execute(sa.delete(runs).where(runs.c.root_run_id == root_run_id))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    """Everything of a user."""
    mine = sa.select(runs.c.run_id).where(runs.c.user_id == user_id)
    connection.execute(sa.delete(events).where(events.c.run_id.in_(mine)))
    connection.execute(sa.delete(steps).where(steps.c.run_id.in_(mine)))
    connection.execute(sa.delete(approvals).where(approvals.c.user_id == user_id))
    connection.execute(sa.delete(runs).where(runs.c.user_id == user_id))
