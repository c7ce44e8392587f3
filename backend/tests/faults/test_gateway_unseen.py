"""Output that is billed and not shown: what a model thinks unseen, and what a provider claims beyond what it delivered. A stream
whose caller named no length must not make the operator, or the caller, pay for it without limit."""

import asyncio
from typing import Any

import pytest

from agent_marketplace.net.http import Timeouts
from tests.fakes import calendar
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
