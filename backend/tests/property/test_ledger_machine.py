"""Any order of holds, slices, settlements, voids, grants, expiry and crashes: the ledger equals a small model."""

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.errors import Conflict, PaymentRequired
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.usage import Usage
from tests.fakes.examples import run_machine

USERS = ("ann", "bob")
CAP = 400
amounts = st.integers(0, 300) | st.sampled_from(
    [0, 1, 99, 100, 101, 200, 300]
)  # limits are met by round numbers


@dataclass
class Held:
    user: str
    amount: int
    expires: int
    key: str | None
    state: str = "open"
    progress: int = 0
    charged: int = 0
    absorbed: int = 0


class Model:
    """What the ledger should do, in forty lines."""

    def __init__(self):
        self.balance = dict.fromkeys(USERS, 500)
        self.holds = {}
        self.spent = 0
        self.usage = {}

    def held(self, user):
        return sum(h.amount for h in self.holds.values() if h.user == user and h.state == "open")

    def key_room(self):
        return CAP - self.spent - sum(h.amount for h in self.holds.values() if h.key and h.state == "open")

    def admits(self, user, amount, key):
        enough = amount <= self.balance[user] - self.held(user) and (key is None or amount <= self.key_room())
        return amount == 0 or enough

    def end(self, name, charge, state, status):
        hold = self.holds[name]
        hold.state = state
        room = max(self.balance[hold.user] - self.held(hold.user), 0)
        if hold.key:
            room = min(room, max(self.key_room(), 0))
        paid = min(min(charge, hold.amount) - hold.charged, room)
        hold.charged += paid
        hold.absorbed = charge - hold.charged
        self.balance[hold.user] -= paid
        self.spent += paid if hold.key else 0
        self.usage[name] = (status, hold.charged, hold.absorbed)

    def lose(self, dead):
        # The order of endings decides who pays when a wallet is short: by expiry, then as the ledger reads them.
        return [name for name, h in self.holds.items() if h.state == "open" and dead(h)]


