"""The SQL of orders, their events, codes, returns and disputes."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.accounts import users
from agent_marketplace.db.tables.ledger import accounts
from agent_marketplace.db.tables.payments import batches, codes, disputes, events, orders, recharges, returns
from agent_marketplace.errors import Conflict
from agent_marketplace.ledger.postings import user_account
from agent_marketplace.payments.types import Batch, Dispute, Event, Order, Plan, Return, columns

_RECEIPTS = 7_202_611_220_004  # PostgreSQL: one payment at a time takes the next number
_ON_ITS_WAY = (orders.c.method == "auto", orders.c.state == "pending")  # a saved card is being charged


def add_order(connection: sa.Connection, order: Order) -> None:
    """A new order. Raises IntegrityError where its attempt or its payment is there already."""
    connection.execute(sa.insert(orders).values(columns(order)))


def order(connection: sa.Connection, order_id: str, *, lock: bool = False) -> Order | None:
    """One order; lock: until the transaction ends."""
    query = sa.select(orders).where(orders.c.id == order_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _order(row)


def order_of_attempt(connection: sa.Connection, user_id: str, attempt: str) -> Order | None:
    """What this attempt made before."""
    query = sa.select(orders).where(orders.c.user_id == user_id, orders.c.attempt == attempt)
    row = connection.execute(query).one_or_none()
    return None if row is None else _order(row)


def change_order(connection: sa.Connection, order_id: str, values: Mapping[str, Any]) -> None:
    """Writes some columns of an order that is locked."""
    connection.execute(sa.update(orders).where(orders.c.id == order_id).values(dict(values)))


def find_orders(
    connection: sa.Connection, where: Mapping[str, str], before: str | None, limit: int
) -> list[Order]:
    """Newest first. where: user_id, state, method; before: only those made before this order."""
    query = sa.select(orders).where(*(orders.c[name] == value for name, value in where.items()))
    if before is not None:
        query = query.where(orders.c.id < before)
    return [_order(row) for row in connection.execute(query.order_by(orders.c.id.desc()).limit(limit))]


def count_pending(connection: sa.Connection, user_id: str) -> int:
    """How many orders of theirs wait to be paid."""
    query = sa.select(sa.func.count()).where(orders.c.user_id == user_id, orders.c.state == "pending")
    return int(connection.execute(query).scalar_one())


def pending_since(
    connection: sa.Connection, method: str, before_ms: int, behind: str, limit: int
) -> list[Order]:
    """Orders that have waited since before then, oldest first; behind: only those made after this order."""
    query = sa.select(orders).where(
        orders.c.state == "pending",
        orders.c.method == method,
        orders.c.created_at < before_ms,
        orders.c.id > behind,
    )
    return [_order(row) for row in connection.execute(query.order_by(orders.c.id).limit(limit))]


def next_receipt(connection: sa.Connection) -> int:
    """The next number, taken until the transaction ends: none is left out and none is given twice."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_RECEIPTS)))
    last = connection.execute(sa.select(sa.func.max(orders.c.receipt))).scalar_one()
    return 1 if last is None else int(last) + 1


def is_user(connection: sa.Connection, user_id: str) -> bool:
    """Whether the account is there and was not deleted."""
    return (
        connection.execute(sa.select(users.c.user_id).where(users.c.user_id == user_id)).first() is not None
    )


def may_be_charged(connection: sa.Connection, user_id: str) -> bool:
    """Whether the account is there and is not suspended."""
    query = sa.select(users.c.user_id).where(users.c.user_id == user_id, users.c.suspended_at.is_(None))
    return connection.execute(query).first() is not None


def cancel_pending(connection: sa.Connection, user_id: str) -> None:
    """Who leaves pays nothing more; what was paid stays on record, without a name. A page to pay at that is open closes by itself: until
    then its order waits, so that what is paid there meanwhile is seen and goes back. Raises Conflict: a saved card is being charged,
    and its money would come for nobody."""
    plan(connection, user_id, lock=True)
    if recharge_on_its_way(connection, user_id):
        raise Conflict("A payment is on its way: try again in a few minutes")
    mine = sa.and_(orders.c.user_id == user_id, orders.c.state == "pending", orders.c.session.is_(None))
    connection.execute(
        sa.update(orders).where(mine).values(state="cancelled", words="the account was deleted")
    )
    drop_plan(connection, user_id)


