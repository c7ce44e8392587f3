"""Accounts and keys over HTTP, against the real server: every documented field, every refusal in the envelope."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.server import AGENTS, MARKET, NUMBER, PAID, PASSWORD, Server, agreed, refused, running
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

PROFILE = {
    "user_id": str, "email": str, "tier": str, "balance": NUMBER, "role": str, "api_keys_configured": [str],
    "created_at": str, "subscription_expires": (str, None),
}  # fmt: skip
KEY = {
    "id": str, "name": str, "prefix": str, "created_at": str, "expires_at": (str, None), "last_used_at": (str, None),
    "cap": ({"amount": NUMBER, "period": str}, None), "spent": NUMBER,
}  # fmt: skip
PROVIDER_KEY = {
    "provider": str,
    "masked": str,
    "status": str,
    "created_at": str,
    "last_tested_at": (str, None),
}
SECRET = "sk-mine-0123456789abcdef"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_sign_up_gives_exactly_five_dollars_and_a_token_that_works(server: Server) -> None:
    made = server.anybody.post(f"{MARKET}/auth/signup", {"email": "Ada@Example.com", "password": PASSWORD})
    body = agreed(made, {"token": str, "user_id": str, "balance": NUMBER})
    assert '"balance":5,' in made.text or '"balance":5}' in made.text
    ada = server.as_(body["token"])
    user = agreed(ada.get(f"{MARKET}/profile"), {"user": PROFILE})["user"]
    assert (user["user_id"], user["email"].lower()) == (body["user_id"], "ada@example.com")
    again = server.anybody.post(f"{MARKET}/auth/signup", {"email": "ada@example.com", "password": PASSWORD})
    assert refused(again, 400, "email_taken")["error"] == "Email already registered"


@pytest.mark.parametrize(
    "body",
    [
        {"email": "bob@example.com"},
        {"password": PASSWORD},
        {"email": "not-an-address", "password": PASSWORD},
        {"email": "bob@example.com", "password": "short"},
        {"email": 7, "password": PASSWORD},
        {"email": "bob@example.com", "password": ["x"]},
        {"email": "b" * 300 + "@example.com", "password": PASSWORD},
        {"email": "bob@example.com", "password": "x" * 5000},
        {"email": "bob@example.com", "password": PASSWORD, "role": "admin"},
        {"email": "bob\x00@example.com", "password": PASSWORD},
        [],
        "text",
        None,
    ],
)
def test_a_malformed_sign_up_is_a_400_and_makes_no_account(server: Server, body: object) -> None:
    answer = server.anybody.call("POST", f"{MARKET}/auth/signup", body)
    assert answer.status == 400, answer.text
    assert answer.json["success"] is False
    assert PASSWORD not in answer.text


def test_wrong_password_and_unknown_address_read_the_same(server: Server) -> None:
    known = server.person()
    answers = [
        server.anybody.post(f"{MARKET}/auth/signin", {"email": email, "password": "not the password, no"})
        for email in (known.email, "nobody@example.com")
    ]
    for answer in answers:
        assert refused(answer, 401, "invalid_credentials")["error"] == "Invalid credentials"
        assert answer.headers["www-authenticate"] == "Bearer"
    good = server.anybody.post(f"{MARKET}/auth/signin", {"email": known.email, "password": PASSWORD})
    assert agreed(good, {"token": str, "user_id": str})["user_id"] == known.user_id


def test_sign_out_kills_the_token_at_once(server: Server) -> None:
    ada = server.person()
    agreed(ada.post(f"{MARKET}/auth/signout"))
    refused(ada.get(f"{MARKET}/profile"), 401, "invalid_token")


def test_a_new_password_ends_every_other_session(server: Server) -> None:
    ada = server.person()
    other = server.as_(
        server.anybody.post(f"{MARKET}/auth/signin", {"email": ada.email, "password": PASSWORD}).json["token"]
    )
    changed = {"current_password": PASSWORD, "new_password": "an even better horse 9"}
    refused(
        ada.post(f"{MARKET}/auth/password", {**changed, "current_password": "not it, not it"}),
        401,
        "invalid_credentials",
    )
    fresh = server.as_(agreed(ada.post(f"{MARKET}/auth/password", changed), {"token": str})["token"])
    assert fresh.get(f"{MARKET}/profile").status == 200
    for dead in (ada, other):
        refused(dead.get(f"{MARKET}/profile"), 401, "invalid_token")


@pytest.mark.parametrize("credential", [None, "", "nonsense", "a.b.c", "sk-mkt-" + "0" * 40, "\u00e9"])
def test_no_valid_credential_is_a_401_in_the_envelope(server: Server, credential: str | None) -> None:
    headers = (
        {}
        if credential is None
        else {"authorization": f"Bearer {credential}".encode("latin-1").decode("latin-1")}
    )
    refused(server.anybody.get(f"{MARKET}/profile", **headers), 401, "invalid_token")
    refused(
        server.anybody.call("POST", f"{AGENTS}/completion", {"model": PAID, "prompt": "Hi"}, **headers),
        401,
        "invalid_token",
    )


def test_a_marketplace_key_is_shown_once_capped_scoped_and_revoked_at_once(server: Server) -> None:
    ada = server.person()
    cap = {"amount": "0.00003", "period": "day"}
    made = agreed(
        ada.post(f"{MARKET}/keys", {"name": "ci", "cap": cap, "expires_in_days": 7}), {**KEY, "key": str}
    )
    listed = ada.get(f"{MARKET}/keys")
    assert [k["id"] for k in agreed(listed, {"keys": [KEY]})["keys"]] == [made["id"]]
    assert made["key"] not in listed.text
    program = server.as_(made["key"])
    asked = {"model": PAID, "prompt": "Hi", "max_tokens": 10}
    assert agreed(program.post(f"{AGENTS}/completion", asked))["cost"] > 0
    over = refused(
        program.post(f"{AGENTS}/completion", {**asked, "max_tokens": 4000}), 402, "payment_required"
    )
    assert over["available"] < over["required"]
    spent = agreed(ada.get(f"{MARKET}/keys"))["keys"][0]
    assert 0 < spent["spent"] <= spent["cap"]["amount"]
    refused(program.post(f"{MARKET}/keys", {"name": "more"}), 403, "session_required")
    agreed(ada.call("DELETE", f"{MARKET}/keys/{made['id']}"))
    refused(program.post(f"{AGENTS}/completion", asked), 401, "invalid_token")
    refused(ada.call("DELETE", f"{MARKET}/keys/{made['id']}"), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "cap": {"amount": -1}},
        {"name": "x", "cap": {"amount": "NaN"}},
        {"name": "x", "cap": {"amount": 1, "period": "fortnight"}},
        {"name": "x", "cap": {"amount": "0.0000000001"}},
        {"name": "x", "expires_in_days": 0},
        {"name": "x", "scopes": ["root"]},
        {"name": "x", "unknown": 1},
    ],
)
def test_a_malformed_key_is_a_400(server: Server, body: dict[str, object]) -> None:
    refused(server.person().post(f"{MARKET}/keys", body), 400, "invalid_request")


def test_a_provider_key_is_tested_masked_and_never_shown_again(server: Server) -> None:
    ada = server.person()
    server.upstream.script(Behaviour(status=401))
    no = ada.post(f"{MARKET}/api-keys", {"provider": "openai", "api_key": SECRET})
    refused(no, 400, "provider_key_refused")
    assert SECRET not in no.text
    server.upstream.script(*[Behaviour(), Behaviour(status=401)] * 2)  # each time a random key is refused
    saved = ada.post(f"{MARKET}/api-keys", {"provider": "openai", "api_key": SECRET})
    assert agreed(saved, PROVIDER_KEY)["status"] == "verified"
    listed = ada.get(f"{MARKET}/api-keys")
    assert [k["provider"] for k in agreed(listed, {"api_keys": [PROVIDER_KEY]})["api_keys"]] == ["openai"]
    assert SECRET not in saved.text + listed.text + ada.get(f"{MARKET}/account/export").text
    assert agreed(ada.get(f"{MARKET}/profile"))["user"]["api_keys_configured"] == ["openai"]
    agreed(ada.post(f"{MARKET}/api-keys/openai/test"), PROVIDER_KEY)
    agreed(ada.call("DELETE", f"{MARKET}/api-keys/openai"))
    refused(ada.post(f"{MARKET}/api-keys/openai/test"), 404, "no_provider_key")
    refused(
        ada.post(f"{MARKET}/api-keys", {"provider": "no-such-provider", "api_key": SECRET}),
        400,
        "unknown_provider",
    )
    assert SECRET not in server.log
    server.upstream.script()


def test_a_keyless_server_of_the_operators_takes_no_own_keys_in_words(
    tmp_path: Path, database_kind: str
) -> None:
    with running(tmp_path, OPENAI_API_KEY="") as server:
        ada = server.person()
        no = ada.post(f"{MARKET}/api-keys", {"provider": "openai", "api_key": "junk-no-key-at-all"})
        refused(no, 400, "own_keys_closed")
        assert "asks for no key" in no.text


def test_export_holds_everything_and_deletion_leaves_nothing(server: Server) -> None:
    ada = server.person()
    said = "a sentence that only Ada ever said"
    agreed(ada.post(f"{AGENTS}/chat", {"model": PAID, "message": said}))
    agreed(ada.call("PUT", f"{MARKET}/favourites/{PAID}"))
    ran = {
        "model": PAID,
        "input": "only a run was told this",
        "agent": {"tools": ["calculator"]},
        "wait": True,
    }
    run = agreed(ada.post(f"{AGENTS}/runs", ran))["run"]
    evaluated = ada.send(
        "POST", f"{MARKET}/evaluations?model={PAID}&budget=0.01", b"prompt\nonly an evaluation asked\n"
    )
    agreed(evaluated)
    exported = ada.get(f"{MARKET}/account/export")
    kept = {"runs": [dict], "evaluations": [dict], "orders": [dict]}
    body = agreed(
        exported, {"account": dict, "statement": [dict], "conversations": [dict], "favourites": [str], **kept}
    )
    assert [r["run_id"] for r in body["runs"]] == [run["run_id"]]
    assert "only a run was told this" in exported.text
    (prompt,) = body["evaluations"][0]["prompts"]
    assert prompt["messages"][-1]["content"] == "only an evaluation asked"
    assert said in exported.text
    assert body["favourites"] == [PAID]
    assert "attachment" in exported.headers["content-disposition"]
    refused(
        ada.call("DELETE", f"{MARKET}/account", {"password": "not it, not it"}), 401, "invalid_credentials"
    )
    agreed(ada.call("DELETE", f"{MARKET}/account", {"password": PASSWORD}))
    refused(ada.get(f"{MARKET}/profile"), 401, "invalid_token")
    gone = server.anybody.post(f"{MARKET}/auth/signin", {"email": ada.email, "password": PASSWORD})
    refused(gone, 401, "invalid_credentials")


def test_too_many_guesses_are_a_429_that_says_when_to_come_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("limited"), MARKETPLACE_LIMITS="on") as limited:
        ada = limited.person()
        for _ in range(30):
            answer = limited.anybody.post(
                f"{MARKET}/auth/signin", {"email": ada.email, "password": "wrong, so wrong"}
            )
            if answer.status == 429:
                break
        body = refused(answer, 429, "rate_limit_exceeded")
        assert int(answer.headers["retry-after"]) >= 1
        assert body["retry_after"] >= 1
