"""What `ledger verify` asks of payments: each is in the books once, with its amount, and no more than was paid goes back."""

from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import accounts, holds, lots, transactions
from agent_marketplace.db.tables.payments import batches, codes, disputes, orders, returns
from agent_marketplace.ledger.lots import NEVER
from agent_marketplace.ledger.returns import GIVEN_BACK
from agent_marketplace.ledger.writer import AGENT_FEE

_CENT = 10_000_000  # nano-dollars


def disagreements(connection: sa.Connection) -> list[str]:
    """Every one, in words."""
    return [
        *_credited(connection), *_asked(connection), *_receipts(connection), *_redeemed(connection), *_returned(connection),
        *_granted(connection),
    ]  # fmt: skip


def _credited(connection: sa.Connection) -> list[str]:
    """Each paid order has its lots, on its owner's account, of its amount; no other order has one."""
    found: list[str] = []
    have: dict[str, list[Any]] = {}
    query = sa.select(lots.c.reference, lots.c.nano, lots.c.paid, lots.c.expires_at, accounts.c.name).join(
        accounts, accounts.c.id == lots.c.account_id
    )
    for row in connection.execute(query.where(lots.c.reference.startswith("ord_", autoescape=True))):
        have.setdefault(row.reference, []).append(row)
    back = sa.select(returns.c.order_id, sa.func.sum(returns.c.nano)).where(returns.c.kind == "reinstated")
    again = {row[0]: int(row[1]) for row in connection.execute(back.group_by(returns.c.order_id))}
    for order in connection.execute(sa.select(orders).order_by(orders.c.id)):
        rows = have.pop(order.id, [])
        want = order.credit_nano + again.get(order.id, 0) if order.state == "paid" else 0
        if sum(row.nano for row in rows) != want:
            found.append(f"order {order.id}: is {order.state}, but {len(rows)} lots have its credit")
        if any(row.name != f"user:{order.user_id}" or row.paid != order.paid for row in rows):
            found.append(f"order {order.id}: its credit is not as it was ordered")
        ends = {NEVER if order.ends_at is None else order.ends_at, *((NEVER,) if order.id in again else ())}
        if not {row.expires_at for row in rows} <= ends:
            found.append(f"order {order.id}: its credit ends at another time")
    return found + [f"order {name}: is missing, but it was credited" for name in sorted(have)]


def _asked(connection: sa.Connection) -> list[str]:
    """Each order credits what is asked for it, or what its batch's codes are worth: also one that waits to be paid."""
    o = orders.c
    wrong = sa.or_(
        sa.and_(o.minor > 0, o.credit_nano != o.minor * _CENT),
        sa.and_(o.batch_id.is_not(None), o.credit_nano != sa.func.coalesce(batches.c.credit_nano, -1)),
        sa.and_(o.minor == 0, o.batch_id.is_(None)),
    )
    query = sa.select(o.id).outerjoin(batches, batches.c.id == o.batch_id).where(wrong).order_by(o.id)
    return [
        f"order {row[0]}: what is asked for it is not what it credits" for row in connection.execute(query)
    ]


def _granted(connection: sa.Connection) -> list[str]:
    """Each granted dispute gave back what the answer cost. Those of agents' fees are in `verify_earnings`."""
    d, t = disputes.c, transactions.c
    back = sa.and_(t.request_id == d.request_id, t.kind == GIVEN_BACK)
    query = (
        sa.select(d.request_id, d.nano, t.amount_nano)
        .outerjoin(transactions, back)
        .outerjoin(holds, holds.c.request_id == d.request_id)
        .where(d.state == "granted", sa.func.coalesce(holds.c.price_version, "") != AGENT_FEE)
    )
    return [
        f"dispute of {request_id}: granted {nano}, given back {amount or 0}"
        for request_id, nano, amount in connection.execute(query)
        if nano != amount
    ]


def _receipts(connection: sa.Connection) -> list[str]:
    """Numbers without gaps, one for each order that money was paid for."""
    numbers = [row[0] for row in connection.execute(
        sa.select(orders.c.receipt).where(orders.c.receipt.is_not(None)).order_by(orders.c.receipt))]  # fmt: skip
    unnumbered = sa.select(sa.func.count()).where(
        orders.c.state == "paid", orders.c.minor > 0, orders.c.receipt.is_(None)
    )
    if numbers != list(range(1, len(numbers) + 1)) or connection.execute(unnumbered).scalar_one():
        return ["receipts: their numbers have gaps"]
    return []


def _redeemed(connection: sa.Connection) -> list[str]:
    """Each order by code took one code."""
    taken = sa.select(codes.c.order_id).where(codes.c.order_id.is_not(None))
    by_code = sorted(row[0] for row in connection.execute(taken))
    query = sa.select(orders.c.id).where(orders.c.method == "code", orders.c.state == "paid")
    ordered = sorted(row[0] for row in connection.execute(query))
    return [] if by_code == ordered else ["codes: those redeemed are not the orders by code"]


def _returned(connection: sa.Connection) -> list[str]:
    """Each return has its own posting, of its amount; an order knows what went back of it, and no more did than it brought."""
    found: list[str] = []
    sums: dict[str, int] = {}
    query = (
        sa.select(returns, transactions.c.amount_nano)
        .outerjoin(accounts, accounts.c.name == sa.literal("user:") + returns.c.user_id)
        .outerjoin(
            transactions,
            sa.and_(transactions.c.owner_id == accounts.c.id, transactions.c.seq == returns.c.seq),
        )
    )
    for row in connection.execute(query):
        signed = row.nano if row.kind == "reinstated" else -row.nano
        if row.amount_nano != signed:
            found.append(f"return {row.id}: its posting is {row.amount_nano}, not {signed}")
        sums[row.order_id] = sums.get(row.order_id, 0) - signed
    found += [
        f"order {order.id}: what went back of it is not the sum of its returns"
        for order in connection.execute(sa.select(orders.c.id, orders.c.returned_nano))
        if order.returned_nano != sums.pop(order.id, 0)
    ]
    return found + [f"order {name}: is missing, but something went back of it" for name in sorted(sums)]
