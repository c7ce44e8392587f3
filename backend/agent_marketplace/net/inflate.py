"""Decompression with caps, for providers that compress although identity was asked for."""

import zlib
from collections.abc import AsyncIterator, Iterator

from agent_marketplace.net.errors import ProtocolError, TooLarge, Truncated

SUPPORTED = frozenset({"gzip", "x-gzip", "deflate"})

_STEP = 65_536
_RATIO = 200  # JSON and event streams compress 5 to 30 times; zlib's limit is about 1,030
_RATIO_FROM = 1_048_576


class Inflater:
    """One body: gzip, also of several members, or deflate, also without zlib's header. max_size: bytes of output."""

    def __init__(self, coding: str, max_size: int) -> None:
        self._gzip = coding != "deflate"
        self._max = max_size
        self._stream: zlib._Decompress | None = None
        self._in = 0
        self._out = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most 64 KiB. Raises TooLarge beyond the size or the ratio, ProtocolError on broken data."""
        self._in += len(data)
        full = False
        while data or full:
            if self._stream is None or (self._gzip and self._stream.eof):
                self._stream = zlib.decompressobj(self._window(data[0]))
            try:
                piece = self._stream.decompress(data, _STEP)
            except zlib.error:
                raise ProtocolError("the provider's compressed answer is broken") from None
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if self._stream.eof and data and not self._gzip:
                raise ProtocolError("the provider's compressed answer is followed by something else")
            full = len(piece) == _STEP and not self._stream.eof
            self._count(len(piece))
            if piece:
                yield piece

    def finish(self) -> None:
        """Raises Truncated where the compressed data lacks its end."""
        if self._stream is not None and not self._stream.eof:
            raise Truncated("the provider's compressed answer is cut short")

    def _window(self, first: int) -> int:
        if self._gzip:
            return 16 + zlib.MAX_WBITS
        return zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS

    def _count(self, size: int) -> None:
        self._out += size
        if self._out > self._max or (self._out > _RATIO_FROM and self._out > _RATIO * self._in):
            raise TooLarge("the provider's answer is too large once decompressed")


async def inflated(pieces: AsyncIterator[bytes], coding: str, max_size: int) -> AsyncIterator[bytes]:
    """The decompressed pieces. Raises as Inflater does, and whatever `pieces` raises."""
    inflater = Inflater(coding, max_size)
    async for piece in pieces:
        for out in inflater.feed(piece):
            yield out
    inflater.finish()
