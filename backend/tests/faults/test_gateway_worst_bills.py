"""Providers that bill the worst they may, behind a real server: every wire with every kind of content, alone and by the hundred.

The bills are those of the property test on holds (`property/test_gateway_sizing_properties`): an oracle of its own. Whatever a
call is made of, its caller pays no more than was held, than `max_cost` and than the key's cap, and the operator bears nothing.
"""

import asyncio
import json
import random
from typing import Any

import pytest

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.net.http import Timeouts
from agent_marketplace.usage import Usage
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour
from tests.property.test_gateway_sizing_properties import (
    ROWS,
    SELLERS,
    Part,
    Seller,
    bill,
    body_of,
    target_of,
    window_of,
)

pytestmark = pytest.mark.both_databases

PATIENT = Timeouts(connect_s=30, first_byte_s=60, idle_s=60, total_s=120)
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
OTHERS = {s.provider: (Behaviour(),) for s in SELLERS if s.provider != "openai"}
KINDS = (Part("picture"), Part("sound", 0, 2), Part("film"))
SAID = [n for n, row in enumerate(ROWS) if row["text"].strip() and len(row["text"]) < 4_000]


def path_of(seller: Seller, *, stream: bool) -> str:
    if seller.wire == "gemini":
        return f"/v1beta/models/{seller.model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"
    return PATHS[seller.wire]


