"""PURE: which features of a client's `anthropic-beta` header go on to Anthropic, and which are left out there.

On the caller's own key all of them. On the operator's key those that are known to change no price that the list here does not
cover: a feature that nobody here knows may be billed apart. What is left out is said on the receipt; if the body uses it,
Anthropic refuses the call in its own words.
"""

import re

from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway.plan import Target

HEADER = "anthropic-beta"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_DAY = re.compile(r"-\d{4}-?\d{2}-?\d{2}\Z")
_MOST = 32
_UNBILLED = frozenset(
    {
        "advanced-tool-use", "cache-diagnosis", "claude-code", "computer-use", "context-management", "dev-full-thinking",
        "effort", "extended-cache-ttl", "fine-grained-tool-streaming", "inline-tools", "interleaved-thinking",
        "mid-conversation-output-config", "mid-conversation-system-clear-at", "mid-conversation-tool-changes",
        "model-context-window-exceeded", "output-128k", "output-300k", "pdfs", "prompt-caching", "prompt-caching-scope",
        "structured-outputs", "task-budgets", "thinking-binding-controls", "thinking-display-updates",
        "thinking-token-count", "token-efficient-tools", "tool-examples", "tool-search-tool",
    }
)  # fmt: skip
_LONG_CONTEXT = "context-1m"
_USUAL_CONTEXT = 200_000


def parse(header: str | None) -> tuple[str, ...]:
    """The names in the header, each once. Raises BadRequest for what is no list of names."""
    names = tuple(dict.fromkeys(n for part in (header or "").split(",") if (n := part.strip())))
    if len(names) > _MOST or not all(_NAME.match(n) for n in names):
        raise BadRequest(f"{HEADER}: expected at most {_MOST} names of features, separated by commas")
    return names


def long_context(names: tuple[str, ...]) -> bool:
    """Whether the whole of a window is asked for, of which some models else take a part."""
    return any(_DAY.sub("", name) == _LONG_CONTEXT for name in names)


def split(names: tuple[str, ...], target: Target) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names that go to the target, names that don't)."""
    if target.credential != "operator":
        return names, ()
    stems = {name: _DAY.sub("", name) for name in names}
    allowed = _UNBILLED | ({_LONG_CONTEXT} if (target.context or 0) > _USUAL_CONTEXT else frozenset())
    return tuple(n for n in names if stems[n] in allowed), tuple(n for n in names if stems[n] not in allowed)
