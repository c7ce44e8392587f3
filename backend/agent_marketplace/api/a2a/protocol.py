"""PURE: A2A's revisions, requests and errors in both bindings.

Sources: a2a-protocol.org/v1.0 (specification, 3.6 versioning, 5.4 error codes, 9 JSON-RPC, 11 HTTP+JSON); google.rpc.Status.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError

MODERN, LEGACY = "1.0", "0.3"
HEADER = "a2a-version"
DOMAIN = "a2a-protocol.org"
OURS = "ai-agent-marketplace"
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


class Kind(NamedTuple):
    """An error in each binding's numbers."""

    rpc: int
    status: int
    grpc: str


KINDS: Mapping[str, Kind] = {
    "TASK_NOT_FOUND": Kind(-32001, 404, "NOT_FOUND"),
    "TASK_NOT_CANCELABLE": Kind(-32002, 400, "FAILED_PRECONDITION"),
    "PUSH_NOTIFICATION_NOT_SUPPORTED": Kind(-32003, 400, "FAILED_PRECONDITION"),
    "UNSUPPORTED_OPERATION": Kind(-32004, 400, "FAILED_PRECONDITION"),
    "CONTENT_TYPE_NOT_SUPPORTED": Kind(-32005, 400, "INVALID_ARGUMENT"),
    "EXTENDED_AGENT_CARD_NOT_CONFIGURED": Kind(-32007, 400, "FAILED_PRECONDITION"),
    "VERSION_NOT_SUPPORTED": Kind(-32009, 400, "FAILED_PRECONDITION"),
    "INVALID_REQUEST": Kind(-32600, 400, "INVALID_ARGUMENT"),
    "METHOD_NOT_FOUND": Kind(-32601, 404, "NOT_FOUND"),
    "INVALID_PARAMS": Kind(-32602, 400, "INVALID_ARGUMENT"),
    "INTERNAL_ERROR": Kind(-32603, 500, "INTERNAL"),
    "PARSE_ERROR": Kind(-32700, 400, "INVALID_ARGUMENT"),
}
_OTHER = -32000  # JSON-RPC's first number for errors of a server's own
_GRPC = {
    401: "UNAUTHENTICATED", 402: "FAILED_PRECONDITION", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    413: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE",
}  # fmt: skip


class Fault(Exception):
    """An error of the protocol. reason: one of KINDS, or a code of ours in capitals; data: what goes beside it, as texts."""

    def __init__(
        self, reason: str, message: str, *, kind: Kind | None = None, data: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.kind = kind or KINDS[reason]
        self.data = dict(data or {})

    @property
    def info(self) -> dict[str, Any]:
        """google.rpc.ErrorInfo."""
        domain = DOMAIN if self.reason in KINDS else OURS
        return {"@type": _INFO, "reason": self.reason, "domain": domain, "metadata": self.data}


def fault_of(error: MarketplaceError) -> Fault:
    """One of ours as one of the protocol's; what its reply would hold beside its words goes along."""
    if error.status == 400:
        return Fault("INVALID_PARAMS", error.message)
    told = {k: v if isinstance(v, str) else json.encode(v).decode() for k, v in error.extra.items()}
    if error.retry_after is not None:
        told["retryAfter"] = str(error.retry_after)
    kind = Kind(_OTHER, error.status, _GRPC.get(error.status, "INTERNAL"))
    return Fault(error.code.upper(), error.message, kind=kind, data=told)


class Rpc(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON-RPC request."""

    method: str
    id: str | int | None
    params: Mapping[str, Any] = {}


def version_of(headers: Mapping[str, str], *, legacy: bool) -> str:
    """The revision that a request is in: none named means 0.3, as the specification has it. Raises Fault for one not served."""
    told = headers.get(HEADER, "").strip() or LEGACY
    parts = told.split(".")
    short = ".".join(parts[:2])
    served = (MODERN, LEGACY) if legacy else (MODERN,)
    if short not in served or not all(part.isdigit() for part in parts):
        raise Fault(
            "VERSION_NOT_SUPPORTED",
            f"A2A {told[:20]} is not served here, {' and '.join(served)} is: send the header A2A-Version: {MODERN}",
        )
    return short


def rpc_of(body: bytes) -> Rpc:
    """Raises Fault for what is none."""
    try:
        value = json.decode(body)
    except ValueError:
        raise Fault("PARSE_ERROR", "The body is not valid JSON") from None
    given = value.get("id") if isinstance(value, dict) else None
    if (
        not isinstance(value, dict)
        or value.get("jsonrpc") != "2.0"
        or not isinstance(value.get("method"), str)
        or isinstance(given, bool)
        or not isinstance(given, str | int)
    ):
        raise Fault(
            "INVALID_REQUEST", 'The body must be one request: {"jsonrpc": "2.0", "id", "method", "params"}'
        )
    params = value.get("params", {})
    if not isinstance(params, dict):
        raise Fault("INVALID_PARAMS", "params must be an object")
    return Rpc(method=value["method"], id=given, params=params)


def id_in(body: bytes) -> str | int | None:
    """The id of a body that is no request otherwise, for the answer that says so."""
    try:
        value = json.decode(body)
    except ValueError:
        return None
    given = value.get("id") if isinstance(value, dict) else None
    return given if isinstance(given, str | int) and not isinstance(given, bool) else None


def rpc_result(request_id: str | int | None, result: Any) -> bytes:
    """The body of an answer."""
    return json.encode({"jsonrpc": "2.0", "id": request_id, "result": result})


def rpc_failure(request_id: str | int | None, fault: Fault) -> bytes:
    """The body of an error."""
    told = {"code": fault.kind.rpc, "message": fault.message, "data": [fault.info]}
    return json.encode({"jsonrpc": "2.0", "id": request_id, "error": told})


def rest_failure(fault: Fault) -> bytes:
    """google.rpc.Status, as HTTP+JSON wraps it."""
    told = {
        "code": fault.kind.status, "status": fault.kind.grpc, "message": fault.message, "details": [fault.info],
    }  # fmt: skip
    return json.encode({"error": told})