def told(seller: Seller, usage: Usage) -> dict[str, Any]:
    """The usage as the seller's wire reports it."""
    output = usage.completion_tokens
    if seller.wire == "anthropic":
        written = usage.cache_write_5m + usage.cache_write_1h
        return {
            "input_tokens": usage.prompt_tokens - written, "output_tokens": output, "cache_creation_input_tokens": written,
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_5m, "ephemeral_1h_input_tokens": usage.cache_write_1h,
            },
        }  # fmt: skip
    if seller.wire == "gemini":
        kinds = [("TEXT", usage.input), ("IMAGE", usage.image_input), ("AUDIO", usage.audio_input)]
        return {
            "promptTokenCount": usage.prompt_tokens, "candidatesTokenCount": output - usage.reasoning,
            "thoughtsTokenCount": usage.reasoning, "totalTokenCount": usage.total_tokens,
            "promptTokensDetails": [{"modality": kind, "tokenCount": count} for kind, count in kinds],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": usage.image_output}],
        }  # fmt: skip
    return {
        "prompt_tokens": usage.prompt_tokens, "completion_tokens": output, "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"audio_tokens": usage.audio_input, "image_tokens": usage.image_input},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }  # fmt: skip


class Draw:
    """One call and its bill, from a seed."""

    def __init__(self, seller: Seller, seed: str) -> None:
        dice = random.Random(f"{seller.model} {seed}")
        self.seller = seller
        kinds = dice.sample(KINDS, dice.randint(0, 2)) if seller.provider != "perplexity" else []
        self.parts = [Part("text", dice.choice(SAID)), *kinds, Part("text", dice.choice(SAID))]
        self.life = dice.choice(("", "5m", "1h")) if seller.wire == "anthropic" else ""
        self.cap, self.stream = dice.choice((1, 17, 900, 3_000)), dice.random() < 0.5
        choices = dice.choice((1, 2)) if seller.provider == "openai" else 1
        share = dice.choice(("input", "audio_input", "image_input")) if seller.wire == "gemini" else "input"
        target = target_of(seller)
        output = (min(self.cap, target.max_output or self.cap) + 8) * choices
        answer = {"output": output}
        if seller.wire == "gemini" and target.price is not None and target.price.image_output is not None:
            answer = {"image_output": output}
        elif dice.random() < 0.5 and seller.wire != "anthropic":
            answer = {"output": output, "reasoning": output}
        self.usage = told(
            seller, Usage(**bill(seller, self.parts, window_of(seller), share, self.life), **answer)
        )
        body = json.loads(body_of(seller, self.parts, self.life, self.cap, choices))
        self.body: dict[str, Any] = body | (
            {"stream": True} if self.stream and seller.wire != "gemini" else {}
        )

    async def ask(self, rig: Rig, key: str, **more: Any) -> int:
        """Asks for it; returns the status."""
        rig.at[self.seller.provider].script[:] = [Behaviour(usage=self.usage)]
        answer = await rig.call(
            path_of(self.seller, stream=self.stream), self.body | more, {"authorization": f"Bearer {key}"}
        )
        return answer.status


async def borne(rig: Rig, most: int | None = None) -> int:
    """Looks over all rows; returns how many were charged. most: what any of them may cost, nano-dollars."""
    await rig.quiet()
    rows = await rig.rows()
    for row in rows:
        assert row.absorbed_nano == 0, row
        assert row.charge_nano <= row.hold_nano, row
        assert most is None or row.charge_nano <= most, row
    assert rig.market.router.parts.bounds.count == 0
    return sum(row.charge_nano > 0 for row in rows)


@on_rig(Behaviour(), balance=10**13, others=OTHERS, timeouts=PATIENT)
async def test_no_call_costs_its_caller_or_the_operator_more_than_was_held(rig: Rig) -> None:
    answered = 0
    for seller in SELLERS:
        for seed in range(6):
            answered += await Draw(seller, str(seed)).ask(rig, rig.key) == 200
    assert await borne(rig) == answered >= 5 * len(SELLERS)


@on_rig(Behaviour(), balance=10**13, others=OTHERS, timeouts=PATIENT)
async def test_no_call_costs_more_than_max_cost_or_its_keys_cap(rig: Rig) -> None:
    """Ceilings from far too small to just enough."""
    keys = rig.market.accounts.keys
    for seller in SELLERS:
        for seed, ceiling in enumerate((10**5, 10**6, 10**7, 10**8, 10**9)):
            draw = Draw(seller, f"ceiling {seed}")
            before, _ = await rig.wallet()
            assert await draw.ask(rig, rig.key, max_cost=ceiling / 10**9) in (200, 402)
            assert before - (await rig.wallet())[0] <= ceiling
            key = await keys.create(rig.user_id, f"{seller.model} {seed}", cap=Cap(ceiling))
            assert await draw.ask(rig, key.key) in (200, 402)
            assert (await rig.market.ledger.key_spend([key.info.key_id]))[
                key.info.key_id
            ].spent_nano <= ceiling
    assert await borne(rig) >= len(SELLERS)


@pytest.mark.parametrize("what", ["wallet", "cap", "max_cost"])
def test_a_hundred_calls_at_once_pass_no_wallet_cap_or_ceiling(tmp_path: Any, what: str) -> None:
    calls, most = 100, 20_000_000

    @on_rig(Behaviour(), balance=most if what == "wallet" else 10**12, others=OTHERS, timeouts=PATIENT)
    async def run(rig: Rig) -> None:
        seller = SELLERS[0]
        draw = Draw(seller, "crowd")
        rig.up.script[:] = [Behaviour(usage=draw.usage, head_delay=0.2)]
        key, more = rig.key, {}
        if what == "cap":
            key = (await rig.market.accounts.keys.create(rig.user_id, "crowd", cap=Cap(most))).key
        elif what == "max_cost":
            more = {"max_cost": 0.001}
        asked = (
            rig.call(
                path_of(seller, stream=draw.stream), draw.body | more, {"authorization": f"Bearer {key}"}
            )
            for _ in range(calls)
        )
        statuses = [answer.status for answer in await asyncio.gather(*asked)]
        assert set(statuses) <= {200, 402}
        charged = await borne(rig, 1_000_000 if what == "max_cost" else None)
        spent = sum(row.charge_nano for row in await rig.rows())
        if what != "max_cost":
            assert 0 < spent <= most
            assert charged < calls
        elif charged:
            assert spent <= calls * 1_000_000

    run(tmp_path)
