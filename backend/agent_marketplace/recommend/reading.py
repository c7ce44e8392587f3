"""Reads a buyer's conditions off the words of a request: money, counts, lengths, time, privacy, makers, the kind of result.

Pure. Every finding is an `Understood` with the words it was read from, so that it can be shown, corrected and taken back.
What the words do not clearly say is not read (`grammar.py`).
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from agent_marketplace.recommend import grammar as g

_DAYS = {"day": 1, "week": 7, "month": 30}


class Understood(msgspec.Struct, frozen=True):
    """One condition. kind: a field of `conditions.Conditions`; value: as that field; words: what was read; says: for people."""

    kind: str
    value: Any
    words: str
    says: str


class Count(msgspec.Struct, frozen=True):
    """How many calls the buyer plans; period: day, week, month or "" for once."""

    calls: int
    period: str = ""


def _number(text: str) -> Decimal:
    """`1,000`, `1.5`, `0,02`, `3 000`: a comma or point with exactly three digits behind whole thousands groups them."""
    plain = re.sub(r"[\u202f ]", "", text)
    if re.fullmatch(r"[1-9]\d{0,2}(?:[,.]\d{3})+", plain):
        return Decimal(re.sub(r"[,.]", "", plain))
    return Decimal(plain.replace(",", "."))


def money_text(amount: Decimal) -> str:
    """`$0.02`, `$1`, without useless zeros."""
    return f"${amount.normalize():f}"


# --- money and counts ---

_AMOUNT = re.compile(
    rf"(?:(?P<before>\$|us\$|usd|€|eur)\s?(?P<a>{g.NUMBER})(?P<ak>k\b)?)|"
    rf"(?:(?P<b>{g.NUMBER})(?P<bk>k)?\s?(?:(?P<cents>{g.CENTS})|(?P<euro>{g.EURO})|"
    rf"(?P<usd>{g.CURRENCY}))(?![a-zäöüß]))"
)
_CAP_BEFORE = re.compile(rf"(?:{g.CAP})\W{{0,3}}(?:only |just |about |von |de |di |of )?$")
_PURPOSE_BEFORE = re.compile(r"(?:^|\s)(?:for|für|pour|por|para|per|за|用)\W{0,2}$")
_EACH_AFTER = re.compile(rf"^[\s,]{{0,2}}(?:{g.EACH})(?![a-z])")
_BUDGET_AFTER = re.compile(
    r"^\W{0,2}(?:budget|max(?:imum)?|limit|cap|in total|total|or less|tops|oder weniger|以内|以下|预算|まで|"
    r"の予算)"
)
_PER_TOKENS = re.compile(
    r"^\W{0,2}(?:per|/|a|pro|par|por)\W{0,2}(?:1\s?)?(?:m|k|million|mtok|"
    r"thousand)?\W{0,2}(?:tokens?|m\b|mtok|million)"
)
_BARE = re.compile(
    r"(?:max(?:imum)?(?:[ _]cost)?|budget|cost cap|price cap|maximal|höchstens|máximo|massimo|"
    r"максимум|最多|预算)\W{0,3}(?:of |is )?"
    r"(?P<n>0[.,]\d+)(?![\d.,]*\w)(?!\s*(?:%|percent|\w+s?\b(?<=words)))"
)
_COUNT = re.compile(
    rf"(?P<n>{g.NUMBER})\s?(?P<k>k|thousand|million)?\s?(?:\w+\s)?(?P<what>{g.COUNTED})(?![a-zäöü])"
)


_OF_LENGTH = re.compile(r"(?:tokens?|pages?|words?|lines?|characters?|dollars?|cents?) ")


def _period_in(text: str) -> str:
    return next((name for name, words in g.PERIOD.items() if re.search(rf"(?:{words})", text)), "")


def count_of(low: str) -> tuple[Count, str] | None:
    """How many calls are planned, and the words."""
    for match in _COUNT.finditer(low):
        number = _number(match["n"]) * {"k": 1000, "thousand": 1000, "million": 1_000_000}.get(
            match["k"] or "", 1
        )
        if number < 2 or number != number.to_integral_value() or _OF_LENGTH.search(match[0]):
            continue
        period = _period_in(low[match.end() : match.end() + 16])
        return Count(int(number), period), low[match.start() : match.end()].strip()
    return None


class _Money(msgspec.Struct, frozen=True):
    amount: Decimal
    words: str
    after: str
    each: bool
    note: str


def _amounts(low: str) -> Iterator[_Money]:
    for match in _AMOUNT.finditer(low):
        before, after = low[max(0, match.start() - 28) : match.start()], low[match.end() : match.end() + 40]
        if _PER_TOKENS.match(after):
            continue
        period = _period_in(after[:22])
        each = not period and _EACH_AFTER.match(after) is not None
        count_near = _COUNT.search(after) is not None
        purpose = _PURPOSE_BEFORE.search(before) is not None and (each or period or count_near)
        if not (
            _CAP_BEFORE.search(before)
            or each
            or period
            or _BUDGET_AFTER.match(after)
            or purpose
            or (count_near and "for" in after)
        ):
            continue
        amount = _number(match["a"] or match["b"])
        amount *= 1000 if (match["ak"] or match["bk"]) else 1
        amount /= 100 if match["cents"] else 1
        euro = bool(match["euro"]) or match["before"] in ("€", "eur")
        start = max(0, match.start() - 12)
        yield _Money(
            amount, low[start : match.end()].strip(), after, each, " (read as dollars)" if euro else ""
        )
    for match in _BARE.finditer(low):
        yield _Money(_number(match["n"]), match[0].strip(), low[match.end() : match.end() + 20], True, "")


def _money(low: str) -> list[Understood]:
    """The cap on one call, the budget for many, and how many."""
    found: list[Understood] = []
    counted = count_of(low)
    said = next(_amounts(low), None)
    if counted is not None and (said is not None or counted[0].calls >= 20):
        often = f" a {counted[0].period}" if counted[0].period else ""
        found.append(Understood("calls", counted[0].calls, counted[1], f"{counted[0].calls:,} calls{often}"))
    if said is None or said.amount <= 0:
        return found
    period = _period_in(said.after[:22])
    if said.each or (not period and counted is None):
        each = Understood(
            "max_cost", said.amount, said.words, f"at most {money_text(said.amount)} a call{said.note}"
        )
        return [*found, each]
    if counted is None:
        says = (
            f"{money_text(said.amount)} a {period}{said.note}: without a number of calls it caps none of them"
        )
        return [*found, Understood("budget", said.amount, said.words, says)]
    calls = Decimal(counted[0].calls)
    if period and counted[0].period:
        calls = calls * _DAYS[period] / _DAYS[counted[0].period]
    one = (said.amount / max(calls, Decimal(1))).quantize(Decimal("1E-9"))
    says = f"{money_text(said.amount)}{' a ' + period if period else ''} for {int(calls):,} calls: {money_text(one)} each{said.note}"
    return [*found, Understood("max_cost", one, said.words, says)]


# --- lengths ---

_UNIT = "|".join(f"(?P<{name}>{words})" for name, (_, words) in g.UNITS.items())
_MENTION = re.compile(
    rf"(?:(?P<n>{g.NUMBER})\s?(?P<k>k|thousand|million|m)?|(?<![^\W\d_])(?P<small>{'|'.join(sorted(g.SMALL, key=len, reverse=True))}))"
    rf"(?P<gap>[\s-]?(?:short |brief |concise |bullet |individual |de |个)?)(?:{_UNIT})(?![a-zäöüßé])"
)
_GIVEN_BEFORE = re.compile(rf"(?:^|[^\w])(?:{g.GIVEN})(?:\s+\w+)?\s*$")
_LENGTH_BEFORE = re.compile(rf"(?:^|[^a-zäöü])(?:{g.TO_LENGTH})\s*$")
_MAKES = re.compile(rf"(?:{g.MAKES})")
_KEEPS = re.compile(rf"(?<![a-z])(?:{g.KEEPS_LENGTH})")
_READS = re.compile(
    r"summari[sz]|tl;?dr|review|read\b|extract|analy[sz]|classif|check|audit|proofread|fix\b|debug|"
    r"find\b|search|answer questions about|"
    r"zusammenfass|fass\w* |prüf|lies|resum|résum|revis|lee\b|riassum|проверь|обобщ|резюмир|总结|摘要|"
    r"审查|提取|要約|सारांश|संक्षेप|لخص"
)


def _lengths(low: str) -> list[Understood]:
    """Tokens that go in and tokens that come out, where the text names them."""
    told: dict[str, Understood] = {}
    for match in _MENTION.finditer(low):
        unit = next(name for name in g.UNITS if match[name] is not None)
        small = match["small"]
        number = _number(match["n"]) if match["n"] else Decimal(g.SMALL[small])
        number *= {"k": 1000, "thousand": 1000, "million": 10**6, "m": 10**6}.get(match["k"] or "", 1)
        before = low[max(0, match.start() - 40) : match.start()]
        way = _direction(low, before, match, number, unit)
        if way is None or way in told:
            continue
        tokens = max(
            16, min(10_000_000 if way == "input_tokens" else 200_000, round(float(number) * g.UNITS[unit][0]))
        )
        noun = "going in" if way == "input_tokens" else "in the answer"
        told[way] = Understood(
            way, tokens, match[0].strip(), f"{match[0].strip()} {noun}: about {tokens:,} tokens"
        )
    given, keeps = told.get("input_tokens"), _KEEPS.search(low)
    if given is not None and "output_tokens" not in told and keeps:
        size = round(given.value * 1.1)
        told["output_tokens"] = Understood(
            "output_tokens", size, given.words, f"as long an answer: about {size:,} tokens"
        )
    return list(told.values())


def _direction(low: str, before: str, match: "re.Match[str]", number: Decimal, unit: str) -> str | None:
    """Which way a length goes; None where it is no length of a text ("a line of my CSS", "the one-line bug")."""
    after = low[match.end() : match.end() + 24]
    if unit == "token":
        return (
            "output_tokens"
            if re.match(
                r"\W{0,2}(?:answer|output|reply|"
                "response)",
                after,
            )
            else "input_tokens"
        )
    if _LENGTH_BEFORE.search(before) and not re.match(r"\W?(?:of my|of our|of the)\b", after):
        return "output_tokens"
    if number <= 1:
        made = re.match(
            r"\W?(?:answer|reply|summary|description|pitch|essay|story|letter|report|overview)", after
        )
        return "output_tokens" if made else None
    if _GIVEN_BEFORE.search(before):
        return "input_tokens"
    verbs = low[: match.start()]
    writes = max((m.start() for m in _MAKES.finditer(verbs)), default=-1)
    read = max((m.start() for pattern in (_READS, _KEEPS) for m in pattern.finditer(verbs)), default=-1)
    if writes < 0 and read < 0:
        late = low[match.end() :]
        return (
            "input_tokens"
            if _READS.search(late) or _KEEPS.search(late)
            else "output_tokens"
            if _MAKES.search(late)
            else None
        )
    return "output_tokens" if writes > read else "input_tokens"


# --- time ---

_TIME = re.compile(
    rf"(?:{g.WITHIN})\s?(?P<n>{g.NUMBER})\s?(?:(?P<s>{g.SECONDS})|(?P<m>{g.MINUTES}))(?![a-z])|"
    rf"(?P<n2>{g.NUMBER})\s?(?:(?P<s2>秒)|(?P<m2>分钟?))(?:以内|内)"
)
_TASK_OF_TIME = re.compile(
    r"(?:read|speech|talk|video|walk|timer|timeout|wait|sleep|cook|workout|run[s ]|every|refresh|"
    r"cache)\W*$|"
    r"(?:fail|time[sd]? ?out|expire|crash|hang|stop|die|disconnect|restart)\w* (?:\w+ )?$"
)


def _time(low: str) -> list[Understood]:
    for match in _TIME.finditer(low):
        before, after = low[max(0, match.start() - 24) : match.start()], low[match.end() : match.end() + 20]
        if _TASK_OF_TIME.search(before) or re.match(
            r"\W{0,2}(?:read|speech|talk|video|pitch|walk|of (?:video|audio))", after
        ):
            continue
        seconds = _number(match["n"] or match["n2"]) * (60 if match["m"] or match["m2"] else 1)
        if 0 < seconds <= 3600:
            return [
                Understood(
                    "deadline_s", float(seconds), match[0].strip(), f"a whole answer within {seconds:f} s"
                )
            ]
    return []


# --- phrases, makers, kinds of result ---

_PHRASES = {
    name: re.compile("|".join(f"(?:{p})" for p in patterns), re.MULTILINE)
    for name, patterns in g.PHRASES.items()
}
_SAYS: dict[str, tuple[str, Any, str]] = {
    "offline": ("offline", True, "runs on this machine; no data leaves it"),
    "no_training": ("no_training", True, "nothing is used for training"),
    "eu": ("region", "eu", "data stays in the EU"),
    "us": ("region", "us", "data stays in the US"),
    "open_weights": ("open_weights", True, "open weights"),
    "free": ("free", True, "costs nothing"),
    "cheap": ("priority", "cost", "low cost matters most"),
    "fast": ("priority", "speed", "speed matters most"),
    "best": ("priority", "quality", "quality matters most"),
}
_NEEDS_MODEL_WORD = frozenset(
    {"meta", "nova", "phi", "google", "granite", "minimax", "cohere", "gemini", "grok", "nvidia", "alibaba"}
)
_NAMES = "|".join(re.escape(n) for n in sorted(g.MAKER_NAMES, key=len, reverse=True))
_NO_MODEL = (
    r"(?!\s*(?:api|sdk|library|client|keys?|endpoint|docs?|account|console|cloud|maps|search|sheets|"
    r"drive|tags?|data|python|"
    r"algorithm|code\b|integration|wrapper|webhook|'s))"
)
_TIERS = r"opus|sonnet|haiku|fable|flash|pro|mini|sol|terra|luna|nano|large|small|medium|max|plus|coder|lite"
_USE = re.compile(
    rf"(?<![a-z])(?P<use>{g.USE})\s?(?:a |an |the |only )?(?P<name>{_NAMES})"
    rf"(?P<rest>(?:[ -][\w.]*\d[\w.]*|[ -](?:{_TIERS}))*)(?![a-z]){_NO_MODEL}"
)
_ONLY = re.compile(rf"(?<![a-z])(?P<name>{_NAMES})(?P<rest>) only\b")
_REFUSE = re.compile(
    rf"(?<![a-z])(?:{g.REFUSE})\s?(?:any |the |from |made by |by |von |de |di |от )?(?P<name>{_NAMES})"
    rf"(?:(?: or|,|/| oder| ou| o| и) (?P<other>{_NAMES}))?(?![a-z]){_NO_MODEL}"
)


def _phrases(low: str) -> list[Understood]:
    found: list[Understood] = []
    for name, pattern in _PHRASES.items():
        match = pattern.search(low)
        if match is not None:
            kind, value, says = _SAYS[name]
            if kind not in {u.kind for u in found}:
                found.append(Understood(kind, value, match[0].strip(" ,;().\n"), says))
    return found


def _makers(low: str) -> list[Understood]:
    found: list[Understood] = []
    refused = [
        g.MAKER_NAMES[name]
        for m in _REFUSE.finditer(low)
        for name in (m["name"], m["other"])
        if name is not None
    ]
    if refused:
        names = tuple(dict.fromkeys(refused))
        found.append(
            Understood("exclude_makers", list(names), ", ".join(names), f"nothing by {', '.join(names)}")
        )
    for match in (*_USE.finditer(low), *_ONLY.finditer(low)):
        name, rest = match["name"], match["rest"]
        follows = low[match.end() : match.end() + 12]
        if g.MAKER_NAMES[name] in refused:
            continue
        if (
            name in _NEEDS_MODEL_WORD
            and not rest
            and not re.match(r"\W?(?:models?|llms?|only|模型|$|[.,;!])", follows)
        ):
            continue
        wanted = f"{name}{rest}"
        says = f"a model called {wanted}" if rest else f"a model by {g.MAKER_NAMES[name]}"
        found.append(
            Understood(
                "model" if rest else "makers",
                wanted if rest else [g.MAKER_NAMES[name]],
                match[0].strip(),
                says,
            )
        )
        break
    return found


_IMAGE = re.compile(
    r"(?:^|[.,!?]\s*|\b(?:please|can you|could you|i (?:want|need) you to) )(?:draw|paint|sketch|"
    r"illustrate)\b(?!.{0,40}\b(?:svg|ascii|conclusion|"
    r"attention|code|html|css|mermaid|diagram|chart|comparison))|"
    r"\b(?:generate|create|make|design|render|produce)(?: me| us)?(?: an?| the| some|"
    r" \d+)?(?: [\w-]+){0,3} (?:image|picture|photo|illustration|"
    r"logo|icon|painting|drawing|wallpaper|poster|avatar)s?\b(?!.{0,40}\b(?:svg|ascii|prompt|code|"
    r"html|css|component|upload|description|caption|"
    r"idea|name|slogan|function|class|script|viewer|gallery|classif))|"
    r"^(?:zeichne|male|dessine|dibuja|desenhe?a?|disegna|нарисуй)\b|画一(?:张|个|幅)|绘制一(?:张|幅)|の(?:絵|"
    r"イラスト|ロゴ)を(?:描い|作)|"
    r"(?:चित्र|तस्वीर) बना|^ارسم"
)
_EMBED = re.compile(
    r"\b(?:create|compute|make|generate|get|produce|calculate|need|turn .{1,40} into)(?: the| me|"
    r" vector| text| sentence| some)* embeddings?\b|"
    r"\bembed (?:these|this|my|our|the|all)\b|embeddings? (?:erzeugen|erstellen|berechnen)|(?:生成|"
    r"计算)(?:向量|嵌入)|埋め込み(?:を|ベクトル)"
)
_SPEAK = re.compile(
    r"\b(?:read (?:this|it|the (?:text|following|article|letter|story)).{0,30}(?:aloud|out loud)|"
    r"text[- ]to[- ]speech|\btts\b|voice-?over|"
    r"turn (?:this|the|my) .{1,30}into (?:speech|an? (?:audio|voice)\w*)|narrate (?:this|the|my))|"
    r"lies .{1,30} vor\b|朗读|読み上げ"
)
_HEAR = re.compile(
    r"\btranscri(?:be|pt of|ption of) (?:this|the|my|an?|our|these)?\s?(?:\w+ )?(?:voice|audio|"
    r"recording|memo|call|podcast|video|interview|meeting recording|mp3|wav)|(?:speech|audio|"
    r"voice)[- ]to[- ]text"
)
_RERANK = re.compile(r"\bre-?rank(?:s|ing)? (?:these|the|my|our|\d+|search|results|documents|passages)")
_NOT_DONE = re.compile(
    r"^(?:what|how|why|when|explain|is|are|does|do|write|implement|debug|fix|review|was|wie|warum|"
    r"erkläre)\b"
)
_RESULTS = (("image", _IMAGE, "a picture as the result"), ("embedding", _EMBED, "vectors as the result"),
            ("speech", _SPEAK, "speech as the result"), ("rerank", _RERANK, "an order of passages as the result"))  # fmt: skip


def _results(low: str) -> list[Understood]:
    """A result that no text model gives. Questions about it and programs for it are texts."""
    if _NOT_DONE.match(low):
        return []
    for kind, pattern, says in _RESULTS:
        match = pattern.search(low)
        if match is not None:
            return [Understood("output", kind, match[0].strip(" ,.!?"), says)]
    match = _HEAR.search(low)
    return [Understood("inputs", ["audio"], match[0], "sound goes in")] if match else []


_READERS: tuple[Callable[[str], list[Understood]], ...] = (
    _money,
    _lengths,
    _time,
    _phrases,
    _makers,
    _results,
)


def read(asked: str) -> tuple[Understood, ...]:
    """All conditions in a request's own words (pasted material left aside), in the order they are shown."""
    low = " ".join(asked[:2000].lower().split())
    return tuple(found for reader in _READERS for found in reader(low))
