"""Buyers' situations in their own words: budgets, needs and tastes are read and held, roles don't contradict each other."""

import importlib.util
import pathlib
import sys
from typing import Any

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[3] / "bench/recommend/situations.py"
spec = importlib.util.spec_from_file_location("recommend_situations", BENCH)
assert spec is not None
assert spec.loader is not None
situations = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = situations
spec.loader.exec_module(situations)
ENGINE = situations.engine()


@pytest.mark.parametrize("row", situations.rows(), ids=lambda row: row["task"][:50])
def test_no_situation_of_a_buyer_is_misread_or_broken(row: dict[str, Any]) -> None:
    assert list(situations.broken(ENGINE, row, situations.ask(ENGINE, row))) == []


@pytest.mark.parametrize("row", situations.rows()[::3], ids=lambda row: row["task"][:50])
def test_a_pick_and_the_estimate_of_its_call_tell_one_length(row: dict[str, Any]) -> None:
    """The estimate, the composer, comparisons and receipts all ask `output_range` with the pick's effort."""
    got = situations.ask(ENGINE, row)
    if got.conditions.get("output", "text") != "text":
        return
    for pick in got.recommendations:
        said = ENGINE.output_range(pick["model"].id, row["task"], effort=pick["effort"])
        assert {"p50": said.p50, "p95": said.p95} == pick["output_tokens"]
