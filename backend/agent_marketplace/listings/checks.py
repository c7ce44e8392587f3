"""What is looked at before a version is offered: secrets in its texts, near copies of others. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from agent_marketplace import json
from agent_marketplace.listings.names import latin
from agent_marketplace.listings.spec import Spec

SKETCH = (
    256  # smallest hashes kept of a text: a bottom-k sketch (Broder, 1997) estimates how much two texts share
)
NEAR = 50  # per cent of shingles in common, of the shorter text, that a person looks at
_FEWEST = 20  # shingles: of shorter texts only what is the same says something
_GRAM = 5  # words
_SECRETS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")),
    ("an API key", re.compile(r"\b(?:sk|pk|rk)-(?:[a-z]{2,10}-){0,2}[A-Za-z0-9_-]{20,}")),
    ("a payment key", re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("an AWS key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")),
    ("a Google key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{30,}")),
    ("a webhook's secret", re.compile(r"\bwhsec_[A-Za-z0-9+/=]{16,}")),
    ("a SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")),
    ("a bot's token", re.compile(r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b")),
    ("a Google token", re.compile(r"\b(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})")),
    ("a token in a header", re.compile(r"(?i)\bauthorization\s*:\s*(?:bearer|basic|token)\s+[A-Za-z0-9+/=._-]{16,}")),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s/:@]{1,64}:[^\s/@]{3,64}@[A-Za-z0-9]")),
    ("a password", re.compile(r"(?i)\b(?:password|passwd|secret|api[_-]?key|token)\s*[:=]\s*['\"]?[A-Za-z0-9+/_-]{16,}")),
)  # fmt: skip


def texts_of(spec: Spec) -> Iterable[tuple[str, str]]:
    """(where, text) of everything in a version that somebody wrote."""
    yield "instructions", spec.instructions
    yield "name", spec.name
    yield "summary", spec.summary
    yield "description", spec.description
    yield from (("starters", text) for text in spec.starters)
    yield from (("examples", text) for example in spec.examples for text in (example.input, *example.expects))
    yield "parameters", json.encode(spec.parameters).decode()
    yield "output_schema", json.encode(spec.output_schema).decode()


def secrets_in(spec: Spec) -> list[str]:
    """Each secret that a version seems to hold, in words that do not repeat it. What is not seen hides none."""
    return [
        f"{where}: this looks like {what}"
        for where, text in texts_of(spec)
        for seen in ("".join(c for c in text if unicodedata.category(c) != "Cf"),)
        for what, pattern in _SECRETS
        if pattern.search(seen)
    ]


def sketch(spec: Spec) -> list[int]:
    """The smallest hashes of the five-word shingles of its instructions and description, as they look: texts can't be read from
    them."""
    words = re.findall(r"\w+", latin(f"{spec.instructions} {spec.description}"))
    grams = {" ".join(words[i : i + _GRAM]) for i in range(len(words) - _GRAM + 1)}
    hashes = sorted(int.from_bytes(hashlib.blake2b(g.encode(), digest_size=6).digest()) for g in grams)
    return hashes[:SKETCH]


def shared(one: list[int], other: list[int]) -> int:
    """Per cent of the shorter text's shingles that the other has too, as their sketches say."""
    if min(len(one), len(other)) < _FEWEST:
        return 100 if one and one == other else 0
    bound = min(one[-1] if len(one) == SKETCH else 1 << 48, other[-1] if len(other) == SKETCH else 1 << 48)
    a, b = {h for h in one if h <= bound}, {h for h in other if h <= bound}
    return 100 * len(a & b) // max(min(len(a), len(b)), 1)
