"""The official SDKs against our codecs: each client's own idea of its wire is the judge."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anthropic
import huggingface_hub
import ollama
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from agent_marketplace.errors import MarketplaceError, ProviderFailure, RateLimited, Unauthorized
from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import (
    Call,
    Codec,
    Event,
    Finish,
    ImagePart,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.ollama.codec import OllamaCodec

USAGE = Usage(input=7, cache_read=3, output=5, reasoning=2)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class House(ThreadingHTTPServer):
    """Answers every wire from one script: says hello, calls the tool if there is one, fails where the prompt says FAIL."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.codecs = codecs()
        self.calls: list[Call] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def codec(self, path: str) -> tuple[Codec, str | None, bool | None]:
        """(codec, model, stream) as the path says."""
        if path.endswith("/chat/completions"):
            return self.codecs["openai"], None, None
        if path.endswith("/responses"):
            return self.codecs["responses"], None, None
        if path.endswith("/messages"):
            return self.codecs["anthropic"], None, None
        if path == "/api/chat":
            return self.codecs["ollama"], None, None
        if path == "/api/generate":
            return OllamaCodec(generate=True), None, None
        name, _, method = path.rpartition("/")[2].partition(":")
        return self.codecs["gemini"], name, method.startswith("stream")


FAILURES: dict[str, MarketplaceError] = {
    "FAIL401": Unauthorized("Bad key"),
    "FAIL429": RateLimited("Slow down", retry_after=2),
    "FAIL503": ProviderFailure("Busy", status=503, code="provider_overloaded"),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: House

    def log_message(self, *args: Any) -> None:
        """Silence."""

    def do_POST(self) -> None:
        codec, model, stream = self.server.codec(self.path.partition("?")[0])
        body = self.rfile.read(int(self.headers["content-length"]))
        call = codec.parse_request(body, model=model, stream=stream)
        self.server.calls.append(call)
        said = " ".join(p.text for m in call.messages for p in m.parts if isinstance(p, TextPart))
        shape = Shape(id="gen_1", model=call.model, created=1_790_000_000, include_usage=call.include_usage)
        failure = next((f for word, f in FAILURES.items() if word in said), None)
        if failure is not None:
            headers = {"Retry-After": "2"} if failure.retry_after else {}
            self._send(failure.status, codec.render_error(failure, "req_1"), "application/json", headers)
            return
        tools = bool(call.tools) and not any(
            isinstance(p, ToolResultPart) for m in call.messages for p in m.parts
        )
        finish = Finish.TOOL_CALLS if tools else Finish.STOP
        if not call.stream:
            parts: tuple[Part, ...] = (ReasoningPart("Hm"), TextPart("Hello"))
            parts += (ToolCallPart("call_1", "look", '{"city":"Paris"}'),) if tools else ()
            reply = Reply(parts=parts, finish=finish, usage=USAGE)
            self._send(200, codec.render_reply(reply, shape, {}), "application/json", {})
            return
        events: list[Event] = [ReasoningDelta("Hm"), TextDelta("Hel"), TextDelta("lo")]
        events += (
            [ToolCallDelta(0, "call_1", "look", '{"city":'), ToolCallDelta(0, arguments='"Paris"}')]
            if tools
            else []
        )
        encoder = codec.encoder(shape)
        out = encoder.start() + codec.keep_alive()
        for event in events:
            out += encoder.feed([event]) + codec.keep_alive()
        broken = "BREAK" in said
        out += encoder.error(FAILURES["FAIL503"], "req_1") if broken else encoder.end(finish, USAGE, {})
        self._send(200, out, codec.content_type_stream, {})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def house() -> Iterator[House]:
    server = House()
    yield server
    server.shutdown()
    server.server_close()


SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def images(house: House) -> list[str]:
    return [p.data for m in house.calls[-1].messages for p in m.parts if isinstance(p, ImagePart)]


def test_openai_sdk_chat_stream_tools_images_errors(house: House) -> None:
    with openai.OpenAI(base_url=house.url + "/v1", api_key="k", max_retries=0) as client:
        ask: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        plain = client.chat.completions.create(**ask)
        assert (plain.choices[0].message.content, plain.choices[0].finish_reason) == ("Hello", "stop")
        assert plain.usage is not None
        assert (plain.usage.prompt_tokens, plain.usage.completion_tokens) == (10, 5)
        chunks = list(client.chat.completions.create(**ask, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hello"
        asked = list(
            client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True})
        )
        assert asked[-1].usage is not None
        assert asked[-1].usage.total_tokens == 15
        tools: Any = [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]
        with client.chat.completions.stream(**ask, tools=tools) as stream:
            final = stream.get_final_completion()
        call = (final.choices[0].message.tool_calls or [])[0]
        assert (call.id, call.function.name, json.loads(call.function.arguments)) == (
            "call_1",
            "look",
            {"city": "Paris"},
        )
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}],
        )
        assert images(house) == [base64.b64encode(PNG).decode()]
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "FAIL401"}])
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "FAIL429"}])
        assert (limited.value.response.headers["retry-after"], limited.value.code) == (
            "2",
            "rate_limit_exceeded",
        )
        with pytest.raises(openai.APIError, match="Busy"):
            list(
                client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "BREAK"}], stream=True
                )
            )


