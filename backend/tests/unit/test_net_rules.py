"""What both clients hold answers to, also where their parsers would let it pass; what they remember stays bounded."""

import pytest

from agent_marketplace.net.errors import ProtocolError
from agent_marketplace.net.http import OutboundRequest
from agent_marketplace.net.rules import Targets, framing


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "5, 5"},
        {"content-length": "5", "transfer-encoding": "chunked"},
        {"content-length": "+5"},
        {"content-length": "-1"},
        {"content-length": "٥"},
        {"content-length": ""},
        {"transfer-encoding": "gzip, chunked"},
        {},
    ],
)
def test_an_answer_whose_end_is_uncertain_never_shares_a_connection_with_the_next(
    headers: dict[str, str],
) -> None:
    with pytest.raises(ProtocolError):
        framing(200, headers, closes=False)


def test_urls_made_up_by_users_do_not_fill_the_memory() -> None:
    targets = Targets(limit=3)
    for i in range(10):
        target = targets.of(OutboundRequest("GET", f"https://h{i}.example.com/"))
        assert target.host == f"h{i}.example.com"
    assert len(targets._known) <= 3
