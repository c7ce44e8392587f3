"""Bodies are looked over in slices while they arrive, before anything decodes them.

A decoder keeps the interpreter's lock for as long as it runs, in a thread too: what has a million parts stops every other caller
for seconds. What costs time is the number of parts and not of bytes, so those are counted, outside of strings, and a body with
more than any real request has is refused. A text or a picture of 30 MB is one part.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from agent_marketplace.api.asgi import Message, Receive
from agent_marketplace.errors import PayloadTooLarge

T = TypeVar("T")
SMALL = 65_536
_SLICE = 65_536
# Possessive: what has no closing quote is not gone through again from its end.
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_STRING = re.compile(b'"' + _REST_OF_STRING.pattern, re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True, slots=True)
class Most:
    """What a body may have. containers: arrays and objects; names: of objects' fields; values: parted by commas."""

    size: int
    containers: int
    names: int
    values: int
    depth: int


PROMPT = Most(size=33_554_432, containers=20_000, names=60_000, values=400_000, depth=128)
"""Prompts, tools, schemas, token lists: OpenAI takes 300,000 tokens in one request for embeddings."""
FORM = Most(size=2_097_152, containers=2_000, names=4_000, values=10_000, depth=64)
"""Everything else."""


class Screen:
    """Reads a JSON text in pieces of any size and raises PayloadTooLarge once it has more of something than is allowed."""

    def __init__(self, most: Most) -> None:
        self._most = most
        self._size = self._containers = self._names = self._values = self._depth = 0
        self._in_string = False
        self._carried = b""

    def feed(self, piece: bytes) -> None:
        """Takes at most 64 KiB of the text: a slice costs about a millisecond."""
        self._size += len(piece)
        self._over(self._size, self._most.size, "bytes")
        bare = self._outside_strings(self._carried + piece)
        opened = bare.count(b"[") + bare.count(b"{")
        self._containers += opened
        self._names += bare.count(b":")
        self._values += bare.count(b",")
        self._over(self._containers, self._most.containers, "arrays and objects")
        self._over(self._names, self._most.names, "named fields")
        self._over(self._values, self._most.values, "values")
        self._deepen(bare, opened)

    def _outside_strings(self, data: bytes) -> bytes:
        self._carried = b""
        start = 0
        if self._in_string:
            end = _REST_OF_STRING.match(data)
            if end is None:
                self._carry(data)
                return b""
            self._in_string, start = False, end.end()
        bare, quote, open_string = _STRING.sub(b"", data[start:]).partition(b'"')
        if quote:
            self._in_string = True
            self._carry(open_string)
        return bare

    def _carry(self, string: bytes) -> None:
        """A backslash at the end belongs to what comes next."""
        if (len(string) - len(string.rstrip(b"\\"))) % 2:
            self._carried = b"\\"

    def _deepen(self, bare: bytes, opened: int) -> None:
        if self._depth + opened > self._most.depth:  # perhaps: only then is it worth looking at each of them
            steps = (1 if byte in b"[{" else -1 for byte in bare.translate(None, _NOT_BRACKETS))
            deepest = max(accumulate(steps, initial=self._depth))
            self._over(deepest, self._most.depth, "levels of nesting")
        self._depth += opened - bare.count(b"]") - bare.count(b"}")

    def _over(self, count: int, most: int, what: str) -> None:
        if count > most:
            raise PayloadTooLarge(f"the body has more than {most} {what}")


async def aside(size: int, work: Callable[[], T]) -> T:
    """Does what takes time with the size of a body (bytes): of a large one in a thread, so that others go on in between."""
    return await asyncio.to_thread(work) if size > SMALL else work()


def screened(receive: Receive, most: Most) -> Receive:
    """`receive` whose body is looked over. Between slices everybody else has a turn."""
    screen = Screen(most)

    async def looked_over() -> Message:
        message = await receive()
        body: bytes = message.get("body", b"")
        for start in range(0, len(body), _SLICE):
            screen.feed(body[start : start + _SLICE])
            if len(body) > _SLICE:
                await asyncio.sleep(0)
        return message

    return looked_over
