"""Accounts on a real database and ledger: the guide's promises, races, revocation, and what must not be written anywhere."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from agent_marketplace.accounts import User, store
from agent_marketplace.accounts.errors import (
    EmailTaken,
    InvalidAmount,
    InvalidCredentials,
    InvalidEmail,
    InvalidToken,
    SignUpClosed,
    WeakPassword,
)
from agent_marketplace.accounts.verdicts import STILL_AGE_S
from agent_marketplace.db.tables.accounts import sessions, users
from agent_marketplace.errors import NotFound, RateLimited, Unavailable
from agent_marketplace.gateway.pulse import Rhythm
from tests.fakes.home import PASSWORD, Home, at_home

pytestmark = pytest.mark.both_databases


def test_a_person_signs_up_with_five_dollars_signs_in_and_is_known_by_the_token(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up(" Test@Example.com ", PASSWORD)
        assert user.email == "test@example.com"
        assert user.balance == 5.0
        assert isinstance(user.balance, Decimal)
        assert (user.subscription_tier, user.subscription_expires, dict(user.api_keys)) == ("free", None, {})
        assert not hasattr(user, "password_hash")
        token = await home.auth.sign_in("TEST@example.com", PASSWORD)
        assert await home.auth.verify_token(token) == user
        assert await home.auth.find_user("test@example.com") == user
        assert await home.auth.list_users() == [user]

    at_home(tmp_path, test)


def test_the_words_and_types_that_the_guide_promises(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.auth.sign_up("a@b.c", PASSWORD)
        with pytest.raises(ValueError, match=r"^Email already registered$") as taken:
            await home.auth.sign_up("A@B.C", PASSWORD)
        with pytest.raises(ValueError, match=r"^Invalid credentials$") as wrong:
            await home.auth.sign_in("a@b.c", "not the password")
        with pytest.raises(ValueError, match=r"^Invalid credentials$") as unknown:
            await home.auth.sign_in("nobody@b.c", PASSWORD)
        with pytest.raises(ValueError, match=r"^Invalid credentials$"):
            await home.auth.sign_in("no address", PASSWORD)
        with pytest.raises(ValueError, match=r"^Invalid credentials$"):
            await home.auth.sign_in("a@b.c", "x" * 100_000)
        with pytest.raises(ValueError, match=r"^Invalid or expired token$") as token:
            await home.auth.verify_token("nonsense")
        assert (taken.value.status, wrong.value.status, token.value.status) == (400, 401, 401)  # type: ignore[attr-defined]
        assert vars(wrong.value) == vars(unknown.value)
        with pytest.raises(InvalidEmail):
            await home.auth.sign_up("nope", PASSWORD)
        with pytest.raises(WeakPassword):
            await home.auth.sign_up("b@b.c", "password")

    at_home(tmp_path, test)


def test_an_unknown_address_costs_the_same_hash_as_a_known_one(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.auth.sign_up("a@b.c", PASSWORD)
        checked: list[bool] = []
        verify = home.accounts.passwords.verify

        async def watched(stored: str | None, password: str) -> tuple[bool, str | None]:
            checked.append(stored is None)
            return await verify(stored, password)

        home.accounts.passwords.verify = watched  # type: ignore[method-assign]
        for email in ("a@b.c", "nobody@b.c"):
            with pytest.raises(InvalidCredentials):
                await home.auth.sign_in(email, "wrong password")
        assert checked == [False, True]

    at_home(tmp_path, test)


def test_two_first_sign_ups_at_once_give_exactly_one_admin(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await asyncio.gather(*(home.auth.sign_up(f"u{i}@b.c", PASSWORD) for i in range(6)))
        assert sorted(user.role for user in made) == ["admin"] + ["user"] * 5

    at_home(tmp_path, test)


def test_parallel_sign_ups_of_one_address_give_one_account_and_one_credit(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await asyncio.gather(
            *(home.auth.sign_up("one@b.c", PASSWORD) for _ in range(8)), return_exceptions=True
        )
        accounts = [user for user in made if isinstance(user, User)]
        assert len(accounts) == 1
        assert all(isinstance(other, EmailTaken) for other in made if other not in accounts)
        assert accounts[0].role == "admin"
        assert (
            await home.db.read(
                lambda c: c.execute(sa.select(sa.func.count()).select_from(users)).scalar_one()
            )
            == 1
        )
        assert (await home.auth.find_user("one@b.c")).balance == 5
        assert home.db.read_sync(home.ledger.verify_sync).problems == []

    at_home(tmp_path, test)


def test_a_sign_up_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("the ledger fails")

        works = home.ledger.open_account_in
        home.ledger.open_account_in = broken  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            await home.auth.sign_up("a@b.c", PASSWORD)
        home.ledger.open_account_in = works  # type: ignore[method-assign]
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        assert (user.role, user.balance) == ("admin", Decimal(5))

    at_home(tmp_path, test)


def test_credit_ends_with_the_day_s_total_and_begins_again_the_next_day(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        balances = [(await home.auth.sign_up(f"u{i}@b.c", PASSWORD)).balance for i in range(4)]
        assert balances == [5, 5, 0, 0]
        home.clock.advance(86_400)
        assert (await home.auth.sign_up("later@b.c", PASSWORD)).balance == 5

    at_home(tmp_path, test, signup_credit_daily_nano=12_000_000_000)


def test_parallel_sign_ups_cannot_exceed_the_day_s_total(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await asyncio.gather(*(home.auth.sign_up(f"u{i}@b.c", PASSWORD) for i in range(8)))
        assert sorted(user.balance for user in made) == [0, 0, 0, 0, 0, 5, 5, 5]

    at_home(tmp_path, test, signup_credit_daily_nano=15_000_000_000)


def test_deleting_an_account_and_signing_up_again_gives_no_second_credit(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("farmer@b.c", PASSWORD)
        await home.auth.delete_account(user.user_id, PASSWORD)
        again = await home.auth.sign_up("farmer@b.c", PASSWORD)
        assert again.user_id != user.user_id
        assert again.balance == 0

    at_home(tmp_path, test)


def test_closed_and_invite_modes_let_nobody_in_without_the_operator(tmp_path: Path) -> None:
    async def closed(home: Home) -> None:
        with pytest.raises(SignUpClosed):
            await home.auth.sign_up("a@b.c", PASSWORD)
        assert (await home.auth.create_user("a@b.c", PASSWORD)).role == "admin"

    async def invited(home: Home) -> None:
        for bad in (None, "", "inv_nonsense"):
            with pytest.raises(SignUpClosed):
                await home.auth.sign_up("a@b.c", PASSWORD, invite=bad)
        code = await home.auth.create_invite(days=7)
        tries = await asyncio.gather(
            *(home.auth.sign_up(f"u{i}@b.c", PASSWORD, invite=code) for i in range(3)), return_exceptions=True
        )
        assert sorted(type(outcome) is User for outcome in tries) == [False, False, True]
        late = await home.auth.create_invite(days=7)
        home.clock.advance(7 * 86_400 + 1)
        with pytest.raises(SignUpClosed, match="expired"):
            await home.auth.sign_up("late@b.c", PASSWORD, invite=late)
        assert late.encode() not in home.stored()

    at_home(tmp_path / "closed", closed, signup="closed")
    at_home(tmp_path / "invite", invited, signup="invite")


def test_a_stream_hears_within_a_second_that_another_process_ended_its_session(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        headers = {
            "authorization": f"Bearer {await home.auth.open_session(await home.auth.sign_up('a@b.c', PASSWORD))}"
        }
        await home.authenticator.authenticate(headers)
        await home.db.write(
            lambda c: c.execute(sa.update(sessions).values(revoked_at=1))
        )  # as another process does
        home.clock.advance(Rhythm().check_s - 0.01)
        await home.authenticator.authenticate(
            headers
        )  # a new request may still go by what was known a second ago
        with pytest.raises(InvalidToken):
            await home.authenticator.still(headers)

    at_home(tmp_path, test)
    assert Rhythm().check_s + STILL_AGE_S < 1


def test_sign_out_ends_the_token_at_once_and_other_sessions_go_on(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        one, two = [await home.auth.open_session(user) for _ in range(2)]
        await home.authenticator.authenticate({"authorization": f"Bearer {one}"})
        await home.auth.sign_out(one)
        for _ in range(2):
            with pytest.raises(InvalidToken):
                await home.authenticator.authenticate({"authorization": f"Bearer {one}"})
        assert (await home.auth.verify_token(two)).user_id == user.user_id
        await home.auth.sign_out(one)  # again is no error

    at_home(tmp_path, test)


def test_a_revocation_in_another_process_is_seen_within_a_second(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        async with Home(tmp_path, home.clock) as other:
            user = await home.auth.sign_up("a@b.c", PASSWORD)
            token = await home.auth.open_session(user)
            key = (await home.accounts.keys.create(user.user_id, "k")).key
            for credential in (token, key):
                assert (await other.authenticator.verify(credential)).user_id == user.user_id
            await home.auth.sign_out(token)
            await home.accounts.keys.revoke(
                user.user_id, (await home.accounts.keys.list(user.user_id))[0].key_id
            )
            home.clock.advance(1)
            for credential in (token, key):
                with pytest.raises(InvalidToken):
                    await other.authenticator.verify(credential)

    at_home(tmp_path, test)


def test_a_look_up_that_began_before_a_sign_out_leaves_no_verdict_behind(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        token = await home.auth.open_session(user)
        slow, read = asyncio.Event(), home.db.read

        async def held_back(fn):  # type: ignore[no-untyped-def]
            answer = await read(fn)
            await slow.wait()
            return answer

        home.authenticator._db = type("Slow", (), {"read": staticmethod(held_back)})()
        early = asyncio.create_task(home.authenticator.verify(token))
        while not home.authenticator._asking:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        home.authenticator._db = home.db
        await home.auth.sign_out(token)
        late = asyncio.create_task(home.authenticator.verify(token))
        slow.set()
        await asyncio.gather(early, return_exceptions=True)
        with pytest.raises(InvalidToken):
            await late
        with pytest.raises(InvalidToken):
            await home.authenticator.verify(token)

    at_home(tmp_path, test)


def test_many_callers_with_one_credential_ask_the_database_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        token, reads, read = await home.auth.open_session(user), 0, home.db.read

        async def counted(fn):  # type: ignore[no-untyped-def]
            nonlocal reads
            reads += 1
            return await read(fn)

        home.db.read = counted  # type: ignore[method-assign]
        gone = asyncio.create_task(home.authenticator.verify(token))
        others = [asyncio.create_task(home.authenticator.verify(token)) for _ in range(50)]
        await asyncio.sleep(0)
        gone.cancel()  # one that goes away takes nobody with it
        assert len(set(await asyncio.gather(*others))) == 1
        assert reads == 1

    at_home(tmp_path, test)


def test_a_password_change_ends_every_session_and_only_the_new_password_works(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        old = [await home.auth.open_session(user) for _ in range(2)]
        with pytest.raises(InvalidCredentials):
            await home.auth.change_password(user.user_id, "wrong", "another long password")
        with pytest.raises(WeakPassword):
            await home.auth.change_password(user.user_id, PASSWORD, "password1")
        assert (await home.auth.verify_token(old[0])).user_id == user.user_id
        new = await home.auth.change_password(user.user_id, PASSWORD, "another long password")
        for token in old:
            with pytest.raises(InvalidToken):
                await home.auth.verify_token(token)
        assert (await home.auth.verify_token(new)).user_id == user.user_id
        with pytest.raises(InvalidCredentials):
            await home.auth.sign_in("a@b.c", PASSWORD)
        await home.auth.sign_in("a@b.c", "another long password")
        await home.auth.set_password(user.user_id, "set by the operator")
        with pytest.raises(InvalidToken):
            await home.auth.verify_token(new)

    at_home(tmp_path, test)


def test_a_demoted_admin_loses_the_rights_at_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        token = await home.auth.open_session(user)
        assert (await home.authenticator.verify(token)).role == "admin"
        await home.auth.create_user("z@b.c", PASSWORD, role="admin")
        await home.db.write(lambda c: home.auth.set_role_in(c, user.user_id, "user"))
        home.auth.forget(user.user_id)
        assert (await home.authenticator.verify(token)).role == "user"
        with pytest.raises(NotFound):
            await home.db.write(lambda c: home.auth.set_role_in(c, "nobody", "admin"))

    at_home(tmp_path, test)


def test_a_session_ends_after_seven_days_and_its_row_goes_with_the_next_sign_in(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        token = await home.auth.open_session(user)
        home.clock.advance(7 * 86_400)
        with pytest.raises(InvalidToken):
            await home.auth.verify_token(token)
        await home.auth.open_session(user)
        assert (
            await home.db.read(
                lambda c: c.execute(sa.select(sa.func.count()).select_from(sessions)).scalar_one()
            )
            == 1
        )

    at_home(tmp_path, test)


def test_guessing_is_throttled_but_the_owner_s_device_still_gets_in(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.auth.sign_up("a@b.c", PASSWORD, address="192.0.2.1")
        await home.auth.sign_in("a@b.c", PASSWORD, address="192.0.2.1")
        refused = 0
        for i in range(30):
            with pytest.raises((InvalidCredentials, RateLimited)) as e:
                await home.auth.sign_in("a@b.c", f"guess number {i}", address=f"198.51.100.{i}")
            refused += isinstance(e.value, RateLimited)
        assert refused == 20
        with pytest.raises(RateLimited):
            await home.auth.sign_in("a@b.c", PASSWORD, address="203.0.113.9")
        await home.auth.sign_in("a@b.c", PASSWORD, address="192.0.2.1")
        for i in range(12):  # an address without an account is throttled alike
            with pytest.raises(InvalidCredentials if i < 10 else RateLimited) as unknown:
                await home.auth.sign_in("nobody@b.c", "guess")
            assert (unknown.value.retry_after is None) == (i < 10)

    at_home(tmp_path, test)


def test_asking_who_is_registered_is_throttled(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.auth.sign_up("a@b.c", PASSWORD, address="192.0.2.1")
        told = 0
        for _ in range(30):
            with pytest.raises((EmailTaken, RateLimited)) as e:
                await home.auth.sign_up("a@b.c", PASSWORD, address="198.51.100.1")
            told += isinstance(e.value, EmailTaken)
        assert told == 10

    at_home(tmp_path, test)


def test_money_goes_through_the_ledger_exactly(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user_id = (await home.auth.sign_up("a@b.c", PASSWORD)).user_id
        await home.auth.add_balance(user_id, "0.000000001")
        await home.auth.add_balance(user_id, 2)
        await home.auth.add_balance(user_id, Decimal(3), idempotency_key="once")
        await home.auth.add_balance(user_id, Decimal(3), idempotency_key="once")
        assert await home.auth.get_user_balance(user_id) == Decimal("10.000000001")
        assert await home.auth.deduct_balance(user_id, "10.000000002") is False
        assert await home.auth.deduct_balance(user_id, "10.000000001") is True
        assert await home.auth.get_user_balance(user_id) == 0
        for bad in ("0", "-1", "NaN", "Infinity", "1e-10", "x", "", 10**12, True):
            for call in (home.auth.add_balance, home.auth.deduct_balance):
                with pytest.raises(InvalidAmount):
                    await call(user_id, bad)
        for call in (home.auth.add_balance, home.auth.deduct_balance):
            with pytest.raises(NotFound):
                await call("nobody", 1)
        assert home.db.read_sync(home.ledger.verify_sync).problems == []

    at_home(tmp_path, test)


def test_an_old_hash_is_replaced_when_its_owner_signs_in(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
        of_user = users.c.user_id == user.user_id
        await home.db.write(lambda c: c.execute(sa.update(users).where(of_user).values(password_hash=old)))
        await home.auth.sign_in("a@b.c", PASSWORD)
        stored = await home.db.read(lambda c: c.scalar(sa.select(users.c.password_hash).where(of_user)))
        assert stored != old
        assert str(stored).startswith("$argon2id$v=19$m=19456")
        await home.auth.change_password(user.user_id, PASSWORD, "another long password")

    at_home(tmp_path, test)


def test_an_overload_of_the_server_does_not_count_as_a_wrong_password(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.auth.sign_up("a@b.c", PASSWORD)
        home.accounts.passwords._room = 0
        for _ in range(30):
            with pytest.raises(Unavailable):
                await home.auth.sign_in("a@b.c", PASSWORD)
        home.accounts.passwords._room = 10
        await home.auth.sign_in("a@b.c", PASSWORD)

    at_home(tmp_path, test)


def test_of_two_password_changes_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        new = ["first new password", "second new password"]
        outcomes = await asyncio.gather(
            *(home.auth.change_password(user.user_id, PASSWORD, password) for password in new),
            return_exceptions=True,
        )
        (winner,) = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, str)]
        assert isinstance(outcomes[1 - winner], InvalidCredentials)
        await home.auth.sign_in("a@b.c", new[winner])

    at_home(tmp_path, test)


def test_what_concerns_an_unknown_user_is_not_found(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        for attempt in (
            home.auth.get_user("nobody"),
            home.auth.find_user("nobody@b.c"),
            home.auth.subscribe("nobody", "pro"),
            home.auth.set_password("nobody", "a long new password"),
            home.auth.get_user_balance("nobody"),
            home.auth.export_account("nobody"),
        ):
            with pytest.raises(NotFound):
                await attempt

    at_home(tmp_path, test)


def test_a_broken_constraint_that_is_not_the_address_is_not_taken_for_one(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        def broken(*_: object, **__: object) -> None:
            raise sa.exc.IntegrityError("x", {}, ValueError())

        home.ledger.open_account_in = broken  # type: ignore[method-assign]
        with pytest.raises(sa.exc.IntegrityError):
            await home.auth.sign_up("a@b.c", PASSWORD)

    at_home(tmp_path, test)


def test_a_user_s_sessions_are_bounded_and_the_newest_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_SESSIONS", 3)

    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        other = await home.auth.open_session(await home.auth.sign_up("b@b.c", PASSWORD))
        tokens = []
        for _ in range(5):
            tokens.append(await home.auth.open_session(user))
            home.clock.advance(0.01)
        for token in tokens[:2]:
            with pytest.raises(InvalidToken):
                await home.auth.verify_token(token)
        for token in (*tokens[2:], other):
            await home.auth.verify_token(token)

    at_home(tmp_path, test)
