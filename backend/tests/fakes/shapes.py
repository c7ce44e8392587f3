"""What providers really send, per wire: plain bodies, stream frames and error bodies, written from their API references."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from tests.fakes import fill_shapes

Wire = Literal[
    "openai", "anthropic", "gemini", "ollama", "responses", "embeddings", "models", "completions", "infill", "generate",
]  # fmt: skip
FILLS = ("completions", "infill", "generate")
Kind = Literal["head", "text", "finish", "usage", "done"]


@dataclass(frozen=True)
class Frame:
    """One stream item. Only `text` frames count as chunks."""

    kind: Kind
    data: bytes


def wire_of(path: str) -> Wire:
    """Which wire a path belongs to."""
    for end, wire in (("/chat/completions", "openai"), ("/messages", "anthropic"), ("/responses", "responses"),
                      ("/embeddings", "embeddings"), ("/api/chat", "ollama"), *fill_shapes.ENDS):  # fmt: skip
        if path.endswith(end):
            return wire  # type: ignore[return-value]
    return "gemini" if "enerateContent" in path else "models"


def sse(data: Any, event: str = "") -> bytes:
    """One event, LF line ends."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def usage_of(wire: Wire, prompt: Any, completion: Any) -> dict[str, Any]:
    """The wire's usage object."""
    if wire in FILLS:
        return fill_shapes.usage_of(wire, prompt, completion)
    if wire == "anthropic":
        return {"input_tokens": prompt, "output_tokens": completion}
    if wire == "responses":
        return {"input_tokens": prompt, "output_tokens": completion, "total_tokens": _sum(prompt, completion)}
    if wire == "gemini":
        return {
            "promptTokenCount": prompt,
            "candidatesTokenCount": completion,
            "totalTokenCount": _sum(prompt, completion),
        }
    if wire == "ollama":
        return {"prompt_eval_count": prompt, "eval_count": completion}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": _sum(prompt, completion),
    }


def _sum(a: Any, b: Any) -> Any:
    return a + b if isinstance(a, int | float) and isinstance(b, int | float) else 0


