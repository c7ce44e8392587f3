"""What a large catalogue costs: offers beside those that ship, each of a model of its own.

    PYTHONPATH=backend python bench/catalogue_growth.py [OFFERS ...]     # 0 10000 50000

Prints CPU milliseconds of making the registry, changing one price, a search, the whole list as OpenAI's clients read it, and a
recommendation, for each size.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from agent_marketplace.app import build
from agent_marketplace.catalog import bundled
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot
from agent_marketplace.settings import load

WORDS = ["qwen3", "llama", "claude", "mistral", "phi", "gemma", "deepseek", "coder", "instruct", "vision", "chat", "mini", "large", "opus"]
TASK = "Debug my asyncio test"


def larger(base: Snapshot, more: int) -> Snapshot:
    """The snapshot with `more` models that have an offer each."""
    chance = random.Random(3)
    like = [m for m in base.models if m.kind == "chat" and any(o.price for o in m.offers)]
    made: list[ModelRecord] = []
    for n in range(more):
        one = chance.choice(like)
        name = f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{n}"
        offer = next(o for o in one.offers if o.price)
        offer = msgspec.structs.replace(offer, id=f"openai/{name}", model_id=name, provider="openai", upstream_id=name)
        made.append(msgspec.structs.replace(one, id=name, name=name, aliases=(), successor=None, offers=(offer,)))
    return msgspec.structs.replace(base, models=(*base.models, *made))


def dearer(snapshot: Snapshot) -> Snapshot:
    """With one price changed."""
    first = snapshot.models[-1]
    offer = first.offers[0]
    assert offer.price is not None
    price = msgspec.structs.replace(offer.price, input=offer.price.input + 1)
    changed = msgspec.structs.replace(first, offers=(msgspec.structs.replace(offer, price=price),))
    return msgspec.structs.replace(snapshot, models=(*snapshot.models[:-1], changed))


async def cost(label: str, work: Callable[[], Any], times: int = 3) -> None:
    best = 1e9
    for _ in range(times):
        began = time.process_time()
        found = work()
        if isinstance(found, Awaitable):
            await found
        best = min(best, time.process_time() - began)
    print(f"  {label:40} {best * 1000:8.1f} ms of CPU")


async def measure(more: int) -> None:
    snapshot = larger(bundled(), more)
    offers = sum(len(m.offers) for m in snapshot.models)
    print(f"{offers} offers, {len(snapshot.models)} models")
    with tempfile.TemporaryDirectory() as folder:
        market = build(
            load({"MARKETPLACE_DATA_DIR": folder, "MARKETPLACE_LOCAL_MODEL": "off", "OPENAI_API_KEY": "none"})
        )
        registry, engine = market.registry, market.engine
        await cost("the registry is made", lambda: registry.set_snapshot(snapshot), 1)
        market.refresh_availability()
        state = [snapshot]

        def change() -> None:
            state[0] = dearer(state[0])
            registry.set_snapshot(state[0])

        await cost("one price changes", change)
        await cost("search: claud opus", lambda: registry.search_models("claud opus", 20))
        await cost("list, first page", lambda: registry.query({"limit": "50"}))
        await cost("vision by price, first page", lambda: registry.query({"capability": "vision", "sort": "price", "limit": "50"}))
        await cost("recommendation, first after a change", lambda: engine.recommend(None, TASK), 1)
        await cost("recommendation", lambda: engine.recommend(None, TASK))
        market.accounts.close()
        market.reports.close()
        market.db.close()
    assert Path(folder)


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [0, 10_000, 50_000]:
        asyncio.run(measure(size))
