"""The official SDKs, unmodified, against the real server: only base URL and key are ours."""

import base64
import contextlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anthropic
import huggingface_hub
import ollama
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from tests.fakes.server import MARKET, PAID, Client, Server, agreed, running
from tests.fakes.upstream import Behaviour

CLAUDE, GEMINI, VECTORS = "claude-haiku-4.5", "gemini-2.5-flash", "text-embedding-3-small"
LISTED = "gemini-3.7-flash"  # GEMINI retired on 2026-12-01: it is no longer listed, and still answers where its provider does
TEXT = "Hello from the fake upstream ."
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DATA_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HI: Any = [{"role": "user", "content": "Hi"}]
TOOL: Any = {"type": "function", "function": {"name": "look", "description": "Looks", "parameters": SCHEMA}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def key(server: Server) -> Client:
    """A program's key of somebody new; the provider is friendly."""
    server.upstream.script()
    return server.key(server.person())


def balance_of(key: Client) -> Any:
    return agreed(key.get(f"{MARKET}/billing/balance"))["balance"]


def tool_reply() -> Behaviour:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"city":"Paris"}'}}
    choice = {
        "index": 0,
        "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
    }
    return Behaviour(raw=completion(choice))


def completion(choice: dict[str, Any]) -> bytes:
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    made = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }
    return json.dumps(made).encode()


def tool_stream() -> Behaviour:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        made = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
            **more,
        }
        return b"data: " + json.dumps(made).encode() + b"\n\n"

    def piece(arguments: str, **more: Any) -> dict[str, Any]:
        return {
            "tool_calls": [
                {"index": 0, "function": {"arguments": arguments, **more.pop("function", {})}, **more}
            ]
        }

    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    first = piece('{"city":', id="call_1", type="function", function={"name": "look"})
    last = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
        "usage": usage,
    }
    frames = (
        chunk({"role": "assistant", "content": None} | first),
        chunk(piece('"Paris"}')),
        chunk({}, "tool_calls"),
        b"data: " + json.dumps(last).encode() + b"\n\n",
        b"data: [DONE]\n\n",
    )
    return Behaviour(frames=frames)


