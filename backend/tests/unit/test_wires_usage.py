"""Usage reports against golden files: disjoint classes, absent is not zero, hostile values are refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_marketplace.usage import Usage
from agent_marketplace.wires.shared import reported

GOLDEN = Path(__file__).parent.parent / "golden"
READERS = {
    "openai": reported.from_openai,
    "responses": reported.from_responses,
    "anthropic": reported.from_anthropic,
    "gemini": reported.from_gemini,
    "ollama": reported.from_ollama,
}


def cases() -> list[Any]:
    rows = []
    for wire in READERS:
        for row in msgspec.json.decode((GOLDEN / f"usage_{wire}.json").read_bytes()):
            rows.append(pytest.param(wire, row["payload"], row["usage"], id=f"{wire}: {row['case']}"))
    return rows


@pytest.mark.parametrize(("wire", "payload", "expected"), cases())
def test_no_token_is_billed_twice_or_lost(wire: str, payload: Any, expected: Any) -> None:
    if expected == "refused":
        with pytest.raises(reported.UsageRefused):
            READERS[wire](payload)
        return
    assert READERS[wire](payload) == (None if expected is None else Usage(**expected))
