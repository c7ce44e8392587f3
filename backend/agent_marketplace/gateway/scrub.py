"""A provider's words without the credential that was sent to it: whole, in part, or encoded once more.

Patterns of keys are masked where the words are read (`wires.shared.failures.redact`); here the very credential of this call is known.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from agent_marketplace.wires.base import UpstreamFailure

PIECE = 8
"""So many characters of a credential in a row are never repeated."""
MASK = "[redacted]"
_SHORTEST = 4
_CREDENTIAL_HEADER = re.compile(r"authorization|key|token|secret", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}")
_ESCAPED = re.compile(r"\\u00([0-9A-Fa-f]{2})")


def scrub(words: str, headers: Mapping[str, str]) -> str:
    """The words, what they repeat of a credential in `headers` masked, and `impersonal`; "" where they hold one encoded."""
    for name, value in headers.items():
        if _CREDENTIAL_HEADER.search(name):
            secret = value.partition(" ")[2] or value  # without the scheme
            if len(secret) < _SHORTEST:  # "x", "none": what stands in for a key where none is needed
                continue
            words = _masked(words, _pieces(secret))
            if any(_holds(text, secret) for text in _readings(words)):
                return ""
    return impersonal(words)


def scrubbed(failure: UpstreamFailure, headers: Mapping[str, str]) -> UpstreamFailure:
    """The failure in words that may be shown; where they can't be, the class's own."""
    words = scrub(failure.words, headers) or failure.kind.value.replace("_", " ")
    return UpstreamFailure(failure.kind, words, status=failure.status, retry_after=failure.retry_after)


def _pieces(secret: str) -> frozenset[str]:
    text = secret.casefold()
    return frozenset(text[i : i + PIECE] for i in range(max(1, len(text) - PIECE + 1)) if text)


def _masked(words: str, pieces: frozenset[str]) -> str:
    plain = words.casefold()
    if len(plain) != len(words):  # places would not agree
        return "" if any(piece in plain for piece in pieces) else words
    size = min(map(len, pieces), default=PIECE)
    hit = bytearray(len(words))
    for i in range(len(plain) - size + 1):
        if plain[i : i + size] in pieces:
            hit[i : i + size] = b"\x01" * size
    out: list[str] = []
    for i, character in enumerate(words):
        if not hit[i]:
            out.append(character)
        elif i == 0 or not hit[i - 1]:
            out.append(MASK)
    return "".join(out)


def _holds(text: str, secret: str) -> bool:
    """Whether a piece of the secret is in the text, whatever stands between its letters and digits."""
    bare = _bare(text)
    return any(piece in bare for piece in _pieces(_bare(secret)))


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _readings(words: str) -> Iterator[str]:
    """What the words may say to somebody who decodes them."""
    yield words.replace(MASK, " ")
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), html.unescape(unquote(unquote(words))))
    yield plain
    for match in _HEX.finditer(plain):
        yield bytes.fromhex(match[0]).decode("latin-1")
    for match in _BASE64.finditer(plain):
        for skipped in range(4):  # cut out of a longer text, it may begin in the middle of a group
            text = match[0][skipped:].replace("-", "+").replace("_", "/")
            try:
                yield base64.b64decode(text[: len(text) // 4 * 4]).decode("latin-1")
            except binascii.Error:
                continue


# What a provider's words tell of whoever pays there, and of the machines it runs on. The kind of thing is named, the thing is not.
_ACCOUNT = re.compile(
    r"\b(?:org|proj|project|user|acct|account|team|ws|workspace|cus|sub|ten|tenant)[-_](?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{4,}"
    r"|(?<=projects/)[A-Za-z0-9_-]{3,}|(?<=organizations/)[A-Za-z0-9_-]{3,}|(?<=accounts/)[A-Za-z0-9_-]{3,}"
    r"|(?<=subscriptions/)[A-Za-z0-9_-]{3,}"
    r"|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"
)
_NUMBERED = re.compile(
    r"(?i)\b(organi[sz]ations?|org|projects?|accounts?|users?|customers?|teams?|tenants?|workspaces?|consumer|subscriptions?)"
    r"((?:\s+(?:id|number|no\.?|name))?\s*[:=#]?\s*[`'\"“(]?)"
    r"((?=[A-Za-z0-9_.:/-]*\d)(?!\d{1,4}\b)[A-Za-z0-9][A-Za-z0-9_.:/-]{3,})"
)
_MONEY = re.compile(
    r"(?i)\b(balance|credits?|spend(?:ing)?(?: limit)?|budget)(\s*(?:of|is|:|=)?\s*)-?[$€£]?\s?-?\d[\d,.]*"
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_HOST = re.compile(
    r"(?i)(?:\bhttps?://)?(?<![\w.])(?:"
    r"(?:\d{1,3}\.){3}\d{1,3}"
    r"|\[[0-9a-f:.]*::[0-9a-f:.]*(?:%\w+)?\]|(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}|[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*::[0-9a-f:]*"
    r"|(?:[a-z0-9-]+\.)+(?:internal|local|localdomain|lan|corp|intranet|svc|cluster)(?:\.[a-z0-9-]+)*"
    r"|localhost|ip-\d+(?:-\d+){3}[a-z0-9.-]*"
    r")(?::\d{1,5})?(?:/[^\s,;'\"`)]*)?"
)
_PATH = re.compile(r"(?<![\w:/.\]])(?:/(?:[\w.@+-]+/)+[\w.@+-]+(?::\d+)?|[A-Z]:\\[^\s'\"]+)")
_OPEN_PATHS = ("/v1/", "/v1beta/", "/docs/", "/api/")


def impersonal(words: str) -> str:
    """The words without the operator's account (ids, e-mail, balance) and without a provider's inner hosts and paths."""
    words = _MAIL.sub("[address]", words)
    words = _ACCOUNT.sub("[account]", words)
    words = _NUMBERED.sub(lambda m: f"{m[1]}{m[2]}[account]", words)
    words = _MONEY.sub(lambda m: f"{m[1]}{m[2]}[amount]", words)
    words = _HOST.sub("[host]", words)
    return _PATH.sub(lambda m: m[0] if m[0].startswith(_OPEN_PATHS) else "[path]", words)
