"""What was read of this installation's usage so far, so that a pass reads only what is new; the figures are those of a full read.

Money: a wallet's transactions are numbered without gaps and never change, so the last number that was read is a watermark.
Calls and answers: free ones leave no transaction, so they are read by their time, from OVERLAP_MS before the last pass on
(a row may become visible that much later than it says), and known requests are skipped.
"""

import bisect
from array import array
from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa

from agent_marketplace.recommend import store
from agent_marketplace.recommend.learning import CALLS_PER_USER, Answer

DAY_MS = 86_400_000
KEPT_DAYS = 60
OVERLAP_MS = 120_000


class Window(msgspec.Struct, frozen=True):
    """From `start` up to but without `end`, ms; at least a day long."""

    start: int
    end: int


class _Times:
    """Sorted times of one user's calls of one model, those that cost something and those that did not.

    Of a UTC day only the first and the last CALLS_PER_USER of each are kept: no window of a day or more can tell the difference,
    because nobody's calls count more often than that.
    """

    __slots__ = ("free", "paid")

    def __init__(self) -> None:
        self.paid: array[int] | None = None
        self.free: array[int] | None = None

    def add(self, at: int, *, paid: bool) -> None:
        times = self.paid if paid else self.free
        if times is None:
            times = array("q")
            if paid:
                self.paid = times
            else:
                self.free = times
        bisect.insort(times, at)
        if len(times) <= 2 * CALLS_PER_USER:
            return
        first = bisect.bisect_left(times, at // DAY_MS * DAY_MS)
        if bisect.bisect_left(times, (at // DAY_MS + 1) * DAY_MS) - first > 2 * CALLS_PER_USER:
            del times[first + CALLS_PER_USER]

    def forget(self, before: int) -> bool:
        """Returns whether nothing is left."""
        for times in (self.paid, self.free):
            if times is not None:
                del times[: bisect.bisect_left(times, before)]
        return not (self.paid or self.free)


def _within(times: "array[int]", window: Window) -> int:
    if times[-1] < window.start:
        return 0
    return bisect.bisect_left(times, window.end) - bisect.bisect_left(times, window.start)


class History:
    """One process's memory of what it read. Not for several threads at once. everybody: all accounts are trusted."""

    def __init__(self, *, everybody: bool = False) -> None:
        self._everybody = everybody
        self._trusted: frozenset[str] = frozenset()
        self._blocks: dict[int, int] = {}
        self._read_to: dict[int, int] = {}
        self._users: dict[int, str] = {}
        self._spent: dict[str, dict[str, int]] = {}
        self._incoming: dict[str, int] = {}
        self._until: int | None = None
        self._recent: set[str] = set()
        self._calls: dict[tuple[str, str], _Times] = {}
        self._answers: list[store.Said] = []
        self._forgotten = 0

    def next(self, now_ms: int) -> "History":
        """What to catch up with: itself, or an empty one where the clock went back further than the overlap."""
        back = self._until is not None and now_ms < self._until - OVERLAP_MS
        return History(everybody=self._everybody) if back else self

    def catch_up(self, connection: sa.Connection, now_ms: int) -> None:
        """Reads what is new."""
        self._trusted = store.trusted(connection)
        self._read_money(connection)
        self._read_calls(connection, now_ms)

    # --- who is heard ---

    def trusts(self, user: str) -> bool:
        """Whether a user's own keys, local and free calls count as payment."""
        return self._everybody or user in self._trusted

    def paid(self, user: str, model: str) -> int:
        """What a user paid for a model, nano-dollars, scaled down where more was spent than ever paid in (sign-up credit)."""
        spent = self._spent.get(user, {})
        total = sum(spent.values())
        if total <= 0:
            return 0
        return spent.get(model, 0) * max(0, min(self._incoming.get(user, 0), total)) // total

    def _funded(self, user: str) -> bool:
        return self._incoming.get(user, 0) > 0

    # --- what was done ---

    def uses(self, windows: Sequence[Window]) -> list[dict[str, int]]:
        """Per window: model -> calls that count, of one user at most CALLS_PER_USER."""
        found: list[dict[str, int]] = [{} for _ in windows]
        for (user, model), times in self._calls.items():
            trusted = self.trusts(user)
            paid = times.paid if trusted or self._funded(user) else None
            free = times.free if trusted else None
            for window, counted in zip(windows, found, strict=True):
                n = (_within(paid, window) if paid else 0) + (_within(free, window) if free else 0)
                if n:
                    counted[model] = counted.get(model, 0) + min(n, CALLS_PER_USER)
        return found

    def answers(self) -> Iterator[Answer]:
        """Whole answers whose estimate says what was asked, the newest first."""
        for said in reversed(self._answers):
            if not said.task:
                continue
            trusted = self.trusts(said.user)
            yield Answer(
                user_id=said.user, model=said.model, task=said.task, effort=said.effort, output=said.output,
                trusted=trusted, voice=trusted or (said.paid and self._funded(said.user)),
            )  # fmt: skip

    # --- reading ---

    def _read_money(self, connection: sa.Connection) -> None:
        now = store.blocks(connection)
        moved: dict[int, int] = {}
        read_to: dict[int, int] = {}
        for block in (b for b, total in now.items() if total != self._blocks.get(b, -1)):
            for owner, name, seq in store.wallets(connection, block):
                self._users[owner] = name.removeprefix("user:")
                before = self._read_to.get(owner, 0)
                if seq > before:
                    moved[owner], read_to[owner] = before, seq
        found = list(store.payments(connection, moved if self._blocks else None)) if moved else []
        for payment in found:
            self._take(payment)
        self._read_to.update(read_to)
        self._blocks = now

    def _take(self, payment: store.Payment) -> None:
        user = self._users[payment.owner]
        if payment.model:
            models = self._spent.setdefault(user, {})
            models[payment.model] = models.get(payment.model, 0) + payment.nano
        else:
            self._incoming[user] = self._incoming.get(user, 0) + payment.nano

    def _read_calls(self, connection: sa.Connection, now_ms: int) -> None:
        oldest = now_ms - KEPT_DAYS * DAY_MS
        since = oldest if self._until is None else self._until - OVERLAP_MS
        until = max(now_ms, self._until or 0)
        answers, rows = store.answers(connection, since), store.calls(connection, since)
        known, recent = self._recent, set[str]()
        # A first pass may have millions: not all at once, and into a fresh dict, so that a failure leaves nothing half read.
        first = self._until is None
        calls: dict[tuple[str, str], _Times] = {} if first else self._calls
        for call in rows if first else list(rows):
            if call.request_id not in known:
                calls.setdefault((call.user, call.model), _Times()).add(call.at, paid=call.paid)
            if call.at >= until - OVERLAP_MS:
                recent.add(call.request_id)
        for said in answers:
            if said.request_id not in known:
                bisect.insort(self._answers, said)
        self._calls, self._recent, self._until = calls, recent, until
        self._forget(oldest)

    def _forget(self, oldest: int) -> None:
        gone = bisect.bisect_left(self._answers, oldest, key=lambda said: said.at)
        del self._answers[: max(gone, len(self._answers) - store.OUTPUT_ROWS)]
        if oldest // DAY_MS != self._forgotten:  # no window reaches back that far: once a day is enough
            self._forgotten = oldest // DAY_MS
            for key in [key for key, times in self._calls.items() if times.forget(oldest)]:
                del self._calls[key]
