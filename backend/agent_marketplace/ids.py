"""Identifiers: random, URL-safe, prefixed by what they name (`req_…`, `conv_…`); users get a UUID as in the guide."""

import secrets
import time
import uuid

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def _base36(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 36)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def new_id(prefix: str) -> str:
    """`prefix_` + 9 characters of time (ms, so ids sort by age) + 14 random base-36 characters (72 bits)."""
    return f"{prefix}_{_base36(time.time_ns() // 1_000_000, 9)}{_base36(secrets.randbits(72), 14)}"


def new_user_id() -> str:
    """A random UUID (the guide's `user_id`)."""
    return str(uuid.uuid4())
