"""The whole story, as a stranger lives it: a real server, the real local model, the real ledger."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.server import AGENTS, MARKET, agreed, local_model_or_reason, running

LOCAL = "smollm2-135m"


@pytest.mark.local_model
def test_a_stranger_signs_up_searches_asks_chats_and_sees_the_exact_bill(tmp_path: Path) -> None:
    reason = local_model_or_reason()
    if reason is not None:
        print(f"skipped: the local model's weights are not here and can't be fetched: {reason}")
        pytest.skip(reason)
    with running(tmp_path, local_model=True) as server:
        ada = server.person("ada@example.com")
        assert '"balance":5,' in ada.get(f"{MARKET}/billing/balance").text
        found = agreed(ada.get(f"{MARKET}/models/search?q=smolm"))["models"]
        assert LOCAL in [m["id"] for m in found]
        advice = agreed(
            ada.post(f"{MARKET}/recommendations", {"task": "Write a haiku about rain", "limit": 5})
        )
        assert advice["recommendations"]
        turn = {
            "model": LOCAL,
            "message": "Say hello in one short sentence.",
            "stream": True,
            "max_tokens": 24,
            "temperature": 0,
        }
        events = ada.post(f"{AGENTS}/chat", turn).events
        done = events[-1]
        assert done["type"] == "done", done
        said = "".join(e["delta"] for e in events if e["type"] == "delta")
        assert said.strip()
        assert said == done["result"]
        assert len([e for e in events if e["type"] == "delta"]) > 1
        assert done["provider"] == "local"
        usage = done["usage"]
        assert 0 < usage["output_tokens"] <= 24
        assert not usage["estimated"]

        model = agreed(ada.get(f"{MARKET}/models/{LOCAL}"))["model"]
        price = {side: Decimal(model["prices"][side]) for side in ("input", "output")}
        bill = (usage["input_tokens"] * price["input"] + usage["output_tokens"] * price["output"]) / 1_000_000
        assert done["cost"] == bill
        assert done["balance_remaining"] == 5 - bill
        receipt = agreed(ada.get(f"{MARKET}/generations/{done['request_id']}"))["generation"]
        assert receipt["cost"] == bill
        entries = agreed(ada.get(f"{MARKET}/billing/statement"))["entries"]
        assert sum(Decimal(e["amount"]) for e in entries) == 5 - bill
        kept = agreed(ada.get(f"{AGENTS}/conversations/{done['conversation_id']}"))["messages"]
        assert [(m["role"], m["content"]) for m in kept] == [("user", turn["message"]), ("assistant", said)]
        paid = ada.post(f"{AGENTS}/completion", {"model": "gpt-4o-mini", "prompt": "Hi"})
        assert '"cost":0.00000585' in paid.text
        verified = server.command("ledger", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
