"""A request's words as the readers expect them: digits of every script, spoken amounts, and slips in words that matter. Pure.

Only words of a short list are mended, only in requests that look English, and only where the classifier knows no such word.
"""

import re
import unicodedata
from collections.abc import Iterator

from agent_marketplace.recommend.numerals import in_figures

_DIGIT = re.compile(r"[^\D0-9]|[\u066b\u066c]")  # of any script but ours
_MARKS = {"\u066b": ".", "\u066c": ","}

_ALONE = "".join(
    rf"(?<!{word} )"
    for word in (
        "[0-9]",
        "zwei",
        "drei",
        "vier",
        "fünf",
        "sechs",
        "sieben",
        "acht",
        "neun",
        "zehn",
        "zwölf",
        "zwanzig",
        "hundert",
    )
)
"""Not behind another number: "20 tausend" is no 1000."""
_SPOKEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{words})(?=\s)", re.IGNORECASE), said)
    for words, said in (
        (r"half a million", "500000"), (r"a quarter of a million", "250000"),
        (r"a couple (?:of )?hundred", "200"), (r"a few hundred", "300"), (r"a few thousand", "3000"), (r"(?:a|one) dozen", "12"),
        (r"eine halbe million", "500000"), (rf"{_ALONE}hundert", "100"), (rf"{_ALONE}tausend", "1000"), (r"un millón de", "1000000"),
        (r"un million de", "1000000"), (r"um milhão de", "1000000"), (r"un milione di", "1000000"),
    )
)  # fmt: skip
_SMALL = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_PARTS = {"fifty": 50, "twenty": 20, "twenty-five": 25, "thirty": 30, "forty": 40, "eighty": 80, "ten": 10}
_AND_A_HALF = re.compile(
    rf"\b(?P<whole>{'|'.join(_SMALL)}) (?:dollar|buck)s? (?:and )?(?P<part>{'|'.join(sorted(_PARTS, key=len, reverse=True))})\b(?! \w+s\b)",
    re.IGNORECASE,
)
"""A dollar fifty, two dollars twenty-five."""

_SLANG = re.compile(
    r"\b(plz|pls|lss|thn|wud|cud|shud|hw(?= (?:to|do|does|much|many|long|can|cud|i|you|wud)\b)|"
    r"abt|msgs?|ppl|yr)(?=[\s,.!?]|$)|\b(less|cheaper|more|fewer) then(?= [\d$€£])",
    re.IGNORECASE,
)
_MEANT = {
    "plz": "please", "pls": "please", "lss": "less", "thn": "than", "wud": "would", "cud": "could", "shud": "should", "hw": "how",
    "abt": "about", "msg": "message", "msgs": "messages", "ppl": "people", "yr": "year",
}  # fmt: skip
_MATTER = (
    "summarize summarise summary translate translation translating cheapest cheaper cheap pages page words word contract "
    "contracts french german spanish english italian explain review function python debug write document documents emails "
    "email tickets images image picture pictures transcribe transcript recording budget dollars dollar cents cent month maximum "
    "within seconds minutes language letter question questions please model offline error extract extraction classify invoice "
    "invoices under brainstorm ideas story essay article articles customer reviews database javascript algorithm equation solve "
    "calculate describe photo generate create message messages between sentence sentences paragraph paragraphs this that less "
    "second minute ticket letters customers languages budgets transcripts recordings errors stories reviews essays invoice photos emails"
)
_MATTERS = tuple(_MATTER.split())
_WORD = re.compile(r"(?<![\w@/.#\\-])[A-Za-z]{4,14}(?![\w@/\\(]|\.\w)")
_ENGLISH = re.compile(
    r"\b(?:the|this|to|for|and|of|is|it|my|in|with|please|how|what|a|plz|pls|wud|hw)\b", re.IGNORECASE
)
_LONGEST = 2_000


def _one_off(word: str) -> Iterator[str]:
    """Two neighbours swapped, a letter dropped, one too many: what fingers do."""
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _index() -> dict[str, str]:
    """Every slip of a word that matters -> the word; slips of two words are left out."""
    found: dict[str, set[str]] = {}
    for word in _MATTERS:
        slips = {s for s in _one_off(word) if len(s) >= 4 and s[0] == word[0]}
        slips |= {word[:i] + word[i] + word[i:] for i in range(1, len(word))}
        if word == "french":
            slips.add("frensh")
        for slip in slips - set(_MATTERS):
            found.setdefault(slip, set()).add(word)
    return {slip: next(iter(words)) for slip, words in found.items() if len(words) == 1}


