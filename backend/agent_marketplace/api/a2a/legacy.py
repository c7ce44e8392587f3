"""PURE: A2A 0.3 as a spelling of 1.0, JSON-RPC only. Source: a2a-protocol.org/v0.3.0 (specification, 6 and 7)."""

from collections.abc import Mapping
from typing import Any

METHODS: Mapping[str, str] = {
    "message/send": "SendMessage", "message/stream": "SendStreamingMessage", "tasks/get": "GetTask", "tasks/cancel": "CancelTask",
    "tasks/resubscribe": "SubscribeToTask", "agent/getAuthenticatedExtendedCard": "GetExtendedAgentCard",
    "tasks/pushNotificationConfig/set": "CreateTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/get": "GetTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/list": "ListTaskPushNotificationConfigs",
    "tasks/pushNotificationConfig/delete": "DeleteTaskPushNotificationConfig",
}  # fmt: skip
_ROLES = {"ROLE_USER": "user", "ROLE_AGENT": "agent"}
_OVER = ("TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED")
_WAITS = ("TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED")


def params(given: Mapping[str, Any]) -> dict[str, Any]:
    """A 0.3 request's parameters as 1.0's."""
    found = dict(given)
    if isinstance(message := found.get("message"), dict):
        parts = message.get("parts")
        changed = [_part_in(p) for p in parts] if isinstance(parts, list) else parts
        found["message"] = {**message, "parts": changed}
    if isinstance(chosen := found.get("configuration"), dict):
        found["configuration"] = {**chosen, "returnImmediately": chosen.get("blocking") is False}
    return found


def _part_in(part: Any) -> Any:
    if (
        not isinstance(part, dict)
        or part.get("kind") != "file"
        or not isinstance(file := part.get("file"), dict)
    ):
        return part
    named = {"mediaType": file.get("mimeType")}
    return {**named, "raw": file["bytes"]} if "bytes" in file else {**named, "url": file.get("uri")}


def result(told: Mapping[str, Any]) -> dict[str, Any]:
    """A task, or a stream response, as 0.3 spells it."""
    if "statusUpdate" in told:
        update = told["statusUpdate"]
        state = update["status"]["state"]
        return {
            **update,
            "kind": "status-update",
            "status": _status(update["status"]),
            "final": state in (*_OVER, *_WAITS),
        }
    if "artifactUpdate" in told:
        update = told["artifactUpdate"]
        return {**update, "kind": "artifact-update", "artifact": _artifact(update["artifact"])}
    of = told.get("task", told)
    found = {**of, "kind": "task", "status": _status(of["status"])}
    found["artifacts"] = [_artifact(a) for a in of.get("artifacts", ())]
    if "history" in of:
        found["history"] = [_message(m) for m in of["history"]]
    return found


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    found = {**status, "state": status["state"].removeprefix("TASK_STATE_").lower().replace("_", "-")}
    if "message" in status:
        found["message"] = _message(status["message"])
    return found


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    parts = [_part_out(p) for p in message["parts"]]
    return {**message, "kind": "message", "role": _ROLES[message["role"]], "parts": parts}


def _artifact(artifact: Mapping[str, Any]) -> dict[str, Any]:
    return {**artifact, "parts": [_part_out(p) for p in artifact["parts"]]}


def _part_out(part: Mapping[str, Any]) -> dict[str, Any]:
    return (
        {"kind": "text", "text": part["text"]} if "text" in part else {"kind": "data", "data": part["data"]}
    )
