"""Hard filters, pure: what a request needs of a model, and what a model or its offer lacks, in words."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

import msgspec

from agent_marketplace.catalog import AIModel, Offer
from agent_marketplace.errors import BadRequest
from agent_marketplace.recommend import hosting
from agent_marketplace.recommend.conditions import Conditions
from agent_marketplace.recommend.tasks import Analysis

RETIRING_DAYS = 45
EXPERIMENT_DAYS = 365
CONTEXT_MARGIN, STATED_MARGIN = 1.2, 1.05
"""Token counts before the call are estimates: the context has to be this much larger; less where the caller counted."""

UNKNOWN_CONTEXT = 8_192
"""What is counted on where nobody says how much a model reads: as much as any current model does."""

UNKNOWN_OUTPUT = 32_768
"""What is counted on where nobody says how much a model writes in one answer."""

_SPECIALISTS = re.compile(
    r"(?:^|[-_.])(?:audio|guard\w*|safety|moderation|apply|ocr|transcribe|realtime|tts|rerank\w*|cyber|law|robotics|rosalind|"
    r"search|research|character|customtools|mt|prover|rp|her|multi-agent)(?:[-_.]|$)"
)
_EXPERIMENT = re.compile(r"(?:^|[-_.])(?:exp|experimental|preview|beta|alpha)(?:[-_.]|$)")
REQUIREMENTS: Mapping[str, frozenset[str]] = {
    "tools": frozenset({"tools"}),
    "structured_output": frozenset({"structured_outputs", "response_format"}),
    "reasoning": frozenset({"reasoning"}),
}
_SPELLINGS = {
    "tool": "tools", "function_calling": "tools", "tool_calling": "tools", "tool_use": "tools", "json": "structured_output",
    "structured_outputs": "structured_output", "structured": "structured_output", "image": "vision", "images": "vision",
    "thinking": "reasoning", "offline": "local",
}  # fmt: skip
_TAKES = {"image": "images", "audio": "sound", "video": "video", "pdf": "PDF files"}


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """input_tokens and output_tokens: expected; names: of REQUIREMENTS; the rest as in `conditions.Conditions`.

    context: tokens that have to be readable, whatever goes in; margin: how much larger than the input the context has to be;
    models: ids, if one was named; answer_tokens: the length of the
    answer, if it was stated.
    """

    input_tokens: int
    output_tokens: int
    names: frozenset[str] = frozenset()
    vision: bool = False
    free: bool = False
    local: bool = False
    margin: float = CONTEXT_MARGIN
    inputs: frozenset[str] = frozenset()
    output: str = "text"
    answer_tokens: int = 0
    no_training: bool = False
    region: str | None = None
    open_weights: bool = False
    makers: frozenset[str] = frozenset()
    exclude_makers: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    exclude_models: frozenset[str] = frozenset()
    context: int = 0


def needs_of(
    analysis: Analysis,
    output_tokens: int,
    require: Collection[str] = (),
    conditions: Conditions | None = None,
    models: Collection[str] = (),
) -> Needs:
    """What the analysis, the caller's `require` and the conditions ask for. Raises BadRequest for an unknown requirement."""
    asked_for = (*require, *(conditions.require if conditions else ()))
    names = {_SPELLINGS.get(r.strip().lower(), r.strip().lower()) for r in asked_for}
    unknown = sorted(names - REQUIREMENTS.keys() - {"vision", "free", "local"})
    if unknown:
        known = ", ".join(sorted({*REQUIREMENTS, "vision", "free", "local"}))
        raise BadRequest(f"Unknown requirement {unknown[0][:60]!r}; known: {known}")
    told = conditions or Conditions()
    text = told.output == "text"
    if text and analysis.type == "tool_use" and not analysis.uncertain:
        names.add("tools")
    asked = analysis.has_images or (text and analysis.type == "vision" and not analysis.uncertain)
    inputs = set(told.inputs) | ({"image"} if asked or "vision" in names else set())
    return Needs(
        input_tokens=analysis.input_tokens,
        output_tokens=output_tokens,
        names=frozenset(names & REQUIREMENTS.keys()),
        vision="image" in inputs,
        free="free" in names or told.free,
        local="local" in names or told.offline,
        margin=STATED_MARGIN if told.input_tokens is not None else CONTEXT_MARGIN,
        inputs=frozenset(inputs),
        output=told.output,
        answer_tokens=told.output_tokens or 0,
        no_training=told.no_training,
        region=told.region,
        open_weights=told.open_weights,
        makers=frozenset(told.makers),
        exclude_makers=frozenset(told.exclude_makers),
        models=frozenset(models),
        exclude_models=frozenset(told.exclude_models),
        context=told.context or 0,
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


def gives(model: AIModel, output: str) -> bool:
    """Whether a model's results are of a kind (`conditions.OUTPUTS`)."""
    if output == "text":
        return answers_text(model)
    if output == "embedding":
        return "embeddings" in model.capabilities
    if output == "video":
        return "video" in model.output_modalities
    if output == "image":
        return "image" in model.output_modalities or (
            "image" in model.capabilities and "text" not in model.capabilities
        )
    spoken = "audio" in model.output_modalities and "video" not in model.output_modalities
    return (output == "speech" and spoken) or (output == "rerank" and "rerank" in model.id)


def old_experiment(model: AIModel, today: date) -> bool:
    """An experiment or preview of more than a year ago, or of a day that nobody knows."""
    if _EXPERIMENT.search(model.id) is None:
        return False
    return (
        model.released_on is None or model.released_on < (today - timedelta(days=EXPERIMENT_DAYS)).isoformat()
    )


def unfit(model: AIModel, needs: Needs) -> Iterator[str]:
    """What the model itself breaks of the needs, whoever serves it."""
    if needs.models and model.id not in needs.models:
        yield "it is not the model that was named"
    if needs.makers and model.maker not in needs.makers:
        yield f"it is not by {' or '.join(sorted(needs.makers))}"
    if model.maker in needs.exclude_makers or model.id in needs.exclude_models:
        yield f"{model.maker or model.id} is excluded"
    if needs.open_weights and "open_weights" not in model.tags:
        yield "its weights are not known to be open"


def lacks(offer: Offer, needs: Needs, today: date, card_context: int = 0) -> str | None:
    """The first need that an offer can't meet, keys and money left aside; None if it meets all.

    card_context: tokens on the model's card, for an offer that names none (0: unknown).
    """
    return next(unmet(offer, needs, today, card_context), None)


def unmet(offer: Offer, needs: Needs, today: date, card_context: int = 0) -> Iterator[str]:
    """Every need that an offer can't meet."""
    if (
        offer.retires_on is not None
        and offer.retires_on <= (today + timedelta(days=RETIRING_DAYS)).isoformat()
    ):
        yield f"it retires on {offer.retires_on}"
    for kind in sorted(needs.inputs | ({"image"} if needs.vision else set())):
        if kind not in offer.input_modalities:
            yield f"it takes no {_TAKES.get(kind, kind)}"
    for name in sorted(needs.names):
        if not REQUIREMENTS[name] & set(offer.supported_parameters):
            yield f"it has no {name.replace('_', ' ')}"
    if needs.free and not offer.is_free:
        yield "it is not free"
    yield from _privacy(offer, needs)
    if needs.output == "text":
        yield from _too_small(offer, needs, card_context)


def _privacy(offer: Offer, needs: Needs) -> Iterator[str]:
    if needs.local and offer.provider not in hosting.HERE:
        yield "it does not run on this machine"
    if needs.no_training and hosting.hosting(offer.provider).trains is not False:
        yield f"it is not known whether {offer.provider} trains on what is sent"
    if needs.region is not None:
        inside = hosting.in_region(offer.provider, needs.region)
        if inside is None:
            yield f"it is not known where {offer.provider} processes data"
        elif not inside:
            yield f"{offer.provider} does not process data in the {needs.region.upper()}"


def _too_small(offer: Offer, needs: Needs, card_context: int) -> Iterator[str]:
    context = offer.context or card_context
    longest = min(needs.output_tokens, offer.max_output or needs.output_tokens)  # more can't come
    if (context or UNKNOWN_CONTEXT) < round(needs.input_tokens * needs.margin) + longest:
        yield (
            f"its context of {context:,} tokens is too small" if context else "nobody says how much it reads"
        )
    elif offer.max_input is not None and offer.max_input < needs.input_tokens * needs.margin:
        yield f"it takes {offer.max_input:,} input tokens at most"
    elif context < needs.context:
        yield f"its context of {context:,} tokens is too small"
    if (offer.max_output or UNKNOWN_OUTPUT) < needs.answer_tokens:
        yield (
            f"it writes {offer.max_output:,} tokens in one answer at most"
            if offer.max_output
            else "nobody says how much it writes in one answer"
        )
