"""Breakers per endpoint and credential, and the latency this installation has seen. In memory, of this process only.

A breaker opens after three failures in a row, or at once on a refused key or a Retry-After; it lets one probe through when its
pause is over (half-open) and closes on the first success. Pauses double from 5 s to 300 s, so that an outage costs few calls.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from agent_marketplace.clock import Clock
from agent_marketplace.gateway.plan import Target
from agent_marketplace.wires.base import FailureClass

_FAILURES_TO_OPEN = 3
_PAUSE_S = 5.0
_MAX_PAUSE_S = 300.0
_SAMPLES = 256
_MAX_BREAKERS = 10_000

OUTAGES = frozenset({FailureClass.OVERLOADED, FailureClass.SERVER, FailureClass.TIMEOUT})


def breaker_of(target: Target, user_id: str) -> str:
    """Which breaker a target has at its endpoint: a user's own key fails for that user alone."""
    return f"byok:{user_id}" if target.credential == "byok" else target.credential


@dataclass(slots=True)
class Breaker:
    """State of one (endpoint, credential). Times in seconds of the monotonic clock; asked_until: by a Retry-After."""

    failures: int = 0
    pause_s: float = _PAUSE_S
    open_until: float = 0.0
    asked_until: float = 0.0
    probing_since: float | None = None


@dataclass(slots=True)
class Samples:
    """Last calls of one offer: milliseconds to the first token, tokens per second; and counts for uptime."""

    first_token_ms: list[int] = field(default_factory=list)
    tokens_per_s: list[int] = field(default_factory=list)
    ok: int = 0
    failed: int = 0


class Health:
    """Who answers and how fast."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breakers: OrderedDict[tuple[str, str], Breaker] = OrderedDict()
        self.samples: dict[tuple[str, str], Samples] = {}

    def available(self, endpoint: str, credential: str) -> bool:
        """False while the breaker is open, or while another call is probing it."""
        breaker = self._breakers.get((endpoint, credential))
        if breaker is None or not breaker.open_until:
            return True
        now = self._clock.monotonic()
        if now < breaker.open_until:
            return False
        return breaker.probing_since is None or now - breaker.probing_since > _MAX_PAUSE_S

    def attempt(self, endpoint: str, credential: str) -> None:
        """Marks the half-open probe as taken."""
        breaker = self._breakers.get((endpoint, credential))
        if breaker is not None and breaker.open_until and self._clock.monotonic() >= breaker.open_until:
            breaker.probing_since = self._clock.monotonic()

    def success(self, endpoint: str, credential: str) -> None:
        self._breakers.pop((endpoint, credential), None)

    def failure(self, endpoint: str, credential: str, kind: FailureClass, retry_after: float | None) -> None:
        """Counts outages, rate limits and refused keys; the caller's own mistakes say nothing about the endpoint."""
        at_once = kind in (FailureClass.AUTH, FailureClass.QUOTA) or (
            kind is FailureClass.RATE_LIMITED and retry_after is not None
        )
        if not at_once and kind not in OUTAGES and kind is not FailureClass.RATE_LIMITED:
            self.abandoned(endpoint, credential)
            return
        if retry_after is not None and retry_after <= 0:
            retry_after = None
        breaker = self._breaker((endpoint, credential))
        half_open = breaker.probing_since is not None
        breaker.failures += 1
        breaker.probing_since = None
        if half_open:
            breaker.pause_s = min(_MAX_PAUSE_S, breaker.pause_s * 2)
        if at_once or half_open or breaker.failures >= _FAILURES_TO_OPEN:
            pause = breaker.pause_s if retry_after is None else min(_MAX_PAUSE_S, retry_after)
            breaker.open_until = self._clock.monotonic() + pause
            if retry_after is not None:
                breaker.asked_until = breaker.open_until

    def abandoned(self, endpoint: str, credential: str) -> None:
        """A probe ended without a verdict (the caller left): the next call may probe."""
        breaker = self._breakers.get((endpoint, credential))
        if breaker is not None:
            breaker.probing_since = None

    def asked_to_wait(self, endpoint: str, credential: str) -> float:
        """Seconds for which the endpoint itself asked for no calls (Retry-After)."""
        breaker = self._breakers.get((endpoint, credential))
        return max(0.0, breaker.asked_until - self._clock.monotonic()) if breaker else 0.0

    def record(
        self, model: str, provider: str, *, ok: bool, first_token_ms: int | None = None, tokens_per_s: int = 0
    ) -> None:
        """Adds one call to the offer's samples."""
        samples = self.samples.get((model, provider))
        if samples is None:
            samples = self.samples[model, provider] = Samples()
        samples.ok += ok
        samples.failed += not ok
        for series, value in ((samples.first_token_ms, first_token_ms), (samples.tokens_per_s, tokens_per_s)):
            if value:
                series.append(value)
                if len(series) > _SAMPLES:
                    del series[: len(series) - _SAMPLES]

    def reset(self, endpoint: str) -> None:
        """Forgets an endpoint's breakers (a key was just saved)."""
        for key in [k for k in self._breakers if k[0] == endpoint]:
            del self._breakers[key]

    def _breaker(self, key: tuple[str, str]) -> Breaker:
        breaker = self._breakers.setdefault(key, Breaker())
        self._breakers.move_to_end(key)
        if len(self._breakers) > _MAX_BREAKERS:
            self._breakers.popitem(last=False)
        return breaker
