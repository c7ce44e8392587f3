"""Every client's wire, every form of content, every kind of provider: whoever is asked bills the most that what reached it allows
(`fakes/biller`), and the caller pays no more than was held while the operator bears nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agent_marketplace.net.http import Timeouts
from tests.fakes.biller import WORD, bills_the_worst
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour
from tests.unit.test_wires_forms import PNG, wav

PATIENT = Timeouts(connect_s=30, first_byte_s=60, idle_s=60, total_s=120)
SELLERS = {
    "gpt-4.1": "openai", "gpt-4o-mini": "openai", "claude-sonnet-4-5": "anthropic", "gemini-2.5-pro": "google",
    "deepseek-v4-flash": "deepseek", "gpt-5.3-codex": "openai",
}  # fmt: skip
OTHERS = {provider: (Behaviour(),) for provider in SELLERS.values() if provider != "openai"}
LONG = WORD * 700
URL = f"data:image/png;base64,{PNG}"
PDF = "data:application/pdf;base64,JVBERi0xLjQK"
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
HI = {"role": "user", "content": "hi"}
SCHEMA = {
    "type": "object", "properties": {"a": {"type": "string", "description": LONG}}, "required": ["a"],
    "additionalProperties": False,
}  # fmt: skip
Forms = dict[str, dict[str, Any]]


def chat() -> tuple[str, Forms]:
    def said(*parts: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": [*parts, {"type": "text", "text": "hi"}]}]}

    def loop(call_id: str, arguments: str, result: Any) -> dict[str, Any]:
        call = {"id": call_id, "type": "function", "function": {"name": "f", "arguments": arguments}}
        turns = [HI, {"role": "assistant", "content": None, "tool_calls": [call]}]
        answer = {"role": "tool", "tool_call_id": call_id, "content": result}
        return {"messages": [*turns, answer], "tools": [tool]}

    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
    marked = {"type": "function", "function": {**tool["function"], **MARK}}  # type: ignore[dict-item]
    picture = {"type": "image_url", "image_url": {"url": URL}}
    return "/v1/chat/completions", {
        "text": {"messages": [{"role": "system", "content": LONG}, HI], "n": 2},
        "marked": said({"type": "text", "text": LONG, **MARK}),
        "marked whole": {"messages": [{"role": "user", "content": LONG}], **MARK},
        "marked tool": {"messages": [HI], "tools": [marked]},
        "pictures": said(*[picture] * 5),
        "pictures said to be low": said(*[{**picture, "detail": "low"}] * 5),
        "sound": said({"type": "input_audio", "input_audio": {"data": wav(2), "format": "wav"}}),
        "sound in disguise": said({"type": "input_audio", "input_audio": {"data": wav(2), "format": "mp3"}}),
        "file": said({"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}),
        "loop": loop("c1", json.dumps({"a": LONG}), [{"type": "text", "text": LONG}]),
        "ids": loop("c" + LONG, "{}", "r"),
        "schema": {
            "messages": [HI],
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        },
        "functions": {"messages": [HI], "functions": [{"name": "f", "description": LONG, "parameters": {}}]},
        "prediction": {"messages": [HI], "prediction": {"type": "content", "content": LONG}},
        "names": {"messages": [HI], "user": LONG, "prompt_cache_key": LONG, "verbosity": LONG},
        "unknown": {"messages": [{**HI, "hidden": [LONG]}], "hidden": {"deep": LONG}},
        "unlimited": {"messages": [HI], "max_tokens": None},
    }


def items() -> tuple[str, Forms]:
    def said(*parts: dict[str, Any]) -> dict[str, Any]:
        return {"input": [{"role": "user", "content": [*parts, {"type": "input_text", "text": "hi"}]}]}

    tool = {"type": "function", "name": "f", "description": LONG, "parameters": SCHEMA}
    picture = {"type": "input_image", "image_url": URL, "detail": "auto"}
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": json.dumps({"a": LONG})}

    def loop(output: Any) -> dict[str, Any]:
        answer = {"type": "function_call_output", "call_id": "c1", "output": output}
        return {"input": [HI, call, answer], "tools": [tool]}

    return "/v1/responses", {
        "text": {"input": LONG, "instructions": LONG},
        "pictures": said(*[picture] * 3, {**picture, "detail": "low"}),
        "file": said({"type": "input_file", "filename": "a.pdf", "file_data": PDF}),
        "file elsewhere": said({"type": "input_file", "file_url": "https://example.com/a.pdf"}),
        "loop": loop([{"type": "input_text", "text": LONG}, picture]),
        "thinking": {
            "input": [HI, {"type": "reasoning", "summary": [{"type": "summary_text", "text": LONG}]}, HI]
        },
        "namespace": {
            "input": "hi",
            "tools": [{"type": "namespace", "name": "n", "description": LONG, "tools": [tool]}],
        },
        "grammar": {
            "input": "hi",
            "tools": [
                {
                    "type": "custom",
                    "name": "g",
                    "format": {"type": "grammar", "syntax": "lark", "definition": LONG},
                }
            ],
        },
        "schema": {"input": "hi", "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}},
        "hosted": {"input": "hi", "tools": [{"type": "web_search"}, tool]},
        "names": {"input": [{"type": "message", "id": LONG, **HI}], "user": LONG, "prompt_cache_key": LONG},
    }


def messages() -> tuple[str, Forms]:
    def said(*parts: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": [*parts, {"type": "text", "text": "hi"}]}]}

    def loop(content: Any, **more: Any) -> dict[str, Any]:
        use = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": LONG}}
        result = {"type": "tool_result", "tool_use_id": "t1", "content": content, **more}
        turns = [HI, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
        return {"messages": turns, "tools": [tool]}

    tool = {"name": "f", "description": LONG, "input_schema": SCHEMA}
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}

    def document(**source: Any) -> dict[str, Any]:
        return {"type": "document", "title": LONG, "source": source}

    return "/v1/messages", {
        "text": {"system": [{"type": "text", "text": LONG, **MARK}], "messages": [HI]},
        "marked whole": {"messages": [{"role": "user", "content": LONG}], **MARK},
        "tools": {"messages": [HI], "tools": [{**tool, **MARK}]},
        "pictures": said(*[picture] * 5),
        "pdf": said(document(type="base64", media_type="application/pdf", data="JVBERi0xLjQK")),
        "pdf elsewhere": said(document(type="url", url="https://example.com/a.pdf")),
        "words": said(document(type="text", media_type="text/plain", data=LONG)),
        "parts": said(document(type="content", content=[{"type": "text", "text": LONG, **MARK}, picture])),
        "found": said(
            {
                "type": "search_result",
                "source": "s",
                "title": "t",
                "content": [{"type": "text", "text": LONG}],
            }
        ),
        "loop": loop([{"type": "text", "text": LONG, **MARK}, picture]),
        "marked result": loop(LONG, **MARK),
        "schema": {"messages": [HI], "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    }


def contents() -> tuple[str, Forms]:
    def said(*parts: dict[str, Any]) -> dict[str, Any]:
        return {"contents": [{"role": "user", "parts": [*parts, {"text": "hi"}]}]}

    def inline(kind: str, data: str, **more: Any) -> dict[str, Any]:
        return {"inlineData": {"mimeType": kind, "data": data, **more}}

    def loop(**answer: Any) -> dict[str, Any]:
        call = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": LONG}}}]}
        result = {"role": "user", "parts": [{"functionResponse": {"name": "f", **answer}}]}
        return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}, call, result], "tools": [tool]}

    tool = {"functionDeclarations": [{"name": "f", "description": LONG}]}
    return "/v1beta/models/{}:generateContent", {
        "text": said({"text": LONG}) | {"systemInstruction": {"parts": [{"text": LONG}]}},
        "snake": said({"inline_data": {"mime_type": "image/png", "data": PNG}}),
        "pictures": said(*[inline("image/png", PNG, displayName=LONG)] * 5),
        "pdf": said(inline("application/pdf", "JVBERi0xLjQK")),
        "sound": said(inline("audio/wav", wav(2))),
        "sound in disguise": said(inline("audio/mp3", wav(2))),
        "film": said({"fileData": {"fileUri": "https://example.com/a.mp4"}}),
        "loop": loop(response={"r": LONG}),
        "pictures in a result": loop(response={"r": 1}, parts=[inline("image/png", PNG)]),
        "candidates": said() | {"generationConfig": {"candidateCount": 4, "maxOutputTokens": 50}},
        "schema": said()
        | {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}},
    }


def ollama() -> tuple[str, Forms]:
    tool = {"type": "function", "function": {"name": "f", "description": LONG, "parameters": SCHEMA}}
    call = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "f", "arguments": {"a": LONG}}}],
    }
    answer = {"role": "tool", "tool_name": "f", "content": LONG}
    return "/api/chat", {
        "text": {"messages": [{"role": "system", "content": LONG}, HI]},
        "pictures": {"messages": [{**HI, "images": [PNG] * 5}]},
        "loop": {"messages": [HI, call, answer], "tools": [tool]},
        "schema": {"messages": [HI], "format": SCHEMA},
        "unlimited": {"messages": [HI], "options": {"num_predict": -1}},
        "names": {"messages": [HI], "options": {"num_ctx": 1_000_000}, "keep_alive": LONG},
    }


def agents() -> tuple[str, Forms]:
    return "/api/v1/agents/completion", {
        "prompt": {"prompt": LONG},
        "messages": {"messages": [{"role": "system", "content": LONG}, HI]},
        "pictures": {
            "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL}}]}]
        },
    }


WIRES = {
    "chat": chat, "responses": items, "messages": messages, "gemini": contents, "ollama": ollama, "agents": agents,
}  # fmt: skip


def bodies(wire: str, model: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, path, body) of every form."""
    path, forms = WIRES[wire]()
    for name, form in forms.items():
        body: dict[str, Any] = {"model": model, **form}
        if wire == "responses":
            body = {"max_output_tokens": 50, **body}
        elif wire == "gemini":
            body["generationConfig"] = {"maxOutputTokens": 50, **body.get("generationConfig", {})}
            del body["model"]
        elif wire == "ollama":
            body |= {"stream": False, "options": {"num_predict": 50, **body.get("options", {})}}
        else:
            body = {"max_tokens": 50, **body}
        yield name, path.format(model), body


