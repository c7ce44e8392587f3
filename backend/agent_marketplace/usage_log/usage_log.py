"""The room's face: the housekeeper's summing up, questions, pages of calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import msgspec

from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.db.segments import Segments
from agent_marketplace.usage_log import store
from agent_marketplace.usage_log.activity import Call, Page, Wanted
from agent_marketplace.usage_log.facts import BUCKET_MS
from agent_marketplace.usage_log.query import Asked, Found, answer
from agent_marketplace.usage_log.zones import DAY_MS

_BATCH = 400  # rows a transaction: about ten milliseconds of the one writer
_PAUSE_S = 0.01  # between two of them: what waits for the writer goes first
_EXPORTED = 1_000
Tell = Callable[[int, int], None]


class UsageLog:
    """Sums of what was used. `roll` regularly; everything else answers as if it had just been called."""

    def __init__(self, database: Database, reports: Reports, segments: Segments | None = None) -> None:
        self._database = database
        self._reports = reports
        self._segments = segments

    async def roll(self) -> int:
        """Brings what is not summed up yet into the sums, a few hundred rows a time. Returns how many. Raises Unavailable."""
        if not await self._database.read(store.waiting):
            return 0
        total = 0
        while done := await self._database.write(lambda c: store.roll(c, _BATCH), durable=False):
            total += done
            if done < _BATCH:
                break
            await asyncio.sleep(_PAUSE_S)
        return total

    async def rebuild(self, tell: Tell) -> int:
        """Makes all sums anew from the usage rows, a day at a time: figures are right at every moment, beside a server too.

        tell: days done, of how many. Returns how many rows were summed up.
        """
        total, span = await self.roll(), await self._database.read(store.span)
        if span is None:
            return total
        first, last = span[0] - span[0] % DAY_MS, span[1]
        days = range(first, last + BUCKET_MS, DAY_MS)
        for done, day in enumerate(days):
            tell(done, len(days))
            await self._database.write(
                partial(store.forget, since=day, until=day + DAY_MS, segments=self._segments)
            )
            total += await self.roll()
        tell(len(days), len(days))
        return total

    async def query(self, asked: Asked) -> Found:
        """Answers a checked question. Raises Unavailable (busy, or it took too long), RateLimited."""
        return await self._reports.read(
            lambda c: answer(asked, *store.sums(c, asked)), who=asked.user_id or ""
        )

    async def page(self, wanted: Wanted) -> Page:
        """A page of finished calls, newest first. Raises as `query`."""
        return await self._reports.read(
            lambda c: store.page(c, wanted, self._segments), who=wanted.user_id or ""
        )

    async def export(self, wanted: Wanted) -> AsyncIterator[list[Call]]:
        """All calls that fit, a thousand at a time, each read by itself."""
        after = wanted.after
        while True:
            page = await self.page(msgspec.structs.replace(wanted, after=after, limit=_EXPORTED))
            yield page.calls
            after = page.after
            if after is None:
                return
