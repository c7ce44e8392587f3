"""Where a completion's CPU time goes, by stage and by module: `PYTHONPATH=backend python bench/stages.py [calls]`.

One process, SQLite, everything on; the provider is a canned answer inside the process, so that only our own work is seen. A
profiler's overhead grows with the number of calls, so its shares are laid on the time that was measured without it. The counts of
function calls do not depend on what else the machine does.
"""

import asyncio
import cProfile
import gc
import pstats
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

from agent_marketplace import json
from agent_marketplace.app import Market, build
from agent_marketplace.gateway.record import GatewayRequest
from agent_marketplace.ids import new_id
from agent_marketplace.net.http import OutboundRequest, OutboundResponse
from agent_marketplace.settings import ProviderSettings, Settings

AT_ONCE = 32
ASKED = json.encode(
    {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is a hold?"}], "max_tokens": 64}
)
ANSWER = json.encode(
    {
        "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Money kept."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }
)  # fmt: skip


class Canned(OutboundResponse):
    """The same answer to everybody."""

    status = 200
    headers: ClassVar[dict[str, str]] = {"content-type": "application/json"}
    framed = True

    async def chunks(self) -> AsyncIterator[bytes]:
        yield ANSWER

    def cancel(self) -> None:
        return


class Provider:
    """A client that is its own provider."""

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        if request.on_written is not None:
            request.on_written()
        return Canned()

    async def close(self) -> None:
        return


async def complete(market: Market, user_id: str) -> None:
    codec = market.codecs["openai"]
    request = GatewayRequest(
        request_id=new_id("gen"), user_id=user_id, mouth=codec, call=codec.parse_request(ASKED), raw=ASKED
    )
    flight = market.router.flight(request)
    await flight.open()
    await flight.plain()


async def load(market: Market, user_id: str, calls: int) -> None:
    async def one_after_another() -> None:
        for _ in range(calls // AT_ONCE):
            await complete(market, user_id)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


async def main(calls: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(
            data_dir=Path(home), models_dir=Path(home), database_url=f"sqlite:///{home}/marketplace.db",
            local_model=False, rate_limits=False, signup_credit_nano=0,
            providers={"openai": ProviderSettings("sk-canned", "http://127.0.0.1:9/v1")},
        )  # fmt: skip
        market = build(settings, env={})
        await market.start()
        market.client.real = Provider()
        user = await market.accounts.auth.create_user("bench@example.com", "a password of the bench")
        await market.ledger.grant(user.user_id, 10**14, kind="credit")
        await load(market, user.user_id, 20 * AT_ONCE)
        gc.collect()
        gc.freeze()  # as a server does once it is ready
        began = time.thread_time()
        await load(market, user.user_id, calls)
        plain = time.thread_time() - began
        profile = cProfile.Profile(time.thread_time)
        profile.enable()
        await load(market, user.user_id, calls)
        profile.disable()
        await market.stop()
    report(pstats.Stats(profile), plain, calls)


def report(stats: pstats.Stats, plain: float, calls: int) -> None:
    """Microseconds a call: of each stage with all that it calls, and of each of our modules alone."""
    rows: dict[tuple[str, str], float] = defaultdict(float)
    own: dict[str, float] = defaultdict(float)
    counted = everything = 0.0
    for (file, _, function), (_, count, own_s, all_s, _) in stats.stats.items():  # type: ignore[attr-defined]
        name = file.partition("agent_marketplace/")[2].removesuffix(".py").replace("/", ".")
        own[name or "interpreter, asyncio, msgspec"] += own_s
        rows[name, function] += all_s
        counted += count
        everything += own_s
    scale = plain / everything / calls * 1e6
    print(f"{plain / calls * 1e6:.0f} us a call on the loop's thread, {counted / calls:.0f} function calls\n")
    print("| stage | us |\n| --- | --: |")
    rest = everything
    for words, (module, function), inside in STAGES:
        seconds = rows[module, function] - sum(rows[place] for place in inside)
        rest -= seconds
        print(f"| {words} | {seconds * scale:.0f} |")
    print(f"| the loop, waking and switching tasks, and what joins the stages | {rest * scale:.0f} |\n")
    for name, seconds in sorted(own.items(), key=lambda item: -item[1])[:30]:
        print(f"| {name} | {seconds * scale:.1f} |")


FLIGHT = "gateway.flight"
MEASURED, PREPARED = ("gateway.completing", "measure"), (FLIGHT, "_prepare")
PLANNED, HELD = ("gateway.planning", "plan"), ("ledger.ledger", "hold")
PARSED, SETTLED = ("wires.openai.codec", "parse_reply"), ("ledger.ledger", "settle")
STAGES = (
    ("parse: the client's body to a call, and that nothing else stands in it", ("wires.openai.codec", "parse_request"), ()),
    ("count: tokens for the estimate, sizes for the bound", MEASURED, ()),
    ("plan: offers, rules, what is left out", (FLIGHT, "_plan"), (MEASURED,)),
    ("size the hold", (FLIGHT, "_hold"), (HELD,)),
    ("hold: the ledger's side of the queue", HELD, ()),
    ("prepare: fit, splice, close, address", PREPARED, ()),
    ("dispatch: breakers, the try, its log", (FLIGHT, "_dispatch"), (PREPARED, PARSED)),
    ("read the provider's answer and its usage", PARSED, ()),
    ("price, receipt, statistics", (FLIGHT, "_settle"), (SETTLED,)),
    ("settle: the ledger's side of the queue", SETTLED, ()),
    ("render: the answer with our ids and its cost", (FLIGHT, "_render"), ()),
)  # fmt: skip
"""(words, where its time is counted, stages inside of it that are counted apart)."""


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3200))
