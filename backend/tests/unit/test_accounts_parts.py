"""Passwords, e-mail addresses, tokens, keys and limits, each by itself."""

import asyncio
import logging
import re
import threading
from array import array
from contextlib import nullcontext

import pytest
from argon2 import PasswordHasher

from agent_marketplace.accounts import credential_of, key_format
from agent_marketplace.accounts.emails import normalise_email
from agent_marketplace.accounts.errors import InvalidEmail, InvalidToken, WeakPassword
from agent_marketplace.accounts.limits import Buckets, LimitRates, Limits, Rate, Table
from agent_marketplace.accounts.passwords import Passwords, check_password, common_passwords
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.accounts.sessions import SessionTokens
from agent_marketplace.accounts.verdicts import SIZE, Verdicts
from agent_marketplace.clock import ManualClock
from agent_marketplace.errors import Forbidden, RateLimited, Unavailable

# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "short77",
        "x" * 1025,
        "password",
        "PassWord1",
        "12345678",
        "qwertyuiop",
        "aaaaaaaaaa",
        "abababababab",
        "abcdefghij",
        "87654321",
        "someone@example.com",
        "someone1\x00",
        "someone1\ud800",
        "ｐａｓｓｗｏｒｄ",
        "Marketplace1!",
        "agent-marketplace",
        "ai-agent-marketplace-2026",
    ],
)
def test_weak_passwords_are_refused_with_a_reason(password: str) -> None:
    with pytest.raises(WeakPassword) as e:
        check_password(password, "someone@example.com")
    assert e.value.status == 400
    assert isinstance(e.value, ValueError)


# "password123" is what the guide's own suite signs up with.
@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "x7" * 4 + "q",
        "pässwörter sind lang",
        "🐎🔋📎🖊 staple",
        "a b c d e f",
        "q9" + "z" * 1022,
    ],
)
def test_any_characters_and_lengths_up_to_1024_are_allowed(password: str) -> None:
    check_password(password, "someone@example.com")


def test_the_list_of_common_passwords_holds_what_the_length_rule_lets_through() -> None:
    assert len(common_passwords()) > 6000
    assert all(len(word) >= 8 and word == word.casefold() for word in common_passwords())


def test_hashes_are_argon2id_of_the_agreed_cost_and_different_each_time() -> None:
    async def go() -> None:
        passwords = Passwords()
        one, two = await passwords.hash("correct horse"), await passwords.hash("correct horse")
        assert one != two
        assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await passwords.verify(one, "correct horse") == (True, None)
        assert await passwords.verify(one, "correct hors") == (False, None)
        assert await passwords.verify("not a hash", "correct horse") == (False, None)
        assert await passwords.verify(None, "correct horse") == (False, None)
        passwords.close()

    asyncio.run(go())


def test_a_password_typed_on_another_system_in_another_unicode_form_is_the_same() -> None:
    async def go() -> None:
        passwords = Passwords()
        assert await passwords.verify(await passwords.hash("caf\u00e9 \u212b"), "cafe\u0301 A\u030a") == (
            True,
            None,
        )
        passwords.close()

    asyncio.run(go())


def test_a_hash_of_an_older_cost_is_replaced_on_sign_in() -> None:
    async def go() -> None:
        passwords = Passwords()
        old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse")
        right, better = await passwords.verify(old, "correct horse")
        assert right
        assert better is not None
        assert better.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await passwords.verify(old, "wrong horse!") == (False, None)
        passwords.close()

    asyncio.run(go())


def test_a_flood_of_sign_ins_is_refused_beyond_the_queue_and_the_place_of_a_gone_caller_is_freed() -> None:
    async def go() -> None:
        passwords = Passwords(workers=1, queue=2)
        gate = threading.Event()
        passwords._pool.submit(gate.wait)  # the one worker is busy, so nothing moves until the gate opens
        waiting = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as e:
            await passwords.verify(None, "x")
        assert e.value.retry_after
        waiting[2].cancel()
        gate.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await passwords.verify(None, "x") == (False, None)
        passwords.close()

    asyncio.run(go())


