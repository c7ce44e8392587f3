"""Bodies of `/api/v1/agents/*`: the guide's loose fields made into one canonical call, checked by the OpenAI codec."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from agent_marketplace import json
from agent_marketplace.api.asgi import MAX_BODY
from agent_marketplace.api.screen import aside
from agent_marketplace.errors import BadRequest, PayloadTooLarge
from agent_marketplace.wires.base import Call, Codec
from agent_marketplace.wires.openai import loose

_OURS = frozenset(
    {"prompt", "options", "agent_id", "message", "conversation_id", "parent_id", "images", "system", "run_id", "resumable",
     "temporary", "stream"}
)  # fmt: skip
_MAX_IMAGES = 10


async def read_bytes(request: Request) -> bytes:
    """The body as it came. Raises PayloadTooLarge."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BODY:
            raise PayloadTooLarge(f"the body is over {MAX_BODY} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def size_of(request: Request) -> int:
    """Bytes of the body as its sender says; where they do not, so many that it is taken for large."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdigit() else MAX_BODY


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises BadRequest, PayloadTooLarge."""
    try:
        data = await read_bytes(request)
        value = await aside(len(data), lambda: json.decode(data))
    except ValueError:
        raise BadRequest("The body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object")
    return value


def text(
    body: Mapping[str, Any], field: str, *, limit: int = 10_000_000, required: bool = False
) -> str | None:
    """A text field. Raises BadRequest."""
    value = body.get(field)
    if value is None or (required and value == ""):
        if required:
            raise BadRequest(f"{field} is required")
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise BadRequest(f"{field} must be a text of at most {limit} characters")
    return value


def flag(body: Mapping[str, Any], field: str) -> bool:
    """A boolean field, false if absent. Raises BadRequest."""
    value = body.get(field)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise BadRequest(f"{field} must be true or false")
    return value


def parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The guide's `options` under the top-level fields (top level wins), without our own fields."""
    options = body.get("options")
    if options is None:
        options = {}
    if not isinstance(options, dict):
        raise BadRequest("options must be an object")
    return {k: v for k, v in {**options, **body}.items() if k not in _OURS and v is not None}


def user_content(message: str, images: Any) -> str | list[dict[str, Any]]:
    """A user turn with its images (data: URLs). Raises BadRequest."""
    if images is None or images == []:
        return message
    if (
        not isinstance(images, list)
        or len(images) > _MAX_IMAGES
        or not all(isinstance(i, str) for i in images)
    ):
        raise BadRequest(f"images must be a list of at most {_MAX_IMAGES} data: URLs")
    if not all(i.startswith("data:image/") for i in images):
        raise BadRequest("images must be data:image/... URLs")
    return [
        {"type": "text", "text": message},
        *({"type": "image_url", "image_url": {"url": i}} for i in images),
    ]


def completion_messages(body: Mapping[str, Any]) -> Sequence[Any]:
    """`messages`, or the guide's `prompt` as one user turn. Raises BadRequest."""
    messages = body.get("messages")
    if messages is not None:
        if not isinstance(messages, list) or not messages:
            raise BadRequest("messages must be a list with at least one message")
        return messages
    prompt = text(body, "prompt", required=True)
    turns: list[Any] = [{"role": "user", "content": user_content(prompt or "", body.get("images"))}]
    system = text(body, "system")
    return [{"role": "system", "content": system}, *turns] if system else turns


def call_of(
    codec: Codec, model: str, messages: Sequence[Any], params: Mapping[str, Any], *, stream: bool
) -> Call:
    """The canonical call, checked field by field. Raises BadRequest.

    What OpenAI's clients write nearly right is read at their own door; here a field is right or refused by its name.
    """
    fields = {**params, "model": model, "messages": list(messages), "stream": stream}
    try:
        body = json.encode(fields)
        made = codec.parse_request(body)
    except (TypeError, UnicodeEncodeError):
        raise BadRequest("the body holds text that is not valid Unicode") from None
    if made.respelled:
        meant = json.decode(loose.own(body))
        wrong = next((name for name, value in fields.items() if meant.get(name) != value), "a field")
        raise BadRequest(f"{wrong} has a value that this API does not take")
    return made
