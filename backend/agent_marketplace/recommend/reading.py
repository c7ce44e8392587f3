"""Reads a buyer's conditions off the words of a request: money, counts, lengths, time, privacy, makers, the kind of result.

Pure. Every finding is an `Understood` with the words it was read from, so that it can be shown, corrected and taken back.
What the words do not clearly say is not read (`grammar.py`).
"""

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from agent_marketplace.recommend import grammar as g
from agent_marketplace.recommend.amounts import money, number
from agent_marketplace.recommend.phrases import PHRASES
from agent_marketplace.recommend.recordings import language, recorded
from agent_marketplace.recommend.results import NOT_DONE, results
from agent_marketplace.recommend.stating import ENDS, stated
from agent_marketplace.recommend.understood import Understood

__all__ = ["Understood", "read", "without"]


# --- lengths ---

_UNIT = "|".join(f"(?P<{name}>{words})" for name, (_, words) in g.UNITS.items())
_MENTION = re.compile(
    rf"(?:(?P<n>{g.NUMBER})\s?(?P<k>k|thousand|million|(?<!\s)m)?|"
    rf"(?<![^\W\d_])(?P<small>{'|'.join(sorted(g.SMALL, key=len, reverse=True))}))"
    rf"(?P<gap>[\s-]?(?:short |brief |concise |bullet |individual |de |个)?)(?:{_UNIT})(?![a-zäöüßé])"
)
_GIVEN_BEFORE = re.compile(rf"(?:^|[^\w])(?:{g.GIVEN})(?:\s+\w+)?\s*$")
_LENGTH_BEFORE = re.compile(rf"(?:^|[^a-zäöü])(?:{g.TO_LENGTH})\s*$")
_OF_A_THING = re.compile(
    r"(?:pdfs?|documents?|contrats?|rapports?|livres?|fichiers?|textes?|manual(?:es)?|libros?|informes?|"
    r"contratos?|relatórios?|livros?|"
    r"documenti|contratti|libri|relazioni|dokumente\w*|verträge\w*|berichte?) (?:de|di|of|mit|von|à|da)\s*$"
)
_MAKES = re.compile(rf"(?:{g.MAKES})")
_KEEPS = re.compile(rf"(?<![a-z])(?:{g.KEEPS_LENGTH})")
_READS = re.compile(
    r"summari[sz]|tl;?dr|text[- ]to[- ]speech|\btts\b|audio ?book|voice-?over|narrat|review|read\b|grad(?:e|es|"
    r"ing)\b|scor(?:e|es|ing)\b|evaluat|moderat|transcrib|extract|analy[sz]|classif|check|audit|proofread|fix\b|"
    r"debug|"
    r"find\b|search|answer questions about|"
    r"zusammenfass|fass\w* |streszcz|podsumuj|özetle|vat .{1,30} samen|요약|analis|analizz|prüf|lies|resum|résum|"
    r"revis|lee\b|riassum|проверь|обобщ|резюмир|总结|摘要|"
    r"审查|提取|要約|सारांश|संक्षेप|لخص"
)


_FOR_A = re.compile(r"\b(?:for|about|from|with|on|over|of|in|to)\s+(?:an?|the|one|another)\s*$")
_DOCUMENTS = (
    r"pdfs?|documents?|contracts?|leases?|files?|transcripts?|filings?|agreements?|polic(?:y|ies)|scans?|logs?|"
    r"depositions?|manuals?|"
    r"judg(?:e)?ments?|patents?"
)
"""What has pages and is read: "I need an answer about a 900 page PDF"."""
_A_DOCUMENT = re.compile(rf"\W?(?:\w+ ){{0,2}}(?:{_DOCUMENTS})\b")
_EACH_OF = re.compile(
    rf"(?:{g.COUNTED}) (?:of|with|at|po|à|de|di|von|mit|zu|van|по) (?:je |about |around |roughly |up to |some )?$"
)
_WRITES = re.compile(r"\b(?:write|draft|compose|generate|create|produce)\b")


_IN_AND_OUT = re.compile(
    rf"(?P<in>{g.NUMBER}) (?:input tokens|tokens? in(?:put)?|in\b(?= and| /|,| \+))\W{{0,3}}(?:and |plus |"
    rf"& )?(?:about |around )?(?P<out>{g.NUMBER})"
    r" (?:output tokens|tokens? out(?:put)?|out)\b"
)
"""What programmers say: "500 tokens in and 200 out"."""


