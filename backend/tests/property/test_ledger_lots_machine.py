"""Any order of credit, charges, ends, claw-backs and holds: lots are the balance after every step, spent in the promised order."""

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.errors import PaymentRequired
from agent_marketplace.ledger import NEVER, Ledger, Terms
from tests.fakes.books import settlement
from tests.fakes.examples import run_machine

amounts = st.integers(1, 300)


@dataclass
class Credit:
    paid: bool
    left: int
    priority: int
    expires: int
    number: int


class Model:
    """The wallet as a plain list of credits, each charge taken at once from the first in order."""

    def __init__(self) -> None:
        self.credits: list[Credit] = []
        self.debt = self.number = 0
        self.holds: dict[str, int] = {}

    @property
    def balance(self) -> int:
        return sum(c.left for c in self.credits) - self.debt

    @property
    def available(self) -> int:
        return self.balance - sum(self.holds.values())

    def add(self, amount: int, *, paid: bool, priority: int = 100, expires: int = NEVER) -> None:
        self.number += 1
        pays = min(self.debt, amount)
        self.debt -= pays
        self.credits.append(Credit(paid, amount - pays, priority, expires, self.number))

    def take(self, amount: int, *, back: bool = False) -> int:
        """What of it was promotional."""
        promo = 0
        by_order = sorted(self.credits, key=lambda c: (c.priority, c.expires, c.paid, c.number))
        for credit in sorted(by_order, key=lambda c: not c.paid) if back else by_order:
            part = min(credit.left, amount)
            credit.left -= part
            amount -= part
            promo += 0 if credit.paid else part
        self.debt += amount
        return promo

    def end(self, now: int) -> None:
        kept = sum(self.holds.values())
        for credit in sorted(self.credits, key=lambda c: (c.priority, c.expires, c.paid, c.number)):
            safe = min(credit.left, kept)
            kept -= safe
            if credit.expires <= now:
                credit.left = safe

    def shown(self) -> list[tuple[bool, int, int, int]]:
        left = [c for c in self.credits if c.left]
        return sorted((c.paid, c.left, c.priority, c.expires) for c in left)


class Machine(RuleBasedStateMachine):
    def __init__(self, database, runner) -> None:
        super().__init__()
        self.database, self.run = database, runner.run
        with database.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.clock, self.model, self.count = ManualClock(), Model(), 0
        self.ledger = Ledger(database, self.clock, secret=b"s", owner="here", hold_ttl_s=10**7)

    @initialize(credit=st.integers(0, 100))
    def sign_up(self, credit):
        self.database.write_sync(lambda c: self.ledger.open_account_in(c, "ann", credit_nano=credit))
        if credit:
            self.model.add(credit, paid=False)

    @rule(
        amount=amounts,
        paid=st.booleans(),
        priority=st.sampled_from([100, 100, 50, 150]),
        days=st.none() | st.integers(1, 5),
    )
    def credit(self, amount, paid, priority, days):
        expires = NEVER if days is None else self.clock.now_ms() + days * 86_400_000
        terms = Terms(paid=paid, source="grant", priority=priority, expires_at=expires)
        self.run(self.ledger.grant("ann", amount, kind="credit", terms=terms))
        self.model.add(amount, paid=paid, priority=priority, expires=expires)

    @rule(amount=amounts)
    def plan(self, amount):
        want = amount <= self.model.available
        assert self.run(self.ledger.charge("ann", amount, kind="plan")) == want
        if want:
            self.model.take(amount)

    @rule(amount=amounts)
    def charge_back(self, amount):
        self.run(self.ledger.grant("ann", -amount, kind="reversal"))
        self.model.take(amount, back=True)

    @rule(amount=amounts)
    def hold(self, amount):
        self.count += 1
        call = self.ledger.hold(f"r{self.count}", "ann", amount, price_version="v", ttl_s=10**7)
        if amount > self.model.available:
            with pytest.raises(PaymentRequired):
                self.run(call)
            return
        self.run(call)
        self.model.holds[f"r{self.count}"] = amount

    @rule(which=st.integers(0, 99), charge=st.integers(0, 400))
    def settle(self, which, charge):
        if not self.model.holds:
            return
        name = sorted(self.model.holds)[which % len(self.model.holds)]
        self.run(self.ledger.settle(settlement(name, charge)))
        held = self.model.holds.pop(name)
        promo = self.model.take(
            min(charge, held, max(self.model.available, 0))
        )  # after a claw-back less is there
        self.model.end(self.clock.now_ms())
        assert self.run(self.ledger.receipt(name, "ann")).promo_nano == promo

    @rule(days=st.integers(1, 3), swept=st.booleans())
    def wait(self, days, swept):
        self.clock.advance(days * 86_400)
        self.model.end(self.clock.now_ms())
        if swept:
            self.run(self.ledger.sweep())

    @rule()
    def checkpoint(self):
        self.run(self.ledger.checkpoint())

    @invariant()
    def lots_are_the_balance_and_the_books_agree(self):
        if not self.model.number:
            return
        found = [lot for lot in self.run(self.ledger.lots("ann")) if lot.left]
        wallet = self.run(self.ledger.balance("ann"))
        assert sorted((bool(x.paid), x.left, x.priority, x.expires_at) for x in found) == self.model.shown()
        assert (wallet.balance, wallet.available) == (self.model.balance, self.model.available)
        assert wallet.promo == sum(lot.left for lot in found if not lot.paid)
        assert self.database.read_sync(self.ledger.verify_sync).problems == []


def test_lots_are_the_balance_after_every_step(database):
    run_machine(
        lambda runner: Machine(database, runner), database, sqlite=12, postgresql=4, steps=30, share=4
    )
