"""The most tokens that a text can be, for any script: a bound to hold money by, beside `tokens`, which estimates.

A text is cut into pieces (a word with the space before it, a number, a run of marks or blanks, a character beyond ASCII) and
each piece costs what it costs in the dearest of the public vocabularies that `scripts/build_token_pieces.py` reads: looked up
where they know it, else by a rule no vocabulary exceeds (nearly every pair of letters is one token, so a run of unknown letters
is at most two tokens for three letters). Kinds of pieces are summed apart, since families of models differ by kind: some
take a digit for a token, small vocabularies take every blank and every byte beyond ASCII. Never more than one token a byte.
`tests/unit/test_wires_bounds.py` holds it against counts of those vocabularies over every script block and hostile text.
"""

import re
import zlib
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Family = Literal["openai", "claude", "claude_newest", "public", "small", "closed"]
"""Whose vocabulary counts.

openai: cl100k and o200k, both public.
public: one of the public ones that were read (DeepSeek, Gemma and Gemini, Llama 3, Qwen 3, Mistral's Tekken).
small: public, of 32,000 to 50,000 entries (Llama 2, Mistral 7B, SmolLM2).
claude, claude_newest, closed: not public; the worst public ratio with a stated margin.
"""


class TextSize(msgspec.Struct, frozen=True, kw_only=True):
    """What the bounds of all families are worked out from; sizes add up kind by kind.

    size: bytes of UTF-8.
    words_openai, words: words and marks, tokens, in OpenAI's vocabularies and in the dearest of all.
    digits, triples: digits, and groups of up to three of them.
    blanks, blanks_small: runs of blanks, tokens, in large vocabularies and in small ones.
    wide_openai, wide: characters beyond ASCII, tokens, in OpenAI's vocabularies and in the dearest of all.
    wide_bytes: their bytes.
    """

    size: int = 0
    words_openai: int = 0
    words: int = 0
    digits: int = 0
    triples: int = 0
    blanks: int = 0
    blanks_small: int = 0
    wide_openai: int = 0
    wide: int = 0
    wide_bytes: int = 0

    def __add__(self, other: "TextSize") -> "TextSize":
        return TextSize(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )

    def times(self, number: int) -> "TextSize":
        """Of so many such texts."""
        return TextSize(**{name: number * getattr(self, name) for name in self.__struct_fields__})

    def tokens(self, family: Family) -> int:
        """The most tokens in a family's vocabulary."""
        match family:
            case "openai":
                most = self.words_openai + self.triples + self.blanks + self.wide_openai
            case "public":
                most = self.words + self.digits + self.blanks + self.wide
            case "small":
                most = _raised(self.words, 13, 10) + self.digits + self.blanks_small + self.wide_bytes
            case "claude":
                most = _raised(self.words_openai + self.blanks, 5, 4) + _raised(self.triples, 3, 2)
                most += _raised(self.wide, 3, 2)
            case "claude_newest":
                most = _raised(self.words_openai + self.blanks, 4, 3) + 2 * self.triples + 2 * self.wide
            case _:
                most = _raised(self.words + self.digits + self.blanks + self.wide, 6, 5)
        return min(most, self.size)


