"""Token buckets: request rate per user, and sign-up and sign-in per address and account, in bounded memory.

Guessing: a failed sign-in costs tokens, a successful one gives them back. From a device where the account was signed in
before, only that device's own bucket counts, so that an attacker can't lock the owner out (OWASP ASVS 5.0, 6.3.1).
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, fields

from agent_marketplace.clock import Clock
from agent_marketplace.errors import RateLimited

_BUCKETS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """burst: tokens of a full bucket; per_s: tokens that come back a second."""

    burst: float
    per_s: float

    def shared_by(self, processes: int) -> "Rate":
        """One process's share, so that all of them together keep to the rate; a bucket holds at least one token."""
        return Rate(max(1.0, self.burst / processes), self.per_s / processes)


@dataclass(frozen=True, slots=True)
class LimitRates:
    """All limits. Sign-in figures let at most about 500 guesses through in ten minutes, over all addresses and accounts."""

    requests: Rate = Rate(200, 50)
    sign_up: Rate = Rate(60, 1 / 20)
    taken: Rate = Rate(10, 1 / 60)
    address: Rate = Rate(10, 1 / 60)
    account: Rate = Rate(10, 1 / 60)
    everywhere: Rate = Rate(300, 1 / 3)
    known_device: Rate = Rate(10, 1 / 30)

    def shared_by(self, processes: int) -> "LimitRates":
        """All limits, divided."""
        return LimitRates(**{f.name: getattr(self, f.name).shared_by(processes) for f in fields(self)})


class Buckets:
    """One bucket per key, all at one rate; the longest unused are forgotten."""

    def __init__(self, rate: Rate, clock: Clock, size: int = _BUCKETS) -> None:
        self._rate = rate
        self._clock = clock
        self._size = size
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> float:
        """Takes a token and returns 0, or takes none and returns the seconds until there is one."""
        level = self._level(key)
        if level < 1:
            return (1 - level) / self._rate.per_s
        self._set(key, level - 1)
        return 0.0

    def give_back(self, key: Hashable) -> None:
        """Undoes one `take`."""
        self._set(key, min(self._rate.burst, self._level(key) + 1))

    def _level(self, key: Hashable) -> float:
        level, at = self._levels.get(key, (self._rate.burst, 0.0))
        return min(self._rate.burst, level + (self._clock.monotonic() - at) * self._rate.per_s)

    def _set(self, key: Hashable, level: float) -> None:
        self._levels[key] = (level, self._clock.monotonic())
        self._levels.move_to_end(key)
        if len(self._levels) > self._size:
            self._levels.popitem(last=False)


class Limits:
    """The limits of this process. enabled False (MARKETPLACE_LIMITS=off) leaves those on guessing one account's password."""

    def __init__(self, clock: Clock, *, enabled: bool = True, rates: LimitRates | None = None) -> None:
        rates = rates or LimitRates()
        self._enabled = enabled
        self._requests = Buckets(rates.requests, clock)
        self._sign_up = Buckets(rates.sign_up, clock)
        self._taken = Buckets(rates.taken, clock)
        self._address = Buckets(rates.address, clock)
        self._account = Buckets(rates.account, clock)
        self._everywhere = Buckets(rates.everywhere, clock, 1)
        self._known_device = Buckets(rates.known_device, clock)

    def request(self, user_id: str) -> None:
        """Counts a request. Raises RateLimited."""
        if self._enabled:
            _refuse(self._requests.take(user_id), "Too many requests")

    def sign_up(self, address: str | None) -> None:
        """Counts a sign-up. Raises RateLimited."""
        if self._enabled and address is not None:
            _refuse(self._sign_up.take(address), "Too many sign-ups from this address")

    def taken(self, address: str | None) -> None:
        """Counts a sign-up with a registered address: the one reply that tells who has an account. Raises RateLimited."""
        if self._enabled and address is not None:
            _refuse(self._taken.take(address), "Too many sign-ups from this address")

    def guess(self, account: str, address: str | None, *, known_device: bool) -> "Guess":
        """Counts a password about to be checked. Raises RateLimited."""
        return Guess(self._guess_buckets(account, address, known_device=known_device))

    def _guess_buckets(self, account: str, address: str | None, *, known_device: bool) -> list[tuple[Buckets, Hashable]]:
        if known_device:
            return [(self._known_device, (account, address))]
        buckets: list[tuple[Buckets, Hashable]] = [(self._account, account)]
        if self._enabled and address is not None:
            buckets += [(self._address, address), (self._everywhere, "")]
        return buckets


class Guess:
    """Tokens taken for one password check; `right()` gives them back."""

    def __init__(self, buckets: list[tuple[Buckets, Hashable]]) -> None:
        self._taken: list[tuple[Buckets, Hashable]] = []
        for bucket, key in buckets:
            wait = bucket.take(key)
            if wait:
                self.right()
                _refuse(wait, "Too many failed sign-ins")
            self._taken.append((bucket, key))

    def right(self) -> None:
        """The password was right, or was not checked: nothing counts."""
        for bucket, key in self._taken:
            bucket.give_back(key)
        self._taken = []


def _refuse(wait: float, words: str) -> None:
    if wait:
        raise RateLimited(f"{words}: try again in {max(1, round(wait))} s", retry_after=max(1.0, wait))
