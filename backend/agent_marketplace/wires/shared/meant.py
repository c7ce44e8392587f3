"""Fields that say what an answer must hold or be made of. Where a provider can't be told them, it is left out, in words that
name the field; every other field that a wire has no room for (sampling, caching, labels) is dropped and listed."""

from collections.abc import Iterable, Mapping
from typing import Any

from agent_marketplace.wires.base import Call, FailureClass, UpstreamFailure

MEANT = frozenset(
    {
        "stop",
        # OpenAI
        "functions", "function_call", "logprobs", "top_logprobs", "audio", "modalities", "tool_choice", "prompt",
        # Anthropic
        "container", "mcp_servers",
        # Gemini
        "cachedContent", "responseModalities", "responseLogprobs", "speechConfig", "imageConfig",
        # Ollama
        "suffix", "template", "raw", "context",
    }
)  # fmt: skip
_SAYS_NOTHING: tuple[Any, ...] = (None, False, 0, "", [], (), {}, ["text"], ["TEXT"])


def says_nothing(value: Any) -> bool:
    """Whether a field's value is as good as none."""
    return value in _SAYS_NOTHING


def check(names: Iterable[str], values: Mapping[str, Any]) -> None:
    """Raises UpstreamFailure(UNSUPPORTED) where one of the fields about to be dropped must not be."""
    for name in names:
        if name in MEANT and not says_nothing(values.get(name)):
            raise UpstreamFailure(FailureClass.UNSUPPORTED, f"{name}: this provider can't be told that")


def check_call(call: Call, dropped: Iterable[str]) -> None:
    """As `check`, for a call that is written anew for another wire; there an answer has one choice."""
    if (call.n or 1) > 1:
        name = "generationConfig.candidateCount" if call.wire == "gemini" else "n"
        raise UpstreamFailure(
            FailureClass.UNSUPPORTED, f"{name}: this provider is asked for one choice at a time"
        )
    inner = call.extra.get("generationConfig")
    nested = inner if "generationConfig" in dropped and isinstance(inner, dict) else {}
    check((*dropped, *nested), {**call.extra, **nested, "stop": list(call.stop)})
