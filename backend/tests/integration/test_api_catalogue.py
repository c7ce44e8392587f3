"""The catalogue and Q Assistant over HTTP, against the real server."""

import gzip
from collections.abc import Iterator

import pytest

from tests.fakes.server import AGENTS, MARKET, NUMBER, PAID, Client, Server, agreed, check, refused, running

MODEL = {
    "id": str, "name": str, "provider": str, "model_id": str, "pricing_tier": str, "cost_per_1k": (*NUMBER, None),
    "context_window": (int, None), "capabilities": [str], "rating": (*NUMBER, None), "use_count": int, "is_available": bool,
    "description": str, "prices": ({"input": (str, None), "output": (str, None)}, None), "max_input": (int, None),
    "max_output": (int, None), "offers_count": int, "rating_count": int, "released_on": (str, None),
    "retires_on": (str, None), "successor": (str, None), "unavailable_reason": (str, None), "tags": [str], "aliases": [str],
    "evidence": [{"label": str, "score": NUMBER, "source": str, "as_of": str}],
}  # fmt: skip
OFFER = {
    "id": str, "model_id": str, "provider": str, "upstream_id": str, "prices": (dict, None), "context": (int, None),
    "max_input": (int, None), "max_output": (int, None), "input_modalities": [str], "output_modalities": [str],
    "supported_parameters": [str], "source": str, "as_of": str, "retires_on": (str, None), "is_available": bool,
    "unavailable_reason": (str, None),
}  # fmt: skip
PICK = {
    "model": MODEL, "rank": int, "reasoning": str, "reasons": list, "score": NUMBER, "estimated_cost": NUMBER,
    "cost_range": {"p50": NUMBER, "p95": NUMBER}, "is_available": bool, "gives_up": (str, None),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_the_whole_catalogue_comes_in_one_reply_without_a_token(server: Server) -> None:
    body = agreed(
        server.anybody.get(f"{MARKET}/models?limit=5000"),
        {"models": [MODEL], "count": int, "total": int, "facets": dict},
    )
    assert body["count"] == body["total"] == len(body["models"]) >= 500
    check(body["facets"], {"tier": dict, "provider": dict, "capability": dict})
    assert {"gpt4", "claude3-opus", "llama2-7b"} <= {m["id"] for m in body["models"]}


def test_an_unchanged_list_costs_a_304_and_gzip_is_the_same_list(server: Server) -> None:
    first = server.anybody.get(f"{MARKET}/models?limit=5000")
    again = server.anybody.get(
        f"{MARKET}/models?limit=5000", if_none_match=f'"other", W/{first.headers["etag"]}'
    )
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    zipped = server.anybody.get(f"{MARKET}/models?limit=5000", accept_encoding="gzip")
    assert zipped.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in zipped.headers["vary"].lower()
    assert gzip.decompress(zipped.body) == first.body
    assert len(zipped.body) < len(first.body) / 3
    plain = server.anybody.get(f"{MARKET}/models?limit=5000", accept_encoding="gzip;q=0, identity")
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("tier=free", lambda m: m["pricing_tier"] == "free"),
        ("capability=vision", lambda m: "vision" in m["capabilities"]),
        ("capability=code&capability=vision", lambda m: {"code", "vision"} <= set(m["capabilities"])),
        ("provider=anthropic", lambda m: "anthropic" in (m["maker"], *m["providers"])),
        ("min_context=500000", lambda m: m["context_window"] >= 500_000),
        ("available=true", lambda m: m["is_available"]),
    ],
)
def test_filters_give_only_what_was_asked_for(server: Server, query: str, holds: object) -> None:
    body = agreed(server.anybody.get(f"{MARKET}/models?{query}&limit=5000"))
    assert body["models"] or query == "tier=free"
    assert all(holds(m) for m in body["models"])  # type: ignore[operator]


def test_pages_hold_every_model_exactly_once(server: Server) -> None:
    whole = [m["id"] for m in agreed(server.anybody.get(f"{MARKET}/models?limit=5000&sort=name"))["models"]]
    paged: list[str] = []
    while len(paged) < len(whole):
        page = agreed(server.anybody.get(f"{MARKET}/models?limit=400&sort=name&offset={len(paged)}"))[
            "models"
        ]
        assert page
        paged += [m["id"] for m in page]
    assert paged == whole
    assert len(set(whole)) == len(whole)


