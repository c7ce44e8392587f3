"""The scripted model's step as each wire's provider sends it: a whole body, or the frames of a stream."""

import base64
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from conversation import Asked, Tool
from script import Step

INPUT, OUTPUT = 1000, 40  # tokens of every answer


def render(asked: Asked, step: Step) -> tuple[bytes, list[bytes]]:
    """(plain body, stream frames). Frames are whole SSE events, or lines of JSON at Ollama."""
    whole, frames = {
        "chat": _chat,
        "responses": _responses,
        "anthropic": _anthropic,
        "gemini": _gemini,
        "ollama": _ollama,
    }[asked.wire](asked, step)
    return json.dumps(whole).encode(), list(frames)


def _id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:20]


def _signature() -> str:
    return base64.b64encode(uuid.uuid4().bytes * 4).decode()


def _pieces(text: str, size: int = 12) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)] or [""]


def _sse(value: Any, event: str = "") -> bytes:
    return ((f"event: {event}\n" if event else "") + f"data: {json.dumps(value)}\n\n").encode()


def _text_of(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _chat_call(tool: Tool, arguments: Any) -> dict[str, Any]:
    kind, field = ("custom", "input") if tool.freeform else ("function", "arguments")
    return {"id": _id("call_"), "type": kind, kind: {"name": tool.name, field: _text_of(arguments)}}


def _chat(asked: Asked, step: Step) -> tuple[dict[str, Any], Iterator[bytes]]:
    base = {"id": _id("chatcmpl-"), "created": int(time.time()), "model": asked.model}
    calls = [_chat_call(tool, arguments) for tool, arguments in step.calls]
    finish = "tool_calls" if calls else "stop"
    usage = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
    message: dict[str, Any] = {"role": "assistant", "content": step.text or None, "refusal": None}
    message |= {"tool_calls": calls} if calls else {}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _sse({**base, "object": "chat.completion.chunk", "choices": [choice], "usage": None})

    def frames() -> Iterator[bytes]:
        yield chunk({"role": "assistant", "content": ""})
        if step.text:
            yield from (chunk({"content": piece}) for piece in _pieces(step.text))
        for i, call in enumerate(calls):
            kind, field = ("custom", "input") if call["type"] == "custom" else ("function", "arguments")
            head = {"index": i, "id": call["id"], "type": kind, kind: {"name": call[kind]["name"], field: ""}}
            yield chunk({"tool_calls": [head]})
            for piece in _pieces(call[kind][field]):
                yield chunk({"tool_calls": [{"index": i, kind: {field: piece}}]})
        yield chunk({}, finish)
        yield _sse({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    return whole, frames()


def _responses_item(tool: Tool, arguments: Any) -> dict[str, Any]:
    head = {"status": "completed", "call_id": _id("call_"), "name": tool.name}
    head |= {"namespace": tool.namespace} if tool.namespace else {}
    if tool.freeform:
        return {"id": _id("ctc_"), "type": "custom_tool_call", **head, "input": arguments}
    return {"id": _id("fc_"), "type": "function_call", **head, "arguments": _text_of(arguments)}


def _responses(asked: Asked, step: Step) -> tuple[dict[str, Any], Iterator[bytes]]:
    output: list[dict[str, Any]] = []
    if step.thought:
        summary = [{"type": "summary_text", "text": step.thought}]
        output.append({"id": _id("rs_"), "type": "reasoning", "summary": summary, "encrypted_content": _signature()})
    if step.text:
        part = {"type": "output_text", "text": step.text, "annotations": [], "logprobs": []}
        output.append(
            {"id": _id("msg_"), "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        )
    output += [_responses_item(tool, arguments) for tool, arguments in step.calls]
    usage = {
        "input_tokens": INPUT,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": OUTPUT,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": INPUT + OUTPUT,
    }
    whole = {
        "id": _id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "model": asked.model,
        "output": output,
        "usage": usage,
        "error": None,
        "incomplete_details": None,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    return whole, _responses_frames(whole, output)


def _responses_frames(whole: Mapping[str, Any], output: list[dict[str, Any]]) -> Iterator[bytes]:
    sent = 0

    def event(kind: str, **fields: Any) -> bytes:
        nonlocal sent
        sent += 1
        return _sse({"type": f"response.{kind}", "sequence_number": sent - 1, **fields}, f"response.{kind}")

    yield event("created", response={**whole, "output": [], "status": "in_progress", "usage": None})
    for i, item in enumerate(output):
        at = {"item_id": item["id"], "output_index": i}
        empty = {k: type(v)() if k in ("content", "summary", "arguments", "input") else v for k, v in item.items()}
        yield event("output_item.added", output_index=i, item=empty)
        if item["type"] == "message":
            text = item["content"][0]["text"]
            blank = {**item["content"][0], "text": ""}
            yield event("content_part.added", **at, content_index=0, part=blank)
            for piece in _pieces(text):
                yield event("output_text.delta", **at, content_index=0, delta=piece, logprobs=[])
            yield event("output_text.done", **at, content_index=0, text=text, logprobs=[])
            yield event("content_part.done", **at, content_index=0, part=item["content"][0])
        elif item["type"] == "reasoning":
            part = item["summary"][0]
            yield event("reasoning_summary_part.added", **at, summary_index=0, part={**part, "text": ""})
            yield event("reasoning_summary_text.delta", **at, summary_index=0, delta=part["text"])
            yield event("reasoning_summary_text.done", **at, summary_index=0, text=part["text"])
            yield event("reasoning_summary_part.done", **at, summary_index=0, part=part)
        else:
            kind, field = (
                ("function_call_arguments", "arguments")
                if item["type"] == "function_call"
                else ("custom_tool_call_input", "input")
            )
            for piece in _pieces(item[field]):
                yield event(f"{kind}.delta", **at, delta=piece)
            yield event(f"{kind}.done", **at, **{field: item[field]})
        yield event("output_item.done", output_index=i, item=item)
    yield event("completed", response=whole)


def _anthropic(asked: Asked, step: Step) -> tuple[dict[str, Any], Iterator[bytes]]:
    blocks: list[dict[str, Any]] = []
    if step.thought:
        blocks.append({"type": "thinking", "thinking": step.thought, "signature": _signature()})
    if step.text:
        blocks.append({"type": "text", "text": step.text})
    blocks += [
        {"type": "tool_use", "id": _id("toolu_"), "name": tool.name, "input": arguments} for tool, arguments in step.calls
    ]
    usage = {"input_tokens": INPUT, "output_tokens": OUTPUT}
    stop = "tool_use" if step.calls else "end_turn"
    base = {"id": _id("msg_"), "type": "message", "role": "assistant", "model": asked.model, "stop_sequence": None}
    whole = {**base, "content": blocks, "stop_reason": stop, "usage": usage}

    def frames() -> Iterator[bytes]:
        start = {**base, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield _sse({"type": "message_start", "message": start}, "message_start")
        for i, block in enumerate(blocks):
            yield from _anthropic_block(i, block)
        end = {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}
        yield _sse(end, "message_delta")
        yield _sse({"type": "message_stop"}, "message_stop")

    return whole, frames()


def _anthropic_block(index: int, block: Mapping[str, Any]) -> Iterator[bytes]:
    def delta(value: Mapping[str, Any]) -> bytes:
        return _sse({"type": "content_block_delta", "index": index, "delta": value}, "content_block_delta")

    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
    start = {"type": "content_block_start", "index": index, "content_block": {**block, **empty[block["type"]]}}
    yield _sse(start, "content_block_start")
    if block["type"] == "text":
        yield from (delta({"type": "text_delta", "text": piece}) for piece in _pieces(block["text"]))
    elif block["type"] == "thinking":
        yield delta({"type": "thinking_delta", "thinking": block["thinking"]})
        yield delta({"type": "signature_delta", "signature": block["signature"]})
    else:
        for piece in _pieces(json.dumps(block["input"])):
            yield delta({"type": "input_json_delta", "partial_json": piece})
    yield _sse({"type": "content_block_stop", "index": index}, "content_block_stop")


def _gemini(asked: Asked, step: Step) -> tuple[dict[str, Any], Iterator[bytes]]:
    parts: list[dict[str, Any]] = []
    if step.thought:
        parts.append({"text": step.thought, "thought": True})
    if step.text:
        parts.append({"text": step.text})
    for i, (tool, arguments) in enumerate(step.calls):
        signed = {"thoughtSignature": _signature()} if i == 0 else {}
        parts.append({"functionCall": {"name": tool.name, "args": arguments}, **signed})
    usage = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT, "totalTokenCount": INPUT + OUTPUT}

    def answer(parts: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        candidate |= {"finishReason": finish} if finish else {}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": asked.model, "responseId": _id("r")}

    frames = (_sse(answer([part], "STOP" if part is parts[-1] else None)) for part in parts)
    return answer(parts, "STOP"), frames


def _ollama(asked: Asked, step: Step) -> tuple[dict[str, Any], Iterator[bytes]]:
    base = {"model": asked.model, "created_at": "2026-01-01T00:00:00Z"}
    calls = [{"function": {"name": tool.name, "arguments": arguments}} for tool, arguments in step.calls]
    message: dict[str, Any] = {"role": "assistant", "content": step.text}
    message |= {"thinking": step.thought} if step.thought else {}
    end = {"done": True, "done_reason": "stop", "prompt_eval_count": INPUT, "eval_count": OUTPUT}

    def line(message: Mapping[str, Any], **more: Any) -> bytes:
        return json.dumps({**base, "message": {"role": "assistant", "content": "", **message}, **more}).encode() + b"\n"

    def frames() -> Iterator[bytes]:
        if step.thought:
            yield line({"thinking": step.thought}, done=False)
        if step.text:
            yield from (line({"content": piece}, done=False) for piece in _pieces(step.text))
        if calls:
            yield line({"tool_calls": calls}, done=False)
        yield line({}, **end)

    return {**base, "message": message | ({"tool_calls": calls} if calls else {}), **end}, frames()
