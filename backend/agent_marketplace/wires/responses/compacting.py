"""`/v1/responses/compact`: a long conversation in a few words, which stand for it in the next request.

The words are the model's own, asked for like any answer. They travel as a `compaction` item whose content is opaque to its
client, as OpenAI's is: here it is the text itself in base64, so that no server has to remember it.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import Call, Message, Reply, Shape, TextPart
from agent_marketplace.wires.responses.vocabulary import COMPACTIONS

_MARK = "aam1."
_KEPT_CHARACTERS = 40_000
_ASK = (
    "Stop here and hand this conversation over to a colleague who will go on with it and sees nothing of it but your words. "
    "Write down: what was asked for, with every condition; what has been done and found out, with names, paths, numbers and "
    "commands as they are; what was decided and why; what is left to do, and the next step. Call no tool. Write nothing else."
)
_TOLD = "What has happened in this conversation so far, as it was handed over:\n\n"


def asked(call: Call) -> Call:
    """The call that asks for the summary."""
    return msgspec.structs.replace(
        call,
        messages=(*call.messages, Message("user", (TextPart(_ASK),))),
        stream=False,
        tool_choice="none" if call.tools else None,
        allowed_tools=(),
        response_format=None,
        response_schema=None,
        echo={"output": _users(call)},
    )


def _users(call: Call) -> list[dict[str, Any]]:
    """The newest of what the user said, which stays word for word."""
    kept: list[dict[str, Any]] = []
    room = _KEPT_CHARACTERS
    for message in reversed(call.messages):
        texts = [p.text for p in message.parts if isinstance(p, TextPart) and p.text]
        if message.role != "user" or not texts or any(t.startswith(_TOLD) for t in texts):
            continue
        room -= sum(map(len, texts))
        if room < 0:
            break
        content = [{"type": "input_text", "text": text} for text in texts]
        kept.append({"type": "message", "status": "completed", "role": "user", "content": content})
    return kept[::-1]


def render(reply: Reply, shape: Shape, usage: Mapping[str, Any] | None, extra: Mapping[str, Any]) -> bytes:
    """A `response.compaction`: the input of the next request. usage: as this wire tells it."""
    data = _MARK + base64.urlsafe_b64encode(reply.text.encode("utf-8", "replace")).decode()
    users = [{"id": f"msg_{i}_{shape.id}", **item} for i, item in enumerate(shape.echo.get("output", ()))]
    item = {"type": "compaction", "id": f"cmp_{shape.id}", "encrypted_content": data}
    body = {
        "id": shape.id,
        "object": "response.compaction",
        "created_at": shape.created,
        "output": [*users, item],
        "usage": usage,
    }
    return json.encode(body | {k: v for k, v in extra.items() if k != "cost"})


def opened(item: Mapping[str, Any]) -> Message | None:
    """The turn that a `compaction` item stands for; None for one that was made elsewhere."""
    data = item.get("encrypted_content")
    if item.get("type") not in COMPACTIONS or not isinstance(data, str) or not data.startswith(_MARK):
        return None
    try:
        text = base64.b64decode(data.removeprefix(_MARK), "-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Message("user", (TextPart(_TOLD + text),))