def test_openai_chat_stream_and_the_bill(server: Server, key: Client) -> None:
    with openai.OpenAI(base_url=server.url + "/v1", api_key=key.credential, max_retries=0) as client:
        plain = client.chat.completions.create(model=PAID, messages=HI)
        assert plain.choices[0].message.content == TEXT
        assert plain.usage is not None
        assert (plain.usage.prompt_tokens, plain.usage.completion_tokens) == (11, 7)
        paid = balance_of(key)
        assert paid < 5
        chunks = list(client.chat.completions.create(model=PAID, messages=HI, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks).strip() == TEXT
        assert all(c.choices for c in chunks)  # usage was not asked for
        counted = list(
            client.chat.completions.create(
                model=PAID, messages=HI, stream=True, stream_options={"include_usage": True}
            )
        )
        assert counted[-1].usage is not None
        assert counted[-1].usage.total_tokens == 18
        assert balance_of(key) == 5 - 3 * (5 - paid)
        other = client.chat.completions.create(model=CLAUDE, messages=HI)
        assert other.choices[0].message.content == TEXT


def test_openai_tools_streamed_tools_and_images(server: Server, key: Client) -> None:
    with openai.OpenAI(base_url=server.url + "/v1", api_key=key.credential, max_retries=0) as client:
        server.upstream.script(tool_reply())
        made = client.chat.completions.create(model=PAID, messages=HI, tools=[TOOL]).choices[0]
        call: Any = (made.message.tool_calls or [])[0]
        assert (made.finish_reason, call.function.name, json.loads(call.function.arguments)) == (
            "tool_calls",
            "look",
            {"city": "Paris"},
        )
        server.upstream.script(tool_stream())
        with client.chat.completions.stream(model=PAID, messages=HI, tools=[TOOL]) as stream:
            streamed: Any = (stream.get_final_completion().choices[0].message.tool_calls or [])[0]
        assert (streamed.id, json.loads(streamed.function.arguments)) == ("call_1", {"city": "Paris"})
        server.upstream.script()
        picture: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": DATA_URL}}]}]
        client.chat.completions.create(model=PAID, messages=picture)
        assert DATA_URL in server.upstream.fake.requests[-1].body.decode()


def test_openai_errors_have_their_classes_and_the_wait(server: Server, key: Client) -> None:
    with (
        openai.OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.chat.completions.create(model=PAID, messages=HI)
    with openai.OpenAI(base_url=server.url + "/v1", api_key=key.credential, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="no-such-model-at-all", messages=HI)
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model=PAID, messages=[])
        with pytest.raises(openai.APIStatusError) as poor:
            client.chat.completions.create(
                model="o1-pro", messages=HI, max_tokens=100_000, extra_body={"max_cost": 100}
            )
        assert poor.value.status_code == 402
        with pytest.raises(openai.NotFoundError):
            client.get("/no/such/path", cast_to=object)


def test_a_providers_rate_limit_reaches_every_sdk_with_its_wait(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("limited")) as server:
        server.upstream.script(Behaviour(status=429, headers={"Retry-After": "40"}))
        key = server.key(server.person())
        with openai.OpenAI(base_url=server.url + "/v1", api_key=key.credential, max_retries=0) as client:
            with pytest.raises(openai.RateLimitError) as limited:
                client.chat.completions.create(model=PAID, messages=HI)
            assert 35 <= int(limited.value.response.headers["retry-after"]) <= 40
        with anthropic.Anthropic(base_url=server.url, api_key=key.credential, max_retries=0) as claude:
            with pytest.raises(anthropic.RateLimitError) as slow:
                claude.messages.create(model=CLAUDE, max_tokens=5, messages=HI)
            assert 35 <= int(slow.value.response.headers["retry-after"]) <= 40
        with google(server, key, "v1beta") as gemini, pytest.raises(genai_errors.ClientError) as exhausted:
            gemini.models.generate_content(model=GEMINI, contents="Hi")
        assert (exhausted.value.code, exhausted.value.status) == (429, "RESOURCE_EXHAUSTED")
        with local(server, key) as client, pytest.raises(ollama.ResponseError) as late:
            client.chat(model=PAID, messages=HI)
        assert late.value.status_code == 429


def test_openai_models_responses_and_embeddings(server: Server, key: Client) -> None:
    with openai.OpenAI(base_url=server.url + "/v1", api_key=key.credential, max_retries=0) as client:
        assert PAID in {m.id for m in client.models.list()}
        assert client.models.retrieve("gpt-4o").id == "gpt-4o"
        assert client.responses.create(model=PAID, input="Hi", instructions="Be brief.").output_text == TEXT
        counted = client.responses.input_tokens.count(model=PAID, input="Hi", instructions="Be brief.")
        assert 1 <= counted.input_tokens < 50
        with client.responses.stream(model=PAID, input="Hi") as stream:
            kinds = [event.type for event in stream]
        assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
        before = balance_of(key)
        made = client.embeddings.create(model=VECTORS, input="Hello there", encoding_format="float")
        assert (made.data[0].embedding, made.usage.prompt_tokens) == ([0.5, -0.25], 11)
        assert before - balance_of(key) == type(before)("0.00000022")  # 11 tokens at $0.02 per 1M
        assert (
            client.embeddings.create(model=VECTORS, input=[[1, 2, 3]], encoding_format="float").data[0].index
            == 0
        )
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(model=PAID, input="Hello there")
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(model=VECTORS, input="")


def test_a_failed_embedding_costs_nothing_and_holds_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("failing")) as server:
        server.upstream.script(Behaviour(raw=b'{"data":[]}'))
        ada = server.person()
        answer = ada.post("/v1/embeddings", {"model": VECTORS, "input": "x"})
        assert (answer.status, answer.json["error"]["code"]) == (502, "provider_unavailable")
        wallet = agreed(ada.get(f"{MARKET}/billing/balance"))
        assert (wallet["balance"], wallet["held"]) == (5, 0)