def _raised(tokens: int, by: int, over: int) -> int:
    return -(-tokens * by // over)


_NAMES: tuple[tuple[str, Family], ...] = (
    (r"claude-(?:opus|sonnet|haiku)-(?:4[-.][7-9]|[5-9])", "claude_newest"),
    (r"claude-(?!\d|opus|sonnet|haiku|instant|v)\w+-\d", "claude_newest"),
    (r"claude", "claude"),
    (r"smollm|llama-?2|mistral-7b|mixtral|phi-?[23]|tinyllama|gpt-?2\b|\blocal\b|\bdemo\b", "small"),
    (r"gpt|(?:^|[/ ])o[1-9](?:-|$)|davinci|babbage|text-embedding-(?:3|ada)|codex|computer-use", "openai"),
    (
        r"deepseek|gemini|gemma|llama-?[34]|qwen|mistral|ministral|pixtral|devstral|codestral|magistral",
        "public",
    ),
)
_FAMILIES = tuple((re.compile(pattern), family) for pattern, family in _NAMES)


@cache
def family_of(model: str) -> Family:
    """The family of a model's id, ours or a provider's; `closed` where nobody knows."""
    low = model.lower()
    return next((family for pattern, family in _FAMILIES if pattern.search(low)), "closed")


_PIECES = re.compile(
    r" ?[A-Z]?[a-z]+| ?[A-Z]+(?![a-z])| ?[A-Z]|[0-9]+| ?[!-/:-@\[-`{-~]+"
    r"|[\t-\r ]+(?![\t-\r ])|[\x00-\x20\x7f]"
)
_ASCII = re.compile(r"[\x00-\x7f]+")
_RUN = re.compile(r"(.)\1*", re.DOTALL)
_BLANKS_A_TOKEN = {" ": 16, "\t": 8, "\n": 4}
"""So long a run of one blank is a single token in every large vocabulary."""
_MOST_RUNS = 3
_LONGEST_MARKS = 4
_FEW = 64
_NO_WIDE: Counter[str] = Counter()
_STRETCH = (
    1 << 16
)  # characters cut at once: bounds memory, and a thread that counts lets others go on in between


class _Vocabulary(msgspec.Struct):
    """pieces: {words or marks: tokens (OpenAI after a space, OpenAI, any after a space, any)}; wide: by code point, OpenAI's in
    the low four bits, any's in the high."""

    pieces: dict[str, tuple[int, int, int, int]]
    wide: bytes


@cache
def _vocabulary() -> _Vocabulary:
    raw = (files("agent_marketplace.wires.shared") / "data" / "pieces.z").read_bytes()
    groups, wide = msgspec.msgpack.decode(zlib.decompress(raw), type=tuple[dict[str, str], bytes])
    pieces: dict[str, tuple[int, int, int, int]] = {}
    for codes, listed in groups.items():
        a, b, c, d = (int(code) for code in codes)
        pieces |= dict.fromkeys(listed.split(" "), (a, b, c, d))
    return _Vocabulary(pieces, wide)


def warm() -> None:
    """Reads the vocabularies, for which else the first call, and whoever came with it, would wait."""
    _vocabulary()


BEYOND = 12 << 20
"""Characters: of any prose more tokens than the widest window that is sold (2,000,000), so that nobody reads it."""


def measure(text: str) -> TextSize:
    """The sizes of a text. Linear in its length; beyond what any model reads, a token for each byte, which takes no time."""
    if not text:
        return TextSize()
    if len(text) > BEYOND:
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        return TextSize(size=size, words_openai=size, words=size)
    costs = _costs()
    total = size = 0
    plain = text.isascii()
    wide: Counter[str] = Counter() if not plain else _NO_WIDE
    for at in range(0, len(text), _STRETCH):
        stretch = text if len(text) <= _STRETCH else text[at : at + _STRETCH]
        found = _PIECES.findall(stretch)
        # Counting first pays where pieces repeat: of a short text nearly none do.
        if len(found) > _FEW:
            total += sum(times * costs[piece] for piece, times in Counter(found).items())
        else:
            total += sum(map(costs.__getitem__, found))
        if plain or stretch.isascii():
            size += len(stretch)
        else:
            size += len(stretch.encode("utf-8", "surrogatepass"))
            wide.update(_ASCII.sub("", stretch))
    openai, most, wide_bytes = _wide(wide) if wide else (0, 0, 0)
    return TextSize(
        size=size, words_openai=total & _KIND, words=total >> _WORDS & _KIND, digits=total >> _DIGITS & _KIND,
        triples=total >> _TRIPLES & _KIND, blanks=total >> _BLANKS & _KIND, blanks_small=total >> _BLANKS_SMALL & _KIND,
        wide_openai=openai, wide=most, wide_bytes=wide_bytes,
    )  # fmt: skip


_KIND = (1 << 40) - 1
_WORDS, _DIGITS, _TRIPLES, _BLANKS, _BLANKS_SMALL = (40 * place for place in range(1, 6))
"""Where a kind stands in a sum of costs: each has 40 bits, for texts of 10^12 tokens; OpenAI's words stand lowest."""


class _Costs(dict[str, int]):
    """{piece: what it costs, all kinds in one integer, so that pieces are summed without a line of Python for each}.

    Only pieces that the vocabularies know are kept, so it is no larger than they are, however strange the texts.
    """

    def __missing__(self, piece: str) -> int:
        cost, known = _cost(piece)
        if known:
            self[piece] = cost
        return cost


@cache
def _costs() -> _Costs:
    return _Costs()


def _cost(piece: str) -> tuple[int, bool]:
    """What a piece costs, kind by kind, and whether the vocabularies know it."""
    spaced = piece[0] == " " and len(piece) > 1
    word = piece[1:] if spaced else piece
    known = _vocabulary().pieces.get(word)
    if known is not None:
        openai, most = (known[0], known[2]) if spaced else (known[1], known[3])
        return openai | most << _WORDS, True
    first = word[0]
    if first <= " " or first == "\x7f":
        large, small = _blanks(piece)
        return large << _BLANKS | small << _BLANKS_SMALL, len(piece) == 1
    if "0" <= first <= "9":
        return len(word) << _DIGITS | -(-len(word) // 3) << _TRIPLES, len(word) == 1
    if first.isalpha():
        unknown = len(word) if len(word) < 3 else -(-2 * len(word) // 3)
        return unknown | unknown << _WORDS, False
    return _marks(word, 1) | _marks(word, 3) << _WORDS, False


def _marks(marks: str, place: int) -> int:
    """Unknown marks, taken apart: repeats by halves, then the longest known run, then one by one; an eighth more, since a
    vocabulary merges by rank and may cut elsewhere."""
    pieces = _vocabulary().pieces
    total = at = 0
    while at < len(marks):
        end = at + 1
        while end < len(marks) and marks[end] == marks[at]:
            end += 1
        if end - at >= _LONGEST_MARKS:
            total += 2 + -(-(end - at) // 2)
            at = end
            continue
        for length in range(min(_LONGEST_MARKS, len(marks) - at), 0, -1):
            known = pieces.get(marks[at : at + length])
            if known is not None and (known[place] < length or length == 1):
                total += known[place]
                at += length
                break
    return min(-(-total * 9 // 8), len(marks))


def _blanks(run: str) -> tuple[int, int]:
    """A run of blanks in large vocabularies, and in small ones (which know runs of spaces only)."""
    if len(run) == 1:
        return 1, 1
    large = small = 0
    for number, same in enumerate(_RUN.finditer(run)):
        if number == _MOST_RUNS:
            return len(run), len(run)
        length, blank = len(same.group()), same.group()[0]
        step = _BLANKS_A_TOKEN.get(blank)
        large += length if step is None else 1 + length // step
        small += 1 + length // 16 if blank == " " else length
    return min(large, len(run)), min(small, len(run))


def _wide(characters: Counter[str]) -> tuple[int, int, int]:
    table = _vocabulary().wide
    openai = most = size = 0
    for character, times in characters.items():
        code = ord(character)
        length = 2 if code < 0x800 else 3 if code < 0x10000 else 4
        both = table[code] if code < 0x10000 else 0x44
        openai += times * (both & 15)
        most += times * (both >> 4)
        size += times * length
    return openai, most, size
