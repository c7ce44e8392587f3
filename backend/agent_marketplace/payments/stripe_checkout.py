"""Stripe's hosted Checkout, by its own SDK (the extra `stripe`), imported when it is first needed; its bytes go out through our client.

Sources: docs.stripe.com, "Fulfill orders", "Idempotent requests", "Refunds", "Disputes", "Webhooks".
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import Unauthorized, Unavailable
from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.payments.processor import (
    Card,
    Case,
    Charge,
    LostRefund,
    Payment,
    Refused,
    Session,
    Told,
)
from agent_marketplace.payments.types import Order, Return
from agent_marketplace.settings import PaymentSettings

API = "https://api.stripe.com"
_TIMEOUTS = Timeouts(first_byte_s=30, idle_s=30, total_s=40)
_MAX_BODY = 2_000_000
_PAGE_MS = 3_600_000  # how long the page to pay at stays open
_ABOUT = {
    "checkout.session": "session", "dispute": "case", "charge": "payment", "refund": "refund", "payment_intent": "charge",
}  # fmt: skip
_WHOLE = {"expand": ["payment_intent.latest_charge", "setup_intent.payment_method"]}
_CHARGED = {"expand": ["latest_charge"]}
_OVER = ("won", "lost", "warning_closed", "prevented")


class StripeCheckout:
    """A `Processor`. Without the extra every call raises Unavailable with the command that brings it."""

    def __init__(self, client: OutboundClient, settings: PaymentSettings) -> None:
        self._client = client
        self._settings = settings
        self._api: Any = None

    async def open(self, order: Order, back: str) -> Session:
        """See `Processor`. The idempotency key is the order's id: a second call finds the first one's session."""
        price = {
            "currency": order.currency.lower(),
            "unit_amount": order.minor,
            "product_data": {"name": "Marketplace credit"},
        }
        meant = {"order": order.id, "account": order.user_id, "site": back}
        params = {
            "mode": "payment",
            "adaptive_pricing": {
                "enabled": False
            },  # paid in the order's currency, whatever the account's setting is
            "line_items": [{"price_data": price, "quantity": 1}],
            "client_reference_id": order.id,
            "metadata": meant,
            "payment_intent_data": {"metadata": meant},
            "expires_at": (order.created_at + _PAGE_MS) // 1000,
            "success_url": f"{back}?order={order.id}",
            "cancel_url": f"{back}?order={order.id}&left=1",
        }
        return _session(await self._ask("checkout.sessions.create", params, key=f"{order.id}-session"))

    async def session(self, session_id: str) -> Session:
        """See `Processor`."""
        return _session(await self._ask("checkout.sessions.retrieve", session_id, _WHOLE))

    async def customer(self, key: str, account: str) -> str:
        """See `Processor`."""
        made = await self._ask("customers.create", {"metadata": {"account": account}}, key=key)
        return str(made["id"])

    async def save_card(self, customer: str, key: str, account: str, back: str) -> Session:
        """See `Processor`. Cards only: nothing else can be charged at once without its owner."""
        params = {
            "mode": "setup",
            "customer": customer,
            "payment_method_types": ["card"],
            "metadata": {"account": account},
            "setup_intent_data": {"metadata": {"account": account}},
            "success_url": f"{back}?card=saved",
            "cancel_url": f"{back}?card=left",
        }
        return _session(await self._ask("checkout.sessions.create", params, key=key))

    async def charge(self, order: Order, customer: str, card: str) -> Charge:
        """See `Processor`. The idempotency key is the order's id. What would need its owner is cancelled: nobody is there."""
        params = {
            "amount": order.minor,
            "currency": order.currency.lower(),
            "customer": customer,
            "payment_method": card,
            "payment_method_types": ["card"],
            "off_session": True,
            "confirm": True,
            "metadata": {"order": order.id, "account": order.user_id},
            **_CHARGED,
        }
        found = _charge(await self._ask("payment_intents.create", params, key=f"{order.id}-charge"))
        if found.words == "requires_action":
            await self._ask("payment_intents.cancel", found.id, key=f"{order.id}-cancel")
        return found

    async def charged(self, payment: str) -> Charge:
        """See `Processor`."""
        return _charge(await self._ask("payment_intents.retrieve", payment, _CHARGED))

    async def give_up(self, payment: str) -> Charge:
        """See `Processor`. Without a key: a refusal would be remembered, and a second cancelling changes nothing."""
        return _charge(await self._ask("payment_intents.cancel", payment, _CHARGED))

    async def find_charge(self, customer: str, order_id: str) -> Charge | None:
        """See `Processor`."""
        params = {"customer": customer, "limit": 100, "expand": ["data.latest_charge"]}
        found = await self._ask("payment_intents.list", params)
        of = [one for one in found["data"] if (one.get("metadata") or {}).get("order") == order_id]
        return _charge(of[0]) if of else None

    async def forget(self, customer: str) -> None:
        """See `Processor`."""
        with contextlib.suppress(Refused):
            await self._ask("customers.delete", customer)

    async def refund(self, found: Return, payment: str) -> str:
        """See `Processor`."""
        params = {"payment_intent": payment, "amount": found.minor, "metadata": {"return": found.id}}
        return _sent(await self._ask("refunds.create", params, key=found.id))

    async def send_back(self, payment: str, order_id: str) -> None:
        """See `Processor`."""
        params = {"payment_intent": payment, "metadata": {"order": order_id}}
        _sent(await self._ask("refunds.create", params, key=f"{order_id}-back"))

    async def find_refund(self, found: Return, payment: str) -> str | None:
        """See `Processor`."""
        made = await self._ask("refunds.list", {"payment_intent": payment, "limit": 100})
        of = [one for one in made["data"] if (one.get("metadata") or {}).get("return") == found.id]
        return _sent(of[0]) if of else None

    async def refund_failed(self, refund_id: str) -> LostRefund | None:
        """See `Processor`."""
        found = await self._ask("refunds.retrieve", refund_id)
        if found["status"] not in ("failed", "canceled"):
            return None
        return LostRefund(
            payment=str(found.get("payment_intent") or ""),
            minor=int(found["amount"]),
            ours=str((found.get("metadata") or {}).get("return") or ""),
        )

    async def payment(self, payment: str) -> Payment:
        """See `Processor`."""
        found = await self._ask("payment_intents.retrieve", payment, {"expand": ["latest_charge"]})
        return Payment(
            order_id=str((found.get("metadata") or {}).get("order") or ""),
            refunded=int((found.get("latest_charge") or {}).get("amount_refunded") or 0),
            failed=found.get("status") in ("requires_payment_method", "canceled"),
        )

    async def case(self, case_id: str) -> Case:
        """See `Processor`. Inquiries (`warning_*`) move no money."""
        return _case(await self._ask("disputes.retrieve", case_id))

    async def cases(self, payment: str) -> list[Case]:
        """See `Processor`."""
        found = await self._ask("disputes.list", {"payment_intent": payment, "limit": 100})
        return [_case(one) for one in reversed(found["data"])]

    def told(self, header: str, body: bytes) -> Told:
        """See `Processor`."""
        stripe, secret = self._sdk(), self._settings.stripe_webhook_secret
        if not header.isascii():  # the SDK compares signatures as ASCII
            raise Unauthorized("The event is not signed by Stripe")
        try:
            stripe.WebhookSignature.verify_header(body, header, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            event = json.decode(body)
        except (ValueError, msgspec.DecodeError, stripe.SignatureVerificationError) as error:
            raise Unauthorized("The event is not signed by Stripe") from error
        return _told(event if isinstance(event, dict) else {})

    def _sdk(self) -> Any:
        try:
            import stripe
        except ModuleNotFoundError:
            raise Unavailable("Card payments need: pip install 'ai-agent-marketplace[stripe]'") from None
        return stripe

    async def _ask(self, name: str, *values: Any, key: str | None = None) -> Any:
        """A call of the SDK by its name, as plain values. Raises Unavailable, Refused."""
        stripe = await asyncio.to_thread(self._sdk)  # the import takes most of a second
        if self._api is None:
            self._api = self._made(stripe)
        call: Any = self._api.v1
        for part in f"{name}_async".split("."):
            call = getattr(call, part)
        try:
            found = await call(*values, **({} if key is None else {"options": {"idempotency_key": key}}))
        except stripe.CardError as error:  # declined, or its owner would have to prove who they are
            return _declined(error)
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            raise Refused(str(error.user_message or error)[:300]) from error
        except stripe.StripeError as error:  # away, over its limits, or our key is wrong: somebody asks again
            raise Unavailable("The payment processor can't be asked just now") from error
        return found.to_dict()

    def _made(self, stripe: Any) -> Any:
        client, own = self._client, self._settings.stripe_url is not None

        class Transport(stripe.HTTPClient):  # type: ignore[misc]  # the SDK is an extra: no types where it is not
            name = "outbound"

            async def request_async(
                self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
            ) -> tuple[bytes, int, Mapping[str, str]]:
                body = post_data.encode() if isinstance(post_data, str) else post_data or b""
                request = OutboundRequest(
                    method.upper(), url, dict(headers), body, _TIMEOUTS, allow_private=own, max_body=_MAX_BODY
                )
                try:
                    answer = await client.send(request)
                    return await answer.read(_MAX_BODY), answer.status, answer.headers
                except NetError as error:
                    raise stripe.APIConnectionError(str(error)) from error

            async def close_async(self) -> None:
                """The client is the market's."""

        stripe.enable_telemetry = False
        address = {"api": self._settings.stripe_url or API}
        return stripe.StripeClient(
            self._settings.stripe_key, http_client=Transport(), base_addresses=address, max_network_retries=0
        )


def _told(event: Mapping[str, Any]) -> Told:
    """Events of kinds that came later, of other products or without an object are about nothing that we know."""
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    found = found if isinstance(found, dict) else {}
    named = found.get("payment_intent" if found.get("object") == "charge" else "id")
    about: Any = _ABOUT.get(str(found.get("object")), "other")
    return Told(
        id=str(event.get("id") or ""),
        kind=str(event.get("type") or ""),
        about=about,
        object_id=named if isinstance(named, str) else "",
    )


def _case(found: Mapping[str, Any]) -> Case:
    """Inquiries (`warning_*`) move no money. What moved is told in the currency of the operator's account, which need not be the
    payment's: then its share of the dispute counts."""
    moves = found.get("balance_transactions") or []
    moved = [int(one["amount"]) for one in moves]
    kept, first = max(-sum(moved), 0), -min(moved, default=0)
    same = all(one.get("currency", found.get("currency")) == found.get("currency") for one in moves)
    minor = kept if same or not first else int(found["amount"]) * kept // first
    return Case(
        id=str(found["id"]),
        payment=str(found.get("payment_intent") or ""),
        minor=minor,
        moved=first > 0,
        open=found["status"] not in _OVER and not found["status"].startswith("warning_"),
    )


def _declined(error: Any) -> dict[str, Any]:
    """The payment of a card's refusal, with the refusal's words. Raises Refused where Stripe names no payment."""
    said = ((error.json_body or {}).get("error") or {}) if hasattr(error, "json_body") else {}
    payment = said.get("payment_intent")
    if not isinstance(payment, dict):
        raise Refused(str(error.user_message or error)[:300])
    words = said.get("decline_code") or said.get("code") or "declined"
    return payment | {"declined": str(words)[:100]}


def _print(payment: Any) -> str:
    """The fingerprint of what was paid with; empty where it is not known or was not asked for."""
    charge = payment.get("latest_charge") if isinstance(payment, dict) else None
    means = (charge.get("payment_method_details") or {}) if isinstance(charge, dict) else {}
    return str((means.get(str(means.get("type"))) or {}).get("fingerprint") or "")


def _sent(refund: Mapping[str, Any]) -> str:
    """A refund's id. Raises Refused: it failed."""
    if refund["status"] in ("failed", "canceled"):
        raise Refused(f"the refund {refund['status']}")
    return str(refund["id"])


def _state(found: Mapping[str, Any]) -> Literal["paid", "waiting", "failed"]:
    """A payment that is seen half-made (its event is told before its card was asked) is not over yet."""
    status = found["status"]
    if status == "succeeded":
        return "paid"
    refused = found.get("declined") or found.get("last_payment_error")
    if status in ("requires_action", "canceled") or (status == "requires_payment_method" and refused):
        return "failed"
    return "waiting"


def _charge(found: Mapping[str, Any]) -> Charge:
    meant, status = found.get("metadata") or {}, found["status"]
    state = _state(found)
    error = found.get("last_payment_error") or {}
    words = found.get("declined") or error.get("decline_code") or error.get("code") or status
    return Charge(
        id=found["id"],
        order_id=str(meant.get("order") or ""),
        account=str(meant.get("account") or ""),
        state=state,
        currency=str(found["currency"]).upper(),
        minor=int(
            found.get("amount_received", found["amount"]) if status == "succeeded" else found["amount"]
        ),
        words=str(words) if state == "failed" else "",
        payer=_print(found),
    )


def _card(found: Mapping[str, Any]) -> Card | None:
    """What a page to save a card has saved."""
    intent = found.get("setup_intent")
    method = (
        intent.get("payment_method") if isinstance(intent, dict) and intent["status"] == "succeeded" else None
    )
    if not isinstance(method, dict):
        return None
    card = method.get("card") or {}
    words = (
        f"{card.get('brand', 'card')} {card.get('last4', '')}, {card.get('exp_month')}/{card.get('exp_year')}"
    )
    return Card(id=str(method["id"]), words=words[:80])


def _session(found: Mapping[str, Any]) -> Session:
    payment = found.get("payment_intent")  # an id, or the whole of it where that was asked for
    return Session(
        saves=found.get("mode") == "setup",
        customer=found.get("customer"),
        card=_card(found),
        id=found["id"],
        url=found.get("url"),
        state=found["status"],
        paid=found["payment_status"] == "paid",
        order_id=str(found.get("client_reference_id") or ""),
        account=str((found.get("metadata") or {}).get("account") or ""),
        site=str((found.get("metadata") or {}).get("site") or ""),
        currency=str(found.get("currency") or "").upper(),
        minor=int(found.get("amount_total") or 0),
        payment=payment["id"] if isinstance(payment, dict) else payment,
        payer=_print(payment),
    )
