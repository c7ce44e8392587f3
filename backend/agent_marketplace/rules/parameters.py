"""PURE: the fields beside the conversation, as a target takes them: sampling, effort and thinking, a forced tool, formats."""

import re
from functools import lru_cache
from typing import Any

import msgspec

from agent_marketplace.rules.book import Traits
from agent_marketplace.rules.refusing import Unfit
from agent_marketplace.wires.base import Call, Manner, Message, TextPart
from agent_marketplace.wires.notes import Note
from agent_marketplace.wires.shared.called import digest
from agent_marketplace.wires.shared.effort import effort_of
from agent_marketplace.wires.shared.meant import MEANT, says_nothing

_ORDER = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_EMPTY: dict[str, Any] = {"stop": (), "tools": ()}
FREE = (None, "auto", "none")
"""Tool choices that force nothing."""


def check(call: Call, traits: Traits) -> None:
    """Raises Unfit for what the target can't be told and must not go unsaid."""
    for name in traits.refuses & MEANT if traits.refuses else ():
        if not says_nothing(_value(call, name)):
            raise Unfit(name, "this model can't be told that")
    if traits.stops is not None and len(call.stop) > traits.stops:
        raise Unfit("stop", f"this provider takes {traits.stops} stop sequences at most")
    if traits.forced_tool == "refused" and call.tools and call.tool_choice not in FREE:
        raise Unfit("tool_choice", "this model can't be made to call a tool")
    form = call.response_format
    if form not in (None, "text") and traits.formats and form not in traits.formats:
        if len({"json_object", "json_schema"} & set(traits.formats)) == 1:  # the other is told in words
            return
        raise Unfit("response_format", f"this model does not take {form}")


def _value(call: Call, name: str) -> Any:
    return getattr(call, name) if name in call.__struct_fields__ else call.extra.get(name)


def fitted(call: Call, traits: Traits, *, thinking: bool, notes: list[Note]) -> Call:
    """The call with its parameters as the target takes them."""
    changes: dict[str, Any] = {}
    if traits.refuses or traits.exclusive:
        _left_out(call, traits, changes, notes)
    if traits.most:
        _bounded(call, traits, changes, notes)
    if call.tools:
        _forced(call, traits, thinking, changes, notes)
    if _asked(call):
        _effort(call, traits, changes, notes)
    if traits.formats and call.response_format == "json_schema" and "json_schema" not in traits.formats:
        _told_schema(call, changes, notes)
    elif call.response_format == "json_object" and traits.formats and "json_object" not in traits.formats:
        _told_json(call, changes, notes)
    if call.user is not None and not re.fullmatch(traits.users, call.user):
        changes["user"] = f"user_{digest(call.user, 24)}"
        notes.append(
            Note("user", "reencoded", "this provider takes another form of names: a digest stands for it")
        )
    if not traits.blank_stops and (kept := tuple(s for s in call.stop if s.strip())) != call.stop:
        changes["stop"] = kept
        notes.append(Note("stop", "left_out", "this provider takes no blank stop sequences"))
    hidden = call.reasoning_effort == "none" and changes.get("reasoning_effort", "none") != "none"
    manner = manner_of(traits, hidden=hidden or (call.reasoning_max_tokens == 0 and traits.least_budget > 0))
    if manner != call.manner:
        changes["manner"] = manner
    return msgspec.structs.replace(call, **changes) if changes else call


def manner_of(traits: Traits, *, hidden: bool) -> Manner:
    """The words a wire is to use towards this target."""
    field = "" if traits.reasoning in ("passed", "refused") else traits.reasoning
    prefix = traits.prefill == "prefix"
    return _manner(
        thinking=traits.thinking, thinking_shown=traits.thinking_shown, thinking_hidden=hidden, effort_as=traits.effort_as,
        reasoning_field=field, prefix=prefix, max_tokens_field=traits.max_tokens_field,
        sealed_thinking=traits.sealed_thinking, freeform=traits.freeform,
    )  # fmt: skip


_manner = lru_cache(maxsize=256)(Manner)  # a handful of ways of speaking, and every call is told in one


