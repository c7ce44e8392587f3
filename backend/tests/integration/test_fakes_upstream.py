"""The fake upstream tells the truth: every other fault test leans on it."""

import asyncio
import json

import pytest

from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Done, Event, Finished, Malformed, StreamError, TextDelta, UsageSeen
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen


async def talk(
    fake: FakeUpstream, path: str, body: dict[str, object], leave_after: int | None = None
) -> bytes:
    """One request over a raw socket; `leave_after` bytes of the answer the client hangs up."""
    host, _, port = fake.root.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    data = json.dumps(body).encode()
    writer.write(
        f"POST {path} HTTP/1.1\r\ncontent-length: {len(data)}\r\nconnection: close\r\n\r\n".encode() + data
    )
    got = b""
    try:
        while piece := await reader.read(4096):
            got += piece
            if leave_after is not None and len(got) >= leave_after:
                break
    except ConnectionError:
        got += b"<reset>"
    writer.close()
    return got


def body_of(answer: bytes) -> bytes:
    """The body of a chunked answer."""
    _, _, rest = answer.partition(b"\r\n\r\n")
    out = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            break
        out, rest = out + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return out


def events(body: bytes) -> list[Event]:
    decoder = codecs()["openai"].decoder()
    return decoder.feed(body) + decoder.close()


def one(
    behaviour: Behaviour, path: str = "/v1/chat/completions", leave_after: int | None = None
) -> tuple[bytes, Seen]:
    async def run() -> tuple[bytes, Seen]:
        async with FakeUpstream(behaviour) as fake:
            answer = await talk(fake, path, {"stream": True}, leave_after)
            await fake.settled()
            return answer, fake.requests[0]

    return asyncio.run(run())


def test_a_stream_is_counted_chunk_by_chunk_and_its_usage_is_the_scripted_one() -> None:
    answer, seen = one(Behaviour(text="a b c", usage=(4, 3)))
    found = events(body_of(answer))
    assert [e.text for e in found if isinstance(e, TextDelta)] == ["a ", "b ", "c "]
    assert [type(e) for e in found[-3:]] == [Finished, UsageSeen, Done]
    assert (seen.chunks_sent, seen.completed, seen.hung_up) == (3, True, False)


@pytest.mark.parametrize("behaviour", [Behaviour(split=1), Behaviour(newline=b"\r\n"), Behaviour(newline=b"\r"),
                                       Behaviour(prefix=b"\xef\xbb\xbf: hello\n\nretry: 5\nid: 1\n\n")])  # fmt: skip
def test_harmless_oddities_change_no_event(behaviour: Behaviour) -> None:
    assert events(body_of(one(behaviour)[0])) == events(body_of(one(Behaviour())[0]))


def test_each_scripted_fault_is_really_on_the_wire() -> None:
    kinds = [type(e) for e in events(body_of(one(Behaviour(malformed_after=1, text="a b"))[0]))]
    assert kinds == [TextDelta, Malformed, TextDelta, Finished, UsageSeen, Done]
    assert Done not in [type(e) for e in events(body_of(one(Behaviour(done=False))[0]))]
    assert Finished not in [type(e) for e in events(body_of(one(Behaviour(finish=False))[0]))]
    assert UsageSeen not in [type(e) for e in events(body_of(one(Behaviour(usage=None))[0]))]
    assert StreamError in [type(e) for e in events(body_of(one(Behaviour(error_after=1))[0]))]
    assert b"429" in one(Behaviour(status=429, headers={"Retry-After": "2"}))[0].split(b"\r\n")[0]
    assert one(Behaviour(connect="reset"))[0] == b"<reset>"
    assert b"<html>" in one(Behaviour(raw=b"<html>"))[0]
    cut, seen = one(Behaviour(cut_after=2))
    assert not cut.endswith(b"0\r\n\r\n")
    assert (seen.chunks_sent, seen.completed, seen.hung_up) == (2, False, False)
    assert one(Behaviour(cut_after=1, cut="rst"))[1].chunks_sent == 1


def test_a_client_that_leaves_is_noticed() -> None:
    _, seen = one(Behaviour(endless=True), leave_after=2000)
    assert (seen.hung_up, seen.completed) == (True, False)
    assert seen.chunks_sent > 0


def test_a_stalled_stream_stays_open_until_the_client_leaves() -> None:
    _, seen = one(Behaviour(stall_after=1), leave_after=100)
    assert (seen.hung_up, seen.chunks_sent) == (True, 1)


def test_stepped_chunks_leave_only_when_released() -> None:
    async def run() -> None:
        async with FakeUpstream(Behaviour(stepped=True, text="a b c")) as fake:
            asking = asyncio.create_task(talk(fake, "/v1/chat/completions", {"stream": True}))
            seen = await fake.arrived(1)
            assert seen.chunks_sent == 0
            fake.release(3)
            await asking
            assert seen.chunks_sent == 3

    asyncio.run(run())


@pytest.mark.parametrize(
    "path", ["/v1/messages", "/v1/responses", "/api/chat", "/v1beta/models/m:streamGenerateContent"]
)
def test_every_wire_has_its_stream_and_its_plain_answer(path: str) -> None:
    assert one(Behaviour(), path)[1].chunks_sent == 6
    assert b"scripted failure" in one(Behaviour(status=500), path)[0]
