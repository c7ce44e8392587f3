"""A provider's failure -> one class, a wait and words that are safe to show."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import ProviderFailure
from agent_marketplace.wires.base import FailureClass, UpstreamFailure

_BY_STATUS = {
    400: FailureClass.BAD_REQUEST,
    401: FailureClass.AUTH,
    402: FailureClass.QUOTA,
    403: FailureClass.AUTH,
    404: FailureClass.NOT_FOUND,
    408: FailureClass.TIMEOUT,
    413: FailureClass.CONTEXT,
    422: FailureClass.BAD_REQUEST,
    429: FailureClass.RATE_LIMITED,
    498: FailureClass.RATE_LIMITED,
    504: FailureClass.TIMEOUT,
    529: FailureClass.OVERLOADED,
}
# Providers' own codes and error types, lower case, where they say more than the status.
_BY_CODE = {
    "context_length_exceeded": FailureClass.CONTEXT,
    "exceed_context_size_error": FailureClass.CONTEXT,
    "request_too_large": FailureClass.CONTEXT,
    "content_filter": FailureClass.CONTENT,
    "content_policy_violation": FailureClass.CONTENT,
    "insufficient_quota": FailureClass.QUOTA,
    "billing_error": FailureClass.QUOTA,
    "billing_hard_limit_reached": FailureClass.QUOTA,
    "invalid_api_key": FailureClass.AUTH,
    "authentication_error": FailureClass.AUTH,
    "permission_error": FailureClass.AUTH,
    "model_not_found": FailureClass.NOT_FOUND,
    "not_found_error": FailureClass.NOT_FOUND,
    "rate_limit_error": FailureClass.RATE_LIMITED,
    "rate_limit_exceeded": FailureClass.RATE_LIMITED,
    "resource_exhausted": FailureClass.RATE_LIMITED,
    "overloaded_error": FailureClass.OVERLOADED,
    "unavailable": FailureClass.OVERLOADED,
    "timeout_error": FailureClass.TIMEOUT,
    "deadline_exceeded": FailureClass.TIMEOUT,
    "unauthenticated": FailureClass.AUTH,
    "permission_denied": FailureClass.AUTH,
    "not_found": FailureClass.NOT_FOUND,
}
_CONTEXT_WORDS = re.compile(
    r"maximum context length|context[_ ]length|context window|prompt is too long|input is too long|too many (input )?tokens"
    r"|exceeds the (maximum|max|available) (number of )?(context|input|token)|input token count.{0,40}exceeds",
    re.IGNORECASE,
)
# More than a whole minute's tokens: waiting does not help, and it says nothing about anybody else's requests.
_OVERSIZED_WORDS = re.compile(r"request too large.{0,200}(tokens per|TPM|ITPM)", re.IGNORECASE | re.DOTALL)
_LIMIT_REQUESTED = re.compile(
    r"limit:? ([\d,]{1,12}).{0,40}requested:? ([\d,]{1,12})", re.IGNORECASE | re.DOTALL
)
_CONTENT_WORDS = re.compile(
    r"content (management )?polic|content_filter|safety system|responsible ai|blocked by safety",
    re.IGNORECASE,
)
_KEY_WORDS = re.compile(r"api key not valid|invalid api key|incorrect api key|api_key_invalid", re.IGNORECASE)
_SECRETS = re.compile(
    r"(?i:bearer)\s+\S+|\b(?:sk|rk|pk|hf|gsk|xai|key|tgp|fw|or)[-_][-_A-Za-z0-9.*]{6,}|\b(?:AIza|ya29)[-_.A-Za-z0-9]{10,}"
    r"|(?i:\b(?:api[-_ ]?)?key[=:]\s*)\S+"
)
_SPACE = re.compile(r"\s+")
MAX_WORDS = 300


def redact(words: str) -> str:
    """Words without anything that looks like a credential, on one line, at most 300 characters."""
    return _SPACE.sub(" ", _SECRETS.sub("[redacted]", words[:4000])).strip()[:MAX_WORDS]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait from `retry-after-ms` or `Retry-After` (seconds or an HTTP date, against the answer's own `Date`)."""
    lower = {k.lower(): v for k, v in headers.items()}
    try:
        if (ms := lower.get("retry-after-ms")) is not None:
            return _wait(float(ms) / 1000)
    except ValueError:
        pass
    raw = lower.get("retry-after")
    if raw is None:
        return None
    try:
        return _wait(float(raw))
    except ValueError:
        pass
    try:
        due = parsedate_to_datetime(raw).timestamp()
        now = parsedate_to_datetime(lower["date"]).timestamp() if "date" in lower else time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, due - now)