def test_anthropic_messages_stream_tools_count_models_errors(server: Server, key: Client) -> None:
    with anthropic.Anthropic(base_url=server.url, api_key=key.credential, max_retries=0) as client:
        ask: Any = {"max_tokens": 50, "messages": HI}
        for model in (CLAUDE, PAID):
            plain = client.messages.create(model=model, **ask)
            block: Any = plain.content[0]
            assert (block.text, plain.stop_reason, plain.usage.output_tokens) == (TEXT, "end_turn", 7)
            with client.messages.stream(model=model, **ask) as stream:
                assert "".join(stream.text_stream).strip() == TEXT
                assert stream.get_final_message().usage.output_tokens == 7
        server.upstream.script(tool_stream())
        tools: Any = [{"name": "look", "description": "Looks", "input_schema": SCHEMA}]
        with client.messages.stream(model=PAID, tools=tools, **ask) as stream:
            used: Any = stream.get_final_message()
        assert (used.stop_reason, used.content[-1].name, used.content[-1].input) == (
            "tool_use",
            "look",
            {"city": "Paris"},
        )
        assert (
            1 <= client.messages.count_tokens(model=CLAUDE, messages=HI, system="Be brief.").input_tokens < 50
        )
        assert "claude-haiku-4-5" in {m.id for m in client.models.list()}
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(model="no-such-model-at-all", **ask)
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(model=CLAUDE, max_tokens=5, messages=[])
        with pytest.raises(anthropic.NotFoundError):
            client.messages.count_tokens(model="no-such-model-at-all", messages=HI)
    with (
        anthropic.Anthropic(base_url=server.url, api_key="wrong", max_retries=0) as stranger,
        pytest.raises(anthropic.AuthenticationError),
    ):
        stranger.messages.create(model=CLAUDE, **ask)


def google(server: Server, key: Client, version: str | None) -> genai.Client:
    options = genai_types.HttpOptions(base_url=server.url, api_version=version)
    return genai.Client(api_key=key.credential, http_options=options)


@pytest.mark.parametrize("version", [None, "v1", "v1beta"])
def test_google_generate_stream_tools_count_models_errors(
    server: Server, key: Client, version: str | None
) -> None:
    with google(server, key, version) as client:
        for model in (GEMINI, PAID):
            plain = client.models.generate_content(model=model, contents="Hi")
            assert plain.text == TEXT
            assert plain.usage_metadata is not None
            assert plain.usage_metadata.prompt_token_count == 11
            pieces = list(client.models.generate_content_stream(model=model, contents="Hi"))
            assert "".join(p.text or "" for p in pieces).strip() == TEXT
        server.upstream.script(tool_stream())
        declared = genai_types.FunctionDeclaration(
            name="look", description="Looks", parameters_json_schema=SCHEMA
        )
        config = genai_types.GenerateContentConfig(tools=[genai_types.Tool(function_declarations=[declared])])
        found = [
            f
            for c in client.models.generate_content_stream(model=PAID, contents="Hi", config=config)
            for f in c.function_calls or []
        ]
        assert [(f.name, f.args) for f in found] == [("look", {"city": "Paris"})]
        assert (client.models.count_tokens(model=GEMINI, contents="Hello there").total_tokens or 0) >= 1
        names = {m.name for m in client.models.list(config={"page_size": 50})}
        assert f"models/{LISTED}" in names
        assert len(names) > 50, "the second page is asked for, too"
        assert client.models.get(model=GEMINI).name == f"models/{GEMINI}"
        with pytest.raises(genai_errors.ClientError) as missing:
            client.models.generate_content(model="no-such-model-at-all", contents="Hi")
        assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")
    with (
        google(server, server.as_("wrong"), version) as stranger,
        pytest.raises(genai_errors.ClientError) as refused,
    ):
        stranger.models.generate_content(model=GEMINI, contents="Hi")
    assert refused.value.code == 401