def _lengths(low: str) -> list[Understood]:
    """Tokens that go in and tokens that come out, where the text names them."""
    told: dict[str, Understood] = {}
    for match in _MENTION.finditer(low):
        unit = next(name for name in g.UNITS if match[name] is not None)
        small = match["small"]
        many = number(match["n"]) if match["n"] else Decimal(g.SMALL[small])
        many *= {"k": 1000, "thousand": 1000, "million": 10**6, "m": 10**6}.get(match["k"] or "", 1)
        before = low[max(0, match.start() - 40) : match.start()]
        way = _direction(low, before, match, many, unit)
        if way is None or way in told:
            continue
        tokens = max(
            16, min(10_000_000 if way == "input_tokens" else 200_000, round(float(many) * g.UNITS[unit][0]))
        )
        noun = "going in" if way == "input_tokens" else "in the answer"
        told[way] = Understood(
            way, tokens, match[0].strip(), f"{match[0].strip()} {noun}: about {tokens:,} tokens"
        )
    for match in _IN_AND_OUT.finditer(low):
        for way, name in (("input_tokens", "in"), ("output_tokens", "out")):
            told[way] = Understood(
                way, int(number(match[name])), match[0].strip(), f"{match[name]} tokens {name}"
            )
    given, keeps = told.get("input_tokens"), _KEEPS.search(low)
    if given is not None and "output_tokens" not in told and keeps:
        size = round(given.value * 1.1)
        told["output_tokens"] = Understood(
            "output_tokens", size, given.words, f"as long an answer: about {size:,} tokens"
        )
    return list(told.values())


def _direction(low: str, before: str, match: "re.Match[str]", many: Decimal, unit: str) -> str | None:
    """Which way a length goes; None where it is no length of a text ("a line of my CSS", "the one-line bug")."""
    after = low[match.end() : match.end() + 24]
    if unit == "character" and re.match(r"\W?(?:long\b|strings?|passwords?)", after):
        return None
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
    worked_on = re.search(r"\bof\s*$|\b(?:de|von|di|из|na)\s*$", before) and (
        _KEEPS.search(low[: match.start()])
    )
    if worked_on:
        return "input_tokens"
    if _OF_A_THING.search(before):
        return "input_tokens"
    if _FOR_A.search(before) and _A_DOCUMENT.match(after) and not _WRITES.search(low[: match.start()]):
        return "input_tokens"
    counted = _EACH_OF.search(before)
    if counted and _READS.search(low[: match.start()]) and not _WRITES.search(low[: match.start()]):
        return "input_tokens"
    if _LENGTH_BEFORE.search(before) and not re.match(r"\W?(?:of my|of our|of the)\b", after):
        return "output_tokens"
    if many <= 1:
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


_A_DECADE = re.compile(r"\b(?:1\d|20)\d0s$")  # "life in 1920s Berlin"
_A_SUM = re.compile(
    r"\bhow (?:long|many|much|far)\b|wie (?:lange|viele?)\b|combien|cuánt|quant[oie]s?\b|сколько"
)


