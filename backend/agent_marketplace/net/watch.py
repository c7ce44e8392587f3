"""Deadlines of one exchange on one timer that is re-armed lazily: a piece of a stream costs one reading of the clock."""

import asyncio
from collections.abc import Callable

from agent_marketplace.net.errors import FirstByteTimeout, IdleTimeout, NetError, TotalTimeout


class Watch:
    """Calls on_expire once, with the error, when what is expected doesn't come in time. total_at: loop time in seconds."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, total_at: float, on_expire: Callable[[NetError], None]
    ) -> None:
        self._loop = loop
        self._total_at = total_at
        self._on_expire = on_expire
        self._due: float | None = None
        self._error: type[NetError] = TotalTimeout
        self._timer: asyncio.TimerHandle | None = None

    def renew(self, total_at: float) -> None:
        """For the next exchange on the same connection."""
        self._total_at = total_at

    def expect(self, within_s: float, error: type[NetError]) -> None:
        """From now on something must come within so many seconds, or it's `error`; past total_at it's TotalTimeout."""
        due = self._loop.time() + within_s
        if due < self._total_at:
            self._due, self._error = due, error
        else:
            self._due, self._error = self._total_at, TotalTimeout
        if self._timer is None or self._timer.when() > self._due:
            self._arm(self._due)

    def came(self) -> None:
        """It came; nothing is expected until the next `expect`."""
        self._due = None

    def stop(self) -> None:
        """No deadline any more."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._loop.time() < self._due:
            self._arm(self._due)
        else:
            self._due = None
            self._on_expire(self._error(_WORDS[self._error]))


_WORDS: dict[type[NetError], str] = {
    FirstByteTimeout: "the provider did not begin to answer in time",
    IdleTimeout: "the provider's answer stopped for too long",
    TotalTimeout: "the whole exchange took too long",
}
