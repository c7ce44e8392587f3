"""The ledger's cold side and its edges: grants, plans, statements, key caps, idempotency, an absent database, checkpoints."""

import asyncio
import contextlib

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import holds, idempotency_keys
from agent_marketplace.errors import BadRequest, Conflict, IdempotencyMismatch, PaymentRequired, Unavailable
from agent_marketplace.ledger import Ledger, housekeeping, store
from agent_marketplace.ledger.idempotency import (
    abandon_in,
    begin_in,
    digest,
    finish_in,
    release_stale_in,
)
from tests.fakes.books import DOLLAR, settlement, shared_balances


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
        assert await ledger.charge("ann", 10 * DOLLAR, kind="plan", idempotency_key="sub_1"), (
            "a refusal is not an effect"
        )
        assert await ledger.charge("ann", 10 * DOLLAR, kind="plan", idempotency_key="sub_1")
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR
        assert [await ledger.charge("ann", 3 * DOLLAR, kind="plan") for _ in range(2)] == [True, False], (
            "without a key"
        )
        assert (await ledger.balance("ann")).balance == 2 * DOLLAR

    asyncio.run(story())


def test_sign_up_credit_stops_at_the_days_total(ledger, database):
    def sign_up(connection, user):
        left = ledger.signup_credit_left_in(connection, "2026-09-21", 12 * DOLLAR)
        ledger.open_account_in(connection, user, credit_nano=min(5 * DOLLAR, left))

    async def story():
        await asyncio.gather(*(database.write(lambda c, u=u: sign_up(c, u)) for u in ("bob", "cid", "dan")))

    asyncio.run(story())
    users = ["ann", "bob", "cid", "dan"]
    given = [database.read_sync(lambda c, u=user: ledger.balance_in(c, u)).balance for user in users]
    assert sum(given) == 12 * DOLLAR


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


def test_usage_rows_are_exported_oldest_first(ledger, database, clock):
    async def story():
        for i in range(3):
            await ledger.hold(f"r{i}", "ann", 100, price_version="v")
            await ledger.settle(settlement(f"r{i}", 10))
            clock.advance(86_400)

    asyncio.run(story())
    assert [r.request_id for r in database.read_sync(lambda c: store.records(c, "ann"))] == ["r0", "r1", "r2"]


def test_calls_in_flight_are_the_users_own_open_holds_oldest_first(ledger, database, clock):
    async def story():
        await database.write(lambda c: ledger.open_account_in(c, "zoe", credit_nano=1000))
        for name, user in (("r1", "ann"), ("r2", "ann"), ("r3", "ann"), ("z1", "zoe")):
            meta = {"model": "m", "provider": "p"}
            await ledger.hold(
                name, user, 100, price_version="v", key_id="key" if name == "r2" else None, meta=meta
            )
            clock.advance(1)
        await ledger.settle(settlement("r1", 10))
        return await ledger.running("ann"), await ledger.running("zoe")

    anns, zoes = asyncio.run(story())
    assert [(h.request_id, h.key_id, h.held_nano, h.model) for h in anns] == [
        ("r2", "key", 100, "m"),
        ("r3", None, 100, "m"),
    ]
    assert anns[0].since + 1000 == anns[1].since
    assert [h.request_id for h in zoes] == ["z1"]


