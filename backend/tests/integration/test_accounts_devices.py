"""Sign-in by device code: what a thief of a code, an impatient program or two at once could do, on a real database; and the wire
under an RFC 8628 client that is not ours (oauthlib)."""

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from oauthlib.oauth2 import DeviceClient
from oauthlib.oauth2.rfc6749.errors import OAuth2Error

from agent_marketplace.accounts import Cap
from agent_marketplace.accounts.devices import ALPHABET, MOST_WAITING, DeviceRefused, Terms
from agent_marketplace.accounts.keys import MAX_KEYS
from agent_marketplace.db.tables.accounts import device_grants
from agent_marketplace.errors import BadRequest, NotFound, PaymentRequired, RateLimited
from tests.fakes.books import DOLLAR
from tests.fakes.home import PASSWORD, Home, at_home
from tests.fakes.server import MARKET, Answer, Client, Server, agreed, refused, running

pytestmark = pytest.mark.both_databases
INFERENCE = Terms("editor", ("inference",), Cap(2 * DOLLAR, "month"), 30)
DEVICE = f"{MARKET}/auth/device"
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def told(work: Awaitable[object]) -> str:
    with pytest.raises(DeviceRefused) as caught:
        await work
    return caught.value.code


def test_a_program_gets_one_key_with_just_the_terms_that_its_user_approved(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        devices, user = home.accounts.devices, await home.auth.sign_up("a@b.c", PASSWORD)
        codes = await devices.ask("VS Code", ["inference", "account:read"], address="10.0.0.1")
        assert await told(devices.poll("VS Code", codes.device_code)) == "authorization_pending"
        typed = f" {codes.user_code.lower().replace('-', ' ')} "
        asked = await devices.look(user.user_id, typed, address="10.0.0.1")
        assert (asked.client, asked.scopes) == ("VS Code", ("account:read", "inference"))
        assert asked.same_network
        assert not (await devices.look(user.user_id, typed, address="10.0.0.2")).same_network
        await devices.approve(user.user_id, typed, INFERENCE)
        both = await asyncio.gather(
            *(devices.poll("VS Code", codes.device_code) for _ in range(2)), return_exceptions=True
        )
        (made,) = [one for one in both if not isinstance(one, BaseException)]
        assert [one.code for one in both if isinstance(one, DeviceRefused)] == ["invalid_grant"]
        assert await told(devices.poll("VS Code", codes.device_code)) == "invalid_grant"
        (key,) = await home.accounts.keys.list(user.user_id)
        assert (key.name, key.scopes, key.cap) == ("editor", ("inference",), INFERENCE.cap)
        assert key.expires_at == key.created_at + 30 * 86_400_000
        assert (await home.authenticator.verify(made.key)).scopes == {"inference"}
        with pytest.raises(PaymentRequired):
            await home.ledger.hold(
                "gen_1", user.user_id, 3 * DOLLAR, price_version="v", key_id=made.info.key_id
            )
        stored = home.stored()
        secrets = (
            codes.device_code,
            codes.user_code,
            codes.user_code.replace("-", ""),
            made.key[7:],
            "10.0.0.1",
        )
        assert not [text for text in secrets if text.encode() in stored]
        assert codes.user_code not in repr(codes)

    at_home(tmp_path, test)


def test_a_code_is_answered_once_and_a_no_stays_a_no(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        devices = home.accounts.devices
        ada, eve = [await home.auth.sign_up(f"{name}@b.c", PASSWORD) for name in ("ada", "eve")]
        codes = await devices.ask("tool")
        await devices.deny(ada.user_id, codes.user_code)
        for late in (
            devices.approve(eve.user_id, codes.user_code, INFERENCE),
            devices.look(ada.user_id, codes.user_code),
        ):
            with pytest.raises(NotFound):
                await late
        assert await told(devices.poll("tool", codes.device_code)) == "access_denied"
        assert await home.accounts.keys.list(ada.user_id) == []

    at_home(tmp_path, test)


def test_a_program_gets_no_more_than_it_asked_for_and_terms_are_checked_while_they_can_be_mended(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        devices, user = home.accounts.devices, await home.auth.sign_up("a@b.c", PASSWORD)
        codes = await devices.ask("tool", ["inference"])
        for terms in (
            Terms("x", ("inference", "account:write"), None, None),
            Terms("", ("inference",), None, None),
            Terms("x", (), None, None),
        ):
            with pytest.raises(BadRequest):
                await devices.approve(user.user_id, codes.user_code, terms)
        await devices.approve(user.user_id, codes.user_code, Terms("x", ("inference",), None, None))
        for _ in range(MAX_KEYS):
            await home.accounts.keys.create(user.user_id, "k")
        with pytest.raises(BadRequest, match="delete one first"):
            await devices.poll("tool", codes.device_code)
        first = (await home.accounts.keys.list(user.user_id))[0]
        await home.accounts.keys.revoke(user.user_id, first.key_id)
        assert (await devices.poll("tool", codes.device_code)).info.cap is None
        for client, scopes, code in (
            ("", [], "invalid_request"),
            ("a\nb", [], "invalid_request"),
            ("tool", ["admin"], "invalid_scope"),
        ):
            assert await told(devices.ask(client, scopes)) == code

    at_home(tmp_path, test)


def test_an_impatient_program_is_slowed_down_and_a_late_one_learns_that_its_code_has_expired(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        devices, user = home.accounts.devices, await home.auth.sign_up("a@b.c", PASSWORD)
        codes = await devices.ask("tool")
        steps = (
            (0, "authorization_pending"),
            (1, "slow_down"),
            (6, "slow_down"),
            (15, "authorization_pending"),
        )
        for seconds, code in steps:
            home.clock.advance(seconds)
            assert await told(devices.poll("tool", codes.device_code)) == code
        assert await told(devices.poll("another", codes.device_code)) == "invalid_grant"
        assert await told(devices.poll("tool", "made-up")) == "invalid_grant"
        home.clock.advance(600)
        assert await told(devices.poll("tool", codes.device_code)) == "expired_token"
        with pytest.raises(NotFound):
            await devices.approve(user.user_id, codes.user_code, INFERENCE)
        home.clock.advance(3601)
        await devices.ask("tool")
        assert await told(devices.poll("tool", codes.device_code)) == "invalid_grant"

    at_home(tmp_path, test)


def test_codes_can_neither_be_guessed_nor_piled_up(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        devices, user = home.accounts.devices, await home.auth.sign_up("a@b.c", PASSWORD)
        codes = await devices.ask("tool")
        for _ in range(20):  # one that exists costs nothing
            await devices.look(user.user_id, codes.user_code)
        for number in range(10):
            with pytest.raises(NotFound):
                await devices.look(user.user_id, ALPHABET[number] * 8)
        with pytest.raises(RateLimited):
            await devices.look(user.user_id, codes.user_code)
        for _ in range(20):
            await devices.ask("tool", address="10.0.0.9")
        with pytest.raises(RateLimited):
            await devices.ask("tool", address="10.0.0.9")

        def fill(connection: sa.Connection) -> None:
            row = dict(connection.execute(sa.select(device_grants).limit(1)).one()._mapping)
            rows = [row | {"device_digest": f"d{n}", "user_digest": f"u{n}"} for n in range(MOST_WAITING)]
            connection.execute(sa.insert(device_grants), rows)

        await home.db.write(fill)
        with pytest.raises(RateLimited, match="waiting"):
            await devices.ask("tool")

    at_home(tmp_path, test, rate_limits=True)


@pytest.mark.parametrize("what", ["a new password", "the account's end"])
def test_an_approval_that_nobody_has_fetched_ends_with_what_allowed_it(tmp_path: Path, what: str) -> None:
    async def test(home: Home) -> None:
        devices, user = home.accounts.devices, await home.auth.sign_up("a@b.c", PASSWORD)
        codes = await devices.ask("tool")
        await devices.approve(user.user_id, codes.user_code, INFERENCE)
        if what == "a new password":
            await home.auth.change_password(user.user_id, PASSWORD, PASSWORD + "!", revoke_keys=True)
        else:
            await home.auth.delete_account(user.user_id, PASSWORD)
        assert await told(devices.poll("tool", codes.device_code)) == "invalid_grant"

    at_home(tmp_path, test)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def sent(who: Client, path: str, form: str, headers: dict[str, str] = FORM) -> Answer:
    return who.send("POST", f"{DEVICE}/{path}", form.encode(), headers)


def test_a_client_that_knows_the_address_alone_finds_where_to_sign_in(server: Server) -> None:
    """RFC 8414: what it is told are the very endpoints that then answer it."""
    told = server.anybody.get("/.well-known/oauth-authorization-server").json
    assert told["issuer"] == server.url
    assert "authorization_endpoint" not in told
    codes, token = (
        told[name].removeprefix(server.url) for name in ("device_authorization_endpoint", "token_endpoint")
    )
    asked = server.anybody.send("POST", codes, b"client_id=x", FORM).json
    form = f"grant_type={told['grant_types_supported'][0]}&client_id=x&device_code={asked['device_code']}"
    waits = server.anybody.send("POST", token, form.encode(), FORM)
    assert (waits.status, waits.json["error"]) == (400, "authorization_pending")


def test_an_independent_client_signs_in_and_its_key_answers(server: Server) -> None:
    client, ada, nobody = DeviceClient("an editor"), server.person(), server.anybody
    codes = sent(nobody, "code", "client_id=an+editor&scope=inference+account%3Aread").json
    assert codes["verification_uri"] == f"{server.url}/device"
    assert codes["verification_uri_complete"] == f"{server.url}/device?code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)

    def fetch() -> Any:
        body = client.prepare_request_body(device_code=codes["device_code"], include_client_id=True)
        answer = sent(nobody, "token", body)
        assert answer.headers["cache-control"] == "no-store"
        return client.parse_request_body_response(answer.text, scope=["inference"])

    with pytest.raises(OAuth2Error, match="authorization_pending"):
        fetch()
    asked = agreed(ada.post(f"{DEVICE}/look", {"user_code": codes["user_code"]}), {"client": str})
    assert (asked["client"], asked["same_network"]) == ("an editor", True)
    agreed(
        ada.post(
            f"{DEVICE}/approve",
            {"user_code": codes["user_code"], "name": "desk", "scopes": ["inference"], "cap": {"amount": "1"},
             "expires_in_days": 7},
        )
    )  # fmt: skip
    token = fetch()
    assert (token["token_type"], token["scope"], token["expires_in"]) == ("Bearer", ["inference"], 7 * 86_400)
    assert server.as_(token["access_token"]).get("/v1/models").status == 200
    (key,) = agreed(ada.get(f"{MARKET}/keys"))["keys"]
    assert (key["name"], key["cap"]["amount"], key["scopes"]) == ("desk", 1, ["inference"])
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        fetch()


def test_the_wire_of_oauth_refuses_what_is_no_form_and_a_key_approves_nothing(server: Server) -> None:
    nobody = server.anybody
    cases = {
        "client_id=a&client_id=b": "invalid_request",
        "scope=inference": "invalid_request",
        "client_id=a&scope=root": "invalid_scope",
        "client_id=%ff": "invalid_request",
        "client_id=a&x=" + "y" * 20_000: "invalid_request",
    }
    for form, code in cases.items():
        answer = sent(nobody, "code", form)
        assert (answer.status, answer.json["error"]) == (400, code), form[:50]
    assert sent(nobody, "code", '{"client_id": "a"}', {"content-type": "application/json"}).status == 400
    assert sent(nobody, "token", "grant_type=password").json["error"] == "unsupported_grant_type"
    ada = server.person()
    codes = sent(nobody, "code", "client_id=a").json
    for path in ("look", "approve", "deny"):
        body = {"user_code": codes["user_code"]} | (
            {"name": "x", "scopes": ["inference"]} if path == "approve" else {}
        )
        refused(server.key(ada).post(f"{DEVICE}/{path}", body), 403, "session_required")
    agreed(ada.post(f"{DEVICE}/deny", {"user_code": codes["user_code"]}))
    body = f"grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=a&device_code={codes['device_code']}"
    assert sent(nobody, "token", body).json["error"] == "access_denied"
