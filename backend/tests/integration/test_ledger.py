"""The ledger on real databases: nobody spends a dollar twice, loses one, or gets one for nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.tables.ledger import accounts, holds, usage_records
from agent_marketplace.errors import BadRequest, Conflict, IdempotencyMismatch, NotFound, PaymentRequired, Unavailable
from agent_marketplace.ledger import Ledger, Settlement, store
from agent_marketplace.ledger.idempotency import abandon_in, begin_in, digest, finish_in, forget_in
from agent_marketplace.ledger.writer import close
from agent_marketplace.usage import Usage

DOLLAR = 10**9


def settlement(request_id, charge, *, user="ann", **more):
    values = {
        "request_id": request_id,
        "user_id": user,
        "charge_nano": charge,
        "usage": Usage(input=100, output=20),
        "provider": "openai",
        "model": "gpt-4o-mini",
        "status": "ok",
        "provider_cost_nano": charge,
    }
    return Settlement(**(values | more))


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ledger(database, clock):
    ledger = Ledger(database, clock, secret=b"secret", owner="this-process")
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=5 * DOLLAR))
    yield ledger
    report = database.read_sync(ledger.verify_sync)
    assert report.problems == []


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
    ledgers = [ledger, Ledger(other, clock, owner="other-process")]

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
    shared = database.read_sync(store.shared_balances)
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


def test_a_cost_above_the_wallet_is_absorbed_and_reported_never_hidden(ledger, database, caplog):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        receipt = await ledger.settle(settlement("r1", 7 * DOLLAR))
        assert (receipt.charged_nano, receipt.absorbed_nano, receipt.balance_nano) == (5 * DOLLAR, 2 * DOLLAR, 0)

    asyncio.run(story())
    assert "absorbed 2000000000 nano-dollars of r1" in caplog.text
    assert database.read_sync(store.shared_balances)["platform:absorbed"] == -2 * DOLLAR


def test_one_call_cannot_take_what_another_call_holds(ledger):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        await ledger.hold("r2", "ann", 3 * DOLLAR, price_version="v")
        receipt = await ledger.settle(settlement("r1", 10 * DOLLAR))
        assert (receipt.charged_nano, receipt.held_nano, receipt.balance_nano - receipt.held_nano) == (2 * DOLLAR, 3 * DOLLAR, 0)
        assert (await ledger.settle(settlement("r2", 3 * DOLLAR))).absorbed_nano == 0

    asyncio.run(story())


def test_a_voided_call_costs_nothing_and_says_why(ledger, database):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v", meta={"model": "gpt4", "provider": "openai"})
        receipt = await ledger.void("r1", "upstream said 503", detail={"attempts": []})
        assert (receipt.charged_nano, receipt.held_nano) == (0, 0)
        assert (await ledger.void("r1", "again")).replayed
        with pytest.raises(Conflict):
            await ledger.settle(settlement("r1", 5))
        record = await ledger.receipt("r1", "ann")
        assert (record.status, record.model, record.provider) == ("failed", "gpt4", "openai")
        assert record.detail == {"attempts": [], "reason": "upstream said 503"}
        assert (await ledger.statement("ann")).next_cursor is None

    asyncio.run(story())
    assert len(usage_rows(database)) == 1


def test_an_attempt_that_may_be_billed_is_the_operators_cost(ledger, database):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        await ledger.void("r1", "timed out", provider="openai", model="gpt4", provider_cost_nano=700)
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR
        assert len((await ledger.statement("ann")).entries) == 1, "a zero entry tells the user nothing"

    asyncio.run(story())
    shared = database.read_sync(store.shared_balances)
    assert (shared["provider:openai"], shared["platform:revenue"]) == (700, -700)


def test_a_stream_is_extended_until_the_wallet_is_empty_then_stopped(ledger):
    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        granted = [await ledger.extend("r1", DOLLAR) for _ in range(6)]
        assert granted == [True] * 4 + [False] * 2
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
        calls = [ledger.hold("good", "ann", 1, price_version="v"), ledger.hold("bad", "nobody", 1, price_version="v")]
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
        await ledger.hold("fence", "ann", 0, price_version="v")  # the writer takes turns: what came before is committed
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
        assert record.charge_nano == min(progress, 5 * DOLLAR)
        assert record.absorbed_nano == progress - record.charge_nano
        receipt = await ledger.settle(settlement("r1", final))
        assert receipt.charged_nano == min(final, 5 * DOLLAR)
        assert receipt.charged_nano + receipt.absorbed_nano == final
        assert receipt.balance_nano == 5 * DOLLAR - receipt.charged_nano

    asyncio.run(story())


def test_after_a_crash_every_hold_of_the_dead_process_is_resolved(ledger, database, clock):
    async def story():
        for i in range(3):
            await ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v", ttl_s=600)
        await ledger.heartbeat("r1", 600, progress_nano=77)
        successor = Ledger(database, clock, owner="next-process")
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


def test_a_grant_repeated_with_its_key_is_one_grant(ledger):
    async def story():
        calls = [ledger.grant("ann", DOLLAR, kind="topup", idempotency_key="pay_1") for _ in range(10)]
        await asyncio.gather(*calls)
        assert (await ledger.balance("ann")).balance == 6 * DOLLAR
        with pytest.raises(IdempotencyMismatch):
            await ledger.grant("ann", 2 * DOLLAR, kind="topup", idempotency_key="pay_1")
        await ledger.grant("ann", DOLLAR, kind="credit")
        await ledger.grant("ann", DOLLAR, kind="credit")
        assert (await ledger.balance("ann")).balance == 8 * DOLLAR
        for bad in ("", "x" * 201):
            with pytest.raises(BadRequest):
                await ledger.grant("ann", 1, kind="credit", idempotency_key=bad)
        with pytest.raises(BadRequest):
            await ledger.grant("ann", 1, kind="gift")
        with pytest.raises(BadRequest):
            await ledger.grant("ann", 10**18, kind="credit")

    asyncio.run(story())


def test_a_plan_is_charged_once_and_not_at_all_to_the_poor(ledger):
    async def story():
        assert not await ledger.charge("ann", 10 * DOLLAR, kind="plan", idempotency_key="sub_1")
        await ledger.grant("ann", 10 * DOLLAR, kind="topup")
        assert await ledger.charge("ann", 10 * DOLLAR, kind="plan", idempotency_key="sub_1"), "a refusal is not an effect"
        assert await ledger.charge("ann", 10 * DOLLAR, kind="plan", idempotency_key="sub_1")
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR

    asyncio.run(story())


def test_sign_up_credit_stops_at_the_days_total(ledger, database):
    def sign_up(connection, user):
        left = ledger.signup_credit_left_in(connection, "2026-09-21", 12 * DOLLAR)
        ledger.open_account_in(connection, user, credit_nano=min(5 * DOLLAR, left))

    async def story():
        await asyncio.gather(*(database.write(lambda c, u=u: sign_up(c, u)) for u in ("bob", "cid", "dan")))

    asyncio.run(story())
    users = ["ann", "bob", "cid", "dan"]
    given = database.read_sync(lambda c: store.balances(c, users))
    assert sum(b.balance for b in given.values()) == 12 * DOLLAR
    assert sorted(given) == users


def test_an_account_is_opened_once(ledger, database):
    with pytest.raises(Conflict):
        database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=5 * DOLLAR))


def test_the_statement_pages_through_every_posting_once(ledger):
    async def story():
        for i in range(7):
            await ledger.grant("ann", i + 1, kind="credit", memo=f"number {i}")
        seen, cursor = [], None
        while True:
            page = await ledger.statement("ann", cursor, 3)
            seen += page.entries
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [e.memo for e in seen] == [f"number {i}" for i in reversed(range(7))] + [""]
        assert seen[0].balance_after_nano == 5 * DOLLAR + 28
        for bad in ("x", "-1", "1" * 30, "²"):
            with pytest.raises(BadRequest):
                await ledger.statement("ann", bad)

    asyncio.run(story())


def test_usage_sums_by_model_and_by_day(ledger, database, clock):
    async def story():
        for i, (model, charge) in enumerate([("a", 10), ("b", 50), ("a", 20)]):
            await ledger.hold(f"r{i}", "ann", 100, price_version="v")
            await ledger.settle(settlement(f"r{i}", charge, model=model))
            clock.advance(86_400)
        by_model = await ledger.usage("ann")
        assert [(s.key, s.requests, s.input_tokens, s.output_tokens, s.cost_nano) for s in by_model] == [
            ("b", 1, 100, 20, 50), ("a", 2, 200, 40, 30),
        ]  # fmt: skip
        by_day = await ledger.usage("ann", by="day")
        assert [s.cost_nano for s in by_day] == [20, 50, 10]
        assert by_day[0].key > by_day[2].key
        assert await ledger.usage("ann", days=0) == []

    asyncio.run(story())
    busiest = database.read_sync(lambda c: store.model_use(c, 0))
    assert [(m.model, m.requests, m.users, m.ok, m.tokens) for m in busiest] == [("a", 2, 1, 2, 240), ("b", 1, 1, 1, 120)]
    assert [r.request_id for r in database.read_sync(lambda c: store.records(c, "ann"))] == ["r0", "r1", "r2"]


def test_a_key_spends_no_more_than_its_cap_in_any_window(ledger, database, clock):
    async def story():
        await database.write(lambda c: ledger.open_key_budget_in(c, "key_a", "day", 2 * DOLLAR, timezone="Europe/Berlin"))
        await database.write(lambda c: ledger.open_key_budget_in(c, "key_b", "total", None))
        calls = [ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v", key_id="key_a") for i in range(5)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        refused = [r for r in results if isinstance(r, PaymentRequired)]
        assert len(refused) == 3
        assert (refused[0].extra["scope"], str(refused[0].extra["available"])) == ("key", "0")
        assert not await ledger.extend("r0", 1)
        await ledger.settle(settlement("r0", DOLLAR // 2))
        await ledger.void("r1", "failed")
        spend = (await ledger.key_spend(["key_a", "none"]))["key_a"]
        assert (spend.spent_nano, spend.held_nano, spend.limit_nano) == (DOLLAR // 2, 0, 2 * DOLLAR)
        clock.advance(86_400)
        spend = (await ledger.key_spend(["key_a"]))["key_a"]
        assert (spend.spent_nano, spend.resets_at > clock.now_ms()) == (0, True)
        await ledger.hold("next", "ann", 2 * DOLLAR, price_version="v", key_id="key_a")
        await ledger.hold("uncapped", "ann", DOLLAR, price_version="v", key_id="key_b")
        await ledger.settle(settlement("uncapped", DOLLAR))
        uncapped = (await ledger.key_spend(["key_b"]))["key_b"]
        assert (uncapped.spent_nano, uncapped.limit_nano, uncapped.resets_at) == (DOLLAR, None, None)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("period", "timezone", "limit"), [("year", "UTC", 1), ("day", "Mars/Olympus", 1), ("day", "UTC", -1)]
)
def test_an_impossible_cap_is_refused(ledger, database, period, timezone, limit):
    with pytest.raises(BadRequest):
        database.write_sync(lambda c: ledger.open_key_budget_in(c, "key_a", period, limit, timezone=timezone))


def test_a_long_effect_runs_once_per_idempotency_key(database):
    write = database.write_sync
    scope, key, body = "completion:ann", "k1", digest({"model": "gpt4"})
    assert write(lambda c: begin_in(c, scope, key, body, 1000)) is None
    with pytest.raises(Conflict):
        write(lambda c: begin_in(c, scope, key, body, 1000))
    with pytest.raises(IdempotencyMismatch):
        write(lambda c: begin_in(c, scope, key, digest("other"), 1000))
    write(lambda c: abandon_in(c, scope, key))
    assert write(lambda c: begin_in(c, scope, key, body, 1000)) is None
    write(lambda c: finish_in(c, scope, key, {"id": "req_1"}))
    assert write(lambda c: begin_in(c, scope, key, body, 1000)).result == {"id": "req_1"}
    write(lambda c: abandon_in(c, scope, key))
    assert write(lambda c: begin_in(c, scope, key, body, 1000)) is not None, "a finished effect stays finished"
    assert write(lambda c: forget_in(c, "grant", 1001)) == 0
    assert write(lambda c: forget_in(c, "completion", 1001)) == 1


def test_a_settlement_that_the_database_did_not_confirm_is_repeated_and_charged_once(ledger, database, monkeypatch):
    real, failures = database.write_batched, []

    async def unconfirmed(handler, job, **more):
        value = await real(handler, job, **more)
        if len(failures) < 2:
            failures.append(job)
            raise Unavailable("no confirmation")
        return value

    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        monkeypatch.setattr(database, "write_batched", unconfirmed)
        receipt = await ledger.settle(settlement("r1", 1000))
        assert (receipt.charged_nano, receipt.replayed) == (1000, True)
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR - 1000

    asyncio.run(story())
    assert len(failures) == 2


def test_a_database_that_stays_away_is_reported_after_bounded_attempts(ledger, database, monkeypatch):
    async def away(*_args, **_more):
        raise Unavailable("away")

    async def story():
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        with monkeypatch.context() as patch:
            patch.setattr(database, "write_batched", away)
            with pytest.raises(Unavailable):
                await ledger.settle(settlement("r1", 1000))
        await ledger.settle(settlement("r1", 1000))

    asyncio.run(story())


def test_checkpoints_of_many_wallets_and_two_processes_number_without_a_gap(ledger, database, clock, monkeypatch):
    monkeypatch.setattr("agent_marketplace.ledger.housekeeping.BATCH", 3)
    for i in range(10):
        database.write_sync(lambda c, i=i: ledger.open_account_in(c, f"u{i}", credit_nano=1, kind="credit"))
    other = Ledger(database, clock, secret=b"secret", owner="other-process")

    async def story():
        moved = await asyncio.gather(ledger.checkpoint(), other.checkpoint())
        assert sum(moved) + await ledger.checkpoint() == 11

    asyncio.run(story())


def test_checkpoints_roll_shared_accounts_up_without_changing_them(ledger, database):
    async def story():
        for i in range(3):
            await ledger.hold(f"r{i}", "ann", 100, price_version="v")
            await ledger.settle(settlement(f"r{i}", 10))
            before = database.read_sync(store.shared_balances)
            assert await ledger.checkpoint() == 1
            assert database.read_sync(store.shared_balances) == before
        assert await ledger.checkpoint() == 0

    asyncio.run(story())
    assert database.read_sync(store.shared_balances)["provider:openai"] == 30
    assert database.read_sync(lambda c: c.execute(sa.select(sa.func.count()).select_from(holds)).scalar_one()) == 3
