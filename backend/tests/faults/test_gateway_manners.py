"""Clients whose HTTP is not quite what the documents say: compressed bodies, base URLs with too much or too little, pages of
other origins, HEAD. Tried on every client wire and on our own API."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from backports import zstd

from agent_marketplace.settings import SettingsError, load
from agent_marketplace.vault import Secret
from tests.fakes.rig import MODEL, Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

HI = [{"role": "user", "content": "hi"}]
BODIES: dict[str, Any] = {
    "/v1/chat/completions": completion(),
    "/v1/responses": {"model": MODEL, "input": "hi"},
    "/v1/messages": {"model": MODEL, "max_tokens": 9, "messages": HI},
    "/api/chat": {"model": MODEL, "messages": HI, "stream": False},
    f"/v1beta/models/{MODEL}:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    "/api/v1/agents/completion": completion(),
    "/v1/messages/count_tokens": {"model": MODEL, "messages": HI},
}
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}


@on_rig(Behaviour(), balance=10**9)
async def test_a_client_that_compresses_its_bodies_is_answered_on_every_wire(rig: Rig) -> None:
    for path, body in BODIES.items():
        for coding, packed in CODINGS.items():
            answer = await rig.call(path, packed(json.dumps(body).encode()), {"content-encoding": coding})
            assert answer.status == 200, (path, coding, answer.body)


@on_rig(Behaviour(), balance=10**9)
async def test_a_long_packed_prompt_arrives_whole(rig: Rig) -> None:
    said = random.Random(5).randbytes(700_000).hex()
    body = json.dumps(completion(messages=[{"role": "user", "content": said}], model="gpt-4.1-nano")).encode()
    for coding, packed in CODINGS.items():
        answer = await rig.call("/v1/messages/count_tokens", packed(body), {"content-encoding": coding})
        plain = await rig.call("/v1/messages/count_tokens", body)
        assert (answer.status, answer.body) == (plain.status, plain.body), answer.body[:200]
        assert answer.json["input_tokens"] > 100_000


@on_rig(Behaviour(), balance=10**9)
async def test_a_body_that_cannot_be_unpacked_is_refused_in_the_wires_words(rig: Rig) -> None:
    whole = json.dumps(completion()).encode()
    bomb = gzip.compress(b" " * 40_000_000)
    for coding, raw, status in (
        ("br", whole, 415), ("gzip, zstd", whole, 415), ("zstd", b"\x28\xb5\x2f\xfd" + whole, 415), ("gzip", whole, 415),
        ("gzip", gzip.compress(whole)[:-9], 400), ("zstd", zstd.compress(whole)[:-1], 400),
        ("gzip", bomb, 413), ("zstd", zstd.compress(b" " * 40_000_000), 413), ("gzip", b"", 400),
    ):  # fmt: skip
        for path in ("/v1/chat/completions", "/v1/messages", "/api/v1/agents/completion", "/v1/embeddings"):
            answer = await rig.call(path, raw, {"content-encoding": coding})
            assert answer.status == status, (path, coding, answer.body)
            assert "error" in answer.json, (path, coding)
            assert ("success" in answer.json) is ("agents" in path)
    assert not rig.up.requests


@on_rig(Behaviour(), balance=10**9)
async def test_forms_that_unpack_to_megabytes_are_refused_before_anybody_is_known(rig: Rig) -> None:
    form = gzip.compress(json.dumps({"email": "a" * 3_000_000, "password": "x"}).encode())
    answer = await rig.call(
        "/api/v1/marketplace/auth/signup",
        form,
        {"content-encoding": "gzip", "content-type": "application/json"},
    )
    assert answer.status == 413, answer.body


@on_rig(Behaviour(), balance=10**9)
async def test_a_base_url_with_a_slash_or_a_version_too_many_or_too_few_is_served(rig: Rig) -> None:
    meant = {
        "/v1/chat/completions": ("//v1/chat/completions", "/v1//chat/completions", "/v1/v1/chat/completions",
                                 "/chat/completions", "/v1/chat/completions/", "/v1/v1/v1/chat/completions"),
        "/v1/responses": ("/responses", "/v1/v1/responses"),
        "/v1/messages": ("/messages", "//messages", "/v1/v1/messages"),
        "/v1/messages/count_tokens": ("/messages/count_tokens", "/v1/v1/messages/count_tokens"),
        "/api/chat": ("/v1/api/chat", "//api/chat"),
        f"/v1beta/models/{MODEL}:generateContent": (
            f"/models/{MODEL}:generateContent", f"/v1beta/v1beta/models/{MODEL}:generateContent",
            f"/v1/v1beta/models/{MODEL}:generateContent",
        ),
        "/api/v1/agents/completion": ("//api/v1/agents/completion", "/api/v1/agents/completion/"),
    }  # fmt: skip
    for right, spellings in meant.items():
        expected = await rig.call(right, BODIES[right])
        assert expected.status == 200, expected.body
        for path in spellings:
            answer = await rig.call(path, BODIES[right])
            assert (answer.status, sorted(answer.json)) == (200, sorted(expected.json)), (path, answer.body)
    for path in ("/models", "/v1/v1/models", f"/models/{MODEL}", "/health"):
        answer = await rig.call(path, b"", method="GET")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), path


@on_rig(Behaviour())
async def test_a_path_of_programs_that_is_not_there_is_never_the_web_page(rig: Rig) -> None:
    for method in ("GET", "POST", "HEAD"):
        for path in (
            "/v1",
            "/v1/",
            "/v1beta",
            "/v1/files",
            "/api",
            "/api/nothing",
            "/v1/chat/completion",
        ):
            answer = await (await rig.open(path, b"", {"connection": "close"}, method=method)).head()
            assert (answer.status, answer.headers["content-type"]) == (404, "application/json"), (
                method,
                path,
            )
    told = await rig.call("/v1/chat/completion", completion())
    assert "/v1/chat/completions" in told.error["message"]
    assert "ends in /v1" in told.error["message"]
    assert (await rig.call("/chat", b"", method="GET")).headers["content-type"].startswith("text/html")


@on_rig(Behaviour())
async def test_who_only_asks_whether_it_is_there_hears_yes(rig: Rig) -> None:
    for path in (
        "/",
        "/v1/models",
        f"/v1/models/{MODEL}",
        "/healthz",
        "/readyz",
        "/api/tags",
        "/api/v1/marketplace/models",
    ):
        exchange = await rig.open(path, b"", {"connection": "close"}, method="HEAD")
        assert (await exchange.head()).status == 200, path
        assert await exchange.reader.read() == b"", path
    refused = await rig.open("/v1/messages", b"", {"connection": "close"}, method="HEAD")
    assert (await refused.head()).headers["allow"] == "POST"
    nobody = await rig.open(
        "/v1/models", b"", {"authorization": "Bearer no", "connection": "close"}, method="HEAD"
    )
    assert (await nobody.head()).status == 401
    other = await rig.call("/v1/models", b"", method="PUT")
    assert other.headers["allow"] == "GET, HEAD"


# -- pages of other origins --------------------------------------------------------------------------------------------

PAGE = "https://app.example.com"
ASKED = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,x-stainless-os",
}


@on_rig(Behaviour(), balance=10**9, cors_origins=(PAGE,))
async def test_a_page_on_the_list_reads_answers_and_errors_and_no_other_page_does(rig: Rig) -> None:
    for path, body in BODIES.items():
        sent = await rig.call(path, b"", {"origin": PAGE, **ASKED}, method="OPTIONS")
        assert (sent.status, sent.headers["access-control-allow-origin"]) == (204, PAGE), path
        assert sent.headers["access-control-allow-headers"] == ASKED["access-control-request-headers"]
        assert "POST" in sent.headers["access-control-allow-methods"]
        for given in (body, {"model": "no-such-model"}):
            answer = await rig.call(path, given, {"origin": PAGE})
            assert answer.headers["access-control-allow-origin"] == PAGE, (path, answer.status)
            assert "retry-after" in answer.headers["access-control-expose-headers"]
        unknown = await rig.call(path, body, {"origin": PAGE, "authorization": "Bearer no"})
        assert (unknown.status, unknown.headers["access-control-allow-origin"]) == (401, PAGE)
        for origin in ("https://evil.example.com", "null", f"{PAGE}.evil.com", "http://app.example.com"):
            assert (
                "access-control-allow-origin" not in (await rig.call(path, body, {"origin": origin})).headers
            )
            refused = await rig.call(path, b"", {"origin": origin, **ASKED}, method="OPTIONS")
            assert (refused.status, "access-control-allow-origin" in refused.headers) == (405, False)
            assert refused.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
    page = await rig.call("/chat", b"", {"origin": PAGE}, method="GET")
    assert "access-control-allow-origin" not in page.headers


@on_rig(Behaviour(), balance=10**9, cors_origins=("*",))
async def test_a_star_lets_every_page_call_and_none_with_the_browsers_credentials(rig: Rig) -> None:
    answer = await rig.call("/v1/chat/completions", completion(), {"origin": "http://localhost:5173"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    odd = await rig.call(
        "/v1/models",
        b"",
        {"origin": "http://x", **ASKED, "access-control-request-headers": "a@b"},
        method="OPTIONS",
    )
    assert odd.headers["access-control-allow-headers"] == "authorization, content-type"
    assert "access-control-allow-origin" not in (await rig.chat()).headers


@on_rig(Behaviour(), balance=10**9)
async def test_without_a_list_no_page_of_another_origin_is_let_in(rig: Rig) -> None:
    answer = await rig.call("/v1/chat/completions", completion(), {"origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_origin_that_no_browser_sends_stops_the_start() -> None:
    given = "https://App.example.com, http://localhost:5173/,chrome-extension://abc"
    assert load({"MARKETPLACE_CORS_ORIGINS": given}).cors_origins == (
        "https://app.example.com", "http://localhost:5173", "chrome-extension://abc",
    )  # fmt: skip
    assert load({}).cors_origins == ()
    for wrong in ("app.example.com", "https://a/b", "*,https://a", "null", "https://*.example.com"):
        with pytest.raises(SettingsError, match="MARKETPLACE_CORS_ORIGINS"):
            load({"MARKETPLACE_CORS_ORIGINS": wrong})


# -- lists of models ---------------------------------------------------------------------------------------------------

CLAUDE = "claude-sonnet-4-6"


@on_rig(Behaviour(), balance=10**9)
async def test_a_picker_shows_what_answers_when_it_is_picked(rig: Rig) -> None:
    async def listed(path: str, **headers: str) -> set[str]:
        body = (await rig.call(path, b"", headers, method="GET")).json
        found = body.get("data") or body["models"]
        return {m["id"] if "id" in m else m["baseModelId"] for m in found}

    lists = (("/v1/models", {}), ("/v1/models", {"anthropic-version": "2023-06-01"}), ("/v1beta/models", {}))
    for path, headers in lists:
        mine, everything = await listed(path, **headers), await listed(f"{path}?all=true", **headers)
        assert "gpt-5.5" in mine < everything  # a model without a day of retirement
        assert CLAUDE in everything - mine
    for name in sorted(mine):
        rig.market.targets.resolve(name)
        assert rig.market.registry.resolve(name).is_available, name  # type: ignore[union-attr]
    await rig.market.vault.put(rig.user_id, "anthropic", Secret("sk-ant-of-my-own-0123456789"))
    rig.market.keys_changed(rig.user_id, "anthropic")
    for path, headers in lists:
        with_key = await listed(path, **headers)
        assert CLAUDE in with_key
        assert mine < with_key
