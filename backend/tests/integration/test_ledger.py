"""The ledger on real databases: nobody spends a dollar twice, loses one, or gets one for nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import accounts, usage_records
from agent_marketplace.errors import BadRequest, Conflict, NotFound, PaymentRequired
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.writer import close
from agent_marketplace.usage import Usage
from tests.fakes.books import DOLLAR, settlement, shared_balances


def held(database):
    return database.read_sync(lambda c: c.execute(sa.select(sa.func.sum(accounts.c.held_nano))).scalar_one())


def usage_rows(database):
    return database.read_sync(lambda c: c.execute(sa.select(usage_records)).all())


def test_two_parallel_calls_cannot_spend_the_same_dollar(ledger):
    async def story():
        calls = [ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v") for i in range(64)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(not isinstance(r, Exception) for r in results) == 5
        assert {type(r) for r in results if isinstance(r, Exception)} == {PaymentRequired}
        assert await ledger.balance("ann") == (await ledger.balance("ann"))
        assert (await ledger.balance("ann")).available == 0

    asyncio.run(story())


def test_parallel_calls_of_two_processes_cannot_spend_the_same_dollar(ledger, database_url, clock):
    from agent_marketplace.db.engine import Database

    other = Database.open(database_url)
    ledgers = [ledger, Ledger(other, clock, secret=b"secret", owner="other-process")]

    async def story():
        calls = [ledgers[i % 2].hold(f"r{i}", "ann", DOLLAR, price_version="v") for i in range(32)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(not isinstance(r, Exception) for r in results) == 5

    asyncio.run(story())
    other.close()


def test_a_refusal_says_what_is_needed_and_what_is_there(ledger):
    async def story():
        await ledger.hold("r1", "ann", 2 * DOLLAR, price_version="v")
        with pytest.raises(PaymentRequired) as refused:
            await ledger.hold("r2", "ann", 4 * DOLLAR, price_version="v")
        assert {k: str(v) for k, v in refused.value.extra.items()} == {
            "required": "4", "balance": "5", "held": "2", "available": "3", "scope": "wallet",
        }  # fmt: skip

    asyncio.run(story())


def test_a_settlement_takes_the_cost_gives_back_the_rest_and_leaves_one_usage_row(ledger, database):
    async def story():
        await ledger.hold("r1", "ann", 2 * DOLLAR, price_version="v7", key_id="key_a")
        detail = {"attempts": [{"provider": "openai", "ms": 12}]}
        receipt = await ledger.settle(settlement("r1", 123_456_789, list_cost_nano=5, detail=detail))
        assert (receipt.charged_nano, receipt.absorbed_nano, receipt.replayed) == (123_456_789, 0, False)
        assert receipt.balance_nano - receipt.held_nano == 5 * DOLLAR - 123_456_789
        record = await ledger.receipt("r1", "ann")
        assert (record.charge_nano, record.hold_nano, record.price_version) == (123_456_789, 2 * DOLLAR, "v7")
        assert (record.usage, record.detail, record.key_id) == (Usage(input=100, output=20), detail, "key_a")
        with pytest.raises(NotFound):
            await ledger.receipt("r1", "bob")

    asyncio.run(story())
    assert len(usage_rows(database)) == 1
    shared = database.read_sync(shared_balances)
    assert shared["provider:openai"] == 123_456_789


def test_a_settlement_sent_ten_times_charges_once(ledger, database):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        receipts = await asyncio.gather(*(ledger.settle(settlement("r1", 1000)) for _ in range(10)))
        assert {r.charged_nano for r in receipts} == {1000}
        assert sum(not r.replayed for r in receipts) == 1
        assert (await ledger.void("r1", "late")).charged_nano == 1000
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR - 1000

    asyncio.run(story())
    assert len(usage_rows(database)) == 1


def test_a_cost_above_the_hold_is_absorbed_and_reported_never_charged(ledger, database, caplog):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        await ledger.extend("r1", 2 * DOLLAR)
        receipt = await ledger.settle(settlement("r1", 5 * DOLLAR))
        assert (receipt.charged_nano, receipt.absorbed_nano, receipt.balance_nano) == (
            3 * DOLLAR,
            2 * DOLLAR,
            2 * DOLLAR,
        )

    asyncio.run(story())
    assert "absorbed 2000000000 nano-dollars of r1" in caplog.text
    assert database.read_sync(shared_balances)["platform:absorbed"] == -2 * DOLLAR


def test_one_call_cannot_take_what_another_call_holds(ledger):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        await ledger.hold("r2", "ann", 3 * DOLLAR, price_version="v")
        receipt = await ledger.settle(settlement("r1", 10 * DOLLAR))
        assert (receipt.charged_nano, receipt.held_nano, receipt.balance_nano - receipt.held_nano) == (
            DOLLAR,
            3 * DOLLAR,
            DOLLAR,
        )
        assert (await ledger.settle(settlement("r2", 3 * DOLLAR))).absorbed_nano == 0

    asyncio.run(story())


def test_a_voided_call_costs_nothing_and_says_why(ledger, database):
    async def story():
        await ledger.hold(
            "r1", "ann", DOLLAR, price_version="v", meta={"model": "gpt4", "provider": "openai"}
        )
        receipt = await ledger.void("r1", "upstream said 503")
        assert (receipt.charged_nano, receipt.held_nano) == (0, 0)
        assert (await ledger.void("r1", "again")).replayed
        with pytest.raises(Conflict):
            await ledger.settle(settlement("r1", 5))
        record = await ledger.receipt("r1", "ann")
        assert (record.status, record.model, record.provider) == ("failed", "gpt4", "openai")
        assert record.detail == {"reason": "upstream said 503"}
        assert (await ledger.statement("ann")).next_cursor is None

    asyncio.run(story())
    assert len(usage_rows(database)) == 1


def test_an_attempt_that_may_be_billed_is_the_operators_cost(ledger, database):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        await ledger.settle(settlement("r1", 0, status="failed", provider_cost_nano=700))
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR
        assert len((await ledger.statement("ann")).entries) == 1, "a zero entry tells the user nothing"

    asyncio.run(story())
    shared = database.read_sync(shared_balances)
    assert (shared["provider:openai"], shared["platform:revenue"]) == (700, -700)


def test_a_stream_is_extended_until_the_wallet_is_empty_then_stopped(ledger):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        assert [await ledger.extend("r1", DOLLAR) for _ in range(4)] == [True] * 4
        for _ in range(2):
            with pytest.raises(PaymentRequired, match="balance"):
                await ledger.extend("r1", 1)
        assert (await ledger.balance("ann")).available == 0
        await ledger.settle(settlement("r1", DOLLAR))
        assert not await ledger.extend("r1", 1)
        assert not await ledger.heartbeat("r1")

    asyncio.run(story())


def test_a_free_call_is_never_blocked_by_debt(ledger):
    async def story():
        await ledger.grant("ann", -7 * DOLLAR, kind="reversal")
        assert (await ledger.balance("ann")).balance == -2 * DOLLAR
        await ledger.hold("r1", "ann", 0, price_version="free")
        receipt = await ledger.settle(settlement("r1", 0))
        assert (receipt.charged_nano, receipt.balance_nano) == (0, -2 * DOLLAR)
        await ledger.hold("r2", "ann", 0, price_version="free")
        assert (await ledger.settle(settlement("r2", 5))).absorbed_nano == 5
        with pytest.raises(PaymentRequired):
            await ledger.hold("r3", "ann", 1, price_version="v")
        assert not await ledger.charge("ann", 1, kind="plan")

    asyncio.run(story())


def test_a_call_over_before_its_hold_is_written_is_still_charged_once(ledger, database):
    async def story():
        hold, receipt = await asyncio.gather(
            ledger.hold("r1", "ann", DOLLAR, price_version="v"), ledger.settle(settlement("r1", 10))
        )
        assert (hold.held_nano, receipt.charged_nano, receipt.held_nano) == (DOLLAR, 10, 0)

    asyncio.run(story())
    assert len(usage_rows(database)) == 1


def test_a_settlement_that_commits_while_the_sweeper_waits_is_not_undone(postgres_url, clock):
    from agent_marketplace.db.engine import Database

    database = Database.open(postgres_url)
    database.create_all()
    ledger = Ledger(database, clock)
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=DOLLAR))
    asyncio.run(ledger.hold("r1", "ann", DOLLAR, price_version="v", ttl_s=0))
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with database.engine.begin() as connection, ThreadPoolExecutor() as pool:
        connection.execute(sa.text("SELECT 1 FROM ledger_accounts FOR UPDATE"))
        swept = pool.submit(asyncio.run, ledger.sweep())
        while not database.read_sync(lambda c: c.execute(waiting).scalar_one()):
            assert not swept.done()
        book = ledger._writer.book(connection)
        book.load(requests=["r1"])
        close(book, book.hold("r1"), settlement("r1", 10), "settled")
        book.flush()
        connection.commit()
        assert swept.result(20) == 0
    assert [row.status for row in usage_rows(database)] == ["ok"]
    assert database.read_sync(ledger.verify_sync).ok
    database.close()


def test_a_request_id_buys_one_hold(ledger):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        with pytest.raises(Conflict):
            await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        assert (await ledger.balance("ann")).held == DOLLAR

    asyncio.run(story())


def test_a_hold_that_a_crash_of_the_database_took_does_not_make_its_answer_free(ledger, database):
    database.write_sync(lambda c: ledger.open_key_budget_in(c, "key", "total", DOLLAR))

    async def story():
        lost = {"held_nano": 2 * DOLLAR, "key_id": "key"}
        receipt = await ledger.settle(settlement("r1", DOLLAR // 2, **lost))
        assert (receipt.charged_nano, receipt.absorbed_nano) == (DOLLAR // 2, 0)
        assert (await ledger.settle(settlement("r1", DOLLAR // 2, **lost))).replayed
        second = await ledger.settle(settlement("r2", 2 * DOLLAR, **lost))
        assert second.charged_nano == DOLLAR // 2, "no more than is left of the key's cap"
        for wrong in ({"held_nano": -1}, {"held_nano": 1, "user": "nobody"}):
            with pytest.raises((BadRequest, NotFound)):
                await ledger.settle(settlement("r3", 1, **wrong))
        assert (await ledger.receipt("r1", "ann")).hold_nano == 2 * DOLLAR

    asyncio.run(story())


def test_nobody_settles_a_request_of_somebody_else(ledger, database):
    async def story():
        await database.write(lambda c: ledger.open_account_in(c, "bob", credit_nano=0))
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        for step in (
            ledger.settle(settlement("r1", 1, user="bob")),
            ledger.settle(settlement("unknown", 1)),
            ledger.hold("r2", "nobody", 1, price_version="v"),
            ledger.extend("unknown", 1),
            ledger.void("unknown", "x"),
            ledger.balance("nobody"),
            ledger.statement("nobody"),
            ledger.grant("nobody", 1, kind="credit"),
        ):
            with pytest.raises(NotFound):
                await step

    asyncio.run(story())


@pytest.mark.parametrize("amount", [-1, True, 1.5, 10**18 + 1])
def test_no_impossible_amount_reaches_an_account(ledger, amount):
    async def story():
        await ledger.hold("r1", "ann", 1, price_version="v")
        for step in (
            ledger.hold("r2", "ann", amount, price_version="v"),
            ledger.extend("r1", amount),
            ledger.heartbeat("r1", progress_nano=amount),
            ledger.settle(settlement("r1", amount)),
            ledger.grant("ann", amount, kind="credit"),
            ledger.charge("ann", amount, kind="plan"),
        ):
            with pytest.raises(BadRequest):
                await step

    asyncio.run(story())


def test_a_refused_call_does_not_spoil_the_others_of_its_group(ledger):
    async def story():
        calls = [
            ledger.hold("good", "ann", 1, price_version="v"),
            ledger.hold("bad", "nobody", 1, price_version="v"),
        ]
        good, bad = await asyncio.gather(*calls, return_exceptions=True)
        assert good.amount_nano == 1
        assert isinstance(bad, NotFound)

    asyncio.run(story())


def test_a_hold_whose_caller_left_while_it_was_made_is_released(ledger, database):
    async def story():
        waiting = [asyncio.create_task(ledger.hold(f"r{i}", "ann", 1, price_version="v")) for i in range(20)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await ledger.hold(
            "fence", "ann", 0, price_version="v"
        )  # the writer takes turns: what came before is committed
        await ledger.void("fence", "only a fence", status="cancelled")
        await asyncio.gather(*ledger._undoing)

    asyncio.run(asyncio.wait_for(story(), 20))
    assert held(database) == 0
    assert {row.status for row in usage_rows(database)} == {"cancelled"}
    assert len(usage_rows(database)) == 21


def test_an_expired_hold_ends_as_lost_and_a_late_settlement_still_wins(ledger, database, clock):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v", ttl_s=10)
        await ledger.hold("r2", "ann", DOLLAR, price_version="v", ttl_s=10)
        clock.advance(9)
        assert await ledger.sweep() == 0
        assert await ledger.heartbeat("r2", 10)
        clock.advance(2)
        assert await ledger.sweep() == 1
        assert (await ledger.receipt("r1", "ann")).status == "lost"
        assert (await ledger.balance("ann")).held == DOLLAR
        late = await ledger.settle(settlement("r1", 500))
        assert (late.charged_nano, late.replayed) == (500, False)
        assert (await ledger.receipt("r1", "ann")).status == "ok"
        assert (await ledger.settle(settlement("r1", 500))).replayed

    asyncio.run(story())
    assert len(usage_rows(database)) == 1


def test_what_the_operator_bore_is_counted_for_each_user_since_a_moment(ledger, clock):
    async def story():
        await ledger.hold("r1", "ann", 100, price_version="v")
        await ledger.settle(settlement("r1", 350))
        clock.advance(60)
        midnight = clock.now_ms()
        assert await ledger.absorbed_since(midnight) == {}
        for name, cost in (("r2", 130), ("r3", 170), ("r4", 100)):
            await ledger.hold(name, "ann", 100, price_version="v")
            await ledger.settle(settlement(name, cost))
        assert await ledger.absorbed_since(midnight) == {"ann": 100}
        assert await ledger.absorbed_since(0) == {"ann": 350}

    asyncio.run(story())


def test_the_sweeper_spares_what_its_own_process_still_runs_and_finds_what_is_lost_behind_it(
    ledger, clock, monkeypatch
):
    monkeypatch.setattr("agent_marketplace.ledger.housekeeping.BATCH", 1)

    async def story():
        for name in ("r1", "r2", "r3"):
            await ledger.hold(name, "ann", DOLLAR, price_version="v", ttl_s=10)
        clock.advance(3600)
        assert await ledger.sweep({"r1", "r2"}) == 1
        assert (await ledger.receipt("r3", "ann")).status == "lost"
        assert (await ledger.balance("ann")).held == 2 * DOLLAR
        assert await ledger.heartbeat("r1", 10), "a beat that comes late still finds its hold"
        assert await ledger.sweep() == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("progress", "final"), [(300, 500), (500, 300), (300, 300), (6 * DOLLAR, 6 * DOLLAR), (6 * DOLLAR, 1)]
)
def test_what_a_dead_stream_was_charged_is_set_right_by_its_settlement(ledger, clock, progress, final):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v", ttl_s=10)
        await ledger.heartbeat("r1", 10, progress_nano=progress)
        clock.advance(11)
        assert await ledger.sweep() == 1
        record = await ledger.receipt("r1", "ann")
        assert record.charge_nano == min(progress, DOLLAR)
        assert record.absorbed_nano == progress - record.charge_nano
        receipt = await ledger.settle(settlement("r1", final))
        assert receipt.charged_nano == min(final, DOLLAR)
        assert receipt.charged_nano + receipt.absorbed_nano == final
        assert receipt.balance_nano == 5 * DOLLAR - receipt.charged_nano

    asyncio.run(story())


def test_after_a_crash_every_hold_of_the_dead_process_is_resolved(ledger, database, clock):
    async def story():
        for i in range(3):
            await ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v", ttl_s=600)
        await ledger.heartbeat("r1", 600, progress_nano=77)
        successor = Ledger(database, clock, secret=b"secret", owner="next-process")
        await successor.hold("own", "ann", DOLLAR, price_version="v")
        if database.dialect == "postgresql":
            assert await successor.recover() == 0, "another process may be alive"
            clock.advance(601)
            await successor.heartbeat("own")
        assert await successor.recover() == 3
        wallet = await successor.balance("ann")
        assert (wallet.balance, wallet.held) == (5 * DOLLAR - 77, DOLLAR)
        assert (await successor.receipt("r1", "ann")).charge_nano == 77

    asyncio.run(story())
    assert [row.status for row in usage_rows(database)] == ["lost"] * 3
