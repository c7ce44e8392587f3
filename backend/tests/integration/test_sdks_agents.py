"""One agent on every wire, through the official SDKs, unmodified: its text is the answer, its steps are thinking, and no client is
handed a call of a tool that we ran ourselves."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anthropic
import ollama
import openai
import pytest
from google import genai
from google.genai import types as genai_types

from tests.fakes.server import AGENTS, MARKET, PAID, Client, Server, agreed, refused, running
from tests.fakes.tool_turns import calling
from tests.fakes.upstream import Behaviour

T = TypeVar("T")
ANSWER = "It is 42 . "
ASKED = "What is 6 times 7?"
SUM = ("calculator", '{"expression": "6*7"}')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def agent(server: Server) -> tuple[Client, str]:
    """A program's key, and the agent of its owner."""
    ada = server.person()
    parameters = {"agent": {"tools": ["calculator"], "description": "Reckons"}}
    made = agreed(ada.post(f"{AGENTS}/agents", {"name": "Reckoner", "model": PAID, "parameters": parameters}))
    return server.key(ada), made["agent"]["id"]


OPEN: list[Any] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Every client of a test is closed with it."""
    yield
    while OPEN:
        OPEN.pop().close()


def kept(client: T) -> T:
    OPEN.append(client)
    return client


def openai_of(server: Server, key: str) -> openai.OpenAI:
    return kept(openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0))


def openai_chat(server: Server, key: str, model: str, stream: bool) -> str:
    client = openai_of(server, key)
    messages: Any = [{"role": "user", "content": ASKED}]
    if not stream:
        made = client.chat.completions.create(model=model, messages=messages)
        assert made.choices[0].message.tool_calls is None
        assert made.choices[0].finish_reason == "stop"
        assert "[calculator]" in made.choices[0].message.reasoning_content  # type: ignore[attr-defined]
        assert made.usage is not None
        assert made.agent["state"] == "done"  # type: ignore[attr-defined]
        return made.choices[0].message.content or ""
    text = ""
    for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
        assert chunk.choices[0].delta.tool_calls is None, "the usual loop reads choices[0] of every chunk"
        text += chunk.choices[0].delta.content or ""
    return text


def openai_responses(server: Server, key: str, model: str, stream: bool) -> str:
    client = openai_of(server, key)
    if not stream:
        made = client.responses.create(model=model, input=ASKED)
        (call,) = [item for item in made.output if item.type == "mcp_call"]
        assert (call.name, call.server_label, call.output, call.error) == (
            "calculator",
            "marketplace",
            "42",
            None,
        )
        assert {item.type for item in made.output} <= {"mcp_call", "message"}
        return made.output_text
    events = list(client.responses.create(model=model, input=ASKED, stream=True))
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert "response.mcp_call.completed" in [e.type for e in events]
    assert events[-1].type == "response.completed"
    return "".join(e.delta for e in events if e.type == "response.output_text.delta")


def anthropic_messages(server: Server, key: str, model: str, stream: bool) -> str:
    client = kept(anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=0))
    messages: Any = [{"role": "user", "content": ASKED}]
    if not stream:
        made = client.messages.create(model=model, max_tokens=500, messages=messages)
        assert made.stop_reason == "end_turn"
        assert [block.type for block in made.content] == ["mcp_tool_use", "mcp_tool_result", "text"]
        return "".join(block.text for block in made.content if block.type == "text")
    with client.messages.stream(model=model, max_tokens=500, messages=messages) as events:
        text = "".join(events.text_stream)
        used = events.get_final_message().content[0]
        assert (used.type, used.name, used.input) == ("mcp_tool_use", "calculator", {"expression": "6*7"})  # type: ignore[comparison-overlap,union-attr]
        return text


def gemini_contents(server: Server, key: str, model: str, stream: bool) -> str:
    client = kept(genai.Client(api_key=key, http_options=genai_types.HttpOptions(base_url=server.url)))
    if not stream:
        made = client.models.generate_content(model=model, contents=ASKED)
        assert made.function_calls is None
        return made.text or ""
    return "".join(c.text or "" for c in client.models.generate_content_stream(model=model, contents=ASKED))


def ollama_chat(server: Server, key: str, model: str, stream: bool) -> str:
    client = ollama.Client(host=server.url, headers={"authorization": f"Bearer {key}"})
    OPEN.append(client._client)
    messages = [{"role": "user", "content": ASKED}]
    if not stream:
        made = client.chat(model=model, messages=messages, stream=False)
        assert not made.message.tool_calls
        return made.message.content or ""
    return "".join(
        part.message.content or "" for part in client.chat(model=model, messages=messages, stream=True)
    )


WIRES: list[Callable[..., str]] = [
    openai_chat,
    openai_responses,
    anthropic_messages,
    gemini_contents,
    ollama_chat,
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("ask", WIRES, ids=lambda ask: ask.__name__)
def test_every_official_client_runs_the_same_agent(
    server: Server, agent: tuple[Client, str], ask: Callable[..., str], stream: bool
) -> None:
    key, name = agent
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
    assert ask(server, key.credential, name, stream) == ANSWER


def test_agents_are_listed_beside_models_to_whom_they_belong(
    server: Server, agent: tuple[Client, str]
) -> None:
    key, name = agent
    client = openai_of(server, key.credential)
    assert name in [m.id for m in client.models.list()]
    assert client.models.retrieve(name).id == name
    local = ollama.Client(host=server.url, headers={"authorization": f"Bearer {key.credential}"})
    OPEN.append(local._client)
    assert name in [m.model for m in local.list().models]
    shown = local.show(name)
    assert (shown.capabilities, bool(shown.modelinfo)) == (["completion", "thinking"], True)
    other = server.key(server.person())
    stranger = openai_of(server, other.credential)
    assert name not in [m.id for m in stranger.models.list()]
    with pytest.raises(openai.NotFoundError):
        stranger.chat.completions.create(model=name, messages=[{"role": "user", "content": ASKED}])


def test_a_cap_that_is_reached_is_told_in_words_and_not_as_a_failure(
    server: Server, agent: tuple[Client, str]
) -> None:
    key, name = agent
    steps = [calling(("calculator", f'{{"expression": "{i}"}}'), usage=(2_000, 4_000)) for i in range(9)]
    server.upstream.script(*steps)
    client = openai_of(server, key.credential)
    made = client.chat.completions.create(
        model=name, messages=[{"role": "user", "content": ASKED}], extra_body={"max_cost": 0.006}
    )
    assert made.choices[0].finish_reason == "length"
    assert "is paused at its cap of $0.006" in (made.choices[0].message.content or "")
    assert made.usage is not None
    assert made.usage.cost <= 0.006  # type: ignore[attr-defined]


def test_an_offered_agent_is_called_by_its_path_and_version(server: Server) -> None:
    ada = server.person()
    agreed(ada.call("PUT", f"{AGENTS}/publisher", {"handle": "ada-r"}))
    tools = [{"server": "builtin", "tool": "calculator", "policy": "allow"}]
    version = {
        "name": "Reckoner",
        "model": PAID,
        "licence": "MIT",
        "tools": tools,
        "instructions": "canary instructions",
    }
    agreed(ada.post(f"{AGENTS}/offered", {"slug": "reckoner", "version": version}))
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
    key = server.key(ada)
    client = openai_of(server, key.credential)
    raw = client.chat.completions.with_raw_response.create(
        model="agent/ada-r/reckoner@1", messages=[{"role": "user", "content": ASKED}]
    )
    assert raw.parse().choices[0].message.content == ANSWER
    run = agreed(ada.get(f"{AGENTS}/runs/{raw.headers['x-run-id']}"))["run"]
    assert (run["state"], run["version"], run["name"]) == ("done", 1, "agent/ada-r/reckoner@1")
    assert "canary" not in str(run)


# -- leave for calls, asked and given in each wire's own form ----------------------------------------------------------


@pytest.fixture(scope="module")
def careful(server: Server) -> tuple[Client, Client, str]:
    """Its owner, a program's key, and an agent whose calls need leave."""
    ada = server.person()
    parameters = {"agent": {"tools": [{"name": "calculator", "policy": "ask"}]}}
    made = agreed(ada.post(f"{AGENTS}/agents", {"name": "Careful", "model": PAID, "parameters": parameters}))
    return ada, server.key(ada), made["agent"]["id"]


