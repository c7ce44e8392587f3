"""Text to features for the task classifier: shared by training and by the running assistant, linear in a bounded window."""

import itertools
import math
import re
import unicodedata
from collections.abc import Sequence

WINDOW_HEAD = 600
WINDOW_TAIL = 400
WHOLE = 1200
MATERIAL_SHARE = 0.35
"""How loud pasted material speaks beside the words that ask (length of its vector; theirs is 1)."""

_WIDE = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
_UNSPACED = re.compile(f"[{_WIDE}]")
_WORD = re.compile(
    rf"(?:(?![{_WIDE}])[^\W\d_])+(?:'[a-z]+)?|[{_WIDE}]+|\d+(?:[.,]\d+)*|[?!:;{{}}()\[\]<>=+*/%$`\"…#@-]"
)
_IDENTIFIER = re.compile(r"\b[a-z]+[A-Z]|\b\w{1,40}_\w|\w\(\)|--\w|\w\.\w{1,40}\(|/\w{1,40}/")
_TRACE = re.compile(r"Traceback|Exception|Error\b|\bat line \d|panic:|segfault|core dumped")
_CODE = re.compile(
    r"```|^[ \t]{0,8}(?:def|class|import|from|#include|function|public|const|let|var|SELECT)\b", re.MULTILINE
)
_NUMBERS = re.compile(r"\[[-\d., ]{1,80}\]")
_COMMIT = re.compile(r"^(\w{2,10})(?:\([\w./ -]{1,40}\))?!?:\s")


def window(text: str) -> str:
    """The part that is looked at: all of a short text; head and tail of a long one, where people put the instruction."""
    bounded = text if len(text) <= WHOLE else f"{text[:WINDOW_HEAD]}\n{text[-WINDOW_TAIL:]}"
    return unicodedata.normalize("NFKC", bounded).strip()


def tokens(seen: str) -> list[str]:
    """Lower-case words, numbers as "0", telling punctuation; scripts without spaces as character pairs."""
    out: list[str] = []
    for match in _WORD.finditer(seen.lower()):
        word = match.group()
        if _UNSPACED.match(word):
            out.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        else:
            out.append("0" if word[0].isdigit() else word)
    return out


def _is_word(token: str) -> bool:
    return token[0].isalpha()


def _size(n: int) -> int:
    for size, limit in enumerate((4, 8, 14, 25, 60)):
        if n < limit:
            return size
    return 5


def _shape(seen: str, words: list[str], all_tokens: list[str]) -> list[str]:
    """Features of form: punctuation, code, numbers, and the first word together with how the text ends."""
    end = (
        "?" if seen.endswith("?") else "." if seen.endswith((".", "!")) else ":" if seen.endswith(":") else ""
    )
    title = not end and len(all_tokens) < 16
    marks = {
        "s:q": "?" in seen, "s:ident": _IDENTIFIER.search(seen), "s:trace": _TRACE.search(seen), "s:code": _CODE.search(seen),
        "s:list": _NUMBERS.search(seen), "s:cap": seen[:1].isupper(), "s:nl": "\n" in seen, "s:title": title,
    }  # fmt: skip
    shape = [name for name, present in marks.items() if present]
    shape += [f"s:end{end}", f"s:n{_size(len(all_tokens))}", f"s:num{min(all_tokens.count('0'), 4)}"]
    if words:
        shape.append(f"e{'t' if title else end}:{words[0]}")
    commit = _COMMIT.match(seen)
    if commit:
        shape.append(f"p:{commit[1].lower()}")
    return shape


def _pieces(word: str) -> list[str]:
    padded = f"<{word}>"
    return [padded[i : i + size] for size in (3, 4, 5) for i in range(len(padded) - size + 1)]


def _ngrams(all_tokens: list[str]) -> dict[str, float]:
    """Words, pairs and parts of words (which count half)."""
    words = [t for t in all_tokens if _is_word(t)]
    found = {
        f"c:{piece}": 0.5
        for word in dict.fromkeys(words[:120])
        if len(word) > 3
        for piece in _pieces(word[:30])
    }
    found.update({f"w:{t}": 1.0 for t in all_tokens})
    found.update({f"b:{a} {b}": 1.0 for a, b in itertools.pairwise(all_tokens)})
    return found


def features(asked: str, material: str = "", kinds: Sequence[str] = ()) -> tuple[dict[str, float], list[str]]:
    """Feature -> weight, and the tokens of the request. Its n-grams and form have length 1 together; material's, MATERIAL_SHARE.

    Both texts are of a window's size (see `wording.split`). Empty text gives features of form only.
    """
    all_tokens = tokens(asked)
    words = [t for t in all_tokens if _is_word(t)]
    found = _ngrams(all_tokens)
    for size in (1, 2, 3):
        if len(words) >= size:
            found[f"1:{' '.join(words[:size])}"] = 1.0
    if words:
        found[f"l:{words[-1]}"] = 1.0
    found.update(dict.fromkeys(_shape(asked, words, all_tokens), 1.0))
    found.update({f"m:{kind}": 1.0 for kind in kinds})
    scaled = _of_length(found, 1.0)
    if material:
        for name, value in _of_length(_ngrams(tokens(material)), MATERIAL_SHARE).items():
            scaled[name] = scaled.get(name, 0.0) + value
    return scaled, all_tokens


def _of_length(found: dict[str, float], length: float) -> dict[str, float]:
    norm = math.sqrt(sum(v * v for v in found.values())) or 1.0
    return {name: value * length / norm for name, value in found.items()}
