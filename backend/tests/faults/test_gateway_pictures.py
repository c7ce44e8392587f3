"""A picture that a model made is paid for: it has to reach the client, or the client has to hear of it."""

import base64
import json
from typing import Any

from agent_marketplace.vault import Secret
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour
from tests.unit.test_wires_forms import PNG

CHAT, MODEL = "/v1/chat/completions", "gemini-2.5-flash-image"
HI = {"role": "user", "content": "a cat"}
ANSWER = {
    "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
        {"text": "Here: "}, {"inlineData": {"mimeType": "image/png", "data": PNG}},
    ]}}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1300, "totalTokenCount": 1305,
                      "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}]},
}  # fmt: skip
ROUTED = {
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Here: ", "images": [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1300, "total_tokens": 1305,
              "completion_tokens_details": {"image_tokens": 1290}},
}  # fmt: skip
LONE = {**ANSWER, "candidates": [{**ANSWER["candidates"][0], "content": {"parts": [  # type: ignore[index]
    {"inlineData": {"mimeType": "image/png", "data": PNG}}]}}]}  # fmt: skip


def answered(body: dict[str, Any], *, stream: bool) -> Behaviour:
    raw = json.dumps(body).encode()
    if not stream:
        return Behaviour(raw=raw)
    return Behaviour(raw=b"data: " + raw + b"\n\n", content_type="text/event-stream")


def asks(stream: bool) -> tuple[tuple[str, dict[str, Any]], ...]:
    chat = {"model": MODEL, "max_tokens": 2000, "messages": [HI], "stream": stream}
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    shown = {"responseModalities": ["TEXT", "IMAGE"], "maxOutputTokens": 2000}
    return (
        (CHAT, {**chat, "modalities": ["image", "text"], "image_config": {"aspect_ratio": "1:1"}}),
        (f"/v1beta/models/{MODEL}:{verb}", {"contents": [{"parts": [{"text": "a cat"}]}], "generationConfig": shown}),
        ("/v1/responses", {"model": MODEL, "input": "a cat", "max_output_tokens": 2000, "stream": stream}),
        ("/v1/messages", chat),
        ("/api/chat", {"model": MODEL, "messages": [HI], "stream": stream, "options": {"num_predict": 2000}}),
    )  # fmt: skip


async def cost_of(rig: Rig) -> int:
    price = rig.price(MODEL, next(p for p in rig.at if p != "openai"))
    shown = price.image_output or price.output  # the list price of the class, or of the one that is nearest
    return (5 * price.input + 10 * price.output + 1290 * shown) // 10**6


async def drawn(rig: Rig, provider: str, body: dict[str, Any], *, own: bool = False) -> None:
    for stream in (False, True):
        for path, ask in asks(stream):
            rig.at[provider].script[:] = [answered(body, stream=stream)]
            before = await rig.spent()
            told = await rig.call(path, {**ask, "fallback": False, "provider": {"only": [provider]}})
            assert (told.status, told.whole) == (200, True), (path, told.body)
            seen = PNG in told.body.decode()
            assert seen or b"The model made a picture (image/png" in told.body, (path, told.body)
            assert seen is (path not in ("/v1/messages", "/api/chat")), path
            assert await rig.spent() - before == (0 if own else await cost_of(rig)), path


@on_rig(Behaviour(), balance=10**12, others={"google": (Behaviour(),)})
async def test_pictures_of_gemini_reach_every_client_at_their_price(rig: Rig) -> None:
    await drawn(rig, "google", ANSWER)
    config = rig.at["google"].requests[0].json["generationConfig"]
    assert (config["responseModalities"], config["imageConfig"]) == (
        ["IMAGE", "TEXT"],
        {"aspectRatio": "1:1"},
    )
    rig.at["google"].script[:] = [answered(LONE, stream=True)]  # nothing but a picture is no empty answer
    told = await rig.call(CHAT, {**asks(True)[0][1], "provider": {"only": ["google"]}})
    (shown,) = (
        i
        for d in told.data
        if isinstance(d, dict)
        for c in d["choices"]
        for i in c["delta"].get("images", ())
    )
    assert base64.b64decode(shown["image_url"]["url"].partition(",")[2])[:4] == b"\x89PNG"


@on_rig(Behaviour(), balance=10**12, others={"openrouter": (Behaviour(),)})
async def test_pictures_of_openrouter_reach_every_client_on_their_own_key(rig: Rig) -> None:
    """QuantumNous/new-api#1723: Google's clients got none."""
    await rig.market.vault.put(rig.user_id, "openrouter", Secret("sk-or-my-very-own-key-0123456789"))
    await drawn(rig, "openrouter", ROUTED, own=True)
    assert rig.at["openrouter"].requests[1].json["modalities"] == ["text", "image"]


@on_rig(Behaviour(), balance=10**12, others={"openrouter": (Behaviour(),)})
async def test_pictures_that_no_list_prices_are_not_sold_at_the_price_of_words(rig: Rig) -> None:
    for stream in (False, True):
        for path, ask in asks(stream):
            told = await rig.call(path, {**ask, "fallback": False, "provider": {"only": ["openrouter"]}})
            assert told.status == 402, (path, told.body)
            assert b"pictures, speech or films" in told.body, (path, told.body)
    assert (rig.at["openrouter"].requests, await rig.spent()) == ([], 0)
