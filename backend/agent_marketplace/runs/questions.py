"""PURE: what a waiting run asks, in words for a wire without a form of its own for it, and the answer in a person's words.

An answer in words carries a code over the very calls that were shown: a yes to one question is no yes to the next one.
"""

import re
from collections.abc import Mapping, Sequence

from agent_marketplace.ledger import dollars
from agent_marketplace.runs.sanity import stripped, visible
from agent_marketplace.runs.types import Approval, Step, digest

_SHOWN = 4_000  # characters of a call's arguments
_ANSWER = re.compile(r"\W*(allow|approve|deny|refuse)\W+([0-9a-f]{8})\W*", re.IGNORECASE)
_YES = frozenset({"allow", "approve"})


def code_of(asked: Sequence[Approval]) -> str:
    """Eight hexadecimal digits over all that is asked now."""
    return digest(sorted((a.approval_id, a.subject_hash) for a in asked))[:8]


def words(asked: Sequence[Approval], steps: Sequence[Step], place: str) -> str:
    """The question. place: where it can be answered by hand."""
    code = code_of(asked)
    answer = f"Answer `allow {code}` or `deny {code}`, or at {place}, within a day."
    return "\n".join([question(asked, steps), answer])


def question(asked: Sequence[Approval], steps: Sequence[Step]) -> str:
    """The question without how to answer it: for a wire that has a form for that."""
    known = {step.n: step for step in steps}
    lines = [
        f"- {stripped(step.name, 200)}: {_arguments(step)}"
        + (f" (may cost up to ${dollars(a.most_nano):f})" if a.most_nano else "")
        for a in asked
        if (step := known.get(a.n)) is not None
    ]
    calls = "this call" if len(lines) == 1 else "these calls"
    return "\n".join([f"The run waits: may it make {calls}?", *lines])


def _arguments(step: Step) -> str:
    given = visible(step.args or "")
    more = len(given) - _SHOWN
    return stripped(given[:_SHOWN]) + (f" [{more} more characters: see the run]" if more > 0 else "")


def is_answer(text: str) -> bool:
    """Whether words have the form of an answer, whatever they answer."""
    return _ANSWER.fullmatch(text.strip()[:100]) is not None


def answer_in(text: str, asked: Sequence[Approval]) -> Mapping[str, tuple[str, bool]] | None:
    """{approval id: (subject, allowed)} of an answer in words to exactly what is asked now; None for other words."""
    found = _ANSWER.fullmatch(text.strip()[:100])
    if found is None or not asked or found[2].lower() != code_of(asked):
        return None
    allowed = found[1].lower() in _YES
    return {a.approval_id: (a.subject_hash, allowed) for a in asked}
