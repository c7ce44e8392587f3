"""Administrators act for others only with their password for money and roles, and never without a line in the audit log."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.admin import store
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.db.tables.ledger import accounts
from tests.fakes.server import AGENTS, MARKET, PAID, PASSWORD, Client, Server, agreed, running

pytestmark = pytest.mark.both_databases
ADMIN = "/api/v1/admin"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def admin(server: Server) -> Client:
    return server.person("first@example.com")  # the first to sign up is the administrator


def lines(admin: Client, **where: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in where.items())
    return list(agreed(admin.get(f"{ADMIN}/audit?{query}"))["lines"])


def test_credit_needs_the_password_and_a_reason_and_happens_once(server: Server, admin: Client) -> None:
    person = server.person()
    path, name = f"{ADMIN}/people/{person.user_id}/credit", person.user_id
    before = agreed(person.get(f"{MARKET}/billing/balance"))["balance"]
    body = {
        "amount": "2.5",
        "reason": "an outage",
        "password": PASSWORD,
        "idempotency_key": "k",
        "gift": True,
    }
    assert admin.post(path, body | {"password": "wrong, so wrong"}).status == 401
    assert admin.post(path, body | {"reason": " "}).status == 400
    for _ in range(2):
        agreed(admin.post(path, body))
    assert admin.post(path, body | {"amount": "3"}).status == 422
    assert agreed(person.get(f"{MARKET}/billing/balance"))["balance"] == before + 2.5
    lots = agreed(person.get(f"{MARKET}/billing/lots"))["lots"]
    assert ("granted", 2.5) in [(lot["kind"], lot["left"]) for lot in lots]
    (line,) = lines(admin, object=name, act="credit")
    assert (line["actor"], line["reason"]) == (admin.user_id, "an outage")
    assert float(line["after"]["balance"]) - float(line["before"]["balance"]) == 2.5


def test_roles_need_the_password_and_the_last_administrator_stays(server: Server, admin: Client) -> None:
    person = server.person()
    theirs, mine = (f"{ADMIN}/people/{who.user_id}/role" for who in (person, admin))
    body = {"role": "admin", "reason": "helps", "password": PASSWORD}
    assert admin.post(theirs, body | {"password": "wrong, so wrong"}).status == 401
    refused = admin.post(mine, body | {"role": "user"})
    assert (refused.status, refused.json["code"]) == (400, "last_admin")
    agreed(admin.post(theirs, body))
    agreed(person.get(f"{ADMIN}/people"))
    agreed(admin.post(theirs, body | {"role": "user"}))
    assert person.get(f"{ADMIN}/people").status == 403
    acts = [(x["before"], x["after"]) for x in lines(admin, object=person.user_id, act="role")]
    assert acts == [({"role": "admin"}, {"role": "user"}), ({"role": "user"}, {"role": "admin"})]
    assert admin.post(f"{ADMIN}/people/nobody/role", body).status == 404


def test_somebody_signed_out_by_an_administrator_is_out(server: Server, admin: Client) -> None:
    person = server.person()
    name = person.user_id
    assert agreed(admin.post(f"{ADMIN}/people/{name}/signout", {"reason": "a lost laptop"}))["ended"] == 1
    assert person.get(f"{MARKET}/profile").status == 401
    assert lines(admin, object=name)[0]["after"] == {"ended": 1}


def test_people_are_found_page_by_page_and_shown_without_their_chats(server: Server, admin: Client) -> None:
    names = {server.person(f"page{i}@find.example").user_id for i in range(3)}
    found, cursor = [], ""
    while cursor is not None:
        page = agreed(admin.get(f"{ADMIN}/people?q=find.example&limit=2&cursor={cursor}"))
        found += page["people"]
        cursor = page["next_cursor"]
    assert {p["user_id"] for p in found} == names
    shown = agreed(admin.get(f"{ADMIN}/people/{found[0]['user_id']}"))
    assert sum(lot["left"] for lot in shown["lots"]) == shown["person"]["balance"]
    assert admin.get(f"{ADMIN}/people/nobody").status == 404


def test_the_log_is_exported_whole_and_an_edit_of_it_is_found(server: Server, admin: Client) -> None:
    person = server.person()
    for _ in range(2):  # whatever other tests did before, or did not
        agreed(admin.post(f"{ADMIN}/people/{person.user_id}/signout", {"reason": "=1+1"}))
    rows = list(csv.DictReader(io.StringIO(admin.get(f"{ADMIN}/audit.csv").text)))
    assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["reason"] == "'=1+1"  # no formula for a spreadsheet
    first = agreed(admin.get(f"{ADMIN}/audit?limit=1"))
    older = agreed(admin.get(f"{ADMIN}/audit?limit=1&cursor={first['next_cursor']}"))
    assert older["lines"][0]["id"] == first["lines"][0]["id"] - 1


def test_what_is_chosen_in_the_console_counts_at_once(server: Server, admin: Client) -> None:
    signup, why = f"{ADMIN}/settings/MARKETPLACE_SIGNUP", {"reason": "a trial"}
    new = {"email": "late@choices.example", "password": PASSWORD}
    agreed(admin.post(signup, {"value": "closed", **why}))
    assert agreed(server.anybody.get(f"{MARKET}/auth/signup"))["signup"] == "closed"
    assert server.anybody.post(f"{MARKET}/auth/signup", new).status == 403
    agreed(admin.post(signup, {"value": None, **why}))
    agreed(server.anybody.post(f"{MARKET}/auth/signup", new))
    agreed(admin.post(f"{ADMIN}/settings/banner", {"value": "Down at noon", **why}))
    assert agreed(server.anybody.get(f"{MARKET}/auth/signup"))["banner"] == "Down at noon"
    assert admin.post(f"{ADMIN}/settings/MARKETPLACE_MARKUP", {"value": "2", **why}).status == 401
    assert admin.post(f"{ADMIN}/settings/MARKETPLACE_LIMITS", {"value": "on", **why}).status == 409
    shown = {s["name"]: s for s in agreed(admin.get(f"{ADMIN}/settings"))["settings"]}
    assert (shown["MARKETPLACE_LIMITS"]["source"], shown["MARKETPLACE_MARKUP"]["value"]) == (
        "environment",
        "1",
    )


def test_models_are_priced_and_switched_off_by_administrators(server: Server, admin: Client) -> None:
    person = server.person()
    ask = {"model": PAID, "prompt": "Hi", "max_tokens": 5}
    (offer,) = agreed(admin.get(f"{ADMIN}/offers?q=openai/{PAID}&limit=1"))["offers"]
    off = {"offer": offer["offer"], "reason": "too dear"}
    agreed(admin.post(f"{ADMIN}/offers/switch", {**off, "off": True}))
    refused = person.post("/api/v1/agents/completion", {**ask, "only": ["openai"]})
    assert refused.status >= 400, refused.text
    agreed(admin.post(f"{ADMIN}/offers/switch", {**off, "off": False}))
    price = {"offer": offer["offer"], "input": "100", "output": "200", "reason": "the bill says so"}
    assert admin.post(f"{ADMIN}/offers/price", {**price, "password": "wrong, so wrong"}).status == 401
    agreed(admin.post(f"{ADMIN}/offers/price", {**price, "password": PASSWORD}))
    (again,) = agreed(admin.get(f"{ADMIN}/offers?q=openai/{PAID}&limit=1"))["offers"]
    assert (again["input"], again["output"], again["price_source"], again["why_not"]) == (
        100,
        200,
        "operator",
        None,
    )
    assert lines(admin, act="set%20price")[0]["after"]["input"] == "100"


def test_providers_are_shown_without_their_keys(server: Server, admin: Client) -> None:
    answer = admin.get(f"{ADMIN}/providers")
    found = {p["name"]: p for p in agreed(answer)["providers"]}
    assert (found["openai"]["source"], found["mistral"]["source"]) == ("environment", None)
    assert "sk-operator-openai" not in answer.text
    body = {"api_key": "sk-other", "reason": "another account", "password": PASSWORD}
    assert admin.post(f"{ADMIN}/providers/openai/key", body).status == 409
    assert admin.post(f"{ADMIN}/providers/nobody/key", body).status == 404
    assert admin.post(f"{ADMIN}/providers/mistral/test").status == 404


def test_a_new_operator_is_not_told_that_a_server_of_models_is_there_which_never_answered(
    server: Server, admin: Client
) -> None:
    found = {p["name"]: p for p in agreed(admin.get(f"{ADMIN}/providers"))["providers"]}
    assert not found["ollama"]["configured"]
    assert agreed(admin.get(f"{ADMIN}/settings"))["methods"] == []


def test_a_suspended_account_is_stopped_at_once_with_its_keys_and_let_in_again(
    server: Server, admin: Client
) -> None:
    person, other = server.person("stopped@suspend.example"), server.person()
    key = server.key(person)
    path, body = f"{ADMIN}/suspensions", {"users": [other.user_id, person.user_id], "reason": "spam"}
    assert admin.post(path, {**body, "users": [admin.user_id], "suspended": True}).status == 409
    assert admin.post(path, {**body, "users": [person.user_id, "nobody"], "suspended": True}).status == 404
    agreed(key.get(f"{MARKET}/profile"))
    agreed(admin.post(path, {**body, "suspended": True}))
    assert [who.get(f"{MARKET}/profile").status for who in (person, other, key)] == [401] * 3
    signin = {"email": "stopped@suspend.example", "password": PASSWORD}
    refused = server.anybody.post(f"{MARKET}/auth/signin", signin)
    assert (refused.status, refused.json["code"]) == (403, "account_suspended")
    (shown,) = agreed(admin.get(f"{ADMIN}/people?q=stopped@suspend.example"))["people"]
    assert shown["suspended_at"]
    agreed(admin.post(path, {**body, "suspended": False}))
    agreed(server.anybody.post(f"{MARKET}/auth/signin", signin))
    agreed(key.get(f"{MARKET}/profile"))
    assert person.get(f"{MARKET}/profile").status == 401, "its old sessions have ended"
    assert {line["object"] for line in lines(admin, act="suspend")} == set(body["users"])


def test_trust_is_given_and_taken_by_an_act_that_the_log_holds(server: Server, admin: Client) -> None:
    person = server.person("vouched@trust.example")
    path = f"{ADMIN}/people/{person.user_id}/trust"

    def since() -> str | None:
        (shown,) = agreed(admin.get(f"{ADMIN}/people?q=vouched@trust.example"))["people"]
        return str(shown["trusted_at"]) if shown["trusted_at"] else None

    assert since() is None
    for trusted in (True, True, False):
        agreed(admin.post(path, {"trusted": trusted, "reason": "known"}))
        assert (since() is not None) == trusted
    acts = [(line["before"], line["after"]) for line in lines(admin, act="trust")]
    yes, no = {"trusted": True}, {"trusted": False}
    assert acts == [(yes, no), (yes, yes), (no, yes)], "newest first"
    assert admin.post(f"{ADMIN}/people/nobody/trust", {"trusted": True, "reason": "x"}).status == 404


def test_sessions_and_keys_of_others_end_one_by_one_with_a_line_each(server: Server, admin: Client) -> None:
    person = server.person()
    key = agreed(person.post(f"{MARKET}/keys", {"name": "of mine"}))
    path = f"{ADMIN}/people/{person.user_id}"
    access = agreed(admin.get(f"{path}/access"))
    assert [k["id"] for k in access["keys"]] == [key["id"]]
    assert key["key"] not in str(access)
    why = {"reason": "it was found in a paste"}
    assert admin.post(f"{path}/keys/key_of_nobody/revoke", why).status == 404
    agreed(admin.post(f"{path}/keys/{key['id']}/revoke", why))
    assert Client(server.port, key["key"], person.user_id, "").get(f"{MARKET}/profile").status == 401
    (session,) = access["sessions"]
    agreed(admin.post(f"{path}/sessions/{session['id']}/end", why))
    assert person.get(f"{MARKET}/profile").status == 401
    assert admin.post(f"{path}/sessions/{session['id']}/end", why).status == 404
    acts = [line["act"] for line in lines(admin, object=person.user_id)]
    assert acts == ["end session", "revoke key"]


def test_credit_for_many_is_given_to_all_or_none_and_once(server: Server, admin: Client) -> None:
    people = [server.person() for _ in range(3)]
    ids = [p.user_id for p in people]
    body = {
        "amount": "2",
        "gift": True,
        "reason": "an outage",
        "password": PASSWORD,
        "idempotency_key": "many",
    }
    assert admin.post(f"{ADMIN}/credits", {**body, "users": [*ids, "nobody"]}).status == 404
    assert admin.post(f"{ADMIN}/credits", {**body, "users": ids, "password": "wrong, so wrong"}).status == 401
    before = [agreed(p.get(f"{MARKET}/billing/balance"))["balance"] for p in people]
    for _ in range(2):
        agreed(admin.post(f"{ADMIN}/credits", {**body, "users": ids}))
    assert [agreed(p.get(f"{MARKET}/billing/balance"))["balance"] for p in people] == [b + 2 for b in before]
    assert [len(lines(admin, object=i, act="credit")) for i in ids] == [1, 1, 1]


def test_calls_of_everybody_are_seen_by_administrators_without_what_was_asked(
    server: Server, admin: Client
) -> None:
    person, other = server.rich("1"), server.rich("1")
    for asker in (person, other):
        ask = {"model": PAID, "prompt": "SECRET-PROMPT", "max_tokens": 5}
        agreed(asker.post(f"{AGENTS}/completion", ask))
    found = agreed(admin.get(f"{ADMIN}/activity?limit=1"))
    assert found["calls"][0]["email"] == other.email
    older = agreed(admin.get(f"{ADMIN}/activity?limit=1&cursor={found['next_cursor']}"))
    assert older["calls"][0]["email"] == person.email
    mine = agreed(admin.get(f"{ADMIN}/activity?user_id={person.user_id}"))["calls"]
    assert {call["user_id"] for call in mine} == {person.user_id}
    assert "SECRET-PROMPT" not in str([found, older, mine])


def test_people_are_found_by_a_part_of_their_address_or_by_their_id_page_by_page(database: Database) -> None:
    def fill(connection: sa.Connection) -> None:
        for number in range(30):
            row = {"user_id": f"u{number}", "email": f"p{number:02}_{'x' if number % 2 else 'y'}@example.com"}
            known = {"password_hash": "-", "role": "user", "tier": "free", "created_at": 1}
            connection.execute(sa.insert(users).values(**row, **known))
            wallet = {"name": f"user:u{number}", "balance_nano": number, "held_nano": 0, "restricted_nano": 0}
            more = {"seq": 0, "head": "", "rolled_seq": 0, "lots_due_at": 0, "created_at": 1}
            connection.execute(sa.insert(accounts).values(**wallet, **more))

    database.write_sync(fill)

    def pages(words: str, after: str | None = None) -> list[str]:
        found = database.read_sync(lambda c: store.people(c, words, after, 4))
        return [p.user_id for p in found] + (pages(words, found[-1].email) if found else [])

    assert pages("_X@") == [f"u{n}" for n in range(1, 30, 2)]
    assert pages("") == [f"u{n}" for n in range(30)]
    assert pages("u7") == ["u7"]
    assert pages("%") == []


def test_a_newcomer_takes_bank_transfers_from_the_page_alone(server: Server, admin: Client) -> None:
    person = server.person()
    assert agreed(person.get(f"{MARKET}/payments"))["methods"] == []
    shown = {s["name"]: s for s in agreed(admin.get(f"{ADMIN}/settings"))["settings"]}
    assert (shown["MARKETPLACE_TRANSFER"]["source"], shown["MARKETPLACE_TRANSFER"]["money"]) == (
        "default",
        True,
    )
    path, proof = (
        f"{ADMIN}/settings/MARKETPLACE_TRANSFER",
        {"reason": "open for business", "password": PASSWORD},
    )
    assert admin.post(path, {"value": "IBAN of a thief", "reason": "x"}).status in (400, 401)
    agreed(admin.post(path, {"value": "To IBAN XY12", **proof}))
    agreed(admin.post(f"{ADMIN}/settings/MARKETPLACE_TOPUP_LEAST", {"value": "10", **proof}))
    offered = agreed(person.get(f"{MARKET}/payments"))
    assert (offered["methods"], offered["transfer"], offered["least"]) == (["transfer"], "To IBAN XY12", 10)
    order = {"method": "transfer", "amount": 9, "attempt": "attempt-1"}
    assert person.post(f"{MARKET}/payments/orders", order).status == 400
    agreed(person.post(f"{MARKET}/payments/orders", order | {"amount": 10}))
    agreed(admin.post(path, {"value": None, **proof}))
    agreed(admin.post(f"{ADMIN}/settings/MARKETPLACE_TOPUP_LEAST", {"value": None, **proof}))
    assert agreed(person.get(f"{MARKET}/payments"))["methods"] == []
