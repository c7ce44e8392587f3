"""What an Ollama server serves right now."""

import msgspec

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.providers.endpoints import Endpoint

_LIMIT = 4 * 1024 * 1024


class OllamaModel(msgspec.Struct, frozen=True):
    """One installed model: `name` as Ollama calls it (`llama3.2:1b`), size in bytes, and what its details say."""

    name: str
    size: int = 0
    family: str = ""
    parameters: str = ""
    quantization: str = ""


class _Details(msgspec.Struct):
    family: str | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None


class _Model(msgspec.Struct):
    name: str
    size: int = 0
    details: _Details | None = None


class _Tags(msgspec.Struct):
    models: list[_Model] = []


async def discover(client: OutboundClient, endpoint: Endpoint) -> tuple[OllamaModel, ...] | None:
    """The installed models, or None where no Ollama answers within two seconds."""
    times = Timeouts(connect_s=1, first_byte_s=2, idle_s=2, total_s=3)
    request = OutboundRequest(
        method="GET",
        url=endpoint.url("api/tags"),
        timeouts=times,
        allow_private=endpoint.allow_private,
        max_body=_LIMIT,
    )
    try:
        response = await client.send(request)
        try:
            tags = (
                msgspec.json.decode(await response.read(_LIMIT), type=_Tags)
                if response.status == 200
                else None
            )
        finally:
            response.cancel()
    except (NetError, msgspec.DecodeError):
        return None
    if tags is None:
        return None
    none = _Details()
    return tuple(
        OllamaModel(m.name, m.size, d.family or "", d.parameter_size or "", d.quantization_level or "")
        for m in tags.models
        for d in (m.details or none,)
    )
