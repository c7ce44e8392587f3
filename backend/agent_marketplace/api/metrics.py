"""What operators watch, read off the running parts when it is asked for: nothing is counted twice, little on the hot path."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from agent_marketplace.api.counting import Answered
from agent_marketplace.app import Market
from agent_marketplace.errors import Unavailable
from agent_marketplace.net.peers import Peers


class Tally(msgspec.Struct, frozen=True):
    """What one worker knows without asking anybody. answered: (kind, status, count); offers: (model, provider, ok, failed);
    provider_connections: see net.lean_pool.Counts; deaths: of workers before it began; waiting: writes; memory: bytes."""

    answered: list[tuple[str, int, int]]
    active: int
    draining: bool
    local_ready: bool
    offers: list[tuple[str, str, int, int]]
    connections: dict[str, int]
    provider_connections: dict[str, int]
    kept: int = 0
    deaths: int = 0
    waiting: int = 0
    memory: int = 0


def tally(market: Market, answered: Answered, peers: Peers | None) -> Tally:
    """This worker's."""
    return Tally(
        answered=[(kind, status, count) for (kind, status), count in answered.items()],
        active=market.drain.active,
        draining=market.drain.draining,
        local_ready=market.local.status.ready,
        offers=[(*offer, seen.ok, seen.failed) for offer, seen in market.health.samples.items()],
        connections=market.db.connections(),
        kept=market.ledger.kept,
        deaths=peers.deaths if peers is not None else 0,
        waiting=market.db.waiting,
        memory=_resident(),
        provider_connections=asdict(market.client.counts),
    )


def _resident() -> int:
    """Bytes of this process in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def read_tally(data: bytes) -> Tally:
    """Another worker's, as it came."""
    return msgspec.json.decode(data, type=Tally)


class _Answers(Collector):
    def __init__(self, workers: Sequence[Tally]) -> None:
        self._sums: Counter[tuple[str, int]] = Counter()
        for worker in workers:
            for kind, status, count in worker.answered:
                self._sums[kind, status] += count

    def collect(self) -> list[Metric]:
        family = CounterMetricFamily(
            "marketplace_requests", "Answers of all workers", labels=["kind", "status"]
        )
        for (kind, status), count in sorted(self._sums.items()):
            family.add_metric([kind, str(status)], count)
        return [family]


async def render_metrics(market: Market, workers: Sequence[Tally]) -> bytes:
    """Prometheus text: sums over the workers of this host that answered. One small read and write of the database; where that fails
    `marketplace_database_up` is 0 and the rest stands."""
    registry = CollectorRegistry()
    registry.register(_Answers(workers))
    _processes(market, workers, registry)
    up = Gauge(
        "marketplace_database_up", "1 if the database answered and took a write just now", registry=registry
    )
    try:
        await market.probe.check()
        await _stored(market, registry)
        up.set(1)
    except Unavailable:
        up.set(0)
    return generate_latest(registry)


def _processes(market: Market, workers: Sequence[Tally], registry: CollectorRegistry) -> None:
    """What the workers told."""
    counted = Gauge(
        "marketplace_workers", "Workers of this host whose figures are in these sums", registry=registry
    )
    counted.set(len(workers))
    active = Gauge("marketplace_active_calls", "Calls between admission and settlement", registry=registry)
    active.set(sum(w.active for w in workers))
    draining = Gauge("marketplace_draining", "1 from the first stop signal on", registry=registry)
    draining.set(int(any(w.draining for w in workers)))
    kept = Gauge(
        "marketplace_settlements_kept",
        "Answers that wait to be charged until the database is back",
        registry=registry,
    )
    kept.set(sum(w.kept for w in workers))
    _machinery(market, workers, registry)
    broken = Gauge(
        "marketplace_broken_bounds",
        "Offers that billed more than was held for a kind of call, until `bounds clear`",
        registry=registry,
    )
    broken.set(market.router.parts.bounds.count)
    ready = Gauge(
        "marketplace_local_model_ready",
        "1 while the embedded model answers in every worker",
        registry=registry,
    )
    ready.set(int(all(w.local_ready for w in workers)))
    models = Gauge("marketplace_models", "Models in the catalogue", ["available"], registry=registry)
    listed = market.registry.get_all_models()
    models.labels("true").set(sum(m.is_available for m in listed))
    models.labels("false").set(sum(not m.is_available for m in listed))
    calls = Gauge(
        "marketplace_offer_calls",
        "Calls since start, by offer and verdict",
        ["model", "provider", "ok"],
        registry=registry,
    )
    connections = Gauge(
        "marketplace_database_connections", "The pools' connections", ["state"], registry=registry
    )
    outward = Gauge(
        "marketplace_provider_connections",
        "Towards providers: connections in use, callers who wait for one, callers refused since the start",
        ["state"],
        registry=registry,
    )
    for worker in workers:
        for state, count in worker.provider_connections.items():
            outward.labels(state).inc(count)
        for model, provider, ok, failed in worker.offers:
            calls.labels(model, provider, "true").inc(ok)
            calls.labels(model, provider, "false").inc(failed)
        for state, count in worker.connections.items():
            connections.labels(state).inc(count)


def _machinery(market: Market, workers: Sequence[Tally], registry: CollectorRegistry) -> None:
    """Processes, memory, queues and files."""
    said = {
        "marketplace_worker_deaths": ("Workers that died since the start", max(w.deaths for w in workers)),
        "marketplace_memory_bytes": ("What the workers take", sum(w.memory for w in workers)),
        "marketplace_writes_waiting": ("Writes that wait for the database's writer", sum(w.waiting for w in workers)),
    }  # fmt: skip
    for name, (words, value) in said.items():
        Gauge(name, words, registry=registry).set(value)
    files = Gauge(
        "marketplace_database_bytes", "SQLite's file and its write-ahead log", ["part"], registry=registry
    )
    for part, size in market.db.sizes().items():
        files.labels(part).set(size)


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
    if (proven := await market.ledger.verified()) is not None:
        problems = Gauge(
            "marketplace_ledger_problems",
            "What was found wrong in the books since the last whole `ledger verify` that agreed",
            registry=registry,
        )
        problems.set(proven.problems)
        at = Gauge(
            "marketplace_ledger_verified_seconds", "When the newest checkpoint that was proven again was signed",
            registry=registry,
        )  # fmt: skip
        at.set(proven.at / 1000)
    secrets = Gauge(
        "marketplace_vault_rows",
        "Sealed rows by master key; none may be under a key you drop",
        ["key_id"],
        registry=registry,
    )
    for key_id, rows in (await market.vault.count_by_key()).items():
        secrets.labels(key_id).set(rows)
