"""Payments over real books, without a server: an owner (`ann`), an administrator, and an operator's settings."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from agent_marketplace.admin import Actor, Admin
from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.ledger import Ledger
from agent_marketplace.mail import Mail
from agent_marketplace.payments import Payments
from agent_marketplace.payments.signing import sign
from agent_marketplace.payments.stripe_checkout import StripeCheckout
from agent_marketplace.settings import MailSettings, PaymentSettings
from tests.fakes.letterbox import Letterbox
from tests.fakes.stripe import WEBHOOK_SECRET, FakeStripe

SECRET = "a secret of thirty-two characters"
BOSS = Actor("boss", "req_1")
SETTINGS = PaymentSettings(
    secret=SECRET, url="https://pay.example/?o={order}", transfer="IBAN XY", stripe_key="sk_test_fake",
    stripe_webhook_secret=WEBHOOK_SECRET,
)  # fmt: skip


@dataclass
class Desk:
    """The room under test with its books."""

    database: Database
    ledger: Ledger
    clock: ManualClock
    payments: Payments
    stripe: FakeStripe
    mail: Mail
    post: Letterbox

    def notice(self, made: Any, /, *, key: str = SECRET, age_s: int = 0, **changed: Any) -> tuple[str, bytes]:
        """A processor's notice that the order is paid, as it should be, or changed."""
        seconds = self.clock.now_ms() // 1000
        said = {
            "order": made.id, "account": made.user_id, "amount": made.minor, "currency": made.currency,
            "paid_at": seconds, "id": "pay_1",
        }  # fmt: skip
        body = json.dumps(said | changed).encode()
        return sign(key, seconds - age_s, body), body

    def problems(self) -> list[str]:
        return self.database.read_sync(self.ledger.verify_sync).problems


def add_user(database: Database, ledger: Ledger, name: str) -> None:
    """Somebody with an empty wallet."""

    def work(connection: sa.Connection) -> None:
        connection.execute(
            sa.insert(users).values(
                user_id=name,
                email=f"{name}@example.com",
                password_hash="-",
                role="user",
                tier="free",
                created_at=1,
            )
        )
        ledger.open_account_in(connection, name, credit_nano=0)

    database.write_sync(work)


def opened(database: Database, clock: ManualClock, settings: PaymentSettings = SETTINGS) -> Desk:
    """A desk over an empty database, with ann's empty wallet."""
    ledger = Ledger(database, clock, secret=b"secret", owner="here", hold_ttl_s=10**7)
    add_user(database, ledger, "ann")
    admin = Admin(database, ledger, cast("Any", None), clock)
    stripe, post = FakeStripe(clock), Letterbox()
    mail = Mail(
        database, MailSettings(mode="console"), clock, secret=b"secret", site="https://m.test", send=post
    )
    payments = Payments(
        database, ledger, admin, settings, clock, lambda name: name.removeprefix("alias/"),
        StripeCheckout(stripe, settings), mail, "https://m.test",
    )  # fmt: skip
    return Desk(database, ledger, clock, payments, stripe, mail, post)


@contextmanager
def desk(database: Database, settings: PaymentSettings = SETTINGS) -> Iterator[Desk]:
    """A desk; the books agree when it is left."""
    found = opened(database, ManualClock(), settings)
    yield found
    assert found.problems() == []