def tools_of(ada: Client, run_id: str) -> list[str]:
    run = agreed(ada.get(f"{AGENTS}/runs/{run_id}"))["run"]
    return [step["state"] for step in run["steps"] if step["kind"] == "tool"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("allow", [True, False], ids=["allowed", "refused"])
def test_responses_asks_by_an_mcp_approval_request_and_takes_its_answer(
    server: Server, careful: tuple[Client, Client, str], allow: bool, stream: bool
) -> None:
    ada, key, name = careful
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
    client = openai_of(server, key.credential)

    def ask(**given: Any) -> Any:
        if not stream:
            return client.responses.create(model=name, **given)
        return list(client.responses.create(model=name, stream=True, **given))[-1].response  # type: ignore[union-attr]

    asked = ask(input=ASKED)
    (request,) = [item for item in asked.output if item.type == "mcp_approval_request"]
    assert (request.name, request.arguments) == ("calculator", SUM[1])
    run_id = asked.agent["run_id"]
    assert tools_of(ada, run_id) == ["planned"]
    answer: Any = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": allow}
    with pytest.raises(openai.ConflictError):
        ask(input=[{**answer, "approval_request_id": "mcpr_apr_another"}], previous_response_id=asked.id)
    other = openai_of(server, server.key(server.person()).credential)
    with pytest.raises(openai.APIStatusError):
        other.responses.create(model=name, input=[answer], previous_response_id=asked.id)
    if allow:
        done = ask(input=[answer], previous_response_id=asked.id)
    else:  # a client that keeps its own history sends it whole
        done = ask(input=[{"role": "user", "content": ASKED}, request.model_dump(), answer])
    assert done.output_text == ANSWER
    assert done.agent["run_id"] == run_id
    assert tools_of(ada, run_id) == ["done" if allow else "denied"]
    with pytest.raises(openai.ConflictError):
        ask(input=[answer], previous_response_id=asked.id)


def chat_turn(server: Server, key: str, model: str, turns: list[tuple[str, str]]) -> str:
    messages: Any = [{"role": role, "content": text} for role, text in turns]
    made = openai_of(server, key).chat.completions.create(model=model, messages=messages)
    assert made.choices[0].finish_reason == "stop"
    return made.choices[0].message.content or ""


def anthropic_turn(server: Server, key: str, model: str, turns: list[tuple[str, str]]) -> str:
    client = kept(anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=0))
    messages: Any = [{"role": role, "content": text} for role, text in turns]
    made = client.messages.create(model=model, max_tokens=500, messages=messages)
    return "".join(block.text for block in made.content if block.type == "text")


