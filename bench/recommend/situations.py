"""A hundred and thirty-two buyers' situations: what is read off their words, and what the first pick must hold. One command:

    PYTHONPATH=backend .venv/bin/python bench/recommend/situations.py

Each row of data/situations.jsonl is {task, options?, reads?, type?, first?, notes?, nearest?, unsure?}: conditions that have to be read, types
that a careful reader could give, what the first pick has to be, words of a note, whether what comes nearest has to be named, and
whether it has to ask back (`unsure`).
Providers with keys: OpenAI, Anthropic, Google, Hugging Face; the wallet has $5. No network. Exit 1 if anything is broken.
"""

import asyncio
import json
import pathlib
import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.clock import ManualClock
from agent_marketplace.recommend.ai_recommendation_engine import (
    RecommendationEngine,
    Recommendations,
)
from agent_marketplace.recommend.estimate import CostRange
from agent_marketplace.recommend.needs import gives
from agent_marketplace.recommend.question import MANY_CALLS

ROWS = pathlib.Path(__file__).resolve().parent / "data/situations.jsonl"
NOVEMBER_2026 = 1_796_000_000_000
KEYS = ("openai", "anthropic", "google", "huggingface", "local")


class _Customer:
    balance = Decimal(5)
    api_keys: Mapping[str, str] = {}


class _Accounts:
    async def get_user(self, _user_id: str) -> _Customer:
        return _Customer()


def engine() -> RecommendationEngine:
    clock = ManualClock(NOVEMBER_2026)
    registry = MarketplaceRegistry(clock=clock)
    registry.set_availability(dict.fromkeys(KEYS))
    return RecommendationEngine(registry, _Accounts(), clock=clock)


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text().splitlines() if line.strip()]


def ask(asked: RecommendationEngine, row: Mapping[str, Any]) -> Recommendations:
    return asyncio.run(asked.recommend("u", row["task"], **row.get("options", {})))


def broken(asked: RecommendationEngine, row: Mapping[str, Any], got: Recommendations) -> Iterator[str]:
    """What a row asks for and the answer does not hold; in words."""
    read = {u["id"]: u["value"] for u in got.understood}
    for kind, value in row.get("reads", {}).items():
        if kind not in read or not _same(read[kind], value):
            yield f"{kind} should be read as {value}, not {read.get(kind)}"
    if "notes" in row and not any(row["notes"] in note for note in got.notes):
        yield f"no note says {row['notes']!r}"
    if row.get("unsure") and not got.analysis.get("question"):
        yield "nobody said what to do, and nothing is asked back"
    if row.get("nearest") and not got.nearest:
        yield "nothing fits and nothing near is named"
    if not got.recommendations and not got.nearest and not got.notes:
        yield "no pick and no word why"
    if got.recommendations:
        yield from _roles(got.recommendations, read)
        yield from _first(asked, got.recommendations[0], row.get("first", {}))


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and re.fullmatch(r"[\d.]+", wanted):
        return abs(Decimal(str(found)) - Decimal(wanted)) <= Decimal("1E-8")
    return bool(found == wanted)


def _roles(picks: list[dict[str, Any]], read: Mapping[str, Any]) -> Iterator[str]:
    """Contradictions between picks, and picks beyond a cap or a deadline that was read."""
    first = picks[0]
    for pick in picks:
        if "cheapest" in pick["roles"] and pick["cost_range"]["p50"] > first["cost_range"]["p50"]:
            yield f"the cheapest ({pick['model'].id}) is dearer than the first"
        if "fastest" in pick["roles"] and pick["seconds"] > first["seconds"]:
            yield f"the fastest ({pick['model'].id}) is slower than the first"
        if pick["cost_range"]["p50"] == 0 and "costs" in (pick["gives_up"] or ""):
            yield f"{pick['model'].id} costs nothing and is said to cost something"
        cost = CostRange(*(int(pick["cost_range"][p] * 10**9) for p in ("p50", "p95")))
        most = cost.mean if read.get("calls", 1) >= MANY_CALLS else cost.p95
        if "max_cost" in read and most > Decimal(str(read["max_cost"])) * 10**9 + 1:
            yield f"{pick['model'].id} may cost {most} nano-dollars, more than ${read['max_cost']}"
        if "deadline_s" in read and pick["seconds"] > read["deadline_s"]:
            yield f"{pick['model'].id} takes {pick['seconds']} s"


def _first(asked: RecommendationEngine, pick: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    model, cost = pick["model"], pick["cost_range"]
    offer = next(o for o in asked.registry.offers(model.id) if o.provider == pick["provider"])
    holds = {
        "max_p50": lambda v: cost["p50"] <= Decimal(v),
        "max_p95": lambda v: cost["p95"] <= Decimal(v),
        "makers": lambda v: model.maker in v,
        "not_makers": lambda v: model.maker not in v,
        "provider": lambda v: pick["provider"] in v,
        "tag": lambda v: v in model.tags,
        "model": lambda v: model.id.startswith(v),
        "takes": lambda v: set(v) <= set(offer.input_modalities),
        "gives": lambda v: gives(model, v),
        "role": lambda v: v in pick["roles"],
    }
    for name, value in wanted.items():
        if not holds[name](value):
            yield f"first pick {model.id} (${cost['p50']:f} to ${cost['p95']:f}) breaks {name} {value}"


def main() -> int:
    asked, bad, typed = engine(), 0, []
    for row in rows():
        got = ask(asked, row)
        faults = list(broken(asked, row, got))
        if "type" in row:
            typed.append(got.analysis["type"] in row["type"])
            if not typed[-1]:
                print(f"type {got.analysis['type']} for {row['type'][0]}: {row['task'][:80]}")
        bad += bool(faults)
        for fault in faults:
            print(f"FAULT {row['task'][:70]!r}: {fault}")
    print(f"{len(rows())} situations, {bad} with a fault; task type right in {sum(typed)} of {len(typed)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
