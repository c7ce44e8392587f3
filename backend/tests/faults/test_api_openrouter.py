"""OpenRouter's clients ask for more than completions; a 404 there reads as a broken provider (cline/cline#3003, one-api#2395)."""

from decimal import Decimal
from typing import Any

from agent_marketplace.accounts.keys import Cap
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour


async def asked(rig: Rig, path: str, key: str = "") -> Any:
    answer = await rig.call(path, b"", {"authorization": f"Bearer {key}"} if key else {}, method="GET")
    assert answer.status == 200, answer.body
    return answer.json["data"]


@on_rig(Behaviour(), balance=10**10)
async def test_a_key_knows_what_it_spent_and_what_is_left(rig: Rig) -> None:
    made = await rig.market.accounts.keys.create(
        rig.user_id, "mine", scopes=("inference",), cap=Cap(10**9, "day")
    )
    other = await rig.market.accounts.keys.create(rig.user_id, "other", scopes=("inference",))
    chat = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    said = await rig.call(
        "/api/v1/chat/completions", chat, {"authorization": f"Bearer {made.key}"}
    )  # OpenRouter's base URL
    cost = Decimal(rig.cost(11, 7)).scaleb(-9)
    for path in ("/api/v1/key", "/api/v1/auth/key", "/v1/key"):
        data = await asked(rig, path, made.key)
        assert (data["label"], data["limit"], data["limit_reset"]) == ("mine", 1, "day")
        assert Decimal(str(data["usage"])) == cost
        assert Decimal(str(data["limit_remaining"])) == 1 - cost
    assert (await asked(rig, "/api/v1/key", other.key))["usage"] == 0
    one = await asked(rig, f"/api/v1/generation?id={said.json['id']}", made.key)
    assert (one["id"], one["tokens_prompt"], one["native_tokens_completion"]) == (said.json["id"], 11, 7)
    assert Decimal(str(one["total_cost"])) == cost
    for key in (other.key, rig.key):  # another key's call is the account's, which needs leave to read it
        answer = await rig.call(
            f"/v1/generation?id={said.json['id']}", b"", {"authorization": f"Bearer {key}"}, method="GET"
        )
        assert answer.status == (404 if key == other.key else 200)
    whole = await asked(rig, "/api/v1/credits")
    assert Decimal(str(whole["total_usage"])) == cost
    assert Decimal(str(whole["total_credits"])) - cost == 10 - cost
    refused = await rig.call("/api/v1/credits", b"", {"authorization": f"Bearer {made.key}"}, method="GET")
    assert refused.status == 403


@on_rig(Behaviour(), balance=10**10)
async def test_the_list_of_models_has_the_fields_that_openrouters_clients_read(rig: Rig) -> None:
    row = next(m for m in await asked(rig, "/api/v1/models") if m["id"] == "gpt-4o-mini")
    assert (row["pricing"]["prompt"], row["pricing"]["completion"]) == ("0.00000015", "0.0000006")
    assert row["top_provider"]["max_completion_tokens"] == 16384
    assert row["architecture"]["modality"].endswith("->text")
