"""What was done with a caller's fields is told to the caller: on the receipt, and by name in a header."""

from tests.fakes.rig import MODEL, Rig, on_rig
from tests.fakes.upstream import Behaviour

ASK = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


@on_rig(Behaviour(), balance=10**9)
async def test_a_field_that_did_not_reach_the_provider_is_on_the_receipt_and_in_the_header(rig: Rig) -> None:
    for stream in (False, True):
        answer = await rig.call("/v1/messages", {**ASK, "stream": stream, "a_field_of_tomorrow": "secret"})
        assert "a_field_of_tomorrow" not in rig.up.requests[-1].json
        assert answer.headers["x-marketplace-notes"] == "a_field_of_tomorrow"
        path = f"/api/v1/marketplace/generations/{answer.headers['x-generation-id']}"
        receipt = (await rig.call(path, b"", method="GET")).json["generation"]
        assert receipt["dropped_parameters"] == ["a_field_of_tomorrow"]
        assert [(n["field"], n["act"]) for n in receipt["notes"]] == [("a_field_of_tomorrow", "left_out")]
        assert "secret" not in str(receipt)
    assert "x-marketplace-notes" not in (await rig.chat()).headers
