"""Hundreds of thousands of stop sequences are refused before anything looks at each of them."""

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway.needs import MOST_STOPS, read
from agent_marketplace.wires.base import Call, Message, TextPart, WireName

SAID = (Message("user", (TextPart("hi"),)),)


@pytest.mark.parametrize(("wire", "name"), [("openai", "stop"), ("anthropic", "stop_sequences")])
def test_no_call_has_more_stop_sequences_than_can_be_looked_at(wire: WireName, name: str) -> None:
    read(Call(model="m", messages=SAID, wire=wire, stop=("a",) * MOST_STOPS), 1)
    with pytest.raises(BadRequest, match=f"^{name}: must be at most"):
        read(Call(model="m", messages=SAID, wire=wire, stop=("a",) * (MOST_STOPS + 1)), 1)
