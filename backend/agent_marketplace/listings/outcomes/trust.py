"""What users may trust: figures measured from settled runs by others, ratings from those who paid, reports to the operator.

An author's view is made here too, of the same rows: counts, sums and classes, from at least five users where a single user's
runs could be told from it. None of its queries reads a table that holds anything sealed.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Forbidden, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.listings import store as listed
from agent_marketplace.listings.outcomes import store
from agent_marketplace.listings.outcomes.types import Figures, OwnFigures, Quote, Rating, Report, Review
from agent_marketplace.listings.types import Head

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
WINDOW_MS = 30 * DAY_MS
MEASURED = 20  # runs of a version before its costs are called measured
FEWEST_USERS = 5
LOOKED_AT = 2_000  # runs: medians are of the last so many
Why = Literal["harmful", "deceives", "copied", "leaks data", "broken", "other"]


class Trust:
    """Figures, ratings, reports."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def figures(self, agent_id: str) -> Figures:
        """What an agent's card says of its last 30 days."""
        since = self._clock.now_ms() - WINDOW_MS
        return await self._db.read(lambda c: _figures(c, agent_id, since))

    async def short(self, agent_ids: Sequence[str]) -> dict[str, Figures]:
        """Runs, payers, success and rating of many agents at once; an agent without runs or ratings is absent."""
        since = self._clock.now_ms() - WINDOW_MS

        def work(connection: sa.Connection) -> dict[str, Figures]:
            sums, stars = store.sums(connection, since, agent_ids), store.stars(connection, agent_ids)
            return {
                agent_id: Figures(
                    runs=row.runs if (row := sums.get(agent_id)) is not None else 0,
                    payers=row.payers if row is not None else 0,
                    success=_share(int(row.delivered), row.runs) if row is not None else None,
                    rating=rating(stars.get(agent_id, [])),
                )
                for agent_id in sums.keys() | stars.keys()
            }

        return await self._db.read(work)

    async def quote(self, agent_id: str, version: int) -> Quote:
        """What delivered runs of this version by others cost; without 20 of them only how many there are."""
        found = sorted(await self._db.read(lambda c: store.costs(c, agent_id, version, LOOKED_AT)))
        if len(found) < MEASURED:
            return Quote(n=len(found))
        return Quote(n=len(found), p50_nano=quantile(found, 50), p90_nano=quantile(found, 90))

    async def reviews(self, agent_id: str, limit: int = 50) -> list[Review]:
        """Ratings with words, newest first, without names."""
        return await self._db.read(lambda c: store.reviews(c, agent_id, limit))

    async def rate(
        self, user_id: str, publisher: str, slug: str, run_id: str, stars: int, words: str
    ) -> None:
        """Rates an agent by a run of one's own, once a user and agent: the last counts.

        Raises NotFound (no such run of the caller's), Forbidden (`not_rateable`: own agent, not delivered, not paid, refunded).
        """
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            head, row = _head(connection, publisher, slug), store.locked(connection, run_id)
            if row is None or row.payer_id != user_id or row.agent_id != head.agent_id:
                raise NotFound("You have no such run of this agent")
            paid = row.fee_nano > 0 or (row.model_nano > 0 and store.has_paid(connection, user_id))
            if (
                row.own
                or listed.kin(connection, user_id, head.user_id)
                or row.ended_at is None
                or not row.delivered
                or not paid
                or store.refunded(connection, run_id)
            ):
                raise Forbidden(
                    "Ratings are of delivered, paid runs of others' agents that were not refunded",
                    code="not_rateable",
                )
            store.rate(
                connection,
                {"agent_id": head.agent_id, "user_id": user_id, "run_id": run_id, "version": row.version, "stars": stars,
                 "words": words.strip(), "at": now},
            )  # fmt: skip

        await self._db.write(work)

    async def report(
        self, user_id: str, publisher: str, slug: str, version: int, why: Why, words: str
    ) -> None:
        """Tells the operator about a version, once until it is closed. Raises NotFound."""
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            head = _head(connection, publisher, slug)
            if listed.version(connection, head.agent_id, version) is None:
                raise NotFound("No such version")
            store.report(
                connection,
                {"report_id": new_id("rep"), "agent_id": head.agent_id, "version": version, "user_id": user_id, "why": why,
                 "words": words.strip(), "at": now, "closed_at": None},
            )  # fmt: skip

        await self._db.write(work)

    async def open_reports(self, limit: int = 100) -> list[Report]:
        """For administrators: reports that wait, oldest first."""
        return await self._db.read(lambda c: store.open_reports(c, limit))

    async def own(self, user_id: str, agent_id: str, days: int = 30) -> OwnFigures:
        """What an author sees. Raises NotFound, BadRequest."""
        if not 1 <= days <= 365:
            raise BadRequest("days is 1 to 365")
        since = self._clock.now_ms() - days * DAY_MS

        def work(connection: sa.Connection) -> OwnFigures:
            head = listed.head(connection, agent_id)
            if head is None or head.user_id != user_id:
                raise NotFound("No such agent")
            return _own(connection, agent_id, since)

        return await self._db.read(work)


