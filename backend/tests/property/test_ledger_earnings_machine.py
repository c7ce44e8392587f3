"""Any order of top-ups, gifts, calls, runs, refunds, claw-backs, sweeps and payouts: authors earn what a small model says, never more
than was paid in, and the books agree after every step."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.errors import Conflict, PaymentRequired
from agent_marketplace.ledger import Fee, Ledger, Terms
from tests.fakes.books import settlement, shared_balances
from tests.fakes.examples import run_machine

DAYS_S, NOTICE_S = 86_400, 14 * 86_400
amounts = st.integers(1, 300)


class Model:
    """ann pays, bob is the author: plain numbers, each fee a row."""

    def __init__(self) -> None:
        self.promo = self.paid = self.debt = 0
        self.paid_in = 0
        self.holds: dict[str, int] = {}  # fees of runs that have not ended
        self.fees: dict[str, list[int]] = {}  # run -> [fee, author's part, at]
        self.swept: set[str] = set()
        self.backs = 0  # taken back, and not yet offset by a sweep
        self.wallet = self.paid_out = self.platform = 0  # bob's own account, payouts, the platform's part

    @property
    def pending(self) -> int:
        return sum(f[1] for run, f in self.fees.items() if run not in self.swept) - self.backs

    def gain(self, amount: int, *, paid: bool) -> None:
        part = min(self.debt, amount)
        self.debt -= part
        if paid:
            self.paid += amount - part
        else:
            self.promo += amount - part


class Machine(RuleBasedStateMachine):
    def __init__(self, database, runner) -> None:
        super().__init__()
        self.database, self.run = database, runner.run
        with database.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.clock, self.m, self.count = ManualClock(), Model(), 0
        self.ledger = Ledger(database, self.clock, secret=b"s", owner="here")

    def write(self, fn):
        return self.database.write_sync(fn)

    @initialize(credit=st.integers(0, 200))
    def sign_up(self, credit):
        self.write(lambda c: self.ledger.open_account_in(c, "ann", credit_nano=credit))
        self.write(lambda c: self.ledger.open_account_in(c, "bob", credit_nano=0))
        self.m.gain(credit, paid=False)

    @rule(amount=amounts, paid=st.booleans())
    def credit(self, amount, paid):
        terms = Terms(paid=paid, source="grant")
        self.write(lambda c: self.ledger.grant_in(c, "ann", amount, kind="credit", terms=terms))
        self.m.gain(amount, paid=paid)
        self.m.paid_in += amount if paid else 0

    @rule(amount=amounts)
    def charge_back(self, amount):
        self.write(lambda c: self.ledger.grant_in(c, "ann", -amount, kind="reversal"))
        part = min(self.m.paid, amount)
        self.m.paid -= part
        free = min(self.m.promo, amount - part)
        self.m.promo -= free
        self.m.debt += amount - part - free

    @rule(most=amounts)
    def begin(self, most):
        self.count += 1
        run, kept = f"r{self.count}", sum(self.m.holds.values())
        held = self.ledger.hold_fee_in
        if most > self.m.paid - kept or most > self.m.paid + self.m.promo - self.m.debt - kept:
            with pytest.raises(PaymentRequired):
                self.write(lambda c: held(c, run, "ann", most, key_id=None, name="agent/bob/x@1"))
            return
        self.write(lambda c: held(c, run, "ann", most, key_id=None, name="agent/bob/x@1"))
        self.m.holds[run] = most

    @rule(which=st.integers(0, 99), owed=st.integers(0, 400), times=st.integers(1, 2))
    def end(self, which, owed, times):
        if not self.m.holds:
            return
        run = sorted(self.m.holds)[which % len(self.m.holds)]
        held = self.m.holds.pop(run)
        free = self.m.paid + self.m.promo - self.m.debt - sum(self.m.holds.values())
        want = max(min(owed, held, self.m.paid, max(free, 0)), 0)
        fee = Fee(run_id=run, author_id="bob", amount_nano=owed, author_bp=8_000)
        for _ in range(times):
            assert self.write(lambda c: self.ledger.post_fee_in(c, fee)) == want
        self.m.paid -= want
        if want:
            self.m.fees[run] = [want, want * 8_000 // 10_000, self.clock.now_ms()]
            self.m.platform += want - want * 8_000 // 10_000

    @rule(amount=amounts)
    def call(self, amount):
        """A model's call beside the runs: free credit first."""
        self.count += 1
        name, kept = f"c{self.count}", sum(self.m.holds.values())
        if amount > self.m.paid + self.m.promo - self.m.debt - kept:
            with pytest.raises(PaymentRequired):
                self.run(self.ledger.hold(name, "ann", amount, price_version="v"))
            return
        self.run(self.ledger.hold(name, "ann", amount, price_version="v"))
        self.run(self.ledger.settle(settlement(name, amount)))
        free = min(self.m.promo, amount)
        self.m.promo -= free
        self.m.paid -= amount - free

    @rule(which=st.integers(0, 99))
    def refund(self, which):
        if not self.m.fees:
            return
        run = sorted(self.m.fees)[which % len(self.m.fees)]
        fee, share, _ = self.m.fees[run]
        pending = self.m.pending
        assert self.write(lambda c: self.ledger.refund_fee_in(c, run, "wrong")) == fee
        assert self.write(lambda c: self.ledger.refund_fee_in(c, run, "again")) == 0
        if run in self.m.swept:
            offset = min(share, max(pending, 0))
            self.m.backs += offset
            self.m.wallet -= share - offset
        del self.m.fees[run]
        self.m.platform -= fee - share
        self.m.gain(fee, paid=True)

    @rule(days=st.integers(2, 9))
    def wait(self, days):
        self.clock.advance(days * DAYS_S)
        for run in list(self.m.holds):  # held for 26 hours: a run that never ends gives back
            del self.m.holds[run]
        self.run(self.ledger.sweep())
        now = self.clock.now_ms()
        due = [r for r, f in self.m.fees.items() if r not in self.m.swept and f[2] + NOTICE_S * 1000 <= now]
        total = sum(self.m.fees[r][1] for r in due) - self.m.backs
        self.run(self.ledger.sweep_earnings())
        if total > 0:
            self.m.swept |= set(due)
            self.m.backs = 0
            self.m.wallet += total

    @rule(amount=amounts)
    def pay_out(self, amount):
        self.count += 1
        pay, reference = self.ledger.payout_in, f"p{self.count}"
        if amount > self.m.wallet:
            with pytest.raises(Conflict):
                self.write(lambda c: pay(c, "bob", amount, reference=reference, by="root"))
            return
        assert self.write(lambda c: pay(c, "bob", amount, reference=reference, by="root"))
        self.m.wallet -= amount
        self.m.paid_out += amount

    @invariant()
    def authors_earn_what_the_model_says_and_the_books_agree(self):
        if not self.count and not self.m.paid_in:
            return
        wallet = self.run(self.ledger.balance("ann"))
        assert (wallet.balance, wallet.promo) == (self.m.paid + self.m.promo - self.m.debt, self.m.promo)
        assert wallet.held == sum(self.m.holds.values())
        found = self.database.read_sync(lambda c: self.ledger.earned_in(c, "bob"))
        assert (found.pending_nano, found.paid_out_nano) == (self.m.pending, self.m.paid_out)
        assert self.run(self.ledger.balance("bob")).balance == self.m.wallet
        assert found.payable_nano == max(self.m.wallet, 0)
        assert self.m.pending + self.m.wallet + self.m.paid_out + self.m.platform <= self.m.paid_in
        shared = self.database.read_sync(shared_balances)
        assert shared.get("platform:agent_fees", 0) == self.m.platform
        assert self.database.read_sync(self.ledger.verify_sync).problems == []


def test_authors_earn_what_the_model_says_after_every_step(database):
    run_machine(
        lambda runner: Machine(database, runner), database, sqlite=20, postgresql=4, steps=25, share=4
    )
