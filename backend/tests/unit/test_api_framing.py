"""A client of Google's that did not ask for events reads one JSON document: an event in it breaks the whole answer."""

import asyncio
import json
from typing import Any

import pytest

from agent_marketplace.api.framing import ArraySink


def sent(*pieces: bytes, begin: bool = True) -> tuple[bytes, list[dict[str, Any]]]:
    messages: list[dict[str, Any]] = []

    async def go() -> None:
        async def send(message: Any) -> None:
            messages.append(message)

        sink = ArraySink(send)
        if begin:
            await sink.begin({"x-request-id": "r"})
        for piece in pieces:
            await sink.send(piece)
        await sink.end()

    asyncio.run(go())
    return b"".join(m.get("body", b"") for m in messages), messages


@pytest.mark.parametrize(
    "pieces",
    [
        (b'data: {"a":1}\r\n\r\n', b'data: {"b":2}\r\n\r\n'),
        (b'data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n',),
        (b"\r\n", b'data: {"a":1}\r\n\r\n', b"\r\n", b'data: {"b":2}\r\n\r\n', b"\r\n"),
    ],
)
def test_events_are_the_elements_of_one_array(pieces: tuple[bytes, ...]) -> None:
    body, messages = sent(*pieces)
    assert json.loads(body) == [{"a": 1}, {"b": 2}]
    assert dict(messages[0]["headers"])[b"content-type"].startswith(b"application/json")


def test_a_stream_of_nothing_is_an_empty_array_and_one_that_never_began_is_nothing() -> None:
    assert json.loads(sent()[0]) == []
    assert sent(begin=False)[1] == []


def test_an_error_in_the_stream_is_its_last_element() -> None:
    body, _ = sent(b'data: {"a":1}\r\n\r\n', b'data: {"error":{"code":502}}\r\n\r\n')
    assert json.loads(body)[-1] == {"error": {"code": 502}}
