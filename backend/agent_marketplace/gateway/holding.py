"""A call's hold at the ledger: taken, extended, kept alive, settled. Alone in this package talks to the ledger of one."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from agent_marketplace.accounts.in_flight import InFlight
from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway import sizing
from agent_marketplace.gateway.plan import Plan, Target
from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.ledger import Balance, Ledger, Receipt, Settlement

_ROUNDS = 3  # what is available changes while we look at it: other calls of the same wallet come and go


class Holding:
    """One call's hold. It keeps nothing itself: what a method returns is the hold as it now is.

    running: the process's open calls; the sweeper spares them, however late their heartbeats are
    """

    __slots__ = ("_key_id", "_ledger", "_request_id", "_running", "_user_id")

    def __init__(
        self, ledger: Ledger, running: InFlight, request_id: str, user_id: str, key_id: str | None
    ) -> None:
        self._ledger = ledger
        self._running = running
        self._request_id = request_id
        self._user_id = user_id
        self._key_id = key_id

    async def take(
        self, asked: Asked, plan: Plan, free_alternative: Callable[[], str | None]
    ) -> tuple[Plan, Held]:
        """Holds enough for the plan's dearest attempt. Raises PaymentRequired with the fields of a 402, and RateLimited where the
        caller has too many calls running; nothing is held then.

        Attempts that the wallet, the key's cap or the caller's ceiling can't pay are left out of the plan that is returned,
        as long as one is left that they can. free_alternative: a free model that could answer, for the 402.
        """
        self._running.enter(self._request_id, self._user_id, self._key_id)
        try:
            return await self._taken(asked, plan, free_alternative)
        except BaseException:  # whatever it was: nothing is held, so nothing runs
            self._running.discard(self._request_id)
            raise

    async def _taken(
        self, asked: Asked, plan: Plan, free_alternative: Callable[[], str | None]
    ) -> tuple[Plan, Held]:
        fit = sizing.fit(asked, plan)
        for _ in range(_ROUNDS):
            try:
                await self._ledger.hold(
                    self._request_id, self._user_id, fit.amount, price_version=fit.dearest.price_version,
                    key_id=self._key_id, meta={"model": fit.dearest.model, "provider": fit.dearest.provider},
                )  # fmt: skip
                return fit.plan, sizing.held(fit)
            except PaymentRequired as error:
                refused, balance = error, await self._ledger.balance(self._user_id)
            available = _available(refused, balance)
            if fit.amount <= available:
                continue  # something was released meanwhile
            smaller = sizing.within(asked, fit.plan, available, "costs more than the balance covers")
            if smaller is None:
                break
            fit = smaller
        raise sizing.not_covered(
            asked, fit.plan, balance, _available(refused, balance),
            by_cap=refused if refused.extra.get("scope") == "key" else None, free=free_alternative(),
        )  # fmt: skip

    async def extend(self, asked: Asked, hold: Held, target: Target, tokens: int) -> Held:
        """Buys `tokens` more of a running stream. Raises PaymentRequired where wallet, key or ceiling don't allow it."""
        if target.price is None:
            return hold
        amount = sizing.slice_amount(asked, hold, target, tokens)
        more = amount - hold.amount_nano
        try:
            extended = not more or await self._ledger.extend(self._request_id, more)
        except PaymentRequired as refused:
            by_cap = refused.extra.get("scope") == "key"
            words = refused.message if by_cap else "The balance is used up"
            raise PaymentRequired(f"{words}: the answer was stopped here") from refused
        if not extended:
            raise PaymentRequired("What was held has been given back: the answer was stopped here")
        return msgspec.structs.replace(hold, amount_nano=amount, tokens=hold.tokens + tokens)

    async def stretch(
        self, asked: Asked, hold: Held, target: Target, output_tokens: int, cost_nano: int
    ) -> Held:
        """The hold of an answer without a cap, once its cost is known, as far as wallet, key and ceiling allow.

        A provider's thinking is billed and often not seen, so that the slices bought on the way may be too few. Never beyond
        the bound for the output that is billed: what a provider bills beyond that is not the caller's.
        """
        most = min(cost_nano, sizing.bound(asked, target, output_tokens))
        if asked.max_cost is not None:
            most = min(most, asked.max_cost)
        more = most - hold.amount_nano
        for _ in range(_ROUNDS):
            if more <= 0:
                break
            try:
                if await self._ledger.extend(self._request_id, more):
                    return msgspec.structs.replace(hold, amount_nano=hold.amount_nano + more)
                break  # it is no longer open
            except PaymentRequired as refused:
                available = _available(refused, await self._ledger.balance(self._user_id))
                more = min(more - 1, available)
        return hold

    def beat_every(self, rhythm: Rhythm) -> float:
        """Seconds between two beats: the hold outlives several that are missed."""
        return rhythm.beat_every(self._ledger.hold_ttl_s)

    async def beat(self, progress_nano: int | None) -> None:
        """Keeps the hold alive; progress_nano: what is to be charged if this process dies now."""
        await self._ledger.heartbeat(self._request_id, progress_nano=progress_nano)

    async def settle(self, settlement: Settlement) -> Receipt:
        """Charges and releases. Raises as `Ledger.settle`."""
        try:
            return await self._ledger.settle(settlement)
        finally:
            # Also where it failed: nobody works on this call any more, so that the sweeper has to end its hold.
            self._running.discard(self._request_id)


def _available(refused: PaymentRequired, balance: Balance) -> int:
    """What a new hold may take, nano-dollars: of the wallet, or of the key's cap where that is what refused."""
    if refused.extra.get("scope") != "key":
        return balance.available
    return min(balance.available, int(Decimal(refused.extra["available"]).scaleb(9)))