_SLIPS = _index()
_OWN = (
    "modes mode pager image word work with wit wrote cent scent cents sent letters latter later tory store restore ideal idea idas "
    "deal error terror artist pyton worlds world sword swords photon photos thin hat than then tat tis his thus contact contacts "
    "phot cheep fench revue view explan fiction function functions doll dolls dollar mages mail emil email mouth moth moths month "
    "months inn ring tan hats tack pace pages paged rage cage sage model models mods moodle chapter cheat leaner learner lesson less "
    "lest lets guest request requests messages massage massages passage create crate crates rate curate summery sentience "
    "stories essays assay pleas place ides wore ward words wordy ords wod wods pags pags imags wok"
)
_REAL = frozenset(_OWN.split())
"""Words of their own that a slip could look like."""


def mended(text: str) -> str:
    """The text with slips in words that matter put right, names left alone; texts that do not look English stay as they are."""
    if len(text) > _LONGEST or not _ENGLISH.search(text):
        return text
    text = _SLANG.sub(_meant, text)
    return _WORD.sub(_right, text)


_THINGS = r"class(?:es)?|variables?|vars?|functions?|methods?|packages?|modules?|librar(?:y|ies)|structs?|fields?|columns?|parameters?"
_NAMED = re.compile(
    rf"(?:\b(?:{_THINGS}|surname|name|named|called|use|using|import|install|rename|def|const|let|mr|mrs|ms|dr)\s+|[^\s\w(,;:!?])[\"'`]?$",
    re.IGNORECASE,
)
"""Before a name, in a program or of a person: "rename the variable wrod"; or a mark that a name begins with (".pls")."""

_A_NAME = re.compile(
    rf"\s+(?:{_THINGS}|regression|playlists?|analysis|components?|in r\b)(?!\w)", re.IGNORECASE
)
_NOUN = re.compile(r"\b(?:an?|the|my|our|of|is)\s+$", re.IGNORECASE)
_BEGINS = re.compile(r"(?:^|[.!?:\n]\s*|\b(?:please|plz|pls)\s+)[\"'(]*$", re.IGNORECASE)
_INTO = re.compile(r"\b(?:to|into|in|from)\s+$", re.IGNORECASE)
_ASKS = re.compile(rf"\b(?:{_THINGS}) pl[sz][\s.!?]*$", re.IGNORECASE)  # "fix this function pls"
_VERBS = (
    "summarize summarise translate explain review debug write transcribe extract classify brainstorm solve calculate describe "
    "generate create please this that"
)
_DOING = frozenset(_VERBS.split())
_TONGUES = frozenset(("french", "german", "spanish", "english", "italian"))


def _a_name(match: re.Match[str], meant: str) -> bool:
    """Whether a word that looks like a slip is somebody's or something's name."""
    before, behind = match.string[max(0, match.start() - 24) : match.start()], match.string[match.end() :]
    word = match[0]
    if word.isupper() and not match.string.isupper():
        return True
    if _NAMED.search(before) or (meant not in _DOING and _A_NAME.match(behind)):
        return True
    if word.islower() or _BEGINS.search(before):
        return False
    words = (w.lower() for w in _WORD.findall(match.string))
    return not (
        meant in _TONGUES
        and _INTO.search(before)
        and any(_SLIPS.get(w, w).startswith("translat") for w in words)
    )


def _meant(match: re.Match[str]) -> str:
    if not match[1]:
        return f"{match[2]} than"
    meant = _MEANT[match[1].lower()]
    if (
        match[0].islower()
        and _ASKS.search(match.string)
        and match.end() >= len(match.string.rstrip(" .!?\n"))
    ):
        return meant
    thing = meant == "please" and (
        _A_NAME.match(match.string[match.end() :]) or _NOUN.search(match.string[: match.start()])
    )
    return match[0] if thing or _a_name(match, meant) else meant


def _right(match: re.Match[str]) -> str:
    word = match[0]
    if not (word.islower() or word.istitle()):
        return word
    found = None if word.lower() in _REAL else _SLIPS.get(word.lower())
    if found is None or _a_name(match, found):
        return word
    return found.capitalize() if word[0].isupper() else found


def _as_ours(found: re.Match[str]) -> str:
    return _MARKS.get(found[0]) or str(unicodedata.decimal(found[0]))


def spelled(text: str) -> str:
    """Digits of every script as 0-9, spoken amounts as figures, slips mended. A text without any comes back as it is."""
    if not text.isascii():
        text = _DIGIT.sub(_as_ours, text)
    for pattern, said in _SPOKEN:
        text = pattern.sub(said, text)
    text = in_figures(text, ascii_only=text.isascii())
    text = _AND_A_HALF.sub(
        lambda m: f"{_SMALL[m['whole'].lower()]}.{_PARTS[m['part'].lower()]:02d} dollars", text
    )
    return mended(text)
