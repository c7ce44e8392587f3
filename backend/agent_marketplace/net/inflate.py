"""Decompression with caps: of bodies that clients compress, and of providers that compress although identity was asked for."""

import importlib
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from agent_marketplace.net.errors import ProtocolError, TooLarge, Truncated

# The standard library's own from Python 3.14 on; before, the same module as a package.
zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

SUPPORTED = frozenset({"gzip", "x-gzip", "deflate", "zstd"})

_STEP = 65_536
_RATIO = 200  # JSON and event streams compress 5 to 30 times; zlib's limit is about 1,030, zstd has none
_RATIO_FROM = 1_048_576
_WINDOW_LOG = 23  # 8 MiB, the most that zstd may ask of its reader in HTTP (RFC 9659)


class _Stream(Protocol):
    """One compressed stream, as zlib and zstd have it alike."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Inflater:
    """One body: gzip or zstd, also of several members, or deflate, also without zlib's header. max_size: bytes of output."""

    def __init__(self, coding: str, max_size: int) -> None:
        self._coding = coding
        self._joined = coding != "deflate"
        self._max = max_size
        self._stream: _Stream | None = None
        self._in = 0
        self._out = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most 64 KiB. Raises TooLarge beyond the size or the ratio, ProtocolError on broken data."""
        self._in += len(data)
        full = False
        while data or full:
            if self._stream is None or (self._joined and self._stream.eof):
                self._stream = self._begun(data[0])
            try:
                piece = self._stream.decompress(data, _STEP)
            except (zlib.error, zstd.ZstdError):
                raise ProtocolError("the provider's compressed answer is broken") from None
            # zlib gives back what it has not come to yet; zstd keeps it.
            data = (
                self._stream.unused_data
                if self._stream.eof
                else getattr(self._stream, "unconsumed_tail", b"")
            )
            if self._stream.eof and data and not self._joined:
                raise ProtocolError("the provider's compressed answer is followed by something else")
            full = len(piece) == _STEP and not self._stream.eof
            self._count(len(piece))
            if piece:
                yield piece

    def finish(self) -> None:
        """Raises Truncated where the compressed data lacks its end."""
        if self._stream is not None and not self._stream.eof:
            raise Truncated("the provider's compressed answer is cut short")

    def _begun(self, first: int) -> _Stream:
        if self._coding == "zstd":
            found: _Stream = zstd.ZstdDecompressor(
                options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
            )
            return found
        if self._joined:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        return zlib.decompressobj(zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS)

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
