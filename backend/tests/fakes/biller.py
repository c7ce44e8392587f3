"""A provider that counts what reached it and bills the most that its own rules allow for that: an oracle which knows nothing of
the client's wire, of how the call was translated, and of what was held."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.fakes import calendar, shapes
from tests.fakes.upstream import Behaviour, Seen

WORD = " a"
"""A token of its own in every vocabulary; nothing else in a body may hold it."""
_REGISTRY = calendar.registry()
_CAPS = (
    "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict", "n_predict", "max_new_tokens",
)  # fmt: skip
_MEDIA = re.compile(r"^data:([^;,]*)")


def bills_the_worst(model: str) -> Behaviour:
    """For calls to one model (our id)."""
    return Behaviour(usage=lambda seen: _usage(model, seen))


def bills_the_worst_text() -> Behaviour:
    """For Hugging Face's text generation, which says what it read and wrote in `details`."""

    def answer(seen: Seen) -> bytes:
        cap = next(v for name, v in _fields(seen.json) if name == "max_new_tokens")
        read = seen.body.count(WORD.encode())
        details = {
            "finish_reason": "length",
            "generated_tokens": cap + 8,
            "input_length": read,
            "prefill": [],
        }
        return json.dumps([{"generated_text": "x", "details": details}]).encode()

    return Behaviour(raw=answer)


def bills_the_worst_vectors() -> Behaviour:
    """For embeddings of OpenAI's, Gemini's and Ollama's shapes: each word and each token that came is billed, and the marks of
    every input."""

    def answer(seen: Seen) -> bytes:
        asked = seen.json
        batch = asked.get("requests", asked.get("input"))
        several = isinstance(batch, list) and not isinstance(batch[0], int)
        vectors = [[0.5, 0.25]] * (len(batch) if several else 1)
        read = seen.body.count(WORD.encode()) + _integers(asked.get("input")) + 2 * len(vectors)
        if "requests" in asked:
            body: dict[str, Any] = {
                "embeddings": [{"values": v} for v in vectors], "usageMetadata": {"promptTokenCount": read},
            }  # fmt: skip
        elif seen.path.endswith("/api/embed"):
            body = {"embeddings": vectors, "prompt_eval_count": read}
        else:
            data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
            body = {"object": "list", "data": data, "usage": {"prompt_tokens": read, "total_tokens": read}}
        return json.dumps(body).encode()

    return Behaviour(raw=answer)


def _integers(value: Any) -> int:
    return sum(map(_integers, value)) if isinstance(value, list) else int(isinstance(value, int))


def _usage(model: str, seen: Seen) -> dict[str, Any]:
    body = seen.json
    wire = shapes.wire_of(seen.path)
    written = seen.body.count(WORD.encode())
    pictures, sound, endless = _media(model, wire, body)
    read = written + pictures + sound
    if endless:
        read = max(read, _window(model))
    caps = [v for name, v in _fields(body) if name in _CAPS and isinstance(v, int)]
    answers = max([1, *(v for name, v in _fields(body) if name in ("n", "candidateCount"))])
    output = (min(caps) if caps else 100) * answers + 8 * answers
    if wire == "anthropic":
        text = json.dumps(body)
        life = "1h" if '"1h"' in text else "5m" if "cache_control" in text else ""
        kept = read if life else 0
        lives = {f"ephemeral_{n}_input_tokens": kept if n == life else 0 for n in ("5m", "1h")}
        return {
            "input_tokens": read - kept, "output_tokens": output, "cache_creation_input_tokens": kept,
            "cache_creation": lives,
        }  # fmt: skip
    usage = shapes.usage_of(wire, read, output)
    if wire == "gemini":
        usage["promptTokensDetails"] = [
            {"modality": "AUDIO", "tokenCount": sound + (read if endless else 0)},
            {"modality": "IMAGE", "tokenCount": 0 if endless else pictures},
            {"modality": "TEXT", "tokenCount": 0 if endless else written},
        ]
    return usage


def _window(model: str) -> int:
    offer = _REGISTRY.offers(model)[0]
    window = offer.context or 0
    return min(window, offer.max_input or window) if "claude" in model else window


def _media(model: str, wire: str, body: Any) -> tuple[int, int, bool]:
    """(tokens of pictures of 1024 x 768, of recordings of two seconds, whether something has no size)."""
    pictures = sound = 0
    endless = False
    for name, value in _fields(body):
        kind = _kind(wire, name, value)
        if kind.startswith("image/"):
            pictures += _picture(model)
        elif kind in ("audio/wav", "audio/x-wav"):
            sound += 2 * 32
        elif kind:
            endless = True
    return pictures, sound, endless


def _kind(wire: str, name: str, value: Any) -> str:
    """The media type of what a field holds, "" for no medium."""
    if isinstance(value, str) and (found := _MEDIA.match(value)):
        return found[1].lower()
    if name in ("inlineData", "source") and isinstance(value, dict):
        kind = str(value.get("mimeType") or value.get("media_type") or "")
        named = "url" in value or "file_id" in value
        return "application/octet-stream" if named else "" if kind == "text/plain" else kind.lower()
    if name == "input_audio" and isinstance(value, dict):
        return f"audio/{value['format']}"
    if name in ("file_url", "fileUri", "video_url"):
        return "application/octet-stream"
    if name == "images" and wire == "ollama" and value:
        return "image/png"
    return ""


def _picture(model: str) -> int:
    if "claude" in model:
        return 1024 * 768 // 750
    if "gemini" in model:
        return 4 * 258
    if "gpt-5" in model:
        return 32 * 24 * 2  # patches of 32 pixels, at twice
    return 2_833 + 4 * 5_667 if "4o-mini" in model else 85 + 4 * 170


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner)
