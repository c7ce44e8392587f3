"""Money under faults that no clock and no thread decides: see `tests.fakes.simulated`; `make trials` runs thousands of schedules."""

import logging

import pytest

from tests.fakes import simulated


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="agent_marketplace")


def test_no_schedule_of_faults_loses_doubles_or_keeps_money() -> None:
    assert simulated.run(range(25)) > 250


def test_a_seed_is_a_schedule_that_runs_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, int]] = []
    judge = simulated.Schedule._judge

    def listen(story: simulated.Schedule) -> None:
        judge(story)
        told.append(story.told)

    monkeypatch.setattr(simulated.Schedule, "_judge", listen)
    simulated.run([7, 7])
    assert told[0] == told[1] != {}


def test_a_database_that_forgets_what_it_confirmed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated.Data, "_committed", lambda _self, _durable: None)
    with pytest.raises(AssertionError) as caught:
        simulated.run(range(40))
    assert any("seed" in note for note in caught.value.__notes__)