def test_google_vectors_are_billed_exactly_and_thinking_comes_back_signed(
    server: Server, key: Client
) -> None:
    with google(server, key, None) as client:
        before = balance_of(key)
        config = genai_types.EmbedContentConfig(output_dimensionality=2, task_type="RETRIEVAL_QUERY")
        made = client.models.embed_content(model=VECTORS, contents="Hello", config=config)
        assert [v.values for v in made.embeddings or []] == [[0.5, -0.25]]
        assert before - balance_of(key) == Decimal("0.00000022")
        with pytest.raises(genai_errors.ClientError) as refused:
            client.models.embed_content(model=PAID, contents="Hello")
        assert refused.value.status == "INVALID_ARGUMENT"
        thought = {"type": "thinking", "thinking": "Hm.", "signature": "EqMBCkYIARgC"}
        said = {
            "type": "message",
            "role": "assistant",
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 5, "output_tokens": 9},
        }
        server.upstream.script(
            Behaviour(raw=json.dumps(said | {"content": [thought, {"type": "text", "text": TEXT}]}).encode())
        )
        first = client.models.generate_content(model=CLAUDE, contents="Hi")
        assert first.candidates
        turn = first.candidates[0].content
        assert turn is not None
        again: Any = [genai_types.Content(role="user", parts=[genai_types.Part(text="Hi")]), turn,
                      genai_types.Content(role="user", parts=[genai_types.Part(text="And?")])]  # fmt: skip
        assert client.models.generate_content(model=CLAUDE, contents=again).text == TEXT
        sent = json.loads(server.upstream.fake.requests[-1].body)
        assert sent["messages"][1]["content"][0] == thought


def test_ollamas_older_embeddings(server: Server, key: Client) -> None:
    with local(server, key) as client:
        assert list(client.embeddings(model=VECTORS, prompt="Hello").embedding) == [0.5, -0.25]


def test_claudes_beta_features_reach_claude_and_nobody_else(server: Server, key: Client) -> None:
    names = ["interleaved-thinking-2025-05-14", "fast-mode-2026-02-01"]
    with anthropic.Anthropic(base_url=server.url, api_key=key.credential, max_retries=0) as client:
        for model, passed in ((CLAUDE, names[0]), (PAID, None)):
            client.beta.messages.create(model=model, max_tokens=50, messages=HI, betas=names)
            assert server.upstream.fake.requests[-1].headers.get("anthropic-beta") == passed
        with pytest.raises(anthropic.BadRequestError):
            client.beta.messages.create(model=CLAUDE, max_tokens=50, messages=HI, betas=["Not A Name"])


def test_hugging_face_chat_and_stream(server: Server, key: Client) -> None:
    with huggingface_hub.InferenceClient(base_url=server.url + "/v1", api_key=key.credential) as client:
        assert client.chat_completion(HI, model=PAID).choices[0].message.content == TEXT
        chunks = list(client.chat_completion(HI, model=PAID, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).strip() == TEXT
        with pytest.raises(huggingface_hub.errors.HfHubHTTPError) as missing:
            client.chat_completion(HI, model="no-such-model-at-all")
        assert missing.value.response.status_code == 404


@contextlib.contextmanager
def local(server: Server, key: Client) -> Iterator[ollama.Client]:
    client = ollama.Client(host=server.url, headers={"authorization": f"Bearer {key.credential}"})
    try:
        yield client
    finally:
        client._client.close()


def test_ollama_chat_generate_list_show_embed_errors(server: Server, key: Client) -> None:
    with local(server, key) as client:
        plain = client.chat(model=PAID, messages=HI)
        assert (plain.message.content, plain.eval_count, plain.prompt_eval_count) == (TEXT, 7, 11)
        lines = list(client.chat(model=CLAUDE, messages=HI, stream=True))
        assert "".join(line.message.content or "" for line in lines).strip() == TEXT
        assert lines[-1].done
        assert client.generate(model=PAID, prompt="Hi").response == TEXT
        assert PAID in {m.model for m in client.list().models}
        assert "completion" in (client.show(PAID).capabilities or [])
        assert list(client.ps().models) == []
        assert client.embed(model=VECTORS, input="Hello there").embeddings == [[0.5, -0.25]]
        with pytest.raises(ollama.ResponseError) as missing:
            client.chat(model="no-such-model-at-all", messages=HI)
        assert missing.value.status_code == 404


def test_the_books_balance_after_everything_above(server: Server) -> None:
    verified = server.command("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
