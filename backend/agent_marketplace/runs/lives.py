"""The runs that this process drives now, and those of its chat answers that have just ended."""

import asyncio
from collections.abc import Sequence

from agent_marketplace.net.drain import Drain
from agent_marketplace.runs.live import DETACHED_S, Listener, Live
from agent_marketplace.runs.records import Records
from agent_marketplace.runs.types import Head

LEASE_MS = 30_000
MOST_OF_A_USER = 16


class Lives:
    """By their ids."""

    def __init__(self, drain: Drain, records: Records) -> None:
        self._drain = drain
        self._records = records
        self._lives: dict[str, Live] = {}
        self._attached = False

    def take(self, head: Head) -> Live:
        """This worker begins to drive a run."""
        if not self._attached:
            self._attached = True
            self._drain.at_end(self._leave)
        live = self._lives[head.run_id] = Live(head.run_id, head.user_id, head.epoch)
        return live

    def drop(self, live: Live) -> None:
        """Unless it was taken anew meanwhile."""
        if self._lives.get(live.id) is live:
            del self._lives[live.id]

    def here(self, run_id: str, user_id: str) -> Live | None:
        """The run, where this worker drives it (or has just flown it)."""
        live = self._lives.get(run_id)
        return live if live is not None and live.user_id == user_id else None

    def knows(self, run_id: str) -> bool:
        return run_id in self._lives

    def working(self, user_id: str) -> int:
        """How many of a user are under way."""
        return sum(live.user_id == user_id and not live.finished for live in self._lives.values())

    def under_way(self) -> list[Live]:
        return [live for live in self._lives.values() if not live.finished]

    def driven(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(self._lives)

    async def first(self, live: Live, *, wait_s: float = 10.0) -> None:
        """Returns once there is something to send, or after ten seconds. Raises the run's error if it failed before."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while not live.events and not live.finished and (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await live.wait()
            except TimeoutError:
                break
        if live.failed is not None and not live.events:
            raise live.failed

    async def listen(self, live: Live, after: int = -1) -> Listener:
        """A listener for the events after number `after`, those from before this worker took the run included."""
        kept: Sequence[tuple[int, bytes]] = ()
        if after + 1 < live.base:
            kept = await self._records.events(await self._records.head(live.id))
        return Listener(live, after, self._heard, kept)

    def _heard(self, live: Live, change: int) -> None:
        """One listener more or less; a chat answer ends when nobody listens for two minutes, a run of an agent goes on."""
        live.listeners += change
        if live.timer is not None:
            live.timer.cancel()
            live.timer = None
        if live.listeners == 0 and not live.finished and live.abandoned is not None:
            live.timer = asyncio.get_running_loop().call_later(DETACHED_S, live.abandoned, live)

    async def close(self) -> None:
        """Ends every task."""
        tasks = {live.task for live in self._lives.values() if live.task is not None and not live.task.done()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _leave(self) -> None:
        for live in self.under_way():
            live.leave()
