"""What has more parts than any real request is refused before it is decoded, whatever the pieces it comes in."""

import asyncio
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.api.screen import FORM, PROMPT, SMALL, Most, Screen, aside, screened
from agent_marketplace.errors import PayloadTooLarge

TEN = Most(size=1_000, containers=10, names=10, values=10, depth=5)
ANY = Most(size=10**9, containers=10**9, names=10**9, values=10**9, depth=10**9)


def refusal(text: bytes, most: Most, step: int = 65_536) -> str:
    """What is said of a text that comes in pieces of so many bytes; "" where it passes."""
    screen = Screen(most)
    try:
        for at in range(0, len(text), step):
            screen.feed(text[at : at + step])
    except PayloadTooLarge as error:
        return error.message
    return ""


@pytest.mark.parametrize("step", [1, 2, 3, 7, 65_536])
@pytest.mark.parametrize(
    ("most", "one_more", "what"),
    [
        ("[" + ",".join(["[]"] * 9) + "]", "[" + ",".join(["[]"] * 10) + "]", "arrays and objects"),
        ("[" + ",".join("1" * 11) + "]", "[" + ",".join("1" * 12) + "]", "values"),
        (
            "{" + ",".join(f'"{n}":1' for n in range(10)) + "}",
            '{"x":{' + ",".join(f'"{n}":1' for n in range(10)) + "}}",
            "named fields",
        ),
        ("[" * 5 + "]" * 5, "[" * 6 + "]" * 6, "levels of nesting"),
        ('["' + "x" * 996 + '"]', '["' + "x" * 997 + '"]', "bytes"),
    ],
)
def test_a_body_with_one_part_too_many_is_refused_and_the_largest_allowed_is_not(
    most: str, one_more: str, what: str, step: int
) -> None:
    assert refusal(most.encode(), TEN, step) == ""
    assert what in refusal(one_more.encode(), TEN, step)


@pytest.mark.parametrize("step", [1, 2, 5, 64])
def test_what_stands_inside_a_text_is_no_part_of_the_body(step: int) -> None:
    text = json.dumps({"code": '[[{"a":1,"b\\":[' * 20 + "\\", "next": "\\\\"}).encode()
    assert len(text) < TEN.size
    assert refusal(text, TEN, step) == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def parts(value: object, depth: int = 1) -> tuple[int, int, int, int]:
    """(containers, names, commas, depth) of a decoded value: counted on the other side of the decoder."""
    if not isinstance(value, list | dict):
        return 0, 0, 0, depth - 1
    inner = [parts(v, depth + 1) for v in (value.values() if isinstance(value, dict) else value)]
    names = len(value) if isinstance(value, dict) else 0
    return (
        1 + sum(i[0] for i in inner),
        names + sum(i[1] for i in inner),
        max(0, len(value) - 1) + sum(i[2] for i in inner),
        max([depth, *(i[3] for i in inner)]),
    )


@given(json_values, st.integers(1, 40), st.booleans())
def test_the_count_is_that_of_the_decoded_value_for_any_json_in_any_pieces(
    value: object, step: int, ascii_only: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    containers, names, values, depth = parts(value)
    exactly = Most(size=len(text), containers=containers, names=names, values=values, depth=depth)
    assert refusal(text, exactly, step) == ""
    for field in ("containers", "names", "values", "depth"):
        if getattr(exactly, field):
            less = Most(**{f: getattr(exactly, f) - (f == field) for f in exactly.__dataclass_fields__})
            assert refusal(text, less, step)


@given(st.binary(max_size=300), st.integers(1, 20))
def test_no_bytes_at_all_break_the_screen(data: bytes, step: int) -> None:
    assert refusal(data, ANY, step) == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"gpt-4.1","messages":[{"role":"user","content":"'
        + b"word, [and] {so}: on " * 1_400_000
        + b'"}]}',
        b'{"model":"m","input":[' + b"1," * 300_000 + b"1]}",
        json.dumps(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}] * 5_000}
        ).encode(),
    ],
    ids=["30 MB of text", "300,000 tokens to embed", "5,000 messages"],
)
def test_what_real_clients_send_passes(body: bytes) -> None:
    assert refusal(body, PROMPT) == ""
    assert refusal(body, FORM) != ""


def test_everybody_has_a_turn_between_the_slices_of_one_piece() -> None:
    async def story() -> int:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"x" * (64 * SMALL)}

        waiting = asyncio.create_task(others())
        message = await screened(receive, ANY)()
        waiting.cancel()
        assert len(message["body"]) == 64 * SMALL
        return turns

    assert asyncio.run(story()) >= 60


def test_a_large_body_is_read_beside_the_loop_and_a_small_one_at_once() -> None:
    here = threading.get_ident()
    assert asyncio.run(aside(SMALL, threading.get_ident)) == here
    assert asyncio.run(aside(SMALL + 1, threading.get_ident)) != here