def test_openai_sdk_responses(house: House) -> None:
    with openai.OpenAI(base_url=house.url + "/v1", api_key="k", max_retries=0) as client:
        plain = client.responses.create(model="m", input="Hi", instructions="Be brief.")
        assert (plain.output_text, plain.status) == ("Hello", "completed")
        assert plain.usage is not None
        assert (plain.usage.input_tokens, plain.usage.output_tokens_details.reasoning_tokens) == (10, 2)
        tools: Any = [{"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}]
        with client.responses.stream(model="m", input="Hi", tools=tools) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        assert kinds[0] == "response.created"
        assert kinds[-1] == "response.completed"
        assert final.output_text == "Hello"
        call = next(item for item in final.output if item.type == "function_call")
        assert (call.call_id, call.name, json.loads(call.arguments)) == ("call_1", "look", {"city": "Paris"})
        follow_up: Any = [
            {"role": "user", "content": "Hi"},
            call.model_dump(exclude={"parsed_arguments"}, exclude_none=True),
            {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        ]
        assert client.responses.create(model="m", input=follow_up, tools=tools).output_text == "Hello"
        with pytest.raises(openai.RateLimitError):
            client.responses.create(model="m", input="FAIL429")


def test_anthropic_sdk_chat_stream_tools_images_errors(house: House) -> None:
    with anthropic.Anthropic(base_url=house.url, api_key="k", max_retries=0) as client:
        ask: Any = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}
        plain = client.messages.create(**ask, system="Be brief.")
        assert [b.type for b in plain.content] == ["thinking", "text"]
        assert (plain.stop_reason, plain.usage.input_tokens, plain.usage.cache_read_input_tokens) == (
            "end_turn",
            7,
            3,
        )
        tools: Any = [{"name": "look", "description": "Looks", "input_schema": SCHEMA}]
        with client.messages.stream(**ask, tools=tools) as stream:
            assert "".join(stream.text_stream) == "Hello"
            final = stream.get_final_message()
        assert [b.type for b in final.content] == ["thinking", "text", "tool_use"]
        assert final.content[2].input == {"city": "Paris"}  # type: ignore[union-attr]
        assert (final.stop_reason, final.usage.output_tokens, final.usage.input_tokens) == ("tool_use", 5, 7)
        image: Any = {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()},
        }
        client.messages.create(**{**ask, "messages": [{"role": "user", "content": [image]}]})
        assert images(house) == [base64.b64encode(PNG).decode()]
        for word, kind in {
            "FAIL401": anthropic.AuthenticationError,
            "FAIL429": anthropic.RateLimitError,
        }.items():
            with pytest.raises(kind) as refused:
                client.messages.create(**{**ask, "messages": [{"role": "user", "content": word}]})
            assert word == "FAIL401" or refused.value.response.headers["retry-after"] == "2"
        with (
            pytest.raises(anthropic.APIStatusError, match="Busy"),
            client.messages.stream(**{**ask, "messages": [{"role": "user", "content": "BREAK"}]}) as stream,
        ):
            stream.until_done()


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_google_sdk_chat_stream_tools_images_errors(house: House, version: str) -> None:
    options = genai_types.HttpOptions(base_url=house.url, api_version=version)
    with genai.Client(api_key="k", http_options=options) as client:
        config = genai_types.GenerateContentConfig(
            system_instruction="Be brief.", max_output_tokens=50, temperature=0.5
        )
        plain = client.models.generate_content(model="m", contents="Hi", config=config)
        assert plain.text == "Hello"
        assert plain.usage_metadata is not None
        assert (plain.usage_metadata.prompt_token_count, plain.usage_metadata.thoughts_token_count) == (10, 2)
        assert (house.calls[-1].max_tokens, house.calls[-1].messages[0].role) == (50, "system")
        streamed = list(client.models.generate_content_stream(model="m", contents="Hi"))
        assert "".join(c.text or "" for c in streamed) == "Hello"
        assert streamed[-1].usage_metadata is not None
        declared = genai_types.FunctionDeclaration(
            name="look", description="Looks", parameters_json_schema=SCHEMA
        )
        tooled = genai_types.GenerateContentConfig(tools=[genai_types.Tool(function_declarations=[declared])])
        chunks = list(client.models.generate_content_stream(model="m", contents="Hi", config=tooled))
        calls = [f for c in chunks for f in (c.function_calls or [])]
        assert [(f.name, f.args) for f in calls] == [("look", {"city": "Paris"})]
        image = genai_types.Part.from_bytes(data=PNG, mime_type="image/png")
        client.models.generate_content(model="m", contents=["What?", image])
        assert base64.b64decode(images(house)[0]) == PNG
        with pytest.raises(genai_errors.ClientError) as refused:
            client.models.generate_content(model="m", contents="FAIL429")
        assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
        with pytest.raises(genai_errors.ServerError):
            list(client.models.generate_content_stream(model="m", contents="BREAK"))


def test_ollama_sdk_chat_stream_tools_images_errors(house: House) -> None:
    client = ollama.Client(host=house.url)
    ask: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    plain = client.chat(**ask, options={"num_predict": 9})
    assert (plain.message.content, plain.message.thinking, plain.done_reason, plain.eval_count) == (
        "Hello",
        "Hm",
        "stop",
        5,
    )
    assert house.calls[-1].max_tokens == 9
    tools: Any = [
        {"type": "function", "function": {"name": "look", "description": "Looks", "parameters": SCHEMA}}
    ]
    lines = list(client.chat(**ask, tools=tools, stream=True))
    assert "".join(line.message.content or "" for line in lines) == "Hello"
    made = [c.function for line in lines for c in (line.message.tool_calls or ())]
    assert [(f.name, f.arguments) for f in made] == [("look", {"city": "Paris"})]
    assert (lines[-1].done, lines[-1].prompt_eval_count) == (True, 10)
    client.chat(model="m", messages=[{"role": "user", "content": "What?", "images": [PNG]}])
    assert images(house) == [base64.b64encode(PNG).decode()]
    assert client.generate(model="m", prompt="Hi").response == "Hello"
    assert (
        "".join(part.response or "" for part in client.generate(model="m", prompt="Hi", stream=True))
        == "Hello"
    )
    with pytest.raises(ollama.ResponseError) as refused:
        client.chat(model="m", messages=[{"role": "user", "content": "FAIL429"}])
    assert (refused.value.status_code, refused.value.error) == (429, "Slow down")
    with pytest.raises(ollama.ResponseError, match="Busy"):
        list(client.chat(model="m", messages=[{"role": "user", "content": "BREAK"}], stream=True))
    client._client.close()


def test_huggingface_sdk_chat_and_stream(house: House) -> None:
    with huggingface_hub.InferenceClient(base_url=house.url + "/v1", api_key="k") as client:
        ask: Any = [{"role": "user", "content": "Hi"}]
        assert client.chat_completion(ask, model="m").choices[0].message.content == "Hello"
        chunks = list(client.chat_completion(ask, model="m", stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hello"
        with pytest.raises(huggingface_hub.errors.HfHubHTTPError) as refused:
            client.chat_completion([{"role": "user", "content": "FAIL429"}], model="m")
        assert refused.value.response.status_code == 429
