"""PURE: whether a loop still makes sense, whatever it costs; and whether a tool call may be made."""

import json
from collections.abc import Sequence
from typing import Literal

from agent_marketplace.runs.types import Approval, Limits, Policy, Step, digest

TOLD, STOPPED = 3, 5
"""The same call of the same tool: so often, and the model is told; so often, and the run is stopped."""
MOST_ARGUMENTS = 65_536
MOST_RESULT = 65_536
_UNSAFE = dict.fromkeys(c for c in range(0x20) if chr(c) not in "\n\t")
_UNSAFE |= dict.fromkeys(
    (0x7F, *range(0x80, 0xA0), 0xFEFF, 0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F))
)
_UNSAFE |= dict.fromkeys(
    (*range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080), *range(0xD800, 0xE000))
)
# Fillers and joiners that nobody sees, Arabic's direction mark, line separators, and variation selectors, in which whole texts are
# smuggled (the one that emoji carry stays).
_UNSAFE |= dict.fromkeys((0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2028, 0x2029, 0x3164, 0xFFA0))
_UNSAFE |= dict.fromkeys((*range(0x180B, 0x1810), *range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0)))

Verdict = Literal["go", "ask", "wait", "deny", "refused"]


def stripped(text: str, most: int = MOST_RESULT) -> str:
    """A tool's text as a model may read it: no control, zero-width or direction characters, cut at `most` bytes of UTF-8."""
    clean = text[: most + 4096].translate(_UNSAFE)
    data = clean.encode()
    if len(data) <= most and len(text) <= most + 4096:
        return clean
    return data[:most].decode(errors="ignore") + "\n[cut here: the result is longer]"


def visible(text: str) -> str:
    """Arguments as a person may judge them: what would hide or turn them stands there as JSON spells it, and means the same."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelt(c) if ord(c) in _UNSAFE else c for c in text)


def _spelt(character: str) -> str:
    return json.dumps(character)[1:-1]


def repeats(steps: Sequence[Step], step: Step) -> int:
    """How often the very same call stands among the steps up to this one."""
    same = (
        s
        for s in steps
        if s.name == step.name and s.args_hash == step.args_hash and s.kind in ("tool", "subrun")
    )
    return sum(s.n <= step.n for s in same)


def beyond(limits: Limits, steps: Sequence[Step], *, tool_bytes: int, active_ms: int) -> str:
    """The limit that is reached, "" = none."""
    if active_ms >= limits.seconds * 1000:
        return "time_limit"
    if sum(s.kind == "model" for s in steps) >= limits.steps:
        return "step_limit"
    called = [s for s in steps if s.kind in ("tool", "subrun")]
    if len(called) >= limits.tool_calls:
        return "tool_call_limit"
    if tool_bytes >= limits.tool_bytes:
        return "tool_bytes_limit"
    return "loop" if any(repeats(steps, s) >= STOPPED for s in called) else ""


def subject(pin: str, tool_pin: str, name: str, arguments: str, most_nano: int) -> str:
    """What an approval is bound to: the version, the tool's definition, the arguments, and the most the call can cost."""
    return digest([pin, tool_pin, name, arguments, most_nano])


def verdict(policy: Policy, *, attended: bool, approval: Approval | None, subject_hash: str) -> Verdict:
    """Whether a call is made (`go`), asked about, waited for, or left out (`deny` by the version, `refused` by who was asked)."""
    if policy == "allow":
        return "go"
    if policy == "deny":
        return "deny"
    if approval is None:
        return "ask" if attended else "refused"
    if approval.state == "pending":
        return "wait"
    agreed = approval.state == "approved" and approval.subject_hash == subject_hash
    return "go" if agreed else "refused"
