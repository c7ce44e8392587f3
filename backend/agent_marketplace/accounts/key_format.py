"""The form of marketplace keys: `sk-aam-`, 32 random base-62 characters, 6 of a CRC-32 over all before.

The prefix and checksum (GitHub's token format of 2021) let scanners find leaked keys without false alarms, and let the
server refuse a mistyped key without a look at the database. 32 characters are 190 random bits.
"""

import hashlib
import hmac
import re
import secrets
import zlib

PREFIX = "sk-aam-"
PATTERN = r"\bsk-aam-[0-9A-Za-z]{38}\b"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"sk-aam-[0-9A-Za-z]{38}")


def new_key() -> str:
    """A fresh key."""
    body = PREFIX + "".join(secrets.choice(_BASE62) for _ in range(32))
    return body + _checksum(body)


def is_key(text: str) -> bool:
    """Whether the form and the checksum are right."""
    return _FORM.fullmatch(text) is not None and hmac.compare_digest(_checksum(text[:-6]), text[-6:])


def digest(pepper: bytes, purpose: str, text: str) -> str:
    """HMAC-SHA256 in hex, what the database holds in the place of a key, code, e-mail or network address."""
    return hmac.new(pepper, f"{purpose}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _checksum(text: str) -> str:
    value, digits = zlib.crc32(text.encode("ascii")), ""
    for _ in range(6):
        value, rest = divmod(value, 62)
        digits = _BASE62[rest] + digits
    return digits
