"""A run's events as bytes: from the worker that drives it, or from the database."""

import asyncio
from collections.abc import AsyncIterator

from agent_marketplace import json
from agent_marketplace.app import Market
from agent_marketplace.runs.driving import ended
from agent_marketplace.runs.types import OVER, Head

_POLL_S = 1.0


async def heard(market: Market, head: Head, after: int) -> AsyncIterator[bytes]:
    """Events after number `after` until the run ends or waits, with comments in between; for whoever answers itself."""
    if (live := market.runs.lives.here(head.run_id, head.user_id)) is None:
        async for data in stored(market, head, after):
            yield data
        return
    with await market.runs.lives.listen(live, after) as listener:
        while (found := await listener.next()) is not None:
            yield found


async def stored(market: Market, head: Head, after: int) -> AsyncIterator[bytes]:
    """Stored events; of a run that a worker on another machine drives, until it ends."""
    records = market.runs.kit.records
    while True:
        found = [(n, event) for n, event in await records.events(head) if n > after]
        if found:
            after = found[-1][0]
            yield b"".join(event for _, event in found)
        if head.state != "running":
            if (
                head.state in OVER
                and found
                and not found[-1][1].partition(b"event: ")[2].startswith((b"done", b"error"))
            ):
                told = ended(head, await records.result(head) or "", head.spent_nano)
                yield b"id: %d\nevent: done\ndata: %s\n\n" % (
                    after + 1,
                    json.encode({"type": "done", **told}),
                )
            return
        await asyncio.sleep(_POLL_S)
        yield b": keep-alive\n\n"
        head = await records.head(head.run_id)
