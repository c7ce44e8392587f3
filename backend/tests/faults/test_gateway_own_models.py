"""Models of the operator's own, through the whole server."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from agent_marketplace.providers.endpoints import DeclaredModel
from agent_marketplace.wires import codecs
from tests.fakes.rig import MODEL, Rig, on_rig

FIELDS = {
    "name": '"House Model"',
    "context": "4096",
    "max_output": "77",
    "vision": "false",
    "tools": "false",
    "structured_output": "false",
    "reasoning": "false",
    "embeddings": "true",
    "input_price": '"1"',
    "output_price": '"2"',
}
WAITS = {"first_byte_s", "first_content_s"}
"""What dispatch reads, not the catalogue: test_gateway_waiting.py."""
PROVIDER = '[[provider]]\nname = "house"\nbase_url = "http://127.0.0.1:9/v1"\n'


def catalogued(rig: Rig, name: str) -> tuple[object, ...]:
    """What the catalogue says of a declared model, but for its id."""
    model = rig.market.registry.resolve(f"house/{name}")
    assert model is not None
    offer = rig.market.registry.offers(model.id)[-1]
    shown = model.name if model.name == "House Model" else ""
    said = (shown, model.capabilities, offer.context, offer.max_output, offer.price)
    return (*said, offer.input_modalities, offer.supported_parameters)


def test_no_field_of_a_declared_model_is_read_and_dropped(tmp_path: Path) -> None:
    assert {f.name for f in msgspec.structs.fields(DeclaredModel)} == {"id", *FIELDS, *WAITS}
    models = ["", *(f"{field} = {value}" for field, value in FIELDS.items())]
    tables = [f'[[provider.models]]\nid = "own-{n}"\n{line}\n' for n, line in enumerate(models)]

    rig = Rig(tmp_path)
    (rig.directory / "providers.toml").write_text(PROVIDER + "".join(tables))

    async def run() -> None:
        async with rig:
            plain = catalogued(rig, "own-0")
            same = [f for n, f in enumerate(FIELDS, start=1) if catalogued(rig, f"own-{n}") == plain]
            assert same == []

    asyncio.run(run())


RUNNERS = {"num_ctx": 32768, "min_p": 0.05, "repeat_penalty": 1.1, "num_gpu": 1, "use_mmap": False}


@pytest.mark.parametrize("wire", sorted(codecs()))
def test_a_runners_options_reach_ollama_and_are_told_as_left_out_elsewhere(wire: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "keep_alive": 7}
    body["options"] = {"temperature": 0.2, "num_thread": "all", "odd": 1, **RUNNERS}
    call = codecs()["ollama"].parse_request(json.dumps(body).encode())
    assert set(call.unread) == {"options.num_thread", "options.odd"}
    out = codecs()[wire].build_request(call, "m", stream=False)
    if wire == "ollama":
        sent = json.loads(out.body)
        assert sent["options"] == {"temperature": 0.2, **RUNNERS}
        assert (sent["keep_alive"], out.dropped) == (7, ())
    else:
        assert {f"options.{name}" for name in RUNNERS} | {"keep_alive"} <= set(out.dropped)
        assert b"num_ctx" not in out.body


LOADS = [
    ("/api/chat", {"messages": []}, "load"),
    ("/api/chat", {}, "load"),
    ("/api/chat", {"messages": [], "keep_alive": 0}, "unload"),
    ("/api/generate", {}, "load"),
    ("/api/generate", {"prompt": "", "keep_alive": "5m"}, "load"),
    ("/api/generate", {"prompt": "", "keep_alive": "0s"}, "unload"),
]


async def with_ollama(rig: Rig, asked: list[tuple[str, dict]], status: str) -> asyncio.Server:
    """An Ollama with one model, `house:1b`, that notes what it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        asked.append((head.split()[1], json.loads(await reader.readexactly(length))))
        body = b'{"error": "no room"}' if status != "200 OK" else b'{"done": true}'
        start = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(start.encode() + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    market = rig.market
    endpoint = market.endpoints.get("ollama")
    assert endpoint is not None
    market.endpoints.put(msgspec.structs.replace(endpoint, base_url=url))
    market.ollama.models = {"house:1b": None}
    await market.catalog.set_ollama({"house:1b": None})
    market.refresh_availability()
    return server


@on_rig()
async def test_loading_a_model_asks_its_ollama_and_costs_nothing(rig: Rig) -> None:
    asked: list[tuple[str, dict]] = []
    async with await with_ollama(rig, asked, "200 OK"):
        for path, body, reason in LOADS:
            answer = await rig.call(path, {"model": "house:1b", **body})
            assert answer.status == 200
            told = answer.json
            assert (told["done"], told["done_reason"], told["model"]) == (True, reason, "house:1b")
            kept = {k: v for k, v in body.items() if k == "keep_alive"}
            sent = {"model": "house:1b", "messages": [], "stream": False, **kept}
            assert asked.pop() == ("/api/chat", sent)
        away = await rig.call("/api/chat", {"model": MODEL, "messages": []})
        assert (away.status, asked) == (200, [])
        assert (await rig.call("/api/chat", {"model": "no-such-model-at-all"})).status == 404
    assert await rig.spent() == 0
    assert await rig.rows() == []
    assert not rig.up.requests


@on_rig()
async def test_a_model_that_cannot_be_loaded_is_not_said_to_be(rig: Rig) -> None:
    asked: list[tuple[str, dict]] = []
    server = await with_ollama(rig, asked, "500 Oh")
    async with server:
        failed = await rig.call("/api/chat", {"model": "house:1b"})
        assert failed.status == 502
    gone = await rig.call("/api/chat", {"model": "house:1b"})
    assert gone.status == 503


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_ollamas_own_curl_examples_are_read_and_refused_in_its_words(
    tmp_path: Path, kind: str | None
) -> None:
    @on_rig()
    async def run(rig: Rig) -> None:
        headers = {} if kind is None else {"content-type": kind}
        shown = await rig.call("/api/show", {"model": MODEL}, headers)
        assert shown.status == 200
        for body in (b"{", b"[]", b'{"model": "no-such-model-at-all"}'):
            refused = await rig.call("/api/show", body, headers)
            assert refused.status in (400, 404)
            assert isinstance(refused.json["error"], str)
            assert "success" not in refused.json

    run(tmp_path)
