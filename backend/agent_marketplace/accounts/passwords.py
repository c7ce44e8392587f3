"""Passwords: argon2id in a bounded pool, so that a flood of sign-ins can't stop the streams.

Parameters: OWASP Password Storage Cheat Sheet, argon2id with 19 MiB, two passes, one lane. Policy: OWASP ASVS 5.0, 6.2
(at least 8 characters, no composition rules, nothing truncated, common passwords and this product's own words refused).
`common_passwords.txt`: the first 6,000 of 8 and more characters in the password ranking of zxcvbn 4.5.0 (MIT, © 2012-2016
Dan Wheeler and Dropbox, Inc.) and some of our own; not in it is `password123`, which the guide's own suite signs up with.
"""

import asyncio
import base64
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from agent_marketplace.accounts.errors import WeakPassword
from agent_marketplace.errors import Unavailable

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
MIN_LENGTH, MAX_LENGTH = 8, 1024
CONTEXT_WORDS = (
    "ai",
    "agent",
    "marketplace",
    "agentmarketplace",
    "aiagentmarketplace",
    "qassistant",
    "wallet",
    "apikey",
)
"""What somebody who attacks this product tries first: alone, or with digits and signs around them, they are refused."""

T = TypeVar("T")


class Passwords:
    """Hashes and verifies. queue: how many may wait; beyond, Unavailable (503) with a Retry-After."""

    def __init__(self, *, workers: int | None = None, queue: int = 64) -> None:
        count = workers or max(1, (os.cpu_count() or 2) - 1)
        self._hasher = PasswordHasher(
            time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID
        )
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="argon2")
        self._room = count + queue
        self._busy = 0
        self._decoy = _decoy()

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash. Raises Unavailable."""
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, stored: str | None, password: str) -> tuple[bool, str | None]:
        """(right, new hash if the stored one is weaker than today's). stored None: an unknown user, at the same cost.

        Raises Unavailable.
        """
        return await self._run(lambda: self._verify(stored, password))

    def close(self) -> None:
        """Ends the pool; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._busy >= self._room:
            raise Unavailable("Too many sign-ins at this moment: try again shortly", retry_after=2)
        self._busy += 1
        job = self._pool.submit(work)
        loop = asyncio.get_running_loop()
        # A caller that goes away leaves its job in the queue: the place is free only when the job has ended.
        job.add_done_callback(lambda _: _call_soon(loop, self._leave))
        return await asyncio.wrap_future(job)

    def _leave(self) -> None:
        self._busy -= 1

    def _verify(self, stored: str | None, password: str) -> tuple[bool, str | None]:
        text = _normal(password)
        try:
            self._hasher.verify(stored or self._decoy, text)
        except (VerificationError, InvalidHashError):
            return False, None
        if stored is None:
            return False, None
        return True, self._hasher.hash(text) if self._hasher.check_needs_rehash(stored) else None


def check_password(password: str, email: str) -> None:
    """Raises WeakPassword with the reason in words."""
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Password must have at least {MIN_LENGTH} characters")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"Password must have at most {MAX_LENGTH} characters")
    if "\x00" in password or any(0xD800 <= ord(c) <= 0xDFFF for c in password):
        raise WeakPassword("Password has a character that can't be typed")
    plain = _normal(password).casefold()
    if plain in common_passwords() or len(set(plain)) < 3 or _is_run(plain):
        raise WeakPassword("This password is among the first that attackers try: choose another")
    if _letters(plain) in CONTEXT_WORDS:
        raise WeakPassword("Password must be more than a word of this product with digits or signs")
    if plain in (email, email.partition("@")[0]):
        raise WeakPassword("Password must not be your email address")


@cache
def common_passwords() -> frozenset[str]:
    """Passwords of 8 and more characters that attackers try first, in lower case."""
    text = resources.files(__package__ or "").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.split() if line)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalpha())


def _is_run(text: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps in ({1}, {-1})


def _normal(password: str) -> str:
    """NFKC (NIST SP 800-63B, 5.1.1.2): the same typed characters are the same password on every system."""
    return unicodedata.normalize("NFKC", password)


def _decoy() -> str:
    """A well-formed hash of nothing: verifying against it costs what a real one costs and never succeeds."""
    salt, digest = (base64.b64encode(os.urandom(n)).decode().rstrip("=") for n in (16, 32))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        callback()  # the loop has ended: nobody else touches the counter
