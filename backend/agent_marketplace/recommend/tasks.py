"""What a person wants done: task type with a calibrated confidence, and what else the text says about the call. Offline, pure.

Labels are those of public prompt collections plus the guide's; two of the guide's types are not seen in the wording but in
the circumstances, and are reported as flags: `long_context` (the input's length) and `budget_conscious` (a preference).
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from agent_marketplace.recommend import reading
from agent_marketplace.recommend.classifier import TaskClassifier, Verdict, default_classifier
from agent_marketplace.recommend.difficulty import difficulty, is_chatter
from agent_marketplace.recommend.encoder import ASKED_BELOW, mixed
from agent_marketplace.recommend.features import WINDOW_HEAD, tokens, window
from agent_marketplace.recommend.language import language_of
from agent_marketplace.recommend.second_opinion import CONFIDENCE
from agent_marketplace.recommend.spelling import spelled
from agent_marketplace.recommend.wording import is_form

TaskType = Literal[
    "debugging", "code_generation", "code_review", "documentation", "explain_concept", "brainstorming", "summarisation",
    "translation", "data_extraction", "maths", "vision", "tool_use", "quick_task",
]  # fmt: skip

UNCERTAIN_BELOW = 0.45
"""On held-out text, answers below this confidence are right less than half of the time (docs/q-assistant.md)."""

UNASKED = 0.4
"""The most that is believed of a paste without a word what to do with it."""

LONG_INPUT_TOKENS = 60_000
_MIXED_FROM = 0.2
_CHARACTERS_PER_TOKEN = 4
_IMAGE_TOKENS = 1_100  # a 1024x1024 picture costs 765 to 1,600 tokens at the large providers

_MEANS: dict[str, str] = {
    "debugging": "find and fix a fault",
    "code_generation": "write new code",
    "code_review": "judge existing code",
    "documentation": "write documentation",
    "explain_concept": "explain something",
    "brainstorming": "come up with ideas or creative text",
    "summarisation": "shorten a text",
    "translation": "translate",
    "data_extraction": "pull facts out of a text",
    "maths": "work out a problem step by step",
    "vision": "look at a picture",
    "tool_use": "look something up or act through tools",
    "quick_task": "give a short factual answer",
}
_PREFIXES = {
    "fix": "debugging",
    "bug": "debugging",
    "hotfix": "debugging",
    "feat": "code_generation",
    "docs": "documentation",
}
_SPOKEN = re.compile(r"[^\W_]")
_PREFIX = re.compile(r"^\W{0,3}(\w{2,10})(?:\([\w./ -]{1,40}\))?!?\]?:\s")
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey)(?: there)?[\s,!.]+)?(?:(?:can|could|would|will) you (?:please |kindly )?(?:help me (?:to )?)?|"
    r"(?:please|kindly)[\s,]+)",
    re.IGNORECASE,
)
_GREETING = re.compile(r"^(?:hi|hello|hey)(?: there)?[,!.]\s+", re.IGNORECASE)
_THANKS = re.compile(r"(?:[\s,.!]+(?:please|thanks|thank you|thx))+[\s.!]*$", re.IGNORECASE)
_STOP = frozenset({
    "the", "and", "for", "with", "that", "this", "from", "are", "was", "were", "have", "has", "had", "you", "your", "our",
    "their", "its", "can", "could", "would", "should", "will", "into", "about", "what", "which", "who", "when", "where",
    "why", "how", "does", "did", "not", "but", "all", "any", "out", "use", "using", "please", "need", "want", "give",
    "make", "get", "let", "just", "some", "them", "then", "than", "there", "here", "also", "very", "more", "most", "such",
    "only", "own", "same", "each", "other", "been", "being", "over", "under", "between", "it's", "i'm", "der", "die",
    "das", "und", "ist", "ein", "eine", "que", "los", "las", "una", "por", "para", "con", "les", "des", "est", "une",
    "dans", "pour",
})  # fmt: skip
_SMALL_WORDS = _STOP | frozenset((
    "a", "an", "i", "my", "me", "we", "us", "in", "on", "at", "of", "to", "by", "as", "is", "it", "be", "or", "so", "if", "do",
    "no", "up", "per", "he", "she", "they", "la", "le", "el", "un", "en", "de", "du", "et", "au", "à", "lo", "il", "al", "da",
    "do", "e", "o", "os", "as", "um", "uma", "em", "no", "na", "na", "den", "dem", "des", "im", "zu", "mit", "von", "auf",
    "für", "auch", "sich", "mir", "ich", "wie", "bir", "ve",
))  # fmt: skip
_CODE = re.compile(
    r"```|\bdef \w|\bfunction\s?\w{0,40}\(|=>|;\s*$|</\w{1,20}>|\bclass \w{1,40}[:({]", re.MULTILINE
)


Encode = Callable[[str], tuple[float, ...] | None]
"""The sentence encoder's probabilities of a text in the order of the classifier's labels; None where it has no say."""


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """The reading of one request. confidence and label probabilities 0..1; lengths in tokens.

    difficulty: 0..1, how much this very request asks of a model, of its words and its size (`difficulty.py`); asked: the words
    that ask, material left aside, slips mended; typed: the same as they were typed.
    """

    type: str
    confidence: float
    uncertain: bool
    keywords: tuple[str, ...]
    labels: tuple[tuple[str, float], ...]
    decided_by: tuple[str, ...]
    language: str
    input_tokens: int
    wanted_output_tokens: int | None = None
    has_code: bool = False
    has_images: bool = False
    long_context: bool = False
    budget_conscious: bool = False
    difficulty: float = 0.5
    understood: tuple[reading.Understood, ...] = ()
    question: str | None = None
    asked: str = ""
    typed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The `analysis` of POST /recommendations; `question` only when uncertain."""
        out: dict[str, Any] = msgspec.to_builtins(
            msgspec.structs.replace(self, understood=(), asked="", typed="")
        )
        del (
            out["understood"],
            out["asked"],
            out["typed"],
        )  # stand beside the analysis, with what became of them
        out["labels"] = [{"type": name, "probability": round(p, 3)} for name, p in self.labels]
        out["confidence"] = round(self.confidence, 3)
        out["difficulty"] = round(self.difficulty, 2)
        out["keywords"], out["decided_by"] = list(self.keywords), list(self.decided_by)
        if self.question is None:
            del out["question"]
        return out


