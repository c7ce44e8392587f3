"""Token buckets: request rate per user, and sign-up and sign-in per address and account, in bounded memory.

Guessing: a failed sign-in costs tokens, a successful one gives them back. From a device where the account was signed in
before, only that device's own bucket counts, so that an attacker can't lock the owner out (OWASP ASVS 5.0, 6.3.1).
"""

import hashlib
import secrets
from array import array
from collections.abc import Hashable, MutableSequence
from dataclasses import dataclass, fields

from agent_marketplace.clock import Clock
from agent_marketplace.errors import RateLimited

_SLOTS = 1 << 16
_WAYS = 8  # slots that a bucket may lie in
_ROUNDING = 1e-6  # of a token: times are sums of fractions


@dataclass(frozen=True, slots=True)
class Rate:
    """burst: tokens of a full bucket; per_s: tokens that come back a second."""

    burst: float
    per_s: float

    def shared_by(self, nodes: int) -> "Rate":
        """One node's share, so that all of them together keep to the rate; a bucket holds at least one token."""
        return Rate(max(1.0, self.burst / nodes), self.per_s / nodes)


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
    device: Rate = Rate(20, 1 / 20)
    user_code: Rate = Rate(10, 1 / 60)
    codes: Rate = Rate(10, 1 / 60)
    forgot: Rate = Rate(10, 1 / 120)
    forgot_account: Rate = Rate(3, 1 / 1200)

    def shared_by(self, nodes: int) -> "LimitRates":
        """All limits, divided."""
        return LimitRates(**{f.name: getattr(self, f.name).shared_by(nodes) for f in fields(self)})


