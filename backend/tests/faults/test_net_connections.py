"""Which connection carries which call, who may end it, and what may go out on it: one suite for both outbound clients."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from agent_marketplace.net import errors
from agent_marketplace.net.http import OutboundResponse, Timeouts
from tests.fakes.raw_http import Conn
from tests.fakes.tls import contexts
from tests.fakes.world import CHUNKED, FAST, World, chunk, on_both_clients, pieces, until_gone, wait_for_ever

# --- the pool ------------------------------------------------------------------------------------------------------


@on_both_clients
async def test_a_connection_is_used_again(net: World) -> None:
    async def script(conn: Conn) -> None:
        while True:
            await conn.request()
            await conn.answer()

    server = await net.serve(script)
    for _ in range(5):
        assert await (await net.send(server.url())).read(10) == b"ok"
    assert len(server.conns) == 1


@on_both_clients
async def test_a_connection_that_the_provider_closed_while_idle_is_not_used(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer()
        conn.fin()

    server = await net.serve(script)
    for i in range(5):
        assert await (await net.send(server.url())).read(10) == b"ok"
        await until_gone(server, i)
        await asyncio.sleep(0.02)
    assert len(server.conns) == 5


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen", b"x"])
@on_both_clients
async def test_a_second_answer_in_the_same_read_never_reaches_the_next_caller(
    net: World, extra: bytes
) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", extra)
        await conn.request()
        await conn.answer(b"desync")

    server = await net.serve(script)
    for _ in range(3):
        with contextlib.suppress(errors.ProtocolError):
            assert await (await net.send(server.url())).read(10) == b"ok"
        await asyncio.sleep(0.02)
    assert len(server.conns) == 3


@on_both_clients
async def test_bytes_on_an_idle_connection_never_reach_the_next_caller(net: World) -> None:
    speak = asyncio.Event()
    spoken = asyncio.Event()

    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer()
        await speak.wait()
        await conn.answer(b"stolen")
        spoken.set()
        await conn.request()
        await conn.answer(b"desync")

    server = await net.serve(script)
    assert await (await net.send(server.url())).read(10) == b"ok"
    speak.set()
    await spoken.wait()
    await asyncio.sleep(0.05)
    assert await (await net.send(server.url())).read(10) == b"ok"
    assert len(server.conns) == 2


@on_both_clients
async def test_connection_close_is_obeyed(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer(b"ok", "200 OK", "Connection: close")
        await conn.until_gone()

    server = await net.serve(script)
    for _ in range(3):
        assert await (await net.send(server.url())).read(10) == b"ok"
    assert len(server.conns) == 3


@on_both_clients
async def test_two_names_at_one_address_share_no_connection_over_tls_and_each_proves_its_name(
    net: World,
) -> None:
    async def script(conn: Conn) -> None:
        while True:
            request = await conn.request()
            await conn.answer(request.headers["host"].encode())

    server_tls, client_tls = contexts("provider.test")
    net.open(client_tls)
    net.names = {"provider.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}
    server = await net.serve(script, server_tls)
    for _ in range(2):
        host = f"provider.test:{server.port}"
        assert await (await net.send(server.url(host="provider.test"))).read(100) == host.encode()
    with pytest.raises(errors.TlsFailed) as caught:
        await net.send(server.url(host="other.test"))
    assert not caught.value.sent
    with pytest.raises(errors.TlsFailed):
        await net.send(server.url())
    assert len([conn for conn in server.conns if not conn.gone.is_set()]) == 1


@on_both_clients
async def test_a_certificate_nobody_vouches_for_is_refused(net: World) -> None:
    server_tls, _ = contexts("provider.test")
    _, other_client = contexts("provider.test")
    net.open(other_client)
    net.names = {"provider.test": ["127.0.0.1"]}
    server = await net.serve(wait_for_ever, server_tls)
    with pytest.raises(errors.TlsFailed):
        await net.send(server.url(host="provider.test"))


@on_both_clients
async def test_a_server_without_tls_behind_https(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.reader.read(100)
        await conn.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        conn.fin()

    server = await net.serve(script)
    with pytest.raises((errors.TlsFailed, errors.ConnectFailed)) as caught:
        await net.send(server.url().replace("http:", "https:"))
    assert not caught.value.sent


@on_both_clients
async def test_the_number_of_connections_to_a_host_is_bounded(net: World) -> None:
    release = asyncio.Event()

    async def script(conn: Conn) -> None:
        while True:
            await conn.request()
            await release.wait()
            await conn.answer()

    net.open(per_host=3)
    server = await net.serve(script)
    calls = [asyncio.create_task(net.send(server.url())) for _ in range(8)]
    while len(server.conns) < 3:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert len(server.conns) == 3
    calls[-1].cancel()
    release.set()
    for call in calls[:-1]:
        assert await (await call).read(10) == b"ok"
    assert len(server.conns) == 3


@on_both_clients
async def test_a_caller_without_a_turn_is_told_so_in_time(net: World) -> None:
    net.open(per_host=1)
    server = await net.serve(wait_for_ever)
    first = asyncio.create_task(net.send(server.url()))
    while not server.conns:
        await asyncio.sleep(0.01)
    with pytest.raises(errors.ConnectFailed):
        await net.send(server.url(), timeouts=Timeouts(0.2, 5, 5, 5))
    first.cancel()
    await until_gone(server)


@on_both_clients
async def test_an_idle_connection_is_closed_after_a_while(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer()

    net.open(keep_alive_s=0.2)
    server = await net.serve(script)
    await (await net.send(server.url())).read(10)
    async with asyncio.timeout(5):
        await server.conns[0].gone.wait()


# --- cancelling ----------------------------------------------------------------------------------------------------


@on_both_clients
async def test_cancelling_before_the_head_closes_the_socket_at_once(net: World) -> None:
    server = await net.serve(wait_for_ever)
    call = asyncio.create_task(net.send(server.url()))
    while not server.conns:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until_gone(server)


async def _endless(conn: Conn) -> None:
    await conn.request()
    await conn.send(CHUNKED, chunk(b"first"))
    with contextlib.suppress(ConnectionError):
        while True:
            await conn.send(chunk(b"x" * 1000))
            await asyncio.sleep(0.01)
    conn.gone.set()


@on_both_clients
async def test_cancelling_in_mid_stream_closes_the_socket_at_once(net: World) -> None:
    server = await net.serve(_endless)
    response = await net.send(server.url())
    stream = response.chunks()
    await anext(stream)
    response.cancel()
    response.cancel()
    await until_gone(server)


@on_both_clients
async def test_cancelling_an_idle_stream_closes_the_socket_at_once(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, chunk(b"first"))
        await conn.until_gone()

    server = await net.serve(script)
    response = await net.send(server.url())
    got: list[bytes] = []
    reader = asyncio.create_task(pieces(response, got))
    while not got:
        await asyncio.sleep(0.01)
    response.cancel()
    with pytest.raises(errors.NetError):
        await reader
    await until_gone(server)


@on_both_clients
async def test_a_cancelled_reader_leaves_no_socket_behind(net: World) -> None:
    async def read(stream: AsyncIterator[bytes], response: OutboundResponse) -> None:
        try:
            async for _ in stream:
                pass
        finally:
            response.cancel()

    server = await net.serve(_endless)
    response = await net.send(server.url())
    reader = asyncio.create_task(read(response.chunks(), response))
    await asyncio.sleep(0.05)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await until_gone(server)


@on_both_clients
async def test_cancelling_after_the_end_keeps_the_connection(net: World) -> None:
    async def script(conn: Conn) -> None:
        while True:
            await conn.request()
            await conn.answer()

    server = await net.serve(script)
    for _ in range(3):
        response = await net.send(server.url())
        await response.read(10)
        response.cancel()
    assert len(server.conns) == 1


@on_both_clients
async def test_closing_the_client_closes_idle_and_busy_connections(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer()
        await conn.until_gone()

    server = await net.serve(script)
    busy = await net.serve(_endless)
    await (await net.send(server.url())).read(10)
    await anext((await net.send(busy.url())).chunks())
    await net.client.close()
    await until_gone(server)
    await until_gone(busy)


# --- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"x-key": "a\r\nx-evil: 1"},
        {"x-key": "a\nb"},
        {"x-key": "a\x00b"},
        {"x-key": "caf\u00e9\u2028"},
        {"x key": "a"},
        {"x-key:": "a"},
        {"": "a"},
        {"Host": "evil"},
        {"Content-Length": "0"},
        {"transfer-encoding": "chunked"},
        {"Connection": "keep-alive"},
        {"Cookie": "a=b"},
    ],
)
@on_both_clients
async def test_headers_that_could_split_or_reframe_a_request_are_refused(
    net: World, headers: dict[str, str]
) -> None:
    server = await net.serve(wait_for_ever)
    with pytest.raises(errors.InvalidRequest) as caught:
        await net.send(server.url(), headers=headers)
    assert not caught.value.sent
    assert "evil" not in str(caught.value)
    assert server.conns == []


@on_both_clients
async def test_a_method_that_no_provider_uses_is_refused(net: World) -> None:
    server = await net.serve(wait_for_ever)
    with pytest.raises(errors.InvalidRequest):
        await net.send(server.url(), method="GET / HTTP/1.1\r\nx-evil: 1\r\n\r\nGET")
    assert server.conns == []


@on_both_clients
async def test_a_callers_own_user_agent_goes_out_instead_of_ours_not_beside_it(net: World) -> None:
    async def script(conn: Conn) -> None:
        request = await conn.request()
        assert request.head.lower().count(b"user-agent:") == 1
        assert request.headers["user-agent"] == "caller/1"
        await conn.answer()

    server = await net.serve(script)
    assert await (await net.send(server.url(), headers={"User-Agent": "caller/1"})).read(10) == b"ok"


@on_both_clients
async def test_a_large_body_arrives_whole(net: World) -> None:
    body = bytes(range(256)) * 40_000

    async def script(conn: Conn) -> None:
        while True:
            assert (await conn.request()).body == body
            await conn.answer()

    server = await net.serve(script)
    for _ in range(2):
        assert await (await net.send(server.url(), body=body)).read(10) == b"ok"


@on_both_clients
async def test_an_early_refusal_during_a_large_upload_is_read(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.reader.readuntil(b"\r\n\r\n")
        await conn.answer(b"too big", "413 Payload Too Large", "connection: close")
        await conn.until_gone()

    server = await net.serve(script)
    response = await net.send(server.url(), body=bytes(20_000_000))
    assert response.status == 413
    assert await response.read(100) == b"too big"


@on_both_clients
async def test_a_provider_that_does_not_read_the_upload_hits_the_deadline(net: World) -> None:
    async def script(conn: Conn) -> None:
        conn.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stop.wait()
        conn.writer.transport.resume_reading()  # type: ignore[attr-defined]

    stop = asyncio.Event()
    server = await net.serve(script)
    with pytest.raises(errors.FirstByteTimeout):
        await net.send(server.url(), body=bytes(20_000_000), timeouts=FAST)
    stop.set()
    async with asyncio.timeout(5):
        await server.conns[0].gone.wait()


@on_both_clients
async def test_a_private_address_is_refused_before_any_connection(net: World) -> None:
    server = await net.serve(wait_for_ever)
    net.names = {"looks-public.example": ["127.0.0.1"], "half.example": ["8.8.8.8", "10.0.0.1"]}
    for host in ("looks-public.example", "half.example", "127.0.0.1", "localhost"):
        with pytest.raises(errors.AddressRefused):
            await net.send(f"https://{host}:{server.port}/", allow_private=False)
    with pytest.raises(errors.AddressRefused):
        await net.send(f"http://looks-public.example:{server.port}/", allow_private=False)
    assert server.conns == []


@on_both_clients
async def test_a_connection_the_operator_may_use_is_not_lent_to_a_user(net: World) -> None:
    async def script(conn: Conn) -> None:
        while True:
            await conn.request()
            await conn.answer()

    server_tls, client_tls = contexts("provider.example")
    net.open(client_tls)
    net.names = {"provider.example": ["127.0.0.1"]}
    server = await net.serve(script, server_tls)
    url = server.url(host="provider.example")
    assert await (await net.send(url)).read(10) == b"ok"
    with pytest.raises(errors.AddressRefused):
        await net.send(url, allow_private=False)
