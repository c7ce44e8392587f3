"""`kill -9` when Stripe has just said that an order is paid: its event comes again, and the order is credited once."""

import http.client
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from agent_marketplace.clock import SystemClock
from tests.fakes.server import MARKET, PASSWORD, Server, agreed, running
from tests.fakes.stripe import WEBHOOK_SECRET, FakeStripe, serving

pytest.importorskip("stripe")
pytestmark = pytest.mark.both_databases


class Deadly(FakeStripe):
    """Its answer about a session is the last that its asker hears, once: process is the asker's id."""

    process: int | None = None

    def handle(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Any]:
        answer = super().handle(method, url, headers, body)
        if method == "GET" and "/checkout/sessions/" in url and self.process is not None:
            threading.Timer(0.002, os.kill, (self.process, signal.SIGKILL)).start()  # about when it is heard
            self.process = None
        return answer


def tell(server: Server, stripe: FakeStripe) -> int:
    """Delivers the last event. Returns the status; 0: nobody answered."""
    header, body = stripe.signed(stripe.outbox[-1])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("POST", f"{MARKET}/payments/stripe", body, {"stripe-signature": header})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_a_process_killed_when_stripe_has_answered_credits_once_after_all(tmp_path: Path) -> None:
    stripe = Deadly(SystemClock())
    with serving(stripe) as url:
        more = {"MARKETPLACE_STRIPE_URL": url, "MARKETPLACE_SITE": "https://m.example",
                "STRIPE_SECRET_KEY": "sk_test_fake", "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}  # fmt: skip
        with running(tmp_path, **more) as first:
            ann = first.person("ann@example.com")
            order = {"method": "stripe", "amount": "20", "attempt": "attempt-of-ann"}
            agreed(ann.post(f"{MARKET}/payments/orders", order))
            stripe.pay(next(name for name in stripe.objects if name.startswith("cs_")))
            assert first.process is not None
            stripe.process = first.process.pid
            assert tell(first, stripe) in (0, 200)  # 200: it was faster than the signal
            assert first.process.wait(20) == -signal.SIGKILL
        with running(tmp_path, **more) as second:
            assert [tell(second, stripe) for _ in range(2)] == [200, 200]
            signin = {"email": "ann@example.com", "password": PASSWORD}
            token = agreed(second.anybody.post(f"{MARKET}/auth/signin", signin))["token"]
            wallet = agreed(second.as_(token).get(f"{MARKET}/billing/balance"))
            assert wallet["paid"] == 20
            checked = second.command("ledger", "verify")
            assert checked.returncode == 0, checked.stdout