class Table:
    """The buckets of all limits, fixed in number, in memory that the workers of a host share.

    A slot is two words: whose it is (a keyed hash) and when its bucket will be full (monotonic seconds, the same for all
    processes of a host). A full bucket is as good as none, so its slot is free. There is no lock that a killed worker could
    keep: words are written whole, and two workers that take in the same microsecond may both get what was one token.
    """

    def __init__(self, slots: int = _SLOTS) -> None:
        self._words: MutableSequence[float] = array("d", bytes(16 * slots))
        self._key = secrets.token_bytes(32)

    def share(self, words: MutableSequence[float], key: bytes) -> None:
        """From now on these words, which other processes see too; the key says where in them a bucket lies."""
        self._words, self._key = words, key[:64]

    def find(self, name: Hashable) -> tuple[int, float]:
        """(slot, owner) of a bucket: where it is, else the slot of those allowed that is, or will be, free first."""
        text = repr(name).encode("utf-8", "surrogatepass")
        number = int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self._key).digest(), "big")
        owner, words = float((number & 0xFFFF_FFFF_FFFF) + 1), self._words
        first = (number >> 48) * _WAYS % (len(words) // 2)
        free = first
        for slot in range(first, first + _WAYS):
            if words[2 * slot] == owner:
                return slot, owner
            if words[2 * slot + 1] < words[2 * free + 1]:
                free = slot
        return free, owner

    def full_at(self, slot: int, owner: float) -> float:
        """When the bucket will be full; 0 for one that has no slot yet."""
        return self._words[2 * slot + 1] if self._words[2 * slot] == owner else 0.0

    def put(self, slot: int, owner: float, full_at: float) -> None:
        """Makes the slot this bucket's."""
        self._words[2 * slot] = owner
        self._words[2 * slot + 1] = full_at


class Buckets:
    """One bucket per key, all at one rate. name: tells them from other limits' in the table."""

    def __init__(self, rate: Rate, clock: Clock, table: Table, name: str) -> None:
        self._rate = rate
        self._clock = clock
        self._table = table
        self._name = name

    def take(self, key: Hashable) -> float:
        """Takes a token and returns 0, or takes none and returns the seconds until there is one."""
        return self._change(key, 1)

    def give_back(self, key: Hashable) -> None:
        """Undoes one `take`."""
        self._change(key, -1)

    def _change(self, key: Hashable, taken: int) -> float:
        now, per_s = self._clock.monotonic(), self._rate.per_s
        slot, owner = self._table.find((self._name, key))
        full_at = max(now, self._table.full_at(slot, owner))
        level = self._rate.burst - (full_at - now) * per_s
        if level + _ROUNDING < taken:
            return (taken - level) / per_s
        self._table.put(slot, owner, full_at + taken / per_s)
        return 0.0


class Limits:
    """The limits of this host. enabled False (MARKETPLACE_LIMITS=off) leaves those on guessing one account's password."""

    def __init__(self, clock: Clock, *, enabled: bool = True, rates: LimitRates | None = None) -> None:
        rates = rates or LimitRates()
        self.enabled = enabled
        self._table = Table()

        def buckets(name: str) -> Buckets:
            return Buckets(getattr(rates, name), clock, self._table, name)

        self._requests, self._sign_up, self._taken = buckets("requests"), buckets("sign_up"), buckets("taken")
        self._address, self._account = buckets("address"), buckets("account")
        self._everywhere, self._known_device = buckets("everywhere"), buckets("known_device")
        self._device, self._user_code = buckets("device"), buckets("user_code")
        self._codes = buckets("codes")
        self._forgot, self._forgot_account = buckets("forgot"), buckets("forgot_account")

    def share(self, words: MutableSequence[float], key: bytes) -> None:
        """Counts together with the other processes that were given these words and this key."""
        self._table.share(words, key)

    def request(self, user_id: str) -> None:
        """Counts a request. Raises RateLimited."""
        if self.enabled:
            _refuse(self._requests.take(user_id), "Too many requests")

    def sign_up(self, address: str | None) -> None:
        """Counts a sign-up. Raises RateLimited."""
        if self.enabled and address is not None:
            _refuse(self._sign_up.take(address), "Too many sign-ups from this address")

    def taken(self, address: str | None) -> None:
        """Counts a sign-up with a registered address: the one reply that tells who has an account. Raises RateLimited."""
        if self.enabled and address is not None:
            _refuse(self._taken.take(address), "Too many sign-ups from this address")

    def device(self, address: str | None) -> None:
        """Counts a program's request for a code. Raises RateLimited."""
        if self.enabled and address is not None:
            _refuse(self._device.take(address), "Too many requests for a code from this address")

    def user_code(self, user_id: str) -> "Guess":
        """Counts a code that a user types in; `right()` once it is one that waits. Raises RateLimited."""
        return Guess([(self._user_code, user_id)], "Too many codes that do not exist")

    def guess(self, account: str, address: str | None, *, known_device: bool) -> "Guess":
        """Counts a password about to be checked. Raises RateLimited."""
        return Guess(self._guess_buckets(account, address, known_device=known_device))

    def forgot(self, account: str, address: str | None) -> bool:
        """Counts a forgotten password. False: this account is mailed often enough, which nobody is told. Raises RateLimited."""
        if self.enabled and address is not None:
            _refuse(self._forgot.take(address), "Too many forgotten passwords from this address")
        return self._forgot_account.take(account) == 0

    def redeem(self, user_id: str, address: str | None) -> "Guess":
        """Counts a code about to be looked up. Raises RateLimited."""
        keys: list[Hashable] = [("user", user_id)]
        if self.enabled and address is not None:
            keys.append(("address", address))
        return Guess([(self._codes, key) for key in keys], "Too many codes that are not known")

    def _guess_buckets(
        self, account: str, address: str | None, *, known_device: bool
    ) -> list[tuple[Buckets, Hashable]]:
        if known_device:
            return [(self._known_device, (account, address))]
        buckets: list[tuple[Buckets, Hashable]] = [(self._account, account)]
        if self.enabled and address is not None:
            buckets += [(self._address, address), (self._everywhere, "")]
        return buckets


class Guess:
    """Tokens taken for one check of a password or a code; `right()` gives them back."""

    def __init__(
        self, buckets: list[tuple[Buckets, Hashable]], words: str = "Too many failed sign-ins"
    ) -> None:
        self._taken: list[tuple[Buckets, Hashable]] = []
        for bucket, key in buckets:
            wait = bucket.take(key)
            if wait:
                self.right()
                _refuse(wait, words)
            self._taken.append((bucket, key))

    def right(self) -> None:
        """The password was right, or was not checked: nothing counts."""
        for bucket, key in self._taken:
            bucket.give_back(key)
        self._taken = []


def _refuse(wait: float, words: str) -> None:
    if wait:
        raise RateLimited(f"{words}: try again in {max(1, round(wait))} s", retry_after=max(1.0, wait))
