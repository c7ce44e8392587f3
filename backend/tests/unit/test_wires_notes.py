"""A caller can't see what was done with a field of theirs, or writes the server's records and headers by naming fields."""

from agent_marketplace.wires import notes
from agent_marketplace.wires.base import OutboundCall
from agent_marketplace.wires.notes import Note


def test_what_was_dropped_and_what_was_noted_are_told_together() -> None:
    noted = (Note("max_tokens", "lowered", "this model writes at most 100"),)
    out = OutboundCall(path="", body=b"", dropped=("seed",), notes=noted)
    assert [(n.field, n.act) for n in out.told()] == [("max_tokens", "lowered"), ("seed", "left_out")]
    assert all(n.reason for n in out.told())
    assert OutboundCall(path="", body=b"").told() == ()


def test_names_of_fields_are_bounded_in_number_length_and_letters() -> None:
    hostile = ["x" * 10_000_000, "a\r\nset-cookie: b", "é" * 10, *(f"f{i}" for i in range(1000))]
    told = OutboundCall(path="", body=b"", dropped=tuple(hostile)).told()
    assert len(told) == notes.MOST
    assert max(len(n.field) for n in told) < 200
    assert [n.field for n in told[1:3]] == ["a??set-cookie:b", "?" * 10]


def test_the_header_holds_names_only_and_ends_with_a_whole_one() -> None:
    told = notes.left_out((f"messages[{i}].content[0].cache" for i in range(60)), "because")
    value = notes.header(told)
    assert len(value) <= 1024
    assert set(value.split(", ")) <= {n.field for n in told}
    assert notes.header(notes.left_out(("seed", "seed"), "w")) == "seed"
