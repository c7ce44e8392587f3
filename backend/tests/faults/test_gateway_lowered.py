"""Agents ask for 32,000 tokens by habit. A wallet with money for a good answer is not to end in a 402 for that."""

from typing import Any

from agent_marketplace.accounts.keys import Cap
from tests.fakes.rig import MODEL, Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

ASK = [{"role": "user", "content": "Say something."}]
MOST = 16_384  # of MODEL
ENOUGH = 5_000_000  # nano-dollars: some 8,000 tokens of it, not 16,384


def bodies(length: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """(path, body) by wire: clients that ask for this length, each in its own words."""
    gemini = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": length}}
    return {
        "openai": ("/v1/chat/completions", completion(max_tokens=length)),
        "openai, newer name": ("/v1/chat/completions", completion(max_completion_tokens=length)),
        "responses": ("/v1/responses", {"model": MODEL, "input": "hi", "max_output_tokens": length}),
        "anthropic": ("/v1/messages", {"model": MODEL, "max_tokens": length, "messages": ASK}),
        "gemini": (f"/v1beta/models/{MODEL}:generateContent", gemini),
        "ollama": (
            "/api/chat",
            {"model": MODEL, "stream": False, "messages": ASK, "options": {"num_predict": length}},
        ),
    }


async def receipt_of(rig: Rig, request_id: str) -> dict[str, Any]:
    path = f"/api/v1/marketplace/generations/{request_id}"
    return (await rig.call(path, b"", method="GET")).json["generation"]


@on_rig(Behaviour(usage=(11, 20)), balance=ENOUGH)
async def test_on_every_clients_wire_the_length_becomes_what_the_balance_buys_and_that_is_told(
    rig: Rig,
) -> None:
    for wire, (path, body) in bodies(32_000).items():
        answer = await rig.call(path, body)
        assert answer.status == 200, (wire, answer.body)
        told = int(answer.headers["x-marketplace-max-tokens"])
        assert 1024 <= told < MOST
        assert "max_tokens" in answer.headers["x-marketplace-notes"]
        sent = rig.up.requests[-1].json
        assert sent.get("max_completion_tokens", sent.get("max_tokens")) == told, wire
        notes = (await receipt_of(rig, answer.headers["x-generation-id"]))["notes"]
        assert [n["act"] for n in notes if n["field"] == "max_tokens"] == ["lowered"]
        await rig.quiet()


@on_rig(Behaviour(usage=(11, 20)), balance=10**9)
async def test_a_wallet_that_covers_the_length_is_told_nothing(rig: Rig) -> None:
    answer = await rig.chat(max_tokens=32_000)
    assert answer.status == 200
    assert "x-marketplace-max-tokens" not in answer.headers
    assert "x-marketplace-notes" not in answer.headers


@on_rig(Behaviour(usage=(11, 20)), balance=ENOUGH)
async def test_max_cost_our_own_api_and_too_little_money_keep_their_402_with_its_three_amounts(
    rig: Rig,
) -> None:
    for refused in (
        await rig.chat(max_tokens=32_000, max_cost=0.005),
        await rig.call("/api/v1/agents/completion", completion(max_tokens=32_000)),
        await rig.chat(max_tokens=32_000, n=9),
    ):
        assert refused.status == 402
    words, numbers = refused.error["message"], refused.error["metadata"]
    assert f"${numbers['required']:.9f}".rstrip("0") in words
    assert f"up to {MOST * 9:,} tokens" in words
    assert f"${numbers['available']:.9f}".rstrip("0") + " is left" in words
    assert rig.up.requests == []


@on_rig(Behaviour(usage=(11, 20)), balance=ENOUGH, lower_max_tokens=False)
async def test_the_operators_switch_keeps_the_402(rig: Rig) -> None:
    assert [(await rig.call(path, body)).status for path, body in bodies(32_000).values()] == [402] * 6


@on_rig(Behaviour(usage=(11, 20)), balance=10**9)
async def test_a_keys_cap_lowers_the_length_too(rig: Rig) -> None:
    key = await rig.market.accounts.keys.create(rig.user_id, "capped", cap=Cap(ENOUGH))
    answer = await (
        await rig.open(
            "/v1/chat/completions", completion(max_tokens=32_000), {"authorization": f"Bearer {key.key}"}
        )
    ).rest()
    assert answer.status == 200
    assert 1024 <= int(answer.headers["x-marketplace-max-tokens"]) < MOST


@on_rig(Behaviour(usage=(11, 20)), balance=ENOUGH)
async def test_a_stream_ends_as_length_when_the_lowered_length_is_reached(rig: Rig) -> None:
    finished = b'{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}'
    pieces = (b'{"choices":[{"index":0,"delta":{"content":"ok"}}]}', finished, b"[DONE]")
    rig.up.script[:] = [Behaviour(frames=tuple(b"data: " + p + b"\n\n" for p in pieces))]
    answer = await rig.chat(stream=True, max_tokens=32_000)
    assert int(answer.headers["x-marketplace-max-tokens"]) < MOST
    assert any(c.get("finish_reason") == "length" for e in answer.data[:-1] for c in e["choices"])
