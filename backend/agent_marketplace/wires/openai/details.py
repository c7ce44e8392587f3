"""`reasoning_details` (OpenRouter, "Preserving reasoning blocks"): blocks of thinking with what their minter needs back. What is not
text travels through clients of any wire as the block's signature, and comes back as it was."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.wires.base import ReasoningDelta, ReasoningPart, WireName
from agent_marketplace.wires.shared import signatures

FIELD = "reasoning_details"
_WORDS = ("text", "summary")
_SEALED = ("signature", "data")


def read(details: Any, said: str) -> Iterator[ReasoningDelta]:
    """What the details of a message or delta say. said: its thinking in plain words; theirs count where there is none."""
    found = [d for d in details if isinstance(d, Mapping)] if isinstance(details, list) else []
    words = said or "".join(str(d.get(w) or "") for d in found for w in _WORDS)
    if words:
        yield ReasoningDelta(words)
    for detail in found:
        if any(isinstance(detail.get(name), str) and detail[name] for name in _SEALED):
            kept = {k: v for k, v in detail.items() if k not in _WORDS and v is not None}
            yield ReasoningDelta(signature=signatures.tagged("openai", json.encode(kept).decode()))


def written(parts: Sequence[ReasoningPart], wire: WireName | None) -> dict[str, Any]:
    """An assistant's earlier thinking as fields of its message: sealed blocks whole, bare words as `reasoning`."""
    details: list[dict[str, Any]] = []
    words = "".join(p.text for p in parts)
    for part in parts:
        sealed = signatures.own("openai", part.signature, wire)
        if sealed:
            details.append(_detail(part, sealed) | ({"text": part.text} if part.text else {}))
    return ({FIELD: details} if details else {}) | ({"reasoning": words} if words else {})


def _detail(part: ReasoningPart, sealed: str) -> dict[str, Any]:
    try:
        kept = json.decode(sealed)
    except ValueError:
        kept = None
    if isinstance(kept, dict):
        return kept
    if part.redacted:
        return {"type": "reasoning.encrypted", "data": sealed}
    return {"type": "reasoning.text", "signature": sealed}
