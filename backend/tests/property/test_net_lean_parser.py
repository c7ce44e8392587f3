"""Whatever bytes a provider sends, in whatever pieces: an answer or a typed error, and no doubtful connection is used again."""

import asyncio
from ast import literal_eval
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundRequest
from agent_marketplace.net.lean_connection import Connection
from agent_marketplace.net.lean_pool import Key, Pool
from tests.fakes.examples import examples

KEY: Key = ("http", "provider.test", 80, "127.0.0.1")
REQUEST = OutboundRequest("POST", "http://provider.test/", body=b"{}", allow_private=True, max_body=100_000)


class Wire(asyncio.Transport):
    """A transport without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def outcome(pieces: list[bytes], *, eof: bool) -> tuple[bytes | str, bool]:
    """(the body, or the error's name with what came before it; whether the connection went back to the pool)."""

    async def go() -> tuple[bytes | str, bool]:
        loop = asyncio.get_running_loop()
        pool: Pool[Connection] = Pool(loop, per_host=4, keep_s=30)
        assert await pool.enter(KEY, 1) is None
        connection = Connection(loop, pool, KEY)
        wire = Wire()
        connection.connection_made(wire)
        exchange = connection.send(REQUEST, b"POST / HTTP/1.1\r\n\r\n", loop.time() + 10)
        for piece in pieces:
            if not wire.closed:
                connection.data_received(piece)
        kept = not wire.closed and not connection._busy
        if eof or wire.closed:
            wire.closed = True
            connection.connection_lost(None)
        elif not kept:
            connection.abort()  # nothing more will come: what a deadline would do
        body = b""
        result: bytes | str
        try:
            await exchange.answered(1)
            async for piece in exchange.chunks():
                body += piece
            result = body
        except NetError as e:
            result = f"{type(e).__name__} {body!r}"
        offered = bool(pool._places) and any(place.idle for place in pool._places.values())
        assert offered == (kept and not eof)
        pool.close()
        assert all(place.busy == 0 for place in pool._places.values())
        return result, kept

    return asyncio.run(go())


def cut(data: bytes, at: list[int]) -> list[bytes]:
    marks = sorted({i % (len(data) + 1) for i in at} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(marks)]


STOLEN = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen"
EXTRA = st.just(STOLEN) | st.binary(min_size=1, max_size=60).filter(
    lambda extra: extra.strip(b"\r\n")
)  # blank lines do no harm
BODIES = st.lists(st.binary(min_size=1, max_size=200), max_size=8)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)
INTERIM = st.sampled_from(
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" * 2]
)


def chunked(body: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in body) + b"0\r\nx-trailer: 1\r\n\r\n"


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    body = draw(BODIES)
    head = draw(INTERIM) + b"HTTP/1.1 200 OK\r\nx-a: b\r\n"
    if draw(st.booleans()):
        return head + b"transfer-encoding: chunked\r\n\r\n" + chunked(body), b"".join(body)
    whole = b"".join(body)
    return head + b"content-length: %d\r\n\r\n%s" % (len(whole), whole), whole


@settings(max_examples=examples(400))
@given(answers(), CUTS)
def test_any_cut_of_a_good_answer_gives_the_same_body_and_keeps_the_connection(
    answer: tuple[bytes, bytes], at: list[int]
) -> None:
    raw, body = answer
    assert outcome(cut(raw, at), eof=False) == (body, True)


@settings(max_examples=examples(400))
@given(answers(), CUTS, st.integers(0, 10_000))
def test_an_answer_that_ends_early_is_never_taken_for_complete(
    answer: tuple[bytes, bytes], at: list[int], end: int
) -> None:
    raw, body = answer
    short = raw[: end % len(raw)]
    result, kept = outcome(cut(short, at), eof=True)
    assert isinstance(result, str)
    assert result.startswith("Truncated")
    assert not kept
    assert body.startswith(literal_eval(result.split(" ", 1)[1]))


@settings(max_examples=examples(400))
@given(answers(), CUTS, EXTRA)
def test_anything_behind_an_answer_closes_the_connection(
    answer: tuple[bytes, bytes], at: list[int], extra: bytes
) -> None:
    raw, body = answer
    pieces = cut(raw + extra, at)
    result, kept = outcome(pieces, eof=False)
    assert not kept
    assert result == body or (isinstance(result, str) and result.startswith("ProtocolError"))


@settings(max_examples=examples(1000))
@given(
    answers(),
    CUTS,
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.booleans(),
)
def test_damaged_answers_end_in_a_body_or_a_typed_error(
    answer: tuple[bytes, bytes], at: list[int], damage: list[tuple[int, int]], eof: bool
) -> None:
    raw = bytearray(answer[0])
    for where, byte in damage:
        raw[where % len(raw)] = byte
    result, _ = outcome(cut(bytes(raw), at), eof=eof)
    assert isinstance(result, bytes | str)


@settings(max_examples=examples(500))
@given(st.lists(st.binary(max_size=300), max_size=6), st.booleans())
def test_noise_never_becomes_an_answer(pieces: list[bytes], eof: bool) -> None:
    result, kept = outcome([b"\x00", *pieces], eof=eof)
    assert isinstance(result, str)
    assert not kept