class Machine(RuleBasedStateMachine):
    requests = Bundle("requests")

    def __init__(self, database, runner):
        super().__init__()
        self.database, self.run = database, runner.run
        with database.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.clock = ManualClock()
        self.model = Model()
        self.starts = self.count = 0
        self.start()

    def start(self):
        self.starts += 1
        self.ledger = Ledger(self.database, self.clock, secret=b"s", owner=f"process-{self.starts}")

    @initialize()
    def open_accounts(self):
        for user in USERS:
            self.database.write_sync(
                lambda c, u=user: self.ledger.open_account_in(c, u, credit_nano=500, kind="credit")
            )
        self.database.write_sync(lambda c: self.ledger.open_key_budget_in(c, "key", "total", CAP))

    @rule(target=requests, user=st.sampled_from(USERS), amount=amounts, key=st.sampled_from([None, "key"]))
    def hold(self, user, amount, key):
        self.count += 1
        name = f"r{self.count}"
        call = self.ledger.hold(name, user, amount, price_version="v", ttl_s=60, key_id=key)
        if self.model.admits(user, amount, key):
            self.run(call)
            self.model.holds[name] = Held(user, amount, self.clock.now_ms() + 60_000, key)
        else:
            with pytest.raises(PaymentRequired):
                self.run(call)
        return name

    @rule(name=requests, amount=amounts)
    def extend(self, name, amount):
        hold = self.model.holds.get(name)
        if hold is None:
            return
        if hold.state == "open" and not self.model.admits(hold.user, amount, hold.key):
            with pytest.raises(PaymentRequired):
                self.run(self.ledger.extend(name, amount))
            return
        assert self.run(self.ledger.extend(name, amount)) == (hold.state == "open")
        if hold.state == "open":
            hold.amount += amount

    @rule(name=requests, progress=st.none() | amounts)
    def heartbeat(self, name, progress):
        hold = self.model.holds.get(name)
        if hold is None:
            return
        assert self.run(self.ledger.heartbeat(name, 60, progress_nano=progress)) == (hold.state == "open")
        if hold.state == "open":
            hold.expires = self.clock.now_ms() + 60_000
            hold.progress = hold.progress if progress is None else progress

    @rule(name=requests, charge=st.integers(0, 900))
    def settle(self, name, charge):
        hold = self.model.holds.get(name)
        if hold is None:
            return
        values = {"provider": "p", "model": "m", "status": "ok", "provider_cost_nano": charge // 2}
        call = self.ledger.settle(
            Settlement(
                request_id=name, user_id=hold.user, charge_nano=charge, usage=Usage(output=1), **values
            )
        )
        if hold.state == "voided":
            with pytest.raises(Conflict):
                self.run(call)
            return
        replayed = hold.state == "settled"
        if not replayed:
            self.model.end(name, charge, "settled", "ok")
        receipt = self.run(call)
        assert (receipt.charged_nano, receipt.absorbed_nano, receipt.replayed) == (
            hold.charged,
            hold.absorbed,
            replayed,
        )

    @rule(name=requests)
    def void(self, name):
        hold = self.model.holds.get(name)
        if hold is None:
            return
        if hold.state in ("open", "expired"):
            self.model.end(name, 0, "voided", "failed")
        assert self.run(self.ledger.void(name, "why")).charged_nano == hold.charged

    @rule(user=st.sampled_from(USERS), amount=amounts, key=st.sampled_from([None, "once"]))
    def grant(self, user, amount, key):
        first = key is None or not hasattr(self, f"granted_{user}")
        if key is not None and first:
            setattr(self, f"granted_{user}", amount)
        amount = amount if key is None else getattr(self, f"granted_{user}")
        self.run(self.ledger.grant(user, amount, kind="topup", idempotency_key=key))
        self.model.balance[user] += amount if first else 0

    @rule(user=st.sampled_from(USERS), amount=amounts)
    def charge(self, user, amount):
        want = amount <= max(self.model.balance[user] - self.model.held(user), 0)
        assert self.run(self.ledger.charge(user, amount, kind="plan")) == want
        self.model.balance[user] -= amount if want else 0

    @rule(seconds=st.sampled_from([1, 30, 61]))
    def wait_and_sweep(self, seconds):
        self.clock.advance(seconds)
        self.lose(lambda h: h.expires <= self.clock.now_ms(), self.ledger.sweep)

    @rule()
    def crash_and_recover(self):
        self.start()
        if self.database.dialect == "postgresql":
            self.clock.advance(61)
        self.lose(lambda h: True, self.ledger.recover)

    def lose(self, dead, step):
        lost = self.model.lose(dead)
        ledger_order = sorted(lost, key=lambda name: (self.model.holds[name].expires, name))
        assert self.run(step()) == len(lost)
        for name in ledger_order:
            self.model.end(name, self.model.holds[name].progress, "expired", "lost")

    @rule()
    def checkpoint(self):
        self.run(self.ledger.checkpoint())

    @invariant()
    def nobody_pays_more_than_was_allowed(self):
        assert all(h.charged <= h.amount for h in self.model.holds.values())
        assert self.model.key_room() >= 0

    @invariant()
    def nothing_disagrees(self):
        assert self.database.read_sync(self.ledger.verify_sync).problems == []

    @invariant()
    def the_ledger_is_the_model(self):
        if not self.count:
            return
        for user in USERS:
            wallet = self.run(self.ledger.balance(user))
            assert (wallet.balance, wallet.held) == (self.model.balance[user], self.model.held(user))
        for name, want in self.model.usage.items():
            record = self.run(self.ledger.receipt(name, self.model.holds[name].user))
            assert (record.status, record.charge_nano, record.absorbed_nano) == want
        spend = self.run(self.ledger.key_spend(["key"]))["key"]
        assert (spend.spent_nano, CAP - spend.spent_nano - spend.held_nano) == (
            self.model.spent,
            self.model.key_room(),
        )


def test_no_order_of_events_makes_or_loses_money(database):
    run_machine(
        lambda runner: Machine(database, runner), database, sqlite=60, postgresql=15, steps=40, share=6
    )
