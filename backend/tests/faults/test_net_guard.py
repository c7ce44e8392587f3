"""What a hostile or broken client may not do to the server. Regression suite for net/guard.py and new uvicorns."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from agent_marketplace.net.guard import Limits
from tests.fakes.guarded import Guarded, status_of

FAST = Limits(head_s=0.3, body_s=0.3, write_s=0.4, linger_s=0.2, max_body=1_000_000, max_connections=50)
HEAD = b"POST /echo HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="uvicorn.error")


def serve(
    test: Callable[[Guarded], Awaitable[None]], limits: Limits = FAST, proxies: str | None = None
) -> None:
    async def go() -> None:
        async with Guarded(limits, proxies=proxies) as guarded:
            await test(guarded)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(go())


def test_honest_requests_are_answered_and_the_connection_is_kept() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect()
        for _ in range(3):
            writer.write(HEAD + b"content-length: 5\r\n\r\nhello")
            assert await status_of(reader) == 200
            assert b"1\r\n5\r\n0\r\n\r\n" in await reader.readuntil(b"0\r\n\r\n")
        writer.close()

    serve(test)


def test_a_silent_connection_is_closed_with_408() -> None:
    async def test(it: Guarded) -> None:
        assert await it.status(b"") == 408

    serve(test)


def test_headers_dripped_byte_by_byte_hit_an_absolute_deadline() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ")

        async def drip() -> None:
            while True:
                writer.write(b"a")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert await status_of(reader) == 408
        dripping.cancel()
        writer.close()

    serve(test)


def test_blank_lines_do_not_keep_a_connection_for_ever() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(HEAD + b"content-length: 0\r\n\r\n")
        assert await status_of(reader) == 200
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"\r\n")
        assert await status_of(reader) == 408
        writer.close()

    serve(test)


def test_a_stalled_body_ends_and_the_app_is_told() -> None:
    async def test(it: Guarded) -> None:
        assert await it.status(HEAD + b"content-length: 100\r\n\r\nhalf") == 408
        await it.app.until("gone /echo")

    serve(test)


def test_a_slow_but_steady_upload_is_given_its_time() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(20):  # 0.6 s in all, twice the body's base allowance, at well above the least rate
            writer.write(b"4000\r\n" + bytes(0x4000) + b"\r\n")
            await asyncio.sleep(0.03)
        writer.write(b"0\r\n\r\n")
        assert await status_of(reader) == 200
        writer.close()

    serve(test)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * 400_000,
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x-a: 1\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_a_giant_head_is_refused_with_431(head: bytes) -> None:
    async def test(it: Guarded) -> None:
        assert await it.status(head) == 431
        assert it.app.events == []

    serve(test)


def test_a_head_of_just_under_the_cap_in_many_reads_is_accepted() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect()
        value = b"a" * 30_000
        for piece in (HEAD, b"x-a: " + value, b"\r\nx-b: " + value, b"\r\ncontent-length: 0\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        assert await status_of(reader) == 200
        writer.close()

    serve(test)


def test_endless_trailers_are_refused() -> None:
    async def test(it: Guarded) -> None:
        body = b"0\r\n" + b"x-t: 1\r\n" * 200 + b"\r\n"
        assert await it.status(HEAD + b"transfer-encoding: chunked\r\n\r\n" + body) in (0, 431)
        await it.app.until("gone /echo")

    serve(test)


@pytest.mark.parametrize(
    "rest",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"content-length: -1\r\n\r\n",
        b"content-length: 1e3\r\n\r\n",
        b"transfer-encoding: gzip\r\n\r\n",
        b"host: y\r\n\r\n",
        b"x-a : 1\r\n\r\n",
        b"x-a: \x00\r\n\r\n",
        b" folded\r\n\r\n",
    ],
)
def test_ambiguous_heads_are_refused_with_400(rest: bytes) -> None:
    async def test(it: Guarded) -> None:
        assert await it.status(HEAD + rest) == 400
        assert it.app.events == []

    serve(test)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a@b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost:\r\n\r\n",
        b"GET http://other/ HTTP/1.1\r\nhost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"garbage\r\n\r\n",
    ],
)
def test_malformed_request_lines_and_hosts_are_refused_with_400(head: bytes) -> None:
    async def test(it: Guarded) -> None:
        assert await it.status(head) == 400
        assert it.app.events == []

    serve(test)


def test_a_body_over_the_cap_is_refused_by_its_length_before_the_app_runs() -> None:
    async def test(it: Guarded) -> None:
        assert await it.status(HEAD + b"content-length: 1000001\r\n\r\n") == 413
        assert it.app.events == []

    serve(test)


def test_a_chunked_body_over_the_cap_is_refused_by_count_and_the_refusal_can_be_read() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(100):
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        assert await status_of(reader) == 413
        await it.app.until("gone /echo")
        writer.close()

    serve(test)


@pytest.mark.parametrize("how", ["close", "half_close", "reset"])
def test_a_client_that_leaves_is_noticed_at_once(how: str) -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await status_of(reader) == 200
        await reader.readuntil(b"first")
        {"close": writer.close, "half_close": writer.write_eof, "reset": writer.transport.abort}[how]()
        await it.app.until("gone /wait")

    serve(test)


def test_every_pipelined_request_is_told_that_its_client_has_gone() -> None:
    async def test(it: Guarded) -> None:
        one = b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n"
        reader, writer = await it.connect(one * 3)
        await reader.readuntil(b"first")
        writer.close()
        await it.app.until("gone /wait")
        assert it.app.events.count("started /wait") == 1

    serve(test)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def test(it: Guarded) -> None:
        heads = b"".join(HEAD + b"content-length: %d\r\n\r\n" % n + bytes(n) for n in (1, 2, 3))
        reader, writer = await it.connect(heads)
        got = [(await reader.readuntil(b"0\r\n\r\n")).split(b"\r\n\r\n", 1)[1] for _ in range(3)]
        assert got == [b"1\r\n%d\r\n0\r\n\r\n" % n for n in (1, 2, 3)]
        writer.close()

    serve(test)


def test_a_pipeline_without_end_is_refused() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n" * 50)
        await it.app.until("gone /wait")
        assert await status_of(reader) in (0, 200, 400)
        writer.close()

    serve(test)


@pytest.mark.parametrize(
    "rest",
    [b"content-length: 70000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n12000\r\n" + bytes(0x12000)],
)
def test_a_large_body_behind_an_unanswered_request_is_refused(rest: bytes) -> None:
    async def test(it: Guarded) -> None:
        await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n" + HEAD + rest)
        await it.app.until("gone /wait")
        assert "started /echo" not in it.app.events

    serve(test)


def test_stray_bytes_behind_a_request_do_not_end_its_long_answer() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"first")
        writer.write(b"\r\n")
        await asyncio.sleep(0.7)  # more than two head deadlines
        assert "gone /wait" not in it.app.events
        writer.close()
        await it.app.until("gone /wait")

    serve(test)


def test_an_upload_is_not_refused_for_the_time_that_the_app_lets_it_wait() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"POST /late HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n")
        writer.write(bytes(900_000))
        await it.app.until("started /late")
        (guard,) = it.guards
        async with asyncio.timeout(5):
            while not guard.flow.read_paused:
                await asyncio.sleep(0)
        guard.sweep(asyncio.get_running_loop().time() + 3600)
        it.app.reads.set()
        assert await status_of(reader) == 200
        assert b"\r\n900000\r\n" in await reader.readuntil(b"0\r\n\r\n")
        writer.close()

    serve(test, Limits(max_body=1_000_000))


def test_a_refusal_is_never_written_into_an_answer_that_has_begun() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await status_of(reader) == 200
        await reader.readuntil(b"first")
        writer.write(b"no HTTP at all\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/1.1" not in await reader.read()
        await it.app.until("gone /wait")
        writer.close()

    serve(test)


def test_a_refused_client_that_does_not_close_is_cut_off() -> None:
    async def test(it: Guarded) -> None:
        reader, _ = await it.connect(b"no HTTP at all\r\n\r\n")
        assert await status_of(reader) == 400
        async with asyncio.timeout(5):
            while it.guards:
                await asyncio.sleep(0.01)

    serve(test)


def test_a_client_that_stops_reading_is_cut_off_and_memory_stays_bounded() -> None:
    async def test(it: Guarded) -> None:
        _, writer = await it.connect(b"GET /stream/100000 HTTP/1.1\r\nhost: x\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await it.app.until("gone /stream/100000")
        assert it.app.sent < 32 * 1024 * 1024
        writer.transport.abort()

    serve(test)


def test_a_slow_reader_that_does_read_gets_everything() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(b"GET /stream/100 HTTP/1.1\r\nhost: x\r\n\r\n")
        size = 0
        while size < 100 * 65_536:
            size += len(await reader.read(200_000))
            await asyncio.sleep(0.005)
        await it.app.until("answered /stream/100")
        writer.close()

    serve(test)


def test_connections_over_the_cap_get_503_and_the_others_go_on() -> None:
    async def test(it: Guarded) -> None:
        held = [await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n") for _ in range(3)]
        await it.app.until("started /wait", 3)
        assert await it.status(b"") == 503
        held[0][1].close()
        await it.app.until("gone /wait")
        assert await it.status(HEAD + b"content-length: 0\r\n\r\n") == 200
        for _, writer in held:
            writer.close()

    serve(test, Limits(max_connections=3, linger_s=0.1))


def test_one_address_cannot_take_all_connections() -> None:
    async def test(it: Guarded) -> None:
        held = [await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n") for _ in range(2)]
        await it.app.until("started /wait", 2)
        assert await it.status(b"") == 503
        for _, writer in held:
            writer.close()

    serve(test, Limits(max_per_address=2, linger_s=0.1))


def behind_a_proxy(*addresses: str) -> bytes:
    named = b"".join(b"x-forwarded-for: %s\r\n" % a.encode() for a in addresses)
    return b"GET /wait HTTP/1.1\r\nhost: x\r\n" + named + b"\r\n"


def test_behind_a_trusted_proxy_one_client_cannot_take_everybodys_connections() -> None:
    async def test(it: Guarded) -> None:
        async def ask(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await it.connect(behind_a_proxy(address))

        held = [await ask(address) for address in ("198.51.100.7", "198.51.100.7", "198.51.100.8")]
        await it.app.until("started /wait", 3)
        reader, writer = await ask("198.51.100.7")
        refusal = await reader.read()
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in refusal
        assert json.loads(refusal.partition(b"\r\n\r\n")[2])["code"] == "temporarily_unavailable"
        held += [(reader, writer), await ask("198.51.100.9")]
        await it.app.until("started /wait", 4)
        held[0][1].close()
        await it.app.until("gone /wait")
        held.append(await ask("198.51.100.7"))
        await it.app.until("started /wait", 5)
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(5):
            while it.guards:
                await asyncio.sleep(0.005)
        assert not it.config.per_address

    serve(test, Limits(max_per_address=2, linger_s=0.1), proxies="127.0.0.1")


def test_a_connection_that_a_proxy_keeps_is_counted_for_its_newest_client() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect()
        for address, counted in (("198.51.100.7", 1), ("198.51.100.8", 1), ("", 0)):
            head = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n"
            writer.write(head + (b"x-forwarded-for: %s\r\n" % address.encode() if address else b"") + b"\r\n")
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            assert it.config.per_address == ({address: 1} if counted else {})
            await reader.readuntil(b"0\r\n\r\n")
        writer.close()

    serve(test, Limits(max_per_address=1), proxies="127.0.0.1")


def test_a_header_that_anybody_may_send_makes_nobody_another_client() -> None:
    async def test(it: Guarded) -> None:
        held = [await it.connect(behind_a_proxy(f"198.51.100.{n}")) for n in range(2)]
        await it.app.until("started /wait", 2)
        assert await it.status(behind_a_proxy("198.51.100.9")) == 503
        for _, writer in held:
            writer.close()

    serve(test, Limits(max_per_address=2, linger_s=0.1), proxies="192.0.2.1")


def test_a_hundred_slowloris_connections_are_all_closed_while_honest_requests_are_served() -> None:
    async def test(it: Guarded) -> None:
        slow = [await it.connect(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ") for _ in range(100)]
        for _ in range(20):
            assert await it.status(HEAD + b"content-length: 0\r\n\r\n") == 200
        assert {await status_of(reader) for reader, _ in slow} == {408}
        for _, writer in slow:
            writer.close()
        async with asyncio.timeout(5):
            while it.guards:
                await asyncio.sleep(0.02)

    serve(test, Limits(head_s=0.5, linger_s=0.1))


def test_while_draining_answers_close_their_connection_and_streams_go_on() -> None:
    async def test(it: Guarded) -> None:
        stream, held = await it.connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await stream.readuntil(b"first")
        reader, writer = await it.connect(HEAD + b"content-length: 0\r\n\r\n")
        assert await status_of(reader) == 200
        await reader.readuntil(b"0\r\n\r\n")
        it.server.stop()
        writer.write(HEAD + b"content-length: 0\r\n\r\n")
        assert await status_of(reader) == 200
        assert b"connection: close" in await reader.read()
        assert "gone /wait" not in it.app.events
        held.close()
        writer.close()
        await it.app.until("gone /wait")

    serve(test)


def test_a_stop_closes_idle_connections_and_does_not_wait_for_their_clients() -> None:
    async def test(it: Guarded) -> None:
        reader, writer = await it.connect(HEAD + b"content-length: 0\r\n\r\n")
        assert await status_of(reader) == 200
        await reader.readuntil(b"0\r\n\r\n")
        it.server.stop()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()

    serve(test)


def test_a_client_that_does_not_read_cannot_outlive_a_forced_stop() -> None:
    async def test(it: Guarded) -> None:
        _, writer = await it.connect(b"GET /stream/100000 HTTP/1.1\r\nhost: x\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        (guard,) = it.guards
        async with asyncio.timeout(5):
            while not guard.flow.write_paused:
                await asyncio.sleep(0.01)
        it.server.stop()
        it.server.stop()
        async with asyncio.timeout(5):
            while it.guards:
                await asyncio.sleep(0.01)
        assert "cancelled /stream/100000" in it.app.events

    serve(test, Limits())