def test_a_key_spends_no_more_than_its_cap_in_any_window(ledger, database, clock):
    async def story():
        await database.write(
            lambda c: ledger.open_key_budget_in(c, "key_a", "day", 2 * DOLLAR, timezone="Europe/Berlin")
        )
        await database.write(lambda c: ledger.open_key_budget_in(c, "key_b", "total", None))
        calls = [ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v", key_id="key_a") for i in range(5)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        refused = [r for r in results if isinstance(r, PaymentRequired)]
        assert len(refused) == 3
        assert (refused[0].extra["scope"], str(refused[0].extra["available"])) == ("key", "0")
        assert "cap is reached" in refused[0].message
        with pytest.raises(PaymentRequired, match="cap is reached"):
            await ledger.extend("r0", 1)
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


def capped(ledger, database, limit):
    database.write_sync(lambda c: ledger.open_key_budget_in(c, "key", "total", limit))


def test_a_key_never_spends_more_than_its_cap_however_dear_its_calls_turn_out_in_two_processes(
    ledger, database, database_url, clock
):
    capped(ledger, database, DOLLAR)
    other = Database.open(database_url)
    ledgers = [ledger, Ledger(other, clock, secret=b"secret", owner="other-process")]

    async def call(i):
        books, name = ledgers[i % 2], f"r{i}"
        await books.hold(name, "ann", DOLLAR // 10, price_version="v", key_id="key")
        with contextlib.suppress(PaymentRequired):
            await books.extend(name, DOLLAR // 10)
        return await books.settle(settlement(name, 3 * DOLLAR))

    async def story():
        results = await asyncio.gather(*(call(i) for i in range(60)), return_exceptions=True)
        assert {type(r) for r in results if isinstance(r, Exception)} <= {PaymentRequired}
        paid = sum(r.charged_nano for r in results if not isinstance(r, Exception))
        spend = (await ledger.key_spend(["key"]))["key"]
        assert DOLLAR // 10 <= paid == spend.spent_nano <= DOLLAR
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR - paid

    asyncio.run(story())
    other.close()


def test_a_refusal_says_that_a_cap_is_reached_only_where_it_is(ledger, database):
    capped(ledger, database, DOLLAR)

    async def story():
        await ledger.hold("r1", "ann", DOLLAR // 4, price_version="v", key_id="key")
        with pytest.raises(PaymentRequired) as refused:
            await ledger.hold("r2", "ann", DOLLAR, price_version="v", key_id="key")
        words = "Of this API key's spending cap of $1 only $0.75 is left"
        assert refused.value.message == words
        assert {k: str(v) for k, v in refused.value.extra.items()} == {
            "required": "1", "balance": "1", "held": "0.25", "available": "0.75", "scope": "key", "cap": "1",
        }  # fmt: skip

    asyncio.run(story())


def test_a_late_settlement_takes_no_more_than_is_left_of_the_keys_cap(ledger, database, clock):
    capped(ledger, database, DOLLAR)

    async def story():
        await ledger.hold("late", "ann", DOLLAR, price_version="v", key_id="key", ttl_s=1)
        clock.advance(2)
        assert await ledger.sweep() == 1
        await ledger.hold("next", "ann", 3 * DOLLAR // 4, price_version="v", key_id="key")
        receipt = await ledger.settle(settlement("late", DOLLAR))
        assert (receipt.charged_nano, receipt.absorbed_nano) == (DOLLAR // 4, 3 * DOLLAR // 4)
        assert (await ledger.settle(settlement("next", 3 * DOLLAR // 4))).absorbed_nano == 0

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
    assert write(lambda c: begin_in(c, scope, key, body, 1000)) is not None, (
        "a finished effect stays finished"
    )
    write(lambda c: c.execute(sa.delete(idempotency_keys)))
    assert write(lambda c: begin_in(c, scope, key, body, 1000)) is None
    write(lambda c: release_stale_in(c, scope, key, 1000))
    with pytest.raises(Conflict):
        write(lambda c: begin_in(c, scope, key, body, 1001))
    write(lambda c: release_stale_in(c, scope, key, 1001))
    assert write(lambda c: begin_in(c, scope, key, body, 1001)) is None, (
        "its process died: the key is free again"
    )


def test_a_settlement_that_the_database_did_not_confirm_is_repeated_and_charged_once(
    ledger, database, monkeypatch
):
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


def test_the_operators_figures_are_the_books(ledger):
    async def story():
        for i in range(3):
            await ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v")
        await ledger.settle(settlement("r0", DOLLAR // 4))
        await ledger.checkpoint()
        totals = await ledger.totals()
        assert (totals.open_holds, totals.held_nano) == (2, 2 * DOLLAR)
        assert totals.shared["provider:openai"] == DOLLAR // 4
        for i in (1, 2):
            await ledger.void(f"r{i}", "over")
        totals = await ledger.totals()
        assert (totals.open_holds, totals.held_nano) == (0, 0)

    asyncio.run(story())


def test_checkpoints_of_many_wallets_and_two_processes_number_without_a_gap(
    ledger, database, clock, monkeypatch
):
    monkeypatch.setattr("agent_marketplace.ledger.housekeeping.BATCH", 3)
    for i in range(10):
        database.write_sync(lambda c, i=i: ledger.open_account_in(c, f"u{i}", credit_nano=1, kind="credit"))
    other = Ledger(database, clock, secret=b"secret", owner="other-process")

    async def story():
        moved = await asyncio.gather(ledger.checkpoint(), other.checkpoint())
        assert sum(moved) + await ledger.checkpoint() == 11

    asyncio.run(story())


def test_a_head_that_another_process_is_signing_is_not_signed_twice(postgres_url, clock):
    with (
        contextlib.closing(Database.open(postgres_url)) as one,
        contextlib.closing(Database.open(postgres_url)) as two,
    ):
        one.create_all()
        first, second = (
            Ledger(database, clock, secret=b"secret", owner=name)
            for database, name in ((one, "1"), (two, "2"))
        )
        one.write_sync(lambda c: first.open_account_in(c, "ann", credit_nano=DOLLAR))

        def signing(connection):
            assert housekeeping.checkpoint_in(connection, clock.now_ms(), b"secret") == 1
            assert asyncio.run(second.checkpoint()) == 0

        one.write_sync(signing)
        assert asyncio.run(second.checkpoint()) == 0
        assert two.read_sync(second.verify_sync).problems == []


def test_checkpoints_roll_shared_accounts_up_without_changing_them(ledger, database):
    async def story():
        for i in range(3):
            await ledger.hold(f"r{i}", "ann", 100, price_version="v")
            await ledger.settle(settlement(f"r{i}", 10))
            before = database.read_sync(shared_balances)
            assert await ledger.checkpoint() == 1
            assert database.read_sync(shared_balances) == before
        assert await ledger.checkpoint() == 0

    asyncio.run(story())
    assert database.read_sync(shared_balances)["provider:openai"] == 30
    assert (
        database.read_sync(lambda c: c.execute(sa.select(sa.func.count()).select_from(holds)).scalar_one())
        == 3
    )


def test_only_a_settled_charge_of_ones_own_is_given_back_and_once(ledger, database):
    async def story():
        for user in ("gina", "hugo"):
            await database.write(lambda c, u=user: ledger.open_account_in(c, u, credit_nano=DOLLAR))
        for name, charge in (("paid", 500), ("free", 0)):
            await ledger.hold(name, "gina", 1000, price_version="v")
            await ledger.settle(settlement(name, charge, user="gina"))
        await ledger.hold("open", "gina", 1000, price_version="v")

        async def give_back(user, name):
            return await database.write(lambda c: ledger.give_back_in(c, user, name, "disputed"))

        for user, name, error in (
            ("hugo", "paid", BadRequest), ("gina", "open", Conflict), ("gina", "free", BadRequest),
        ):  # fmt: skip
            with pytest.raises(error):
                await give_back(user, name)
        assert await give_back("gina", "paid") == 500
        with pytest.raises(Conflict):
            await give_back("gina", "paid")
        assert (await ledger.balance("gina")).balance == DOLLAR

    asyncio.run(story())
    assert database.read_sync(ledger.verify_sync).ok
