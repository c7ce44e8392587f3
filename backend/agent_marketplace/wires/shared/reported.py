"""Usage as providers report it, normalised into disjoint classes. Absent gives None, never zeros.

Payload shapes: OpenAI API reference (CompletionUsage, ResponseUsage), Anthropic Messages API (Usage), Gemini API
(UsageMetadata), Ollama API (final response). A negative, fractional, non-finite or absurd count raises UsageRefused.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from agent_marketplace.usage import Usage

MAX_TOKENS = (
    1_000_000_000  # a thousand times the largest context offered anywhere: beyond it a report is nonsense
)


class UsageRefused(ValueError):
    """A report that cannot be true; the call's usage is then unknown and must be estimated."""


def _count(report: Mapping[str, Any], name: str) -> int | None:
    value = report.get(name)
    if value is None or (type(value) is int and 0 <= value <= MAX_TOKENS):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TOKENS:
        raise UsageRefused(f"{name} is not a plausible count of tokens")
    return value


def _sub(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = report.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageRefused(f"{name} is not an object")
    return value


def _take(available: int, wanted: int) -> tuple[int, int]:
    """(taken, left): classes stay disjoint even where a provider counts a cached image as both."""
    taken = min(available, wanted)
    return taken, available - taken


def _both(prompt: int | None, completion: int | None, total: int | None) -> tuple[int, int] | None:
    """Input and output; a missing one is what the other leaves of the total. None where half of the usage is not known."""
    if prompt is None and completion is not None and total is not None:
        prompt = max(0, total - completion)
    elif completion is None and prompt is not None and total is not None:
        completion = max(0, total - prompt)
    return None if prompt is None or completion is None else (prompt, completion)


_Tokens = Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)] | None


class _Details(msgspec.Struct, gc=False):
    cached_tokens: _Tokens = None
    cache_write_tokens: _Tokens = None
    audio_tokens: _Tokens = None
    image_tokens: _Tokens = None
    reasoning_tokens: _Tokens = None

    def plain(self) -> bool:
        """Whether nothing here is a class of its own but what was read from a cache, and reasoning."""
        return not (self.cache_write_tokens or self.audio_tokens or self.image_tokens)


class _Usual(msgspec.Struct, gc=False):
    """What nearly every report is: whole numbers, and no kinds but text. The rules below say the same of it, and of all others."""

    prompt_tokens: Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)]
    completion_tokens: Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)]
    total_tokens: _Tokens = None
    prompt_cache_hit_tokens: _Tokens = None
    cached_tokens: _Tokens = None
    cache_read_input_tokens: _Tokens = None
    cache_creation_input_tokens: _Tokens = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


def _usual(report: Any) -> Usage | None:
    """A usual report's usage; None where it is another one."""
    try:
        r = msgspec.convert(report, _Usual)
    except msgspec.ValidationError:
        return None
    prompt, output, cached, reasoning = r.prompt_tokens, r.completion_tokens, None, 0
    if (details := r.prompt_tokens_details) is not None:
        if not details.plain():
            return None
        cached = details.cached_tokens
    if cached is None:
        cached = r.prompt_cache_hit_tokens or r.cached_tokens or r.cache_read_input_tokens or 0
    if r.cache_creation_input_tokens:
        return None
    if (produced := r.completion_tokens_details) is not None:
        if not produced.plain():
            return None
        reasoning = produced.reasoning_tokens or 0
    if cached > prompt or (reasoning and (reasoning > output or r.total_tokens != prompt + output)):
        return None
    return Usage(input=prompt - cached, cache_read=cached, output=output, reasoning=reasoning)


_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
"""What was read from a cache, beside the details: DeepSeek's name, Kimi's, and that of gateways before Claude (Databricks)."""


def from_openai(report: Any) -> Usage | None:
    """Chat completions' `usage`: every kind of input is a part of `prompt_tokens`; reasoning is part of `completion_tokens`,
    except at providers whose total shows that it is not (xAI)."""
    if report is None:
        return None
    if (usual := _usual(report)) is not None:
        return usual
    if not isinstance(report, dict):
        raise UsageRefused("usage is not an object")
    total = _count(report, "total_tokens")
    known = _both(_count(report, "prompt_tokens"), _count(report, "completion_tokens"), total)
    if known is None:
        return None
    details, produced = _sub(report, "prompt_tokens_details"), _sub(report, "completion_tokens_details")
    cached = _count(details, "cached_tokens")
    if cached is None:
        cached = next((n for name in _CACHED if (n := _count(report, name))), 0)
    return _openai_classes(
        *known,
        cached=cached,
        written=_count(details, "cache_write_tokens") or _count(report, "cache_creation_input_tokens") or 0,
        inputs=(_count(details, "audio_tokens") or 0, _count(details, "image_tokens") or 0),
        outputs=(_count(produced, "audio_tokens") or 0, _count(produced, "image_tokens") or 0),
        reasoning=_count(produced, "reasoning_tokens") or 0,
        total=total,
    )


