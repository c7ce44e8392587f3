"""A live call that loses its hold lets its money be held, and spent, a second time."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from agent_marketplace.gateway.pulse import Pulse, Rhythm

LIFE = 50.0


class Loop:
    """A clock and timers in the test's hand. early: timers fire so many seconds before their time."""

    def __init__(self, early: float = 0.0) -> None:
        self.now = 1000.0
        self.early = early
        self.timers: list[tuple[float, Callable[[], None], list[bool]]] = []

    def later(self, delay: float, call: Callable[[], None]):
        off: list[bool] = []
        self.timers.append((self.now + max(delay - self.early, delay / 2), call, off))
        return type("Handle", (), {"cancel": lambda _: off.append(True)})()

    async def run(self, until: float, stalls: tuple[tuple[float, float], ...] = ()) -> None:
        """Fires timers in their order. stalls: (from, to) in which the loop runs nothing at all."""
        while live := [t for t in self.timers if not t[2]]:
            at, call, off = min(live, key=lambda t: t[0])
            for begin, end in stalls:
                if begin <= at < end:
                    at = end
            if at > until:
                break
            off.append(True)
            self.now = max(self.now, at)
            call()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self.now = until


def beats(
    early: float, *, life: float = LIFE, for_s: float = 600.0, stalls=(), failing=(), slow=()
) -> list[float]:
    """When a call's heartbeats reached the database. failing: which of them (by number) the database refuses."""
    seen: list[float] = []
    tried = 0

    async def go() -> None:
        nonlocal tried
        loop = Loop(early)

        async def beat() -> None:
            nonlocal tried
            tried += 1
            if tried in failing:
                raise RuntimeError("the database is away")
            seen.append(loop.now - 1000.0)

        async def never() -> None:
            return

        pulse = Pulse(
            Rhythm(), beat, beat_every_s=Rhythm().beat_every(life), now=lambda: loop.now, later=loop.later,
            check=never, keep_alive=never,
        )  # fmt: skip
        await loop.run(1000.0 + for_s, tuple((1000.0 + a, 1000.0 + b) for a, b in stalls))
        pulse.stop()

    asyncio.run(go())
    return seen


@pytest.mark.parametrize("early", [0.0, 0.0009, 0.004, 0.02, -0.3, -3.0])
@pytest.mark.parametrize("life", [2.0, 10.0, 50.0, 120.0])
def test_a_hold_is_kept_alive_by_timers_that_fire_early_or_late(early, life) -> None:
    if -early >= life / 3:
        pytest.skip("a loop that is later than a whole beat is the next test's")
    seen = [0.0, *beats(early, life=life)]
    widest = max(b - a for a, b in pairwise(seen))
    assert widest <= life / 2, "a hold must survive one beat that is lost"
    assert seen[-1] > 600 - life / 2


def test_a_stalled_loop_beats_at_once_when_it_comes_back() -> None:
    seen = beats(0.0009, stalls=((17.0, 45.0), (100.0, 130.0)))
    assert any(45.0 <= at < 45.1 for at in seen)
    assert any(130.0 <= at < 130.1 for at in seen)
    whole = [0.0, *seen]
    assert max(b - a for a, b in pairwise(whole)) < LIFE


def test_a_beat_that_fails_is_tried_again_long_before_the_hold_expires() -> None:
    seen = [0.0, *beats(0.0, failing=(3, 4, 5, 6))]
    assert max(b - a for a, b in pairwise(seen)) < LIFE * 5 / 6


def test_silence_is_filled_only_where_it_is_silent() -> None:
    said: list[float] = []

    async def go() -> None:
        loop = Loop(0.0009)

        async def say() -> None:
            said.append(round(loop.now - 1000.0, 1))

        async def beat() -> None:
            return

        pulse = Pulse(
            Rhythm(), beat, beat_every_s=1e6, keep_alive=say, now=lambda: loop.now, later=loop.later
        )
        await loop.run(1009.0)
        pulse.touch()  # bytes at 9 s: silent from there
        await loop.run(1040.0)
        pulse.stop()
        await loop.run(1100.0)

    asyncio.run(go())
    assert said == [19.0, 29.0, 39.0]


def test_a_beat_that_does_not_come_back_is_not_begun_a_second_time_and_ends_with_the_call() -> None:
    async def go() -> None:
        loop, begun = Loop(), []

        async def beat() -> None:
            begun.append(1)
            await asyncio.Event().wait()

        pulse = Pulse(Rhythm(), beat, beat_every_s=10.0, now=lambda: loop.now, later=loop.later)
        await loop.run(1055.0)
        assert begun == [1]
        pulse.stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(go())


def test_a_caller_who_is_known_to_be_welcome_is_not_asked_about_by_a_task_each_time() -> None:
    asked: list[float] = []
    known = [True, True, False, True]

    async def test() -> None:
        loop = Loop()

        async def check() -> None:
            asked.append(loop.now - 1000.0)

        async def beat() -> None:
            return

        pulse = Pulse(
            Rhythm(check_s=1.0), beat, beat_every_s=1e6, check=check, checked=lambda: known.pop(0), now=lambda: loop.now,
            later=loop.later,
        )  # fmt: skip
        await loop.run(1004.5)
        pulse.stop()

    asyncio.run(test())
    assert [round(at) for at in asked] == [3]