def _time(low: str) -> list[Understood]:
    if _A_SUM.search(low):
        return []
    for match in _TIME.finditer(low):
        before, after = low[max(0, match.start() - 24) : match.start()], low[match.end() : match.end() + 20]
        if _A_DECADE.search(match[0]):
            continue
        if _TASK_OF_TIME.search(before) or re.match(
            r"\W{0,2}(?:read|speech|talk|video|pitch|walk|of (?:video|audio))", after
        ):
            continue
        seconds = number(match["n"] or match["n2"]) * (60 if match["m"] or match["m2"] else 1)
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
    for name, patterns in PHRASES.items()
}
_SAYS: dict[str, tuple[str, Any, str]] = {
    "offline": ("offline", True, "runs on this machine; no data leaves it"),
    "tools": ("require", ["tools"], "calls tools"),
    "vision": ("inputs", ["image"], "pictures go in"),
    "no_training": ("no_training", True, "nothing is used for training"),
    "eu": ("region", "eu", "data stays in the EU"),
    "us": ("region", "us", "data stays in the US"),
    "open_weights": ("open_weights", True, "open weights"),
    "free": ("free", True, "costs nothing"),
    "cheap": ("priority", "cost", "low cost matters most"),
    "fast": ("priority", "speed", "speed matters most"),
    "best": ("priority", "quality", "quality matters most"),
    "json": ("require", ["structured_output"], "answers as JSON"),
    "no_thinking": ("effort", "none", "without thinking"),
    "thinking": ("effort", "high", "thinks hard"),
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
    rf"(?P<rest>(?:[ -][\w.]*\d[\w.]*|[ -](?:{_TIERS}))*)(?:(?: or|,|/| oder| ou|"
    rf" o) (?P<also>{_NAMES}))?(?P<name2>)(?![a-z]){_NO_MODEL}"
)
_WISH = re.compile(r"(?:i want|i'd like|ask|let|try)\b")
_ONLY = re.compile(
    rf"(?<![a-z])(?:(?P<also>{_NAMES})(?:,| or| and|/) )?(?P<name>{_NAMES})(?P<rest>)(?: models?)? only\b|"
    rf"(?:models?|llms?|something|one|[,;]) (?:made )?(?:by|from) (?P<name2>{_NAMES})(?P<rest2>)(?![a-z])"
)
_REFUSE = re.compile(
    rf"(?<![a-z])(?:{g.REFUSE})\s?(?:{g.REFUSED_THINGS}){{0,4}}(?P<name>{_NAMES})"
    rf"(?:(?:(?: or| and| nor| und|,|/| oder| ou| et| o| e| y| и| или) |\s?[和与、]\s?)(?P<other>{_NAMES}))?(?![a-z]){_NO_MODEL}"
)


_A_REGION = re.compile(r"\W?(?:the )?(?:eu|european union|europe|eea|germany|france|us|usa|uk|country)\b")


def _phrases(low: str) -> list[Understood]:
    found: list[Understood] = []
    for name, pattern in _PHRASES.items():
        match = next((m for m in pattern.finditer(low) if stated(name, low, m)), None)
        if match is not None and name == "offline" and _A_REGION.match(low[match.end() :]):
            continue  # "nothing may leave the EU"
        if match is not None:
            kind, value, says = _SAYS[name]
            same = next((u for u in found if u.kind == kind), None)
            if same is not None and kind in ("require", "inputs"):
                both = Understood(kind, [*same.value, *value], same.words, f"{same.says}; {says}")
                found[found.index(same)] = both
            elif same is None:
                found.append(Understood(kind, value, match[0].strip(" ,;().\n"), says))
    return found


_NATIONS = tuple(
    (
        nation,
        makers,
        re.compile(
            rf"(?<![^\W_])(?:{g.NATION_REFUSED})\s?(?:{words}){g.NATION_MODELS}|"
            rf"(?:{g.NATION_REFUSED})\s?mod\w+ (?:{words})(?![^\W_])|"
            rf"(?<![^\W_])(?:{words})(?:モデル)?(?:以外|は使わない)"
        ),
        re.compile(
            rf"(?<![^\W_])(?:only|nur|solo|apenas|seulement|только|只用|must be|use)\s(?:an? |ein\w* |"
            rf"un\w* )?(?:{words}){g.NATION_MODELS}|"
            rf"(?<![^\W_])(?:{words}){g.NATION_MODELS} only\b"
        ),
    )
    for nation, (words, makers) in g.NATIONS.items()
)


def _nations(low: str) -> list[Understood]:
    """Makers of one country, refused or alone allowed."""
    for nation, makers, refused, only in _NATIONS:
        if match := refused.search(low):
            return [
                Understood("exclude_makers", list(makers), match[0].strip(), f"nothing by {nation} makers")
            ]
        if match := only.search(low):
            return [Understood("makers", list(makers), match[0].strip(), f"a model by a {nation} maker")]
    return []