def _head(connection: sa.Connection, publisher: str, slug: str) -> Head:
    head = listed.head_at(connection, publisher, slug)
    if head is None or head.visibility == "private":
        raise NotFound("No such agent")
    return head


def _figures(connection: sa.Connection, agent_id: str, since: int) -> Figures:
    row = store.sums(connection, since, [agent_id]).get(agent_id)
    stars = rating(store.stars(connection, [agent_id]).get(agent_id, []))
    if row is None:
        return Figures(rating=stars)
    runs = store.recent(connection, agent_id, since, LOOKED_AT)
    good = [run for run in runs if run.delivered]
    count, back, _ = store.refunds(connection, agent_id, since)
    return Figures(
        runs=row.runs,
        payers=row.payers,
        success=_share(int(row.delivered), row.runs),
        refunded=_share(back, count),
        cost_p50_nano=quantile(sorted(int(run.cost) for run in good), 50),
        took_p50_ms=quantile(sorted(int(run.took_ms) for run in good), 50),
        rating=stars,
    )


def _own(connection: sa.Connection, agent_id: str, since: int) -> OwnFigures:
    row = store.sums(connection, since, [agent_id]).get(agent_id)
    _, _, revenue = store.refunds(connection, agent_id, since)
    runs = row.runs if row is not None else 0
    if row is None or row.payers < FEWEST_USERS:
        return OwnFigures(since=since, runs=runs, revenue_nano=revenue, enough=False)
    found = store.recent(connection, agent_id, since, LOOKED_AT)
    took = sorted(int(run.took_ms) for run in found if run.delivered)
    days = store.by_day(connection, agent_id, since, FEWEST_USERS)
    stars = store.stars(connection, [agent_id]).get(agent_id, [])
    return OwnFigures(
        since=since,
        runs=runs,
        revenue_nano=revenue,
        enough=True,
        users=row.payers,
        delivered=int(row.delivered),
        took_p50_ms=quantile(took, 50),
        took_p90_ms=quantile(took, 90),
        errors=store.errors(connection, agent_id, since, FEWEST_USERS),
        days={(_EPOCH + timedelta(days=day)).isoformat(): counts for day, counts in days.items()},
        rating=rating(stars) if len(stars) >= FEWEST_USERS else None,
    )


def rating(stars: Sequence[int]) -> Rating:
    """n, mean, and a 95 % interval of the mean: as if one person more had given 1 star and another 5, so that few are not sure."""
    if not stars:
        return Rating()
    seen = [*stars, 1, 5]
    middle = sum(seen) / len(seen)
    spread = math.sqrt(sum((s - middle) ** 2 for s in seen) / (len(seen) - 1) / len(seen))
    low, high = max(middle - 1.96 * spread, 1.0), min(middle + 1.96 * spread, 5.0)
    return Rating(n=len(stars), mean=sum(stars) / len(stars), low=low, high=high)


def quantile(ordered: Sequence[int], per_cent: int) -> int | None:
    """The nearest-rank quantile of an ordered sample; None of an empty one."""
    return ordered[max(math.ceil(len(ordered) * per_cent / 100) - 1, 0)] if ordered else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
