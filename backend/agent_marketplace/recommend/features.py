"""Text to features for the task classifier: shared by training and by the running assistant, linear in a bounded window."""

import itertools
import re
import unicodedata

WINDOW_HEAD = 500
WINDOW_TAIL = 200
_WHOLE = 800
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[^\W\d_a-z]+|\d+(?:[.,]\d+)*|[?!:;{}()\[\]<>=+*/%$`\"…#@-]")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_IDENTIFIER = re.compile(r"\b[a-z]+[A-Z]|\b\w{1,40}_\w|\w\(\)|--\w|\w\.\w{1,40}\(|/\w{1,40}/")
_TRACE = re.compile(r"Traceback|Exception|Error\b|\bat line \d|panic:|segfault|core dumped")
_CODE = re.compile(r"```|^[ \t]{0,8}(?:def|class|import|from|#include|function|public|const|let|var|SELECT)\b", re.MULTILINE)
_NUMBERS = re.compile(r"\[[-\d., ]{1,80}\]")
_COMMIT = re.compile(r"^(\w{2,10})(?:\([\w./ -]{1,40}\))?!?:\s")


def window(text: str) -> str:
    """The part that is looked at: all of a short text; head and tail of a long one, where people put the instruction."""
    bounded = text if len(text) <= _WHOLE else f"{text[:WINDOW_HEAD]} {text[-WINDOW_TAIL:]}"
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
    end = "?" if seen.endswith("?") else "." if seen.endswith((".", "!")) else ":" if seen.endswith(":") else ""
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


def features(text: str) -> tuple[dict[str, float], list[str]]:
    """Feature -> weight (1, or 0.5 for parts of words), and the tokens. Empty text gives shape features only."""
    seen = window(text)
    all_tokens = tokens(seen)
    words = [t for t in all_tokens if _is_word(t)]
    found = {f"c:{piece}": 0.5 for word in dict.fromkeys(words[:120]) if len(word) > 3 for piece in _pieces(word[:30])}
    found.update({f"w:{t}": 1.0 for t in all_tokens})
    found.update({f"b:{a} {b}": 1.0 for a, b in itertools.pairwise(all_tokens)})
    for size in (1, 2, 3):
        if len(words) >= size:
            found[f"1:{' '.join(words[:size])}"] = 1.0
    if words:
        found[f"l:{words[-1]}"] = 1.0
    found.update(dict.fromkeys(_shape(seen, words, all_tokens), 1.0))
    return found, all_tokens