def gemini_turn(server: Server, key: str, model: str, turns: list[tuple[str, str]]) -> str:
    client = kept(genai.Client(api_key=key, http_options=genai_types.HttpOptions(base_url=server.url)))
    contents: Any = [
        {"role": "model" if role == "assistant" else role, "parts": [{"text": text}]} for role, text in turns
    ]
    return client.models.generate_content(model=model, contents=contents).text or ""


def ollama_turn(server: Server, key: str, model: str, turns: list[tuple[str, str]]) -> str:
    client = ollama.Client(host=server.url, headers={"authorization": f"Bearer {key}"})
    OPEN.append(client._client)
    return (
        client.chat(model=model, messages=[{"role": r, "content": t} for r, t in turns]).message.content or ""
    )


TURNS: list[Callable[..., str]] = [chat_turn, anthropic_turn, gemini_turn, ollama_turn]


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.__name__)
def test_wires_without_a_form_ask_in_words_and_the_next_turn_answers(
    server: Server, careful: tuple[Client, Client, str], turn: Callable[..., str]
) -> None:
    ada, key, name = careful
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
    question = turn(server, key.credential, name, [("user", ASKED)])
    assert "6*7" in question
    code, run_id = question.partition("`allow ")[2][:8], question.partition("?run=")[2][:28]
    assert tools_of(ada, run_id) == ["planned"]
    said = [("user", ASKED), ("assistant", question)]
    stranger = server.key(server.person()).credential
    with pytest.raises(Exception, match=r"(?i)no such|not found|404"):
        turn(server, stranger, name, [*said, ("user", f"allow {code}")])
    with pytest.raises(Exception, match="waits for leave"):
        turn(server, key.credential, name, [*said, ("user", "allow 01234567")])
    assert tools_of(ada, run_id) == ["planned"]
    assert turn(server, key.credential, name, [*said, ("user", f"allow {code}")]) == ANSWER
    assert tools_of(ada, run_id) == ["done"]