@pytest.mark.parametrize("wire", WIRES)
@on_rig(Behaviour(), balance=10**13, others=OTHERS, timeouts=PATIENT)
async def test_no_form_of_content_costs_more_than_was_held_on_any_clients_wire(rig: Rig, wire: str) -> None:
    key = {"authorization": f"Bearer {rig.key}"}
    answered: dict[str, set[str]] = {}
    asked: dict[str, tuple[str, str]] = {}
    for fake in rig.at.values():
        fake.judged = False  # essays for names are no SDK's
    for model, provider in SELLERS.items():
        rig.at[provider].script[:] = [bills_the_worst(model)]
        for name, path, body in bodies(wire, model):
            answer = await rig.call(path, body, key)
            assert answer.status in (200, 400), (model, name, answer.body[:300])
            if answer.status == 200:
                answered.setdefault(name, set()).add(model)
                asked[answer.headers["x-generation-id"]] = (model, name)
    for row in await rig.rows():
        what = asked.get(row.request_id)
        assert row.absorbed_nano == 0, (what, row)
        assert row.charge_nano <= row.hold_nano, (what, row)
    assert not WIRES[wire]()[1].keys() - answered.keys(), "a form that nobody takes is no trial of anything"
    assert rig.market.router.parts.bounds.count == 0
