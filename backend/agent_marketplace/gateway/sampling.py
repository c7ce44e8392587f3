"""Which calls on clients' wires note what was expected of them, so that their lengths teach.

Reading a task off a text costs about a millisecond, and of one user only a handful of calls count for anybody else: a few are enough.
"""

import time
from collections.abc import Callable

_AN_HOUR = 5
_PAIRS = 20_000


class Sampling:
    """A few calls of a user and model each hour."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._hour = 0
        self._seen: dict[tuple[str, str], int] = {}

    def due(self, user_id: str, model: str) -> bool:
        """Counts the call."""
        hour = int(self._monotonic() // 3600)
        if hour != self._hour or len(self._seen) >= _PAIRS:
            self._hour, self._seen = hour, {}
        seen = self._seen.get((user_id, model), 0)
        if seen >= _AN_HOUR:
            return False
        self._seen[user_id, model] = seen + 1
        return True
