"""Completions, chats, conversations, runs and agents over HTTP, against the real server and a scripted provider."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.server import AGENTS, MARKET, NUMBER, PAID, Client, Server, agreed, check, refused, running
from tests.fakes.upstream import Behaviour

COMPLETION = {
    "result": str, "tokens_used": int, "cost": NUMBER, "balance_remaining": NUMBER, "model": str, "provider": str,
    "finish_reason": str, "usage": {"input_tokens": int, "output_tokens": int}, "request_id": str,
}  # fmt: skip
TURN = {**COMPLETION, "conversation_id": str, "message_id": str, "user_message_id": str}
HEAD = {"id": str, "title": str, "model": str, "updated_at": str, "messages": int, "pinned": bool}
MESSAGE = {
    "id": str, "parent_id": (str, None), "role": str, "content": str, "created_at": str, "model": (str, None), "cost": NUMBER,
    "provider": (str, None), "request_id": (str, None), "status": str, "finish_reason": (str, None), "images": list,
}  # fmt: skip
HISTORY = {
    "id": str,
    "role": str,
    "content": str,
    "timestamp": str,
    "model": (str, None),
    "cost": NUMBER,
    "conversation_id": str,
}
AGENT = {"id": str, "name": str, "model": str, "instructions": str, "parameters": dict}
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(autouse=True)
def _friendly(server: Server) -> None:
    server.upstream.script()


def chat(who: Client, **body: Any) -> dict[str, Any]:
    return agreed(who.post(f"{AGENTS}/chat", {"model": PAID, **body}), TURN)


def asked(server: Server) -> list[tuple[str, Any]]:
    """Role and content of the messages that the provider got last."""
    return [(m["role"], m["content"]) for m in server.upstream.fake.requests[-1].json["messages"]]


def event(stream: HTTPResponse) -> dict[str, Any]:
    """The next event that carries data."""
    while line := stream.readline():
        if line.startswith(b"data: "):
            found: dict[str, Any] = json.loads(line[6:])
            return found
    raise AssertionError("the stream has ended")


def test_a_completion_has_the_guides_fields_and_options_give_way_to_the_top_level(server: Server) -> None:
    ada = server.person()
    body = agreed(
        ada.post(
            f"{AGENTS}/completion",
            {"model": PAID, "prompt": "Hi", "max_tokens": 9, "options": {"max_tokens": 5, "temperature": 0.5}},
        ),
        COMPLETION,
    )  # fmt: skip
    assert (body["result"], body["tokens_used"], body["finish_reason"]) == (
        "Hello from the fake upstream .",
        18,
        "stop",
    )
    sent = server.upstream.fake.requests[-1].json
    assert (sent.get("max_tokens") or sent["max_completion_tokens"], sent["temperature"]) == (9, 0.5)
    assert asked(server) == [("user", "Hi")]
    agreed(
        ada.post(f"{AGENTS}/completion", {"model": PAID, "messages": [{"role": "user", "content": "Hi"}]}),
        COMPLETION,
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model": PAID},
        {"prompt": "Hi"},
        {"model": 5, "prompt": "Hi"},
        {"model": PAID, "prompt": 5},
        {"model": PAID, "messages": []},
        {"model": PAID, "messages": [{"role": "wizard", "content": "x"}]},
        {"model": PAID, "messages": "Hi"},
        {"model": PAID, "prompt": "Hi", "max_tokens": -1},
        {"model": PAID, "prompt": "Hi", "max_tokens": "many"},
        {"model": PAID, "prompt": "Hi", "temperature": "hot"},
        {"model": PAID, "prompt": "Hi", "stream": "yes"},
        {"model": PAID, "prompt": "Hi", "options": []},
        {"model": PAID, "prompt": "Hi", "max_cost": "lots"},
        {"model": PAID, "prompt": "Hi", "byok": "maybe"},
        {"model": PAID, "prompt": "Hi", "images": ["http://127.0.0.1/x.png"]},
        [1],
        "text",
    ],
)
def test_a_malformed_completion_is_a_400_and_reaches_no_provider(server: Server, body: object) -> None:
    before = len(server.upstream.fake.requests)
    refused(server.person().call("POST", f"{AGENTS}/completion", body), 400, "invalid_request")
    assert len(server.upstream.fake.requests) == before


def test_unknown_model_path_and_method_are_told_apart(server: Server) -> None:
    ada = server.person()
    refused(
        ada.post(f"{AGENTS}/completion", {"model": "gpt-4o-minni", "prompt": "x"}),
        404,
        "model_not_found",
        nearest=[str],
    )
    refused(ada.get(f"{AGENTS}/no/such/path/at/all"), 404, "not_found")
    wrong = ada.get(f"{AGENTS}/completion")
    refused(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"
    refused(ada.call("PUT", f"{MARKET}/auth/signup", {}), 405, "method_not_allowed")


def test_a_body_over_the_limit_is_a_413_before_it_is_read(server: Server) -> None:
    ada = server.person()
    answer = ada.send(
        "POST",
        f"{AGENTS}/completion",
        b"{",
        {"content-length": str(1 << 30), "content-type": "application/json"},
    )
    refused(answer, 413, "payload_too_large")


@pytest.mark.parametrize(("status", "told"), [(500, 502), (503, 502), (429, 429), (401, 502)])
def test_a_providers_failure_is_never_a_500_and_costs_nothing(tmp_path: Path, status: int, told: int) -> None:
    with running(tmp_path) as server:
        ada = server.person()
        server.upstream.script(
            Behaviour(status=status, headers={"Retry-After": "30"} if status == 429 else {})
        )
        answer = ada.post(f"{AGENTS}/completion", {"model": PAID, "prompt": "Hi", "fallback": False})
        body = refused(answer, told, answer.json["code"])
        if status == 429:
            assert 25 <= int(answer.headers["retry-after"]) <= 30
            assert body["retry_after"] == int(answer.headers["retry-after"])
        assert agreed(ada.get(f"{MARKET}/billing/balance"))["balance"] == 5


def test_a_stream_has_one_start_deltas_and_one_end_that_is_the_plain_reply(server: Server) -> None:
    ada = server.person()
    answer = ada.post(
        f"{AGENTS}/chat", {"model": PAID, "message": "Hi", "stream": True, "run_id": "run_" + "a" * 32}
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.events
    assert [e["_id"] for e in events] == list(range(len(events)))
    kinds = [e["type"] for e in events]
    assert kinds[0] == "start"
    assert kinds[-1] == "done"
    assert set(kinds[1:-1]) == {"delta"}
    check(
        events[0],
        {
            "request_id": str,
            "run_id": str,
            "model": str,
            "provider": str,
            "conversation_id": str,
            "message_id": str,
        },
    )
    assert events[0]["run_id"] == "run_" + "a" * 32
    check(events[-1], {"success": bool, **TURN, "timings": {"first_token_ms": int, "total_ms": int}})
    assert "".join(e["delta"] for e in events[1:-1]) == events[-1]["result"]
    assert "0.00000585" in answer.text


def test_a_stream_that_breaks_ends_in_one_typed_error_with_its_cost(server: Server) -> None:
    ada = server.person()
    server.upstream.script(Behaviour(cut_after=3))
    events = ada.post(f"{AGENTS}/chat", {"model": PAID, "message": "Hi", "stream": True}).events
    assert [e["type"] for e in events].count("error") == 1
    last = events[-1]
    check(last, {"type": str, "success": bool, "error": str, "code": str, "request_id": str, "cost": NUMBER,
                 "balance_remaining": NUMBER, "partial": (bool, str)})  # fmt: skip
    assert agreed(ada.get(f"{MARKET}/billing/balance"))["balance"] == 5 - last["cost"]
    kept = agreed(ada.get(f"{AGENTS}/conversations/{events[0]['conversation_id']}"))["messages"][-1]
    assert (kept["status"], kept["content"]) == (
        "partial",
        "".join(e["delta"] for e in events if e["type"] == "delta"),
    )


def test_a_conversation_remembers_edits_branches_and_answers_again(server: Server) -> None:
    ada = server.person()
    first = chat(ada, message="One", system="Be brief")
    assert asked(server) == [("system", "Be brief"), ("user", "One")]
    place = {"conversation_id": first["conversation_id"]}
    second = chat(ada, message="Two", **place)
    assert [text for _, text in asked(server)] == ["One", first["result"], "Two"]
    edited = chat(ada, message="Two, edited", parent_id=first["message_id"], **place)
    assert [text for _, text in asked(server)] == ["One", first["result"], "Two, edited"]
    again = agreed(
        ada.post(f"{AGENTS}/chat", {"model": PAID, "parent_id": second["user_message_id"], **place})
    )
    assert asked(server)[-1] == ("user", "Two")
    chat(ada, message="A new root", parent_id=None, **place)
    assert asked(server) == [("user", "A new root")]
    body = agreed(
        ada.get(f"{AGENTS}/conversations/{first['conversation_id']}"),
        {"conversation": HEAD, "messages": [MESSAGE]},
    )
    parents = {m["id"]: m["parent_id"] for m in body["messages"]}
    assert len(parents) == 9
    assert parents[edited["user_message_id"]] == parents[second["user_message_id"]] == first["message_id"]
    assert parents[again["message_id"]] == parents[second["message_id"]] == second["user_message_id"]
    assert list(parents.values()).count(None) == 2
    bob = server.person()
    for path in ("", "/export"):
        refused(bob.get(f"{AGENTS}/conversations/{first['conversation_id']}{path}"), 404, "not_found")
    refused(bob.post(f"{AGENTS}/chat", {"model": PAID, "message": "x", **place}), 404, "not_found")
    refused(
        ada.post(f"{AGENTS}/chat", {"model": PAID, "message": "x", "parent_id": "msg_none", **place}),
        404,
        "not_found",
    )


def test_conversations_are_listed_searched_renamed_pinned_exported_and_deleted(server: Server) -> None:
    ada = server.person()
    ids = [chat(ada, message=f"about {word}")["conversation_id"] for word in ("zebras", "yaks", "wombats")]
    seen, cursor = [], ""
    while cursor is not None:
        page = agreed(
            ada.get(f"{AGENTS}/conversations?limit=2{cursor and '&cursor=' + cursor}"),
            {"conversations": [HEAD], "next_cursor": (str, None)},
        )
        seen += [c["id"] for c in page["conversations"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]
    assert [c["id"] for c in agreed(ada.get(f"{AGENTS}/conversations?q=yaks"))["conversations"]] == [ids[1]]
    changed = agreed(
        ada.call("PATCH", f"{AGENTS}/conversations/{ids[0]}", {"title": "Stripes", "pinned": True}),
        {"conversation": HEAD},
    )
    assert (changed["conversation"]["title"], changed["conversation"]["pinned"]) == ("Stripes", True)
    for form, kind in (("markdown", "text/markdown"), ("json", "application/json")):
        file = ada.get(f"{AGENTS}/conversations/{ids[0]}/export?format={form}")
        assert file.headers["content-type"].startswith(kind)
        assert file.headers["content-disposition"].startswith("attachment")
        assert "about zebras" in file.text
    refused(ada.get(f"{AGENTS}/conversations/{ids[0]}/export?format=pdf"), 400, "invalid_request")
    refused(
        ada.call("PATCH", f"{AGENTS}/conversations/{ids[0]}", {"title": "x" * 500}), 400, "invalid_request"
    )
    agreed(ada.call("DELETE", f"{AGENTS}/conversations/{ids[0]}"))
    refused(ada.get(f"{AGENTS}/conversations/{ids[0]}"), 404, "not_found")
    refused(ada.get(f"{AGENTS}/conversations?cursor=%00nonsense"), 400, "invalid_request")


def test_history_is_the_same_at_both_paths_and_pages(server: Server) -> None:
    ada = server.person()
    for n in range(3):
        chat(ada, message=f"Question {n}")
    for path in (
        f"{AGENTS}/{PAID}/history",
        f"{AGENTS}/agents/{PAID}/history",
        f"{AGENTS}/openai%2Fgpt-4o-mini/history",
    ):
        body = agreed(ada.get(path), {"messages": [HISTORY], "next_cursor": (str, None)})
        assert sorted(m["role"] for m in body["messages"]) == ["assistant"] * 3 + ["user"] * 3
    seen, cursor = set(), ""
    while cursor is not None:
        page = agreed(ada.get(f"{AGENTS}/{PAID}/history?limit=2{cursor and '&cursor=' + cursor}"))
        seen |= {m["id"] for m in page["messages"]}
        cursor = page["next_cursor"]
    assert len(seen) == 6
    assert agreed(server.person().get(f"{AGENTS}/{PAID}/history"))["messages"] == []
    refused(ada.get(f"{AGENTS}/no-such-model-at-all/history"), 404, "model_not_found")
    refused(ada.get(f"{AGENTS}/agt_none/history"), 404, "not_found")


def test_an_agent_is_a_preset_with_versions_that_nobody_else_sees(server: Server) -> None:
    ada, bob = server.person(), server.person()
    preset = {
        "name": "Pirate",
        "model": PAID,
        "instructions": "Talk like a pirate",
        "parameters": {"temperature": 0.25},
    }
    made = agreed(ada.post(f"{AGENTS}/agents", preset), {"agent": AGENT})["agent"]
    answer = agreed(ada.post(f"{AGENTS}/chat", {"agent_id": made["id"], "message": "Hi"}), TURN)
    assert asked(server) == [("system", "Talk like a pirate"), ("user", "Hi")]
    assert server.upstream.fake.requests[-1].json["temperature"] == 0.25
    assert [m["content"] for m in agreed(ada.get(f"{AGENTS}/{made['id']}/history"))["messages"]].count(
        answer["result"]
    ) == 1
    agreed(ada.call("PATCH", f"{AGENTS}/agents/{made['id']}", {"name": "Captain"}), {"agent": AGENT})
    assert [a["name"] for a in agreed(ada.get(f"{AGENTS}/agents"), {"agents": [AGENT]})["agents"]] == [
        "Captain"
    ]
    agreed(ada.get(f"{AGENTS}/agents/{made['id']}"), {"agent": AGENT})
    for answer in (
        bob.get(f"{AGENTS}/agents/{made['id']}"),
        bob.call("PATCH", f"{AGENTS}/agents/{made['id']}", {"name": "Mine"}),
        bob.call("DELETE", f"{AGENTS}/agents/{made['id']}"),
        bob.post(f"{AGENTS}/chat", {"agent_id": made["id"], "message": "Hi"}),
    ):
        refused(answer, 404, "not_found")
    refused(
        ada.post(f"{AGENTS}/agents", {"name": "x", "model": "no-such-model-at-all"}), 400, "model_not_found"
    )
    agreed(ada.call("DELETE", f"{AGENTS}/agents/{made['id']}"))
    refused(ada.get(f"{AGENTS}/agents/{made['id']}"), 404, "not_found")


def test_an_agent_is_asked_and_priced_by_its_id_without_a_conversation_too(server: Server) -> None:
    """A temporary chat, or a program, that named an agent was told that there is no such model."""
    ada, bob = server.person(), server.person()
    preset = {
        "name": "Pirate",
        "model": PAID,
        "instructions": "Talk like a pirate",
        "parameters": {"temperature": 0.25},
    }
    agent = agreed(ada.post(f"{AGENTS}/agents", preset), {"agent": AGENT})["agent"]["id"]
    body = {"model": agent, "prompt": "Hi"}
    answer = agreed(ada.post(f"{AGENTS}/completion", body), COMPLETION)
    assert answer["model"] == PAID
    assert asked(server) == [("system", "Talk like a pirate"), ("user", "Hi")]
    assert server.upstream.fake.requests[-1].json["temperature"] == 0.25
    agreed(
        ada.post(f"{AGENTS}/completion", {**body, "system": "Talk like a king", "temperature": 0.5}),
        COMPLETION,
    )
    assert asked(server)[0] == ("system", "Talk like a king")
    assert server.upstream.fake.requests[-1].json["temperature"] == 0.5
    plain = agreed(ada.post(f"{AGENTS}/estimate", {"model": PAID, "prompt": "Hi"}))["estimate"][
        "input_tokens"
    ]
    assert agreed(ada.post(f"{AGENTS}/estimate", body))["estimate"]["input_tokens"] > plain
    refused(bob.post(f"{AGENTS}/completion", body), 404, "not_found")
    refused(bob.post(f"{AGENTS}/estimate", body), 404, "not_found")


def test_a_chat_remembers_which_agent_was_asked(server: Server) -> None:
    ada = server.person()
    agent = agreed(ada.post(f"{AGENTS}/agents", {"name": "Helper", "model": PAID}), {"agent": AGENT})[
        "agent"
    ]["id"]
    turn = agreed(ada.post(f"{AGENTS}/chat", {"model": agent, "message": "Hi"}), TURN)
    chat(ada, conversation_id=turn["conversation_id"], message="And now you")
    kept = agreed(ada.get(f"{AGENTS}/conversations/{turn['conversation_id']}"))["messages"]
    assert [(m["agent_id"], m["model"]) for m in kept if m["role"] == "assistant"] == [
        (agent, PAID),
        (PAID, PAID),
    ]


def test_a_temporary_chat_leaves_nothing_but_its_bill(server: Server) -> None:
    ada = server.person()
    body = agreed(
        ada.post(f"{AGENTS}/chat", {"model": PAID, "message": "off the record", "temporary": True}),
        COMPLETION,
    )
    assert "conversation_id" not in body
    assert agreed(ada.get(f"{AGENTS}/conversations"))["conversations"] == []
    assert agreed(ada.get(f"{AGENTS}/{PAID}/history"))["messages"] == []
    assert "off the record" not in ada.get(f"{MARKET}/account/export").text
    assert agreed(ada.get(f"{MARKET}/billing/balance"))["balance"] == 5 - body["cost"]


def test_images_reach_the_model_and_are_kept_with_the_message(server: Server) -> None:
    ada = server.person()
    turn = chat(ada, message="What is this?", images=[PIXEL])
    assert asked(server)[0][1][1]["image_url"]["url"] == PIXEL
    kept = agreed(ada.get(f"{AGENTS}/conversations/{turn['conversation_id']}"))["messages"][0]
    assert kept["images"] == [PIXEL]
    blind = ada.post(
        f"{AGENTS}/chat",
        {"model": "gpt-3.5-turbo", "message": "What is this?", "images": [PIXEL], "fallback": False},
    )
    assert 400 <= blind.status < 500


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_that_the_provider_refuses_keeps_its_words_and_not_its_images(
    server: Server, stream: bool
) -> None:
    ada = server.person()
    server.upstream.script(Behaviour(status=400, words="invalid image"))
    turn = {"model": PAID, "message": "What is this?", "images": [PIXEL], "fallback": False, "stream": stream}
    answer = ada.post(f"{AGENTS}/chat", turn)
    assert stream or answer.status == 400
    server.upstream.script()
    (talk,) = agreed(ada.get(f"{AGENTS}/conversations"))["conversations"]
    question, failed = agreed(ada.get(f"{AGENTS}/conversations/{talk['id']}"))["messages"]
    assert (question["content"], question["images"], failed["status"]) == ("What is this?", [], "error")
    again = {"model": PAID, "conversation_id": talk["id"], "parent_id": question["id"]}
    refused(ada.post(f"{AGENTS}/chat", again), 400, "images_not_kept")
    anew = chat(ada, conversation_id=talk["id"], parent_id=None, message="What is this?", images=[PIXEL])
    assert asked(server)[0][1][1]["image_url"]["url"] == PIXEL
    kept = agreed(ada.get(f"{AGENTS}/conversations/{talk['id']}"))["messages"]
    assert [m["images"] for m in kept if m["id"] == anew["user_message_id"]] == [[PIXEL]]


def test_a_question_whose_provider_is_away_keeps_its_images_to_be_asked_again(server: Server) -> None:
    ada = server.person()
    server.upstream.script(Behaviour(status=502, words="away"))
    turn = {"model": PAID, "message": "What is this?", "images": [PIXEL], "fallback": False}
    assert ada.post(f"{AGENTS}/chat", turn).status == 502
    server.upstream.script()
    (talk,) = agreed(ada.get(f"{AGENTS}/conversations"))["conversations"]
    question, _ = agreed(ada.get(f"{AGENTS}/conversations/{talk['id']}"))["messages"]
    assert question["images"] == [PIXEL]


def test_an_account_over_its_quota_is_refused_before_anything_is_sent_or_held(tmp_path: Path) -> None:
    with running(tmp_path, MARKETPLACE_STORAGE_PER_USER="1") as server:
        ada, picture = server.person(), "data:image/png;base64," + "A" * 800_000
        body = {"model": PAID, "message": "What is this?", "images": [picture]}
        first = agreed(ada.post(f"{AGENTS}/chat", body))
        asked_before = len(server.upstream.fake.requests)
        for stream in (False, True):
            full = refused(ada.post(f"{AGENTS}/chat", {**body, "stream": stream}), 413, "storage_full")
            assert full["quota_bytes"] == 1_000_000
            assert full["stored_bytes"] > 800_000
            assert "delete chats" in full["error"]
        assert len(server.upstream.fake.requests) == asked_before
        assert agreed(ada.get(f"{MARKET}/billing/balance"))["held"] == 0
        agreed(ada.post(f"{AGENTS}/chat", {**body, "temporary": True}))
        agreed(ada.call("DELETE", f"{AGENTS}/conversations/{first['conversation_id']}"))
        agreed(ada.post(f"{AGENTS}/chat", body))


def test_a_lost_connection_can_be_taken_up_again_where_it_broke(server: Server) -> None:
    ada, bob = server.person(), server.person()
    server.upstream.script(Behaviour(text="one two three four", stepped=True))
    run = "run_" + "b" * 32
    server.upstream.release(1)
    with ada.open(
        f"{AGENTS}/chat", {"model": PAID, "message": "Hi", "stream": True, "resumable": True, "run_id": run}
    ) as lost:
        assert event(lost)["type"] == "start"
        assert event(lost)["delta"] == "one "
    refused(bob.get(f"{AGENTS}/runs/{run}/events"), 404, "not_found")
    refused(bob.post(f"{AGENTS}/runs/{run}/stop"), 404, "not_found")
    for wrong in ("soon", "--1", "\xb2", "9" * 20):
        refused(ada.get(f"{AGENTS}/runs/{run}/events", last_event_id=wrong), 400, "invalid_request")
    server.upstream.release(3)
    events = ada.get(f"{AGENTS}/runs/{run}/events", last_event_id="1").events
    assert events[0]["_id"] == 2
    assert "".join(e["delta"] for e in events if e["type"] == "delta") == "two three four "
    assert (events[-1]["type"], events[-1]["result"]) == ("done", "one two three four ")
    refused(ada.get(f"{AGENTS}/runs/run_{'0' * 32}/events"), 404, "not_found")


def test_a_stop_before_the_first_token_costs_nothing_and_reaches_the_provider(server: Server) -> None:
    ada = server.person()
    server.upstream.script(Behaviour(connect="silent"))
    run = "run_" + "c" * 32
    before = len(server.upstream.fake.requests)
    asked_for = {"model": PAID, "message": "Hi", "stream": True, "resumable": True, "run_id": run}
    with ThreadPoolExecutor(
        1
    ) as other:  # the status line waits for the first event: the stop comes from elsewhere
        answer = other.submit(ada.post, f"{AGENTS}/chat", asked_for)
        seen = server.upstream.wait_for(before + 1)
        assert agreed(ada.post(f"{AGENTS}/runs/{run}/stop"), {"stopped": bool})["stopped"] is True
        found = answer.result().events[-1]
    assert (found["type"], found["finish_reason"], found["cost"]) == ("done", "stopped", 0)
    assert seen.hung_up
    wallet = agreed(ada.get(f"{MARKET}/billing/balance"))
    assert (wallet["balance"], wallet["held"]) == (5, 0)


def test_the_books_balance_after_everything_above(server: Server) -> None:
    verified = server.command("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
