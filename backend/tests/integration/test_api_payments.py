"""Payments over HTTP: who may do what, guessing is slowed down, and the operator's settings decide what is there."""

import json
import time
from collections.abc import Iterator

import pytest

from agent_marketplace.catalog import store
from agent_marketplace.catalog.store import Review
from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Price
from agent_marketplace.payments.signing import sign
from tests.fakes.paying import SECRET
from tests.fakes.server import AGENTS, MARKET, PAID, PASSWORD, Client, Server, agreed, refused, running
from tests.fakes.stripe import WEBHOOK_SECRET, FakeStripe, serving
from tests.fakes.upstream import Behaviour

PAY, ADMIN = f"{MARKET}/payments", "/api/v1/admin"
PROOF = {"reason": "a sale", "password": PASSWORD}


@pytest.fixture(scope="module")
def stripe() -> FakeStripe:
    return FakeStripe(SystemClock())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, stripe: FakeStripe) -> Iterator[Server]:
    more = {
        "STRIPE_SECRET_KEY": "sk_test_fake",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "MARKETPLACE_SITE": "https://m.example",
        "MARKETPLACE_PAYMENT_SECRET": SECRET,
        "MARKETPLACE_PAYMENT_URL": "https://pay.example/?o={order}&n={amount}",
        "MARKETPLACE_TRANSFER": "IBAN XY",
    }
    with (
        serving(stripe) as url,
        running(tmp_path_factory.mktemp("home"), MARKETPLACE_STRIPE_URL=url, **more) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def admin(server: Server) -> Client:
    return server.person("first@example.com")


def test_an_order_is_paid_by_a_notice_and_seen_by_its_owner_alone(server: Server, admin: Client) -> None:
    person, other = server.person(), server.person()
    assert agreed(person.get(PAY))["methods"] == ["stripe", "webhook", "transfer"]
    body = {"method": "webhook", "amount": "12.50", "attempt": "attempt-1"}
    order = agreed(person.post(f"{PAY}/orders", body))["order"]
    assert order["pay_url"] == f"https://pay.example/?o={order['id']}&n=1250"
    said = {
        "order": order["id"], "account": person.user_id, "amount": 1250, "currency": "USD",
        "paid_at": int(time.time()), "id": "p1",
    }  # fmt: skip
    notice = json.dumps(said).encode()
    signature = sign(SECRET, int(time.time()), notice)
    assert server.anybody.send("POST", f"{PAY}/notice", notice).status == 401
    for result in ("credited", "credited"):  # the first result again
        answer = server.anybody.send("POST", f"{PAY}/notice", notice, {"x-marketplace-signature": signature})
        assert agreed(answer)["result"] == result
    assert agreed(person.get(f"{PAY}/orders/{order['id']}"))["order"]["state"] == "paid"
    assert other.get(f"{PAY}/orders/{order['id']}").status == 404
    (shown,) = agreed(admin.get(f"{ADMIN}/orders?user_id={person.user_id}"))["orders"]
    assert (shown["email"], shown["external_id"], shown["credit"]) == (person.email, "p1", 12.5)
    wrong = json.dumps(said | {"id": "p2", "amount": 1}).encode()
    header = {"x-marketplace-signature": sign(SECRET, int(time.time()), wrong)}
    refused(server.anybody.send("POST", f"{PAY}/notice", wrong, header), 409, "payment_refused")
    (event,) = agreed(admin.get(f"{ADMIN}/payment-events?outcome=refused"))["events"]
    assert event["order_id"] == order["id"]


def test_a_transfer_needs_the_password_again(server: Server, admin: Client) -> None:
    person = server.person()
    body = {"method": "transfer", "amount": 50, "attempt": "attempt-1"}
    order = agreed(person.post(f"{PAY}/orders", body))["order"]
    path = f"{ADMIN}/orders/{order['id']}/received"
    arrived = {"amount": 50, "currency": "usd", "reference": "bank-77", **PROOF}
    assert admin.post(path, arrived | {"password": "wrong, so wrong"}).status == 401
    agreed(admin.post(path, arrived))
    assert agreed(person.get(f"{MARKET}/billing/balance"))["paid"] == 50
    refused(person.post(f"{PAY}/orders/{order['id']}/cancel"), 409, "conflict")


def test_a_made_code_is_redeemed_and_guessing_is_slowed_down(server: Server, admin: Client) -> None:
    person = server.person()
    made = agreed(admin.post(f"{ADMIN}/codes", {"name": "spring", "count": 2, "amount": 5, **PROOF}))
    agreed(person.post(f"{PAY}/redeem", {"code": made["codes"][0].lower()}))
    refused(person.post(f"{PAY}/redeem", {"code": made["codes"][1]}), 409, "code_limit")
    agreed(admin.post(f"{ADMIN}/codes/{made['batch']['id']}/revoke", {"reason": "over"}))
    (batch,) = agreed(admin.get(f"{ADMIN}/codes"))["batches"]
    assert (batch["redeemed"], batch["revoked_at"] is None) == (1, False)
    guesser = server.person()
    answers = [guesser.post(f"{PAY}/redeem", {"code": f"GUESS-{n}"}).status for n in range(12)]
    assert answers == [404] * 10 + [429] * 2


def test_a_cut_answer_is_given_back_at_once_and_a_wrong_one_by_a_person(
    server: Server, admin: Client
) -> None:
    person = server.rich("1")
    ask = {"model": PAID, "prompt": "Hi", "max_tokens": 50, "stream": True}
    server.upstream.script(Behaviour(cut_after=2))
    cut = person.post(f"{AGENTS}/completion", ask).events
    server.upstream.script()
    whole = agreed(person.post(f"{AGENTS}/completion", ask | {"stream": False}))
    done = agreed(person.post(f"{PAY}/disputes/{cut[0]['request_id']}", {"why": "failed"}))["dispute"]
    assert (done["state"], done["rule"]) == ("granted", "provider failed")
    path = whole["request_id"]
    opened = agreed(person.post(f"{PAY}/disputes/{path}", {"why": "wrong", "words": "2 + 2 is 4"}))["dispute"]
    assert (opened["state"], opened["amount"]) == ("open", whole["cost"])
    queue = agreed(admin.get(f"{ADMIN}/disputes?state=open"))["disputes"]
    assert [d["request_id"] for d in queue] == [path]
    evidence = agreed(admin.get(f"{ADMIN}/disputes/{path}"))
    assert (evidence["generation"]["model"], evidence["dispute"]["email"]) == (PAID, person.email)
    assert admin.post(f"{ADMIN}/disputes/{path}", {"grant": True, **PROOF, "password": "wrong"}).status == 401
    agreed(admin.post(f"{ADMIN}/disputes/{path}", {"grant": True, **PROOF}))
    assert agreed(person.get(f"{MARKET}/billing/balance"))["balance"] == 6
    assert [e["kind"] for e in agreed(person.get(f"{MARKET}/billing/statement"))["entries"]].count(
        "giveback"
    ) == 2


def test_a_refund_is_asked_for_paid_out_and_charged_back_no_second_time(
    server: Server, admin: Client
) -> None:
    person = server.person()
    order = agreed(
        person.post(f"{PAY}/orders", {"method": "transfer", "amount": 50, "attempt": "attempt-9"})
    )["order"]
    arrived = {"amount": 50, "currency": "usd", "reference": "bank-99", **PROOF}
    agreed(admin.post(f"{ADMIN}/orders/{order['id']}/received", arrived))
    assert agreed(person.get(f"{PAY}/orders/{order['id']}"))["refundable"] == 50
    refund = agreed(person.post(f"{PAY}/orders/{order['id']}/refund"))["refund"]
    (waiting,) = agreed(admin.get(f"{ADMIN}/refunds?state=asked"))["returns"]
    assert (waiting["id"], waiting["amount"], waiting["email"]) == (refund["id"], 50, person.email)
    agreed(admin.post(f"{ADMIN}/refunds/{refund['id']}/close", {"sent": True, "reference": "out-1", **PROOF}))
    taken = admin.post(
        f"{ADMIN}/orders/{order['id']}/chargeback", {"amount": 50, "reference": "case", **PROOF}
    )
    assert agreed(taken)["taken"] == 0
    refused(person.post(f"{PAY}/orders/{order['id']}/refund"), 400, "not_refundable")
    verdict = server.command("ledger", "verify")
    assert verdict.returncode == 0, verdict.stdout


def test_a_card_is_paid_at_stripes_page_and_credited_by_its_event(server: Server, stripe: FakeStripe) -> None:
    person = server.person()
    body = {"method": "stripe", "amount": 30, "attempt": "attempt-1"}
    order = agreed(person.post(f"{PAY}/orders", body))["order"]
    assert agreed(person.post(f"{PAY}/orders", body))["order"]["pay_url"] == order["pay_url"]
    stripe.pay(order["pay_url"].rsplit("/", 1)[-1])
    header, text = stripe.signed(stripe.outbox[-1])
    assert (
        server.anybody.send("POST", f"{PAY}/stripe", text, {"stripe-signature": header + "0"}).status == 401
    )
    agreed(server.anybody.send("POST", f"{PAY}/stripe", text, {"stripe-signature": header}))
    assert agreed(person.get(f"{MARKET}/billing/balance"))["paid"] == 30
    refund = agreed(person.post(f"{PAY}/orders/{order['id']}/refund"))["refund"]
    assert (refund["state"], stripe.paid_out) == ("done", 3000)


def test_the_overview_is_the_books_and_usage_of_all_is_told_to_administrators_alone(
    server: Server, admin: Client
) -> None:
    person = server.person()
    before = agreed(admin.get(f"{ADMIN}/overview?days=1"))
    body = {"method": "transfer", "amount": 50, "attempt": "attempt-1"}
    order = agreed(person.post(f"{PAY}/orders", body))["order"]
    arrived = {"amount": 50, "currency": "usd", "reference": "bank-78", **PROOF}
    agreed(admin.post(f"{ADMIN}/orders/{order['id']}/received", arrived))
    server.upstream.script()
    done = agreed(person.post(f"{AGENTS}/completion", {"model": PAID, "prompt": "Hi", "max_tokens": 50}))
    found = agreed(admin.get(f"{ADMIN}/overview?days=1"))
    assert found["paid_in"] - before["paid_in"] == 50
    assert found["margin"] == found["spend"] - found["provider_cost"]
    by_user = agreed(admin.get(f"{ADMIN}/usage/query?metrics=spend&metrics=margin&by=user&days=1"))
    assert sum(row["spend"] for row in by_user["rows"]) == by_user["totals"]["spend"] == found["spend"]
    assert [row["spend"] for row in by_user["rows"] if row["email"] == person.email] == [done["cost"]]
    for query in ("metrics=margin", "metrics=spend&by=user"):
        assert person.get(f"{MARKET}/usage/query?{query}").status == 400


def test_a_changed_price_is_taken_with_the_password_and_a_line_in_the_log(
    server: Server, admin: Client
) -> None:
    review = Review(
        "rev_1",
        "openai/gpt-4o-mini",
        "more than three times",
        None,
        Price(input=7, output=8),
        "list",
        "open",
        1,
    )
    books = Database.open(f"sqlite:///{server.home / 'data' / 'marketplace.db'}")
    books.write_sync(lambda c: store.add_review(c, review))
    books.close()
    (shown,) = agreed(admin.get(f"{ADMIN}/price-reviews"))["reviews"]
    path = f"{ADMIN}/price-reviews/{shown['id']}"
    assert admin.post(path, {"accept": True, **PROOF, "password": "wrong"}).status == 401
    agreed(admin.post(path, {"accept": True, **PROOF}))
    (line,) = agreed(admin.get(f"{ADMIN}/audit?act=accept%20price"))["lines"]
    assert (line["object"], line["after"]) == (review.offer_id, shown["new"])
    refused(admin.post(path, {"accept": False, **PROOF}), 404, "not_found")
    assert agreed(admin.get(f"{ADMIN}/price-reviews"))["reviews"] == []