def plain(wire: Wire, model: str, text: str, usage: dict[str, Any] | None) -> bytes:
    """A whole answer."""
    body: dict[str, Any]
    if wire in FILLS:
        return fill_shapes.plain(wire, model, text, usage)
    if wire == "anthropic":
        body = {"id": "msg_up", "type": "message", "role": "assistant", "model": model, "stop_reason": "end_turn",
                "content": [{"type": "text", "text": text}], "usage": usage or {}}  # fmt: skip
    elif wire == "gemini":
        parts = {"role": "model", "parts": [{"text": text}]}
        body = {
            "candidates": [{"content": parts, "finishReason": "STOP", "index": 0}],
            "modelVersion": model,
            "responseId": "g_up",
        }
        body |= {"usageMetadata": usage} if usage is not None else {}
    elif wire == "ollama":
        body = {
            "model": model,
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": "stop",
            **(usage or {}),
        }
    elif wire == "responses":
        item = {
            "type": "message",
            "id": "m_up",
            "role": "assistant",
            "content": [{"type": "output_text", "text": text}],
        }
        body = {
            "id": "resp_up",
            "object": "response",
            "status": "completed",
            "model": model,
            "output": [item],
            "usage": usage,
        }
    elif wire == "embeddings":
        body = {"object": "list", "model": model, "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
                "usage": {"prompt_tokens": (usage or {}).get("prompt_tokens", 1), "total_tokens": 1}}  # fmt: skip
    elif wire == "models":
        body = {"object": "list", "data": [{"id": model, "object": "model"}]}
    else:
        message = {"role": "assistant", "content": text}
        body = {"id": "chatcmpl-up", "object": "chat.completion", "created": 1, "model": model,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
        body |= {"usage": usage} if usage is not None else {}
    return json.dumps(body).encode()


def stream(wire: Wire, model: str, texts: list[str], usage: dict[str, Any] | None) -> list[Frame]:
    """A whole stream, frame by frame."""
    if wire in FILLS:
        return [Frame(kind, data) for kind, data in fill_shapes.frames(wire, model, texts, usage)]  # type: ignore[arg-type]
    if wire == "anthropic":
        return _anthropic(model, texts, usage)
    if wire == "gemini":
        return _gemini(model, texts, usage)
    if wire == "ollama":
        return _ollama(model, texts, usage)
    if wire == "responses":
        return _responses(model, texts, usage)
    return _openai(model, texts, usage)


def _openai(model: str, texts: list[str], usage: dict[str, Any] | None) -> list[Frame]:
    base = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return sse({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    frames = [Frame("head", chunk({"role": "assistant", "content": ""}))]
    frames += [Frame("text", chunk({"content": t})) for t in texts]
    frames.append(Frame("finish", chunk({}, "stop")))
    if usage is not None:
        frames.append(Frame("usage", sse({**base, "choices": [], "usage": usage})))
    return [*frames, Frame("done", b"data: [DONE]\n\n")]


def _anthropic(model: str, texts: list[str], usage: dict[str, Any] | None) -> list[Frame]:
    given = usage or {}
    start: dict[str, Any] = {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
    }
    start |= (
        {"usage": {"input_tokens": given.get("input_tokens"), "output_tokens": 1}}
        if usage is not None
        else {}
    )
    frames = [
        Frame("head", sse({"type": "message_start", "message": start}, "message_start")),
        Frame("head", sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                          "content_block_start")),
    ]  # fmt: skip
    for text in texts:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        frames.append(Frame("text", sse(delta, "content_block_delta")))
    end: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    }
    end |= {"usage": {"output_tokens": given.get("output_tokens")}} if usage is not None else {}
    frames.append(Frame("head", sse({"type": "content_block_stop", "index": 0}, "content_block_stop")))
    return [
        *frames,
        Frame("finish", sse(end, "message_delta")),
        Frame("done", sse({"type": "message_stop"}, "message_stop")),
    ]


def _gemini(model: str, texts: list[str], usage: dict[str, Any] | None) -> list[Frame]:
    def chunk(text: str, finish: str | None, use: dict[str, Any] | None) -> bytes:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
        candidate |= {"finishReason": finish} if finish else {}
        body = {"candidates": [candidate], "modelVersion": model, "responseId": "g_up"}
        return sse(body | ({"usageMetadata": use} if use is not None else {}))

    return [*(Frame("text", chunk(t, None, None)) for t in texts), Frame("finish", chunk("", "STOP", usage))]


def _ollama(model: str, texts: list[str], usage: dict[str, Any] | None) -> list[Frame]:
    def line(text: str, **more: Any) -> bytes:
        return (
            json.dumps(
                {"model": model, "message": {"role": "assistant", "content": text}, "done": False} | more
            ).encode()
            + b"\n"
        )

    last = line("", done=True, done_reason="stop", **(usage or {}))
    return [*(Frame("text", line(t)) for t in texts), Frame("finish", last)]


def _responses(model: str, texts: list[str], usage: dict[str, Any] | None) -> list[Frame]:
    shell = {"id": "resp_up", "object": "response", "status": "in_progress", "model": model, "output": []}
    frames = [Frame("head", sse({"type": "response.created", "response": shell}, "response.created"))]
    for text in texts:
        delta = {
            "type": "response.output_text.delta",
            "item_id": "m_up",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
        }
        frames.append(Frame("text", sse(delta, "response.output_text.delta")))
    whole = json.loads(plain("responses", model, "".join(texts), usage))
    return [
        *frames,
        Frame("finish", sse({"type": "response.completed", "response": whole}, "response.completed")),
    ]


def error_body(wire: Wire, status: int, words: str) -> bytes:
    """A refused request, in the provider's shape."""
    if wire == "anthropic":
        kind = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error", 400: "invalid_request_error",
                404: "not_found_error"}.get(status, "api_error")  # fmt: skip
        return json.dumps({"type": "error", "error": {"type": kind, "message": words}}).encode()
    if wire == "gemini":
        name = {
            401: "UNAUTHENTICATED",
            429: "RESOURCE_EXHAUSTED",
            503: "UNAVAILABLE",
            400: "INVALID_ARGUMENT",
        }.get(status, "INTERNAL")
        return json.dumps({"error": {"code": status, "message": words, "status": name}}).encode()
    if wire == "ollama":
        return json.dumps({"error": words}).encode()
    return json.dumps({"error": {"message": words, "type": "upstream", "param": None, "code": None}}).encode()


def error_frame(wire: Wire, words: str) -> bytes:
    """An error inside a stream."""
    if wire == "anthropic":
        return sse({"type": "error", "error": {"type": "overloaded_error", "message": words}}, "error")
    if wire == "gemini":
        return sse({"error": {"code": 503, "message": words, "status": "UNAVAILABLE"}})
    if wire == "ollama":
        return json.dumps({"error": words}).encode() + b"\n"
    if wire == "responses":
        return sse({"type": "error", "code": "server_error", "message": words}, "error")
    return sse({"error": {"message": words, "type": "server_error", "code": 503}})
