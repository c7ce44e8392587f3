"""Redeem codes: made in batches, shown once, kept as hashes; each is good once."""

import hashlib
import secrets

import sqlalchemy as sa

from agent_marketplace.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.payments import store
from agent_marketplace.payments.orders import Orders, source_of
from agent_marketplace.payments.types import CENT, CURRENCY, Batch, Order

MOST = 1000
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's 32: none is taken for another
_ALIKE = str.maketrans("OIL", "011")
_LENGTH = 16  # x 5 bits = 80
_UNKNOWN = "This code is not known, was redeemed before, or is over"


def new_code() -> str:
    """Four groups of four."""
    letters = [secrets.choice(_LETTERS) for _ in range(_LENGTH)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, _LENGTH, 4))


def hash_of(code: str) -> str:
    """SHA-256 of what was meant, however it was typed."""
    letters = "".join(c for c in code.upper() if c.isalnum()).translate(_ALIKE)
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()


class Codes:
    """Batches of codes, and their redeeming."""

    def __init__(self, db: Database, orders: Orders, admin: Admin, clock: Clock) -> None:
        self._db = db
        self._orders = orders
        self._admin = admin
        self._clock = clock

    async def make(
        self,
        by: Actor,
        name: str,
        count: int,
        credit_nano: int,
        *,
        paid: bool,
        per_account: int,
        days: int | None,
        credit_days: int | None,
        reason: str,
        one_buyer: bool = False,
    ) -> tuple[Batch, list[str]]:
        """A batch and its codes, which nobody can read again. days: how long they can be redeemed; credit_days: how long their
        credit is good for from then on; one_buyer: one customer bought all of them. Raises BadRequest."""
        if not 1 <= count <= MOST or credit_nano <= 0 or credit_nano % CENT:
            raise BadRequest(f"A batch has 1 to {MOST} codes of whole cents")
        now = self._clock.now_ms()
        batch = Batch(
            id=new_id("bat"), name=name, credit_nano=credit_nano, paid=int(paid), codes=count, per_account=per_account,
            expires_at=None if days is None else now + days * DAY_MS, credit_days=credit_days, made_by=by.name,
            created_at=now, revoked_at=None, one_buyer=int(one_buyer),
        )  # fmt: skip
        texts = [new_code() for _ in range(count)]

        def work(connection: sa.Connection) -> None:
            store.add_batch(connection, batch, [hash_of(text) for text in texts])
            made = {"codes": count, "each": format(dollars(credit_nano), "f"), "paid": paid}
            self._admin.record_in(connection, by, "make codes", batch.id, {}, made, reason)

        await self._db.write(work)
        return batch, texts

    async def batches(self) -> list[Batch]:
        """All of them, newest first."""
        return await self._db.read(store.find_batches)

    async def revoke(self, by: Actor, batch_id: str, *, reason: str) -> None:
        """Ends what is left of a batch; what was redeemed stays. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            if (batch := store.batch(connection, batch_id)) is None:
                raise NotFound("No such batch")
            if batch.revoked_at is None:
                now = self._clock.now_ms()
                store.revoke_batch(connection, batch_id, now)
                self._admin.record_in(
                    connection, by, "revoke codes", batch_id, {}, {"revoked_at": now}, reason
                )

        await self._db.write(work)

    async def redeem(self, user_id: str, code: str) -> Order:
        """Its credit, once: a repeat by the same user gives the same order. Raises NotFound (one refusal for every reason that
        a guesser could learn from), Conflict (this account has had its share)."""
        hash_, now = hash_of(code), self._clock.now_ms()

        def work(connection: sa.Connection) -> Order:
            store.lock_wallet(connection, user_id)
            if (mine := store.redeemed_here(connection, hash_, user_id)) is not None:
                return self._orders.of(connection, user_id, mine, lock=False)
            batch = store.batch_of_code(connection, hash_)
            over = batch is not None and batch.expires_at is not None and batch.expires_at <= now
            if batch is None or over or batch.revoked_at is not None:
                raise NotFound(_UNKNOWN, code="unknown_code")
            if batch.per_account and store.count_redeemed(connection, batch.id, user_id) >= batch.per_account:
                raise Conflict(
                    "This account has redeemed as many of these codes as it may", code="code_limit"
                )
            order = Order(
                id=new_id("ord"), user_id=user_id, method="code", state="pending", credit_nano=batch.credit_nano,
                currency=CURRENCY, minor=0, paid=batch.paid, batch_id=batch.id, created_at=now,
                ends_at=None if batch.credit_days is None else now + batch.credit_days * DAY_MS,
                source=source_of("batch", batch.id if batch.one_buyer else ""),
            )  # fmt: skip
            store.add_order(connection, order)
            if not store.take_code(connection, hash_, user_id, order.id, now):
                raise NotFound(_UNKNOWN, code="unknown_code")
            self._orders.credit_in(connection, order, f"code of {batch.name}")
            return self._orders.of(connection, user_id, order.id, lock=False)

        return await self._db.write(work)
