"""What operators watch, read off the running parts when it is asked for: nothing is counted twice, little on the hot path."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from agent_marketplace.api.counting import Answered
from agent_marketplace.app import Market
from agent_marketplace.errors import Unavailable


class _Answers(Collector):
    def __init__(self, answered: Answered) -> None:
        self._answered = answered

    def collect(self) -> list[Metric]:
        family = CounterMetricFamily("marketplace_requests", "Answers of this process", labels=["kind", "status"])
        for (kind, status), count in sorted(self._answered.items()):
            family.add_metric([kind, str(status)], count)
        return [family]


async def render_metrics(market: Market, answered: Answered) -> bytes:
    """Prometheus text. One small read of the database; where that fails `marketplace_database_up` is 0 and the rest stands."""
    registry = CollectorRegistry()
    registry.register(_Answers(answered))
    _process(market, registry)
    up = Gauge("marketplace_database_up", "1 if the database answered just now", registry=registry)
    try:
        await _stored(market, registry)
        up.set(1)
    except Unavailable:
        up.set(0)
    return generate_latest(registry)


def _process(market: Market, registry: CollectorRegistry) -> None:
    """What this process knows without asking anybody."""
    active = Gauge("marketplace_active_calls", "Calls between admission and settlement", registry=registry)
    active.set(market.drain.active)
    draining = Gauge("marketplace_draining", "1 from the first stop signal on", registry=registry)
    draining.set(int(market.drain.draining))
    ready = Gauge("marketplace_local_model_ready", "1 while the embedded model answers", registry=registry)
    ready.set(int(market.local.status.ready))
    models = Gauge("marketplace_models", "Models in the catalogue", ["available"], registry=registry)
    listed = market.registry.get_all_models()
    models.labels("true").set(sum(m.is_available for m in listed))
    models.labels("false").set(sum(not m.is_available for m in listed))
    calls = Gauge(
        "marketplace_offer_calls", "Calls since start, by offer and verdict", ["model", "provider", "ok"], registry=registry
    )
    for (model, provider), samples in list(market.health.samples.items()):
        calls.labels(model, provider, "true").set(samples.ok)
        calls.labels(model, provider, "false").set(samples.failed)
    connections = Gauge("marketplace_database_connections", "The pool's connections", ["state"], registry=registry)
    for state, count in market.db.connections().items():
        connections.labels(state).set(count)


async def _stored(market: Market, registry: CollectorRegistry) -> None:
    """What all processes share."""
    totals = await market.ledger.totals()
    holds = Gauge("marketplace_open_holds", "Holds that wait for settlement", registry=registry)
    holds.set(totals.open_holds)
    held = Gauge("marketplace_held_nanodollars", "What open holds keep, 10^-9 dollars", registry=registry)
    held.set(totals.held_nano)
    shared = Gauge(
        "marketplace_ledger_nanodollars", "Shared accounts as of the last roll-up; platform:absorbed should stay near 0",
        ["account"], registry=registry,
    )  # fmt: skip
    for account, amount in totals.shared.items():
        shared.labels(account).set(amount)
    secrets = Gauge(
        "marketplace_vault_rows",
        "Sealed rows by master key; none may be under a key you drop",
        ["key_id"],
        registry=registry,
    )
    for key_id, rows in (await market.vault.count_by_key()).items():
        secrets.labels(key_id).set(rows)
