"""What `ledger verify` asks of payments: each is in the books once, with its amount, and no more than was paid goes back."""

from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import accounts, lots, transactions
from agent_marketplace.db.tables.payments import codes, orders, returns


def disagreements(connection: sa.Connection) -> list[str]:
    """Every one, in words."""
    return [*_credited(connection), *_receipts(connection), *_redeemed(connection), *_returned(connection)]


def _credited(connection: sa.Connection) -> list[str]:
    """Each paid order has its lots, on its owner's account, of its amount; no other order has one."""
    found: list[str] = []
    have: dict[str, list[Any]] = {}
    query = sa.select(lots.c.reference, lots.c.nano, lots.c.paid, accounts.c.name).join(
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
    return found + [f"order {name}: is missing, but it was credited" for name in sorted(have)]


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
