"""The first content has a time of its own, longer than a pause and longer than any ping can make it; the same on both clients."""

import asyncio
from dataclasses import replace

import pytest

from agent_marketplace.net import errors
from tests.fakes.raw_http import Conn
from tests.fakes.world import CHUNKED, FAST, SOON, World, chunk, on_both_clients, until_gone


@on_both_clients
async def test_a_stream_that_has_opened_may_think_longer_than_it_may_pause(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED)
        await asyncio.sleep(0.6)
        await conn.send(chunk(b"one"))
        await conn.until_gone()

    server = await net.serve(script)
    response = await net.send(server.url(), timeouts=replace(FAST, first_content_s=5.0))
    stream = response.chunks()
    assert await anext(stream) == b"one"
    response.begun()
    with pytest.raises(errors.IdleTimeout):
        await asyncio.wait_for(anext(stream), 3)
    await until_gone(server)


@on_both_clients
async def test_pings_do_not_put_off_the_time_for_the_first_content(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED)
        while True:
            await conn.send(chunk(b": ping\n\n"))
            await asyncio.sleep(0.02)

    server = await net.serve(script)
    with pytest.raises(errors.IdleTimeout):
        await (await net.send(server.url(), timeouts=replace(SOON, first_content_s=0.4))).read(10_000)
    await until_gone(server)
