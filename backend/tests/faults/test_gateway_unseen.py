"""Output that is billed and not shown: what a model thinks unseen, and what a provider claims beyond what it delivered. A stream
whose caller named no length must not make the operator, or the caller, pay for it without limit."""

import asyncio
from typing import Any

import pytest

from agent_marketplace.net.http import Timeouts
from tests.fakes import calendar, shapes
from tests.fakes.rig import Rig, completion, on_rig
from tests.fakes.upstream import Behaviour, Seen

pytestmark = pytest.mark.both_databases

PATIENT = Timeouts(connect_s=30, first_byte_s=60, idle_s=60, total_s=120)
THINKER, TALKER = "gpt-5-mini", "gpt-4o-mini"
MOST = next(o.max_output for o in calendar.registry().offers(THINKER) if o.provider == "openai") or 0
CAPS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def thinks_to_the_end(seen: Seen) -> dict[str, Any]:
    """All the length that it was given, else all that the model can, of which three words are shown."""
    length = next((seen.json[name] for name in CAPS if name in seen.json), MOST)
    return {
        "prompt_tokens": 11, "completion_tokens": length, "total_tokens": 11 + length,
        "completion_tokens_details": {"reasoning_tokens": length - 3},
    }  # fmt: skip


async def ask(rig: Rig, **fields: Any) -> int:
    answer = await rig.call("/v1/chat/completions", completion(stream=True, **fields))
    return answer.status


@on_rig(Behaviour(usage=thinks_to_the_end, head_delay=0.1), balance=300_000_000, timeouts=PATIENT)
async def test_forty_streams_at_once_that_think_unseen_cost_no_more_than_the_wallet(rig: Rig) -> None:
    statuses = await asyncio.gather(*(ask(rig, model=THINKER) for _ in range(40)))
    await rig.quiet()
    rows = await rig.rows()
    assert set(statuses) == {200, 402}
    assert [r.absorbed_nano for r in rows] == [0] * len(rows)
    assert all(r.charge_nano <= r.hold_nano for r in rows)
    assert rig.market.router.parts.bounds.count == 0
    assert 0 < await rig.spent() <= 300_000_000


@on_rig(Behaviour(usage=thinks_to_the_end), balance=10**10)
async def test_a_stream_that_may_think_is_given_a_length_and_one_that_may_not_is_bought_as_it_comes(
    rig: Rig,
) -> None:
    assert await ask(rig, model=THINKER) == 200
    assert await ask(rig, model=TALKER) == 200
    thinker, talker = (seen.json for seen in rig.up.requests)
    assert next(thinker[name] for name in CAPS if name in thinker) == 32_768
    assert not [name for name in CAPS if name in talker]


SAID = [{"role": "user", "content": "hi"}]
WIRES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/responses": ("gpt-5.3-codex", {"input": "hi", "stream": True}),
    "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse": (
        "gemini-2.5-pro", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
    "/api/chat": ("deepseek-v4-flash", {"messages": SAID}),
    "/api/generate": ("gpt-5-mini", {"prompt": "hi"}),
    "/api/v1/agents/completion": ("deepseek-v4-flash", {"messages": SAID, "stream": True}),
    "/v1/messages": (
        "claude-sonnet-4-5",
        {"messages": SAID, "stream": True, "max_tokens": 5_000, "thinking": {"type": "enabled", "budget_tokens": 4_000}},
    ),
}  # fmt: skip


def fills_its_length(seen: Seen) -> dict[str, Any]:
    """As `thinks_to_the_end`, on every wire; a provider that was told no length gives 100,000 tokens."""
    body = seen.json
    length = body.get("generationConfig", body).get("maxOutputTokens") or body.get("max_tokens")
    return shapes.usage_of(shapes.wire_of(seen.path), 11, length or body.get("max_output_tokens") or 100_000)


@on_rig(
    Behaviour(usage=fills_its_length), balance=500_000_000, timeouts=PATIENT,
    others={name: [Behaviour(usage=fills_its_length)] for name in ("google", "deepseek", "anthropic")},
)  # fmt: skip
async def test_no_wires_stream_without_a_length_costs_more_than_was_held(rig: Rig) -> None:
    for fake in rig.at.values():
        fake.judged = False  # Gemini's SDK says the model in the path alone
    for path, (model, body) in WIRES.items():
        await rig.market.ledger.grant(rig.user_id, 500_000_000 - (await rig.wallet())[0], kind="credit")
        asked = {"model": model, **body}
        answers = await asyncio.gather(*(rig.call(path, asked) for _ in range(4)))
        await rig.quiet()
        assert {a.status for a in answers} <= {200, 402}, path
        assert 200 in {a.status for a in answers}, path
    for row in await rig.rows():
        assert (row.absorbed_nano, row.charge_nano <= row.hold_nano) == (0, True), row


@on_rig(Behaviour(usage=(11, 16_000)), balance=10**10)
async def test_output_that_is_claimed_beyond_what_was_delivered_is_not_the_callers(rig: Rig) -> None:
    """Six words and a claim of sixteen thousand tokens."""
    assert await ask(rig, model=TALKER) == 200
    row = await rig.row()
    assert row.usage.output <= 1024 + 8
    assert row.detail["claimed_output_tokens"] == 16_000
    assert row.provider_cost_nano == rig.cost(11, 16_000)
    assert (row.absorbed_nano, row.charge_nano) == (0, rig.cost(11, row.usage.output))


@on_rig(Behaviour(text="wort " * 6_000, usage=(11, 12_000)), balance=10**10)
async def test_an_honest_count_of_a_long_answer_is_charged_whole(rig: Rig) -> None:
    assert await ask(rig, model=TALKER) == 200
    row = await rig.row()
    assert (row.charge_nano, row.absorbed_nano) == (rig.cost(11, row.usage.output), 0)
    assert row.usage.output == 12_000
