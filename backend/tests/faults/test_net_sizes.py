"""Answers that are too large, packed too well, or faster than their reader: one suite for both outbound clients."""

import asyncio
import contextlib
import gzip
import random
import zlib

import pytest

from agent_marketplace.net import errors
from agent_marketplace.net.inflate import Inflater
from tests.fakes.raw_http import Conn
from tests.fakes.world import CHUNKED, World, chunk, on_both_clients, pieces, until_gone


@pytest.mark.parametrize("fields", [b"x-a: " + b"a" * 100_000 + b"\r\n", b"x-a: 1\r\n" * 500, b"".join(
    b"x-%d: %s\r\n" % (i, b"a" * 3000) for i in range(40)
)])  # fmt: skip
@on_both_clients
async def test_a_huge_head(net: World, fields: bytes) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(b"HTTP/1.1 200 OK\r\n", fields, b"content-length: 10\r\n\r\n")
        await conn.until_gone()

    server = await net.serve(script)
    with pytest.raises(errors.TooLarge):
        await net.send(server.url())
    await until_gone(server)


@on_both_clients
async def test_a_body_over_its_cap(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED)
        with contextlib.suppress(ConnectionError):
            while True:
                await conn.send(chunk(bytes(65_536)))
        conn.gone.set()

    server = await net.serve(script)
    got: list[bytes] = []
    with pytest.raises(errors.TooLarge):
        await pieces(await net.send(server.url(), max_body=1_000_000), got)
    assert sum(map(len, got)) <= 1_000_000
    await until_gone(server)


@on_both_clients
async def test_read_with_a_limit_closes_the_socket(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(b"HTTP/1.1 500 Oh\r\ncontent-length: 1000000\r\n\r\n", bytes(5000))
        await conn.until_gone()

    server = await net.serve(script)
    with pytest.raises(errors.TooLarge):
        await (await net.send(server.url())).read(1000)
    await until_gone(server)


@on_both_clients
async def test_a_head_without_end(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(b"HTTP/1.1 200 OK\r\nx-a: ", b"a" * 300_000)
        await conn.until_gone()

    server = await net.serve(script)
    with pytest.raises(errors.TooLarge):
        await net.send(server.url())
    await until_gone(server)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@on_both_clients
async def test_a_compressed_answer_is_read_all_the_same(net: World, coding: str) -> None:
    plain = b'{"usage": {"total_tokens": 3}}' * 3000
    packed = (
        gzip.compress(plain[:100]) + gzip.compress(plain[100:]) if coding == "gzip" else zlib.compress(plain)
    )

    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer(packed, "200 OK", f"content-encoding: {coding}")
        await conn.request()
        await conn.answer(packed[:-4], "200 OK", f"content-encoding: {coding}")
        await conn.request()
        await conn.answer(b"\x1f\x8b\x08broken" * 10, "200 OK", f"content-encoding: {coding}")

    server = await net.serve(script)
    response = await net.send(server.url())
    assert await response.read(len(plain)) == plain
    assert "content-encoding" not in response.headers
    assert "content-length" not in response.headers
    with pytest.raises(errors.Truncated):
        await (await net.send(server.url())).read(len(plain))
    with pytest.raises(errors.ProtocolError):
        await (await net.send(server.url())).read(len(plain))


@pytest.mark.parametrize("wbits", [31, 15, -15], ids=["gzip", "zlib", "raw deflate"])
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 131_072])
def test_compressed_bytes_that_come_one_by_one_are_inflated_whole(wbits: int, size: int) -> None:
    plain = random.Random(size).randbytes(size // 2) + bytes(size - size // 2)
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(plain) + packer.flush()
    for step in (1, len(packed)):
        inflater = Inflater("gzip" if wbits > 15 else "deflate", 1_000_000)
        got = b"".join(
            out for at in range(0, len(packed), step) for out in inflater.feed(packed[at : at + step])
        )
        inflater.finish()
        assert got == plain


@on_both_clients
async def test_what_follows_a_compressed_answer_is_not_taken_for_a_part_of_it(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer(zlib.compress(b"answer") + b"more", "200 OK", "content-encoding: deflate")

    server = await net.serve(script)
    with pytest.raises(errors.ProtocolError):
        await (await net.send(server.url())).read(100)


@on_both_clients
async def test_a_decompression_bomb_ends_small(net: World) -> None:
    bomb = gzip.compress(bytes(64_000_000), 9)

    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer(bomb, "200 OK", "content-encoding: gzip")

    server = await net.serve(script)
    got: list[bytes] = []
    with pytest.raises(errors.TooLarge):
        await pieces(await net.send(server.url()), got)
    assert max(map(len, got)) <= 65_536
    assert sum(map(len, got)) < 16_000_000


@on_both_clients
async def test_a_fast_provider_and_a_reader_that_stands_still_stay_bounded(net: World) -> None:
    sent = 0

    async def script(conn: Conn) -> None:
        nonlocal sent
        await conn.request()
        await conn.send(CHUNKED)
        piece = chunk(bytes(65_536))
        conn.writer.transport.set_write_buffer_limits(high=0)
        with contextlib.suppress(ConnectionError):
            while True:
                await conn.send(piece)
                sent += len(piece)
        conn.gone.set()

    server = await net.serve(script)
    response = await net.send(server.url(), max_body=1 << 40)
    await anext(response.chunks())
    before = -1
    while before != sent:  # until nothing moves any more: the kernel's buffers are full
        before = sent
        await asyncio.sleep(0.1)
    assert sent < 32_000_000
    response.cancel()
    await until_gone(server)