def analyze(
    text: str,
    *,
    attachments: Sequence[str | Mapping[str, Any]] = (),
    input_tokens: int | None = None,
    classifier: TaskClassifier | None = None,
    encode: Encode | None = None,
    ignore: Collection[str] = (),
) -> Analysis:
    """attachments: media types, file names, or mappings with `type`; input_tokens: of the whole call, if the caller knows.

    encode: asks the sentence encoder where the head is unsure (`encoder.py`); ignore: kinds of conditions
    (`conditions.Conditions`) that are not to be read off the words.
    """
    classifier = classifier or default_classifier()
    images = any(_is_image(a) for a in attachments)
    seen = window(text)
    if not _SPOKEN.search(seen):
        seen = text = ""  # pictograms and control characters ask nothing
    parts = classifier.parts(plain(text))
    typed = parts.asked
    spoken = spelled(typed)
    understood = reading.read(spoken)
    parts = msgspec.structs.replace(parts, asked=reading.without(spoken, understood))
    nudges = _nudges(seen, images=images, empty=not seen or is_chatter(seen))
    mute = parts.mute and not images and "trace" not in parts.kinds and "log" not in parts.kinds
    _of_many(nudges, parts.asked, understood)
    verdict = classifier.classify(parts, nudges)
    probabilities = verdict.probabilities
    if (
        encode is not None
        and not images
        and max(probabilities) < ASKED_BELOW
        and (heard := encode(parts.asked))
    ):
        probabilities = mixed(probabilities, heard)
    ranked = sorted(zip(classifier.labels, probabilities, strict=True), key=lambda lp: (-lp[1], lp[0]))
    kind, confidence = ranked[0]
    if mute:
        confidence = min(confidence, UNASKED)
    uncertain = confidence < UNCERTAIN_BELOW or not seen
    understood = tuple(u for u in understood if u.kind not in ignore)
    told = {u.kind: u.value for u in understood}
    count = (
        input_tokens
        if input_tokens is not None
        else estimate_tokens(text) + images * _IMAGE_TOKENS + int(told.get("input_tokens", 0))
    )
    has_code = _CODE.search(seen) is not None
    return Analysis(
        type=kind,
        confidence=confidence if seen else 0.0,
        uncertain=uncertain,
        keywords=_keywords(seen),
        labels=(ranked[0], *(lp for lp in ranked[1:3] if lp[1] >= _MIXED_FROM)),
        decided_by=_readable(verdict),
        language=language_of(seen),
        input_tokens=count,
        wanted_output_tokens=told.get("output_tokens"),
        has_code=has_code,
        has_images=images,
        long_context=count >= LONG_INPUT_TOKENS,
        budget_conscious=told.get("priority") == "cost" or bool(told.get("free")),
        difficulty=difficulty(parts.asked, kind, count, has_code=has_code),
        understood=understood,
        asked=spoken,
        typed=typed,
        question=_question(seen, kind, ranked[1][0], mute=mute) if uncertain else None,
    )


