"""Identifiers: random, URL-safe, prefixed by what they name (`req_…`, `conv_…`); users get a UUID as in the guide."""

import os
import threading
import time
import uuid
from itertools import product

_DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"
_THREE = tuple(bytes(digits).decode() for digits in product(_DIGITS, repeat=3))
_RANDOM_CHARACTERS = 15
_FIVE_BITS = bytes(
    _DIGITS[byte & 31] for byte in range(256)
)  # every byte to one of 32 characters, all equally likely
_DRAWN_AT_ONCE = 4095


class _Source(threading.local):
    """Operating-system randomness, drawn in pages, and the last millisecond as text: both show in the profile of a call."""

    def __init__(self) -> None:
        self._page = ""
        self._place = 0
        self._at = -1
        self._time = ""

    def random(self) -> str:
        start = self._place
        if start == len(self._page):
            self._page, start = os.urandom(_DRAWN_AT_ONCE).translate(_FIVE_BITS).decode(), 0
        self._place = start + _RANDOM_CHARACTERS
        return self._page[start : self._place]

    def time(self) -> str:
        now = time.time_ns() // 1_000_000
        if now != self._at:
            self._at, self._time = now, _base36(now, 9)
        return self._time


_source = _Source()


def _base36(value: int, width: int) -> str:
    """width: a multiple of three."""
    text = ""
    while len(text) < width:
        value, rest = divmod(value, 36**3)
        text = _THREE[rest] + text
    return text


def new_id(prefix: str) -> str:
    """`prefix_` + 9 base-36 characters of time (ms, so ids sort by age) + 15 random ones of 32 kinds (75 bits)."""
    return f"{prefix}_{_source.time()}{_source.random()}"


def new_user_id() -> str:
    """A random UUID (the guide's `user_id`)."""
    return str(uuid.uuid4())
