"""Brings what this installation experienced to the engine: reads it now and then, and takes people's signals."""

import asyncio
from collections.abc import Callable, Mapping

import sqlalchemy as sa

from agent_marketplace.arena import store as arena
from agent_marketplace.arena.leaderboard import Board, board, standings
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.recommend import store
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.calibration import Calibration, calibration
from agent_marketplace.recommend.history import DAY_MS, History, Window
from agent_marketplace.recommend.learning import (
    HALF_LIFE_DAYS,
    REASONS,
    SIGNALS,
    Experience,
    holds_of,
    lengths_of,
    own_lengths,
    rate,
    thumbs_of,
    trend,
)

_PERIODS = {"day": DAY_MS, "week": 7 * DAY_MS, "month": 30 * DAY_MS}
_VOTE_DAYS = 6 * HALF_LIFE_DAYS  # older votes weigh less than 2 %


BOARD_MS = 60_000
_MOST_BOARDS = 64


class Learner:
    """`refresh` regularly (about once a minute); `signal` for thumbs and the like."""

    def __init__(
        self, db: Database, clock: Clock, engine: RecommendationEngine, *, everybody_trusted: bool = False
    ) -> None:
        self._db = db
        self._everybody = everybody_trusted
        self._clock = clock
        self._engine = engine
        self._history = History(everybody=everybody_trusted)
        self._one = asyncio.Lock()
        self._boards: dict[tuple[int, str | None], tuple[int, Board]] = {}

    def trust_everybody(self, *, everybody: bool) -> None:
        """Whether every account is one that somebody vouches for, as where nobody can sign up alone."""
        if everybody != self._everybody:
            self._everybody, self._history = everybody, History(everybody=everybody)

    async def refresh(self) -> Experience:
        """Reads new usage, stars and signals, and hands the engine a new snapshot."""
        async with self._one:
            now = self._clock.now_ms()
            history = self._history = self._history.next(now)
            experience = await self._db.read(lambda c: collect(c, history, now, self._engine.public_points))
            self._engine.set_experience(experience)
        return experience

    async def signal(self, user_id: str, request_id: str, kind: str, reason: str = "") -> None:
        """Notes what a user did with an answer (SIGNALS; `thumb_none` takes a thumb back). reason: why a thumb points down, one
        of REASONS. Raises BadRequest, NotFound."""
        if reason and (kind != "thumb_down" or reason not in REASONS):
            raise BadRequest(f"reason goes with thumb_down, and is one of {', '.join(REASONS)}")
        if kind != "thumb_none" and kind not in SIGNALS:
            raise BadRequest(f"Unknown signal {kind[:40]!r}; known: {', '.join([*SIGNALS, 'thumb_none'])}")
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> bool:
            model = store.model_of(connection, user_id, request_id)
            if model is None:
                return False
            if kind == "thumb_none":
                store.clear_thumbs(connection, user_id, request_id)
            else:
                store.put_signal(connection, user_id, request_id, model, kind, now, reason)
            return True

        if not await self._db.write(work):
            raise NotFound("There is no such answer of yours")

    async def thumb(self, user_id: str, request_id: str) -> tuple[str, str] | None:
        """(kind, reason) of the thumb that a user gave an answer."""
        return await self._db.read(lambda c: store.thumb_of(c, user_id, request_id))

    async def leaderboard(self, *, days: int, task: str | None = None) -> Board:
        """What blind votes of the last `days` say. One that was worked out less than BOARD_MS ago is given again."""
        async with self._one:
            now, key = self._clock.now_ms(), (days, task)
            made = self._boards.get(key)
            if made is None or not 0 <= now - made[0] < BOARD_MS:
                history = self._history = self._history.next(now)

                def work(connection: sa.Connection) -> Board:
                    history.catch_up(connection, now)
                    return board(arena.ballots(connection, now - days * DAY_MS), history, task=task)

                if len(self._boards) >= _MOST_BOARDS:
                    self._boards.clear()
                made = self._boards[key] = now, await self._db.read(work)
        return made[1]

    async def calibration(self, user_id: str, days: int) -> Calibration:
        """How the estimates of a user's calls of the last `days` compare with what was charged."""
        since = self._clock.now_ms() - days * DAY_MS
        return calibration(await self._db.read(lambda c: store.estimates(c, user_id, since)))

    async def may_rate(self, user_id: str, model_id: str) -> bool:
        """Whether a user had an answer of a model that was paid for, or any answer, if the account is trusted."""
        return await self._db.read(
            lambda c: store.answered(
                c, user_id, model_id, free_too=self._everybody or store.is_trusted(c, user_id)
            )
        )

    @staticmethod
    def erase_user_in(connection: sa.Connection, user_id: str) -> None:
        """Deletes a user's signals with the account."""
        store.erase_user(connection, user_id)


def collect(
    connection: sa.Connection,
    history: History,
    now_ms: int,
    public_points: Callable[[], Mapping[str, float]] = dict,
) -> Experience:
    """One consistent snapshot as of `now_ms`; `history` catches up first. public_points: quality of models without what is learnt."""
    history.catch_up(connection, now_ms)
    windows = [Window(now_ms - _PERIODS["month"], now_ms + 1)]
    for span in _PERIODS.values():
        windows += [Window(now_ms - span, now_ms), Window(now_ms - 2 * span, now_ms - span)]
    uses, *periods = history.uses(windows)
    answers = list(history.answers())
    since = now_ms - round(_VOTE_DAYS * DAY_MS)
    ballots, votes = arena.ballots(connection, since), store.votes(connection, since, history)
    return Experience(
        lengths=lengths_of(answers),
        own=own_lengths(answers),
        holds=holds_of(answers),
        ratings=rate(votes, now_ms),
        thumbs=thumbs_of(votes, now_ms),
        trending={name: trend(periods[2 * i], periods[2 * i + 1]) for i, name in enumerate(_PERIODS)},
        uses=uses,
        arena=standings(ballots, history, public_points(), now_ms) if ballots else {},
    )