def makers_in_conflict(low: str) -> list[str]:
    """Names that are asked for though their maker is refused: "use Claude but no Anthropic models"."""
    refused = {g.MAKER_NAMES[n] for m in _REFUSE.finditer(low) for n in (m["name"], m["other"]) if n}
    asked = [m["name"] for m in _USE.finditer(low) if m["name"] and g.MAKER_NAMES[m["name"]] in refused]
    before = [low[: m.start()] for m in _USE.finditer(low) if m["name"] in asked]
    return [n for n, b in zip(asked, before, strict=False) if not re.search(rf"(?:{g.REFUSE})\W*$", b)][:1]


def _makers(low: str) -> list[Understood]:
    found: list[Understood] = []
    refused = [
        g.MAKER_NAMES[name]
        for m in _REFUSE.finditer(low)
        for name in (m["name"], m["other"])
        if name is not None
    ]
    nations = _nations(low)
    if nations and nations[0].kind == "exclude_makers" and refused:
        names = tuple(dict.fromkeys((*nations[0].value, *refused)))
        return [
            Understood(
                "exclude_makers",
                list(names),
                nations[0].words,
                f"{nations[0].says}, nor by {', '.join(refused)}",
            )
        ]
    found += nations
    if refused:
        names = tuple(dict.fromkeys(refused))
        found.append(
            Understood("exclude_makers", list(names), ", ".join(names), f"nothing by {', '.join(names)}")
        )
    for match in (*_USE.finditer(low), *_ONLY.finditer(low)):
        name, rest = match["name"] or match["name2"], match["rest"] or ""
        follows = low[match.end() : match.end() + 12]
        if match[0][0] in ",;" and not ENDS.match(low[match.end() :]):
            continue  # "a blog post, from OpenAI to Anthropic"
        if g.MAKER_NAMES[name] in refused or any(u.kind == "makers" for u in nations):
            continue
        if _WISH.match(match[0]) and not rest and not re.match(r" to\b", follows):
            continue
        if (
            name in _NEEDS_MODEL_WORD
            and not rest
            and not re.match(r"\W?(?:models?|llms?|only|模型|$|[.,;!])", follows)
        ):
            continue
        wanted = f"{name}{rest}"
        makers = list(dict.fromkeys(g.MAKER_NAMES[n] for n in (name, match["also"]) if n))
        says = f"a model called {wanted}" if rest else f"a model by {' or '.join(makers)}"
        found.append(
            Understood(
                "model" if rest else "makers",
                wanted if rest else makers,
                match[0].strip(),
                says,
            )
        )
        break
    return found


def _goes_in(low: str) -> list[Understood]:
    return [] if NOT_DONE.match(low) else recorded(low)


_CONTEXT = re.compile(
    rf"(?P<n>{g.NUMBER})\s?(?P<k>k|million|m)?(?:[ -]tokens?)?(?: of)?[ -]context\b(?! engineering)|"
    rf"context(?: window| length)?(?: of| over| above| larger than| bigger than| at least|:)+ (?:at least |"
    rf"about )?(?P<n2>{g.NUMBER})\s?(?P<k2>k|million|m)?\b"
)


def _context(low: str) -> list[Understood]:
    """How much a model has to be able to read: "at least 500k context"."""
    match = next((m for m in _CONTEXT.finditer(low) if stated("context", low, m)), None)
    if match is None:
        return []
    unit = match["k"] or match["k2"] or ""
    size = int(number(match["n"] or match["n2"]) * {"k": 1000, "m": 10**6, "million": 10**6}.get(unit, 1))
    if not 1_000 <= size <= 100_000_000:
        return []
    return [Understood("context", size, match[0].strip(), f"reads at least {size:,} tokens")]


_READERS: tuple[Callable[[str], list[Understood]], ...] = (
    money,
    _lengths,
    _time,
    _phrases,
    _makers,
    results,
    _goes_in,
    language,
    _context,
)


_OF_THE_BUYER = frozenset({
    "max_cost", "budget", "deadline_s", "offline", "no_training", "region", "free", "open_weights", "makers", "exclude_makers", "model",
    "require", "priority", "language", "effort", "context",
})  # fmt: skip
"""Conditions whose words say nothing of the task."""


