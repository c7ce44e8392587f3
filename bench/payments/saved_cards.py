"""Charges of saved cards, judged by `localstripe`, which keeps state and signs its webhooks: part of `make payments-trial`.

It is under the GPL: a process of its own, in an environment of its own, never part of what we ship. It knows PaymentIntents that are
confirmed at once, declined cards, cards whose bank wants their owner, and signed events; no Checkout, no list by customer, no keys of
idempotency (those are `stripe-mock`'s and our own fake's part). Ends with 1 where a charge ends otherwise than it should.
"""

import asyncio
import base64
import json
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
import venv
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from trial import free_port, wait_for

from agent_marketplace.net.factory import make_client
from agent_marketplace.payments.processor import Refused
from agent_marketplace.payments.stripe_checkout import StripeCheckout
from agent_marketplace.payments.types import Order
from agent_marketplace.settings import PaymentSettings, load

VERSION = "localstripe==1.15.10"
SECRET = "whsec_of_the_trial"
SERVE = "import aiohttp.web, localstripe.server as s; aiohttp.web.run_app(s.app, host='127.0.0.1', port={port}, print=None)"
CARDS = {"4242424242424242": "paid", "4000000000000341": "failed", "4000002500003155": "failed"}
EVENTS = {"payment_intent.succeeded", "payment_intent.payment_failed"}


class Hears(BaseHTTPRequestHandler):
    """Keeps each event with its signature."""

    heard: "queue.Queue[tuple[str, bytes]]" = queue.Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.put((self.headers["Stripe-Signature"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def post(url: str, form: dict[str, str]) -> Any:
    """What a browser or Stripe's own page would do: it is no call of ours."""
    key = base64.b64encode(b"sk_test_trial:").decode()
    request = urllib.request.Request(
        url, urllib.parse.urlencode(form).encode(), {"authorization": f"Basic {key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text.startswith(b"{") else None


async def charged(stripe: StripeCheckout, url: str, number: str) -> str:
    """What becomes of charging a card with this number."""
    customer = await stripe.customer(f"customer-{number}", "ann")
    card = {"type": "card", "card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
    method = post(f"{url}/v1/payment_methods", card)["id"]
    post(f"{url}/v1/payment_methods/{method}/attach", {"customer": customer})
    order = Order(
        id=f"ord_{number}", user_id="ann", method="auto", state="pending", credit_nano=20 * 10**9, currency="USD", minor=2000,
        created_at=0,
    )  # fmt: skip
    try:
        found = await stripe.charge(order, customer, method)
    except Refused:  # localstripe names no payment in its refusals
        return "failed"
    assert (found.order_id, found.account, found.currency, found.minor) == (order.id, "ann", "USD", 2000)
    assert (await stripe.charged(found.id)).state == found.state
    return found.state


async def run(url: str, hears: str) -> int:
    """Returns how many ended otherwise than they should."""
    post(f"{url}/_config/webhooks/trial", {"url": hears, "secret": SECRET})
    client, wrong = make_client(load({})), 0
    settings = PaymentSettings(stripe_key="sk_test_trial", stripe_webhook_secret=SECRET, stripe_url=url)
    stripe = StripeCheckout(client, settings)
    try:
        for number, should in CARDS.items():
            became = await charged(stripe, url, number)
            wrong += became != should
            print(f"{'as it should' if became == should else 'WRONG':13} card {number}: {became}")
        missing = set(EVENTS)
        while missing:
            header, body = await asyncio.to_thread(Hears.heard.get, timeout=15)
            told = stripe.told(header, body)
            if told.about == "charge":
                missing.discard(told.kind)
        print(f"{'as it should':13} signed events: {', '.join(sorted(EVENTS))}")
    except queue.Empty:
        print(f"WRONG         no signed event {', '.join(sorted(missing))}")
        wrong += 1
    finally:
        await client.close()
    return wrong


def main() -> None:
    """Runs the trial."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", VERSION], check=True)
        port, server = free_port(), HTTPServer(("127.0.0.1", 0), Hears)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stripe = subprocess.Popen([python, "-c", SERVE.format(port=port)], stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            hears = f"http://127.0.0.1:{server.server_port}/"
            sys.exit(min(1, asyncio.run(run(f"http://127.0.0.1:{port}", hears))))
        finally:
            stripe.terminate()
            stripe.wait()
            server.shutdown()


if __name__ == "__main__":
    main()
