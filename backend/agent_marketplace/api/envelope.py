"""The REST envelope: `{"success": true, ...}` or `{"success": false, "error", "code", "request_id", ...}`, money printed exactly."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from agent_marketplace import json
from agent_marketplace.api.paths import methods_at, paths_of, wire_of
from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound
from agent_marketplace.ids import new_id

log = logging.getLogger(__name__)
NOT_KEPT = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class ExactJSON(Response):
    """JSON through our one encoder: Decimals become numbers with all their places."""

    media_type = "application/json"

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Replies hold tokens, keys and chats: nobody on the way keeps or reinterprets them."""
        super().init_headers({**NOT_KEPT, **(headers or {})})

    def render(self, content: Any) -> bytes:
        return json.encode(content)


def success(*, headers: Mapping[str, str] | None = None, **fields: Any) -> ExactJSON:
    """The reply of a call that worked."""
    return ExactJSON({"success": True, **fields}, headers=dict(headers or {}))


def error_body(error: MarketplaceError, request_id: str) -> dict[str, Any]:
    """The fields of a failed call; `retry_after` in seconds, as in the header."""
    wait = {} if error.retry_after is None else {"retry_after": _whole_seconds(error.retry_after)}
    return {
        "success": False,
        "error": error.message,
        "code": error.code,
        "request_id": request_id,
        **wait,
        **error.extra,
    }


def _whole_seconds(wait: float) -> int:
    return max(1, math.ceil(wait))


def error_headers(error: MarketplaceError, request_id: str) -> dict[str, str]:
    """`X-Request-Id`, and `Retry-After` (whole seconds, rounded up) where the error has one."""
    headers = {"x-request-id": request_id}
    if error.retry_after is not None:
        headers["retry-after"] = str(_whole_seconds(error.retry_after))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return headers


def note_failure(request_id: str, error: MarketplaceError) -> None:
    """Logs a failure that is the server's or a provider's, with the id that its caller was told; never its words."""
    if error.status >= 500:
        log.warning("failed %s: %s %s", request_id, error.status, error.code)


def failure(error: MarketplaceError, request_id: str | None = None) -> ExactJSON:
    """The reply of a call that failed as expected."""
    request_id = request_id or new_id("req")
    return ExactJSON(
        error_body(error, request_id), status_code=error.status, headers=error_headers(error, request_id)
    )


def refusal_of(request: Request, error: MarketplaceError, request_id: str | None = None) -> Response:
    """The reply of a call that failed, in the shape of the wire whose path it took, else in the envelope."""
    wire = wire_of(request.scope["path"], request.headers)
    if wire is None:
        return failure(error, request_id)
    request_id = request_id or new_id("req")
    body = request.app.state.market.codecs[wire].render_error(error, request_id)
    return Response(body, error.status, error_headers(error, request_id), "application/json")


def install(app: FastAPI) -> None:
    """All failures of the FastAPI side leave in the envelope; the unexpected ones are logged with their id and say no more."""

    async def expected(request: Request, error: Exception) -> Response:
        if not isinstance(error, MarketplaceError):
            raise error
        refusal = refusal_of(request, error)
        note_failure(refusal.headers["x-request-id"], error)
        return refusal

    async def malformed(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return refusal_of(request, BadRequest(_words(error), extra={"fields": _fields(error)}))

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if isinstance(
            error.__cause__, MarketplaceError
        ):  # FastAPI's words for what stopped the body on its way
            return await expected(request, error.__cause__)
        wire = wire_of(request.scope["path"], request.headers)
        answer = refusal_of(request, _from_http(error, methods_at(request), paths_of(wire)))
        if answer.status_code == 405:
            answer.headers["allow"] = ", ".join(methods_at(request))
        return answer

    async def unstorable(request: Request, error: Exception) -> Response:
        # NUL, lone surrogates and numbers beyond 64 bits pass JSON and paths, but no database takes them.
        refusal = refusal_of(
            request, BadRequest("The request holds a character or a number that can't be stored")
        )
        log.info(
            "unstorable input %s at %s: %s",
            refusal.headers["x-request-id"],
            request.method,
            type(error).__name__,
        )
        return refusal

    async def unexpected(request: Request, error: Exception) -> Response:
        request_id = new_id("req")
        log.error(
            "unexpected failure %s at %s %s",
            request_id,
            request.method,
            request.scope.get("path"),
            exc_info=error,
        )
        return refusal_of(
            request, MarketplaceError("Something went wrong on our side", code="server"), request_id
        )

    app.add_exception_handler(MarketplaceError, expected)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, http)
    for kind in (sa.exc.DataError, UnicodeEncodeError, OverflowError):
        app.add_exception_handler(kind, unstorable)
    app.add_exception_handler(Exception, unexpected)


async def _left(_request: Request, _error: Exception) -> Response:
    """The caller hung up before the body was whole: no fault of ours to log, and nobody reads the answer."""
    return Response(status_code=499)


def _from_http(error: HTTPException, methods: Sequence[str], served: str) -> MarketplaceError:
    if error.status_code in (404, 405) and not methods:
        return NotFound(f"No such path{served}")
    if error.status_code in (404, 405):
        return MarketplaceError("This path takes another method", status=405, code="method_not_allowed")
    words = str(error.detail) if error.status_code < 500 else "Something went wrong on our side"
    return MarketplaceError(
        words, status=error.status_code, code="invalid_request" if error.status_code < 500 else "server"
    )


def _place(location: tuple[int | str, ...]) -> str:
    return (
        ".".join(str(part) for part in location if part not in ("body", "query", "path", "header")) or "body"
    )


def _words(error: RequestValidationError) -> str:
    first = error.errors()[0]
    place = _place(tuple(first["loc"]))
    if first["type"] == "json_invalid":
        return "The body is not valid JSON"
    if first["type"] == "missing":
        return f"{place} is required" if place != "body" else "A JSON body is required"
    if place == "body":
        return "The body must be a JSON object, sent with Content-Type: application/json"
    if first["type"] == "extra_forbidden":
        return f"{place} is not a known field"
    return f"{place}: {first['msg']}"


def _fields(error: RequestValidationError) -> list[dict[str, str]]:
    places = (("body",) if e["type"] == "json_invalid" else tuple(e["loc"]) for e in error.errors()[:20])
    return [
        {"field": _place(p), "problem": str(e["msg"])} for p, e in zip(places, error.errors(), strict=False)
    ]
