"""A stream that is bought as it comes: what was delivered and not bought is the operator's, for as many callers as like."""

import asyncio
import json
from itertools import accumulate
from pathlib import Path

import pytest

from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway.meter import Meter
from agent_marketplace.gateway.relay import Allowance
from agent_marketplace.gateway.stopping import Stopped
from agent_marketplace.wires.base import TextDelta, ToolCallDelta

ROWS = json.loads((Path(__file__).parents[1] / "golden" / "token_counts.json").read_text())


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("row", range(0, len(ROWS), 5))
def test_no_script_is_more_tokens_than_were_bought_when_it_came(row: int) -> None:
    """By the dearest public vocabulary, of text of every script, piece by piece; before every piece all earlier ones are paid."""
    text, counts = ROWS[row]["text"], ROWS[row]["counts"]
    per_character = max(counts.values()) / max(1, len(text))
    bought = [0]

    async def extend(tokens: int) -> int:
        bought.append(tokens)
        return tokens

    async def run() -> None:
        meter, allowance = Meter(), Allowance(100, extend=extend, family="closed")
        parts = pieces(text * (1 + 4_000 // max(1, len(text))))
        for piece, came in zip(parts, accumulate(map(len, parts)), strict=True):
            meter.see([TextDelta(piece)])
            assert await allowance.cover(meter, 1) is None
            assert came * per_character <= allowance.tokens + 1

    asyncio.run(run())


def test_plain_english_is_not_bought_many_times_over() -> None:
    bought: list[int] = []

    async def extend(tokens: int) -> int:
        bought.append(tokens)
        return tokens

    async def run() -> None:
        meter, allowance = Meter(), Allowance(1024, extend=extend, family="openai")
        for _ in range(2_000):
            meter.see([TextDelta("The word is here. ")])
            await allowance.cover(meter, 1)

    asyncio.run(run())
    assert 2_000 * 5 - 1024 <= sum(bought) <= 2_000 * 5 * 1.3


def test_a_call_of_a_tool_counts_beside_its_words_and_an_empty_wallet_ends_the_answer() -> None:
    async def extend(_tokens: int) -> int:
        raise PaymentRequired("empty")

    async def run() -> None:
        meter, allowance = Meter(), Allowance(200, extend=extend)
        ends = []
        for number in range(10):
            meter.see([ToolCallDelta(index=number, id=f"c{number}", name="f", arguments="{}" * 8)])
            ends.append(await allowance.cover(meter, 1))
        assert ends[0] is None
        assert ends[-1] is not None
        assert ends[-1].stopped is Stopped.WALLET

    asyncio.run(run())