# E-mail addresses


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Someone@Example.COM ", "someone@example.com"),
        ("a.b+c@x.y", "a.b+c@x.y"),
        ("ｕｓｅｒ＠example.com", "user@example.com"),
        ("STRASSE@ß.de", "strasse@ss.de"),
        ("me@localhost", "me@localhost"),
        ("用户@例子.公司", "用户@例子.公司"),
    ],
)
def test_one_mailbox_has_one_normal_form(typed: str, normal: str) -> None:
    assert normalise_email(typed) == normal
    assert normalise_email(normal) == normal


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no-at",
        "@x.y",
        "a@",
        "a@@b.c",
        "a b@c.d",
        "a@b..c",
        "a@.b",
        "a@b\x00.c",
        "a\n@b.c",
        "a\u200b@b.c",
        "a\u202e@b.c",
        "x" * 65 + "@b.c",
        "a@" + "b." * 130 + "c",
        "a@b.c\r\nBcc: x@y.z",
        "<a@b.c>",
        "a\ud800@b.c",
        "ä" * 60 + "@" + "ü" * 60 + "." + "ö" * 60,
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidEmail):
        normalise_email(typed)


# Marketplace keys


def test_keys_match_the_published_expression_and_mistyped_ones_fail_the_checksum() -> None:
    keys = {key_format.new_key() for _ in range(200)}
    assert len(keys) == 200
    for key in keys:
        assert re.search(key_format.PATTERN, f"token={key};")
        assert key_format.is_key(key)
    key = keys.pop()
    for i in range(len(key)):
        assert not key_format.is_key(key[:i] + ("a" if key[i] != "a" else "b") + key[i + 1 :])
    for other in ("", key[:-1], key + "a", key.upper(), "sk-aam-" + "0" * 38, key + "\n", " " + key):
        assert not key_format.is_key(other)


def test_hashes_at_rest_depend_on_the_pepper_and_the_purpose() -> None:
    digests = {
        key_format.digest(pepper, purpose, "x") for pepper in (b"a", b"b") for purpose in ("key", "invite")
    }
    assert len(digests) == 4


# Credentials in a request


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer tok"},
        {"authorization": "bearer  tok "},
        {"x-api-key": "tok"},
        {"x-goog-api-key": "tok"},
        {"authorization": "Bearer tok", "x-api-key": "tok"},
        {"authorization": "Bearer ", "x-api-key": "tok"},
    ],
)
def test_every_header_form_gives_the_same_credential(headers: dict[str, str]) -> None:
    assert credential_of(headers) == "tok"
    assert credential_of({}, ["tok", "tok"]) == "tok"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic dXNlcjpwdw=="},
        {"authorization": "tok"},
        {"x-api-key": "  "},
        {"authorization": "Bearer tok", "x-api-key": "other"},
        {"x-api-key": "a", "x-goog-api-key": "b"},
    ],
)
def test_missing_or_conflicting_credentials_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidToken) as e:
        credential_of(headers)
    assert e.value.status == 401
    if headers:
        with pytest.raises(InvalidToken):
            credential_of(headers | {"x-api-key": "x"}, ["y"])


def test_a_key_cannot_do_what_needs_a_person() -> None:
    key = Principal("u", "key", "admin", "free", "a@b.c", frozenset({"inference"}), key_id="key_1")
    key.require("inference")
    for forbidden in (key.require_session, key.require_admin, lambda: key.require("account:write")):
        with pytest.raises(Forbidden):
            forbidden()
    Principal("u", "session", "admin", "free", "a@b.c").require_admin()
    with pytest.raises(Forbidden):
        Principal("u", "session", "user", "free", "a@b.c").require_admin()
    assert "a@b.c" not in repr(key)


# Verdicts


def test_verdicts_are_bounded_in_age_and_number_and_not_kept_over_a_revocation() -> None:
    clock = ManualClock()
    verdicts = Verdicts(clock)
    someone = Principal("u", "session", "user", "free", "a@b.c", session_id="s")
    verdicts.put(b"1", someone, asked_at=clock.monotonic(), epoch=verdicts.epoch)
    clock.advance(0.999)
    assert verdicts.get(b"1") is someone
    clock.advance(0.001)
    assert verdicts.get(b"1") is None
    before = verdicts.epoch
    verdicts.drop(lambda p: p.session_id == "s")
    verdicts.put(b"1", someone, asked_at=clock.monotonic(), epoch=before)
    assert verdicts.get(b"1") is None
    for i in range(SIZE + 10):
        verdicts.put(b"%d" % i, someone, asked_at=clock.monotonic(), epoch=verdicts.epoch)
    assert len(verdicts._known) == SIZE


