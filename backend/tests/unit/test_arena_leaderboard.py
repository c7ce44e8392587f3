"""The leaderboard's arithmetic against an independent one, and whose votes move it."""

import json
import random
from pathlib import Path

import pytest

from agent_marketplace.arena.ballots import DAY_MS, Ballot, Shown, duels, pairs
from agent_marketplace.arena.bradley_terry import Duel, intervals, linked, strengths
from agent_marketplace.arena.leaderboard import LEAST_VOTES, board, standings

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "bradley_terry.json").read_text())
NOW = 1_790_000_000_000
QUALITY = {"x": 70.0, "y": 70.0, "z": 60.0}


class Who:
    """Everybody paid `nano` for every model; nobody is trusted but those named."""

    def __init__(self, nano: int = 10**9, *trusted: str) -> None:
        self.nano, self.trusted = nano, trusted

    def paid(self, user: str, model: str) -> int:
        return 0 if user.startswith("sock") else self.nano

    def trusts(self, user: str) -> bool:
        return user in self.trusted


def ballot(
    user: str, vote: str, *, at: int = NOW, charge: int = 1000, agent: bool = False, **fields: str
) -> Ballot:
    models = (fields.get("a", "x"), fields.get("b", "y"))
    return Ballot(
        user_id=user, at=at, task=fields.get("task", "quick_task"), vote=vote,
        answers=tuple(
            Shown(side=side, model=model, by_name=not agent, charge_nano=charge, list_nano=1000, characters=100 + n)
            for n, (side, model) in enumerate(zip("ab", models, strict=True))
        ),
    )  # fmt: skip


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"{len(case['strengths'])} models")
def test_strengths_agree_with_an_independent_implementation(case: dict) -> None:
    """The golden file is choix 0.4.1's `opt_pairwise`, its penalty the same, each result told to it as two halves."""
    found = strengths([Duel(str(i), str(j), s) for i, j, s in case["results"]], pull=case["pull"])
    for n, expected in enumerate(case["strengths"]):
        assert found[str(n)] == pytest.approx(expected, abs=1e-5)


def test_a_model_that_never_lost_has_a_finite_strength_and_two_islands_are_not_compared() -> None:
    found = strengths([Duel("x", "y", 1.0)] * 50 + [Duel("p", "q", 1.0)])
    assert 0 < found["x"] < 10
    assert linked([Duel("x", "y", 1.0), Duel("y", "z", 0.0), Duel("p", "q", 1.0)]) == {"x", "y", "z"}


def test_intervals_are_the_same_for_the_same_votes_and_narrower_for_more() -> None:
    drawn = random.Random(3)
    some = [Duel("x", "y", float(drawn.random() < 0.7)) for _ in range(20)]
    few, many = (intervals(d, strengths(d)) for d in (some, some * 10))
    assert few == intervals(some, strengths(some))
    assert many["x"][1] - many["x"][0] < (few["x"][1] - few["x"][0]) / 2
    assert few["x"][0] < strengths(some)["x"] < few["x"][1]


def test_votes_without_paid_money_move_nothing() -> None:
    honest = [ballot(f"u{n}", "a" if n % 3 else "b", at=NOW - n * DAY_MS) for n in range(30)]
    stuffed = [ballot(f"sock{n}", "b") for n in range(500)]
    stuffed += [
        ballot(f"u{n}", "b", charge=0, at=NOW - n * DAY_MS) for n in range(30)
    ]  # answers on own keys, or free
    stuffed += [ballot(f"u{n}", "b", agent=True) for n in range(30)]
    assert board(honest + stuffed, Who()).rows == board(honest, Who()).rows
    assert standings(honest + stuffed, Who(), QUALITY, NOW) == standings(honest, Who(), QUALITY, NOW)


def test_one_user_has_one_voice_a_pair_and_day() -> None:
    flood = [ballot("u", "a", at=NOW + n) for n in range(100)] + [ballot("u", "b", a="y", b="x")]
    assert duels(pairs(flood, Who())) == [Duel("x", "y", 1.0, 1.0)]
    split = duels(
        pairs([ballot("u", "a"), ballot("u", "b"), ballot("u", "tie"), ballot("u", "both_bad")], Who())
    )
    assert split == [Duel("x", "y", 0.5, 1.0)]
    assert len(duels(pairs([ballot("u", "a"), ballot("u", "a", at=NOW + DAY_MS)], Who()))) == 2
    assert duels(pairs([ballot("u", "a")], Who(5_000_000)))[0].weight == pytest.approx(0.1)
    assert duels(pairs([ballot("sock", "a", charge=0)], Who(0, "sock")))[0].weight == 1.0


def test_what_has_too_few_votes_has_no_rank_and_says_why() -> None:
    votes = [ballot(f"u{n}", "a") for n in range(LEAST_VOTES - 1)]
    assert {(r.rank, r.why) for r in board(votes, Who()).rows} == {
        (None, f"{LEAST_VOTES - 1} of {LEAST_VOTES} votes")
    }
    votes += [ballot("last", "a"), ballot("last", "a", a="p", b="q")]
    rows = {r.model: r for r in board(votes, Who()).rows}
    assert (rows["x"].rank, rows["y"].rank, rows["p"].rank) == (1, 2, None)
    assert (rows["x"].wins, rows["x"].cost_per_win_nano) == (LEAST_VOTES, 1000)
    assert rows["y"].cost_per_win_nano is None


def test_models_whose_intervals_overlap_share_a_rank_and_bias_is_noted() -> None:
    votes = [ballot(f"u{n}", "a" if n % 2 else "b") for n in range(40)]
    found = board(votes, Who())
    assert [r.rank for r in found.rows] == [1, 1]
    assert (found.first_won.share, found.longer_won.share, found.longer_won.of) == (0.5, 0.5, 40)
    assert board(votes, Who(), task="maths").rows == ()


def test_own_votes_move_quality_from_where_public_results_put_it_and_few_move_it_little() -> None:
    few = standings([ballot(f"u{n}", "b") for n in range(3)], Who(), QUALITY, NOW)
    many = standings([ballot(f"u{n}", "b") for n in range(300)], Who(), QUALITY, NOW)
    assert -2 < few["x"].points < 0 < few["y"].points < 2
    assert few["y"].votes == 3
    assert many["y"].points > 4 * few["y"].points
    # Winning as often as public results expect (ten points: odds of e to one) moves next to nothing.
    expected = [ballot(f"u{n}", "a" if n < 731 else "b", a="x", b="z") for n in range(1000)]
    assert abs(standings(expected, Who(), QUALITY, NOW)["x"].points) < 0.1
    old = [ballot(f"u{n}", "b", at=NOW - 900 * DAY_MS) for n in range(300)]
    assert abs(standings(old, Who(), QUALITY, NOW)["x"].points) < 0.2 * abs(many["x"].points)
