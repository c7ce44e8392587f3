"""What we send to Stripe, judged by Stripe's own `stripe-mock`: `make payments-trial`.

It refuses parameters that Stripe does not know and misses those that Stripe wants, so it proves our requests, and nothing about money: it
keeps no state. Every call of `StripeCheckout` is made once. Ends with 1 if one is refused, and makes sure that a wrong one would be.
Needs Go, which fetches and builds the pinned version.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from agent_marketplace.net.factory import make_client
from agent_marketplace.payments.processor import Refused
from agent_marketplace.payments.stripe_checkout import StripeCheckout
from agent_marketplace.payments.types import Order, Return
from agent_marketplace.settings import PaymentSettings, load

MOCK = "github.com/stripe/stripe-mock@v0.203.0"
CENT = 10_000_000


def built(folder: Path) -> Path:
    """The mock, built once a folder."""
    go = shutil.which("go")
    if go is None:
        sys.exit("this needs Go (https://go.dev)")
    subprocess.run([go, "install", MOCK], env=os.environ | {"GOBIN": str(folder)}, check=True)
    return folder / "stripe-mock"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("stripe-mock does not listen")


async def asked(url: str) -> int:
    """Makes every call and says what became of it. Returns how many were refused."""
    now = int(time.time() * 1000)
    order = Order(
        id="ord_trial", user_id="ann", method="stripe", state="pending", credit_nano=2000 * CENT, currency="USD", minor=2000,
        created_at=now,
    )  # fmt: skip
    charged = msgspec.structs.replace(order, id="ord_charge", method="auto")
    back = Return(
        id="ret_trial", order_id=order.id, user_id="ann", kind="refund", state="asked", nano=500 * CENT, minor=500, seq=1,
        actor="ann", words="", created_at=now,
    )  # fmt: skip
    client = make_client(load({}))
    settings = PaymentSettings(stripe_key="sk_test_123", stripe_webhook_secret="whsec_x", stripe_url=url)
    stripe, failed = StripeCheckout(client, settings), 0
    calls: dict[str, Any] = {
        "open a session": lambda: stripe.open(order, "https://m.test/account"),
        "read a session": lambda: stripe.session("cs_123"),
        "refund": lambda: stripe.refund(back, "pi_123"),
        "find a refund": lambda: stripe.find_refund(back, "pi_123"),
        "send a payment back": lambda: stripe.send_back("pi_123", order.id),
        "give a charge up": lambda: stripe.give_up("pi_123"),
        "read a refund": lambda: stripe.refund_failed("re_123"),
        "read a payment": lambda: stripe.payment("pi_123"),
        "read a dispute": lambda: stripe.case("dp_123"),
        "list a payment's disputes": lambda: stripe.cases("pi_123"),
        "make a customer": lambda: stripe.customer("key-of-trial", "ann"),
        "open a page to save a card": lambda: stripe.save_card("cus_123", "key-of-page", "ann", "https://m.test/account"),
        "charge a saved card": lambda: stripe.charge(charged, "cus_123", "pm_123"),
        "read a charge": lambda: stripe.charged("pi_123"),
        "look for a charge": lambda: stripe.find_charge("cus_123", "ord_trial"),
        "cancel a charge": lambda: stripe._ask("payment_intents.cancel", "pi_123", key="key-of-cancel"),
        "delete a customer": lambda: stripe._ask("customers.delete", "cus_123"),
    }
    try:
        for name, call in calls.items():
            try:
                await call()
                print(f"taken    {name}")
            except TypeError:  # the request was taken; a field that we read is null in the canned answer
                print(f"taken    {name} (the mock's canned answer lacks what a real one has)")
            except Refused as error:
                failed += 1
                print(f"REFUSED  {name}: {error}")
        try:
            await stripe._ask("checkout.sessions.create", {"mode": "payment", "no_such_parameter": "x"})
            failed += 1
            print("the mock takes whatever it is sent: this trial proves nothing")
        except Refused:
            print("taken    nothing that Stripe does not know")
    finally:
        await client.close()
    return failed


def main() -> None:
    """Runs the trial."""
    with tempfile.TemporaryDirectory() as folder:
        http, https = free_port(), free_port()
        mock = subprocess.Popen(
            [built(Path(folder)), "-http-addr", f"127.0.0.1:{http}", "-https-addr", f"127.0.0.1:{https}"],
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(http)
            sys.exit(min(1, asyncio.run(asked(f"http://127.0.0.1:{http}"))))
        finally:
            mock.terminate()
            mock.wait()


if __name__ == "__main__":
    main()
