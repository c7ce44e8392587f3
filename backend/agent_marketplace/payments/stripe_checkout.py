"""Stripe's hosted Checkout, by its own SDK (the extra `stripe`), imported when it is first needed; its bytes go out through our client.

Sources: docs.stripe.com, "Fulfill orders", "Idempotent requests", "Refunds", "Disputes", "Webhooks".
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import Unauthorized, Unavailable
from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.payments.processor import Case, LostRefund, Payment, Refused, Session, Told
from agent_marketplace.payments.types import Order, Return
from agent_marketplace.settings import PaymentSettings

API = "https://api.stripe.com"
_TIMEOUTS = Timeouts(first_byte_s=30, idle_s=30, total_s=40)
_MAX_BODY = 2_000_000
_PAGE_MS = 3_600_000  # how long the page to pay at stays open
_ABOUT = {"checkout.session": "session", "dispute": "case", "charge": "payment", "refund": "refund"}
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
        meant = {"order": order.id, "account": order.user_id}
        params = {
            "mode": "payment",
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
        params = {"expand": ["payment_intent.latest_charge"]}
        return _session(await self._ask("checkout.sessions.retrieve", session_id, params))

    async def refund(self, found: Return, payment: str) -> str:
        """See `Processor`."""
        params = {"payment_intent": payment, "amount": found.minor, "metadata": {"return": found.id}}
        made = await self._ask("refunds.create", params, key=found.id)
        if made["status"] in ("failed", "canceled"):
            raise Refused(f"the refund {made['status']}")
        return str(made["id"])

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
        found = await self._ask("disputes.retrieve", case_id)
        moved = [int(t["amount"]) for t in found.get("balance_transactions") or []]
        return Case(
            id=str(found["id"]),
            payment=str(found.get("payment_intent") or ""),
            minor=int(found["amount"]),
            withdrawn=any(amount < 0 for amount in moved),
            returned=any(amount > 0 for amount in moved),
            open=found["status"] not in _OVER and not found["status"].startswith("warning_"),
        )

    def told(self, header: str, body: bytes) -> Told:
        """See `Processor`."""
        stripe, secret = self._sdk(), self._settings.stripe_webhook_secret
        try:
            stripe.Webhook.construct_event(body, header, secret or "")
            event = json.decode(body)
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise Unauthorized("The event is not signed by Stripe") from error
        found = event["data"]["object"]
        payment = found.get("payment_intent") if found["object"] == "charge" else found.get("id")
        about: Any = _ABOUT.get(found["object"], "other")
        return Told(id=event["id"], kind=event["type"], about=about, object_id=str(payment or ""))

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


def _session(found: Mapping[str, Any]) -> Session:
    payment = found.get("payment_intent")  # an id, or the whole of it where that was asked for
    charge = (payment.get("latest_charge") or {}) if isinstance(payment, dict) else {}
    means = charge.get("payment_method_details") or {}
    kind = means.get(str(means.get("type"))) or {}
    return Session(
        id=found["id"],
        url=found.get("url"),
        state=found["status"],
        paid=found["payment_status"] == "paid",
        order_id=str(found.get("client_reference_id") or ""),
        account=str((found.get("metadata") or {}).get("account") or ""),
        currency=str(found["currency"]).upper(),
        minor=int(found["amount_total"]),
        payment=payment["id"] if isinstance(payment, dict) else payment,
        payer=str(kind.get("fingerprint") or ""),
    )
