"""Hard filters, pure: what a request needs of a model, and the first thing that a model or its offer lacks, in words."""

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta

import msgspec

from agent_marketplace.catalog import AIModel, Offer
from agent_marketplace.errors import BadRequest
from agent_marketplace.recommend.tasks import Analysis

RETIRING_DAYS = 45
CONTEXT_MARGIN = 1.2
"""Token counts before the call are estimates: the context has to be this much larger."""

UNKNOWN_CONTEXT = 8_192
"""What is counted on where nobody says how much a model reads: as much as any current model does."""

_SPECIALISTS = re.compile(
    r"(?:^|[-_.])(?:audio|guard\w*|safety|moderation|apply|ocr|transcribe|realtime|tts|rerank\w*)(?:[-_.]|$)"
)
REQUIREMENTS: Mapping[str, frozenset[str]] = {
    "tools": frozenset({"tools"}),
    "structured_output": frozenset({"structured_outputs", "response_format"}),
    "reasoning": frozenset({"reasoning"}),
}
_SPELLINGS = {
    "tool": "tools", "function_calling": "tools", "tool_calling": "tools", "tool_use": "tools", "json": "structured_output",
    "structured_outputs": "structured_output", "structured": "structured_output", "image": "vision", "images": "vision",
    "thinking": "reasoning",
}  # fmt: skip


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """input_tokens and output_tokens: expected; names: of REQUIREMENTS; vision: pictures go in; free: must cost nothing."""

    input_tokens: int
    output_tokens: int
    names: frozenset[str] = frozenset()
    vision: bool = False
    free: bool = False
    local: bool = False


def needs_of(analysis: Analysis, output_tokens: int, require: Collection[str] = ()) -> Needs:
    """What the analysis and the caller's `require` ask for. Raises BadRequest for an unknown requirement."""
    names = {_SPELLINGS.get(r.strip().lower(), r.strip().lower()) for r in require}
    unknown = sorted(names - REQUIREMENTS.keys() - {"vision", "free", "local"})
    if unknown:
        known = ", ".join(sorted({*REQUIREMENTS, "vision", "free", "local"}))
        raise BadRequest(f"Unknown requirement {unknown[0][:60]!r}; known: {known}")
    if analysis.type == "tool_use" and not analysis.uncertain:
        names.add("tools")
    vision = (
        "vision" in names or analysis.has_images or (analysis.type == "vision" and not analysis.uncertain)
    )
    return Needs(
        input_tokens=analysis.input_tokens,
        output_tokens=output_tokens,
        names=frozenset(names & REQUIREMENTS.keys()),
        vision=vision,
        free="free" in names,
        local="local" in names,
    )


def answers_text(model: AIModel) -> bool:
    """True for chat models: text in, text out; no embeddings, rerankers, moderation, speech or pictures as the answer.

    Models made for one step of a pipeline (patch appliers, safety filters, audio chat that refuses plain text) are told by name.
    """
    return (
        not _SPECIALISTS.search(model.id)
        and "text" in model.capabilities
        and "text" in model.input_modalities
        and model.output_modalities[:1] == ("text",)
    )


def _wanted(needs: Needs) -> int:
    return round(needs.input_tokens * CONTEXT_MARGIN) + needs.output_tokens


def lacks(offer: Offer, needs: Needs, today: date, card_context: int = 0) -> str | None:
    """The first need that an offer can't meet, keys and money left aside; None if it meets all.

    card_context: tokens on the model's card, for an offer that names none (0: unknown).
    """
    if (
        offer.retires_on is not None
        and offer.retires_on <= (today + timedelta(days=RETIRING_DAYS)).isoformat()
    ):
        return f"it retires on {offer.retires_on}"
    if needs.vision and "image" not in offer.input_modalities:
        return "it takes no images"
    for name in sorted(needs.names):
        if not REQUIREMENTS[name] & set(offer.supported_parameters):
            return f"it has no {name.replace('_', ' ')}"
    if needs.free and not offer.is_free:
        return "it is not free"
    if needs.local and offer.provider not in ("local", "ollama"):
        return "it does not run on this machine"
    context = offer.context or card_context
    if (context or UNKNOWN_CONTEXT) < _wanted(needs):
        return (
            f"its context of {context:,} tokens is too small" if context else "nobody says how much it reads"
        )
    if offer.max_input is not None and offer.max_input < needs.input_tokens * CONTEXT_MARGIN:
        return f"it takes {offer.max_input:,} input tokens at most"
    return None
