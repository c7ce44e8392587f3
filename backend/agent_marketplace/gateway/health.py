"""Breakers per endpoint and credential, and the latency this installation has seen. In memory, of this process only.

A breaker opens after three failures in a row, or at once on a refused key or a Retry-After; it lets one probe through when its
pause is over (half-open) and closes on the first success. Pauses double from 5 s to 300 s, so that an outage costs few calls.

What says something of one model alone (a rate limit, a 403) has a breaker of that model: providers count by model. One that a
large request earned stops only requests of a similar size: what is left of a minute's tokens may still be enough for others.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from agent_marketplace.clock import Clock
from agent_marketplace.gateway.plan import Target
from agent_marketplace.wires.base import FailureClass, UpstreamFailure

_FAILURES_TO_OPEN = 3
_PAUSE_S = 5.0
_MAX_PAUSE_S = 300.0
_SAMPLES = 256
_MAX_BREAKERS = 10_000
_LARGE_TOKENS = 4_096
_SIMILAR = 4

OUTAGES = frozenset({FailureClass.OVERLOADED, FailureClass.SERVER, FailureClass.TIMEOUT})


@dataclass(slots=True)
class Breaker:
    """State of one (endpoint, credential, model). Times in seconds of the monotonic clock; asked_until: by a Retry-After;
    from_tokens: calls with less input are not its concern."""

    failures: int = 0
    pause_s: float = _PAUSE_S
    open_until: float = 0.0
    asked_until: float = 0.0
    probing_since: float | None = None
    from_tokens: int = 0


class Trouble(msgspec.Struct, frozen=True):
    """A breaker that counts failures. model: "" = all of the endpoint's; open_s: seconds for which no call is sent, 0 = none."""

    model: str
    whose: str
    failures: int
    open_s: float


class Lane(msgspec.Struct, frozen=True):
    """Whom a call asks: an endpoint with a credential for a model (its name there). tokens: about how much input it has."""

    endpoint: str
    credential: str
    model: str = ""
    tokens: int = 0


def lane_of(target: Target, user_id: str, tokens: int) -> Lane:
    """A target's lane. A user's own key fails for that user alone."""
    whose = f"byok:{user_id}" if target.credential == "byok" else target.credential
    return Lane(target.provider, whose, target.upstream_id, tokens)


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
        self._breakers: OrderedDict[tuple[str, str, str], Breaker] = OrderedDict()
        self.samples: dict[tuple[str, str], Samples] = {}

    def available(self, lane: Lane) -> bool:
        """False while a breaker of the lane is open, or while another call is probing it."""
        if not self._breakers:  # on most days nobody fails
            return True
        now = self._clock.monotonic()
        return all(
            now >= breaker.open_until
            and (breaker.probing_since is None or now - breaker.probing_since > _MAX_PAUSE_S)
            for _, breaker in self._of(lane)
            if breaker.open_until
        )

    def attempt(self, lane: Lane) -> None:
        """Marks the half-open probe as taken."""
        if not self._breakers:
            return
        now = self._clock.monotonic()
        for _, breaker in self._of(lane):
            if breaker.open_until and now >= breaker.open_until:
                breaker.probing_since = now

    def success(self, lane: Lane) -> None:
        """Closes the lane's breakers; what only larger calls met stays."""
        if not self._breakers:
            return
        for key, _ in self._of(lane):
            del self._breakers[key]

    def failure(self, lane: Lane, failed: UpstreamFailure) -> None:
        """Counts outages, rate limits and refused keys; the caller's own mistakes say nothing about the endpoint."""
        kind, retry_after = failed.kind, failed.retry_after
        limited = kind is FailureClass.RATE_LIMITED
        at_once = kind in (FailureClass.AUTH, FailureClass.QUOTA) or (limited and retry_after is not None)
        if not at_once and kind not in OUTAGES and not limited:
            self.abandoned(lane)
            return
        if retry_after is not None and retry_after <= 0:
            retry_after = None
        # A 403 is as often about one model, or one object that a caller named, as about the key.
        alone = limited or (kind is FailureClass.AUTH and failed.status == 403)
        breaker = self._breaker((lane.endpoint, lane.credential, lane.model if alone else ""))
        half_open = breaker.probing_since is not None
        self.abandoned(lane)
        reach = lane.tokens // _SIMILAR if limited and lane.tokens >= _LARGE_TOKENS else 0
        breaker.from_tokens = min(breaker.from_tokens, reach) if breaker.failures else reach
        breaker.failures += 1
        if half_open:
            breaker.pause_s = min(_MAX_PAUSE_S, breaker.pause_s * 2)
        if at_once or half_open or breaker.failures >= _FAILURES_TO_OPEN:
            pause = breaker.pause_s if retry_after is None else min(_MAX_PAUSE_S, retry_after)
            breaker.open_until = self._clock.monotonic() + pause
            if retry_after is not None:
                breaker.asked_until = breaker.open_until

    def abandoned(self, lane: Lane) -> None:
        """A probe ended without a verdict (the caller left): the next call may probe."""
        for _, breaker in self._of(lane):
            breaker.probing_since = None

    def asked_to_wait(self, lane: Lane) -> float:
        """Seconds for which the endpoint itself asked for no such calls (Retry-After)."""
        if not self._breakers:
            return 0.0
        now = self._clock.monotonic()
        return max((breaker.asked_until - now for _, breaker in self._of(lane)), default=0.0)

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

    def troubles(self, endpoint: str) -> list[Trouble]:
        """An endpoint's breakers that count failures, in this process. Whose own keys are meant is not said."""
        now = self._clock.monotonic()
        return [
            Trouble(
                model,
                "operator" if whose == "operator" else "own key",
                b.failures,
                max(0.0, b.open_until - now),
            )
            for (name, whose, model), b in self._breakers.items()
            if name == endpoint
        ]

    def reset(self, endpoint: str) -> None:
        """Forgets an endpoint's breakers (a key was just saved)."""
        for key in [k for k in self._breakers if k[0] == endpoint]:
            del self._breakers[key]

    def _of(self, lane: Lane) -> Sequence[tuple[tuple[str, str, str], Breaker]]:
        """The breakers there are that concern the lane: the endpoint's for this credential, and the model's."""
        keys = [(lane.endpoint, lane.credential, model) for model in {"", lane.model}]
        found = [(key, breaker) for key in keys if (breaker := self._breakers.get(key)) is not None]
        return [(key, breaker) for key, breaker in found if lane.tokens >= breaker.from_tokens]

    def _breaker(self, key: tuple[str, str, str]) -> Breaker:
        breaker = self._breakers.setdefault(key, Breaker())
        self._breakers.move_to_end(key)
        if len(self._breakers) > _MAX_BREAKERS:
            self._breakers.popitem(last=False)
        return breaker