def test_a_key_with_a_small_cap_goes_on_with_no_run_of_another_key_or_of_its_owner(
    server: Server, careful: tuple[Client, Client, str]
) -> None:
    """What a run spends is held against the key that began it: a lent key must not raise a cap or give leave there."""
    ada, key, name = careful
    lent = server.key(ada, cap={"amount": "0.0001"})
    for owner in (ada, key):
        server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
        run = agreed(owner.post(f"{AGENTS}/runs", {"agent_id": name, "input": ASKED, "wait": True}))["run"]
        path, (question,) = f"{AGENTS}/runs/{run['run_id']}", run["approvals"]
        answer = {"approval_id": question["approval_id"], "subject": question["subject"], "allow": True}
        refused(lent.post(f"{path}/approve", {"answers": [answer]}), 403, "not_this_key")
        refused(lent.post(f"{path}/cap", {"cap": 100}), 403, "not_this_key")
        refused(lent.post(f"{path}/input", {"text": "Go on"}), 403, "not_this_key")
        body = {"model": name, "agent": {"run_id": run["run_id"]}}
        words = [{"role": "user", "content": f"allow {question['subject'][:8]}"}]
        assert lent.post("/v1/chat/completions", {**body, "messages": words}).status in (403, 409)
        assert tools_of(ada, run["run_id"]) == ["planned"]
        agreed(
            ada.post(f"{path}/approve", {"answers": [answer]})
        )  # who is signed in goes on with all of their own
        ada.send("GET", f"{path}/events", timeout=60)
        assert tools_of(ada, run["run_id"]) == ["done"]


def test_a_run_of_a_revoked_key_takes_no_further_step(
    server: Server, careful: tuple[Client, Client, str]
) -> None:
    """A stolen key began it, with a cap as large as the wallet: revoking the key ends that too."""
    ada, _, name = careful
    stolen = server.key(ada, name="stolen")
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
    run = agreed(stolen.post(f"{AGENTS}/runs", {"agent_id": name, "input": ASKED, "wait": True}))["run"]
    (key,) = [k for k in agreed(ada.get(f"{MARKET}/keys"))["keys"] if k["name"] == "stolen"]
    agreed(ada.call("DELETE", f"{MARKET}/keys/{key['id']}"))
    (question,) = run["approvals"]
    answer = {"approval_id": question["approval_id"], "subject": question["subject"], "allow": True}
    path = f"{AGENTS}/runs/{run['run_id']}"
    agreed(ada.post(f"{path}/approve", {"answers": [answer]}))
    ada.send("GET", f"{path}/events", timeout=60)
    ended = agreed(ada.get(path))["run"]
    assert (ended["state"], ended["stop_reason"], ended["spent"]) == ("failed", "not_allowed", run["spent"])
    assert tools_of(ada, run["run_id"]) == ["denied"]


