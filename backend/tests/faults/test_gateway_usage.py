"""Usage in odd places: what a provider reports is billed wherever in the stream it stands, and what it leaves out is counted.

Each stream's frames leave one by one, so that no report may ride on another's bytes.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.ledger import price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires.shared.tokens import count_text
from tests.fakes.rig import MODEL, Rig, on_rig
from tests.fakes.upstream import Behaviour

MODELS = {"openai": MODEL, "anthropic": "claude-sonnet-4-6", "google": "gemini-2.5-flash"}
TEXT = "Hello there"
COUNTED = count_text(TEXT)
REPORTED = {"prompt_tokens": 11, "completion_tokens": 7}
ZERO = {"prompt_tokens": 0, "completion_tokens": 0}


def sse(body: Any, event: str = "") -> bytes:
    return (f"event: {event}\n" if event else "").encode() + b"data: " + json.dumps(body).encode() + b"\n\n"


def chunk(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    return sse(
        {
            "id": "c",
            "choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}],
            **more,
        }
    )


def usage_only(usage: Any) -> bytes:
    return sse({"id": "c", "choices": [], "usage": usage})


def opening(usage: Any) -> bytes:
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [],
        **({"usage": usage} if usage else {}),
    }
    return sse({"type": "message_start", "message": message}, "message_start")


def closing(usage: Any) -> bytes:
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    return sse(
        {"type": "message_delta", "delta": delta, **({"usage": usage} if usage else {})}, "message_delta"
    )


def candidate(text: str, finish: str | None = None, usage: Any = None) -> bytes:
    made = {
        "content": {"role": "model", "parts": [{"text": text}]},
        "index": 0,
        **({"finishReason": finish} if finish else {}),
    }
    return sse({"candidates": [made], **({"usageMetadata": usage} if usage else {})})


DONE = b"data: [DONE]\n\n"
SAID = (chunk("Hello "), chunk("there"))
BLOCK = (
    sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        "content_block_start",
    ),
    sse(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        "content_block_delta",
    ),
    sse({"type": "content_block_stop", "index": 0}, "content_block_stop"),
)
STOP = sse({"type": "message_stop"}, "message_stop")
GEMINI = {"promptTokenCount": 11, "candidatesTokenCount": 7}


@dataclass(frozen=True)
class Case:
    """billed: (input, output) as charged; None for the input = our own count; estimated: marked so."""

    name: str
    provider: str
    frames: tuple[bytes, ...]
    billed: tuple[int | None, int]
    estimated: bool = False


CASES = [
    Case("in every chunk", "openai", (chunk("Hello ", usage={**REPORTED, "completion_tokens": 1}),
         chunk("there", usage=REPORTED), chunk("", "stop", usage=REPORTED), DONE), (11, 7)),
    Case("null, then a number", "openai", (chunk("Hello there", usage=None), chunk("", "stop"), usage_only(REPORTED), DONE), (11, 7)),
    Case("two different ones", "openai", (*SAID, chunk("", "stop"), usage_only(ZERO), usage_only(REPORTED), DONE), (11, 7)),
    Case("zeros after the real one", "openai", (*SAID, chunk("", "stop"), usage_only(REPORTED), usage_only(ZERO), DONE), (11, 7)),
    Case("after the end mark", "openai", (*SAID, chunk("", "stop"), DONE, usage_only(REPORTED)), (11, 7)),
    Case("inside x_groq", "openai", (*SAID, chunk("", "stop", x_groq={"usage": REPORTED}), DONE), (11, 7)),
    Case("of all, before the answer", "openai", (usage_only({"prompt_tokens": 11, "completion_tokens": COUNTED}), *SAID,
         chunk("", "stop"), DONE), (11, COUNTED)),
    Case("a placeholder in the first chunk only", "openai", (chunk("Hello ", usage={**REPORTED, "completion_tokens": 0}),
         chunk("there"), chunk("", "stop"), DONE), (11, COUNTED), estimated=True),
    Case("half of it", "openai", (*SAID, chunk("", "stop"), usage_only({"completion_tokens": 7}), DONE), (None, COUNTED), estimated=True),
    Case("numbers in quotes", "openai", (*SAID, chunk("", "stop"), usage_only({k: str(v) for k, v in REPORTED.items()}), DONE),
         (None, COUNTED), estimated=True),
    Case("Anthropic: the end alone", "anthropic", (opening(None), *BLOCK, closing({"input_tokens": 11, "output_tokens": 7}), STOP),
         (11, 7)),
    Case("Anthropic: zeros first", "anthropic", (opening({"input_tokens": 0, "output_tokens": 0}), *BLOCK,
         closing({"input_tokens": 11, "output_tokens": 7}), STOP), (11, 7)),
    Case("Anthropic: the start alone", "anthropic", (opening({"input_tokens": 11, "output_tokens": 1}), *BLOCK, closing(None), STOP),
         (11, 1 + COUNTED), estimated=True),
    Case("Anthropic: output alone", "anthropic", (opening(None), *BLOCK, closing({"output_tokens": 7}), STOP), (None, COUNTED),
         estimated=True),
    Case("Gemini: after the finish reason", "google", (candidate("Hello "), candidate("there", "STOP"), sse({"usageMetadata": GEMINI})),
         (11, 7)),
    Case("Gemini: a placeholder in the first chunk only", "google", (candidate("Hello ", usage={"promptTokenCount": 11}),
         candidate("there", "STOP")), (11, COUNTED), estimated=True),
]  # fmt: skip


@pytest.mark.parametrize("client", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_usage_is_billed_wherever_it_stands(tmp_path, case: Case, client: str) -> None:
    @on_rig(others={"anthropic": [Behaviour(frames=case.frames)], "google": [Behaviour(frames=case.frames)]})
    async def run(rig: Rig) -> None:
        rig.up.script = [Behaviour(frames=case.frames)]
        body = {"model": MODELS[case.provider], "messages": [{"role": "user", "content": "Hi"}], "stream": True,
                "max_tokens": 500, "provider": {"only": [case.provider]}}  # fmt: skip
        answer = await rig.call(client, body)
        assert answer.whole
        row = await rig.row()
        assert row.status == "ok"
        prompt = case.billed[0] if case.billed[0] is not None else row.detail["input_estimate"]
        assert (row.usage.input, row.usage.output, row.usage.estimated) == (
            prompt,
            case.billed[1],
            case.estimated,
        )
        price = rig.price(MODELS[case.provider], case.provider)
        assert (
            await rig.spent()
            == row.charge_nano
            == price_usage(price, Usage(input=prompt, output=case.billed[1]))
        )

    run(tmp_path)


def test_words_that_came_with_a_placeholder_are_paid_for_when_the_answer_is_cut(tmp_path) -> None:
    cut = (candidate(TEXT, usage={"promptTokenCount": 11}),)

    @on_rig(others={"google": [Behaviour(frames=cut)]})
    async def run(rig: Rig) -> None:
        answer = await rig.chat(stream=True, model=MODELS["google"], provider={"only": ["google"]})
        assert answer.ending == "provider_unavailable"
        row = await rig.row()
        assert (row.status, row.usage.input, row.usage.output, row.usage.estimated) == (
            "partial",
            11,
            COUNTED,
            True,
        )

    run(tmp_path)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_provider_that_pours_out_more_than_was_asked_for_is_not_paid_for_it(tmp_path, path: str) -> None:
    """All of it in one event, so that it is read before anything can be cut; and no usage."""
    poured = Behaviour(frames=(chunk("word " * 200_000), chunk("", "stop"), DONE))

    @on_rig(poured)
    async def run(rig: Rig) -> None:
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "max_tokens": 100,
        }
        await rig.call(path, body)
        row = await rig.row()
        assert (row.usage.output, row.usage.estimated) == (100, True)
        assert await rig.spent() == rig.cost(row.usage.input, 100)

    run(tmp_path)


def test_a_provider_that_is_silent_after_its_finish_reason_is_not_waited_for(tmp_path) -> None:
    """The whole answer in the very first read, and then nothing: neither usage nor an end mark, and no end of the body."""
    whole = b"".join((*SAID, chunk("", "stop")))

    @on_rig(Behaviour(prefix=whole, stall_after=0), rhythm=Rhythm(tail_s=0.2, rest_s=0.1))
    async def run(rig: Rig) -> None:
        answer = await rig.chat(stream=True)
        assert answer.ending == "done"
        row = await rig.row()
        assert (row.status, row.usage.output, row.usage.estimated) == ("ok", COUNTED, True)
        assert row.detail["timings"]["total_ms"] < 5000

    run(tmp_path)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream"])
def test_a_stream_under_a_wrong_content_type_is_still_a_stream(tmp_path, kind: str) -> None:
    @on_rig(Behaviour(content_type=kind))
    async def run(rig: Rig) -> None:
        answer = await rig.chat(stream=True)
        assert answer.ending == "done"
        assert (await rig.row()).charge_nano == rig.cost(11, 7)

    run(tmp_path)


def test_an_error_object_in_place_of_a_stream_says_which_error_it_is(tmp_path) -> None:
    told = b'\n {"error": {"message": "slow down", "type": "rate_limit_error"}}'

    @on_rig(Behaviour(raw=told, content_type="text/event-stream"))
    async def run(rig: Rig) -> None:
        answer = await rig.chat(stream=True)
        assert (answer.status, answer.code) == (429, "rate_limit_exceeded")

    run(tmp_path)


def test_a_whole_answer_in_place_of_a_stream_is_a_failure_however_long_it_is(tmp_path) -> None:
    @on_rig(Behaviour(raw=b'{"choices": [' + b" " * 200_000, content_type="application/json"))
    async def run(rig: Rig) -> None:
        answer = await rig.chat(stream=True)
        assert (answer.status, answer.code) == (502, "provider_unavailable")

    run(tmp_path)
