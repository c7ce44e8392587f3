"""The cache of who a credential belongs to: keyed by its full SHA-256, at most a second old, bounded.

A process that revokes something drops the verdicts at once; other processes read the row again when theirs is too old.
"""

import hashlib
from collections.abc import Callable

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.clock import Clock

MAX_AGE_S = 1.0
STILL_AGE_S = 0.1  # where a running stream asks again: its own pause and this are within the second
SIZE = 20_000


class Verdicts:
    """Positive verdicts only: a credential that was refused is looked up again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self.epoch = 0

    @staticmethod
    def digest(credential: str) -> bytes:
        """Never a part of the credential: two that share a prefix must not share a verdict."""
        return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()

    def get(self, digest: bytes, max_age_s: float = MAX_AGE_S) -> Principal | None:
        """The verdict, or None if there is none or it is too old."""
        entry = self._known.get(digest)
        if entry is None or self._clock.monotonic() - entry[0] >= max_age_s:
            return None
        return entry[1]

    def put(self, digest: bytes, principal: Principal, *, asked_at: float, epoch: int) -> None:
        """Keeps a verdict that was looked up from `asked_at` (monotonic seconds) on, unless something was revoked since."""
        if epoch != self.epoch:
            return
        self._known.pop(digest, None)
        self._known[digest] = (asked_at, principal)
        if len(self._known) > SIZE:
            del self._known[next(iter(self._known))]

    def drop(self, matches: Callable[[Principal], bool]) -> None:
        """Forgets verdicts, and those that are being looked up."""
        self.epoch += 1
        for digest in [digest for digest, (_, principal) in self._known.items() if matches(principal)]:
            del self._known[digest]
