"""An answer leaves as what it is: nobody's text becomes a header, and its length is the one that was said."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from agent_marketplace.net.exchange import Exchange

START = "http.response.start"
PIECE = "http.response.body"


class Wire:
    """A transport that keeps each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        return


def answered(*messages: dict[str, Any], method: str = "GET", keep_alive: bool = True) -> Wire:
    wire = Wire()

    async def go() -> None:
        log = logging.getLogger("nobody")
        exchange = Exchange(
            scope={"type": "http", "method": method},  # type: ignore[typeddict-item]
            transport=wire,  # type: ignore[arg-type]
            flow=FlowControl(wire),  # type: ignore[arg-type]
            logger=log, access_logger=log, access_log=False, default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(), expect_100_continue=False, keep_alive=keep_alive, on_response=lambda: None,
        )  # fmt: skip
        for message in messages:
            await exchange.send(message)  # type: ignore[arg-type]

    asyncio.run(go())
    return wire


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": START, "status": status, "headers": list(headers)}


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": PIECE, "body": body, "more_body": more}


def test_an_answer_of_known_length_is_one_write() -> None:
    wire = answered(start((b"Content-Length", b"2")), piece(b"ok"))
    assert wire.writes == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\n\r\nok"]


def test_a_streams_head_does_not_wait_for_its_first_piece() -> None:
    wire = answered(start(), piece(b"a", more=True), piece(b"", more=True), piece(b"b"))
    assert wire.writes[0].endswith(b"transfer-encoding: chunked\r\n\r\n")
    assert wire.writes[1:] == [b"1\r\na\r\n", b"1\r\nb\r\n0\r\n\r\n"]


@pytest.mark.parametrize(
    "header", [(b"x", b"a\r\nset-cookie: b"), (b"x", b"a\x00"), (b"x y", b"a"), (b"x\r\n", b"a")]
)
def test_text_in_a_header_can_not_begin_another(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(RuntimeError, match="Invalid HTTP header"):
        answered(start(header))


@pytest.mark.parametrize("body", [b"longer", b"s"])
def test_a_length_that_is_not_true_is_not_told(body: bytes) -> None:
    with pytest.raises(RuntimeError, match="than Content-Length"):
        answered(start((b"content-length", b"2")), piece(body))


def test_who_asks_for_the_head_gets_no_body() -> None:
    plain = answered(start((b"content-length", b"2")), piece(b"ok"), method="HEAD")
    chunked = answered(
        start((b"transfer-encoding", b"chunked")), piece(b"ok", more=True), piece(b""), method="HEAD"
    )
    assert b"ok" not in b"".join(plain.writes + chunked.writes)


@pytest.mark.parametrize(
    ("headers", "keep_alive"),
    [(((b"connection", b"close"),), True), ((), False), (((b"connection", b"upgrade"),), False)],
)
def test_a_connection_that_closes_says_so(headers: tuple[tuple[bytes, bytes], ...], keep_alive: bool) -> None:
    wire = answered(start(*headers, (b"content-length", b"0")), piece(b""), keep_alive=keep_alive)
    assert wire.closed
    assert b"connection: close\r\n" in wire.writes[0]


def test_messages_out_of_order_are_an_error_and_no_answer() -> None:
    with pytest.raises(RuntimeError):
        answered(piece(b"early"))
    with pytest.raises(RuntimeError):
        answered(start((b"content-length", b"0")), piece(b""), piece(b"late"))
