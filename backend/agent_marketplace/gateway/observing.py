"""What a try that is over teaches: latency and uptime of the offer that was asked."""

from agent_marketplace.catalog.service import Catalog
from agent_marketplace.gateway import told
from agent_marketplace.gateway.health import OUTAGES, Health
from agent_marketplace.gateway.plan import Target
from agent_marketplace.gateway.record import Record
from agent_marketplace.wires.base import FailureClass

_OF_THE_KEY = frozenset(
    {FailureClass.AUTH, FailureClass.QUOTA, FailureClass.RATE_LIMITED, FailureClass.NOT_FOUND}
)


def unanswered(target: Target, kind: FailureClass, health: Health, catalog: Catalog) -> None:
    """A try that failed before its first event, once each. What the caller asked wrongly, or his own key earned, does not count."""
    if kind in OUTAGES or (kind in _OF_THE_KEY and target.credential != "byok"):
        health.record(target.model, target.provider, ok=False)
        catalog.failed(target.model, target.provider)


def observe(record: Record, health: Health, catalog: Catalog, *, ok: bool, now: float) -> None:
    """Feeds health and catalogue; now: seconds of `time.monotonic`."""
    upstream = record.upstream
    if upstream is None:
        return
    target, timing = upstream.attempt.target, told.timings(record, now)
    first, total = timing["first_token_ms"], timing["total_ms"] or 0
    seconds = (total - (first or 0)) / 1000
    rate = round(upstream.meter.running_tokens() / seconds) if seconds > 0.05 else 0
    health.record(target.model, target.provider, ok=ok, first_token_ms=first, tokens_per_s=rate)
    if ok:
        streamed = record.request.call.stream and first is not None
        first_s = first / 1000 if streamed and first is not None else None
        catalog.served(target.model, target.provider, first_token_s=first_s, tokens_per_s=rate or None)
    else:
        catalog.failed(target.model, target.provider)
