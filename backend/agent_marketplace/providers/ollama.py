"""What an Ollama server serves right now, and what it says of each model.

Sources: Ollama's API reference, "List Local Models" and "Show Model Information". Capabilities are named since 0.6.4; an older
server's are read off the template and the model's own facts.
"""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.providers.endpoints import Endpoint

T = TypeVar("T")
_LIMIT = 4 * 1024 * 1024
_TIMES = Timeouts(connect_s=1, first_byte_s=2, idle_s=2, total_s=3)
_AT_ONCE = 4
_ASKING_S = 10.0
_MOST = 500
_LONGEST_NAME = 512
_TAG = re.compile(r"[^/]:(?:latest|e?\d+(?:\.\d+)?[bm](?:-.*)?|i?q\d.*)$")
"""Ollama's names: `qwen3:8b`, `llama3:latest`, `hf.co/…:q4_k_m`."""


class OllamaModel(msgspec.Struct, frozen=True):
    """One installed model: `name` as Ollama calls it (`llama3.2:1b`), size in bytes, and what its details say."""

    name: str
    size: int = 0
    family: str = ""
    parameters: str = ""
    quantization: str = ""
    digest: str = ""


class Shown(msgspec.Struct, frozen=True):
    """What a server says of a model: its capabilities in Ollama's words, its context in tokens (0 = not said)."""

    capabilities: frozenset[str]
    context: int = 0


class _Details(msgspec.Struct):
    family: str | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None


class _Model(msgspec.Struct):
    name: str
    size: int = 0
    digest: str | None = None
    details: _Details | None = None


class _Tags(msgspec.Struct):
    models: list[_Model] = []


class _Show(msgspec.Struct):
    capabilities: list[str] | None = None
    template: str | None = None
    model_info: dict[str, Any] | None = None
    projector_info: dict[str, Any] | None = None


async def discover(client: OutboundClient, endpoint: Endpoint) -> tuple[OllamaModel, ...] | None:
    """The installed models, or None where no Ollama answers within two seconds."""
    tags = await _answer(client, OutboundRequest(
        method="GET", url=endpoint.url("api/tags"), timeouts=_TIMES, allow_private=endpoint.allow_private, max_body=_LIMIT,
    ), _Tags)  # fmt: skip
    if tags is None:
        return None
    none = _Details()
    return tuple(
        OllamaModel(
            m.name, m.size, d.family or "", d.parameter_size or "", d.quantization_level or "", m.digest or ""
        )
        for m in tags.models
        for d in (m.details or none,)
    )


async def show(client: OutboundClient, endpoint: Endpoint, name: str) -> Shown | None:
    """What the server says of a model, or None where it says nothing in time."""
    told = await _answer(client, OutboundRequest(
        method="POST", url=endpoint.url("api/show"), headers={"content-type": "application/json"},
        body=msgspec.json.encode({"model": name}), timeouts=_TIMES, allow_private=endpoint.allow_private, max_body=_LIMIT,
    ), _Show)  # fmt: skip
    if told is None:
        return None
    info = told.model_info or {}
    context = next((v for k, v in info.items() if k.endswith(".context_length")), 0)
    sound = isinstance(context, int) and 0 < context <= 1 << 40
    capabilities = told.capabilities if told.capabilities is not None else _read_off(told, info)
    return Shown(frozenset(capabilities), context if sound else 0)


def _read_off(told: _Show, info: Mapping[str, Any]) -> list[str]:
    """The capabilities of a model at a server that does not name them."""
    if any(name.endswith(".pooling_type") for name in info):
        return ["embedding"]
    found = ["completion"]
    found += ["tools"] if ".Tools" in (told.template or "") else []
    found += ["vision"] if told.projector_info or any(".vision." in name for name in info) else []
    found += ["thinking"] if ".Think" in (told.template or "") else []
    return found


async def _answer(client: OutboundClient, request: OutboundRequest, kind: type[T]) -> T | None:
    """The decoded body of a 200, or None."""
    try:
        response = await client.send(request)
        try:
            if response.status != 200:
                return None
            return msgspec.json.decode(await response.read(_LIMIT), type=kind)
        finally:
            response.cancel()
    except (NetError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class Pulled:
    """The models of the operator's Ollama as last told. A server that is away for a moment keeps its models."""

    def __init__(self) -> None:
        self.models: Mapping[str, Shown | None] = {}
        self.away = False
        self._told_at: int | None = None
        self._shown: dict[tuple[str, str, int], Shown] = {}

    async def poll(self, client: OutboundClient, endpoint: Endpoint, now_ms: int) -> bool:
        """Asks once, new models each; at most some 15 seconds. True where the list, a model or the server's presence changed."""
        found = await discover(client, endpoint)
        was = (self.models, self.away)
        self.away = found is None
        if found is not None:
            self._told_at = now_ms
            await self._ask(client, endpoint, found[:_MOST])
            self.models = {m.name: self._shown.get(_print(m)) for m in found}
        return (self.models, self.away) != was

    async def _ask(self, client: OutboundClient, endpoint: Endpoint, found: tuple[OllamaModel, ...]) -> None:
        here = {_print(m) for m in found}
        self._shown = {key: shown for key, shown in self._shown.items() if key in here}
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(model: OllamaModel) -> None:
            async with places:
                shown = await show(client, endpoint, model.name)
            if shown is not None:
                self._shown[_print(model)] = shown

        try:
            async with asyncio.timeout(_ASKING_S), asyncio.TaskGroup() as asking:
                for model in found:
                    if _print(model) not in self._shown:
                        asking.create_task(one(model))
        except TimeoutError:
            return  # what is not known yet is asked for in the next round

    def unheard(self, name: str) -> str | None:
        """As `why_not`, for a name that no offer stands behind: one that only an Ollama that has not answered could serve."""
        if self._told_at is not None or len(name) > _LONGEST_NAME:
            return None  # a name of 30 MB would be read on the event loop
        return self.why_not(name) if _TAG.search(name.lower()) else None

    def why_not(self, tag: str) -> str | None:
        """Why a model can't be called there, in words; None where it can."""
        plain = tag.removesuffix(":latest")
        if any(name.removesuffix(":latest") == plain for name in self.models):
            return None
        if self._told_at is None:
            return "the operator's Ollama can't be reached: it has not answered since this server started"
        if self.away:
            at = datetime.fromtimestamp(self._told_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
            return f"not pulled at the operator's Ollama when it last answered ({at})"
        return "not pulled at the operator's Ollama"


def _print(model: OllamaModel) -> tuple[str, str, int]:
    """A model that is pulled anew has another digest."""
    return (model.name, model.digest, model.size)