def from_responses(report: Any) -> Usage | None:
    """OpenAI Responses' `usage`: the same classes under other names."""
    if report is None:
        return None
    if not isinstance(report, dict):
        raise UsageRefused("usage is not an object")
    total = _count(report, "total_tokens")
    known = _both(_count(report, "input_tokens"), _count(report, "output_tokens"), total)
    if known is None:
        return None
    details, produced = _sub(report, "input_tokens_details"), _sub(report, "output_tokens_details")
    return _openai_classes(
        *known,
        cached=_count(details, "cached_tokens") or 0,
        written=_count(details, "cache_write_tokens") or 0,
        inputs=(_count(details, "audio_tokens") or 0, _count(details, "image_tokens") or 0),
        outputs=(_count(produced, "audio_tokens") or 0, _count(produced, "image_tokens") or 0),
        reasoning=_count(produced, "reasoning_tokens") or 0,
        total=total,
    )


def _openai_classes(
    prompt: int,
    completion: int,
    *,
    cached: int,
    written: int,
    inputs: tuple[int, int],
    outputs: tuple[int, int],
    reasoning: int,
    total: int | None,
) -> Usage:
    if reasoning and total is not None and total == prompt + completion + reasoning:
        completion += reasoning
    cache_read, rest = _take(prompt, cached)
    cache_write, rest = _take(rest, written)
    audio_in, rest = _take(rest, inputs[0])
    image_in, rest = _take(rest, inputs[1])
    audio_out, out = _take(completion, outputs[0])
    image_out, out = _take(out, outputs[1])
    return Usage(
        input=rest,
        cache_read=cache_read,
        cache_write_5m=cache_write,
        output=out,
        reasoning=min(reasoning, out),
        audio_input=audio_in,
        image_input=image_in,
        audio_output=audio_out,
        image_output=image_out,
    )


def from_anthropic(report: Any) -> Usage | None:
    """Messages' `usage`: `input_tokens` excludes both cache classes; thinking is inside `output_tokens`; what a compaction of
    the context took stands only in its own entry of `iterations`."""
    if report is None:
        return None
    if not isinstance(report, dict):
        raise UsageRefused("usage is not an object")
    rows = report.get("iterations")
    apart = (
        [r for r in rows if isinstance(r, dict) and r.get("type") == "compaction"]
        if isinstance(rows, list)
        else []
    )
    usage = _anthropic_classes(report)
    for row in apart if usage is not None else ():
        usage = _sum(usage, _anthropic_classes(row))
    return usage


def _anthropic_classes(report: Mapping[str, Any]) -> Usage | None:
    prompt, output = _count(report, "input_tokens"), _count(report, "output_tokens")
    if prompt is None:
        return None
    written = _count(report, "cache_creation_input_tokens") or 0
    split = _sub(report, "cache_creation")
    hour, _ = _take(written, _count(split, "ephemeral_1h_input_tokens") or 0)
    thinking = _count(_sub(report, "output_tokens_details"), "thinking_tokens") or 0
    return Usage(
        input=prompt,
        cache_read=_count(report, "cache_read_input_tokens") or 0,
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        output=output or 0,
        reasoning=min(thinking, output or 0),
    )


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    names = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
    return msgspec.structs.replace(one, **{n: getattr(one, n) + getattr(other, n) for n in names})


def from_gemini(report: Any) -> Usage | None:
    """`usageMetadata`: cached content is inside `promptTokenCount`; thoughts are outside `candidatesTokenCount`."""
    if report is None:
        return None
    if not isinstance(report, dict):
        raise UsageRefused("usageMetadata is not an object")
    prompt, output = _count(report, "promptTokenCount"), _count(report, "candidatesTokenCount")
    thoughts = _count(report, "thoughtsTokenCount") or 0
    if prompt is None:
        return None
    tool_use = _count(report, "toolUsePromptTokenCount") or 0
    modal_in, modal_out = (
        _modalities(report, "promptTokensDetails"),
        _modalities(report, "candidatesTokensDetails"),
    )
    cache_read, rest = _take((prompt or 0) + tool_use, _count(report, "cachedContentTokenCount") or 0)
    audio_in, rest = _take(rest, modal_in.get("AUDIO", 0))
    image_in, rest = _take(rest, modal_in.get("IMAGE", 0))
    audio_out, out = _take(output or 0, modal_out.get("AUDIO", 0))
    image_out, out = _take(out, modal_out.get("IMAGE", 0))
    return Usage(
        input=rest,
        cache_read=cache_read,
        output=out + thoughts,
        reasoning=thoughts,
        audio_input=audio_in,
        image_input=image_in,
        audio_output=audio_out,
        image_output=image_out,
    )


def _modalities(report: Mapping[str, Any], name: str) -> dict[str, int]:
    rows = report.get(name)
    if not isinstance(rows, list):
        return {}
    return {str(row.get("modality")): _count(row, "tokenCount") or 0 for row in rows if isinstance(row, dict)}


def from_ollama(report: Mapping[str, Any]) -> Usage | None:
    """The final line's counts. A cached prompt reports no or zero `prompt_eval_count`: both counts at zero mean unknown."""
    prompt, output = _count(report, "prompt_eval_count"), _count(report, "eval_count")
    if not prompt and not output:
        return None
    return Usage(input=prompt or 0, output=output or 0)
