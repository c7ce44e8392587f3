"""Answers that leave before their request has come whole, as refusals do."""

import asyncio

from tests.fakes.guarded import Guarded, status_of
from tests.faults.test_net_guard import serve


def test_a_connection_answered_before_its_body_came_is_not_kept_for_ever() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n")
        assert await status_of(reader) == 401
        await reader.readuntil(b"0\r\n\r\n")
        (guard,) = it.guards
        writer.write(b"hello")
        async with asyncio.timeout(5):
            while guard._body_due is not None:
                await asyncio.sleep(0)
        guard.sweep(asyncio.get_running_loop().time() + 3600)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()

    serve(test)
