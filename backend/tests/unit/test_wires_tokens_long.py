"""What takes long to count is counted beside the event loop, in whatever part of a call it stands."""

import pytest

from agent_marketplace.providers.ollama import Pulled
from agent_marketplace.wires.base import Call, Message, OpaquePart, TextPart, Tool
from agent_marketplace.wires.shared.tokens import is_long

SAID = (Message("user", (TextPart("hi"),)),)
MANY = list(range(3_000))
DEEP = {"properties": {f"f{i}": {"type": "string"} for i in range(1_500)}}


@pytest.mark.parametrize(
    ("call", "long"),
    [
        (Call(model="m", messages=SAID, wire="openai"), False),
        (Call(model="m", messages=SAID, wire="openai", extra={"numbers": MANY}), True),
        (Call(model="m", messages=SAID, wire="openai", stop=("a",) * 3_000), True),
        (Call(model="m", messages=SAID, wire="openai", tools=(Tool("f", parameters=DEEP),)), True),
        (Call(model="m", messages=SAID, wire="openai", tools=(Tool("f", native=DEEP),)), True),
        (Call(model="m", messages=SAID, wire="openai", response_schema=DEEP), True),
        (Call(model="m", messages=(Message("user", (OpaquePart("openai", {"data": "A" * 200_000}),)),), wire="openai"), True),
        (Call(model="m", messages=SAID, wire="openai", tools=(Tool("f", parameters={"type": "object"}),)), False),
    ],
)  # fmt: skip
def test_no_part_of_a_call_is_gone_through_on_the_event_loop_however_many_it_has(
    call: Call, long: bool
) -> None:
    assert is_long(call) is long


def test_a_name_of_megabytes_is_not_searched_for_a_tag() -> None:
    name = "m" * 1_000_000 + ":7b"
    assert (Pulled().unheard(name), Pulled().unheard("m:7b") is None) == (None, False)
