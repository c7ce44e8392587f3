"""Handles, slugs and names: what is taken for what. Source of the idea: Unicode TR 39 (skeletons); the table is our own."""

import re
import unicodedata

from agent_marketplace.errors import BadRequest

RESERVED = frozenset(
    {"admin", "administrator", "agent", "agents", "anthropic", "api", "billing", "deepseek", "google", "help", "marketplace",
     "meta", "microsoft", "mine", "mistral", "moderator", "official", "openai", "operator", "root", "security", "staff",
     "support", "system", "xai"}
)  # fmt: skip
OPERATOR = "operator"  # the handle of those that come with the product
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?!-)){0,38}[a-z0-9]")
# Letters of other scripts that look like Latin ones (by code point), and digits and signs that stand for letters.
_CYRILLIC = (0x430, 0x432, 0x435, 0x455, 0x456, 0x458, 0x43A, 0x43C, 0x43D, 0x43E,
             0x440, 0x441, 0x442, 0x443, 0x445, 0x4BB, 0x501, 0x51B, 0x51D)  # fmt: skip
_GREEK = (0x3B1, 0x3B2, 0x3B5, 0x3B9, 0x3BA, 0x3BD, 0x3BF, 0x3C1, 0x3C4, 0x3C5, 0x3C7)
_LETTERS = str.maketrans(
    dict(zip(map(chr, (*_CYRILLIC, *_GREEK, 0x131)), "abesijkmhopctyxhdqwabeikvoptuxi", strict=True))
)
_DIGITS = str.maketrans(dict(zip("013458|!$@", "oleasblisa", strict=True)))
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def slug(text: str, what: str) -> str:
    """A handle or slug as it was given. Raises BadRequest unless it is 2 to 40 of a-z, 0-9 and single dashes inside."""
    if not _SLUG.fullmatch(text):
        raise BadRequest(f"{what}: 2 to 40 of a-z, 0-9 and single dashes, not at an end")
    return text


def latin(text: str) -> str:
    """A text as it looks: small letters without marks, those of other scripts as the Latin ones they are taken for, and nothing that
    is not seen."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in folded if unicodedata.category(c) not in ("Mn", "Cf")).translate(_LETTERS)


def skeleton(text: str) -> str:
    """Names with the same skeleton can be taken for each other."""
    plain = "".join(c for c in latin(text) if c.isalnum() or c in "|!$@")
    plain = plain.translate(_DIGITS).replace("l", "i")
    for pair, single in _PAIRS:
        plain = plain.replace(pair.replace("l", "i"), single)
    return plain


_RESERVED_SKELETONS = frozenset(map(skeleton, RESERVED))


def reserved(text: str) -> bool:
    """Whether a name is, or looks like, one that nobody may take."""
    return skeleton(text) in _RESERVED_SKELETONS
