"""A provider's streams that call tools (OpenAI's wire)."""

import json
from typing import Any

from tests.fakes.upstream import Behaviour


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """One chat.completion.chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def calling(*named: tuple[str, str], text: str = "", usage: tuple[int, int] = (30, 9)) -> Behaviour:
    """An answer that calls tools: (name, arguments)."""
    calls = [
        {"index": i, "id": f"call_{i}", "type": "function", "function": {"name": n, "arguments": a}}
        for i, (n, a) in enumerate(named)
    ]
    total = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    told = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
        "usage": total,
    }
    words = (chunk({"role": "assistant", "content": text}),) if text else ()
    return Behaviour(
        frames=(
            *words, chunk({"role": "assistant", "tool_calls": calls}), chunk({}, "tool_calls"),
            b"data: " + json.dumps(told).encode() + b"\n\n", b"data: [DONE]\n\n",
        )
    )  # fmt: skip