def test_a_client_that_adds_up_usage_and_cost_of_answers_counts_no_step_twice(
    server: Server, careful: tuple[Client, Client, str]
) -> None:
    ada, key, name = careful
    server.upstream.script(calling(SUM, usage=(1_000, 9)), Behaviour(text="It is 42 .", usage=(2_000, 5)))
    client = openai_of(server, key.credential)
    said: Any = [{"role": "user", "content": ASKED}]
    first = client.chat.completions.create(model=name, messages=said)
    question = first.choices[0].message.content or ""
    said += [{"role": "assistant", "content": question}]
    said += [{"role": "user", "content": f"allow {question.partition('`allow ')[2][:8]}"}]
    second = client.chat.completions.create(model=name, messages=said)
    assert first.usage is not None
    assert second.usage is not None
    assert (first.usage.prompt_tokens, second.usage.prompt_tokens) == (1_000, 2_000)
    assert (first.usage.completion_tokens, second.usage.completion_tokens) == (9, 5)
    run_id = second.agent["run_id"]  # type: ignore[attr-defined]
    receipt = agreed(ada.get(f"{AGENTS}/runs/{run_id}/receipt"))
    told = [made.usage.cost for made in (first, second)]  # type: ignore[union-attr]
    assert round(sum(told) * 10**9) == round(receipt["receipt"]["spent"] * 10**9)
    assert second.agent["run_cost"] == float(receipt["receipt"]["spent"])  # type: ignore[attr-defined]


def test_where_nobody_is_there_a_call_is_refused_at_once_and_what_an_agent_has_no_use_for_is_told(
    server: Server, careful: tuple[Client, Client, str]
) -> None:
    ada, key, name = careful
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))
    client = openai_of(server, key.credential)
    tool: Any = {"type": "function", "function": {"name": "mine", "parameters": {"type": "object"}}}
    messages: Any = [{"role": "user", "content": ASKED}]
    raw = client.chat.completions.with_raw_response.create(
        model=name, messages=messages, tools=[tool], temperature=0, logprobs=True,
        extra_body={"agent": {"attended": False}},
    )  # fmt: skip
    made = raw.parse()
    assert made.choices[0].message.content == ANSWER
    assert tools_of(ada, raw.headers["x-run-id"]) == ["denied"]
    assert raw.headers["x-marketplace-notes"] == "tools, temperature, logprobs"
    assert [n["field"] for n in made.agent["notes"]] == ["tools", "temperature", "logprobs"]  # type: ignore[attr-defined]
    for wrong in ({"tool_choice": "required"}, {"n": 2}, {"extra_body": {"agent": {"tools": []}}}):
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model=name, messages=messages, tools=[tool], **wrong)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat", "gemini"]
)
def test_whoever_hangs_up_ends_the_run_and_pays_for_what_was_begun_alone(
    server: Server, agent: tuple[Client, str], path: str
) -> None:
    key, name = agent
    ada = server.as_(key.credential or "")
    server.upstream.script(Behaviour(text="one two three four five six seven .", stepped=True))
    body: dict[str, Any] = {"model": name, "stream": True, "max_tokens": 50}
    body |= {"input": ASKED} if "responses" in path else {"messages": [{"role": "user", "content": ASKED}]}
    if path == "gemini":
        path = f"/v1beta/models/{name}:streamGenerateContent?alt=sse"
        body = {"contents": [{"role": "user", "parts": [{"text": ASKED}]}]}
    server.upstream.release(2)
    with key.open(path, body) as response:
        run_id = response.getheader("x-run-id")
        assert response.readline()
    ada.send("GET", f"{AGENTS}/runs/{run_id}/events", timeout=60)  # until it is over
    run = agreed(ada.get(f"{AGENTS}/runs/{run_id}"))["run"]
    assert (run["state"], run["reserved"]) == ("cancelled", 0)
