"""The stream readers: whatever the network does to the bytes, the events are the same."""

import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_marketplace.wires.sse import LineReader, SSEEvent, SSEParser
from tests.fakes.examples import examples

ENDS = [b"\n", b"\r", b"\r\n"]
LINES = [
    b"data: a",
    b"data:b",
    b"data",
    b"data:  two",
    b": note",
    b"event: ping",
    b"id: 7",
    b"id: \0",
    b"retry: 9",
    b"retry: x",
    b"",
    b"",
    b"",
    "data: é日".encode(),
    b"junk",
    b'data: {"x":1}',
]


def whole(body: bytes) -> list[SSEEvent]:
    parser = SSEParser()
    return parser.feed(body) + parser.close()


def cut(body: bytes, cuts: list[int]) -> list[SSEEvent]:
    parser = SSEParser()
    events, last = [], 0
    for at in [*sorted(c % (len(body) + 1) for c in cuts), len(body)]:
        events += parser.feed(body[last:at])
        last = at
    return events + parser.close()


@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=30),
    st.booleans(),
    st.lists(st.integers(0, 10_000), max_size=40),
)
@example(
    [(b"retry: 9", b"\n"), *[(b"data: a", b"\n"), (b"", b"\n")] * 2], True, [21]
)  # the second event comes alone
@settings(max_examples=examples(1500))
def test_any_split_of_the_bytes_gives_the_same_events(
    lines: list[tuple[bytes, bytes]], bom: bool, cuts: list[int]
) -> None:
    body = (b"\xef\xbb\xbf" if bom else b"") + b"".join(line + end for line, end in lines)
    assert cut(body, cuts) == whole(body)
    assert cut(body, list(range(len(body)))) == whole(body)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=20))
@settings(max_examples=examples(1500))
def test_no_bytes_make_the_readers_raise(body: bytes, cuts: list[int]) -> None:
    assert cut(body, cuts) == whole(body)
    reader = LineReader(50)
    assert reader.feed(body) + reader.close() == LineReader(50).feed(body + b"\n")


def test_line_ends_may_be_mixed_within_one_stream() -> None:
    events = whole(b"\xef\xbb\xbfevent: a\rdata: 1\r\ndata: 2\n\r\nid: 5\rdata:3\r\r: note\ndata: 4\n\n")
    assert [(e.event, e.data, e.id) for e in events] == [
        ("a", b"1\n2", None),
        ("", b"3", "5"),
        ("", b"4", "5"),
    ]


def test_a_last_event_without_its_blank_line_is_not_lost() -> None:
    assert [e.data for e in whole(b"data: 1\n\ndata: [DONE]")] == [b"1", b"[DONE]"]


def test_an_endless_event_takes_bounded_memory_and_the_stream_goes_on() -> None:
    parser = SSEParser(max_event_bytes=1000)
    events = parser.feed(b"data: ")
    for _ in range(100):
        events += parser.feed(b"x" * 999)
    events += parser.feed(b"\ndata: more\n\ndata: next\n\n")
    assert [(e.oversized, e.data) for e in events] == [(True, b""), (False, b"next")]
    many = SSEParser(max_event_bytes=1000).feed(b"data: 0123456789\n" * 500 + b"\ndata: ok\n\n")
    assert [(e.oversized, e.data) for e in many] == [(True, b""), (False, b"ok")]


def test_an_oversized_last_event_without_its_end_is_marked_not_lost() -> None:
    parser = SSEParser(max_event_bytes=10)
    assert parser.feed(b"data: " + b"x" * 100) == []
    assert [(e.oversized, e.data) for e in parser.close()] == [(True, b"")]


def test_byte_by_byte_arrival_costs_linear_time() -> None:
    def cost(size: int) -> float:
        parser, body = SSEParser(), b"data: " + b"x" * size + b"\n\n"
        start = time.perf_counter()
        for i in range(len(body)):
            parser.feed(body[i : i + 1])
        return time.perf_counter() - start

    small = max(cost(20_000), 0.001)
    assert cost(200_000) < 60 * small


def test_an_oversized_json_line_is_skipped_not_fatal() -> None:
    reader = LineReader(20)
    assert reader.feed(b'{"a":1}\n' + b"x" * 100) == [b'{"a":1}']
    assert reader.feed(b'yy\r\n\n  \n{"b":2}\n{"c"') == [None, b'{"b":2}']
    assert reader.close() == [b'{"c"']
