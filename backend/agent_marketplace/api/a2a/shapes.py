"""PURE: runs as A2A 1.0 tasks, their events as stream responses, and messages as turns."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.api.a2a.protocol import Fault
from agent_marketplace.api.present import iso
from agent_marketplace.ledger import dollars
from agent_marketplace.runs import questions
from agent_marketplace.runs.sanity import visible
from agent_marketplace.runs.types import Approval, Context, Head, Step
from agent_marketplace.wires.base import ImagePart, Message, TextPart

_STATES = {
    "running": "TASK_STATE_WORKING", "waiting": "TASK_STATE_INPUT_REQUIRED", "paused": "TASK_STATE_INPUT_REQUIRED",
    "done": "TASK_STATE_COMPLETED", "failed": "TASK_STATE_FAILED", "cancelled": "TASK_STATE_CANCELED",
}  # fmt: skip
STATES = (*dict.fromkeys(_STATES.values()), "TASK_STATE_AUTH_REQUIRED")
JSON_TYPE = "application/json"
MOST_TEXT = 1_000_000
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A run, opened. asked: questions that are pending; place: where it can be steered by hand."""

    head: Head
    context: Context
    steps: Sequence[Step]
    asked: Sequence[Approval]
    place: str

    @property
    def context_id(self) -> str:
        return self.context.thread or self.head.run_id


def state_of(head: Head) -> str:
    """A run's state in A2A's words: what only more money helps needs its owner's authority, elsewhere."""
    if head.state == "paused" and head.stop_reason == "needs_funds":
        return "TASK_STATE_AUTH_REQUIRED"
    return _STATES[head.state]


def task(of: Task, history: int | None = None) -> dict[str, Any]:
    """The task. history: so many of its last messages, None = all."""
    messages = _history(of)
    kept = messages if history is None else messages[len(messages) - history :] if history else []
    head = of.head
    told = {
        "id": head.run_id, "contextId": of.context_id, "status": status(of), "artifacts": _artifacts(of),
        "metadata": {
            "agent": of.context.spec.name, "version": head.agent_version, "stopReason": head.stop_reason,
            "cost": dollars(head.spent_nano), "cap": dollars(head.cap_nano or 0), "run": of.place,
        },
    }  # fmt: skip
    return {**told, "history": kept} if kept else told


def status(of: Task) -> dict[str, Any]:
    """Its state, with what is asked where it waits for somebody."""
    found: dict[str, Any] = {"state": state_of(of.head), "timestamp": iso(of.head.updated_at)}
    if parts := _status_parts(of):
        found["message"] = _said(of, "status", parts)
    return found


def _status_parts(of: Task) -> list[dict[str, Any]]:
    head = of.head
    if head.state == "waiting" and of.asked:
        asked = [_question(a, of.steps) for a in of.asked]
        words = questions.words(of.asked, of.steps, of.place)
        return [{"text": words}, {"data": {"approvals": asked}, "mediaType": JSON_TYPE}]
    if head.state == "paused" and head.stop_reason == "needs_funds":
        return [
            {"text": f"The balance does not cover the next step: top up, then send a message. {of.place}"}
        ]
    if head.state == "paused":
        cap = dollars(head.cap_nano or 0)
        return [
            {
                "text": f'Paused at its cap of ${cap:f}. A message with metadata {{"cap": dollars}} within a day goes on from here.'
            }
        ]
    if head.state == "failed":
        return [{"text": f"The run failed: {head.stop_reason}"}]
    return []


def _question(asked: Approval, steps: Sequence[Step]) -> dict[str, Any]:
    step = next((s for s in steps if s.n == asked.n), None)
    return {
        "approval_id": asked.approval_id, "subject": asked.subject_hash, "name": step.name if step else "",
        "arguments": visible(step.args or "") if step else "", "most": dollars(asked.most_nano), "expires_at": iso(asked.expires_at),
    }  # fmt: skip


def _artifacts(of: Task) -> list[dict[str, Any]]:
    spoken = [s for s in of.steps if s.kind in ("model", "final") and s.state == "done" and s.said.text]
    return [
        {
            "artifactId": f"step-{s.n}",
            "name": "answer" if s is spoken[-1] else "note",
            "parts": [{"text": s.said.text}],
        }
        for s in spoken
    ]


def _history(of: Task) -> list[dict[str, Any]]:
    given = [m for m in of.context.messages if m.role in ("user", "assistant")]
    found = [
        _said(of, f"turn-{i}", [{"text": _plain(m)}], role="ROLE_USER" if m.role == "user" else "ROLE_AGENT")
        for i, m in enumerate(given)
    ]
    found += [
        _said(of, f"input-{s.n}", [{"text": s.args or ""}], role="ROLE_USER")
        for s in of.steps
        if s.kind == "input"
    ]
    return found


def _plain(message: Message) -> str:
    return "".join(p.text if isinstance(p, TextPart) else "[an image]" for p in message.parts)


def _said(of: Task, name: str, parts: list[dict[str, Any]], *, role: str = "ROLE_AGENT") -> dict[str, Any]:
    return {
        "messageId": f"{of.head.run_id}-{name}", "contextId": of.context_id, "taskId": of.head.run_id, "role": role,
        "parts": parts,
    }  # fmt: skip