def _left_out(call: Call, traits: Traits, changes: dict[str, Any], notes: list[Note]) -> None:
    gone = {
        n for n in traits.refuses if _value(call, n) not in (None, (), {}) and n not in ("messages", "tools")
    }
    for first, second in traits.exclusive:
        if _value(call, first) is not None and _value(call, second) is not None and first not in gone:
            gone.add(second)
    if not gone:
        return
    extra = dict(call.extra)
    for name in sorted(gone):
        if name in call.__struct_fields__:
            changes[name] = _EMPTY.get(name)
        else:
            del extra[name]
        notes.append(Note(name, "left_out", "this model does not take it"))
    if len(extra) != len(call.extra):
        changes["extra"] = extra


def _bounded(call: Call, traits: Traits, changes: dict[str, Any], notes: list[Note]) -> None:
    for name, most in traits.most.items():
        given = changes[name] if name in changes else _value(call, name)
        if isinstance(given, int | float) and given > most:
            changes[name] = type(given)(most)
            notes.append(Note(name, "lowered", f"this provider takes {most:g} at most"))


def _forced(call: Call, traits: Traits, thinking: bool, changes: dict[str, Any], notes: list[Note]) -> None:
    if call.tool_choice in FREE:
        return
    if traits.forced_tool == "auto":
        changes["tool_choice"] = "auto"
        notes.append(
            Note("tool_choice", "lowered", "this model can't be made to call a tool: it may call one")
        )
    elif traits.forced_tool == "without_thinking" and thinking and _asked(call):
        changes |= {"reasoning_effort": None, "reasoning_max_tokens": None}
        notes.append(Note("reasoning", "left_out", "a forced tool and thinking exclude each other here"))


def _asked(call: Call) -> bool:
    return call.reasoning_effort is not None or call.reasoning_max_tokens is not None


def _effort(call: Call, traits: Traits, changes: dict[str, Any], notes: list[Note]) -> None:
    if "reasoning_effort" in changes:
        return
    effort, budget = call.reasoning_effort, call.reasoning_max_tokens
    if budget is not None and not traits.budgets:
        effort = effort or effort_of(budget)
        changes |= {"reasoning_effort": effort, "reasoning_max_tokens": None}
        notes.append(Note("reasoning.max_tokens", "reencoded", f"this model is told an effort: {effort}"))
    elif budget is not None and 0 <= budget < traits.least_budget:
        changes["reasoning_max_tokens"] = traits.least_budget
        notes.append(
            Note("reasoning.max_tokens", "reencoded", f"this model thinks {traits.least_budget} at least")
        )
    if effort is not None and traits.efforts and effort not in traits.efforts and effort in _ORDER:
        near = nearest(effort, traits.efforts)
        changes["reasoning_effort"] = near
        notes.append(
            Note("reasoning_effort", "reencoded", f"this model knows {', '.join(traits.efforts)}: {near}")
        )


def nearest(effort: str, known: tuple[str, ...]) -> str:
    """The known effort next to the one that was asked for, of two equally near ones the lower. Some thinking is never none."""
    at = _ORDER.index(effort)
    those = tuple(e for e in known if effort == "none" or e != "none") or known
    return min(those, key=lambda e: (abs(_ORDER.index(e) - at), _ORDER.index(e)) if e in _ORDER else (99, 0))


def _told_schema(call: Call, changes: dict[str, Any], notes: list[Note]) -> None:
    """JSON mode, with the schema in words: for providers that can't be given one."""
    schema = msgspec.json.encode(call.response_schema or {}).decode()
    changes |= {
        "response_format": "json_object",
        "response_schema": None,
        "messages": _with_words(call, f"Answer with one JSON object that fits this JSON schema:\n{schema}"),
    }
    notes.append(
        Note(
            "response_format",
            "reencoded",
            "this model takes no schema: it is told in words, and not enforced",
        )
    )


def _told_json(call: Call, changes: dict[str, Any], notes: list[Note]) -> None:
    """JSON mode in words, for providers that know schemas only."""
    words = "Answer with one JSON object and nothing else: no words before or after it, and no code fence."
    changes |= {"response_format": None, "messages": _with_words(call, words)}
    notes.append(Note("response_format", "reencoded", "this model knows schemas only: it is told in words"))


def _with_words(call: Call, words: str) -> tuple[Message, ...]:
    """The conversation with a system turn behind those that it begins with."""
    at = next((i for i, m in enumerate(call.messages) if m.role != "system"), len(call.messages))
    return (*call.messages[:at], Message("system", (TextPart(words),)), *call.messages[at:])
