"""The overview's sums are the books': over random histories they agree with the postings that `ledger verify` proves, to the
nano-dollar."""

import asyncio
import random

import pytest

from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.usage_log.query import ask
from tests.fakes.books import DOLLAR, settlement, shared_balances
from tests.fakes.paying import BOSS, Desk, add_user, desk

ACTS = [
    "order",
    "order",
    *["call"] * 6,
    "wrong",
    "refund",
    "bank",
    "bank",
    "bank",
    "won",
    "freeze",
    "code",
    "hold",
]
FIGURES = ("spend", "provider_cost", "margin", "absorbed")


async def history(shop: Desk, dice: random.Random) -> None:
    orders, room = [], shop.payments
    for number in range(60):
        user, name = dice.choice(["ann", "bob"]), f"r{number}"
        amount = dice.randrange(1, 9_000_000_000)
        try:
            match dice.choice(ACTS):
                case "order":
                    dollars = dice.randrange(5, 20) * DOLLAR
                    made = await room.orders.make(user, "transfer", dollars, attempt=f"attempt-{number}")
                    said = {"reference": name, "reason": "r"}
                    await room.orders.received(BOSS, made.id, made.minor, "USD", **said)
                    orders.append(made)
                case "call" | "wrong" as how:
                    await shop.ledger.hold(name, user, amount, price_version="v")
                    cost = dice.randrange(0, 2 * amount)
                    charge = amount + dice.randrange(0, DOLLAR)  # what is beyond the hold is absorbed
                    await shop.ledger.settle(settlement(name, charge, user=user, provider_cost_nano=cost))
                    if how == "wrong":
                        await room.disputes.open(user, name, "wrong", "")
                        await room.disputes.decide(BOSS, name, grant=dice.random() < 0.7, reason="r")
                case "hold":
                    await shop.ledger.hold(name, user, amount, price_version="v")
                case "refund":
                    asked = await room.returns.ask(user, dice.choice(orders).id)
                    sent = dice.random() < 0.7
                    await room.returns.close(
                        BOSS, asked.id, sent=sent, reference=name if sent else None, reason="r"
                    )
                case "bank":
                    minor = dice.choice([500, 2500])
                    await room.returns.charge_back(
                        BOSS, dice.choice(orders).id, minor, reference=name, reason="r"
                    )
                case "won":
                    taken = await room.returns.find({"kind": "chargeback"}, None, 99)
                    case_ = dice.choice(taken)
                    await room.returns.reinstate(
                        BOSS, case_.order_id, reference=case_.external_id or "", reason="r"
                    )
                case "freeze":
                    order, frozen = dice.choice(orders), dice.random() < 0.6
                    paid = await room.orders.get(None, order.id)
                    shop.database.write_sync(
                        lambda c, paid=paid, frozen=frozen: room.returns.freeze_in(c, paid, frozen=frozen)
                    )
                case "code":
                    _, (code,) = await room.codes.make(
                        BOSS, "x", 1, 2 * DOLLAR, paid=dice.random() < 0.5, per_account=0, days=1, credit_days=None, reason="r"
                    )  # fmt: skip
                    await room.codes.redeem(user, code)
        except (MarketplaceError, IndexError):  # nothing to refund, nothing paid yet, too poor
            continue


@pytest.mark.parametrize("seed", [4, 7, 8])
def test_the_overview_is_the_books(database: Database, seed: int) -> None:
    with desk(database) as shop:
        add_user(shop.database, shop.ledger, "bob")
        asyncio.run(history(shop, random.Random(seed)))
        now, reports = shop.clock.now_ms(), Reports(database)
        asked = ask(
            user_id=None, metrics=FIGURES, by=(), filters={}, tz="UTC", granularity="day", since=now - 30 * DAY_MS, until=None,
            days=30, now=now, limit=1,
        )  # fmt: skip
        found = asyncio.run(UsageLog(database, reports).query(asked)).totals
        used = {name: int(found[name] * DOLLAR) for name in FIGURES}
        reports.close()
        shown = asyncio.run(shop.payments.overview(now - 30 * DAY_MS))
        books = database.read_sync(shared_balances)
        wallets = [asyncio.run(shop.ledger.balance(user)) for user in ("ann", "bob")]
        orders = asyncio.run(shop.payments.orders.find({"method": "code", "state": "paid"}, None, 999))
    sold = sum(order.credit_nano for order in orders if order.paid)
    owed = shown["owed_paid"] + shown["owed_promotional"] + shown["frozen"] - shown["debt"]
    providers = sum(nano for account, nano in books.items() if account.startswith("provider:"))
    ours = books.get("platform:revenue", 0) + books.get("platform:absorbed", 0)
    assert owed == sum(wallet.balance for wallet in wallets) == -sum(books.values())
    assert shown["held"] == sum(wallet.held for wallet in wallets)
    assert shown["paid_in"] + sold - shown["went_back"] + shown["came_again"] == -books.get("world:topup", 0)
    assert used["provider_cost"] == providers
    assert used["absorbed"] == -books.get("platform:absorbed", 0)
    assert used["margin"] - shown["given_back"] == ours
    assert used["spend"] - shown["given_back"] == ours + providers