def without(asked: str, understood: Collection[Understood]) -> str:
    """The words that ask, without conditions that say nothing of the task: "$1 a month" is no arithmetic."""
    left = asked
    for found in understood:
        words = found.words if found.kind in _OF_THE_BUYER else ""
        if found.kind == "calls":
            words = next(iter(re.findall(r"[\d.,]*\d", found.words)), "")
        if words:
            pattern = r"\s+".join(re.escape(word) for word in words.split())
            left = re.sub(pattern, " ", left, count=1, flags=re.IGNORECASE)
    if left == asked:
        return asked
    left = re.sub(r"[ \t]{2,}", " ", re.sub(r"^[\s,;:.!-]+|(?<=[\s,;:])[,;:.]+(?=\s)", "", left)).strip()
    return left if re.search(r"[^\W\d_]{2}|[^\W\d_a-z]", left) else asked


MANY = 100_000
"""Planned calls from which a buyer who names no sum is taken to look at the price: a cent each is a thousand dollars."""


SORTS = re.compile(
    r"\b(?:classif\w*|categori\w*|label\w*|tag|tagging|triage|sort|moderat\w+|sortier\w*|einordn\w*|klassifi\w*|"
    r"kategorisier\w*|class(?:er|ez|e)|trie[rz]?|"
    r"étiquet\w*|clasific\w*|etiquet\w*|categoriz\w*|classificar?\w*|классифиц\w*|размет\w*|sklasyfik\w*|sınıfland\w*)\b|"
    r"分类|归类|标注|分類|仕分け|분류|वर्गीकृत|वर्गीकरण|صنّ?ف|تصنيف"
)
"""Sorting into kinds, in whatever language: the answer is a word or two."""

_MORE_THAN_A_LABEL = re.compile(
    r"summar|extract|explain|why|reason|write|script|code|function|translat|draft|reply|answer|alt text|describ"
)
LABEL_TOKENS = 24
_ITEMS: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (tokens, re.compile(rf"(?:{words})\W*$"))
    for tokens, words in (
        (300, (
            r"tickets?|e?-?mails?|correos|courriels|письма?|писем|anfragen|supporttickets|工单|邮件|問い合わせ|"
            r"문의|ईमेल|تذكرة|تذاكر|рассыл\w+"
        )),
        (60, (
            r"reviews?|comments?|tweets?|tuits?|posts?|messages?|questions?|titles?|rezensionen|\w*bewertungen|"
            r"reseñas|avis|recensioni|"
            r"avaliações|отзыв\w*|headlines|listings|rows?|标题|评论|条|レビュー|리뷰"
        )),
        (1_500, r"articles?|essays?|abstracts|artikel"),
        (600, r"invoices?|factures?|facturas|faturas|fatture|rechnungen|счетов|letters?|briefe|发票"),
    )
)  # fmt: skip
"""Tokens of one of the things that are counted, where their length was not said: rough, and said as assumed."""


def _of_each(low: str, found: list[Understood]) -> list[Understood]:
    """What of many things nobody said: how long one of them is, and that a label is short."""
    calls = next((u for u in found if u.kind == "calls"), None)
    kinds = {u.kind for u in found}
    if calls is None or "output" in kinds:
        return []
    more = []
    size = next((tokens for tokens, words in _ITEMS if words.search(calls.words)), None)
    if size is not None and not kinds & {"input_tokens", "output_tokens"} and not _MAKES.search(low):
        more.append(
            Understood("input_tokens", size, calls.words, f"assumed: about {size:,} tokens going in for each")
        )
    label = SORTS.search(low)
    if label is not None and "output_tokens" not in kinds and not _MORE_THAN_A_LABEL.search(low):
        says = f"a label each: about {LABEL_TOKENS} tokens in the answer"
        more.append(Understood("output_tokens", LABEL_TOKENS, label[0], says))
    return more


def read(asked: str) -> tuple[Understood, ...]:
    """All conditions in a request's own words (pasted material left aside), in the order they are shown."""
    low = " ".join(asked[:2000].lower().split())
    found = [one for reader in _READERS for one in reader(low)]
    found += _of_each(low, found)
    kinds = {u.kind for u in found}
    calls = next((u for u in found if u.kind == "calls"), None)
    if (
        calls is not None
        and calls.value >= MANY
        and not kinds & {"priority", "max_cost", "budget", "free", "output"}
    ):
        found.append(Understood("priority", "cost", calls.words, "so many calls: low cost matters most"))
    return tuple({u.kind: u for u in reversed(found)}.values())[::-1]