def event(told: Mapping[str, Any], run_id: str, context_id: str) -> dict[str, Any] | None:
    """A run's event as a stream response; None for one that A2A has no word for."""
    named = {"taskId": run_id, "contextId": context_id}
    kind = told.get("type")
    if kind == "delta":
        artifact = {"artifactId": f"step-{told['step']}", "parts": [{"text": told["delta"]}]}
        return {"artifactUpdate": {**named, "artifact": artifact, "append": True}}
    if kind == "step.started" and told.get("kind") in ("tool", "subrun"):
        message = {
            "messageId": f"{run_id}-step-{told['step']}", **named, "role": "ROLE_AGENT", "parts": [{"text": f"[{told['name']}]"}],
        }  # fmt: skip
        return {"statusUpdate": {**named, "status": {"state": "TASK_STATE_WORKING", "message": message}}}
    return None


def last_event(of: Task) -> dict[str, Any]:
    """What a stream ends with."""
    metadata = {"stopReason": of.head.stop_reason, "cost": dollars(of.head.spent_nano)}
    named = {"taskId": of.head.run_id, "contextId": of.context_id}
    return {"statusUpdate": {**named, "status": status(of), "metadata": metadata}}


def told_in(data: bytes) -> list[dict[str, Any]]:
    """The events of a run in a piece of its stream."""
    found = []
    for block in data.split(b"\n\n"):
        line = next((part for part in block.split(b"\n") if part.startswith(b"data: ")), None)
        if line is not None:
            found.append(json.decode(line[6:]))
    return found


# -- messages ----------------------------------------------------------------------------------------------------------


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a client. answers: {approval id: (subject, allowed)} of its data parts; cap: as it was given."""

    message_id: str
    task_id: str
    context_id: str
    turn: Message
    text: str
    answers: Mapping[str, tuple[str, bool]]
    cap: Any = None


def sent_in(params: Mapping[str, Any]) -> Sent:
    """The message of a SendMessage request. Raises Fault."""
    message = params.get("message")
    if not isinstance(message, dict):
        raise Fault("INVALID_PARAMS", "message is required")
    if message.get("role") not in ("ROLE_USER", "user"):
        raise Fault("INVALID_PARAMS", "message.role must be ROLE_USER")
    parts = message.get("parts")
    if not isinstance(parts, list) or not 0 < len(parts) <= 100:
        raise Fault("INVALID_PARAMS", "message.parts must be 1 to 100 parts")
    made: list[TextPart | ImagePart] = []
    answers: dict[str, tuple[str, bool]] = {}
    for i, part in enumerate(parts):
        read = _part(part, f"message.parts[{i}]", answers)
        made += [read] if read is not None else []
    text = "\n".join(p.text for p in made if isinstance(p, TextPart))
    cap = None
    for holder in (params, message):
        given = holder.get("metadata")
        if isinstance(given, dict) and given.get("cap") is not None:
            cap = given["cap"]
    return Sent(
        message_id=_name(message, "messageId", required=True), task_id=_name(message, "taskId"),
        context_id=_name(message, "contextId"), turn=Message("user", tuple(made)), text=text, answers=answers, cap=cap,
    )  # fmt: skip


def _name(message: Mapping[str, Any], field: str, *, required: bool = False) -> str:
    value = message.get(field) or ""
    if not isinstance(value, str) or len(value) > 100 or (required and not value):
        raise Fault(
            "INVALID_PARAMS", f"message.{field} must be a text of {1 if required else 0} to 100 characters"
        )
    return value


def _part(part: Any, place: str, answers: dict[str, tuple[str, bool]]) -> TextPart | ImagePart | None:
    if not isinstance(part, dict):
        raise Fault("INVALID_PARAMS", f"{place} must be an object")
    if isinstance(text := part.get("text"), str):
        if len(text) > MOST_TEXT:
            raise Fault("INVALID_PARAMS", f"{place}.text has more than {MOST_TEXT} characters")
        return TextPart(text)
    if "data" in part:
        if _answers(part["data"], answers):
            return None
        return TextPart(json.encode(part["data"]).decode())
    kind = str(part.get("mediaType") or "").lower()
    if isinstance(raw := part.get("raw"), str):
        if kind in _IMAGES:
            return ImagePart(media_type=kind, data=raw)
        if kind.startswith("text/"):
            return TextPart(_decoded(raw, place))
    raise Fault(
        "CONTENT_TYPE_NOT_SUPPORTED",
        f"{place}: text, data, text/* files and pictures (png, jpeg, gif, webp) are taken",
    )


def _decoded(raw: str, place: str) -> str:
    try:
        return base64.b64decode(raw, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Fault("INVALID_PARAMS", f"{place}.raw is no UTF-8 text in base64") from None


def _answers(data: Any, answers: dict[str, tuple[str, bool]]) -> bool:
    """Takes answers to approvals out of a data part; False where it holds none."""
    given = data.get("approvals") if isinstance(data, dict) else None
    if not isinstance(given, list):
        return False
    for one in given[:100]:
        if (
            not isinstance(one, dict)
            or not isinstance(name := one.get("approval_id"), str)
            or not isinstance(subject := one.get("subject"), str)
            or not isinstance(allow := one.get("allow"), bool)
        ):
            raise Fault(
                "INVALID_PARAMS", "approvals: each needs approval_id, subject and allow (true or false)"
            )
        answers[name] = (subject, allow)
    return True
