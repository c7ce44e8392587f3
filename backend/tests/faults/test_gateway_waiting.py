"""A provider that accepts and never answers costs its caller the set time and no more; one that thinks is not taken for it."""

import pytest

from tests.fakes.rig import MODEL, Rig, on_rig
from tests.fakes.upstream import Behaviour

GOOD = Behaviour(text="from elsewhere", usage=(11, 3))
HOLE = Behaviour(connect="silent")
PING = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
THINKER = "gpt-5"
WAITS = """
[[rule]]
name = "waits"
providers = ["openai"]
first_byte_s = {head}
first_content_s = {content}
"""


def asked(model: str = MODEL, *, stream: bool = False) -> dict[str, object]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": stream,
        "max_completion_tokens": 200,
    }


async def elsewhere(rig: Rig, *, stream: bool, model: str = MODEL) -> None:
    """The other provider answers, and the receipt says what the first one did."""
    await rig.declare("vllm", model)
    answer = await rig.call("/v1/chat/completions", asked(model, stream=stream))
    assert answer.text.strip() == "from elsewhere"
    tried = [(a["provider"], a["code"]) for a in (await rig.row()).detail["attempts"]]
    assert tried == [("openai", "timeout"), ("vllm", "")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("outbound", ["lean", "aiohttp"])
def test_who_accepts_and_never_answers_is_left_for_another(tmp_path, stream: bool, outbound) -> None:
    @on_rig(
        HOLE, others={"vllm": [GOOD]}, timeouts=None, outbound=outbound,
        operators_file=WAITS.format(head=0.4, content=300),
    )  # fmt: skip
    async def run(rig: Rig) -> None:
        await elsewhere(rig, stream=stream)

    run(tmp_path)


@pytest.mark.parametrize("fault", [Behaviour(first_delay=60), Behaviour(prefix=PING, stall_after=0)])
def test_a_stream_that_opens_and_says_nothing_is_left_for_another(tmp_path, fault: Behaviour) -> None:
    @on_rig(fault, others={"vllm": [GOOD]}, timeouts=None, operators_file=WAITS.format(head=5, content=0.4))
    async def run(rig: Rig) -> None:
        await elsewhere(rig, stream=True)

    run(tmp_path)


@on_rig(
    HOLE,
    others={"vllm": [GOOD]},
    timeouts=None,
    operators_file=WAITS.format(head=0.1, content=0.6),
)
async def test_a_model_that_thinks_and_never_answers_is_left_too(rig: Rig) -> None:
    await elsewhere(rig, stream=False, model=THINKER)


@on_rig(
    Behaviour(head_delay=1.0, text="thought through"),
    others={"vllm": [GOOD]},
    timeouts=None,
    operators_file=WAITS.format(head=0.3, content=20),
)
async def test_a_slow_model_that_thinks_is_not_cut(rig: Rig) -> None:
    await rig.declare("vllm", THINKER)
    answer = await rig.call("/v1/chat/completions", asked(THINKER))
    assert answer.status == 200, answer.body
    assert answer.text.strip() == "thought through"
    assert not rig.at["vllm"].requests


@on_rig(
    Behaviour(first_delay=1.0, text="thought through"),
    others={"vllm": [GOOD]},
    timeouts=None,
    operators_file=WAITS.format(head=0.6, content=20),
)
async def test_a_stream_that_has_opened_may_think(rig: Rig) -> None:
    await rig.declare("vllm", THINKER)
    answer = await rig.call("/v1/chat/completions", asked(THINKER, stream=True))
    assert answer.text.strip() == "thought through"
    assert not rig.at["vllm"].requests


@on_rig(HOLE, timeouts=None, operators_file=WAITS.format(head=0.4, content=300))
async def test_where_nobody_else_can_answer_the_caller_is_told_in_time_and_pays_nothing(rig: Rig) -> None:
    answer = await rig.call("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hi"})
    assert (answer.status, answer.code) == (504, "timeout")
    assert await rig.spent() == 0


@on_rig(
    others={"vllm": [HOLE]},
    timeouts=None,
    operators_file=WAITS.format(head=0.4, content=300).replace("openai", "vllm"),
)
async def test_a_model_of_ones_own_that_nobody_says_thinks_has_no_more_time_than_others(rig: Rig) -> None:
    await rig.declare("vllm", "own-model")
    answer = await rig.call("/v1/chat/completions", asked("own-model"))
    assert (answer.status, answer.code) == (504, "timeout")