def test_two_credentials_with_the_same_beginning_have_different_verdicts() -> None:
    assert Verdicts.digest("x" * 500 + "1") != Verdicts.digest("x" * 500 + "2")
    assert len(Verdicts.digest("x")) == 32


# Limits


def test_a_bucket_refuses_beyond_its_burst_says_how_long_and_refills() -> None:
    clock = ManualClock()
    buckets = Buckets(Rate(burst=3, per_s=0.5), clock, Table(), "test")
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    assert buckets.take("b") == 0
    clock.advance(2)
    assert buckets.take("a") == 0
    assert buckets.take("a") == 2


def test_of_too_many_buckets_those_that_are_full_first_are_forgotten() -> None:
    clock, table = ManualClock(), Table(slots=8)
    slow, fast = Buckets(Rate(1, 0.001), clock, table, "slow"), Buckets(Rate(1, 1), clock, table, "fast")
    assert slow.take("guessed at") == 0
    for i in range(1000):
        assert fast.take(i) == 0
    assert slow.take("guessed at") == pytest.approx(1000)


def test_all_of_a_burst_may_be_taken_whatever_the_clock_says() -> None:
    for started in (0.0, 0.1, 123_456.789, 3e7):
        clock = ManualClock()
        clock.advance(started)
        buckets = Buckets(Rate(200, 50), clock, Table(), "test")
        waits = [buckets.take("a") for _ in range(201)]
        assert waits[:200] == [0] * 200
        assert 0 < waits[200] < 0.0201


def test_processes_that_share_their_limits_have_one_bucket_for_a_caller() -> None:
    clock, words = ManualClock(), array("d", bytes(1 << 16))
    rates = LimitRates(requests=Rate(5, 1))
    both = [Limits(clock, rates=rates) for _ in range(2)]
    for limits in both:
        limits.share(words, b"of this server")
    for i in range(5):
        both[i % 2].request("a")
    for limits in both:
        with pytest.raises(RateLimited):
            limits.request("a")
        limits.request("b")


def test_ten_thousand_guesses_from_a_hundred_addresses_get_at_most_500_checked() -> None:
    clock = ManualClock()
    limits, checked = Limits(clock), 0
    for i in range(10_000):
        clock.advance(0.06)
        try:
            limits.guess(f"user{i % 1000}@x.y", f"10.0.0.{i % 100}", known_device=False)
        except RateLimited:
            continue
        checked += 1
    assert checked <= 500
    limits.guess(
        "user1@x.y", "192.168.1.1", known_device=True
    ).right()  # the owner's own device is not locked out


def test_right_passwords_cost_nothing() -> None:
    limits = Limits(ManualClock())
    for _ in range(1000):
        limits.guess("a@b.c", "10.0.0.1", known_device=False).right()


def test_a_refused_guess_gives_back_what_it_took_from_the_other_buckets() -> None:
    clock = ManualClock()
    limits = Limits(clock, rates=LimitRates(account=Rate(5, 0.001), address=Rate(1, 0.001)))
    limits.guess("a@b.c", "10.0.0.1", known_device=False)
    for _ in range(50):
        with pytest.raises(RateLimited):
            limits.guess("a@b.c", "10.0.0.1", known_device=False)
    for i in range(4):
        limits.guess("a@b.c", f"10.0.1.{i}", known_device=False)


def test_switching_limits_off_leaves_the_limit_on_guessing_one_password() -> None:
    limits = Limits(ManualClock(), enabled=False)
    for _ in range(500):
        limits.request("u")
        limits.sign_up("10.0.0.1")
        limits.taken("10.0.0.1")
    for i in range(12):
        with nullcontext() if i < 10 else pytest.raises(RateLimited):
            limits.guess("a@b.c", "10.0.0.1", known_device=False)


def test_request_and_sign_up_rates_are_limited_per_user_and_address() -> None:
    limits = Limits(
        ManualClock(), rates=LimitRates(requests=Rate(2, 1), sign_up=Rate(2, 1), taken=Rate(2, 1))
    )
    for limit in (limits.request, limits.sign_up, limits.taken):
        limit("a")
        limit("a")
        with pytest.raises(RateLimited) as e:
            limit("a")
        assert e.value.retry_after == 1
        limit("b")


def test_nothing_of_this_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(WeakPassword):
        check_password("password1", "canary@example.com")
    with pytest.raises(InvalidToken):
        SessionTokens(b"s" * 32, ManualClock()).read("canary.canary.canary")
    assert "canary" not in caplog.text
