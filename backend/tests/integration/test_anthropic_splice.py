"""Claude's own clients lose nothing on the way: cache marks, citations, redacted thinking; and cache writes are billed."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent_marketplace.ledger import price_usage
from agent_marketplace.usage import Usage
from tests.fakes.rig import Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour, FakeUpstream

MODEL = "claude-sonnet-4-6"
REDACTED = {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}
CITED = {
    "type": "text",
    "text": "Green.",
    "citations": [{"type": "char_location", "cited_text": "grass", "start_char_index": 0}],
}
USAGE = {
    "input_tokens": 20,
    "output_tokens": 9,
    "cache_read_input_tokens": 3000,
    "cache_creation_input_tokens": 500,
    "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200},
}
BILLED = Usage(input=20, output=9, cache_read=3000, cache_write_5m=300, cache_write_1h=200)
ASKED: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 400,
    "system": [{"type": "text", "text": "A long book.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "messages": [
        {"role": "user", "content": "What colour?"},
        {"role": "assistant", "content": [REDACTED, {"type": "text", "text": "Of what?"}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Grass", "cache_control": {"type": "ephemeral"}}],
        },
    ],
}


def frame(name: str, **body: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n".encode()


OPENING = {
    "id": "msg_up",
    "type": "message",
    "role": "assistant",
    "model": "up",
    "content": [],
    "usage": {**USAGE, "output_tokens": 1},
}
FRAMES = (
    frame("message_start", message=OPENING),
    frame("content_block_start", index=0, content_block=REDACTED),
    frame("content_block_stop", index=0),
    frame("content_block_start", index=1, content_block={"type": "text", "text": "", "citations": []}),
    frame(
        "content_block_delta", index=1, delta={"type": "citations_delta", "citation": CITED["citations"][0]}
    ),
    frame("content_block_delta", index=1, delta={"type": "text_delta", "text": "Green."}),
    frame("content_block_stop", index=1),
    frame(
        "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 9}
    ),
    frame("message_stop"),
)
PLAIN = {"id": "msg_up", "type": "message", "role": "assistant", "model": "up", "stop_reason": "end_turn", "stop_sequence": None,
         "content": [REDACTED, CITED], "usage": USAGE}  # fmt: skip


def on_claude(
    tmp_path: Path, behaviour: Behaviour, test: Callable[[Rig, FakeUpstream], Awaitable[None]]
) -> None:
    """Runs a test on a marketplace whose Anthropic is ours to script; the books are checked at the end."""

    async def go(rig: Rig) -> None:
        await test(rig, rig.at["anthropic"])

    on_rig(others={"anthropic": [behaviour]})(go)(tmp_path)


async def ask(rig: Rig, **fields: Any) -> Answer:
    body = {**ASKED, "provider": {"only": ["anthropic"]}, **fields}
    return await rig.call("/v1/messages", body, {"anthropic-version": "2023-06-01"})


def frames_of(answer: Answer) -> list[tuple[str, Any]]:
    return [(event["type"], event) for event in answer.data]


def test_cache_marks_and_redacted_thinking_reach_claude_and_citations_come_back(tmp_path: Path) -> None:
    async def check(rig: Rig, claude: FakeUpstream) -> None:
        answer = await ask(rig)
        assert answer.status == 200
        assert answer.json["content"] == [REDACTED, CITED]
        assert (answer.json["model"], answer.json["usage"]) == (MODEL, USAGE)
        sent = claude.requests[0].json
        assert (sent["system"], sent["messages"]) == (ASKED["system"], ASKED["messages"])
        assert "provider" not in sent

    on_claude(tmp_path, Behaviour(raw=json.dumps(PLAIN).encode()), check)


def test_a_stream_keeps_every_block_and_ends_with_the_charge(tmp_path: Path) -> None:
    async def check(rig: Rig, claude: FakeUpstream) -> None:
        answer = await ask(rig, stream=True)
        events = frames_of(answer)
        assert [name for name, _ in events] == [json.loads(f.split(b"data: ")[1])["type"] for f in FRAMES]
        assert events[1][1]["content_block"] == REDACTED
        assert events[4][1]["delta"]["citation"] == CITED["citations"][0]
        assert events[0][1]["message"]["model"] == MODEL
        assert claude.requests[0].json["messages"] == ASKED["messages"]
        assert (await rig.row()).status == "ok"

    on_claude(tmp_path, Behaviour(frames=FRAMES), check)


@pytest.mark.parametrize("stream", [False, True])
def test_both_lives_of_a_cache_write_are_billed_at_their_own_price(tmp_path: Path, stream: bool) -> None:
    async def check(rig: Rig, _claude: FakeUpstream) -> None:
        assert (await ask(rig, stream=stream)).status == 200
        price = rig.price(MODEL, "anthropic")
        assert price.cache_write_5m is not None
        assert price.cache_write_1h is not None
        assert price.cache_write_1h > price.cache_write_5m > price.input > (price.cache_read or 0)
        assert (await rig.row()).usage == BILLED
        assert await rig.spent() == price_usage(price, BILLED)

    on_claude(
        tmp_path, Behaviour(frames=FRAMES) if stream else Behaviour(raw=json.dumps(PLAIN).encode()), check
    )


def test_one_tools_list_of_anything_does_not_cost_every_tool_what_claude_alone_knows(tmp_path: Path) -> None:
    more = {"defer_loading": True, "eager_input_streaming": True, "allowed_callers": ["direct"]}
    pair = {"type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}}
    tools = [
        {"name": "f", "input_schema": pair, **more},
        {"name": "g", "input_schema": {"type": "object"}, "input_examples": [{}], **more},
    ]

    async def check(rig: Rig, claude: FakeUpstream) -> None:
        assert (await ask(rig, tools=tools)).status == 200
        sent = claude.requests[0].json
        assert sent["messages"] == ASKED["messages"]
        assert [{k: tool[k] for k in more} for tool in sent["tools"]] == [more, more]
        assert sent["tools"][0]["input_schema"]["properties"]["a"]["items"] == {"anyOf": [{"type": "string"}]}
        assert sent["tools"][1]["input_schema"] == {"type": "object"}
        notes = {n["field"] for n in (await rig.row()).detail["notes"]}
        assert "input_examples" in sent["tools"][1] or "tools[1].input_examples" in notes

    on_claude(tmp_path, Behaviour(raw=json.dumps(PLAIN).encode()), check)


def test_thinking_of_another_family_in_the_history_does_not_make_claude_refuse(tmp_path: Path) -> None:
    async def check(rig: Rig, claude: FakeUpstream) -> None:
        thought = {"type": "thinking", "thinking": "Hm", "signature": "gemini#SIG"}
        turn = {"role": "assistant", "content": [thought, {"type": "text", "text": "Of what?"}]}
        answer = await ask(rig, messages=[ASKED["messages"][0], turn, ASKED["messages"][2]])
        assert answer.status == 200
        assert b"SIG" not in claude.requests[0].body
        assert answer.json["content"] == [REDACTED, CITED]

    on_claude(tmp_path, Behaviour(raw=json.dumps(PLAIN).encode()), check)


def test_a_thinking_budget_beyond_what_the_hold_buys_is_not_sent_as_it_is(tmp_path: Path) -> None:
    async def check(rig: Rig, claude: FakeUpstream) -> None:
        thinking = {"type": "enabled", "budget_tokens": 5000}
        answer = await ask(rig, model="claude-sonnet-4-5", thinking=thinking, max_tokens=1500)
        assert answer.status == 200
        sent = claude.requests[0].json
        assert sent["thinking"]["budget_tokens"] < sent["max_tokens"] <= 1500

    on_claude(tmp_path, Behaviour(raw=json.dumps(PLAIN).encode()), check)


def test_a_system_turn_among_the_messages_is_put_where_claude_takes_it(tmp_path: Path) -> None:
    async def check(rig: Rig, claude: FakeUpstream) -> None:
        messages = [{"role": "system", "content": "Be brief."}, ASKED["messages"][0]]
        assert (await ask(rig, system=None, messages=messages)).status == 200
        assert claude.requests[0].json["system"] == "Be brief."

    on_claude(tmp_path, Behaviour(raw=json.dumps(PLAIN).encode()), check)


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        (Behaviour(frames=FRAMES[:6]), "api_error", "partial"),
        (Behaviour(frames=(*FRAMES[:6], frame("error", error={"type": "overloaded_error", "message": "key sk-ant-api03-0123456789"}))),
         "overloaded_error", "partial"),
    ],
)  # fmt: skip
def test_a_stream_that_breaks_ends_typed_and_billed(
    tmp_path: Path, behaviour: Behaviour, kind: str, status: str
) -> None:
    async def check(rig: Rig, _claude: FakeUpstream) -> None:
        answer = await ask(rig, stream=True)
        name, last = frames_of(answer)[-1]
        assert (name, last["error"]["type"]) == ("error", kind)
        assert b"0123456789" not in answer.body
        assert (await rig.row()).status == status
        assert await rig.spent() > 0

    on_claude(tmp_path, behaviour, check)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_of_claude_is_told_in_its_own_shape_and_costs_nothing(tmp_path: Path, stream: bool) -> None:
    async def check(rig: Rig, _claude: FakeUpstream) -> None:
        answer = await ask(rig, stream=stream)
        assert (answer.status, answer.json["type"], answer.json["error"]["type"]) == (
            429,
            "error",
            "rate_limit_error",
        )
        assert answer.headers["retry-after"] == "7"
        assert await rig.spent() == 0

    on_claude(tmp_path, Behaviour(status=429, headers={"Retry-After": "7"}), check)
