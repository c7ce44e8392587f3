"""Replies of usage and activity, for `/openapi.json`."""

from typing import Literal

from pydantic import BaseModel

from agent_marketplace.api.schemas import Reply


class Times(BaseModel):
    """Milliseconds, read off bins; None = no call was timed. samples: how many were."""

    p50: int | None
    p90: int | None
    p99: int | None
    mean: int | None
    samples: int


class UsageMetrics(BaseModel):
    """Those that were asked for. Money in dollars; shares of 1, None where nothing was counted."""

    spend: float | None = None
    list_cost: float | None = None
    requests: int | None = None
    errors: int | None = None
    error_share: float | None = None
    tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    classes: dict[str, int] | None = None
    cache_share: float | None = None
    latency: Times | None = None
    first_token: Times | None = None
    provider_cost: float | None = None
    absorbed: float | None = None
    margin: float | None = None


class UsageGroup(UsageMetrics):
    """One row: the values of the dimensions that were asked for (null = no key, agent or conversation), and the metrics."""

    time: str | None = None
    model: str | None = None
    provider: str | None = None
    key_id: str | None = None
    agent_id: str | None = None
    conversation_id: str | None = None
    status: str | None = None
    user_id: str | None = None
    email: str | None = None


class UsageFound(Reply):
    """truncated: there are more rows; `totals` is of all of them."""

    rows: list[UsageGroup]
    totals: UsageMetrics
    truncated: bool
    metrics: list[str]
    by: list[str]
    granularity: Literal["hour", "day", "week", "month"] | None
    tz: str
    since: str
    until: str
    as_of: str
    percentiles: str | None


class Fix(BaseModel):
    """A page of the web UI, and what to do there."""

    page: str
    words: str


class Cause(BaseModel):
    """Why a call did not end well."""

    code: str
    words: str
    fix: Fix | None


class ActivityCall(BaseModel):
    """A finished call. own_key: one's own provider key paid; list_cost: what it costs at list price."""

    request_id: str
    at: str
    model: str
    requested_model: str | None
    provider: str
    key_id: str | None
    agent_id: str | None
    conversation_id: str | None
    status: Literal["ok", "partial", "failed", "cancelled", "lost"]
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    estimated: bool
    cost: float
    list_cost: float | None
    own_key: bool
    streamed: bool
    first_token_ms: int | None
    total_ms: int | None
    tries: int
    fallback: bool
    error: Cause | None


class CallOfSomebody(ActivityCall):
    """email: null where the account was deleted."""

    user_id: str
    email: str | None


class EverybodysActivity(Reply):
    calls: list[CallOfSomebody]
    next_cursor: str | None
    as_of: str


class InFlight(BaseModel):
    """A call that runs. held: dollars."""

    request_id: str
    model: str
    provider: str
    key_id: str | None
    since: str
    held: float


class Activity(Reply):
    calls: list[ActivityCall]
    in_flight: list[InFlight]
    next_cursor: str | None
    as_of: str
