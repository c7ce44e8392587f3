"""What may come back from a provider, and what each outbound client makes of it: one suite for both."""

import asyncio

import pytest

from agent_marketplace.net import errors
from agent_marketplace.net.http import Timeouts
from tests.fakes.raw_http import Conn
from tests.fakes.world import (
    CHUNKED,
    FAST,
    World,
    chunk,
    on_both_clients,
    pieces,
    until_gone,
    wait_for_ever,
)

# --- plain answers -------------------------------------------------------------------------------------------------


@on_both_clients
async def test_a_plain_answer_comes_whole_with_lower_case_headers(net: World) -> None:
    async def script(conn: Conn) -> None:
        request = await conn.request()
        assert request.line == "POST /v1?a=b%20c HTTP/1.1"
        assert request.headers["host"] == f"127.0.0.1:{server.port}"
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["x-key"] == "k"
        assert "cookie" not in request.headers
        assert request.body == b"question"
        await conn.answer(
            b"answer", "429 Too Many", "Retry-After: 7", "X-Two: a", "x-two: b", "Set-Cookie: s=1"
        )

    server = await net.serve(script)
    response = await net.send(server.url("/v1?a=b%20c"), headers={"X-Key": "k"}, body=b"question")
    assert response.status == 429
    assert response.framed
    assert response.headers["retry-after"] == "7"
    assert response.headers["x-two"] == "a, b"
    assert await response.read(100) == b"answer"


@on_both_clients
async def test_cookies_are_never_sent_back(net: World) -> None:
    async def script(conn: Conn) -> None:
        for _ in range(2):
            assert "cookie" not in (await conn.request()).headers
            await conn.answer(b"", "200 OK", "set-cookie: a=b; path=/")

    server = await net.serve(script)
    for _ in range(2):
        await (await net.send(server.url())).read(10)


@on_both_clients
async def test_a_get_has_no_body_and_204_has_none_either(net: World) -> None:
    async def script(conn: Conn) -> None:
        assert "content-length" not in (await conn.request()).headers
        await conn.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        await conn.request()
        await conn.answer(b"next")

    server = await net.serve(script)
    assert await (await net.send(server.url(), method="GET", body=b"")).read(10) == b""
    assert await (await net.send(server.url())).read(10) == b"next"
    assert len(server.conns) == 1


@on_both_clients
async def test_chunks_that_are_already_here_come_as_one_piece(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, *(chunk(b"data: %d\n\n" % i) for i in range(50)), b"0\r\n\r\n")

    server = await net.serve(script)
    got: list[bytes] = []
    await pieces(await net.send(server.url()), got)
    assert b"".join(got) == b"".join(b"data: %d\n\n" % i for i in range(50))
    assert len(got) <= 2


@on_both_clients
async def test_each_piece_is_handed_on_as_soon_as_it_comes(net: World) -> None:
    proceed = asyncio.Event()

    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, chunk(b"one"))
        await proceed.wait()
        await conn.send(chunk(b"two"), b"0\r\n\r\n")

    server = await net.serve(script)
    stream = (await net.send(server.url())).chunks()
    assert await anext(stream) == b"one"
    proceed.set()
    assert await anext(stream) == b"two"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@on_both_clients
async def test_an_answer_split_at_every_byte_is_the_same(net: World) -> None:
    whole = CHUNKED + chunk(b"h\xc3\xa9") + chunk(b"llo") + b"0\r\nx-trailer: 1\r\n\r\n"

    async def script(conn: Conn) -> None:
        while True:
            await conn.request()
            for i in range(len(whole)):
                await conn.send(whole[i : i + 1])
                await asyncio.sleep(0)

    server = await net.serve(script)
    for _ in range(3):
        response = await net.send(server.url())
        assert await response.read(100) == "héllo".encode()
        assert "x-trailer" not in response.headers


