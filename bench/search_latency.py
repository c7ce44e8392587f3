"""Latency of catalogue search in process: `python bench/search_latency.py [--rounds N]`; prints one line of JSON.

Queries: every alias, name and upstream id of the catalogue, each of them with one letter dropped, and phrases that people type.
"""

import argparse
import json
import random
import statistics
import time

from agent_marketplace.catalog import MarketplaceRegistry

PHRASES = (
    "claud opus", "gpt 5 mini", "lama 3 70b", "cheap vision", "free code", "sonet", "deepsek", "qwen coder", "long context",
    "best coding model",
    "open source reasoning", "image generation", "cheapest long context", "anthropic", "hiaku", "gemni flash", "zzzzzzzz", "a", "",
    "an affordable multimodal model with tools and a long context for my agents please",
)  # fmt: skip


def queries(registry: MarketplaceRegistry, seed: int) -> list[str]:
    """All names, and each with a typing mistake."""
    names = {n for m in registry.get_all_models() for n in (m.id, m.name, *m.aliases)}
    names |= {o.upstream_id for m in registry.get_all_models() for o in registry.offers(m.id)}
    random.seed(seed)
    ordered = sorted(names)
    broken = []
    for name in ordered:
        at = random.randrange(len(name))  # noqa: S311  not a secret
        broken.append(name[:at] + name[at + 1 :])
    return [*ordered, *broken, *PHRASES]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    begun = time.perf_counter()
    registry = MarketplaceRegistry()
    built = time.perf_counter() - begun
    asked = queries(registry, arguments.seed)
    times, busy = [], []
    for _ in range(arguments.rounds):
        for query in asked:
            begun, worked = time.perf_counter(), time.process_time()
            registry.search_models(query)
            times.append((time.perf_counter() - begun) * 1000)
            busy.append((time.process_time() - worked) * 1000)
    cuts, cpu = statistics.quantiles(times, n=1000), statistics.quantiles(busy, n=1000)
    result = {
        "queries": len(asked), "models": len(registry.get_all_models()), "build_ms": round(built * 1000, 1), "p50_ms": round(cuts[499], 3),
        "p99_ms": round(cuts[989], 3), "p999_ms": round(cuts[998], 3), "max_ms": round(max(times), 3),
        "cpu_p50_ms": round(cpu[499], 3), "cpu_p99_ms": round(cpu[989], 3),
    }  # fmt: skip
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main()
