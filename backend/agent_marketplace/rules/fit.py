"""PURE: a call fitted to its target, once an attempt and before the provider's request is built. Nothing goes unsaid: what
was changed is in the notes, and what can't be changed refuses the target by name (`refusal`, before money is held)."""

from collections.abc import Mapping

import msgspec

from agent_marketplace.rules import definitions, ids, pairs, parameters, schemas, turns
from agent_marketplace.rules.book import Rules, Traits
from agent_marketplace.rules.refusing import Unfit
from agent_marketplace.wires.base import Call, Tool, ToolCallPart, ToolResultPart
from agent_marketplace.wires.notes import Note, left_out
from agent_marketplace.wires.shared.allowed import offered
from agent_marketplace.wires.shared.patching import Patch

_PATCHED = frozenset({"user", "tools.parameters"})
"""What notes are of that a client's own body can be told with a few words of it changed."""


class Fitted(msgspec.Struct, frozen=True):
    """A call as its target takes it. notes: what was changed. names: {sent: the client's} for tools that were renamed.

    same: the client's own words fit as they are, so its bytes may pass. patch: they fit with these changes; None = they don't, or
    nothing has to change.
    """

    call: Call
    notes: tuple[Note, ...] = ()
    names: Mapping[str, str] = {}
    same: bool = True
    patch: Patch | None = None


def refusal(call: Call, rules: Rules) -> str | None:
    """Why the target can't be told this call, in words that name the field; None where it can."""
    traits = rules.of(call)
    try:
        parameters.check(call, traits)
        turns.check(call, traits)
    except Unfit as e:
        return e.words
    return None


def fit(call: Call, rules: Rules) -> Fitted:
    """The call for this target. Raises UpstreamFailure(UNSUPPORTED) where `refusal` has words."""
    traits, thinking = rules.state(call)
    parameters.check(call, traits)
    turns.check(call, traits)
    notes: list[Note] = []
    made = parameters.fitted(call, traits, thinking=thinking, notes=notes)
    if rules.wire == call.wire == "anthropic" and _too_new(made, traits):
        words = "this model is asked to think with a budget of tokens"
        notes.append(Note("thinking" if call.adaptive else "output_config.effort", "reencoded", words))
    made = definitions.fitted(made, traits, notes, own=call.wire == rules.wire)
    if rules.wire in ("openai", "responses") and call.wire != rules.wire:
        made = schemas.fitted(made, notes)
    if traits.format_schemas == "closed":
        made = schemas.unbounded(made, notes)
    if call.allowed_tools and not traits.allowed_tools:
        made = _offering(made, notes)
    called = not call.plain and any(
        isinstance(p, ToolCallPart | ToolResultPart) for m in call.messages for p in m.parts
    )
    names: Mapping[str, str] = {}
    if made.tools or called:
        made, names = ids.with_names(made, traits, notes)
    if called:  # before the turns, whose rules look at what stands beside results
        made = pairs.fitted(ids.with_ids(made, traits, notes), traits, rules.wire, notes)
    made = turns.fitted(made, traits, thinking=thinking, notes=notes)
    begun = made.manner.prefix and made.messages and made.messages[-1].role == "assistant"
    same = not notes and not begun  # the beginning of an answer is marked in its message
    if rules.wire != "anthropic" and call.wire != rules.wire and not call.plain and _marked(call):
        notes.append(
            Note("cache_control", "left_out", "this provider caches prompts by itself, or not at all")
        )
    if call.wire != rules.wire and call.tools:
        unknown = sorted({f"tools.{name}" for tool in call.tools for name in _unknown(tool)})
        notes += left_out(unknown, "this provider has no such field of tools")
    patch = None
    if notes and not begun and call.wire == rules.wire:
        patch = _patch(call, made, notes)
    return Fitted(made, tuple(notes), names, same=same, patch=patch)


def _patch(call: Call, made: Call, notes: list[Note]) -> Patch | None:
    """What has to change in the client's own body, where it is nothing but the name of its user and what its tools take."""
    names = {tool.name for tool in call.tools}
    if not _PATCHED.issuperset(n.field for n in notes) or len(names) != len(call.tools):
        return None
    both = zip(call.tools, made.tools, strict=True)
    changed = {was.name: now.parameters for was, now in both if was is not now}
    return Patch(made.user if made.user != call.user else None, changed)


def _unknown(tool: Tool) -> list[str]:
    """Names of the fields of a tool that only its client's wire knows."""
    return [n for name, value in tool.extra.items() for n in (value if name == "function" else (name,))]


def _too_new(call: Call, traits: Traits) -> bool:
    """Whether a Claude is asked to think in words that its generation does not know: its client's bytes must not pass."""
    if traits.thinking != "budget" or call.reasoning_effort in (None, "none"):
        return False
    return call.adaptive or not traits.efforts


def _offering(call: Call, notes: list[Note]) -> Call:
    """The call with nothing but the allowed tools: as good, though a provider's cache of all of them is lost."""
    tools = offered(call)
    notes.append(
        Note("tool_choice", "reencoded", "only the allowed tools are offered: no list of such is known here")
    )
    choice = call.tool_choice if tools else None
    return msgspec.structs.replace(call, tools=tools, tool_choice=choice, allowed_tools=())


def _marked(call: Call) -> bool:
    marked = any(tool.cache for tool in call.tools) or bool(call.cache)
    return marked or any(getattr(part, "cache", "") for m in call.messages for part in m.parts)