@on_both_clients
async def test_interim_answers_are_not_taken_for_the_answer(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await conn.send(b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        await conn.answer(b"real")

    server = await net.serve(script)
    response = await net.send(server.url())
    assert (response.status, await response.read(10)) == (200, b"real")
    assert "link" not in response.headers


# --- connecting ----------------------------------------------------------------------------------------------------


@on_both_clients
async def test_refused(net: World) -> None:
    server = await net.serve(wait_for_ever)
    await server.close()
    with pytest.raises(errors.ConnectFailed) as caught:
        await net.send(server.url())
    assert not caught.value.sent
    assert "127.0.0.1" not in str(caught.value)


@on_both_clients
async def test_an_unknown_name(net: World) -> None:
    with pytest.raises(errors.ConnectFailed) as caught:
        await net.send("http://nowhere.test/")
    assert not caught.value.sent


@on_both_clients
async def test_a_dead_first_address_does_not_hide_a_living_second(net: World) -> None:
    async def script(conn: Conn) -> None:
        assert (await conn.request()).headers["host"] == f"provider.test:{server.port}"
        await conn.answer()

    server = await net.serve(script, host="127.0.0.2")
    net.names["provider.test"] = ["127.0.0.3", "127.0.0.2"]
    assert await (await net.send(server.url(host="provider.test"))).read(10) == b"ok"


@on_both_clients
async def test_a_provider_that_accepts_and_never_shakes_hands_is_given_up_in_time(net: World) -> None:
    server = await net.serve(Conn.until_gone)
    with pytest.raises(errors.ConnectFailed) as caught:
        await net.send(server.url().replace("http:", "https:"), timeouts=Timeouts(0.2, 5, 5, 5))
    assert not caught.value.sent


# --- silence -------------------------------------------------------------------------------------------------------


@on_both_clients
async def test_a_provider_that_accepts_and_is_silent(net: World) -> None:
    server = await net.serve(wait_for_ever)
    with pytest.raises(errors.FirstByteTimeout) as caught:
        await net.send(server.url(), timeouts=FAST)
    assert caught.value.sent
    await until_gone(server)


@on_both_clients
async def test_a_head_that_drips_byte_by_byte(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        while True:
            await conn.send(b"HTTP/1.1 200 OK\r\nx-a: " if not net.lookups else b"a")
            net.lookups.append("")
            await asyncio.sleep(0.02)

    server = await net.serve(script)
    with pytest.raises(errors.FirstByteTimeout):
        await net.send(server.url(), timeouts=FAST)
    await until_gone(server)


@on_both_clients
async def test_endless_interim_answers(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        while True:
            await conn.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await asyncio.sleep(0.01)

    server = await net.serve(script)
    with pytest.raises((errors.FirstByteTimeout, errors.TooLarge)):
        await net.send(server.url(), timeouts=FAST)
    await until_gone(server)


@on_both_clients
async def test_a_stream_that_stalls(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, chunk(b"one"))
        await conn.until_gone()

    server = await net.serve(script)
    got: list[bytes] = []
    with pytest.raises(errors.IdleTimeout):
        await pieces(await net.send(server.url(), timeouts=FAST), got)
    assert got == [b"one"]
    await until_gone(server)


@on_both_clients
async def test_a_slow_but_living_stream_is_not_cut(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED)
        for _ in range(8):
            await asyncio.sleep(0.1)
            await conn.send(chunk(b"x"))
        await conn.send(b"0\r\n\r\n")

    server = await net.serve(script)
    assert await (await net.send(server.url(), timeouts=FAST)).read(100) == b"x" * 8


@on_both_clients
async def test_a_reader_who_takes_his_time_is_not_the_providers_fault(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, chunk(b"one"))
        await proceed.wait()
        await conn.send(chunk(b"two"), b"0\r\n\r\n")

    proceed = asyncio.Event()
    server = await net.serve(script)
    stream = (await net.send(server.url(), timeouts=FAST)).chunks()
    assert await anext(stream) == b"one"
    await asyncio.sleep(0.5)
    proceed.set()
    assert await anext(stream) == b"two"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@on_both_clients
async def test_an_endless_stream_ends_with_the_total(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED)
        while True:
            await conn.send(chunk(b"x"))
            await asyncio.sleep(0.02)

    server = await net.serve(script)
    with pytest.raises(errors.TotalTimeout):
        await (await net.send(server.url(), timeouts=Timeouts(1, 1, 1, 0.4))).read(10_000)
    await until_gone(server)


@on_both_clients
async def test_the_total_counts_before_the_head_too(net: World) -> None:
    server = await net.serve(wait_for_ever)
    with pytest.raises(errors.TotalTimeout):
        await net.send(server.url(), timeouts=Timeouts(1, 5, 5, 0.2))
    await until_gone(server)


# --- cuts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-le"])
@on_both_clients
async def test_a_connection_cut_before_the_head(net: World, how: str, after: bytes) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(after)
        getattr(conn, how)()

    server = await net.serve(script)
    with pytest.raises(errors.Truncated) as caught:
        await net.send(server.url())
    assert caught.value.sent


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize(
    "head",
    [
        CHUNKED + chunk(b"12345"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345",
        CHUNKED + b"a\r\n12345",
    ],
)
@on_both_clients
async def test_a_connection_cut_in_the_body(net: World, how: str, head: bytes) -> None:
    cut = asyncio.Event()

    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(head)
        await cut.wait()
        getattr(conn, how)()

    server = await net.serve(script)
    got: list[bytes] = []
    with pytest.raises(errors.Truncated):
        await pieces(await net.send(server.url()), got, cut)
    assert b"".join(got) == b"12345"


@on_both_clients
async def test_what_came_before_the_cut_in_the_same_read_is_still_delivered(net: World) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, *(chunk(b"%d;" % i) for i in range(10)))
        conn.fin()

    server = await net.serve(script)
    response = await net.send(server.url())
    await until_gone(server)
    await asyncio.sleep(0.05)
    got: list[bytes] = []
    with pytest.raises(errors.Truncated):
        await pieces(response, got)
    assert b"".join(got) == b"0;1;2;3;4;5;6;7;8;9;"


# --- broken framing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5x\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nx a: b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nno length at all",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 600 Odd\r\ncontent-length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\nhello",
    ],
)
@on_both_clients
async def test_an_answer_that_is_not_what_http_allows(net: World, answer: bytes) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(answer)
        await conn.until_gone()

    server = await net.serve(script)
    with pytest.raises(errors.ProtocolError):
        await (await net.send(server.url())).read(100)
    await until_gone(server)


@pytest.mark.parametrize(
    "bad", [b"zz\r\nhello\r\n", b"-5\r\nhello\r\n", b"5\r\nhelloXX\r\n", b"fffffffffffffffff\r\nx"]
)
@on_both_clients
async def test_bad_chunk_sizes(net: World, bad: bytes) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(CHUNKED, chunk(b"fine"))
        await conn.send(bad)
        await conn.until_gone()

    server = await net.serve(script)
    with pytest.raises(errors.ProtocolError):
        await (await net.send(server.url())).read(100)
    await until_gone(server)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"]
)
@on_both_clients
async def test_a_body_that_ends_with_the_connection_is_marked_as_unproven(net: World, head: bytes) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(head, b"to the end")
        conn.fin()

    server = await net.serve(script)
    response = await net.send(server.url())
    assert not response.framed
    assert await response.read(100) == b"to the end"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@on_both_clients
async def test_redirects_are_never_followed(net: World, status: int) -> None:
    async def script(conn: Conn) -> None:
        assert (await conn.request()).line.startswith("POST /v1")
        await conn.send(
            f"HTTP/1.1 {status} Moved\r\ncontent-length: 10\r\nlocation: {server.url('/secret')}\r\n\r\n".encode()
        )
        await conn.until_gone()

    server = await net.serve(script)
    with pytest.raises(errors.Redirected) as caught:
        await net.send(server.url())
    assert caught.value.status == status
    await until_gone(server)
    assert len(server.conns) == 1


# --- what has been written -----------------------------------------------------------------------------------------


@on_both_clients
async def test_a_request_counts_as_written_only_when_the_socket_has_taken_it(net: World) -> None:
    told: list[str] = []
    accepted, read, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def script(conn: Conn) -> None:
        accepted.set()
        await go_on.wait()
        while True:
            await conn.request()
            read.set()
            await conn.answer(b"ok")

    server = await net.serve(script)
    large = asyncio.create_task(
        net.send(server.url("/"), body=b"x" * 32_000_000, on_written=lambda: told.append("large"))
    )
    await accepted.wait()
    assert told == [], "most of it still waits for the provider to read"
    go_on.set()
    assert await (await large).read(100) == b"ok"
    assert read.is_set()
    assert told == ["large"]
    small = await net.send(server.url("/"), body=b"x", on_written=lambda: told.append("small"))
    assert await small.read(100) == b"ok"
    assert told == ["large", "small"]


@on_both_clients
async def test_a_request_that_found_no_connection_was_never_written(net: World) -> None:
    told: list[str] = []
    with pytest.raises(errors.ConnectFailed):
        await net.send("http://127.0.0.1:1/", on_written=lambda: told.append("written"))
    assert told == []
