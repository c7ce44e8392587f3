"""What of a prompt asks, and what it merely speaks about: pasted code, logs, letters, articles. Linear in a bounded window.

Code, differences, traces and logs are told by their form; sentences of pasted prose by the classifier's own column for material.
"""

import re
from collections.abc import Callable

import msgspec

from agent_marketplace.recommend.features import tokens, window

SHORT_TOKENS = 40
"""Prose up to this length is read as the request itself."""

_CANDIDATES = 2
_MATERIAL_SIGNS = 350
_MATERIAL_FROM = 0.1
"""Of plain requests, 97 in 100 stay below it (public prompts A); most sentences of articles and letters do not."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|(?<=[:：])\s+(?=.{120})")
_TRACE = re.compile(
    r"^Traceback|^\s{1,8}at [\w.$<>]{2,80} ?\(|^\s{1,8}File \"|^(?:[\w.]{0,80})(?:Error|Exception)\b:|^panic:|^Exception in "
)
_LOG = re.compile(
    r"^\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d|^\d{4}-\d\d-\d\d\b.{0,40}\b(?:INFO|WARN|ERROR|DEBUG)\b"
)
_DIFF = re.compile(r"^[Dd]iff --git |^@@ |^(?:\+\+\+|---) [ab]/")
_CHANGED = re.compile(r"^[+-](?![+-]?\d|[+-]? \w+ \w+ \w+)")
_SQL = re.compile(r"^\s{0,8}(?:CREATE (?:TABLE|INDEX)|ALTER TABLE|INSERT INTO|SELECT\b.{1,200}\bFROM)\b")
_CODE_STARTS = (
    r"def \w{1,60}\(", r"class \w{1,60}(?:[:({]| \{| extends )", r"from [\w.]{1,60} import ",
    r"import (?:[\w.]{1,60}(?:$|;|,| as )|\{|\w.{0,60} from [\"'])", r"#include", r"package [\w.]{1,60};", r"using [\w.]{1,60};",
    r"return(?:;|$| [\w.]{1,60}(?:[(\[.;]| ?[-+*/%<>=])| \w{1,60};?$| [\[{(\"'<-])", r"export (?:default|const|function|async|class|\{)",
    r"(?:const|let|var) [\w{\[]{1,60}.{0,60}=", r"func \w{1,60}\(", r"function \w{0,60} ?\(",
    r"(?:public|private|protected) (?:static|class|void|int|String|final|async|\w{1,40} \w{1,40}[;=(])",
    r"elif |else:|if .{0,80}(?:==|!=| in | is | not |[<>)]).{0,60}[:{]$|if ?\(", r"for .{1,60} in .{1,60}[:;]|for ?\(",
    r"while .{1,80}[:{]$", r"done$|fi$|end$", r"@[a-z]\w{2,30}(?:\(.{0,60}\))?$", r"(?:int|float|char|void|bool) \w{1,40} ?[=;\[(]",
    r"[\w.\[\]\"']{1,60} (?:=|:=|[-+*/]=|=[-+]) ?\S", r"[\w.]{1,60}\(.{0,120}\)[;,]?$", r"</?\w{1,20}[ >]", r"[)}\]]{1,4}[,;)]{0,3}$",
)  # fmt: skip
_CODE = re.compile(rf"^\s{{0,40}}(?:{'|'.join(_CODE_STARTS)})|[{{}};]\s*$|\) ?=> |=> \{{")
_PROSE_END = re.compile(r"[?!？！]\s*$")
_MANNERS = re.compile(
    r"^(?:hi|hello|hey|dear all|good (?:morning|evening)|thanks?(?: you)?|thx|cheers|please|pls|kind regards|best)\b[^?]{0,40}$",
    re.IGNORECASE,
)


class Parts(msgspec.Struct, frozen=True):
    """`asked`: the words that ask; `material`: what they speak about; `kinds`: of code, sql, diff, trace, log, prose.

    mute: nothing asks; `asked` is the material.
    """

    asked: str
    material: str = ""
    kinds: tuple[str, ...] = ()
    mute: bool = False


def split(text: str, material: Callable[[str], float]) -> Parts:
    """material: the probability 0..1 that a sentence is pasted prose. Nothing that asks: the whole is read as the request."""
    seen = window(text)
    pieces = _pieces(seen)
    prose = [i for i, (kind, _) in enumerate(pieces) if not kind]
    if len(prose) == len(pieces) and len(tokens(seen)) <= SHORT_TOKENS:
        return Parts(seen)
    asked = set(prose)
    if sum(len(tokens(pieces[i][1])) for i in prose) > SHORT_TOKENS:
        asked = _asking(pieces, prose, material)
    if not asked:
        return Parts(seen, kinds=_kinds(pieces, frozenset(prose)), mute=True)
    rest = [piece for i, (_, piece) in enumerate(pieces) if i not in asked]
    return Parts(
        "\n".join(pieces[i][1] for i in sorted(asked)),
        "\n".join(rest)[:_MATERIAL_SIGNS],
        _kinds(pieces, frozenset(prose) - asked),
    )


def _asking(pieces: list[tuple[str, str]], prose: list[int], material: Callable[[str], float]) -> set[int]:
    """The sentences at either end that are likelier a request than material; if none is, the likeliest of them."""
    ends = dict.fromkeys([*prose[:_CANDIDATES], *prose[-_CANDIDATES:]])
    odds = {i: material(pieces[i][1]) for i in ends if not _MANNERS.match(pieces[i][1])}
    found = {i for i, p in odds.items() if p < _MATERIAL_FROM}
    return found or ({min(odds, key=lambda i: (odds[i], i))} if odds and min(odds.values()) < 0.9 else set())


def _kinds(pieces: list[tuple[str, str]], left: frozenset[int]) -> tuple[str, ...]:
    kinds = {kind for kind, _ in pieces if kind}
    return tuple(sorted(kinds | {"prose"} if left else kinds))


def _pieces(seen: str) -> list[tuple[str, str]]:
    """(kind, piece) in order; kind is empty for prose, which comes by the sentence, form comes by the line."""
    out: list[tuple[str, str]] = []
    fenced = False
    for line in seen.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if not line.strip():
            continue
        kind = "code" if fenced else _form(line)
        if not kind and out and out[-1][0] in ("diff", "code") and _CHANGED.match(line):
            kind = "diff"
        sentences = [sentence.strip() for sentence in _SENTENCE.split(line) if sentence.strip()]
        led = (
            kind == "code" and len(sentences) > 1 and not _form(sentences[0]) and sentences[0].count(" ") > 1
        )
        if kind and not led:
            out.append((kind, line))
        else:
            out += [(_form(sentence), sentence) for sentence in sentences]
    return _smoothed(out)


def is_form(line: str) -> bool:
    """Whether a line is code, SQL, a difference, a trace or a log by its form."""
    return bool(_form(line))


def _form(line: str) -> str:
    if _TRACE.search(line):
        return "trace"
    if _LOG.search(line):
        return "log"
    if _DIFF.search(line):
        return "diff"
    if _SQL.search(line):
        return "sql"
    return "code" if len(line) > 1 and _CODE.search(line) and not _PROSE_END.search(line) else ""


def _smoothed(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A lone line of prose inside code is code; a lone "code" line amid prose only stays code beside more of its kind."""
    out = list(pieces)
    coded = sum(1 for kind, _ in pieces if kind)
    for i in range(1, len(pieces) - 1):
        before, after = pieces[i - 1][0], pieces[i + 1][0]
        if not pieces[i][0] and before and after and not _PROSE_END.search(pieces[i][1]):
            out[i] = (before, pieces[i][1])
    if coded == 1 and len(pieces) == 1:
        return [("", pieces[0][1])]
    return out
