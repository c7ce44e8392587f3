"""Identifiers: random, URL-safe, prefixed by what they name (`req_…`, `conv_…`); users get a UUID as in the guide."""

import os
import threading
import time
import uuid

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES = 9
_DRAWN_AT_ONCE = 4096


class _Randomness(threading.local):
    """Operating-system randomness, drawn in pages: a system call for each id shows in the profile."""

    def __init__(self) -> None:
        self._page = b""
        self._place = 0

    def bits(self) -> int:
        if self._place + _RANDOM_BYTES > len(self._page):
            self._page, self._place = os.urandom(_DRAWN_AT_ONCE), 0
        piece = self._page[self._place : self._place + _RANDOM_BYTES]
        self._place += _RANDOM_BYTES
        return int.from_bytes(piece)


_randomness = _Randomness()


def _base36(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 36)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def new_id(prefix: str) -> str:
    """`prefix_` + 9 characters of time (ms, so ids sort by age) + 14 random base-36 characters (72 bits)."""
    return f"{prefix}_{_base36(time.time_ns() // 1_000_000, 9)}{_base36(_randomness.bits(), 14)}"


def new_user_id() -> str:
    """A random UUID (the guide's `user_id`)."""
    return str(uuid.uuid4())
