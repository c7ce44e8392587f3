"""A provider's pieces of calls on their way to a client of OpenAI's wire."""

import json
from typing import Any

from agent_marketplace.wires.openai.chunk import decode_chunk
from agent_marketplace.wires.openai.telling import Choices


def told(*pieces: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The calls of each chunk, as the client reads them."""
    choices = Choices("answer")
    bodies = [
        choices.told(body, decode_chunk(body))
        for piece in pieces
        for body in [json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]}).encode()]
    ]
    return [json.loads(body)["choices"][0]["delta"].get("tool_calls", []) for body in bodies]


def test_a_function_s_call_is_not_merged_into_a_freeform_tool_s_before_it() -> None:
    found = told(
        {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "patch", "input": ""}},
        {"index": 0, "custom": {"input": "*** Begin"}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    )
    assert [call["index"] for (call,) in found] == [0, 0, 1, 1]
    assert found[1][0]["custom"] == {"input": "*** Begin"}


def test_a_signature_that_comes_after_its_call_is_told() -> None:
    signed = {"google": {"thought_signature": "c2ln"}}
    _, ((piece),) = told(
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": ""}, "extra_content": signed},
    )
    assert (piece["index"], piece["extra_content"]) == (0, signed)
