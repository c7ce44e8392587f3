"""Lots: what a balance consists of. Each credit is one, with its class, its priority and its end.

Money is taken from them by priority, then what ends first, then promotional before paid, then the oldest. The hot path does
not read them: an account's `promo` says how much of its balance was not paid for, and where promotional lots stand before all
paid ones (nearly always) a charge takes that first. What was posted meanwhile is taken from the lots when they are next read.

`due_at` says from when on they must be read before money moves: when the first of them ends; 0 = always, because some paid
lot is to be spent before a promotional one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from agent_marketplace.ledger.postings import Account

NEVER = 1 << 62
ALWAYS = 0
PRIORITY = 100
DAY_MS = 86_400_000


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a credit is. paid: somebody gave money for it; source: `order`, `transfer`, `code`, `grant`, `signup`, `refund`,
    `earnings`; priority: the lowest is spent first; expires_at: ms, `NEVER` = never; frozen: it is shown but pays for nothing;
    reference: the payment, code or request behind it."""

    paid: bool
    source: str
    priority: int = PRIORITY
    expires_at: int = NEVER
    frozen: bool = False
    reference: str = ""


@dataclass(slots=True)
class Lot:
    """A row of `ledger_lots`; seq: the transaction that brought it; the numbers paid and frozen are 0 or 1."""

    account_id: int
    seq: int
    paid: int
    source: str
    nano: int
    left: int
    priority: int
    expires_at: int
    frozen: int
    created_at: int
    reference: str

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Where it stands: the least is spent first."""
        return self.priority, self.expires_at, self.paid, self.seq


class Lots:
    """The lots of one account that have something left, brought up to what the account was charged meanwhile."""

    def __init__(self, account: Account, lots: Iterable[Lot]) -> None:
        self._account = account
        self.all = sorted(lots, key=lambda lot: lot.order)
        self.new: list[Lot] = []
        _cut(self._free(paid=0), account.promo)
        _cut(self._free(paid=1), _paid_part(account))

    def _free(self, *, paid: int | None = None) -> list[Lot]:
        return [lot for lot in self.all if not lot.frozen and (paid is None or lot.paid == paid)]

    def take(self, amount: int, *, back: bool = False, first: str = "") -> int:
        """Takes an amount out, and returns what of it was promotional. back: money goes back to who paid, so paid lots come first;
        first: before all, those of this payment, frozen ones too. What no lot has is debt. The account's balance is left to the caller."""
        promo = 0
        own = [lot for lot in self.all if lot.paid and lot.reference == first] if first else []
        for lot in own + self._free(paid=1) + self._free(paid=0) if back else self._free():
            part = min(lot.left, amount)
            lot.left -= part
            amount -= part
            promo += 0 if lot.paid else part
            self._account.restricted -= part if lot.frozen else 0
        return promo

    def freeze(self, reference: str, *, frozen: bool) -> int:
        """Freezes or thaws what is left of a payment. Returns how much."""
        lots = [lot for lot in self.all if lot.paid and lot.reference == reference and lot.frozen != frozen]
        moved = sum(lot.left for lot in lots)
        for lot in lots:
            lot.frozen = int(frozen)
        self._account.restricted += moved if frozen else -moved
        return moved

    def add(self, seq: int, now: int, amount: int, terms: Terms, debt: int) -> int:
        """A new lot, less the debt that it pays. Returns what of it is promotional."""
        left = max(amount - debt, 0)
        lot = Lot(
            account_id=self._account.id,
            seq=seq,
            paid=int(terms.paid),
            source=terms.source,
            nano=amount,
            left=left,
            priority=terms.priority,
            expires_at=terms.expires_at,
            frozen=int(terms.frozen),
            created_at=now,
            reference=terms.reference,
        )
        self.new.append(lot)
        self.all = sorted([*self.all, lot], key=lambda lot: lot.order)
        if terms.frozen:
            self._account.restricted += left
            return 0
        return 0 if terms.paid else left

    def expire(self, now: int, held: int) -> tuple[int, int]:
        """Ends what is over, but for what open holds keep of it. Returns (promotional, paid) nano-dollars that are gone."""
        gone = [0, 0]
        for lot in self._free():
            kept = min(lot.left, held)
            held -= kept
            if lot.expires_at <= now:
                gone[lot.paid] += lot.left - kept
                lot.left = kept
        return gone[0], gone[1]

    @property
    def due_at(self) -> int:
        """From when on they must be read before money moves, ms."""
        return due(lot.order for lot in self._free() if lot.left)


def due(orders: Iterable[tuple[int, int, int, int]]) -> int:
    """`due_at` of lots that have something left and are not frozen, by their `order`."""
    free = sorted(orders)
    kinds = [paid for _, _, paid, _ in free]
    if kinds != sorted(kinds):
        return ALWAYS
    return min((expires_at for _, expires_at, _, _ in free), default=NEVER)


def debt_of(account: Account) -> int:
    """What the account owes, at least 0: it was charged back more than it had."""
    return max(account.restricted + account.promo - account.balance, 0)


def _paid_part(account: Account) -> int:
    return max(account.balance - account.restricted - account.promo, 0)


def _cut(lots: list[Lot], target: int) -> None:
    """Takes from the first lots what they have above `target` together."""
    over = sum(lot.left for lot in lots) - target
    for lot in lots:
        part = max(min(lot.left, over), 0)
        lot.left -= part
        over -= part
