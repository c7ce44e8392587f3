"""What operators watch, read off the running parts when it is asked for: nothing is counted twice, nothing on the hot path."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agent_marketplace.app import Market


def render_metrics(market: Market) -> bytes:
    """Prometheus text."""
    registry = CollectorRegistry()
    active = Gauge("marketplace_active_calls", "Calls between admission and settlement", registry=registry)
    active.set(market.drain.active)
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
    return generate_latest(registry)