def _wait(seconds: float) -> float | None:
    return seconds if 0 <= seconds < float("inf") else None


def kind_of(status: int, codes: tuple[str, ...], words: str) -> FailureClass:
    """The class by the provider's codes, then its words, then the status."""
    if _CONTEXT_WORDS.search(words) and status in (0, 200, 400, 413, 422, 500):
        return FailureClass.CONTEXT
    if status in (0, 413, 429) and _oversized(words):
        return FailureClass.OVERSIZED
    for code in codes:
        if (kind := _BY_CODE.get(code.lower())) is not None:
            return kind
    if status in (0, 200, 400, 403, 422):
        if _CONTENT_WORDS.search(words):
            return FailureClass.CONTENT
        if _KEY_WORDS.search(words):
            return FailureClass.AUTH
    if (
        status in _BY_STATUS
    ):  # also under the codes that say no more than "server": api_error, server_error, internal
        return _BY_STATUS[status]
    return FailureClass.BAD_REQUEST if 400 <= status < 500 else FailureClass.SERVER


def _oversized(words: str) -> bool:
    if _OVERSIZED_WORDS.search(words):
        return True
    found = _LIMIT_REQUESTED.search(words)
    if found is None:
        return False
    limit, requested = (int("0" + number.replace(",", "")) for number in found.groups())
    return requested > limit


def failure(status: int, codes: tuple[str, ...], words: str, *, wait: float | None = None) -> UpstreamFailure:
    """The classified failure; empty words become the class's own."""
    kind = kind_of(status, codes, words)
    return UpstreamFailure(
        kind, redact(words) or kind.value.replace("_", " "), status=status, retry_after=wait
    )


def unsupported(words: str) -> UpstreamFailure:
    """What a wire cannot say."""
    return UpstreamFailure(FailureClass.UNSUPPORTED, words)


def error_of(body: Any, status: int, headers: Mapping[str, str]) -> UpstreamFailure:
    """Classifies an OpenAI-shaped `error` value (an object or bare words)."""
    wait = retry_after(headers)
    if not isinstance(body, dict):
        return failure(status, (), body if isinstance(body, str) else "", wait=wait)
    code = body.get("code")
    if status in (0, 200) and isinstance(code, int) and 400 <= code <= 599:
        status = code
    codes = tuple(str(c) for c in (code, body.get("type"), body.get("status")) if c is not None)
    return failure(status, codes, str(body.get("message") or ""), wait=wait)


def classify_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """By code, words and status; a body that is no error object is not shown."""
    try:
        decoded = json.decode(body)
    except ValueError:
        return failure(status, (), "", wait=retry_after(headers))
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    problem = (decoded.get("error") or decoded) if isinstance(decoded, dict) else {}
    if isinstance(problem, dict) and "message" not in problem and isinstance(problem.get("detail"), str):
        problem = {**problem, "message": problem["detail"]}
    return error_of(problem, status, headers)


_STATUS = {
    FailureClass.RATE_LIMITED: 429,
    FailureClass.OVERLOADED: 503,
    FailureClass.TIMEOUT: 504,
    FailureClass.BAD_REQUEST: 400,
    FailureClass.CONTEXT: 400,
    FailureClass.OVERSIZED: 413,
    FailureClass.BUSY: 429,
    FailureClass.CONTENT: 400,
    FailureClass.UNSUPPORTED: 400,
}


def as_error(failed: UpstreamFailure) -> ProviderFailure:
    """What our client is told: 429, 502, 503 or 504 for the provider's fault, 400 for the request's; never 500."""
    return ProviderFailure(
        failed.words,
        code=failed.kind.value,
        status=_STATUS.get(failed.kind, 502),
        retry_after=failed.retry_after,
    )
