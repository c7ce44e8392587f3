"""Training text with alternatives: `data/phrases/*.tsv` (label, line with {a|b|} choices, kinds of material) and `materials.txt`.

`examples()` makes prompts in many registers and languages, and requests about pasted material, before or behind it. All text is ours.
"""

import pathlib
import random
import re

import msgspec

from agent_marketplace.recommend.classifier import MATERIAL
from agent_marketplace.recommend.wording import Parts

PHRASES = pathlib.Path(__file__).resolve().parent / "data/phrases"
PER_LINE = {"about": 5, "english": 8, "languages": 4}
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_LANGUAGE_KINDS = ("prose", "mail")


class Example(msgspec.Struct, frozen=True):
    """One prompt to learn from; `line` names the template it came from, for folds that keep a template together."""

    parts: Parts
    label: str
    line: str


def materials() -> dict[str, list[str]]:
    """Blocks of pasted text per kind."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"^@", (PHRASES / "materials.txt").read_text(), flags=re.MULTILINE)[1:]:
        kind, _, text = block.partition("\n")
        found.setdefault(kind.strip(), []).append(text.rstrip())
    return found


def examples() -> list[Example]:
    """The same every time: each line of the files a few times, and every sentence of prose as material."""
    pasted = materials()
    out = [
        Example(Parts(sentence.strip()), MATERIAL, f"material/{kind}/{i}")
        for kind in _LANGUAGE_KINDS
        for i, block in enumerate(pasted[kind])
        for sentence in _SENTENCE.split(block)
        if len(sentence.strip()) > 8
    ]
    for name, times in PER_LINE.items():
        out += of_templates(PHRASES / f"{name}.tsv", name, times, pasted)
    return out


def of_templates(file: pathlib.Path, name: str, times: int, pasted: dict[str, list[str]]) -> list[Example]:
    """Each line of a file of templates, filled a few times; the same every time."""
    out = []
    rows = [row for row in file.read_text().splitlines() if not row.startswith("#")]
    for number, row in enumerate(rows):
        label, template, *kinds = row.split("\t")
        chance = random.Random(f"{name}/{row}")  # noqa: S311  training text, not a secret
        texts = dict.fromkeys(filled(template, chance) for _ in range(times))
        out += [Example(_parts(text, kinds, pasted, chance), label, f"{name}/{number}") for text in texts]
    return out


def filled(template: str, chance: random.Random) -> str:
    """One reading of a line: a choice for each {a|b}; half of the plain Latin ones start with a large letter."""
    while _CHOICE.search(template):
        template = _CHOICE.sub(lambda m: chance.choice(m[1].split("|")), template, count=1)
    text = " ".join(template.split())
    text = re.sub(r"\s+([,.:;?!])", r"\1", text).strip(" ,")
    if chance.random() < 0.5:
        text = text[:1].upper() + text[1:]
    return mistyped(text, chance) if chance.random() < 0.12 else text


def mistyped(text: str, chance: random.Random) -> str:
    """One slip of the finger: two letters swapped, one dropped or doubled."""
    places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if not places:
        return text
    i = chance.choice(places)
    return chance.choice((text[:i] + text[i + 1] + text[i] + text[i + 2 :], text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:]))


def _parts(text: str, kinds: list[str], pasted: dict[str, list[str]], chance: random.Random) -> Parts:
    if not kinds:
        return Parts(text)
    kind = chance.choice(kinds[0].split())
    block = chance.choice(pasted[kind])
    return Parts(text, block, ("prose",) if kind in _LANGUAGE_KINDS else (kind,))