def emails(connection: sa.Connection, user_ids: Iterable[str]) -> dict[str, str]:
    """Addresses of those that are still there."""
    query = sa.select(users.c.user_id, users.c.email).where(users.c.user_id.in_(set(user_ids)))
    return {row.user_id: row.email for row in connection.execute(query)}


def add_event(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A line in the log of what processors said."""
    connection.execute(sa.insert(events).values(dict(values)))


def find_events(
    connection: sa.Connection, where: Mapping[str, str], before: int | None, limit: int
) -> list[Event]:
    """Newest first. where: outcome, order_id."""
    query = sa.select(events).where(*(events.c[name] == value for name, value in where.items()))
    if before is not None:
        query = query.where(events.c.id < before)
    rows = connection.execute(query.order_by(events.c.id.desc()).limit(limit))
    return [Event(**row._mapping) for row in rows]


def add_batch(connection: sa.Connection, batch: Batch, hashes: list[str]) -> None:
    """A batch with its codes."""
    values = columns(batch)
    del values["redeemed"]
    connection.execute(sa.insert(batches).values(values))
    connection.execute(sa.insert(codes), [{"hash": hash_, "batch_id": batch.id} for hash_ in hashes])


def find_batches(connection: sa.Connection) -> list[Batch]:
    """All batches, newest first, with how many of each are redeemed."""
    redeemed = sa.select(codes.c.batch_id, sa.func.count().label("redeemed")).where(
        codes.c.redeemed_by.is_not(None)
    )
    done = redeemed.group_by(codes.c.batch_id).subquery()
    query = sa.select(batches, sa.func.coalesce(done.c.redeemed, 0).label("redeemed"))
    query = query.outerjoin(done, done.c.batch_id == batches.c.id).order_by(batches.c.id.desc())
    return [_batch(row) for row in connection.execute(query)]


def batch(connection: sa.Connection, batch_id: str) -> Batch | None:
    """One batch; `redeemed` is not counted."""
    row = connection.execute(sa.select(batches).where(batches.c.id == batch_id)).one_or_none()
    return None if row is None else _batch(row)


def revoke_batch(connection: sa.Connection, batch_id: str, now: int) -> None:
    """From now on none of its codes can be redeemed."""
    connection.execute(sa.update(batches).where(batches.c.id == batch_id).values(revoked_at=now))


def batch_of_code(connection: sa.Connection, hash_: str) -> Batch | None:
    """The batch of a code that nobody has redeemed."""
    query = sa.select(batches).join(codes, codes.c.batch_id == batches.c.id)
    row = connection.execute(query.where(codes.c.hash == hash_, codes.c.redeemed_by.is_(None))).one_or_none()
    return None if row is None else _batch(row)


def redeemed_here(connection: sa.Connection, hash_: str, user_id: str) -> str | None:
    """The order of a code that this user redeemed."""
    query = sa.select(codes.c.order_id).where(codes.c.hash == hash_, codes.c.redeemed_by == user_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def lock_wallet(connection: sa.Connection, user_id: str) -> None:
    """Nobody else moves this wallet until the transaction ends: what is counted under the lock stays true."""
    query = sa.select(accounts.c.id).where(accounts.c.name == user_account(user_id))
    connection.execute(query.with_for_update())


def count_redeemed(connection: sa.Connection, batch_id: str, user_id: str) -> int:
    """How many of a batch this user has redeemed."""
    query = sa.select(sa.func.count()).where(codes.c.batch_id == batch_id, codes.c.redeemed_by == user_id)
    return int(connection.execute(query).scalar_one())


def take_code(connection: sa.Connection, hash_: str, user_id: str, order_id: str, now: int) -> bool:
    """Makes a code theirs; False: somebody was faster."""
    free = sa.and_(codes.c.hash == hash_, codes.c.redeemed_by.is_(None))
    values = {"redeemed_by": user_id, "redeemed_at": now, "order_id": order_id}
    return connection.execute(sa.update(codes).where(free).values(values)).rowcount == 1


def overview(connection: sa.Connection, since: int) -> dict[str, int]:
    """What came in and went back since then, what is owed to all accounts, and how much waits for an administrator. Nano-dollars.

    owed_paid + owed_promotional + frozen - debt is what all wallets stand at, to the nano-dollar.
    """
    o, r, a, d = orders.c, returns.c, accounts.c, disputes.c

    def total(column: Any, *where: Any) -> Any:
        return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*where).scalar_subquery()

    def count(column: Any, *where: Any) -> Any:
        return sa.select(sa.func.count(column)).where(*where).scalar_subquery()

    free = a.balance_nano - a.restricted_nano - a.promo_nano
    new = (o.state == "paid", o.minor > 0, o.closed_at >= since)
    query = sa.select(
        total(o.credit_nano, *new).label("paid_in"),
        total(r.nano, r.kind != "reinstated", r.created_at >= since).label("went_back"),
        total(r.nano, r.kind == "reinstated", r.created_at >= since).label("came_again"),
        total(free, free > 0).label("owed_paid"),
        total(a.promo_nano).label("owed_promotional"),
        total(a.restricted_nano).label("frozen"),
        total(-free, free < 0).label("debt"),
        total(d.nano, d.state == "granted", d.closed_at >= since).label("given_back"),
        total(a.held_nano).label("held"),
        count(o.id, o.state == "pending", o.method == "transfer").label("transfers"),
        count(r.id, r.state == "asked").label("refunds"),
        count(disputes.c.request_id, disputes.c.state == "open").label("disputes"),
        count(events.c.id, events.c.outcome == "refused", events.c.at >= since).label("refused"),
        count(o.id, o.disputed == 1).label("disputed"),
    )
    return {name: int(value) for name, value in connection.execute(query).one()._mapping.items()}


def add_return(connection: sa.Connection, found: Return) -> None:
    """A row of what goes back. Raises IntegrityError where it is there."""
    connection.execute(sa.insert(returns).values(columns(found)))


def change_return(connection: sa.Connection, return_id: str, values: Mapping[str, Any]) -> None:
    """Writes some columns of a return whose order is locked."""
    connection.execute(sa.update(returns).where(returns.c.id == return_id).values(dict(values)))


def find_returns(
    connection: sa.Connection, where: Mapping[str, str], before: str | None, limit: int
) -> list[Return]:
    """Newest first. where: id, order_id, user_id, state, kind, external_id."""
    query = sa.select(returns).where(*(returns.c[name] == value for name, value in where.items()))
    if before is not None:
        query = query.where(returns.c.id < before)
    rows = connection.execute(query.order_by(returns.c.id.desc()).limit(limit))
    return [Return(**row._mapping) for row in rows]


def refunds_waiting(
    connection: sa.Connection, methods: Iterable[str], before_ms: int, limit: int
) -> list[Return]:
    """Refunds of orders of these methods that have waited since before then, oldest first."""
    query = sa.select(returns).join(orders, orders.c.id == returns.c.order_id)
    query = query.where(
        returns.c.state == "asked", returns.c.kind == "refund", returns.c.created_at < before_ms
    )
    rows = connection.execute(query.where(orders.c.method.in_(methods)).order_by(returns.c.id).limit(limit))
    return [Return(**row._mapping) for row in rows]


def add_dispute(connection: sa.Connection, found: Dispute) -> None:
    """A dispute of an answer. Raises IntegrityError where there is one."""
    connection.execute(sa.insert(disputes).values(columns(found)))


def dispute(connection: sa.Connection, request_id: str, *, lock: bool = False) -> Dispute | None:
    """The dispute of one answer; lock: until the transaction ends."""
    query = sa.select(disputes).where(disputes.c.request_id == request_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Dispute(**row._mapping)


def close_dispute(connection: sa.Connection, found: Dispute) -> None:
    """Writes what was decided."""
    values = {name: getattr(found, name) for name in ("state", "decided_by", "reason", "closed_at")}
    mine = disputes.c.request_id == found.request_id
    connection.execute(sa.update(disputes).where(mine).values(values))


def find_disputes(
    connection: sa.Connection, where: Mapping[str, str], before: int | None, limit: int
) -> list[Dispute]:
    """Newest first. where: user_id, state; before: only those opened before this moment (ms)."""
    query = sa.select(disputes).where(*(disputes.c[name] == value for name, value in where.items()))
    if before is not None:
        query = query.where(disputes.c.created_at < before)
    rows = connection.execute(
        query.order_by(disputes.c.created_at.desc(), disputes.c.request_id).limit(limit)
    )
    return [Dispute(**row._mapping) for row in rows]


def plan(connection: sa.Connection, user_id: str, *, lock: bool = False) -> Plan | None:
    """How an account is recharged; lock: until the transaction ends."""
    query = sa.select(recharges).where(recharges.c.user_id == user_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Plan(**row._mapping)


def put_plan(connection: sa.Connection, found: Plan) -> None:
    """Writes it whole."""
    values = columns(found)
    mine = recharges.c.user_id == found.user_id
    if not connection.execute(sa.update(recharges).where(mine).values(values)).rowcount:
        connection.execute(sa.insert(recharges).values(values))


def drop_plan(connection: sa.Connection, user_id: str) -> None:
    """It is over; a customer that the processor has stays on a row of its own until the processor was told."""
    mine = recharges.c.user_id == user_id
    gone = sa.literal("gone:") + recharges.c.customer
    connection.execute(
        sa.update(recharges)
        .where(mine, recharges.c.customer.is_not(None))
        .values(user_id=gone, state="leaving")
    )
    connection.execute(sa.delete(recharges).where(mine))


def plans_in(connection: sa.Connection, state: str, before_ms: int, limit: int) -> list[Plan]:
    """Plans in a state that nothing has changed since then."""
    query = sa.select(recharges).where(recharges.c.state == state, recharges.c.changed_at <= before_ms)
    rows = connection.execute(query.order_by(recharges.c.changed_at).limit(limit))
    return [Plan(**row._mapping) for row in rows]


def delete_plan(connection: sa.Connection, user_id: str) -> None:
    """The processor has been told, or had nothing of it."""
    connection.execute(sa.delete(recharges).where(recharges.c.user_id == user_id))


def recharges_due(connection: sa.Connection, now: int, limit: int, user_id: str | None = None) -> list[str]:
    """Whose balance is below what they wished, and who may be recharged now: user ids. user_id: only whether they are. Who waits for
    a charge is none of them: many that wait would keep everybody else from their turn."""
    r, a = recharges.c, accounts.c
    query = (
        sa.select(r.user_id)
        .join(accounts, a.name == sa.literal(user_account("")) + r.user_id)
        .join(users, users.c.user_id == r.user_id)
        .where(r.state == "on", r.next_at <= now, users.c.suspended_at.is_(None))
        .where(~sa.exists().where(orders.c.user_id == r.user_id, *_ON_ITS_WAY))
        .where(a.balance_nano - a.held_nano - a.restricted_nano < r.threshold_nano)
        .order_by(r.next_at)
        .limit(limit)
    )
    query = query if user_id is None else query.where(r.user_id == user_id)
    return [str(user_id) for user_id in connection.execute(query).scalars()]


def recharged_since(connection: sa.Connection, user_id: str, since: int) -> int:
    """What was recharged automatically, or is on its way, since then, nano-dollars."""
    query = sa.select(sa.func.coalesce(sa.func.sum(orders.c.credit_nano), 0)).where(
        orders.c.user_id == user_id,
        orders.c.method == "auto",
        orders.c.state.in_(("paid", "pending")),
        orders.c.created_at >= since,
    )
    return int(connection.execute(query).scalar_one())


def recharge_on_its_way(connection: sa.Connection, user_id: str) -> bool:
    """Whether a saved card is being charged."""
    where = (orders.c.user_id == user_id, *_ON_ITS_WAY)
    return connection.execute(sa.select(orders.c.id).where(*where)).first() is not None


def _order(row: sa.Row[Any]) -> Order:
    return Order(**row._mapping)


def _batch(row: sa.Row[Any]) -> Batch:
    return Batch(**row._mapping)
