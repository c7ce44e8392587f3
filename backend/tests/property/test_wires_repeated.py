"""Arguments of a call, by pieces in any of the ways in which servers send them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.wires.shared.called import Calls
from agent_marketplace.wires.shared.repeated import Scan


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects inside objects under the same name, so that one begins as the other does."""
    return st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2) | st.lists(inner, max_size=2)


VALUES = st.recursive(
    st.integers(-9, 9) | st.text(max_size=3) | st.sampled_from([None, True, 1.5e9]), nested, max_leaves=8
).map(lambda value: {"a": value})


@given(VALUES, st.sampled_from([None, 1]), st.data())
def test_no_arguments_lose_or_double_a_level(value: Any, indent: int | None, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    # By pieces; as snapshots; and by pieces with the whole once more at the end.
    for sent in (pieces, [text[:b] for b in (*cuts, len(text))], [*pieces, text]):
        calls = Calls()
        calls.piece(0, "c", "f", "")
        told = [calls.piece(0, "", "", piece) for piece in sent]
        assert "".join(t.arguments for t in (*told, *calls.closed()) if t is not None) == text


@given(VALUES, st.sampled_from("]}{[,:x"))
def test_every_beginning_of_a_text_is_one_and_a_letter_too_many_is_none(value: Any, more: str) -> None:
    text, scan = json.dumps(value, indent=1), Scan()
    for letter in text:
        assert scan.alive
        assert not scan.whole
        scan.feed(letter)
    assert scan.whole
    assert Scan().feed(text).whole
    assert not scan.feed(more).alive
