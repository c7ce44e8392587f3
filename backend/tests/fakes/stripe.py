"""Stripe as its documentation has it, in memory: Checkout, refunds, disputes, idempotency, signed events. Nothing is random.

A test is the payer and the bank (`pay`, `decline`, `expire`, `dispute`, ...). Events are collected in `outbox`; the test delivers
them as it likes: late, twice, in any order, or not at all. Sources: docs.stripe.com, "Checkout Sessions", "Idempotent requests",
"Refunds", "Disputes", "Webhooks".
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent_marketplace.clock import Clock
from agent_marketplace.net.errors import ConnectFailed
from agent_marketplace.net.http import OutboundRequest, OutboundResponse

WEBHOOK_SECRET = "whsec_of_the_fake"
_KEY_LIVES_MS = 24 * 3_600_000
_LISTS = {"/v1/payment_intents": "payment_intent", "/v1/refunds": "refund", "/v1/disputes": "dispute"}
_UNDECIDED = ("processing", "requires_confirmation", "requires_payment_method")


class Answer(OutboundResponse):
    """A whole answer."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.headers, self.framed = status, {"content-type": "application/json"}, True
        self._body = json.dumps(body).encode()

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    def cancel(self) -> None:
        """Nothing to close."""


class StripeError(Exception):
    """What Stripe refuses."""

    def __init__(self, words: str, kind: str = "invalid_request_error", status: int = 400) -> None:
        super().__init__(words)
        self.status = status
        self.body: dict[str, dict[str, Any]] = {"error": {"type": kind, "message": words}}


