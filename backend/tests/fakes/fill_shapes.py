"""What providers send to editors' completions: OpenAI's older wire, Mistral's, llama.cpp's /infill and Ollama's /api/generate.

Written from their references: platform.openai.com/docs/api-reference/completions, docs.mistral.ai/api/endpoint/fim,
llama.cpp tools/server/README.md, docs.ollama.com/api/generate.
"""

import json
from typing import Any

ENDS = (
    ("/fim/completions", "openai"),
    ("/completions", "completions"),
    ("/infill", "infill"),
    ("/api/generate", "generate"),
)


def plain(wire: str, model: str, text: str, usage: dict[str, Any] | None) -> bytes:
    """A whole answer."""
    return json.dumps(_whole(wire, model, text, usage)).encode()


def frames(wire: str, model: str, texts: list[str], usage: dict[str, Any] | None) -> list[tuple[str, bytes]]:
    """(kind, data) of every stream item."""
    pieces = [("text", _piece(wire, model, text)) for text in texts]
    if wire == "completions":
        end = _older(model, "", "stop")
        told = [("usage", _sse({**end, "choices": [], "usage": usage}))] if usage is not None else []
        return [*pieces, ("finish", _sse(end)), *told, ("done", b"data: [DONE]\n\n")]
    last = _whole(wire, model, "", usage)
    return [*pieces, ("finish", _sse(last) if wire == "infill" else json.dumps(last).encode() + b"\n")]


def usage_of(wire: str, prompt: Any, completion: Any) -> dict[str, Any]:
    """The wire's usage."""
    if wire == "infill":
        return {"tokens_evaluated": prompt, "tokens_predicted": completion}
    if wire == "generate":
        return {"prompt_eval_count": prompt, "eval_count": completion}
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _older(model: str, text: str, finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return {"id": "cmpl-up", "object": "text_completion", "created": 1, "model": model, "choices": [choice]}


def _whole(wire: str, model: str, text: str, usage: dict[str, Any] | None) -> dict[str, Any]:
    if wire == "completions":
        return _older(model, text, "stop") | ({"usage": usage} if usage is not None else {})
    if wire == "infill":
        return {"content": text, "stop": True, "stop_type": "eos", "model": model, **(usage or {})}
    return {"model": model, "response": text, "done": True, "done_reason": "stop", **(usage or {})}


def _piece(wire: str, model: str, text: str) -> bytes:
    if wire == "completions":
        return _sse(_older(model, text, None))
    if wire == "infill":
        return _sse({"content": text, "stop": False})
    return json.dumps({"model": model, "response": text, "done": False}).encode() + b"\n"


def _sse(data: Any) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()