def test_what_can_be_used_now_comes_first_where_that_is_asked_for(server: Server) -> None:
    first = agreed(server.anybody.get(f"{MARKET}/models?limit=30&sort=ready"))
    whole = agreed(server.anybody.get(f"{MARKET}/models?limit=5000"))
    ranks = [(m["is_available"], not m["retired"]) for m in first["models"]]
    assert ranks == sorted(ranks, reverse=True)
    assert sum(m["is_available"] for m in first["models"]) == min(
        30, sum(m["is_available"] for m in whole["models"])
    )
    assert (first["total"], first["facets"]) == (whole["total"], whole["facets"])


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=x", "offset=-1", "tier=gold", "sort=colour", "min_context=many", "max_input_price=NaN", "local=maybe",
     "q=" + "x" * 3000, "capability=" + "y" * 500],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_a_400(server: Server, query: str) -> None:
    refused(server.anybody.get(f"{MARKET}/models?{query}"), 400, "invalid_request")


@pytest.mark.parametrize(
    ("typed", "meant"), [("claud opus", "claude"), ("gpt 5 mini", "gpt-5-mini"), ("lama 3 70b", "llama")]
)
def test_search_forgives_typing(server: Server, typed: str, meant: str) -> None:
    body = agreed(
        server.anybody.get(f"{MARKET}/models/search?q={typed.replace(' ', '+')}"),
        {"models": [MODEL], "query": str},
    )
    assert body["query"] == typed
    assert meant in body["models"][0]["id"]


def test_rankings_say_by_what(server: Server) -> None:
    for path in ("popular", "trending?period=month", "popular?limit=3"):
        body = agreed(server.anybody.get(f"{MARKET}/models/{path}"), {"models": [MODEL], "basis": str})
        assert body["models"]
    refused(server.anybody.get(f"{MARKET}/models/trending?period=century"), 400, "invalid_request")


def test_a_model_is_found_by_id_alias_and_encoded_slash_and_a_typo_names_the_nearest(server: Server) -> None:
    for name in (PAID, "openai%2Fgpt-4o-mini", "openai/gpt-4o-mini"):
        model = agreed(server.anybody.get(f"{MARKET}/models/{name}"), {"model": MODEL})["model"]
        assert model["id"] == PAID
        check(model, {"sources": dict, "price_history": list})
    missing = refused(
        server.anybody.get(f"{MARKET}/models/gpt-4o-minni"), 404, "model_not_found", nearest=[str]
    )
    assert missing["error"] == "Model not found"
    assert PAID in missing["nearest"]
    offers = agreed(server.anybody.get(f"{MARKET}/models/{PAID}/endpoints"), {"offers": [OFFER]})["offers"]
    assert {o["model_id"] for o in offers} == {PAID}
    refused(server.anybody.get(f"{MARKET}/models/no-such-model-at-all/endpoints"), 404, "model_not_found")
    feed = server.anybody.get(f"{MARKET}/models/feed.rss")
    assert (feed.status, feed.headers["content-type"].split(";")[0]) == (200, "application/rss+xml")


def test_prices_and_costs_are_exact_texts_not_floats(server: Server) -> None:
    text = server.anybody.get(f"{MARKET}/models/{PAID}").text
    assert '"input":"0.15"' in text
    assert '"output":"0.6"' in text
    assert '"cost_per_1k":0.0002625,' in text  # (3 x 0.15 + 0.60) / 4 per 1M


def test_favourites_are_kept_per_person(server: Server) -> None:
    ada, bob = server.person(), server.person()
    agreed(ada.call("PUT", f"{MARKET}/favourites/openai%2Fgpt-4o-mini"), {"favourites": [str]})
    assert agreed(ada.call("PUT", f"{MARKET}/favourites/{PAID}"))["favourites"] == [PAID]
    assert agreed(bob.get(f"{MARKET}/favourites"))["favourites"] == []
    refused(ada.call("PUT", f"{MARKET}/favourites/no-such-model-at-all"), 404, "model_not_found")
    assert agreed(ada.call("DELETE", f"{MARKET}/favourites/{PAID}"))["favourites"] == []