@dataclass
class FakeStripe:
    """away: how many of the next calls find nobody; lost: how many of the next answers get lost after the call was done."""

    clock: Clock
    away: int = 0
    lost: int = 0
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    paid_out: int = 0  # minor units that Stripe refunded
    _kept: dict[str, tuple[str, int, Any, int]] = field(default_factory=dict)
    _count: int = 0

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        """The outbound client's place."""
        if self.away:
            self.away -= 1
            raise ConnectFailed("nobody is there")
        answer = Answer(*self.handle(request.method, request.url, request.headers, request.body))
        if self.lost:
            self.lost -= 1
            raise ConnectFailed("the answer was lost")
        return answer

    async def close(self) -> None:
        """Nothing to close."""

    def handle(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """One call: (status, body). A key of idempotency gets its first answer again, for a day; with other values it is refused."""
        path, form = urlsplit(url).path, _unfolded(body.decode() or urlsplit(url).query)
        key = {name.lower(): value for name, value in headers.items()}.get("idempotency-key", "")
        print_ = hashlib.sha256(path.encode() + body).hexdigest()
        if (
            method == "POST"
            and key in self._kept
            and self._kept[key][3] > self.clock.now_ms() - _KEY_LIVES_MS
        ):
            if self._kept[key][0] != print_:
                return 400, StripeError("Keys for idempotent requests ...", "idempotency_error").body
            return self._kept[key][1:3]
        try:
            status, found = 200, self._do(method, path, form, urlsplit(url).query)
        except StripeError as error:
            status, found = error.status, error.body
        found = json.loads(json.dumps(found))
        if method == "POST" and key:
            self._kept[key] = (print_, status, found, self.clock.now_ms())
        return status, found

    def _do(self, method: str, path: str, form: dict[str, Any], query: str) -> Any:
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return self._session(form)
        if (method, path) == ("POST", "/v1/refunds"):
            return self._refund(form)
        if (method, path) == ("POST", "/v1/customers"):
            return self._new("customer", "cus", metadata=form["metadata"])
        if (method, path) == ("POST", "/v1/payment_intents"):
            return self._charge(form)
        if method == "GET" and path in _LISTS:
            return self._list(_LISTS[path], form)
        if method == "POST" and path.endswith("/cancel"):
            return self._cancel(self.objects[path.split("/")[-2]])
        if method == "DELETE" and path.startswith("/v1/customers/"):
            self.objects.pop(path.rsplit("/", 1)[-1])
            return {"id": path.rsplit("/", 1)[-1], "object": "customer", "deleted": True}
        found = self.objects.get(path.rsplit("/", 1)[-1])
        if method != "GET" or found is None:
            raise StripeError(f"No such object: {path}", status=404)
        if found["object"] == "checkout.session" and found["payment_intent"] and "expand" in query:
            payment = self.objects[found["payment_intent"]]
            whole = payment | {"latest_charge": self.objects[payment["latest_charge"]]}
            return found | {"payment_intent": whole}
        if found.get("mode") == "setup" and found["setup_intent"]:
            intent = self.objects[found["setup_intent"]]
            return found | {
                "setup_intent": intent | {"payment_method": self.objects[intent["payment_method"]]}
            }
        if found["object"] == "payment_intent" and found["latest_charge"]:
            return found | {"latest_charge": self.objects[found["latest_charge"]]}
        return found

    def _list(self, kind: str, form: dict[str, Any]) -> dict[str, Any]:
        """Newest first, so many of them; by the customer or the payment that is asked for."""
        name = "customer" if kind == "payment_intent" else "payment_intent"
        of = [x for x in self.objects.values() if x["object"] == kind and x.get(name) == form[name]]
        if kind == "payment_intent":
            of = [p | {"latest_charge": self.objects.get(p["latest_charge"])} for p in of]
        return {"object": "list", "data": of[::-1][: int(form["limit"])]}

    def _new(self, kind: str, prefix: str, **values: Any) -> dict[str, Any]:
        self._count += 1
        found = {"id": f"{prefix}_{self._count}", "object": kind, **values}
        self.objects[found["id"]] = found
        return found

    def _saving(self, form: dict[str, Any]) -> dict[str, Any]:
        if form["customer"] not in self.objects:
            raise StripeError("No such customer")
        made = self._new(
            "checkout.session", "cs", mode="setup", status="open", payment_status="no_payment_required", currency=None,
            amount_total=None, client_reference_id=None, metadata=form["metadata"], payment_intent=None, setup_intent=None,
            customer=form["customer"],
        )  # fmt: skip
        made["url"] = f"https://checkout.stripe.test/{made['id']}"
        return made

    def save(self, session_id: str, card: str = "good", fingerprint: str = "") -> None:
        """The payer saves a card. fingerprint: of it; card: how it behaves: `good`, `declined`,
        `asks` (its bank wants its owner), `slow` (`clear_charge` it); a status: it is seen in that one before its bank has answered."""
        session = self.objects[session_id]
        assert session["status"] == "open", "a page that is over saves nothing"
        shown = {
            "brand": "visa",
            "last4": "4242",
            "exp_month": 12,
            "exp_year": 2030,
            "fingerprint": fingerprint,
        }
        method = self._new("payment_method", "pm", behaves=card, card=shown, customer=session["customer"])
        intent = self._new("setup_intent", "seti", status="succeeded", payment_method=method["id"])
        session |= {"status": "complete", "setup_intent": intent["id"], "url": None}
        self.objects[session_id] = session
        self._event("checkout.session.completed", session)

    def _charge(self, form: dict[str, Any]) -> dict[str, Any]:
        """A payment without its payer. Raises StripeError as Stripe does where a card is refused."""
        method = self.objects.get(form["payment_method"], {})
        if form["customer"] not in self.objects or method.get("customer") != form["customer"]:
            raise StripeError("The customer does not have a payment method with this ID")
        assert (form["confirm"], form["off_session"]) == ("true", "true")
        made = self._new(
            "payment_intent", "pi", customer=form["customer"], payment_method=form["payment_method"], metadata=form["metadata"],
            amount=int(form["amount"]),
            amount_received=0, currency=form["currency"], latest_charge=None, status="processing", last_payment_error=None,
        )  # fmt: skip
        behaves = method["behaves"]
        if behaves.startswith("requires_"):
            made["status"] = behaves
            self._event("payment_intent.created", made)
        elif behaves == "asks at once":
            made["status"] = "requires_action"
        elif behaves == "good":
            self.clear_charge(made["id"])
        elif behaves != "slow":
            code = "authentication_required" if behaves == "asks" else "insufficient_funds"
            self.bounce_charge(made["id"], code)
            refusal = StripeError("Your card was declined.", "card_error", 402)
            refusal.body["error"] |= {"code": "card_declined", "decline_code": code, "payment_intent": made}
            raise refusal
        return made | {"latest_charge": self.objects.get(made["latest_charge"])}

    def clear_charge(self, payment: str) -> None:
        """A charge of a saved card has succeeded."""
        made = self.objects[payment]
        if made["status"] in _UNDECIDED and not made["last_payment_error"]:
            charge = self._new("charge", "ch", amount=made["amount"], amount_refunded=0, disputed=False)
            charge["payment_intent"] = payment
            card = self.objects[made["payment_method"]]["card"]
            charge["payment_method_details"] = {"type": "card", "card": card}
            made |= {"status": "succeeded", "amount_received": made["amount"], "latest_charge": charge["id"]}
            self.objects[payment] = made
            self._event("payment_intent.succeeded", made)

    def bounce_charge(self, payment: str, code: str = "insufficient_funds") -> None:
        """A charge of a saved card has failed."""
        made = self.objects[payment]
        if made["status"] in _UNDECIDED and not made["last_payment_error"]:
            made["status"], made["last_payment_error"] = (
                "requires_payment_method",
                {"code": "card_declined", "decline_code": code},
            )
            self._event("payment_intent.payment_failed", made)

    def _cancel(self, payment: dict[str, Any]) -> dict[str, Any]:
        if payment["status"] in ("processing", "succeeded", "canceled"):
            raise StripeError(
                f"You cannot cancel this PaymentIntent because it has a status of {payment['status']}"
            )
        payment["status"] = "canceled"
        self._event("payment_intent.canceled", payment)
        return payment

    def _session(self, form: dict[str, Any]) -> dict[str, Any]:
        if form["mode"] == "setup":
            return self._saving(form)
        now, ends = self.clock.now_ms() // 1000, int(form["expires_at"])
        if not now + 1800 <= ends <= now + 86_400:
            raise StripeError("expires_at must be between 30 minutes and 24 hours from now")
        price = form["line_items"]["0"]["price_data"]
        if int(price["unit_amount"]) < 50:
            raise StripeError("The amount is too small")
        made = self._new(
            "checkout.session", "cs", mode="payment", status="open", payment_status="unpaid", currency=price["currency"],
            amount_total=int(price["unit_amount"]), client_reference_id=form["client_reference_id"],
            metadata=form["metadata"], payment_intent=None, expires_at=ends, customer=None,
        )  # fmt: skip
        made["url"] = f"https://checkout.stripe.test/{made['id']}"
        return made

    def pay(self, session_id: str, *, later: bool = False, card: str = "") -> str:
        """The payer pays; later: by a method that takes days (`clear` it); card: its fingerprint. Returns the payment's id."""
        session = self.objects[session_id]
        assert session["status"] == "open", "a page that is over takes no money"
        payment = self._attempt(session)
        charge = self.objects[payment["latest_charge"]]
        if card:
            charge["payment_method_details"] = {"type": "card", "card": {"fingerprint": card}}
        payment |= {"status": "processing" if later else "succeeded", "last_payment_error": None}
        self.objects[payment["id"]] = payment
        session |= {"status": "complete", "payment_intent": payment["id"], "url": None}
        session["payment_status"] = "unpaid" if later else "paid"
        self.objects[session_id] = session
        self._event("checkout.session.completed", session)
        return str(payment["id"])

    def decline(self, session_id: str) -> None:
        """A card is declined at the page: it stays open for another one, and its payment waits for that."""
        session = self.objects[session_id]
        assert session["status"] == "open", "a page that is over asks no bank"
        payment = self._attempt(session)
        self.objects[payment["latest_charge"]]["failed"] = True
        payment |= {"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}
        self.objects[payment["id"]] = payment
        self._event("payment_intent.payment_failed", payment)

    def _attempt(self, session: dict[str, Any]) -> dict[str, Any]:
        """The session's one payment (it is made at the first attempt to pay) with a charge of its own for this attempt."""
        charge = self._new("charge", "ch", amount=session["amount_total"], amount_refunded=0, disputed=False)
        payment = self.objects.get(session["payment_intent"] or "") or self._new(
            "payment_intent", "pi", metadata=session["metadata"], amount=charge["amount"], currency=session["currency"],
        )  # fmt: skip
        charge["payment_intent"], payment["latest_charge"] = payment["id"], charge["id"]
        session["payment_intent"] = payment["id"]
        return payment

    def clear(self, session_id: str) -> None:
        """What was paid by a slow method has arrived."""
        session = self.objects[session_id]
        if self.objects[session["payment_intent"]]["status"] == "processing":
            self.objects[session["payment_intent"]]["status"] = "succeeded"
            session["payment_status"] = "paid"
            self._event("checkout.session.async_payment_succeeded", session)

    def bounce(self, session_id: str) -> None:
        """What was paid by a slow method did not arrive."""
        session = self.objects[session_id]
        if self.objects[session["payment_intent"]]["status"] == "processing":
            self.objects[session["payment_intent"]]["status"] = "requires_payment_method"
            self._event("checkout.session.async_payment_failed", session)

    def expire(self, session_id: str) -> None:
        """The payer leaves, or the card is declined until the page closes."""
        session = self.objects[session_id]
        if session["status"] == "open":
            session |= {"status": "expired", "url": None}
            if session["payment_intent"]:
                self._cancel(self.objects[session["payment_intent"]])
            self._event("checkout.session.expired", session)

    def _refund(self, form: dict[str, Any]) -> dict[str, Any]:
        payment = self.objects[form["payment_intent"]]
        charge = self.objects[payment["latest_charge"]]
        amount = int(form.get("amount", charge["amount"] - charge["amount_refunded"]))
        return self.refund_by_hand(payment["id"], amount, form.get("metadata") or {})

    def refund_by_hand(
        self, payment: str, amount: int, metadata: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A refund at Stripe's console, or ours. Raises StripeError as Stripe does."""
        charge = self.objects[self.objects[payment]["latest_charge"]]
        if charge.get("failed"):
            raise StripeError("The charge was not paid")
        if charge["disputed"]:
            raise StripeError("Charge has been charged back")
        if not 0 < amount <= charge["amount"] - charge["amount_refunded"]:
            raise StripeError("Refund amount is greater than unrefunded amount on charge")
        charge["amount_refunded"] += amount
        self.paid_out += amount
        made = self._new(
            "refund", "re", status="succeeded", amount=amount, payment_intent=payment, metadata=metadata or {}
        )
        self._event("charge.refunded", charge)
        return made

    def fail_refund(self, refund_id: str) -> None:
        """The bank sends a refund back, days later."""
        refund = self.objects[refund_id]
        if refund["status"] == "succeeded":
            refund["status"] = "failed"
            self.paid_out -= refund["amount"]
            self.objects[self.objects[refund["payment_intent"]]["latest_charge"]]["amount_refunded"] -= (
                refund["amount"]
            )
            self._event("refund.failed", refund)

    def dispute(self, payment: str, *, inquiry: bool = False, cents: int | None = None) -> str:
        """The payer's bank disputes a payment, or so many cents of it; an inquiry moves no money. Returns the case's id."""
        charge = self.objects[self.objects[payment]["latest_charge"]]
        left = charge["amount"] - charge["amount_refunded"] if cents is None else cents
        charge["disputed"] = not inquiry
        made = self._new(
            "dispute", "dp", payment_intent=payment, amount=left, balance_transactions=[],
            status="warning_needs_response" if inquiry else "needs_response",
        )  # fmt: skip
        self._event("charge.dispute.created", made)
        if not inquiry:
            self.withdraw(made["id"], left)
        return str(made["id"])

    def withdraw(self, case: str, cents: int) -> None:
        """The bank takes so much, the first time or after it had given something back."""
        found = self.objects[case]
        found["status"] = "needs_response"
        found["balance_transactions"] = [*found["balance_transactions"], {"amount": -cents}]
        self._event("charge.dispute.funds_withdrawn", found)

    def decide(self, case: str, *, won: bool, cents: int | None = None) -> None:
        """The bank decides; cents: what it gives back where that is not all."""
        found = self.objects[case]
        if found["status"] != "needs_response":
            return
        found["status"] = "won" if won else "lost"
        if won:
            back = {"amount": found["amount"] if cents is None else cents}
            found["balance_transactions"] = [*found["balance_transactions"], back]
            self._event("charge.dispute.funds_reinstated", found)
        self._event("charge.dispute.closed", found)

    def _event(self, kind: str, about: dict[str, Any]) -> None:
        made = self._new("event", "evt", type=kind, data={"object": json.loads(json.dumps(about))})
        self.outbox.append(made)

    def signed(self, event: Any, *, secret: str = WEBHOOK_SECRET, age_s: int = 0) -> tuple[str, bytes]:
        """(header, body) as Stripe sends it. Its signatures are dated by the machine's clock, as the SDK checks them."""
        body, at = json.dumps(event).encode(), int(time.time()) - age_s
        mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={mac}", body


@contextmanager
def serving(fake: FakeStripe) -> Iterator[str]:
    """The fake on a port of this machine, for a server in a process of its own. Returns its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, found = fake.handle(self.command, self.path, dict(self.headers), body)
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _unfolded(text: str) -> dict[str, Any]:
    """`a[b][0]=c` as nested objects."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        here = found
        for part in path:
            here = here.setdefault(part, {})
        here[last] = value
    return found