def told_by(analysis: Analysis, kind: str) -> Analysis:
    """The analysis where a model has named the type."""
    rest = tuple(lp for lp in analysis.labels if lp[0] != kind)[:2]
    return msgspec.structs.replace(
        analysis,
        type=kind,
        confidence=CONFIDENCE,
        uncertain=False,
        question=None,
        labels=((kind, CONFIDENCE), *rest),
        decided_by=("what a model said",),
        difficulty=difficulty(analysis.asked, kind, analysis.input_tokens, has_code=analysis.has_code),
    )


def plain(text: str) -> str:
    """The request without greeting, "please" and thanks, its first letter large: manners and case are no part of the task."""
    if len(text) > 2 * WINDOW_HEAD:
        return text
    asked = _THANKS.sub("", text.strip())
    asked = _GREETING.sub("", _POLITE.sub("", asked, count=1), count=1).strip()
    if not asked[:1].isascii() or is_form(asked.split("\n", 1)[0]):
        return asked
    return asked[:1].upper() + asked[1:]


def estimate_tokens(text: str) -> int:
    """Tokens of a text: four characters each, one each where a script has no spaces. Within about a third of real counts."""
    plain = text.isascii()
    wide = 0 if plain else sum(1 for c in text[:20_000] if ord(c) > 0x2E7F)
    share = 0.0 if plain or not text else wide / min(len(text), 20_000)
    return math.ceil(len(text) * (share + (1 - share) / _CHARACTERS_PER_TOKEN))


def _is_image(attachment: str | Mapping[str, Any]) -> bool:
    name = str(
        attachment
        if isinstance(attachment, str)
        else attachment.get("type") or attachment.get("media_type") or ""
    ).lower()
    return name.startswith("image") or name.endswith(
        (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic")
    )


def _nudges(seen: str, *, images: bool, empty: bool) -> dict[str, float]:
    """What is known besides the words: a picture is attached; a commit says its own type; nothing was asked at all."""
    if empty:
        return {"quick_task": 9.0}
    nudges: dict[str, float] = {}
    if images:
        nudges["vision"] = 4.0
    prefix = _PREFIX.match(seen[:80])
    if prefix and (label := _PREFIXES.get(prefix[1].lower())):
        nudges[label] = nudges.get(label, 0.0) + 5.0
    return nudges


def _of_many(nudges: dict[str, float], asked: str, understood: Collection[reading.Understood]) -> None:
    """Many things that are to be sorted have something read off each of them, in whatever language that is said."""
    if (
        any(u.kind == "calls" for u in understood)
        and reading.SORTS.search(asked.lower())
        and "vision" not in nudges
    ):
        nudges["data_extraction"] = nudges.get("data_extraction", 0.0) + 4.5


def _keywords(seen: str) -> tuple[str, ...]:
    words = (t for t in tokens(seen) if len(t) > 2 and t[0].isalpha() and t not in _STOP)
    return tuple(dict.fromkeys(words))[:12]


_FORMS = {
    "s:q": "a question mark", "s:ident": "names from code", "s:trace": "an error message", "s:code": "code", "s:list": "a list of numbers",
    "s:nl": "several lines",
}  # fmt: skip


def _readable(verdict: Verdict) -> tuple[str, ...]:
    """Feature names in words: `b:fix the` becomes `"fix the"`; small words, figures and counts of shapes are no reasons."""
    out = []
    for name in verdict.decided_by:
        kind, _, value = name.partition(":")
        if kind in ("w", "b", "1", "l") or kind.startswith("e"):
            if any(word[0].isalpha() and word not in _SMALL_WORDS for word in value.split()):
                out.append(f'"{value}"')
        elif name in _FORMS:
            out.append(_FORMS[name])
    return tuple(dict.fromkeys(out))[:5]


def _question(seen: str, first: str, second: str, *, mute: bool = False) -> str:
    if not seen:
        return "What should the model do? One sentence is enough, for example: review this function, translate this letter."
    if mute:
        return f"Only the material is here: what should be done with it? The model could {_MEANS[first]}, or {_MEANS[second]}."
    return f"Should the model {_MEANS[first]}, or {_MEANS[second]}?"