def test_only_who_paid_may_rate_and_only_once(server: Server) -> None:
    _, ada = server.person(), server.person()  # the first account of a server is its administrator's: trusted
    assert ada.post(f"{MARKET}/models/{PAID}/rating", {"stars": 5}).status == 403
    agreed(ada.post(f"{AGENTS}/completion", {"model": PAID, "prompt": "Hi"}))
    for stars in (5, 3):
        rated = agreed(ada.post(f"{MARKET}/models/{PAID}/rating", {"stars": stars}))
        # Noted, but what was paid with sign-up credit is no voice: nothing of it is shown.
        assert (rated["rating"], rated["rating_count"]) == (None, 0)
    for stars in (0, 6, "5 stars", None, 4.5):
        refused(ada.post(f"{MARKET}/models/{PAID}/rating", {"stars": stars}), 400, "invalid_request")


def test_advice_is_explained_and_affordable(server: Server) -> None:
    task = {"task": "Find out why this asyncio test fails now and then", "limit": 4}
    ada = server.person()
    body = agreed(
        ada.post(f"{MARKET}/recommendations", task),
        {
            "analysis": {"type": str, "confidence": NUMBER, "keywords": [str], "uncertain": bool},
            "recommendations": [PICK],
            "blocked": list,
        },
    )
    picks = body["recommendations"]
    assert [p["rank"] for p in picks] == list(range(1, len(picks) + 1))
    assert 1 <= len(picks) <= 4
    assert all(p["is_available"] and p["cost_range"]["p50"] <= p["cost_range"]["p95"] for p in picks)
    assert body["analysis"]["type"] == "debugging"
    cheap = agreed(ada.post(f"{MARKET}/recommendations", {**task, "priority": "cost", "max_cost": "0.001"}))
    assert all(p["estimated_cost"] <= NUMBER[1]("0.001") for p in cheap["recommendations"])
    unsure = agreed(ada.post(f"{MARKET}/recommendations", {"task": "help me please"}))
    assert unsure["analysis"]["uncertain"] is True
    assert unsure["analysis"]["question"]


@pytest.mark.parametrize(
    "body",
    [{}, {"task": 5}, {"task": "x", "limit": 0}, {"task": "x", "limit": 999}, {"task": "x", "priority": "luck"},
     {"task": "x", "max_cost": -1}, {"task": "x", "max_cost": "0.00000000001"}, {"task": "x", "input_tokens": 10**30},
     {"task": "x", "attachments": [{"kind": "hologram"}]}, {"task": "x" * 300_000}, {"task": "x", "surprise": 1}],
)  # fmt: skip
def test_a_malformed_question_is_a_400(server: Server, body: dict[str, object]) -> None:
    refused(server.person().post(f"{MARKET}/recommendations", body), 400, "invalid_request")


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"[]", "application/json", "JSON object"),
        (b'{"task": "Fix a bug"}', "text/plain", "Content-Type: application/json"),
        (b'{"task"', "application/json", "not valid JSON"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_in_words_that_help(
    server: Server, body: bytes, kind: str, words: str
) -> None:
    answer = server.person().send("POST", f"{MARKET}/recommendations", body, {"content-type": kind})
    refusal = refused(answer, 400, "invalid_request")
    assert words in refusal["error"]
    assert [f["field"] for f in refusal["fields"]] == ["body"]


def test_advice_for_a_wallet_is_not_given_to_who_does_not_say_whose(server: Server) -> None:
    """The guide's `@require_auth`: no credential and a dead one are both a 401, not advice without a balance."""
    for caller in (server.anybody, Client(server.anybody.port, "not-a-token")):
        refused(caller.post(f"{MARKET}/recommendations", {"task": "Fix a bug"}), 401, "invalid_token")


def test_providers_say_who_is_configured_and_never_with_which_key(server: Server) -> None:
    answer = server.anybody.get(f"{MARKET}/providers")
    kind = {"name": str, "configured": bool, "byok": bool, "base_url_set": bool, "models": int}
    found = {p["name"]: p for p in agreed(answer, {"providers": [kind]})["providers"]}
    assert found["openai"]["configured"]
    assert not found["mistral"]["configured"]
    assert "operator" not in answer.text
