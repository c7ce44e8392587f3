"""Authors earn only what somebody paid for, once, and it can be taken back from both sides; the books agree after each test."""

import asyncio
import functools

import pytest
import sqlalchemy as sa

from agent_marketplace.db.tables.earnings import fees
from agent_marketplace.errors import BadRequest, Conflict, NotFound, PaymentRequired
from agent_marketplace.ledger import Fee, Ledger, Terms
from agent_marketplace.ledger.earnings import AGENT_FEES, pending_account
from tests.fakes.books import DOLLAR, settlement, shared_balances

DAYS_S = 86_400
PENDING = pending_account("bob")


def awaited(test):
    """Runs an `async def` test in a loop of its own."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


@pytest.fixture
def books(database, ledger):
    """ann has $5 of sign-up credit and $10 that she paid; bob, an author, has nothing."""
    database.write_sync(lambda c: ledger.open_account_in(c, "bob", credit_nano=0))
    database.write_sync(lambda c: ledger.grant_in(c, "ann", 10 * DOLLAR, kind="topup"))
    return Books(database, ledger)


class Books:
    def __init__(self, database, ledger: Ledger) -> None:
        self.database, self.ledger = database, ledger

    def write(self, fn):
        return self.database.write_sync(fn)

    def hold(self, run: str, most: int, user: str = "ann") -> None:
        self.write(lambda c: self.ledger.hold_fee_in(c, run, user, most, key_id=None, name="agent/bob/x@1"))

    def post(self, run: str, amount: int) -> int:
        fee = Fee(run_id=run, author_id="bob", amount_nano=amount, author_bp=8_000)
        return self.write(lambda c: self.ledger.post_fee_in(c, fee))

    def earn(self, run: str, amount: int) -> None:
        self.hold(run, amount)
        assert self.post(run, amount) == amount

    def refund(self, run: str) -> int:
        return self.write(lambda c: self.ledger.refund_fee_in(c, run, "it was wrong"))

    def pay(self, amount: int, reference: str = "r1") -> bool:
        return self.write(lambda c: self.ledger.payout_in(c, "bob", amount, reference=reference, by="root"))

    def balance(self, user: str):
        return self.database.read_sync(lambda c: self.ledger.balance_in(c, user))

    @property
    def earned(self) -> tuple[int, int, int]:
        found = self.database.read_sync(lambda c: self.ledger.earned_in(c, "bob"))
        return found.pending_nano, found.payable_nano, found.paid_out_nano

    @property
    def shared(self) -> dict[str, int]:
        return self.database.read_sync(shared_balances)


def test_a_fee_is_taken_once_from_paid_money_and_shared(books):
    books.hold("run1", 3 * DOLLAR)
    books.hold("run1", 3 * DOLLAR)  # a repeat keeps nothing more
    assert books.balance("ann").held == 3 * DOLLAR
    assert [books.post("run1", 2 * DOLLAR) for _ in range(2)] == [2 * DOLLAR] * 2
    wallet = books.balance("ann")
    assert (wallet.balance, wallet.held, wallet.promo) == (13 * DOLLAR, 0, 5 * DOLLAR)
    assert books.shared[PENDING] == 16 * DOLLAR // 10
    assert books.shared[AGENT_FEES] == 4 * DOLLAR // 10
    row = books.database.read_sync(lambda c: c.execute(sa.select(fees)).one())
    assert (row.author_id, row.fee_nano, row.due_at - row.at) == ("bob", 2 * DOLLAR, 14 * DAYS_S * 1000)
    with pytest.raises(NotFound):
        books.post("none", 1)
    with pytest.raises(BadRequest, match="76"):
        books.hold("r" * 77, 1)
    with pytest.raises(BadRequest):
        books.post("run1", -1)


def test_free_credit_pays_no_author_however_much_there_is(books):
    books.write(
        lambda c: books.ledger.grant_in(
            c, "ann", 90 * DOLLAR, kind="credit", terms=Terms(paid=False, source="code")
        )
    )
    books.hold("run1", 6 * DOLLAR)
    with pytest.raises(PaymentRequired) as refused:  # 4 of paid money are left, whatever the wallet holds
        books.hold("run2", 5 * DOLLAR)
    assert (refused.value.code, refused.value.extra["available"]) == ("needs_topup", 4)
    books.hold("run2", 4 * DOLLAR)
    with pytest.raises(PaymentRequired) as refused:
        books.hold("run3", 1)
    assert refused.value.code == "needs_topup"
    assert (books.post("run1", 6 * DOLLAR), books.post("run2", 4 * DOLLAR)) == (6 * DOLLAR, 4 * DOLLAR)
    assert books.balance("ann").promo == 95 * DOLLAR


def test_a_run_that_delivers_nothing_costs_no_fee(books):
    books.hold("run1", DOLLAR)
    assert books.post("run1", 0) == 0
    assert (books.balance("ann").balance, books.balance("ann").held) == (15 * DOLLAR, 0)
    assert PENDING not in books.shared
    assert books.post("run1", DOLLAR) == 0  # it has ended


def test_a_fee_is_never_more_than_was_held_and_paid_money_is_there(books):
    books.hold("run1", DOLLAR)
    assert books.post("run1", 7 * DOLLAR) == DOLLAR
    books.hold("run2", 9 * DOLLAR)
    books.write(
        lambda c: books.ledger.grant_in(c, "ann", -8 * DOLLAR, kind="reversal")
    )  # charged back meanwhile
    assert books.post("run2", 9 * DOLLAR) == DOLLAR
    assert books.balance("ann").balance == 5 * DOLLAR  # free credit, untouched


@awaited
async def test_a_fee_outlives_the_process_that_held_it_and_its_end(books, database, clock):
    books.hold("run1", DOLLAR)
    other = Ledger(database, clock, secret=b"secret", owner="next-process")
    assert await other.recover() == 0
    assert books.balance("ann").held == DOLLAR
    clock.advance(27 * 3600)
    assert await books.ledger.sweep() == 1
    assert books.balance("ann").held == 0
    assert books.post("run1", DOLLAR) == DOLLAR  # whoever ends the run later is still paid


@awaited
async def test_models_and_fees_share_a_wallet_without_taking_from_each_other(books):
    books.hold("run1", 10 * DOLLAR)
    await books.ledger.hold("call", "ann", 5 * DOLLAR, price_version="v")
    await books.ledger.settle(settlement("call", 5 * DOLLAR))
    assert books.post("run1", 10 * DOLLAR) == 10 * DOLLAR
    assert books.balance("ann").balance == 0


@awaited
async def test_earnings_reach_their_author_after_14_days_and_are_paid_out_once(books, clock):
    books.earn("run1", DOLLAR)
    clock.advance(10 * DAYS_S)
    books.earn("run2", DOLLAR)
    assert await books.ledger.sweep_earnings() == 0
    clock.advance(4 * DAYS_S)
    assert [await books.ledger.sweep_earnings() for _ in range(2)] == [1, 0]
    share = 8 * DOLLAR // 10
    assert books.earned == (share, share, 0)
    with pytest.raises(Conflict, match="more than"):
        books.pay(share + 1)
    assert [books.pay(share - 1, "r1"), books.pay(share - 1, "r1")] == [True, False]
    with pytest.raises(Conflict, match="another"):
        books.pay(1, "r1")
    with pytest.raises(BadRequest):
        books.pay(0, "r2")
    assert books.earned == (share, 1, share - 1)
    assert books.shared["world:payout"] == share - 1


@awaited
async def test_only_what_was_earned_is_paid_out_and_not_a_top_up(books, clock):
    books.write(lambda c: books.ledger.grant_in(c, "bob", 5 * DOLLAR, kind="topup"))
    books.earn("run1", DOLLAR)
    clock.advance(15 * DAYS_S)
    await books.ledger.sweep_earnings()
    with pytest.raises(Conflict):
        books.pay(DOLLAR)
    assert books.pay(8 * DOLLAR // 10)
    lots = await books.ledger.lots("bob")
    assert [(lot.source, lot.left) for lot in lots if lot.left] == [("order", 5 * DOLLAR)]


@awaited
async def test_a_refund_takes_from_pending_first_then_from_the_author_into_debt_and_blocks_payouts(
    books, clock
):
    share = 8 * DOLLAR // 10
    books.earn("run1", DOLLAR)
    assert [books.refund("run1"), books.refund("run1")] == [DOLLAR, 0]
    assert books.earned == (0, 0, 0)
    assert books.shared[AGENT_FEES] == 0
    books.earn("run2", DOLLAR)
    books.earn("run3", DOLLAR)
    clock.advance(15 * DAYS_S)
    await books.ledger.sweep_earnings()
    books.earn("run4", DOLLAR // 2)
    books.refund("run2")  # 0.4 are pending, 0.4 come from the account
    assert books.earned == (0, share * 2 - share // 2, 0)
    assert books.pay(books.earned[1])
    books.refund("run3")  # paid out already
    assert books.balance("bob").balance == -share
    with pytest.raises(Conflict):
        books.pay(1, "r2")
    clock.advance(15 * DAYS_S)
    assert await books.ledger.sweep_earnings() == 0  # what was taken back offsets what is due
    assert books.balance("ann").balance == 15 * DOLLAR - DOLLAR // 2
    with pytest.raises(NotFound):
        books.refund("none")


def test_refunds_from_an_author_who_is_gone_stay_with_what_is_pending(books, clock):
    fee = Fee(run_id="run1", author_id="gone", amount_nano=DOLLAR, author_bp=8_000)
    books.hold("run1", DOLLAR)
    books.write(lambda c: books.ledger.post_fee_in(c, fee))
    clock.advance(15 * DAYS_S)
    with pytest.raises(NotFound):
        books.database.read_sync(lambda c: books.ledger.earned_in(c, "gone"))
    books.write(lambda c: c.execute(sa.update(fees).values(swept_at=1)))
    problems = books.database.read_sync(books.ledger.verify_sync).problems
    assert problems == [f"{pending_account('gone')}: postings sum to {8 * DOLLAR // 10}, its rows to 0"]
    books.write(lambda c: c.execute(sa.update(fees).values(swept_at=None)))
    assert books.refund("run1") == DOLLAR


@pytest.mark.parametrize(
    "edit", [{"fee_nano": 5}, {"author_nano": 5}, {"author_id": "eve"}, {"payer_id": "eve"}]
)
def test_verify_sees_a_fee_that_was_changed_behind_the_books(books, edit):
    books.earn("run1", DOLLAR)
    before = books.database.read_sync(lambda c: c.execute(sa.select(fees)).one())._mapping
    books.write(lambda c: c.execute(sa.update(fees).values(edit)))
    assert not books.database.read_sync(books.ledger.verify_sync).ok
    books.write(lambda c: c.execute(sa.update(fees).values(dict(before))))


def test_a_disputed_fee_is_given_back_by_both_who_shared_it(books):
    books.earn("run1", DOLLAR)
    back = books.ledger.give_back_in
    assert books.write(lambda c: back(c, "ann", "fee_run1", "disputed")) == DOLLAR
    assert (books.earned, books.balance("ann").balance) == ((0, 0, 0), 15 * DOLLAR)
    with pytest.raises(Conflict, match="before"):
        books.write(lambda c: back(c, "ann", "fee_run1", "disputed"))
