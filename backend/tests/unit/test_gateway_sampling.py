"""Calls on clients' wires teach lengths, and a heavy caller pays for that a few times an hour, not with each call."""

from agent_marketplace.clock import ManualClock
from agent_marketplace.gateway.sampling import _AN_HOUR, _PAIRS, Sampling


def test_of_a_flood_only_a_few_calls_an_hour_are_read() -> None:
    clock = ManualClock()
    sampling = Sampling(clock.monotonic)
    assert sum(sampling.due("u", "m") for _ in range(100)) == _AN_HOUR
    assert sampling.due("u", "another")
    assert sampling.due("v", "m")
    clock.advance(3600)
    assert sampling.due("u", "m")


def test_many_users_never_fill_the_memory() -> None:
    sampling = Sampling(ManualClock().monotonic)
    for n in range(_PAIRS + 10):
        sampling.due(f"u{n}", "m")
    assert len(sampling._seen) <= _PAIRS
